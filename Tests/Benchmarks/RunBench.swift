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
  for inFlight in [1, 64] {
    let bench = try await RunBench(in: report.options.data ?? "/tmp")
    try await bench.runs(inFlight, inFlight: inFlight)  // warm
    let before = try await bench.head()
    let (cpu, wall, syncs) = (cpuSeconds(), wallSeconds(), bench.walSize())
    var done = 0
    while cpuSeconds() - cpu < report.options.seconds {
      try await bench.runs(inFlight * 8, inFlight: inFlight)
      done += inFlight * 8
    }
    let (usedCPU, usedWall) = (cpuSeconds() - cpu, wallSeconds() - wall)
    let after = try await bench.head()
    let entries = after - before
    _ = syncs
    report.add(
      "run/governed", work: "\(inFlight) in flight, 5 steps, one held and approved", operations: done, wall: usedWall, cpu: usedCPU,
      extra: [
        "in_flight": .int(inFlight), "entries_per_run": rounded(Double(entries) / Double(done), 2),
        "ms_cpu_per_run": rounded(usedCPU / Double(done) * 1000, 4),
        "runs_per_wall_s": rounded(Double(done) / usedWall, 1),
      ])
    report.note(
      "\(entries) entries for \(done) runs: \(Double(entries) / Double(done)) a run; \(Int(Double(done) / usedWall)) runs/s of wall time")
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

  init(in parent: String) async throws {
    var template = Array("\(parent)/remit-bench-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw BenchError("cannot make a folder in `\(parent)`") }
    folder = template.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
    let store = try await AuditStore<GovernanceLedger>.open("\(folder)/store.sqlite", projections: GovernanceProjections.all)
    gate = PermissionGate(store: store)
    _ = try await gate.openLog(by: Self.operatorIdentity)
    let people = #"{ roles: { clerk: "Clerk", lead: "Lead" }, people: { ana: { roles: ["clerk"] }, ben: { roles: ["lead"] } } }"#
    _ = try await gate.setDirectory(try Directory.load(try PositionedJSON.parseJSON5(Array(people.utf8))), by: Self.operatorIdentity)
    let bundle = ReleaseBundle(
      process: "bench", files: [("process.json5", Array(Self.process.utf8)), ("rules.json5", Array(Self.rules.utf8))])
    let made = try await gate.makeRelease(bundle, by: Self.operatorIdentity)
    guard made.verdict == .permit else { throw BenchError("the release was refused: \(made.refusal?.message ?? "")") }
  }

  func head() async throws -> Int { try await gate.store.read { $0.head.size } }

  func walSize() -> Int {
    var status = stat()
    return stat("\(folder)/store.sqlite-wal", &status) == 0 ? Int(status.st_size) : 0
  }

  func finish() async throws {
    await gate.store.close()
    for suffix in ["", "-wal", "-shm"] { unlink("\(folder)/store.sqlite\(suffix)") }
    rmdir(folder)
  }

  /// That many runs, so many at the same time.
  func runs(_ count: Int, inFlight: Int) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for lane in 0..<inFlight {
        group.addTask {
          var place = lane
          while place < count {
            try await oneRun()
            place += inFlight
          }
        }
      }
      try await group.waitForAll()
    }
  }

  private func oneRun() async throws {
    let run = gate.mintRunID()
    try await submit("run.start", ["process": "bench", "fields": ["customer": "Acme GmbH", "amount": 1200]], run, nil, .permit)
    for step in ["one", "two", "three", "four", "five"] {
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
