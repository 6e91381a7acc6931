import AgentRuntime
import Audit
import Core
import Foundation
import Governance
import LLM
import PolicyEngine
import ProcessModel
import Storage
import TestSupport
import Testing

/// Whole runs with a seeded clock, model, connector, disk, people and order of two workers: one seed repeats a failure exactly.
///
/// Two workers have the same file open, as two processes would, and overtake each other wherever they are about to write. A crash is a
/// store that fails from a random point on; the next life opens the same file. After the last life people decide what is left and say what
/// became of effects in doubt, and everything must add up.
private struct Simulation {
  let seed: UInt64
  let folder: String
  let runs: Int
  let outside = Outside()
  var random: SeededGenerator
  var now = Instant(milliseconds: 1_800_000_000_000)
  var started: [String] = []
  var crashes = 0

  static let lives = 6
  static let workers = 2

  /// Whether the agent has to earn to classify alone.
  let earns: Bool

  init(seed: UInt64, folder: String, runs: Int, earns: Bool = false) {
    self.earns = earns
    self.seed = seed
    self.folder = folder
    self.runs = runs
    random = SeededGenerator(seed: seed)
  }

  /// The world that effects reach: it remembers what was done, whatever the service forgets.
  final class Outside: Connector {
    struct Execution: Sendable {
      var run: String
      var step: String
      var tool: String
      var count = 0
    }
    struct State: Sendable {
      /// By the key that the world knows a call by.
      var executions: [String: Execution] = [:]
      var calls = 0
      var seed: UInt64 = 0
    }
    let state = Locked(State())

    func call(_ grant: borrowing Grant) async -> EffectOutcome {
      let (key, tool) = (grant.idempotencyKey, grant.tool)
      let (run, step) = (grant.run, grant.step?.description ?? "")
      let changesTheWorld = tool != "crm.lookup"
      let dice = state.withLock { state -> UInt64 in
        state.calls += 1
        var random = SeededGenerator(seed: state.seed &+ UInt64(state.calls))
        let dice = random.next() % 20
        // An effect happens unless it is refused; one whose answer is lost has happened or not.
        if changesTheWorld, dice > 1 || (dice == 1 && random.next() % 2 == 0) {
          state.executions[key, default: Execution(run: run, step: step, tool: tool)].count += 1
        }
        return dice
      }
      switch dice {
      case 0: return .failed("refused", "the outside says no")
      case 1: return .inDoubt("lost", "the answer was lost")
      default: return .finished(changesTheWorld ? ["ok": true] : ["known": true, "note": "hello"])
      }
    }
  }

