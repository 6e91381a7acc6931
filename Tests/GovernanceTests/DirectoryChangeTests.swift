import Audit
import Core
import PolicyEngine
import TestSupport
import Testing

@testable import Governance

/// People, roles, keys, absences and delegations as governed records, and deciding in another's place.
@Suite("Changes of the directory")
struct DirectoryChangeTests {
  private static let start = Instant(milliseconds: 1_800_000_000_000)

  private static func person(_ id: String, roles: [String] = [], accounts: [String] = [], manager: String? = nil) -> DirectoryChange {
    .putPerson(Directory.Person(id: id, name: id, roles: roles, accounts: accounts, manager: manager))
  }

  private static func delegation(
    _ from: String, _ to: String, id: String = "d-1", roles: [String] = [], processes: [String] = [], days: Int64 = 7
  ) -> DirectoryChange {
    .putDelegation(
      Directory.Delegation(
        id: id, from: from, to: to, roles: roles, processes: processes, since: start, until: start + .seconds(days * 86_400), reason: nil))
  }

  private static func absence(_ person: String, deputy: String?, days: Int64 = 7) -> DirectoryChange {
    .putAbsence(Directory.Absence(id: "a-1", person: person, from: start, until: start + .seconds(days * 86_400), deputy: deputy))
  }

