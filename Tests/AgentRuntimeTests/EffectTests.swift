import Audit
import Core
import Governance
import LLM
internal import PolicyEngine
import ProcessModel
import TestSupport
import Testing

@testable import AgentRuntime

/// An agent that writes one letter and then completes its step.
private let writing: @Sendable (ModelRequest) -> ScriptedModel.Turn? = { request in
  request.messages.count == 1 ? .call("mail.send", ["text": "hello"]) : .call("complete_step", ["fields": ["risk": "low"]])
}

@Suite("Effects that agents and tool steps wait for")
struct EffectTests {
  @Test func anAgentIsNotAskedWhileNobodyKnowsWhetherItsEffectHappened() async throws {
    try await withTemporaryDirectory { folder in
      let office = try await Office(folder, connector: Acting { _, _ in .inDoubt("lost", "the answer was lost") }, writing)
      let run = try await office.start()
      for _ in 0..<2 {
        guard case .parked(let why) = try await office.classify() else { Issue.record("not parked"); return }
        #expect(why.contains("in doubt"))
      }
      #expect(office.requests.withLock { $0.count } == 1)
      let mail = try #require(try await office.record(run).proposals.last { $0.tool == "mail.send" })
      _ = try await office.gate.settle(
        mail.id, in: run, grant: nil, outcome: .failed("not-done", "looked it up"), by: .scripted("user:ben"))
      #expect(try await office.classify() == .completed)
      #expect(office.requests.withLock { $0.last }?.json.text().contains("failed (not-done)") == true)
    }
  }

  @Test func aReadingToolInDoubtIsCalledAgain() async throws {
    try await withTemporaryDirectory { folder in
      let calls = Locked(0)
      let connector = Acting { _, _ in
        let isFirst = calls.withLock { calls in
          calls += 1
          return calls == 1
        }
        return isFirst ? .inDoubt("lost", "the answer was lost") : .finished(["known": true])
      }
      let office = try await Office(folder, connector: connector) { request in
        request.messages.count == 1 ? .call("crm.lookup", ["who": "Acme"]) : .call("complete_step", ["fields": ["risk": "low"]])
      }
      _ = try await office.start()
      guard case .parked = try await office.classify() else { Issue.record("not parked"); return }
      #expect(try await office.classify() == .completed)
      #expect(calls.withLock { $0 } == 3)  // twice to look up, once to pay
    }
  }

  @Test func aCallThatIsDecidedAnewBeforeItBeginsWaitsForPeopleAgain() async throws {
    try await withTemporaryDirectory { folder in
      let sent = Locked(0)
      let connector = Acting { tool, _ in
        if tool == "mail.send" { sent.withLock { $0 += 1 } }
        return .finished([:])
      }
      let office = try await Office(folder, connector: connector, writing)
      let run = try await office.start(amount: 2000)
      guard case .held(let first) = try await office.classify() else { Issue.record("not held"); return }
      try await office.approve(first[0], in: run)
      // What the approval was given for is not so any more.
      #expect(try await office.submit("user:ana", "set_fields", ["fields": ["amount": 3000]], in: run).verdict == .permit)
      guard case .held(let second) = try await office.classify() else { Issue.record("not held again"); return }
      #expect(second != first)
      #expect(sent.withLock { $0 } == 0)
      try await office.approve(second[0], in: run)
      #expect(try await office.classify() == .completed)
      #expect(sent.withLock { $0 } == 1)
      #expect(office.requests.withLock { $0.count } == 2)
    }
  }

  @Test func aHeldCallOfTheModelIsMadeOnceItIsApprovedAndExactlyAsItWasShown() async throws {
    let rules = Office.rules.replacing(
      "rules: [", with: #"rules: [ { id: "ask-first", hold: "model.call", approval: { roles: ["finance"] } },"#)
    try await withTemporaryDirectory { folder in
      let office = try await Office(folder, rules: rules) { _ in .call("complete_step", ["fields": ["risk": "low"]]) }
      let run = try await office.start()
      guard case .held(let held) = try await office.classify() else { Issue.record("not held"); return }
      // Nobody decides: no second one is made.
      #expect(try await office.classify() == .held(held))
      try await office.approve(held[0], in: run)
      // What a prompt made now would hold is something else.
      try await office.submit("user:ana", "set_fields", ["fields": ["who": "Other"]], in: run)
      #expect(try await office.classify() == .completed)
      let requests = office.requests.withLock { $0 }
      #expect(requests.count == 1)
      #expect(requests.first?.json.text().contains("Acme") == true)
      let record = try await office.record(run)
      #expect(record.proposals.filter { $0.tool == "model.call" }.map(\.id) == held)
    }
  }

  @Test func aRejectedCallOfTheModelGivesTheStepToAPerson() async throws {
    let rules = Office.rules.replacing(
      "rules: [", with: #"rules: [ { id: "ask-first", hold: "model.call", approval: { roles: ["finance"] } },"#)
    try await withTemporaryDirectory { folder in
      let office = try await Office(folder, rules: rules) { _ in nil }
      let run = try await office.start()
      guard case .held(let held) = try await office.classify() else { Issue.record("not held"); return }
      let digest = try #require(try await office.record(run).proposal(held[0])?.digest)
      _ = try await office.gate.decide(held[0], .reject(reason: "no"), by: .scripted("user:ben"), digest: digest)
      #expect(try await office.classify() == .handedOver("model-call-rejected"))
      #expect(office.requests.withLock { $0.isEmpty })
    }
  }

  @Test func aToolStepThatWasStoppedGoesOnAfterTheStop() async throws {
    try await withTemporaryDirectory { folder in
      let office = try await Office(folder) { _ in .call("complete_step", ["fields": ["risk": "low"]]) }
      let run = try await office.start()
      // The stop comes between the look and the proposal: the gate refuses the call, and says why.
      _ = try await office.classify()
      let second = try await office.start()
      _ = try await office.gate.setStop("run:\(second)", true, by: Office.root)
      let refused = try await office.gate.submit(
        Proposal(
          id: Proposal.id(of: second, "pay", "1", "call", "0"), principal: "system:engine", tool: "bank.pay",
          arguments: ["who": "Acme", "amount": 50], run: second, step: "pay"))
      #expect(refused.refusal?.code == "stopped")
      _ = try await office.loop.work()
      _ = try await office.gate.setStop("run:\(second)", false, by: Office.root)
      _ = try await office.loop.work()
      #expect(try await office.record(run).state.status == .completed)
      #expect(try await office.record(second).state.status == .completed)
    }
  }

  @Test func whatAModelCallsThatOnlyPeopleMayIsRefusedOnceAndRecorded() async throws {
    try await withTemporaryDirectory { folder in
      let office = try await Office(folder, mode: .structured) { request in
        request.messages.count == 1
          ? .call("run.start", ["process": "claims"]) : .call("complete_step", ["fields": ["risk": "low"]])
      }
      let run = try await office.start()
      #expect(try await office.classify() == .completed)
      let statuses = try await office.record(run).proposals.filter { $0.tool == "run.start" }.map(\.status)
      #expect(statuses == [.done, .forbidden])
    }
  }
}
