internal import Audit
import Core
import PolicyEngine
import ProcessModel
import TestSupport
import Testing

@testable import Governance

@Suite("What approvals are bound to")
struct ApprovalBindingTests {
  private static func process(control condition: String) -> String {
    let control = """
      controls: [{ id: "C1", statement: "Compliance agrees.", before: "tool:bank.pay", when: "\(condition)",
                   require: { approval: { roles: ["compliance"] } } }],
      steps: [
      """
    return Workbench.process.replacing("steps: [", with: control)
  }

  @Test("a control that begins to apply after the card was shown, or after the approval, is not passed over", arguments: [false, true])
  func laterControls(afterApproval: Bool) async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare(process: Self.process(control: "now >= timestamp('2027-01-16T00:00:00Z')"))
      let run = try await bench.assessed(amount: 500)
      let held = try await bench.proposePayment(run)
      #expect(held.requirements.map(\.rule) == ["large-payments"])
      let ben = Workbench.person("ben")
      if afterApproval {
        _ = try await bench.gate.decide(held.proposal, .approve, by: ben, digest: held.digest)
        bench.clock.advance(.seconds(61_200))
        let refusal = await #expect(throws: Refusal.self) { try await bench.runner.run(held.proposal, in: run) }
        #expect(refusal?.code == "changed")
      } else {
        bench.clock.advance(.seconds(61_200))
        let decided = try await bench.gate.decide(held.proposal, .approve, by: ben, digest: held.digest)
        guard case .voided = decided.standing else { Issue.record("\(decided.standing)"); return }
      }
      let next = try #require(try await bench.state(run).replacement(of: held.proposal))
      #expect(next.status == .held && next.requirements.map(\.rule) == ["control:C1", "large-payments"])
      _ = try await bench.gate.decide(next.id, .approve, by: ben, digest: next.digest)
      _ = try await bench.gate.decide(next.id, .approve, by: Workbench.person("dora"), digest: next.digest)
      #expect(try await bench.runner.run(next.id, in: run).kind == .finished)
      #expect(bench.connector.receipts.count == 1)
      try await bench.expectVerified()
    }
  }

  @Test("what a control reads is part of what is approved")
  func controlsRead() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare(process: Self.process(control: "facts.balance < 1000.0 && requester.id != 'user:x'"))
      let run = try await bench.start(amount: 500)
      func look(_ balance: Int) async throws {
        bench.connector.answerNext(.finished(["balance": .int(balance)]))
        let outcome = try await bench.gate.submit(bench.agent("bank.balance", [:], run: run))
        _ = try await bench.runner.run(outcome.proposal, in: run)
      }
      try await look(5)
      let held = try await bench.gate.submit(bench.agent("bank.pay", ["to": "Acme", "amount": 500], run: run))
      let read = try await bench.gate.store.read { context in
        try context.entry(at: held.entry)?.content(ContentPart.read).map { try JSON.parse($0) }
      }
      #expect(read == ["facts.balance": 5, "requester.id": "user:ana", "args.amount": 500])
      _ = try await bench.gate.decide(held.proposal, .approve, by: Workbench.person("ben"), digest: held.digest)
      try await look(6)
      let decided = try await bench.gate.decide(held.proposal, .approve, by: Workbench.person("dora"), digest: held.digest)
      guard case .voided(let next) = decided.standing else { Issue.record("\(decided.standing)"); return }
      #expect(next.verdict == .hold)
      try await bench.expectVerified()
    }
  }

  @Test("an edit by the only person who has to approve is carried out, and bound like any other approval", arguments: [false, true])
  func edits(editorLeaves: Bool) async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.assessed(amount: 500)
      let held = try await bench.proposePayment(run)
      let edited = try await bench.gate.decide(
        held.proposal, .edit(arguments: ["to": "Acme", "amount": 400], reason: "part payment"), by: Workbench.person("ben"),
        digest: held.digest)
      guard case .superseded(let next) = edited.standing else { Issue.record("\(edited.standing)"); return }
      #expect(next.isGranted)
      let record = try #require(try await bench.state(run).proposal(next.proposal))
      #expect(record.votes.map(\.principal) == ["user:ben"] && record.requirements.map(\.rule) == ["large-payments"])
      if editorLeaves {
        try await bench.setPeople { $0.people.filter { $0.id != "ben" } }
        let refusal = await #expect(throws: Refusal.self) { try await bench.runner.run(next.proposal, in: run) }
        #expect(refusal?.code == "changed")
      } else {
        #expect(try await bench.runner.run(next.proposal, in: run).kind == .finished)
      }
      #expect(bench.connector.receipts.count == (editorLeaves ? 0 : 1))
      try await bench.expectVerified()
    }
  }

  @Test("a decision during a stop leaves the proposal as it is")
  func decisionsDuringAStop() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.assessed(amount: 500)
      let held = try await bench.proposePayment(run)
      let ben = Workbench.person("ben")
      _ = try await bench.gate.setStop("all", true, by: Workbench.person("dora"))
      for decision in [PermissionGate.PersonDecision.approve, .edit(arguments: ["to": "Acme", "amount": 1], reason: nil)] {
        #expect(await bench.refusal(held, decision, by: ben)?.code == "stopped")
        #expect(try await bench.status(held.proposal, in: run) == .held)
      }
      _ = try await bench.gate.setStop("all", false, by: Workbench.operatorIdentity)
      let decided = try await bench.gate.decide(held.proposal, .approve, by: ben, digest: held.digest)
      guard case .approved = decided.standing else { Issue.record("\(decided.standing)"); return }
      try await bench.expectVerified()
    }
  }

  @Test("T25 a full queue does not take away what was approved before")
  func fullQueue() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.start(amount: 500)
      func propose() async throws -> GateOutcome {
        try await bench.gate.submit(bench.agent("bank.pay", ["to": "Acme", "amount": 500], run: run))
      }
      let first = try await propose()
      _ = try await bench.gate.decide(first.proposal, .approve, by: Workbench.person("ben"), digest: first.digest)
      for _ in 0..<GateLimits.heldPerRun { #expect(try await propose().verdict == .hold) }
      #expect(try await bench.runner.run(first.proposal, in: run).kind == .finished)
      try await bench.expectVerified()
    }
  }

  // MARK: Evidence

  struct Attachment: Sendable, CustomTestStringConvertible {
    var name: String
    var text = "%PDF-1.4"
    var media = "application/pdf"
    var size = 8
    var isSubmitted = false
    var isAttached: Bool
    var testDescription: String { name }
  }

  static let attachments = [
    Attachment(name: "bytes that come along", text: "%PDF-2.0", isSubmitted: true, isAttached: true),
    Attachment(name: "bytes that the store has", isAttached: true),
    Attachment(name: "bytes that nobody has", text: "%PDF-0.0", isAttached: false),
    Attachment(name: "another type", media: "text/plain", isAttached: false),
    Attachment(name: "another size", size: 9, isAttached: false),
    Attachment(name: "another size than what comes along", text: "%PDF-2.0", size: 9, isSubmitted: true, isAttached: false),
  ]

  @Test("evidence is attached only where its bytes are there, as what they are said to be", arguments: attachments, [false, true])
  func evidence(_ attachment: Attachment, isHeld: Bool) async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      let held = #"{ id: "seen", hold: "attach_evidence", approval: { roles: ["compliance"] } },"#
      try await bench.prepare(rules: isHeld ? Workbench.rules.replacing("rules: [", with: "rules: [\(held)") : Workbench.rules)
      let run = try await bench.assessed()
      _ = try await bench.runner.run(try await bench.proposePayment(run).proposal, in: run)
      _ = try await bench.gate.submit(
        bench.person("ana", "comment", ["text": "see the file"], run: run),
        evidence: [try Evidence.bytes(Array("%PDF-1.4".utf8), media: "application/pdf")])
      let arguments: JSONObject = [
        "name": "contract", "sha256": .string(SHA256.hash(attachment.text).hex), "media": .string(attachment.media),
        "size": .int(attachment.size),
      ]
      let outcome = try await bench.gate.submit(
        bench.person("ana", "attach_evidence", arguments, run: run, step: "file"),
        evidence: attachment.isSubmitted ? [try Evidence.bytes(Array(attachment.text.utf8), media: attachment.media)] : [])
      if !attachment.isAttached {
        #expect(outcome.refusal?.code == "evidence-invalid", "\(outcome.refusal?.message ?? "")")
      } else if isHeld {
        #expect(outcome.verdict == .hold)
        _ = try await bench.gate.decide(outcome.proposal, .approve, by: Workbench.person("dora"), digest: outcome.digest)
      }
      #expect(try await bench.state(run).state.evidence.count == (attachment.isAttached ? 1 : 0))
      try await bench.expectVerified()
    }
  }

  /// Entries with which someone who can write the store would make an approval: the fold takes the honest one alone.
  @Test func theFoldRefusesAnApprovalThatTheGateWouldNotHaveMade() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.assessed(amount: 500)
      let held = try await bench.proposePayment(run)
      #expect(held.verdict == .hold)
      let release = try #require(try await bench.state(run).proposal(held.proposal)?.release)
      let requester = try await bench.state(run).state.requester
      let identity = Workbench.person("ben")
      let honest = EntryDraft(
        type: "approval.decided@1", run: run, principal: identity.principal, release: release,
        body: [
          "decision": "approve", "proposal": .string(held.proposal), "digest": .string(held.digest.hex), "complete": true,
          "by": .string(identity.principal), "account": "ben", "mode": .string(identity.mode.rawValue),
        ])
      var (digest, other, asker) = (honest, honest, honest)
      digest.body["digest"] = .string(SHA256.hash("another").hex)
      other.release = SHA256.hash("another").hex
      asker.principal = requester
      for forged in [digest, other, asker] {
        await #expect(throws: (any Error).self) { try await bench.gate.store.append([forged]) }
        #expect(try await bench.status(held.proposal, in: run) == .held)
      }
      try await bench.gate.store.append([honest])
      #expect(try await bench.status(held.proposal, in: run) == .granted)
    }
  }

  @Test func theFoldTakesNoLastApprovalBeforeEnoughPeopleApproved() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.assessed(amount: 20_000)
      let held = try await bench.proposePayment(run)
      #expect(held.requirements.map(\.count).max() == 2)
      let record = try #require(try await bench.state(run).proposal(held.proposal))
      func approval(_ person: String, isComplete: Bool) -> EntryDraft {
        let identity = Workbench.person(person)
        return EntryDrafting.decision(
          .approve, on: record, run: run, by: identity.principal, identity: identity, isComplete: isComplete)
      }
      await #expect(throws: (any Error).self) { try await bench.gate.store.append([approval("ben", isComplete: true)]) }
      try await bench.gate.store.append([approval("ben", isComplete: false)])
      // The same person twice is one.
      await #expect(throws: (any Error).self) { try await bench.gate.store.append([approval("ben", isComplete: true)]) }
      #expect(try await bench.status(held.proposal, in: run) == .held)
      try await bench.gate.store.append([approval("cleo", isComplete: true)])
      #expect(try await bench.status(held.proposal, in: run) == .granted)
    }
  }
}
