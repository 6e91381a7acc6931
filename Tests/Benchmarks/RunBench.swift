import Audit
import Core
import Glibc
import Governance
import PolicyEngine
import ProcessModel

/// Whole runs through the gate: start, five `complete_step`, the third held and approved; no model, no connector.
///
/// Every step is durable (`synchronous=FULL`) before the next one begins. One operation is one run.
func benchRun(_ report: inout BenchReport) async throws {
  for inFlight in [1, 64] where report.options.wants("run/governed", "\(inFlight) in flight") {
    let bench = try await RunBench(in: report.options.data ?? "/tmp")
    try await bench.runs(inFlight, inFlight: inFlight)  // warm
    let before = try await (entries: bench.head(), commits: bench.gate.store.statistics().commits)
    let (cpu, wall) = (cpuSeconds(), wallSeconds())
    var done = 0
    while cpuSeconds() - cpu < report.options.seconds {
      try await bench.runs(inFlight * 8, inFlight: inFlight)
      done += inFlight * 8
    }
    let (usedCPU, usedWall) = (cpuSeconds() - cpu, wallSeconds() - wall)
    let entries = try await bench.head() - before.entries
    let syncs = await bench.gate.store.statistics().commits - before.commits
    report.add(
      "run/governed", work: "\(inFlight) in flight, 5 steps, one held and approved", operations: done, wall: usedWall, cpu: usedCPU,
      extra: [
        "in_flight": .int(inFlight), "entries_per_run": rounded(Double(entries) / Double(done), 2),
        "syncs_per_run": rounded(Double(syncs) / Double(done), 3),
        "ms_cpu_per_run": rounded(usedCPU / Double(done) * 1000, 4),
        "runs_per_wall_s": rounded(Double(done) / usedWall, 1),
      ])
    report.note(
      "\(entries) entries and \(syncs) syncs for \(done) runs: \(Double(entries) / Double(done)) and "
        + "\((Double(syncs) / Double(done) * 100).rounded() / 100) a run; \(Int(Double(done) / usedWall)) runs/s of wall time")
    try await bench.finish()
  }
}

/// A gate with the benchmark's process.
struct RunBench: Sendable {
  let gate: PermissionGate
  let folder: String
  private static let operatorIdentity = Identity(principal: "user:root", account: "root", mode: .singleOperator, isOperator: true)
  private static let clerk = Identity(principal: "user:ana", account: "ana", mode: .singleOperator)
  private static let lead = Identity(principal: "user:ben", account: "ben", mode: .singleOperator)

  private static let process = """
    { process: "bench", title: "Bench", owner: "role:lead", purpose: "Measure.",
      triggers: [{ form: "request", role: "clerk", fields: ["customer", "amount"] }],
      fields: { customer: { type: "string" }, amount: { type: "number" }, note: { type: "string", required: false } },
      steps: [
        { step: "one", title: "One", role: "clerk", form: ["note"], risk: "low" }, { step: "two", title: "Two", role: "clerk", form: ["note"], risk: "low" },
        { step: "three", title: "Three", role: "clerk", form: ["note"], risk: "high" }, { step: "four", title: "Four", role: "clerk", form: ["note"], risk: "low" },
        { step: "five", title: "Five", role: "clerk", form: ["note"], risk: "low" },
      ] }
    """
  private static let rules = """
    { policy: "bench", rules: [{ id: "held", hold: "complete_step", when: "step.risk == 'high'", approval: { roles: ["lead"] } }] }
    """

  private let file: String

  /// - Parameters:
  ///   - parent: Where its folder is made.
  ///   - store: The store's file in that folder.
  /// - Throws: ``BenchError`` where there is no place for it; what opening a store throws.
  init(in parent: String, store: String = "store.sqlite") async throws {
    var template = Array("\(parent)/remit-bench-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw BenchError("cannot make a folder in `\(parent)`") }
    folder = template.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
    file = "\(folder)/\(store)"
    if let end = file.utf8.lastIndex(of: UInt8(ascii: "/")) { mkdir(String(file[..<end]), 0o700) }
    gate = PermissionGate(store: try await AuditStore<GovernanceLedger>.open(file, projections: GovernanceProjections.all))
    _ = try await gate.openLog(by: Self.operatorIdentity)
    let people = #"{ roles: { clerk: "Clerk", lead: "Lead" }, people: { ana: { roles: ["clerk"] }, ben: { roles: ["lead"] } } }"#
    _ = try await gate.setDirectory(try Directory.load(try PositionedJSON.parseJSON5(Array(people.utf8))), by: Self.operatorIdentity)
    let bundle = ReleaseBundle(
      process: "bench", files: [("process.json5", Array(Self.process.utf8)), ("rules.json5", Array(Self.rules.utf8))])
    let made = try await gate.makeRelease(bundle, by: Self.operatorIdentity)
    guard made.verdict == .permit else { throw BenchError("the release was refused: \(made.refusal?.message ?? "")") }
  }

  func head() async throws -> Int { try await gate.store.read { $0.head.size } }

  func finish() async throws {
    await gate.store.close()
    for suffix in ["", "-wal", "-shm"] { unlink(file + suffix) }
    rmdir("\(folder)/.remit")
    rmdir(folder)
  }

  /// That many runs, so many at the same time, each as far as so many steps.
  func runs(_ count: Int, inFlight: Int, steps: @escaping @Sendable (Int) -> Int = { _ in 5 }) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for lane in 0..<inFlight {
        group.addTask {
          var place = lane
          while place < count {
            try await oneRun(steps: steps(place))
            place += inFlight
          }
        }
      }
      try await group.waitForAll()
    }
  }

  private func oneRun(steps: Int) async throws {
    let run = gate.mintRunID()
    try await submit("run.start", ["process": "bench", "fields": ["customer": "Acme GmbH", "amount": 1200]], run, nil, .permit)
    for step in ["one", "two", "three", "four", "five"].prefix(steps) {
      let arguments: JSONObject = ["fields": ["note": "all in order, see the file"]]
      let outcome = try await submit("complete_step", arguments, run, step, step == "three" ? .hold : .permit)
      if outcome.verdict == .hold {
        _ = try await gate.decide(outcome.proposal, .approve, by: Self.lead, digest: outcome.digest)
      }
    }
  }

  @discardableResult
  private func submit(_ tool: String, _ arguments: JSONObject, _ run: String, _ step: String?, _ expected: Outcome) async throws
    -> GateOutcome
  {
    let outcome = try await gate.submit(
      Proposal(id: gate.mintID(), principal: "user:ana", identity: Self.clerk, tool: tool, arguments: arguments, run: run, step: step))
    guard outcome.verdict == expected else {
      throw BenchError("\(tool) at \(step ?? "start"): \(outcome.refusal?.message ?? outcome.verdict.rawValue)")
    }
    return outcome
  }
}
