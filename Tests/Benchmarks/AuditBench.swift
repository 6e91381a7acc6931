import Audit
import Core
import Glibc
import Storage

/// Durable appends and verification.
///
/// The limits are C programs over the same SQLite: give them with `--peer`.
///
/// One operation is one entry: canonical envelope, one content part of 100 bytes with its salted commitment, Merkle leaf, and one
/// projection row, at `synchronous=FULL`.
func benchAudit(_ report: inout BenchReport) async throws {
  let bench = try await AuditBench(in: report.options.data ?? "/tmp")
  for callers in [1, 256] where report.options.wants("audit/append", "\(callers) caller") {
    _ = try await bench.append(callers * 16, callers: callers)  // warm
    let before = await bench.store.statistics()
    let (cpu, wall) = (cpuSeconds(), wallSeconds())
    var done = 0
    var waits: [Double] = []
    while cpuSeconds() - cpu < report.options.seconds {
      waits += try await bench.append(callers * 64, callers: callers)
      done += callers * 64
    }
    let (usedCPU, usedWall) = (cpuSeconds() - cpu, wallSeconds() - wall)
    let commits = await bench.store.statistics().commits - before.commits
    waits.sort()
    report.add(
      "audit/append", work: "\(callers) caller\(callers == 1 ? "" : "s"), WAL, synchronous=FULL", operations: done, wall: usedWall,
      cpu: usedCPU,
      extra: [
        "callers": .int(callers), "syncs": .int(commits), "p50_us": rounded(waits[waits.count / 2] * 1e6, 0),
        "p99_us": rounded(waits[waits.count * 99 / 100] * 1e6, 0),
      ])
    report.note(
      "\(Int(Double(done) / usedWall)) entries/s of wall time, \(commits) syncs for \(done) entries, "
        + "waits p50 \(Int(waits[waits.count / 2] * 1e6)) µs, p99 \(Int(waits[waits.count * 99 / 100] * 1e6)) µs")
  }
  for (name, options) in [("audit/verify", VerificationOptions()), ("audit/verify_hashes", .hashes)] where report.options.wants(name, "") {
    try await bench.fill(to: 200_000)
    let (cpu, wall) = (cpuSeconds(), wallSeconds())
    let found = try await bench.store.verify(options)
    guard found.ok else { throw BenchError("the log does not verify: \(found.problems)") }
    let (usedCPU, usedWall) = (cpuSeconds() - cpu, wallSeconds() - wall)
    report.add(name, work: "\(found.entries) entries, everything derived again", operations: found.entries, wall: usedWall, cpu: usedCPU)
    report.note("\(Int(Double(found.entries) / usedWall)) entries/s of wall time")
  }
  try await bench.finish()
}

/// What an append costs as the log grows to a million entries.
func benchAuditGrowth(_ report: inout BenchReport) async throws {
  let bench = try await AuditBench(in: report.options.data ?? "/tmp")
  for target in [1000, 10_000, 100_000, 500_000, 1_000_000] {
    try await bench.fill(to: target - target / 10 - 500)
    let (cpu, wall, before) = (cpuSeconds(), wallSeconds(), try await bench.size())
    try await bench.fill(to: target)
    let done = try await bench.size() - before
    report.add(
      "audit/append_at", work: "around entry \(target), 256 callers", operations: done, wall: wallSeconds() - wall, cpu: cpuSeconds() - cpu,
      extra: ["entries": .int(target)])
  }
  try await bench.finish()
}

/// The meaning of the benchmark's entries: a run counts its steps.
enum BenchLedger: Ledger {
  struct Run: Sendable {
    var id: String
    var steps = 0
    var total: Int64 = 0
  }

  static func start() -> Int { 0 }
  static func apply(_ entry: Entry, to shared: inout Int) throws { shared += 1 }
  static func apply(_ entry: Entry, to run: inout Run?) throws {
    var state = run ?? Run(id: entry.run ?? "")
    run = nil
    state.steps += 1
    state.total += entry.body["amount"]?.intValue ?? 0
    run = state
  }
}

/// One row a run.
struct BenchTable: Projection {
  typealias Meaning = BenchLedger
  var name: String { "runs" }
  var version: Int { 1 }
  var schema: String {
    "CREATE TABLE runs (id TEXT PRIMARY KEY, steps INTEGER NOT NULL, total INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
  }

  func apply(_ entry: Entry, run: BenchLedger.Run?, shared: Int, to tables: Connection) throws {
    guard let id = entry.run, let run else { return }
    try tables.run(
      """
      INSERT INTO runs VALUES (?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET steps = excluded.steps, total = excluded.total
      """, .text(id), .int(run.steps), .integer(run.total))
  }

  func rows(of run: BenchLedger.Run) -> [TableRow] { [TableRow("runs", [.text(run.id), .int(run.steps), .integer(run.total)])] }
}

/// A store in a folder of its own.
struct AuditBench: Sendable {
  let store: AuditStore<BenchLedger>
  private let folder: String
  private let rounds = Locked(0)

  init(in parent: String) async throws {
    var template = Array("\(parent)/remit-bench-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw BenchError("cannot make a folder in `\(parent)`") }
    folder = template.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
    store = try await AuditStore<BenchLedger>.open("\(folder)/store.sqlite", projections: [BenchTable()])
  }

  func size() async throws -> Int { try await store.read { $0.head.size } }

  func fill(to target: Int) async throws {
    let missing = try await target - size()
    if missing > 0 { _ = try await append((missing + 255) / 256 * 256, callers: 256) }
  }

  /// Appends so many entries, each in a decision of its own that looks at its run first.
  ///
  /// - Returns: How long each caller waited, in seconds; of many callers only the first one's waits.
  func append(_ count: Int, callers: Int) async throws -> [Double] {
    let round = rounds.withLock {
      $0 += 1
      return 100_000 + $0
    }
    return try await withThrowingTaskGroup(of: [Double].self) { group in
      for caller in 0..<callers {
        group.addTask {
          var waits: [Double] = []
          for step in 0..<(count / callers) {
            // As real ids do, these sort by time.
            let run = "run-\(round)-\(1000 + step / 8)-\(caller)"
            let began = wallSeconds()
            _ = try await store.submit { context in
              let state = try context.run(run)
              return ([Self.draft(run, step)], state?.steps ?? 0)
            }
            if caller == 0 { waits.append(wallSeconds() - began) }
          }
          return waits
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
  }

  private static let arguments = [UInt8](repeating: UInt8(ascii: "x"), count: 100)

  private static func draft(_ run: String, _ step: Int) -> EntryDraft {
    EntryDraft(
      type: "proposal.decided@1", run: run, principal: "agent:risk-analyst", release: "4f0c6f8c2a",
      body: ["amount": .int(step), "outcome": "permit", "rule": "step:classify", "step": "classify", "tool": "complete_step"],
      content: [Content("arguments", arguments)])
  }

  func finish() async throws {
    await store.close()
    for suffix in ["", "-wal", "-shm"] { unlink("\(folder)/store.sqlite\(suffix)") }
    rmdir(folder)
  }
}
