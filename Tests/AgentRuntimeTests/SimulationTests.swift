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

/// Whole runs in one process with a seeded clock, model, connector, disk and people: one seed repeats a failure exactly.
///
/// A crash is a store that fails from a random point on; the next life opens the same file. After the last life people decide what is left
/// and say what became of effects in doubt, and everything must add up.
private struct Simulation {
  let seed: UInt64
  let folder: String
  let runs: Int
  let outside = Outside()
  var random: SeededGenerator
  var now = Instant(milliseconds: 1_800_000_000_000)
  var started: [String] = []
  var crashes = 0

  init(seed: UInt64, folder: String, runs: Int) {
    self.seed = seed
    self.folder = folder
    self.runs = runs
    random = SeededGenerator(seed: seed)
  }

  /// The world that effects reach: it remembers what was done, whatever the service forgets.
  final class Outside: Connector {
    struct State: Sendable {
      var executions: [String: Int] = [:]
      var calls = 0
      var seed: UInt64 = 0
    }
    let state = Locked(State())

    func call(_ grant: borrowing Grant) async -> EffectOutcome {
      let key = grant.idempotencyKey
      let isPayment = grant.tool == "bank.pay"
      let dice = state.withLock { state -> UInt64 in
        state.calls += 1
        var random = SeededGenerator(seed: state.seed &+ UInt64(state.calls))
        let dice = random.next() % 20
        // A payment happens unless it is refused; one whose answer is lost has happened or not.
        if isPayment, dice > 1 || (dice == 1 && random.next() % 2 == 0) { state.executions[key, default: 0] += 1 }
        return dice
      }
      switch dice {
      case 0: return .failed("refused", "the outside says no")
      case 1: return .inDoubt("lost", "the answer was lost")
      default: return .finished(isPayment ? ["ok": true] : ["known": true, "note": "hello"])
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
      case 10, 11: return .call("crm.lookup", ["who": "Acme"])
      default: return .call("complete_step", ["fields": ["risk": "low"]])
      }
    }
  }

  mutating func open(faults: FaultPlan) async throws -> Office {
    var options = StoreOptions()
    let moment = now
    options.time = TimeSource { moment }
    options.random = .seeded(random.next())
    options.faults = faults
    outside.state.withLock { $0.seed = seed }
    return try await Office(folder, connector: outside, options: options, concurrency: 1, Self.model(seed))
  }

  mutating func live() async throws {
    for life in 0..<6 {
      let isLast = life == 5
      let faults = isLast || random.next() % 3 == 0 ? FaultPlan.none : .fail(at: Int(random.next() % 400) + 1, persistent: true)
      now = now + .seconds(Int64(random.next() % 90_000))
      do {
        let office = try await open(faults: faults)
        do {
          while started.count < runs, isLast || random.next() % 40 != 0 {
            let run = try await office.start(amount: Int64(random.next() % 200))
            started.append(run)
          }
          for _ in 0..<(isLast ? 12 : 3) {
            _ = try await office.loop.work()
            try await decide(office, all: isLast)
          }
        } catch is StorageError {
          crashes += 1
        } catch is AuditError {
          crashes += 1
        }
        await office.gate.store.close()
      } catch is StorageError {
        crashes += 1
      } catch is AuditError {
        crashes += 1
      }
    }
  }