  /// A model that is right most of the time and wrong in every way that models are.
  static func model(_ seed: UInt64) -> @Sendable (ModelRequest) -> ScriptedModel.Turn? {
    { request in
      var random = SeededGenerator(
        seed: seed ^ UInt64(truncatingIfNeeded: request.digest.bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }))
      switch random.next() % 16 {
      case 0: return .text("I think it is fine.")
      case 1: return .call("bank.pay", ["who": "Mallory", "amount": 1])
      case 2: return .call("complete_step", ["fields": ["risk": "low", "amount": 1]])
      case 3: return .call("no.such_tool", [:])
      case 4: return .calls([ScriptedModel.Call("complete_step", rawArguments: "{\"fields\":{\"risk\":\"low\"")])
      case 5: return .body(Array("oops".utf8))
      case 6: return .failure(ModelError(.unreachable, "gone", isTransient: true))
      case 7:
        return .calls([ScriptedModel.Call("crm.lookup", ["who": "a"], id: "x"), ScriptedModel.Call("crm.lookup", ["who": "b"], id: "x")])
      case 8: return .call("ask_human", ["question": "Is it?"])
      case 9: return .call("complete_step", ["fields": ["risk": "high"]])
      case 10: return .call("crm.lookup", ["who": "Acme"])
      case 11: return .calls([ScriptedModel.Call("mail.send", ["text": "a"]), ScriptedModel.Call("mail.send", ["text": "b"])])
      default: return .call("complete_step", ["fields": ["risk": "low"]])
      }
    }
  }

  private mutating func open(faults: FaultPlan) async throws -> Office {
    var options = StoreOptions()
    let moment = now
    options.time = TimeSource { moment }
    options.random = .seeded(random.next())
    options.faults = faults
    outside.state.withLock { $0.seed = seed }
    return try await Office(
      folder, connector: outside, options: options, concurrency: 1, rules: earns ? Self.earningRules : Office.rules, Self.model(seed))
  }

  mutating func live() async throws {
    for life in 0..<Self.lives { try await live(isLast: life == Self.lives - 1) }
  }

  /// One life of both workers: each goes on until its store fails.
  private mutating func live(isLast: Bool) async throws {
    now = now + .seconds(Int64(random.next() % 90_000))
    let turns = Turns.seeded(workers: Self.workers, random.next())
    var workers: [(number: Int, office: Office)] = []
    for number in 0..<Self.workers {
      let faults = isLast || random.next() % 3 == 0 ? FaultPlan.none : .fail(at: Int(random.next() % 400) + 1, persistent: true)
      do {
        workers.append((number, try await open(faults: turns.faults(of: number, faults))))
      } catch {
        try crashed(error)
      }
    }
    for round in 0..<(isLast ? 12 : 3) {
      if round > 0, try await isQuiet(workers.first?.office) { break }
      if let first = workers.first {
        do {
          if round == 0 { try await start(first.office, all: isLast) } else { try await decide(first.office, all: isLast) }
        } catch {
          try crashed(error)
          await workers.removeFirst().office.gate.store.close()
        }
      }
      let ends = await turns.run(
        workers.map { worker in (worker.number, { await Result(of: { _ = try await worker.office.loop.work() }) }) })
      for (worker, end) in zip(workers, ends) {
        guard case .failure(let error) = end else { continue }
        try crashed(error)
        workers.removeAll { $0.number == worker.number }
        await worker.office.gate.store.close()
      }
    }
    for worker in workers { await worker.office.gate.store.close() }
  }

  /// Counts what a fault brought about; anything else is a failure of the test.
  private mutating func crashed(_ error: any Error) throws {
    guard error is StorageError || error is AuditError else { throw error }
    crashes += 1
  }

  /// Whether nobody waits for anything any more.
  private func isQuiet(_ office: Office?) async throws -> Bool {
    guard let office else { return true }
    return try await office.gate.store.read { context in
      try context.database.first("SELECT count(*) FROM run WHERE status IN ('running', 'paused')") { $0.int(0) } == 0
    }
  }

  private mutating func start(_ office: Office, all: Bool) async throws {
    while started.count < runs, all || random.next() % (earns ? 6 : 40) != 0 {
      started.append(try await office.start(amount: Int64(random.next() % 200)))
    }
  }

  /// People look at everything that waits and decide most of it.
  private mutating func decide(_ office: Office, all: Bool) async throws {
    let gate = office.gate
    let waiting = try await gate.store.read { context in
      try context.database.query("SELECT id, run, status FROM proposal WHERE status IN ('held', 'in-doubt') ORDER BY entry") {
        ($0.text(0), $0.optionalText(1), $0.text(2))
      }
    }
    let ben = Identity.scripted("user:ben")
    for (id, run, status) in waiting {
      if !all, random.next() % 3 == 0 { continue }
      if status == "in-doubt", let run {
        let happened = outside.state.withLock { $0.executions[id] != nil }
        _ = try await gate.settle(
          id, in: run, grant: nil, outcome: happened ? .finished(["ok": true]) : .failed("not-done", "looked it up"), by: ben)
        continue
      }
      let proposal = try await run == nil ? gate.store.read { try $0.shared().proposals } : office.record(run ?? "").proposals
      guard let digest = proposal.last(where: { $0.id == id })?.digest else { continue }
      do {
        // Whoever earns something is mostly right.
        switch random.next() % (earns ? 16 : 4) {
        case 0: _ = try await gate.decide(id, .reject(reason: "no"), by: ben, digest: digest)
        case 1: _ = try await gate.decide(id, .approve, by: .scripted("user:ana"), digest: digest)  // who asked: refused
        default: _ = try await gate.decide(id, .approve, by: ben, digest: digest)
        }
      } catch is Refusal {}
    }
    if earns {
      try await earn(office)
      try await start(office, all: false)
    }
    try await pause(office, all: all)
    try await answer(office)
  }

  /// Runs are paused for a while, and go on.
  private mutating func pause(_ office: Office, all: Bool) async throws {
    let runs = try await office.gate.store.read { context in
      try context.database.query("SELECT id, status FROM run WHERE status IN ('running', 'paused') ORDER BY first") {
        ($0.text(0), $0.text(1))
      }
    }
    for (run, status) in runs {
      if status == "paused" {
        try await office.submit("user:ben", "run.resume", [:], in: run)
      } else if !all, !earns, random.next() % 12 == 0 {
        try await office.submit("user:ana", "run.pause", ["text": "wait"], in: run)
      }
    }
  }

  /// Questions are answered, exceptions resolved, and steps that agents gave up done by hand.
  private mutating func answer(_ office: Office) async throws {
    let waiting = try await office.gate.store.read { context in
      try context.database.query(
        "SELECT id FROM run WHERE status = 'running' AND problems > 0 UNION SELECT run FROM work WHERE performer = 'role:clerk' ORDER BY 1"
      ) { $0.text(0) }
    }
    for run in waiting {
      let record = try await office.record(run)
      for question in record.state.openQuestions {
        try await office.submit("user:ben", "answer", ["question": .string(question.id), "text": "yes"], in: run)
      }
      for exception in record.state.openExceptions where exception.handler == nil {
        let resolution: JSON = random.next() % 2 == 0 ? "proceed" : "retry"
        try await office.submit("user:ben", "resolve_exception", ["exception": .string(exception.id), "resolution": resolution], in: run)
      }
      for step in record.state.openSteps where step.performer == .role("clerk") {
        if !earns, step.assignee == nil, random.next() % 2 == 0 {
          try await office.submit("user:ana", "step.claim", [:], in: run, step: step.occurrence.description)
        }
        try await office.submit("user:ana", "complete_step", ["fields": ["risk": "low"]], in: run, step: step.occurrence.description)
      }
    }
  }

  /// Everything that must be true of any history.
  func check() async throws {
    var options = StoreOptions()
    options.create = false
    options.cachedRuns = 4
    let store = try await AuditStore<GovernanceLedger>.open(
      "\(folder)/store.sqlite", projections: GovernanceProjections.all, options: options)
    let executions = outside.state.withLock { $0.executions }
    for (proposal, execution) in executions {
      #expect(execution.count == 1, "SEED=\(seed): \(proposal) was executed \(execution.count) times")
    }
    let seed = seed
    let begun = try await store.read { context in
      var begun: Set<String> = []
      // From the log: a start that was written before its worker died is nobody's here.
      for run in try context.database.query("SELECT id FROM run ORDER BY first", [], { $0.text(0) }) {
        var history = History(seed: seed, executions: executions)
        for entry in try context.history(of: run) { try history.take(entry) }
        history.check()
        begun.formUnion(history.begun)
      }
      return begun
    }
    #expect(Set(executions.keys).isSubset(of: begun), "SEED=\(seed): an orphan effect")
    // What the tables became step by step is what verification and a rebuild derive as a whole, also where runs leave memory and come back.
    var few = VerificationOptions()
    few.cachedRuns = 2
    for options in [VerificationOptions(), few] {
      let report = try await store.verify(options)
      #expect(report.ok, "SEED=\(seed): \(report.problems)")
    }
    let grown = try await store.projectionDigests().map(\.digest)
    try await store.rebuildProjections()
    #expect(try await store.projectionDigests().map(\.digest) == grown, "SEED=\(seed)")
    await store.close()
  }

  /// The root of the log, which every byte of it decides.
  func root() async throws -> Digest {
    let store = try await AuditStore<GovernanceLedger>.open("\(folder)/store.sqlite")
    let root = try await store.read { $0.head.root }
    await store.close()
    return root
  }
}

