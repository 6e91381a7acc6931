internal import Audit
import Core
import PolicyEngine
import ProcessModel
internal import Storage
import TestSupport
import Testing

@testable import Governance

@Suite("Proposals and the attempts of their steps")
struct AttemptTests {
  /// What happens to a step of the agent while its proposal waits.
  enum Turn: String, Sendable, CaseIterable {
    case handedOver, stopped, retried, retriedByHandler, passed, completed, cancelled

    /// What the process does about the agent's exceptions: a person, or a handler.
    var handlers: String {
      switch self {
      case .stopped, .retried, .passed: #"on: [{ exception: "late", of: "assess", then: [{ step: "look", title: "Look", role: "clerk" }], "#
      case .retriedByHandler: #"on: [{ exception: "late", of: "assess", then: [], "#
      case .handedOver, .completed, .cancelled: ""
      }
    }

    var after: String { self == .passed ? #""proceed""# : #""retry", max: 3"# }

    var status: ProposalRecord.Status {
      switch self {
      case .handedOver, .stopped, .retried, .retriedByHandler, .passed: .voided
      case .completed, .cancelled: .withdrawn
      }
    }

    var reason: String {
      switch self {
      case .handedOver: "the step `assess` was given to `user:olaf`"
      case .stopped, .retried, .passed: "an exception stopped the step `assess`"
      case .retriedByHandler: "the step `assess` is tried again: this was proposed in attempt 1"
      case .completed, .cancelled: "its step or run is over"
      }
    }
  }

  private func late(_ bench: Workbench, _ run: String, step: String = "assess", by: String = "agent:bot") async throws {
    let raised = try await bench.gate.submit(
      Proposal(
        id: bench.gate.mintID(), principal: by, tool: "raise_exception", arguments: ["code": "late", "text": "late"], run: run, step: step))
    #expect(raised.verdict == .permit, "\(raised.refusal?.message ?? "")")
  }

  private func happen(_ turn: Turn, _ bench: Workbench, _ run: String) async throws {
    switch turn {
    case .handedOver:
      _ = try await bench.gate.submit(
        Proposal(
          id: bench.gate.mintID(), principal: "system:agents", tool: "hand_over", arguments: ["code": "lost", "text": "lost"], run: run,
          step: "assess"))
    case .stopped, .retriedByHandler: try await late(bench, run)
    case .retried, .passed:
      try await late(bench, run)
      let looked = try await bench.gate.submit(bench.person("ana", "complete_step", [:], run: run, step: "look"))
      #expect(looked.verdict == .permit, "\(looked.refusal?.message ?? "")")
    case .completed: _ = try await bench.gate.submit(bench.agent("complete_step", ["fields": ["risk": "low"]], run: run))
    case .cancelled: _ = try await bench.gate.submit(bench.person("ana", "run.cancel", ["text": "not needed"], run: run))
    }
  }

  @Test("what nobody can approve any more leaves the inbox, by an entry that says why", arguments: Turn.allCases)
  func proposalsOfEarlierAttempts(_ turn: Turn) async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      let handlers = turn.handlers.isEmpty ? "" : turn.handlers + "after: \(turn.after) }],"
      try await bench.prepare(process: Workbench.process.replacing("steps: [", with: "\(handlers) steps: ["))
      let run = try await bench.start(amount: 500)
      let held = try await bench.gate.submit(bench.agent("bank.pay", ["to": "Acme", "amount": 500], run: run))
      let granted = try await bench.gate.submit(bench.agent("bank.pay", ["to": "Acme", "amount": 5], run: run))
      #expect(held.verdict == .hold && granted.isGranted)
      try await happen(turn, bench, run)
      for proposal in [held, granted] {
        #expect(try await bench.status(proposal.proposal, in: run) == turn.status)
        let entry = try await bench.gate.store.read { try $0.history(of: run) }.last {
          $0.type == EntryType.approval && $0.body["proposal"]?.stringValue == proposal.proposal
        }
        #expect(entry?.content(ContentPart.reason).map { String(decoding: $0, as: UTF8.self) } == turn.reason)
      }
      #expect(
        try await bench.gate.store.read {
          try $0.database.query("SELECT id FROM proposal WHERE \(GovernanceProjections.isOpen) AND status IN ('held', 'granted')") {
            $0.text(0)
          }
        } == [])
      #expect(await bench.refusal(held, by: Workbench.person("ben"))?.code == "not-held")
      let refusal = await #expect(throws: Refusal.self) { try await bench.runner.run(granted.proposal, in: run) }
      #expect(refusal?.code == "not-granted")
      #expect(bench.connector.receipts.isEmpty)
      try await bench.expectVerified()
    }
  }

  @Test("what a person proposed on a step stays when the step moves from the agent to a person")
  func peoplesProposals() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      let late = #"on: [{ timeout: "PT1H", of: "assess", escalate: "role:clerk" }], steps: ["#
      let held = #"{ id: "seen", hold: "set_fields", approval: { roles: ["compliance"] } },"#
      try await bench.prepare(
        rules: Workbench.rules.replacing("rules: [", with: "rules: [\(held)"), process: Workbench.process.replacing("steps: [", with: late))
      let run = try await bench.start()
      bench.clock.advance(.seconds(3700))
      #expect(try await bench.gate.passTime().fired == 1)
      let proposal = try await bench.gate.submit(
        bench.person("cleo", "set_fields", ["fields": ["risk": "high"]], run: run, step: "assess"))
      #expect(proposal.verdict == .hold, "\(proposal.refusal?.message ?? "")")
      try await happen(.handedOver, bench, run)
      _ = try await bench.gate.decide(proposal.proposal, .approve, by: Workbench.person("dora"), digest: proposal.digest)
      #expect(try await bench.state(run).state.value(of: "risk") == "high")
      try await bench.expectVerified()
    }
  }

  @Test("the engine calls nothing for a step while its exception is open", arguments: [false, true])
  func blockedSteps(isInDoubt: Bool) async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      let look = #"{ step: "look", title: "Look", role: "clerk" }"#
      let handler = #"on: [{ exception: "late", of: "pay", then: [\#(look)], after: "retry", max: 3 }], steps: ["#
      try await bench.prepare(
        process: Workbench.process.replacing("steps: [", with: handler)
          .replacing(#"effect: "external", sink"#, with: #"effect: "external", idempotent: true, sink"#))
      let run = try await bench.assessed()
      if isInDoubt {
        let payment = try await bench.proposePayment(run).proposal
        bench.connector.answerNext(.inDoubt("lost", "lost"))
        _ = try await bench.runner.run(payment, in: run)
        try await late(bench, run, step: "pay", by: "system:engine")
        let refusal = await #expect(throws: Refusal.self) { _ = try await bench.gate.begin(payment, in: run).id }
        #expect(refusal?.code == "step-blocked" && refusal?.isPassing == true, "\(refusal?.message ?? "")")
        #expect(try await bench.status(payment, in: run) == .inDoubt)
      } else {
        try await late(bench, run, step: "pay", by: "system:engine")
        let proposal = try await bench.proposePayment(run)
        #expect(proposal.refusal?.code == "step-blocked" && proposal.refusal?.isPassing == true)
        _ = try await bench.gate.submit(bench.person("ana", "complete_step", [:], run: run, step: "look"))
        #expect(try await bench.proposePayment(run).isGranted)
      }
      #expect(bench.connector.receipts.count == (isInDoubt ? 1 : 0))
      try await bench.expectVerified()
    }
  }
}
