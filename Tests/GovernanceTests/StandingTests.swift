internal import Audit
import Core
import PolicyEngine
import TestSupport
import Testing

@testable import Governance

@Suite("Who someone is, was, and may still be")
struct StandingTests {
  /// Someone in no directory who opens the store's file.
  private static let bob = Identity(principal: "user:bob", account: "bob", mode: .singleOperator, isOperator: true)

  private static func named(_ person: String, account: String) -> Identity {
    Identity(principal: "user:\(person)", account: account, mode: .singleOperator)
  }

  @Test("T05 who asked under another name can never approve, nor settle", arguments: [true, false])
  func renamedRequester(isOperator: Bool) async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let asker = isOperator ? Self.bob : Self.named("ana", account: "bob")
      let run = bench.gate.mintRunID()
      let started = try await bench.gate.submit(
        Proposal(
          id: bench.gate.mintID(), principal: asker.principal, identity: asker, tool: "run.start",
          arguments: ["process": "payments", "fields": ["payee": "Acme", "amount": 500]], run: run))
      #expect(started.verdict == .permit, "\(started.refusal?.message ?? "")")
      _ = try await bench.gate.submit(bench.agent("complete_step", ["fields": ["risk": "low"]], run: run))
      let held = try await bench.proposePayment(run)
      // A new name for the same account, with the role that is missing.
      let robert = Directory.Person(id: "robert", name: "Robert", roles: ["finance", "owner"], accounts: ["bob"], manager: nil)
      try await bench.setPeople { $0.people + [robert] }
      for identity in [Self.named("robert", account: "bob"), asker] {
        #expect(await bench.refusal(held, by: identity)?.code == "not-eligible", "\(identity.principal)")
      }
      _ = try await bench.gate.decide(held.proposal, .approve, by: Workbench.person("ben"), digest: held.digest)
      bench.connector.answerNext(.inDoubt("lost", "lost"))
      _ = try await bench.runner.run(held.proposal, in: run)
      let refusal = await #expect(throws: Refusal.self) {
        try await bench.gate.settle(
          held.proposal, in: run, grant: nil, outcome: .finished([:]), by: Self.named("robert", account: "bob"))
      }
      #expect(refusal?.code == "not-eligible")
      try await bench.expectVerified()
    }
  }

  @Test("T05 one account is one of four eyes, whatever its names")
  func renamedApprover() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.assessed(amount: 20_000)
      let held = try await bench.proposePayment(run)
      _ = try await bench.gate.decide(held.proposal, .approve, by: Self.named("ben", account: "shared"), digest: held.digest)
      try await bench.setPeople { directory in
        directory.people.map { person in
          person.id == "cleo" ? Directory.Person(id: "cleo", name: "Cleo", roles: person.roles, accounts: ["shared"], manager: nil) : person
        }
      }
      #expect(await bench.refusal(held, by: Self.named("cleo", account: "shared"))?.code == "not-eligible")
      #expect(try await bench.status(held.proposal, in: run) == .held)
      try await bench.expectVerified()
    }
  }

  @Test("an operator's approval counts only while nobody in the directory has the account")
  func operatorStanding() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.assessed(amount: 500)
      let held = try await bench.proposePayment(run)
      let decided = try await bench.gate.decide(held.proposal, .approve, by: Self.bob, digest: held.digest)
      guard case .approved = decided.standing else { Issue.record("\(decided.standing)"); return }
      try await bench.setPeople { people in
        people.people + [Directory.Person(id: "robert", name: "Robert", roles: ["clerk"], accounts: ["bob"], manager: nil)]
      }
      let refusal = await #expect(throws: Refusal.self) { try await bench.runner.run(held.proposal, in: run) }
      #expect(refusal?.code == "changed")
      #expect(bench.connector.receipts.isEmpty)
      let stop = try await bench.gate.setStop("all", false, by: Self.bob)
      #expect(stop.refusal?.code == "principal-unknown")
      try await bench.expectVerified()
    }
  }

  @Test("an account of the directory speaks with one name")
  func borrowedNames() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.start()
      try await bench.setPeople { directory in
        directory.people.map { person in
          Directory.Person(id: person.id, name: person.name, roles: person.roles, accounts: [person.id], manager: nil)
        }
      }
      var comment = bench.person("ana", "comment", ["text": "hi"], run: run)
      #expect(try await bench.gate.submit(comment).verdict == .permit)
      comment.id = bench.gate.mintID()
      comment.identity = Self.named("ana", account: "ben")
      #expect(try await bench.gate.submit(comment).refusal?.code == "principal-unknown")
    }
  }

  @Test("a script has the powers of the person for whom it acts, and no others")
  func scripts() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let directory = try await bench.gate.store.read { try $0.shared().directory }
      for person in ["ana", "olaf"] {
        let script = Identity.scripted("user:\(person)")
        #expect(try await bench.gate.setDirectory(directory, by: script).verdict == .forbid)
        #expect(try await bench.gate.setStop("all", false, by: script).verdict == .forbid)
        let made = try await bench.gate.makeRelease(Workbench.release(), by: script)
        #expect(made.verdict == (person == "olaf" ? .permit : .forbid))
      }
      try await bench.expectVerified()
    }
  }
}