/// The history of one run beside what the world saw.
private struct History {
  let seed: UInt64
  let executions: [String: Simulation.Outside.Execution]
  var record: RunRecord?
  var begun: Set<String> = []
  private var amounts: [String: Int64] = [:]
  /// The attempt of its step in which a proposal was made.
  private var attempts: [String: Int] = [:]

  init(seed: UInt64, executions: [String: Simulation.Outside.Execution]) {
    self.seed = seed
    self.executions = executions
  }

  mutating func take(_ entry: Entry) throws {
    let before = record
    try GovernanceLedger.apply(entry, to: &record)
    guard let id = entry.body["proposal"]?.stringValue, let proposal = record?.proposal(id) else { return }
    switch entry.type {
    case EntryType.proposal:
      attempts[id] = proposal.step.flatMap { record?.state.step($0) }?.attempt
      amounts[id] = try entry.content(ContentPart.arguments).flatMap { try JSON.parse($0)["amount"]?.intValue }
    case EntryType.effectStarted:
      begun.insert(id)
      let isModelCall = proposal.tool == "model.call"
      let open = before?.proposals.first { other in
        other.id != id && other.step == proposal.step && (other.tool == "model.call") == isModelCall && other.effect == .external
          && (other.status == .started || other.status == .inDoubt)
      }
      if proposal.effect == .external { #expect(open == nil, "SEED=\(seed): \(id) began while \(open?.id ?? "") was open") }
    case EntryType.effectSettled: #expect(begun.contains(id), "SEED=\(seed): an outcome without a beginning")
    default: break
    }
  }

  func check() {
    guard let record else { return }
    var payments: [String: Int] = [:]
    for proposal in record.proposals where executions[proposal.id] != nil {
      #expect(begun.contains(proposal.id), "SEED=\(seed): an effect without its record")
      guard proposal.tool == "bank.pay" else { continue }
      let step = proposal.step?.description ?? ""
      payments["\(step) of \(record.state.id)", default: 0] += executions[proposal.id]?.count ?? 0
      #expect(proposal.principal == "system:engine", "SEED=\(seed)")
      #expect((amounts[proposal.id] ?? 0) <= 100 || !proposal.votes.isEmpty, "SEED=\(seed): a large payment that nobody approved")
      #expect(!proposal.votes.contains { $0.principal == record.state.requester }, "SEED=\(seed): approved by who asked")
    }
    // People say the truth about what was in doubt, so a step pays once, whatever its attempts.
    for (step, count) in payments { #expect(count == 1, "SEED=\(seed): \(step) was paid \(count) times") }
    for proposal in record.proposals where proposal.tool == "bank.pay" && proposal.status == .done {
      #expect(executions[proposal.id] != nil, "SEED=\(seed): done in the log, not in the world")
    }
    let calls = record.proposals.filter { $0.tool == "bank.pay" && $0.principal == "system:engine" }
      .filter { $0.replaces == nil && $0.status != .forbidden }
    let perAttempt = Dictionary(grouping: calls) { "\($0.step?.description ?? "") attempt \(attempts[$0.id] ?? 0)" }
    for (attempt, calls) in perAttempt { #expect(calls.count == 1, "SEED=\(seed): \(attempt) was called \(calls.count) times") }
  }
}

extension Simulation {
  fileprivate static let earningRules = Office.rules.replacing(
    "rules: [",
    with: #"rules: [ { id: "alone", permit: "complete_step", by: "agent:*", autonomy: "earned", approval: { roles: ["finance"] } },"#)
  /// How often the agent may classify alone in twelve hours.
  private static let cap = 2

  /// Somebody asks for an allowance where there is none, and people look at some of what ran without them.
  private mutating func earn(_ office: Office) async throws {
    let shared = try await office.gate.store.read { try $0.shared() }
    if shared.openAllowance("alone") == nil, !shared.proposals.contains(where: { $0.status == .held }) {
      let terms: JSONObject = [
        "name": "alone", "agents": ["bot"], "process": "claims", "tool": "complete_step",
        "bounds": [["at": "/fields/risk", "one_of": ["low"]]], "caps": [["within": "PT12H", "count": .int(Self.cap)]],
        "maximum_error_ppm": 500_000, "reviewed_within": "P90D", "sampling_ppm": 500_000,
        "until": .string((now + .seconds(300_000)).iso8601),
      ]
      _ = try await office.gate.submit(
        Proposal(
          id: office.gate.mintID(), principal: "user:ana", identity: .scripted("user:ana"), tool: "allowance.grant", arguments: terms))
    }
    let waiting = try await office.gate.store.read { context in
      try context.database.query("SELECT proposal, run FROM usage WHERE sampled = 1 AND review IS NULL ORDER BY at, entry") {
        ($0.text(0), $0.text(1))
      }
    }
    for (proposal, run) in waiting where random.next() % 3 != 0 {
      let verdict: JSON = random.next() % 6 == 0 ? "wrong" : "right"
      try await office.submit("user:ben", "allowance.review", ["proposal": .string(proposal), "verdict": verdict], in: run)
    }
  }

  /// Sees to it that the agent never did more alone than it may.
  ///
  /// - Returns: How often it did something alone.
  fileprivate func checkAllowances() async throws -> Int {
    let store = try await AuditStore<GovernanceLedger>.open("\(folder)/store.sqlite", projections: GovernanceProjections.all)
    let seed = seed
    let uses = try await store.read { context in
      var (active, uses) = ([(id: String, time: Instant)](), 0)
      try context.forEachEntry(in: 0..<context.head.size) { entry in
        guard let id = entry.body["proposal"]?.stringValue else { return }
        if ["void", "withdraw", "expire"].contains(entry.body["decision"]?.stringValue) { active.removeAll { $0.id == id } }
        guard entry.body["allowances"] != nil else { return }
        uses += 1
        active.append((id, entry.time))
        let inside = active.count { $0.time + .seconds(43_200) > entry.time }
        #expect(inside <= Self.cap, "SEED=\(seed): \(inside) calls within the window")
      }
      return uses
    }
    await store.close()
    return uses
  }
}

@Suite("Simulation")
struct SimulationTests {
  /// Whole runs in all; `REMIT_SIMULATED_RUNS` asks for more or fewer.
  static let total = ProcessInfo.processInfo.environment["REMIT_SIMULATED_RUNS"].flatMap { Int($0) } ?? 100
  static let runsPerStore = 10

  @Test("T16 T17 T18 T22 crashes, overtaking workers, lost answers, wrong models and late people: nothing twice, orphaned or lost")
  func wholeRuns() async throws {
    let stores = max(1, Self.total / Self.runsPerStore)
    let seeds = ProcessInfo.processInfo.environment["SEED"].flatMap { UInt64($0) }.map { [$0] } ?? (1...UInt64(stores)).map { $0 }
    var crashes = 0
    for seed in seeds {
      crashes += try await withTemporaryDirectory { folder in
        var simulation = Simulation(seed: seed, folder: folder, runs: Self.runsPerStore)
        try await simulation.live()
        try await simulation.check()
        return simulation.crashes
      }
    }
    #expect(crashes > seeds.count / 2)
  }

  @Test("T28 agents that earn, use and lose allowances, over crashes and overtaking workers: never more than a cap")
  func allowances() async throws {
    var uses = 0
    for seed in 101...UInt64(100 + max(2, Self.total / 50)) {
      uses += try await withTemporaryDirectory { folder in
        var simulation = Simulation(seed: seed, folder: folder, runs: 4 * Self.runsPerStore, earns: true)
        try await simulation.live()
        try await simulation.check()
        return try await simulation.checkAllowances()
      }
    }
    #expect(uses > 0, "no allowance was used")
  }

  @Test func aSeedRepeatsASimulationByteForByte() async throws {
    var roots: [Digest] = []
    for _ in 0..<2 {
      try await withTemporaryDirectory { folder in
        var simulation = Simulation(seed: 7, folder: folder, runs: 5)
        try await simulation.live()
        roots.append(try await simulation.root())
      }
    }
    #expect(roots[0] == roots[1])
  }

  @Test("T18 a worker that another one overtakes and is overtaken by, wherever they are about to write: nothing is done a second time")
  func overtaken() async throws {
    try await withTemporaryDirectory { folder in
      // The first worker is stopped at one of its writes, the second one at one of its own.
      let stops = Locked((first: 1, second: 1))
      let turns = Turns(workers: 2) { worker, pass in
        let stops = stops.withLock { $0 }
        return pass == (worker == 0 ? stops.first : stops.second) ? 1 - worker : worker
      }
      let calls = Locked<[String]>([])
      var offices: [Office] = []
      for worker in 0..<2 {
        var options = StoreOptions()
        options.faults = turns.faults(of: worker)
        let connector = Acting { tool, _ in
          calls.withLock { $0.append(tool) }
          return .finished(["known": true])
        }
        offices.append(
          try await Office(folder, connector: connector, options: options, concurrency: 1) { request in
            calls.withLock { $0.append("model") }
            return request.messages.count == 1
              ? .call("crm.lookup", ["who": "Acme"]) : .call("complete_step", ["fields": ["risk": "low"]])
          })
      }
      var wasStopped = (first: true, second: true)
      while wasStopped.first {
        let run = try await offices[0].start()
        calls.withLock { $0 = [] }
        let results = await turns.run(
          offices.enumerated().map { worker, office in (worker, { await Result(of: { _ = try await office.loop.work() }) }) })
        for result in results { try result.get() }
        let place = stops.withLock { $0 }
        #expect(calls.withLock { $0 } == ["model", "crm.lookup", "model", "bank.pay"], "stopped at writes \(place)")
        #expect(try await offices[0].record(run).state.status == .completed, "stopped at writes \(place)")
        wasStopped = (turns.passes(of: 0) >= place.first, turns.passes(of: 1) >= place.second)
        stops.withLock { stops in stops = wasStopped.second ? (stops.first, stops.second + 1) : (stops.first + 1, 1) }
      }
      #expect(stops.withLock { $0.first } > 10)
      for office in offices { await office.gate.store.close() }
    }
  }
}

extension Result where Failure == any Error {
  /// What a closure returns or throws.
  fileprivate init(of body: () async throws -> Success) async {
    do { self = .success(try await body()) } catch { self = .failure(error) }
  }
}
