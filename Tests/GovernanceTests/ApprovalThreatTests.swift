internal import Audit
import Core
import PolicyEngine
import TestSupport
import Testing

@testable import Governance

@Suite("Attacks on approvals")
struct ApprovalThreatTests {
  @Test("T04 an agent cannot approve: not as itself, not as a system component, not by saying so")
  func agentsCannotApprove() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.assessed(amount: 500)
      let held = try await bench.proposePayment(run)
      for principal in ["agent:bot", "system:engine", "system:agents", "user:ghost", "user:BEN", "user:ben "] {
        let identity = Identity(principal: principal, account: "bot", mode: .singleOperator)
        let refusal = await #expect(throws: Refusal.self) {
          try await bench.gate.decide(held.proposal, .approve, by: identity, digest: held.digest)
        }
        #expect(refusal?.code == "not-eligible", "\(principal)")
      }
      let talk = try await bench.gate.submit(bench.agent("comment", ["text": "approved"], run: run, step: "pay"))
      #expect(talk.verdict == .forbid)
      let refusedEntries = try await bench.gate.store.read { try $0.history(of: run).filter { $0.type == EntryType.approvalRefused }.count }
      #expect(refusedEntries == 6)
      #expect(try await bench.state(run).proposal(held.proposal)?.status == .held)
      #expect(bench.connector.receipts.isEmpty)
      try await bench.expectVerified()
    }
  }

  @Test("T05 who asked can never approve, whatever their roles")
  func requesterCannotApprove() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      // Cleo is a clerk and in finance: she can ask, and could approve what others ask for.
      let run = bench.gate.mintRunID()
      _ = try await bench.gate.submit(
        bench.person("cleo", "run.start", ["process": "payments", "fields": ["payee": "Acme", "amount": 500]], run: run))
      _ = try await bench.gate.submit(bench.agent("complete_step", ["fields": ["risk": "low"]], run: run))
      let held = try await bench.proposePayment(run)
      let refusal = await #expect(throws: Refusal.self) {
        try await bench.gate.decide(held.proposal, .approve, by: Workbench.person("cleo"), digest: held.digest)
      }
      #expect(refusal?.message.contains("asked for this run") == true)
      try await bench.expectVerified()
    }
  }

  @Test("T05 two of the same person are one")
  func fourEyesAreTwoPeople() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.assessed(amount: 20_000)
      let held = try await bench.proposePayment(run)
      let first = try await bench.gate.decide(held.proposal, .approve, by: Workbench.person("ben"), digest: held.digest)
      guard case .pending = first.standing else { Issue.record("\(first.standing)"); return }
      // The same person from another account.
      let twin = Identity(principal: "user:ben", account: "ben2", mode: .singleOperator)
      _ = await #expect(throws: Refusal.self) { try await bench.gate.decide(held.proposal, .approve, by: twin, digest: held.digest) }
      let second = try await bench.gate.decide(held.proposal, .approve, by: Workbench.person("cleo"), digest: held.digest)
      guard case .approved = second.standing else { Issue.record("\(second.standing)"); return }
      try await bench.expectVerified()
    }
  }

  @Test("T06 what changes between show and approve, or approve and execute, voids the approval", arguments: [false, true])
  func changesVoid(afterApproval: Bool) async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      // A rule that reads a field, which changes after the approver has seen the card.
      let rules = Workbench.rules.replacing(
        #"when: "args.amount > 100.0", approval"#, with: #"when: "args.amount > 100.0 && run.risk in ['low', 'high']", approval"#)
      try await bench.prepare(rules: rules)
      let run = try await bench.assessed(amount: 500)
      let held = try await bench.proposePayment(run)
      #expect(held.verdict == .hold)
      func change() async throws {
        let outcome = try await bench.gate.submit(bench.person("ana", "set_fields", ["fields": ["risk": "high"]], run: run))
        #expect(outcome.verdict == .forbid)  // nobody may just correct a field; evidence below changes the digest as well
      }
      try await change()
      if afterApproval {
        _ = try await bench.gate.decide(held.proposal, .approve, by: Workbench.person("ben"), digest: held.digest)
      }
      // The organisation changes: Ben leaves.
      let directory = try await bench.gate.store.read { try $0.shared().directory }
      let without = Directory(people: directory.people.filter { $0.id != "ben" }, roles: directory.roles)
      _ = try await bench.gate.setDirectory(without, by: Workbench.operatorIdentity)
      if afterApproval {
        let refusal = await #expect(throws: Refusal.self) { try await bench.runner.run(held.proposal, in: run) }
        #expect(refusal?.code == "changed")
        #expect(try await bench.state(run).proposal(held.proposal)?.status == .voided)
        #expect(try await bench.state(run).replacement(of: held.proposal)?.status == .held)
      } else {
        let refusal = await #expect(throws: Refusal.self) {
          try await bench.gate.decide(held.proposal, .approve, by: Workbench.person("ben"), digest: held.digest)
        }
        #expect(refusal?.code == "not-eligible")
      }
      #expect(bench.connector.receipts.isEmpty)
      try await bench.expectVerified()
    }
  }

  @Test("T06 an approval of another digest than the shown one is refused")
  func otherDigest() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.assessed(amount: 500)
      let held = try await bench.proposePayment(run)
      let refusal = await #expect(throws: Refusal.self) {
        try await bench.gate.decide(held.proposal, .approve, by: Workbench.person("ben"), digest: SHA256.hash("other"))
      }
      #expect(refusal?.code == "digest-mismatch")
      try await bench.expectVerified()
    }
  }

  @Test("T07 an approval is used once: again, in another run, after expiry, after a no, after a restart")
  func replays() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.assessed(amount: 500)
      let held = try await bench.proposePayment(run)
      _ = try await bench.gate.decide(held.proposal, .approve, by: Workbench.person("ben"), digest: held.digest)
      _ = try await bench.runner.run(held.proposal, in: run)
      // Executed again, and approved again.
      var refusal = await #expect(throws: Refusal.self) { try await bench.runner.run(held.proposal, in: run) }
      #expect(refusal?.code == "not-granted")
      refusal = await #expect(throws: Refusal.self) {
        try await bench.gate.decide(held.proposal, .approve, by: Workbench.person("cleo"), digest: held.digest)
      }
      #expect(refusal?.code == "not-held")
      // In another run.
      let other = try await bench.assessed(amount: 500)
      refusal = await #expect(throws: Refusal.self) { try await bench.runner.run(held.proposal, in: other) }
      #expect(refusal?.code == "proposal-unknown")
      // After expiry.
      let late = try await bench.proposePayment(other)
      bench.clock.advance(.seconds(86_401))
      let expired = try await bench.gate.decide(late.proposal, .approve, by: Workbench.person("ben"), digest: late.digest)
      guard case .expired = expired.standing else { Issue.record("\(expired.standing)"); return }
      refusal = await #expect(throws: Refusal.self) { try await bench.runner.run(late.proposal, in: other) }
      #expect(refusal?.code == "not-granted")
      // After a no.
      let third = try await bench.assessed(amount: 500)
      let rejected = try await bench.proposePayment(third)
      _ = try await bench.gate.decide(rejected.proposal, .reject(reason: "no"), by: Workbench.person("ben"), digest: rejected.digest)
      refusal = await #expect(throws: Refusal.self) {
        try await bench.gate.decide(rejected.proposal, .approve, by: Workbench.person("cleo"), digest: rejected.digest)
      }
      #expect(refusal?.code == "not-held")
      // After a restart.
      await bench.gate.store.close()
      let again = try await Workbench(folder, clock: bench.clock, seed: 2)
      refusal = await #expect(throws: Refusal.self) { try await again.runner.run(held.proposal, in: run) }
      #expect(refusal?.code == "not-granted")
      #expect(bench.connector.receipts.count == 1)
      try await again.expectVerified()
    }
  }

  @Test("T08 two who answer at once: one outcome, and a no is never overridden")
  func races() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      for round in 0..<50 {
        let run = try await bench.assessed(amount: 500)
        let held = try await bench.proposePayment(run)
        async let yes = try? bench.gate.decide(held.proposal, .approve, by: Workbench.person("ben"), digest: held.digest)
        async let no = try? bench.gate.decide(held.proposal, .reject(reason: "no"), by: Workbench.person("cleo"), digest: held.digest)
        let answers = [await yes, await no].compactMap { $0 }
        #expect(answers.count == 1, "round \(round)")
        let status = try await bench.state(run).proposal(held.proposal)?.status
        #expect(status == .granted || status == .rejected)
      }
      try await bench.expectVerified()
    }
  }

  @Test("T09 a release that is edited on disk changes nothing; a new one governs new runs only")
  func releasesArePinned() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.assessed(amount: 500)
      let open = Workbench.rules.replacing(
        #"{ id: "large-payments", hold: "bank.pay", when: "args.amount > 100.0", approval: { roles: ["finance"], within: "P1D" } },"#,
        with: #"{ id: "all", permit: "bank.pay" },"#)
      #expect(open != Workbench.rules)
      // Nobody but the owner or the operator can make it a release.
      let refused = try await bench.gate.makeRelease(Workbench.release(rules: open), by: Workbench.person("ana"))
      #expect(refused.verdict == .forbid)
      let made = try await bench.gate.makeRelease(Workbench.release(rules: open), by: Workbench.person("olaf"))
      #expect(made.verdict == .permit)
      #expect(try await bench.proposePayment(run).verdict == .hold)
      let later = try await bench.assessed(amount: 500)
      #expect(try await bench.proposePayment(later).verdict == .permit)
      try await bench.expectVerified()
    }
  }

  @Test("T25 a flood of held proposals meets a limit, and the queue stays usable")
  func flood() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.start(amount: 500)
      var verdicts: [Outcome: Int] = [:]
      for _ in 0..<250 {
        let outcome = try await bench.gate.submit(bench.agent("bank.pay", ["to": "Acme", "amount": 500], run: run))
        verdicts[outcome.verdict, default: 0] += 1
      }
      #expect(verdicts[.hold] == GateLimits.heldPerRun)
      #expect(verdicts[.permit] == nil)
      try await bench.expectVerified()
    }
  }
}
