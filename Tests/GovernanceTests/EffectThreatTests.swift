internal import Audit
import Core
import Glibc
import PolicyEngine
import ProcessModel
import TestSupport
import Testing

@testable import Governance

/// A payment that may be tried again.
private let idempotent = Workbench.process.replacing(#"effect: "external", sink"#, with: #"effect: "external", idempotent: true, sink"#)

@Suite("Attacks on effects")
struct EffectThreatTests {
  /// A run with a payment whose outcome nobody knows.
  private func doubt(_ bench: Workbench, amount: Double = 50) async throws -> (run: String, proposal: String) {
    let run = try await bench.assessed(amount: amount)
    let payment = try await bench.proposePayment(run)
    if payment.verdict == .hold {
      _ = try await bench.gate.decide(payment.proposal, .approve, by: Workbench.person("ben"), digest: payment.digest)
    }
    bench.connector.answerNext(.inDoubt("lost", "the answer was lost"))
    #expect(try await bench.runner.run(payment.proposal, in: run).kind == .inDoubt)
    return (run, payment.proposal)
  }

  // MARK: Saying what happened

  struct Settler: Sendable, CustomTestStringConvertible {
    var person: String
    var isHeld = false
    var code: String?
    var testDescription: String { "\(person) \(isHeld ? "approved" : "permitted") \(code ?? "")" }
  }

  static let settlers = [
    Settler(person: "olaf"), Settler(person: "olaf", isHeld: true), Settler(person: "ben", isHeld: true), Settler(person: "root"),
    Settler(person: "ben", code: "not-eligible"), Settler(person: "dora", isHeld: true, code: "not-eligible"),
    Settler(person: "ana", code: "not-eligible"), Settler(person: "ghost", code: "not-eligible"),
  ]

  @Test("only who owns the process, or could approve it, says what became of an effect, and the record says who did", arguments: settlers)
  func settling(_ settler: Settler) async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let (run, proposal) = try await doubt(bench, amount: settler.isHeld ? 500 : 50)
      let identity = settler.person == "root" ? Workbench.operatorIdentity : Workbench.person(settler.person)
      func settle() async throws -> EffectOutcome {
        try await bench.gate.settle(proposal, in: run, grant: nil, outcome: .finished(["receipt": "R-9"]), by: identity)
      }
      if let code = settler.code {
        let refusal = await #expect(throws: Refusal.self) { try await settle() }
        #expect(refusal?.code == code)
        #expect(try await bench.status(proposal, in: run) == .inDoubt)
        #expect(try await bench.gate.store.read { try $0.history(of: run).last?.type } == EntryType.approvalRefused)
      } else {
        #expect(try await settle().kind == .finished)
        let record = try await bench.state(run)
        #expect(record.proposal(proposal)?.status == .done)
        #expect(record.state.fact("receipt")?.origin.label == identity.principal)
        #expect(record.state.openSteps.map(\.occurrence.id) == ["file"])
      }
      try await bench.expectVerified()
    }
  }

  @Test func nobodySettlesWhatIsUnderWayOrOver() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.assessed()
      let payment = try await bench.proposePayment(run).proposal
      let olaf = Workbench.person("olaf")
      _ = try await bench.gate.begin(payment, in: run).id
      func settle() async throws -> EffectOutcome {
        try await bench.gate.settle(payment, in: run, grant: nil, outcome: .finished([:]), by: olaf)
      }
      var refusal = await #expect(throws: Refusal.self) { try await settle() }
      #expect(refusal?.code == "not-in-doubt")
      // The worker is gone; its effect can be settled once it counts as lost, and once.
      bench.clock.advance(.seconds(3600))
      #expect(try await bench.gate.recoverLostEffects() == [payment])
      _ = try await settle()
      refusal = await #expect(throws: Refusal.self) { try await settle() }
      #expect(refusal?.code == "not-in-doubt")
      try await bench.expectVerified()
    }
  }

  @Test func aResultThatTheRunCannotTakeIsNotTakenFromAPersonEither() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let (run, proposal) = try await doubt(bench)
      let refusal = await #expect(throws: Refusal.self) {
        try await bench.gate.settle(
          proposal, in: run, grant: nil, outcome: .finished(["receipt": 9]), by: Workbench.person("olaf"))
      }
      #expect(refusal?.code == "fact-invalid")
      #expect(try await bench.status(proposal, in: run) == .inDoubt)
      try await bench.expectVerified()
    }
  }

  // MARK: Attempts

  @Test("an outcome counts for the attempt that it is of")
  func staleWorkers() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare(process: idempotent)
      let run = try await bench.assessed()
      let payment = try await bench.proposePayment(run).proposal
      let first = try await bench.gate.begin(payment, in: run).id
      bench.clock.advance(.seconds(3600))
      #expect(try await bench.gate.recoverLostEffects() == [payment])
      let second = try await bench.gate.begin(payment, in: run).id
      for grant in [first, "g-other", nil] {
        let refusal = await #expect(throws: Refusal.self) {
          try await bench.gate.settle(payment, in: run, grant: grant, outcome: .failed("no", "it did not happen"))
        }
        #expect(refusal?.code == "not-granted")
      }
      #expect(try await bench.status(payment, in: run) == .started)
      // Nor does the log take such an entry.
      let record = try #require(try await bench.state(run).proposal(payment))
      let forged = EntryDrafting.settled(
        record, run: run, grant: first, outcome: .finished([:]), by: "system:engine", identity: nil, isScripted: false, events: [],
        evidence: [])
      await #expect(throws: GovernanceLedger.Misfit.self) { try await bench.gate.store.append([forged]) }
      _ = try await bench.gate.settle(payment, in: run, grant: second, outcome: .finished([:]))
      #expect(try await bench.status(payment, in: run) == .done)
      try await bench.expectVerified()
    }
  }

  @Test("an effect in doubt whose call the rules would decide otherwise now waits for a person")
  func doubtIsNotDecidedAnew() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      let rules = Workbench.rules.replacing(
        #"when: "args.amount <= 100.0" }"#, with: #"when: "args.amount <= 100.0 && now < timestamp('2027-01-16T00:00:00Z')" }"#)
      #expect(rules != Workbench.rules)
      try await bench.prepare(rules: rules, process: idempotent)
      let (run, proposal) = try await doubt(bench)
      bench.clock.advance(.seconds(86_400))
      let refusal = await #expect(throws: Refusal.self) { try await bench.runner.run(proposal, in: run) }
      #expect(refusal?.code == "not-granted", "\(refusal?.message ?? "")")
      #expect(try await bench.status(proposal, in: run) == .inDoubt)
      #expect(bench.connector.receipts.count == 1)
      _ = try await bench.gate.settle(proposal, in: run, grant: nil, outcome: .finished([:]), by: Workbench.person("olaf"))
      try await bench.expectVerified()
    }
  }

  @Test("T07 what was approved begins within the time of its approval, or is asked anew")
  func approvalsExpire() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.assessed(amount: 500)
      let held = try await bench.proposePayment(run)
      _ = try await bench.gate.decide(held.proposal, .approve, by: Workbench.person("ben"), digest: held.digest)
      bench.clock.advance(.seconds(86_401))
      let refusal = await #expect(throws: Refusal.self) { try await bench.runner.run(held.proposal, in: run) }
      #expect(refusal?.code == "changed")
      let record = try await bench.state(run)
      #expect(record.proposal(held.proposal)?.status == .voided)
      #expect(record.replacement(of: held.proposal)?.status == .held)
      #expect(bench.connector.receipts.isEmpty)
      try await bench.expectVerified()
    }
  }

  // MARK: Beside an effect that is not over

  @Test("a step that is tried again calls nothing while an earlier call is under way or in doubt", arguments: [true, false])
  func retries(isStarted: Bool) async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.assessed()
      let payment = try await bench.proposePayment(run).proposal
      let grant = try await bench.gate.begin(payment, in: run).id
      if !isStarted { _ = try await bench.gate.settle(payment, in: run, grant: grant, outcome: .inDoubt("lost", "lost")) }
      // What a handler with `after: "retry"` does, or a person.
      _ = try await bench.gate.submit(
        Proposal(
          id: bench.gate.mintID(), principal: "system:engine", tool: "raise_exception", arguments: ["code": "late", "text": "late"],
          run: run, step: "pay"))
      let retried = try await bench.gate.submit(
        bench.person("olaf", "resolve_exception", ["exception": "x1", "resolution": "retry"], run: run))
      #expect(retried.verdict == .permit)
      let again = try await bench.proposePayment(run)
      #expect(again.verdict == .forbid)
      #expect(again.refusal?.code == "step-busy" && again.refusal?.isPassing == true)
      if isStarted {
        _ = try await bench.gate.settle(payment, in: run, grant: grant, outcome: .finished(["receipt": "R-1"]))
      } else {
        let olaf = Workbench.person("olaf")
        _ = try await bench.gate.settle(payment, in: run, grant: nil, outcome: .finished(["receipt": "R-1"]), by: olaf)
      }
      #expect(try await bench.state(run).state.openSteps.map(\.occurrence.id) == ["file"])
      try await bench.expectVerified()
    }
  }

  @Test("an agent's second effect waits for the first, and is not lost over it")
  func secondEffects() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.start(amount: 500)
      var held: [GateOutcome] = []
      for amount in [500, 501, 502] {
        held.append(try await bench.gate.submit(bench.agent("bank.pay", ["to": "Acme", "amount": .int(amount)], run: run)))
      }
      for outcome in held.prefix(2) {
        _ = try await bench.gate.decide(outcome.proposal, .approve, by: Workbench.person("ben"), digest: outcome.digest)
      }
      bench.connector.answerNext(.inDoubt("lost", "lost"))
      _ = try await bench.runner.run(held[0].proposal, in: run)
      let refusal = await #expect(throws: Refusal.self) { try await bench.runner.run(held[1].proposal, in: run) }
      #expect(refusal?.code == "step-busy")
      #expect(await bench.refusal(held[2], by: Workbench.person("ben"))?.code == "step-busy")
      let new = try await bench.gate.submit(bench.agent("bank.pay", ["to": "Acme", "amount": 1], run: run))
      #expect(new.refusal?.code == "step-busy")
      let reading = try await bench.gate.submit(bench.agent("bank.balance", [:], run: run))
      #expect(reading.isGranted)
      #expect(try await bench.state(run).proposals.suffix(5).map(\.status) == [.inDoubt, .granted, .held, .forbidden, .granted])
      _ = try await bench.gate.settle(
        held[0].proposal, in: run, grant: nil, outcome: .failed("not-done", "not in the bank"), by: Workbench.person("olaf"))
      #expect(try await bench.runner.run(held[1].proposal, in: run).kind == .finished)
      #expect(bench.connector.receipts.count == 2)
      try await bench.expectVerified()
    }
  }

  @Test("one question to the model at a time on a step, whoever asks")
  func modelCalls() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.start()
      func ask(_ turn: Int) async throws -> GateOutcome {
        try await bench.gate.submit(
          Proposal(
            id: bench.gate.mintID(), principal: "system:agents", tool: "model.call",
            arguments: [
              "agent": "bot", "model": "m", "endpoint": "e", "request": .string(SHA256.hash("\(turn)").hex), "size": 1, "turn": .int(turn),
            ], run: run, step: "assess"))
      }
      // Two workers look at the same moment.
      let (first, second) = (try await ask(1), try await ask(1))
      #expect(first.isGranted && second.isGranted)
      let grant = try await bench.gate.begin(first.proposal, in: run).id
      let refusal = await #expect(throws: Refusal.self) { _ = try await bench.gate.begin(second.proposal, in: run).id }
      #expect(refusal?.code == "step-busy")
      #expect(try await ask(2).refusal?.code == "step-busy")
      _ = try await bench.gate.settle(first.proposal, in: run, grant: grant, outcome: .finished([:]))
      #expect(try await bench.gate.begin(second.proposal, in: run).attempt == 1)
      try await bench.expectVerified()
    }
  }

  // MARK: Results

  @Test("what happened outside and gave back something else than it declares is in doubt, and is not done again")
  func unusableResults() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.assessed()
      let payment = try await bench.proposePayment(run).proposal
      bench.connector.answerNext(.finished(["receipt": 5]))
      let outcome = try await bench.runner.run(payment, in: run)
      #expect(outcome.kind == .inDoubt && outcome.code == "result-invalid", "\(outcome)")
      let record = try await bench.state(run)
      #expect(record.proposal(payment)?.status == .inDoubt)
      #expect(record.state.openExceptions.isEmpty)
      #expect(try await bench.proposePayment(run).refusal?.code == "step-busy")
      _ = try await bench.gate.settle(
        payment, in: run, grant: nil, outcome: .finished(["receipt": "R-5"]), by: Workbench.person("olaf"))
      #expect(try await bench.state(run).state.fact("receipt")?.value == "R-5")
      #expect(bench.connector.receipts.count == 1)
      try await bench.expectVerified()
    }
  }

  @Test("what happened while its step was taken away from it is in doubt until the step can take it")
  func lateResults() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.assessed()
      let payment = try await bench.proposePayment(run).proposal
      let grant = try await bench.gate.begin(payment, in: run).id
      _ = try await bench.gate.submit(
        Proposal(
          id: bench.gate.mintID(), principal: "system:engine", tool: "raise_exception", arguments: ["code": "late", "text": "late"],
          run: run, step: "pay"))
      let outcome = try await bench.gate.settle(payment, in: run, grant: grant, outcome: .finished(["receipt": "R-1"]))
      #expect(outcome.kind == .inDoubt)
      _ = try await bench.gate.submit(
        bench.person("olaf", "resolve_exception", ["exception": "x1", "resolution": "retry"], run: run))
      #expect(try await bench.proposePayment(run).refusal?.code == "step-busy")
      let olaf = Workbench.person("olaf")
      _ = try await bench.gate.settle(payment, in: run, grant: nil, outcome: .finished(["receipt": "R-1"]), by: olaf)
      #expect(try await bench.state(run).state.openSteps.map(\.occurrence.id) == ["file"])
      try await bench.expectVerified()
    }
  }

  // MARK: Stops

  /// A tool that goes on until it is cancelled.
  private struct Endless: Connector {
    func call(_ grant: borrowing Grant) async -> EffectOutcome {
      do { try await Task.sleep(for: .seconds(60)) } catch { return .inDoubt("cancelled", "it was stopped") }
      return .finished([:])
    }
  }

  @Test(
    "T21 a stop of an agent or a process ends its calls, and nobody else's",
    arguments: ["agent:bot", "agent:other", "process:payments", "process:other", "all"])
  func stoppedAgents(_ scope: String) async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.start()
      let payment = try await bench.gate.submit(bench.agent("bank.pay", ["to": "Acme", "amount": 5], run: run)).proposal
      let runner = ToolRunner(gate: bench.gate, connectors: [.command: Endless()])
      let call = Task { try await runner.run(payment, in: run) }
      while try await bench.status(payment, in: run) != .started { try await Task.sleep(for: .milliseconds(10)) }
      _ = try await bench.gate.setStop(scope, true, by: Workbench.person("dora"))
      if !scope.hasSuffix("other") {
        #expect(try await call.value.kind == .inDoubt)
      } else {
        try await Task.sleep(for: .milliseconds(600))
        #expect(try await bench.status(payment, in: run) == .started)
        call.cancel()
        _ = try await call.value
      }
      try await bench.expectVerified()
    }
  }

  @Test("T21 work ends when nobody can tell any more whether it was stopped")
  func blindWatchers() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let gate = bench.gate
      let work = Task { try await gate.unlessStopped(run: "r-1") { try await Task.sleep(for: .seconds(60)) } }
      try await Task.sleep(for: .milliseconds(300))
      // The store cannot be read from now on.
      #expect(unlink(gate.store.path) == 0)
      await gate.store.close()
      await #expect(throws: CancellationError.self) { try await work.value }
    }
  }
}
