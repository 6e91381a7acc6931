import Audit
import Core
import PolicyEngine
import TestSupport
import Testing

@testable import Governance

/// Entries that no gate wrote: who can write to the file can seal them into a log whose hashes are all right.
@Suite("Forged approvals in a log")
struct ForgedApprovalTests {
  struct Forgery: Sendable {
    let name: String
    let amount: Double
    /// Who approves, one after the other; the last one completes.
    let approvers: [String]
    /// What the verification says of it; nil for what is right.
    let problem: String?
  }

  static let forgeries = [
    Forgery(name: "whose role it is", amount: 500, approvers: ["ben"], problem: nil),
    Forgery(name: "two whose role it is", amount: 20_000, approvers: ["ben", "cleo"], problem: nil),
    Forgery(name: "another role", amount: 500, approvers: ["olaf"], problem: "somebody who may not decide"),
    Forgery(name: "nobody", amount: 500, approvers: ["mallory"], problem: "somebody who may not decide"),
    Forgery(name: "one too few by role", amount: 20_000, approvers: ["ben", "olaf"], problem: "somebody who may not decide"),
  ]

  private static func approve(_ bench: Workbench, _ held: GateOutcome, in run: String, by person: String, isLast: Bool) async throws {
    let record = try #require(try await bench.state(run).proposal(held.proposal))
    let draft = EntryDrafting.decision(
      .approve, on: record, run: run, by: "user:\(person)", identity: Workbench.person(person), isComplete: isLast)
    try await bench.gate.store.submit { _ in ([draft], ()) }
  }

  @Test("verification asks the directory of the moment whether those who approved could", arguments: forgeries)
  func forged(_ forgery: Forgery) async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.assessed(amount: forgery.amount)
      let held = try await bench.proposePayment(run)
      #expect(held.verdict == .hold)
      for (place, person) in forgery.approvers.enumerated() {
        try await Self.approve(bench, held, in: run, by: person, isLast: place == forgery.approvers.count - 1)
      }
      let last = try await bench.gate.store.read { $0.head.size } - 1
      let report = try await bench.gate.store.verify()
      #expect(report.ok == (forgery.problem == nil), "\(report.problems)")
      if let problem = forgery.problem {
        #expect(report.problems.first?.entry == last && report.problems.first?.message.contains(problem) == true, "\(report.problems)")
      }
    }
  }

  @Test("what somebody could approve once, they cannot after they lost the role, and nothing begins on it")
  func lost() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.assessed(amount: 500)
      let held = try await bench.proposePayment(run)
      _ = try await bench.gate.decide(held.proposal, .approve, by: Workbench.person("ben"), digest: held.digest)
      try await bench.setPeople { directory in
        directory.people.map { person in
          person.id == "ben"
            ? Directory.Person(id: "ben", name: "Ben", roles: [], accounts: person.accounts, manager: nil) : person
        }
      }
      try await bench.expectVerified()
      let record = try #require(try await bench.state(run).proposal(held.proposal))
      let draft = EntryDrafting.started(
        record, run: run, grant: "g-1", worker: WorkerIdentity.current, deadline: bench.clock.source.now() + .seconds(60))
      try await bench.gate.store.submit { _ in ([draft], ()) }
      let problem = try #require(try await bench.gate.store.verify().problems.first)
      #expect(problem.message.contains("counted no more when it began"), "\(problem)")
    }
  }

  @Test("an approval of a change of the workspace is looked at in the same way")
  func workspace() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let directory = try await bench.gate.store.read { try $0.shared().directory }
      let governed = Directory(people: directory.people, roles: directory.roles, governs: [.releases: .role("finance")])
      #expect(try await bench.gate.setDirectory(governed, by: Workbench.operatorIdentity).verdict == .permit)
      let held = try await bench.gate.makeRelease(Workbench.release(), by: Workbench.person("olaf"))
      #expect(held.verdict == .hold)
      for (person, isRight) in [("cleo", true), ("ana", false)] {
        let again = isRight ? held : try await bench.gate.makeRelease(Workbench.release(), by: Workbench.person("olaf"))
        let record = try #require(try await bench.gate.store.read { try $0.shared().proposals.last { $0.id == again.proposal } })
        var draft = EntryDrafting.decision(
          .approve, on: record, run: nil, by: "user:\(person)", identity: Workbench.person(person), isComplete: true)
        draft.body["release"] = ["digest": .string(Workbench.release().manifest.digest.hex), "process": "payments"]
        let forged = draft
        try await bench.gate.store.submit { _ in ([forged], ()) }
        let report = try await bench.gate.store.verify()
        #expect(report.ok == isRight, "\(report.problems)")
      }
    }
  }
}