  private func withBench(governs: String? = nil, _ body: (Workbench) async throws -> Void) async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      if let governs {
        let text = Workbench.organisation.replacing("{ roles: {", with: "{ governs: { directory: \"\(governs)\" }, roles: {")
        let directory = try Directory.load(try PositionedJSON.parseJSON5(Array(text.utf8)))
        #expect(try await bench.gate.setDirectory(directory, by: Workbench.operatorIdentity).verdict == .permit)
      }
      try await body(bench)
      try await bench.expectVerified()
    }
  }

  private func directory(_ bench: Workbench) async throws -> Directory { try await bench.gate.store.read { try $0.shared().directory } }

  private func change(_ bench: Workbench, by identity: Identity = Workbench.operatorIdentity, _ changes: DirectoryChange...) async throws
    -> GateOutcome
  {
    try await bench.gate.changeDirectory(changes, reason: "as agreed", by: identity)
  }

  static let unfit: [([DirectoryChange], String)] = [
    ([person("eva", roles: ["finanse"])], "there is no role `finanse`; did you mean `finance`?"),
    ([person("eva", manager: "bn")], "there is no person `bn`; did you mean `ben`?"),
    ([person("eva smith")], "cannot name a person"),
    ([person("eva", accounts: ["x"]), person("fay", accounts: ["x"])], "one account is one person"),
    ([person("ben", roles: ["finance"], manager: "cleo"), person("cleo", manager: "ben")], "their own manager"),
    ([.leave("bem")], "did you mean `ben`?"), ([.removeRole("finance")], "`ben` holds the role"),
    ([.addKey(person: "ben", SignedApprovalTests.key(1)), .addKey(person: "cleo", SignedApprovalTests.key(1))], "one key is one person"),
    ([.removeKey(person: "ben", fingerprint: "SHA256:none")], "has no key"),
    ([absence("ben", deputy: "ben")], "their own deputy"), ([absence("ben", deputy: nil, days: -1)], "ends after it begins"),
    ([delegation("ben", "ben")], "to themselves"), ([delegation("ben", "cleo", roles: ["owner"])], "does not hold the role `owner`"),
    ([delegation("ben", "dora", days: 0)], "ends after it begins"),
    ([delegation("ben", "cleo"), delegation("cleo", "ben", id: "d-2")], "a loop of delegations: `d-1`"),
    ([delegation("ben", "cleo"), delegation("ben", "dora")], "a delegation `d-1` already"),
    ([.endDelegation("d-9")], "no delegation `d-9`"),
  ]

  @Test("a change that does not fit is refused, and the directory is as it was", arguments: unfit)
  func misfits(_ changes: [DirectoryChange], _ words: String) async throws {
    try await withBench { bench in
      let before = try await directory(bench)
      let outcome = try await bench.gate.changeDirectory(changes, reason: nil, by: Workbench.operatorIdentity)
      #expect(outcome.verdict == .forbid)
      #expect(outcome.refusal?.message.contains(words) == true, "\(outcome.refusal?.message ?? "none")")
      #expect(try await directory(bench) == before)
    }
  }

  @Test("each change reads back from its JSON, and what is none is refused")
  func coding() throws {
    let changes = Self.unfit.flatMap(\.0) + [.putRole(Directory.Role(name: "audit", title: "Audit")), .endAbsence("a-1")]
    for change in changes { #expect(DirectoryChange(json: change.json) == change) }
    for (change, json) in zip(changes, changes.map(\.json)) {
      guard case .object(let object) = json else { continue }
      for key in object.keys where key != "title" {
        var less = object
        less[key] = nil
        #expect(DirectoryChange(json: .object(less)) == nil, "\(change) without \(key)")
      }
    }
  }

  @Test("changes are made by whom the directory names, never by whom they are about, and everyone says when they are away")
  func governed() async throws {
    try await withBench(governs: "role:compliance") { bench in
      let held = try await change(bench, Self.person("dora", roles: ["compliance", "finance"]))
      #expect(held.verdict == .hold)
      // Dora is the only one who may decide, and it is about her.
      #expect(await bench.refusal(held, by: Workbench.person("dora"))?.code == "not-eligible")
      let other = try await change(bench, by: Workbench.person("ana"), Self.person("eva", roles: ["finance"], accounts: ["eva"]))
      #expect(other.verdict == .hold)
      _ = try await bench.gate.decide(other.proposal, .approve, by: Workbench.person("dora"), digest: other.digest)
      #expect(try await directory(bench).person("user:eva")?.roles == ["finance"])
      // Nobody would be left who decides.
      #expect(try await change(bench, .leave("dora")).refusal?.message.contains("nobody would be left") == true)
      #expect(try await change(bench, by: Workbench.person("ben"), Self.absence("ben", deputy: "cleo")).verdict == .permit)
      #expect(try await change(bench, by: Workbench.person("ana"), .endAbsence("a-1")).verdict == .hold)
      #expect(try await change(bench, by: Workbench.person("ben"), .endAbsence("a-1")).verdict == .permit)
      #expect(try await directory(bench).absences.isEmpty)
    }
  }

  struct Place: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var changes: [DirectoryChange]
    var person: String
    var named: String?
    /// How long after the change.
    var after = Duration.zero
    /// In whose place; nil where it is refused.
    var authority: String?
  }

  static let cases: [Place] = [
    Place(testDescription: "nobody let Dora", changes: [], person: "dora"),
    Place(testDescription: "Ben did", changes: [delegation("ben", "dora")], person: "dora", authority: "user:ben"),
    Place(
      testDescription: "for this role", changes: [delegation("ben", "dora", roles: ["finance"])], person: "dora", authority: "user:ben"),
    Place(testDescription: "of two she names one", changes: [delegation("cleo", "dora", roles: ["clerk"])], person: "dora"),
    Place(
      testDescription: "for this process", changes: [delegation("ben", "dora", processes: ["payments"])], person: "dora",
      authority: "user:ben"),
    Place(testDescription: "for another process", changes: [delegation("ben", "dora", processes: ["access"])], person: "dora"),
    Place(testDescription: "until last week", changes: [delegation("ben", "dora")], person: "dora", after: .seconds(8 * 86_400)),
    Place(testDescription: "as his deputy", changes: [absence("ben", deputy: "dora")], person: "dora", authority: "user:ben"),
    Place(testDescription: "Ben is back", changes: [absence("ben", deputy: "dora")], person: "dora", after: .seconds(8 * 86_400)),
    Place(
      testDescription: "of two nobody knows whose", changes: [delegation("ben", "dora"), delegation("cleo", "dora", id: "d-2")],
      person: "dora"),
    Place(
      testDescription: "of two the named one", changes: [delegation("ben", "dora"), delegation("cleo", "dora", id: "d-2")], person: "dora",
      named: "user:cleo", authority: "user:cleo"),
    Place(testDescription: "not passed on", changes: [delegation("ben", "olaf"), delegation("olaf", "dora", id: "d-2")], person: "dora"),
    Place(
      testDescription: "who has the role needs no other's", changes: [delegation("ben", "cleo")], person: "cleo", authority: "user:cleo"),
    Place(testDescription: "the requester's stand-in", changes: [delegation("ana", "cleo")], person: "cleo"),
  ]

  @Test("in whose place a person decides", arguments: cases)
  func places(_ place: Place) async throws {
    try await withBench { bench in
      if !place.changes.isEmpty {
        let made = try await bench.gate.changeDirectory(place.changes, reason: nil, by: Workbench.operatorIdentity)
        #expect(made.verdict == .permit, "\(made.refusal?.message ?? "")")
      }
      bench.clock.advance(place.after)
      let run = try await bench.assessed(amount: 500)
      let held = try await bench.proposePayment(run)
      #expect(held.verdict == .hold)
      let who = Workbench.person(place.person)
      guard let authority = place.authority else {
        #expect(await bench.refusal(held, by: who)?.code == "not-eligible")
        return
      }
      _ = try await bench.gate.decide(held.proposal, .approve, by: who, digest: held.digest, for: place.named)
      let vote = try #require(try await bench.state(run).proposal(held.proposal)?.votes.first)
      #expect(vote.principal == who.principal && vote.authority == authority)
      #expect(vote.shown == (authority == who.principal ? authority : "\(who.principal) for \(authority)"))
    }
  }

  @Test("T05 one person's approval counts once, whoever gives it")
  func onceForEachPerson() async throws {
    try await withBench { bench in
      _ = try await change(bench, Self.delegation("ben", "dora"))
      let run = try await bench.assessed(amount: 20_000)
      let held = try await bench.proposePayment(run)
      #expect(held.requirements.map(\.count).max() == 2)
      _ = try await bench.gate.decide(held.proposal, .approve, by: Workbench.person("dora"), digest: held.digest)
      // Ben has approved already, by Dora.
      #expect(await bench.refusal(held, by: Workbench.person("ben"))?.message.contains("in the place of `user:ben` already") == true)
      let last = try await bench.gate.decide(held.proposal, .approve, by: Workbench.person("cleo"), digest: held.digest)
      guard case .approved = last.standing else { Issue.record("\(last.standing)"); return }
    }
  }

  static let endings: [(String, DirectoryChange)] = [
    ("who was let leaves", .leave("dora")), ("who let leaves", .leave("ben")), ("it is taken back", .endDelegation("d-1")),
    ("who let loses the role", person("ben", roles: ["clerk"])),
  ]

  @Test("an approval in another's place counts no more once the place is gone", arguments: endings)
  func ends(_ name: String, _ end: DirectoryChange) async throws {
    try await withBench { bench in
      _ = try await change(bench, Self.delegation("ben", "dora"))
      let run = try await bench.assessed(amount: 500)
      let held = try await bench.proposePayment(run)
      _ = try await bench.gate.decide(held.proposal, .approve, by: Workbench.person("dora"), digest: held.digest)
      #expect(try await bench.status(held.proposal, in: run) == .granted)
      #expect(try await change(bench, end).verdict == .permit)
      let refusal = await #expect(throws: Refusal.self) { _ = try await bench.gate.begin(held.proposal, in: run).id }
      #expect(refusal?.code == "changed", "\(name): \(refusal?.message ?? "")")
      #expect(bench.connector.receipts.isEmpty)
    }
  }

  // MARK: Tricks

  @Test("who edits a change of the workspace made it, and another person has to agree")
  func anEditorIsTheProposer() async throws {
    try await withBench(governs: "role:finance") { bench in
      let held = try await change(bench, by: Workbench.person("ana"), Self.person("eva"))
      let wanted: JSONObject = ["changes": [Self.person("eva", roles: ["finance", "owner"]).json]]
      let edited = try await bench.gate.decide(
        held.proposal, .edit(arguments: wanted, reason: nil), by: Workbench.person("ben"), digest: held.digest)
      guard case .superseded(let next) = edited.standing else { Issue.record("\(edited.standing)"); return }
      #expect(next.verdict == .hold)
      #expect(await bench.refusal(next, by: Workbench.person("ben"))?.code == "not-eligible")
      #expect(try await directory(bench).person("user:eva") == nil)
      _ = try await bench.gate.decide(next.proposal, .approve, by: Workbench.person("cleo"), digest: next.digest)
      #expect(try await directory(bench).person("user:eva")?.roles == ["finance", "owner"])
    }
  }

  @Test("T05 whoever left is nobody: not the operator, and not somebody else with the same account")
  func leavers() async throws {
    try await withBench { bench in
      _ = try await change(bench, Self.person("ben", roles: ["finance"], accounts: ["ben", "benny"]))
      _ = try await change(bench, Self.person("ben", roles: ["finance"], accounts: ["ben"]))
      _ = try await change(bench, .leave("ben"))
      let run = try await bench.assessed(amount: 500)
      let held = try await bench.proposePayment(run)
      for account in ["ben", "benny"] {
        let asOperator = Identity(principal: "user:\(account)", account: account, mode: .singleOperator, isOperator: true)
        #expect(await bench.refusal(held, by: asOperator)?.message.contains("is nobody's now") == true)
        #expect(try await change(bench, by: asOperator, Self.person("mal", roles: ["finance"])).verdict == .forbid)
        let other = try await change(bench, Self.person("ben2", roles: ["finance"], accounts: [account]))
        #expect(other.refusal?.message.contains("can come back only as theirs") == true, "\(other.refusal?.message ?? "")")
      }
      #expect(try await change(bench, Self.person("ben", roles: ["finance"], accounts: ["ben"])).verdict == .permit)
    }
  }

  @Test("nobody agrees to a change that gives them another's authority, or is about them, however it is made")
  func ownGain() async throws {
    try await withBench(governs: "role:compliance") { bench in
      let gains = [Self.delegation("ben", "dora"), Self.absence("ben", deputy: "dora")]
      for gain in gains {
        let held = try await change(bench, by: Workbench.person("ana"), gain)
        #expect(held.verdict == .hold)
        #expect(await bench.refusal(held, by: Workbench.person("dora"))?.code == "not-eligible")
      }
      let old = try await directory(bench)
      let people = old.people.map { person in
        person.id == "dora"
          ? Directory.Person(id: "dora", name: "Dora", roles: ["compliance", "finance"], accounts: [], manager: nil) : person
      }
      let set = try await bench.gate.setDirectory(
        Directory(people: people, roles: old.roles, governs: old.governs), by: Workbench.person("ana"))
      #expect(set.verdict == .hold)
      #expect(await bench.refusal(set, by: Workbench.person("dora"))?.code == "not-eligible")
    }
  }

  @Test("a change is approved of the record as it was shown")
  func staleChanges() async throws {
    try await withBench(governs: "role:compliance") { bench in
      let held = try await change(bench, by: Workbench.person("ana"), Self.person("cleo", roles: ["finance", "clerk"], manager: "olaf"))
      let taken = try await change(bench, by: Workbench.person("ana"), Self.person("cleo", roles: ["clerk"]))
      _ = try await bench.gate.decide(taken.proposal, .approve, by: Workbench.person("dora"), digest: taken.digest)
      let late = try await bench.gate.decide(held.proposal, .approve, by: Workbench.person("dora"), digest: held.digest)
      guard case .voided(let next) = late.standing else { Issue.record("\(late.standing)"); return }
      #expect(next.verdict == .hold)
      #expect(try await directory(bench).person("user:cleo")?.roles == ["clerk"])
    }
  }

  @Test("a delegation of some roles does not stand for the person, and nobody stands in for who proposed")
  func narrowPlaces() async throws {
    try await withBench(governs: "user:ben") { bench in
      #expect(try await change(bench, by: Workbench.person("ben"), Self.delegation("ben", "dora", roles: ["finance"])).verdict == .permit)
      let held = try await change(bench, by: Workbench.person("ana"), Self.person("eva"))
      #expect(await bench.refusal(held, by: Workbench.person("dora"))?.code == "not-eligible")
      #expect(try await change(bench, by: Workbench.person("ben"), Self.delegation("ben", "cleo", id: "d-2")).verdict == .permit)
      let own = try await change(bench, by: Workbench.person("ben"), Self.person("fay"))
      #expect(own.verdict == .hold)
      #expect(await bench.refusal(own, by: Workbench.person("cleo"))?.code == "not-eligible")
      _ = try await bench.gate.decide(held.proposal, .approve, by: Workbench.person("cleo"), digest: held.digest)
      #expect(try await directory(bench).person("user:eva") != nil)
    }
  }
}