  /// People look at everything that waits and decide most of it.
  mutating func decide(_ office: Office, all: Bool) async throws {
    let gate = office.gate
    let waiting = try await gate.store.read { context in
      try context.database.query("SELECT id, run, status FROM proposal WHERE status IN ('held', 'in-doubt') ORDER BY entry") {
        ($0.text(0), $0.text(1), $0.text(2))
      }
    }
    let ben = Identity.scripted("user:ben")
    for (id, run, status) in waiting {
      if !all, random.next() % 3 == 0 { continue }
      if status == "in-doubt" {
        let happened = outside.state.withLock { $0.executions[id] != nil }
        _ = try await gate.settle(
          id, in: run, grant: nil, outcome: happened ? .finished(["ok": true]) : .failed("not-done", "looked it up"), by: ben)
        continue
      }
      guard let digest = try await office.record(run).proposal(id)?.digest else { continue }
      do {
        switch random.next() % 4 {
        case 0: _ = try await gate.decide(id, .reject(reason: "no"), by: ben, digest: digest)
        case 1: _ = try await gate.decide(id, .approve, by: .scripted("user:ana"), digest: digest)  // who asked: refused
        default: _ = try await gate.decide(id, .approve, by: ben, digest: digest)
        }
      } catch is Refusal {}
    }
    try await answer(office)
  }

  /// Questions are answered, exceptions resolved, and steps that agents gave up done by hand.
  private mutating func answer(_ office: Office) async throws {
    let gate = office.gate
    for run in started {
      guard let record = try await gate.store.read({ try $0.run(run) }), record.state.status == .running else { continue }
      func submit(_ person: String, _ tool: String, _ arguments: JSONObject, step: String? = nil) async throws {
        _ = try await gate.submit(
          Proposal(
            id: gate.mintID(), principal: person, identity: .scripted(person), tool: tool, arguments: arguments, run: run, step: step))
      }
      for question in record.state.openQuestions {
        try await submit("user:ben", "answer", ["question": .string(question.id), "text": "yes"])
      }
      for exception in record.state.openExceptions where exception.handler == nil {
        let resolution: JSON = random.next() % 2 == 0 ? "proceed" : "retry"
        try await submit("user:ben", "resolve_exception", ["exception": .string(exception.id), "resolution": resolution])
      }
      for step in record.state.openSteps where step.performer == .role("clerk") {
        try await submit("user:ana", "complete_step", ["fields": ["risk": "low"]], step: step.occurrence.description)
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
    for (proposal, count) in executions { #expect(count == 1, "SEED=\(seed): \(proposal) was executed \(count) times") }
    let (started, seed) = (started, seed)
    let begun = try await store.read { context in
      var begun: Set<String> = []
      for run in started {
        for entry in try context.history(of: run) {
          guard let id = entry.body["proposal"]?.stringValue else { continue }
          if entry.type == EntryType.effectStarted { begun.insert(id) }
          if entry.type == EntryType.effectSettled {
            #expect(begun.contains(id), "SEED=\(seed): an outcome without a beginning")
          }
        }
        if let record = try context.run(run) {
          for proposal in record.proposals where executions[proposal.id] != nil {
            #expect(begun.contains(proposal.id), "SEED=\(seed): an effect without its record")
            #expect(proposal.tool == "bank.pay" && proposal.principal == "system:engine", "SEED=\(seed)")
            let amount = try context.entry(at: proposal.entry)?.content(ContentPart.arguments).map {
              try JSON.parse($0)["amount"]?.intValue ?? 0
            }
            #expect((amount ?? nil ?? 0) <= 100 || !proposal.votes.isEmpty, "SEED=\(seed): a large payment that nobody approved")
            #expect(!proposal.votes.contains { $0.principal == record.state.requester }, "SEED=\(seed): approved by who asked")
          }
          for proposal in record.proposals where proposal.tool == "bank.pay" && proposal.status == .done {
            #expect(executions[proposal.id] != nil, "SEED=\(seed): done in the log, not in the world")
          }
        }
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
}

@Suite("Simulation")
struct SimulationTests {
  /// Whole runs in all; `REMIT_SIMULATED_RUNS` asks for more or fewer.
  static let total = ProcessInfo.processInfo.environment["REMIT_SIMULATED_RUNS"].flatMap { Int($0) } ?? 1_000
  static let runsPerStore = 50

  @Test("T16 T17 T22 crashes, lost answers, wrong models and late people: nothing twice, nothing orphaned, nothing lost")
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
}
