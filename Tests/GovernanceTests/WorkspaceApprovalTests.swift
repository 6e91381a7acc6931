import Audit
import Core
import PolicyEngine
import ProcessModel
import TestSupport
import Testing

@testable import Governance

/// Proposals that belong to no run: people, releases and stops can be made to need somebody's approval.
@Suite("Approvals about the workspace")
struct WorkspaceApprovalTests {
  private static let governed = Workbench.organisation.replacing(
    "{ roles: {", with: #"{ governs: { directory: "role:compliance", releases: "owner", stops: "user:dora" }, roles: {"#)

  private static func directory(_ text: String = governed) throws -> Directory {
    try Directory.load(try PositionedJSON.parseJSON5(Array(text.utf8)))
  }

  /// A store whose people decide about its changes.
  private func withBench(_ body: (Workbench) async throws -> Void) async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let set = try await bench.gate.setDirectory(try Self.directory(), by: Workbench.operatorIdentity)
      #expect(set.verdict == .permit)
      try await body(bench)
      try await bench.expectVerified()
    }
  }

  private func shared(_ bench: Workbench) async throws -> SharedState { try await bench.gate.store.read { try $0.shared() } }

  struct Change: Sendable, CustomTestStringConvertible {
    var name: String
    var propose: @Sendable (PermissionGate) async throws -> GateOutcome
    var approver: String
    /// Whether it has happened.
    var isDone: @Sendable (SharedState) -> Bool
    var testDescription: String { name }
  }

  static let changes: [Change] = [
    Change(
      name: "people",
      propose: { gate in
        let old = try await gate.store.read { try $0.shared().directory }
        let others = Directory(people: old.people.filter { $0.id != "cleo" }, roles: old.roles, governs: old.governs)
        return try await gate.setDirectory(others, by: Workbench.operatorIdentity)
      }, approver: "dora", isDone: { $0.directory.person("user:cleo") == nil }),
    Change(
      name: "a release",
      propose: {
        try await $0.makeRelease(
          Workbench.release(rules: Workbench.rules.replacing("100.0", with: "90.0")), by: Workbench.operatorIdentity)
      }, approver: "olaf", isDone: { $0.releases.count == 2 }),
    Change(
      name: "work goes on",
      propose: {
        _ = try await $0.setStop("all", true, by: Workbench.person("ana"))
        return try await $0.setStop("all", false, by: Workbench.person("ana"))
      }, approver: "dora", isDone: { $0.stops.isEmpty }),
  ]

  @Test("a governed change waits, and happens with the approval of whom the directory names", arguments: changes)
  func approved(_ change: Change) async throws {
    try await withBench { bench in
      let held = try await change.propose(bench.gate)
      #expect(held.verdict == .hold, "\(held.refusal?.message ?? "")")
      #expect(try await !change.isDone(shared(bench)))
      #expect(await bench.refusal(held, by: Workbench.person("ben"))?.code == "not-eligible")
      let decided = try await bench.gate.decide(held.proposal, .approve, by: Workbench.person(change.approver), digest: held.digest)
      guard case .approved = decided.standing else { Issue.record("\(decided.standing)"); return }
      #expect(try await change.isDone(shared(bench)))
      #expect(await bench.refusal(held, by: Workbench.person(change.approver))?.code == "not-held")
    }
  }

  @Test("a governed change that is rejected does not happen", arguments: changes)
  func rejected(_ change: Change) async throws {
    try await withBench { bench in
      let held = try await change.propose(bench.gate)
      let no = try await bench.gate.decide(held.proposal, .reject(reason: "no"), by: Workbench.person(change.approver), digest: held.digest)
      guard case .rejected = no.standing else { Issue.record("\(no.standing)"); return }
      #expect(try await !change.isDone(shared(bench)))
    }
  }

  @Test func nobodyApprovesTheirOwnChange() async throws {
    try await withBench { bench in
      let held = try await bench.gate.setDirectory(Directory(), by: Workbench.person("dora"))
      #expect(held.verdict == .hold)
      #expect(await bench.refusal(held, by: Workbench.person("dora"))?.code == "not-eligible")
    }
  }

  @Test func anEditedChangeIsDecidedAnew() async throws {
    try await withBench { bench in
      _ = try await bench.gate.setStop("all", true, by: Workbench.person("ana"))
      _ = try await bench.gate.setStop("agent:bot", true, by: Workbench.person("ana"))
      let held = try await bench.gate.setStop("all", false, by: Workbench.person("ana"))
      let edited = try await bench.gate.decide(
        held.proposal, .edit(arguments: ["scope": "agent:bot"], reason: nil), by: Workbench.person("dora"), digest: held.digest)
      // What Dora made of it is hers: she is the one who has to approve, and cannot approve that.
      guard case .superseded(let next) = edited.standing else { Issue.record("\(edited.standing)"); return }
      #expect(next.verdict == .hold)
      #expect(await bench.refusal(next, by: Workbench.person("dora"))?.code == "not-eligible")
      #expect(try await shared(bench).stops == ["all", "agent:bot"])
    }
  }

  @Test func aReleaseIsApprovedByAnotherProcessThanTheOneThatMadeIt() async throws {
    try await withTemporaryDirectory { folder in
      let first = try await Workbench(folder)
      _ = try await first.gate.openLog(by: Workbench.operatorIdentity)
      _ = try await first.gate.setDirectory(try Self.directory(), by: Workbench.operatorIdentity)
      let held = try await first.gate.makeRelease(Workbench.release(), by: Workbench.operatorIdentity)
      #expect(held.verdict == .hold, "\(held.refusal?.message ?? "")")
      let second = try await Workbench(folder, seed: 2)
      let decided = try await second.gate.decide(held.proposal, .approve, by: Workbench.person("olaf"), digest: held.digest)
      guard case .approved = decided.standing else { Issue.record("\(decided.standing)"); return }
      #expect(try await shared(second).current("payments")?.by == "user:root")
      try await second.expectVerified()
    }
  }

  @Test func aChangeThatNobodyDecidesExpires() async throws {
    try await withBench { bench in
      let held = try await bench.gate.setDirectory(Directory(), by: Workbench.operatorIdentity)
      bench.clock.advance(.seconds(8 * 86_400))
      #expect(try await bench.gate.passTime().expired == 1)
      let record = try await shared(bench).proposals.last { $0.id == held.proposal }
      #expect(record?.status == .expired)
    }
  }

  @Test func whatOnePersonHasWaitingIsBounded() async throws {
    try await withBench { bench in
      for _ in 0..<GateLimits.heldPerPerson {
        let held = try await bench.gate.setDirectory(Directory(), by: Workbench.operatorIdentity)
        #expect(held.verdict == .hold)
      }
      let tooMany = try await bench.gate.setDirectory(Directory(), by: Workbench.operatorIdentity)
      #expect(tooMany.refusal?.code == "rate-limit")
      let other = try await bench.gate.setDirectory(Directory(), by: Workbench.person("ana"))
      #expect(other.verdict == .hold)
    }
  }

  static let mistakes: [(governs: String, code: String)] = [
    (#"{ directory: "role:nobody" }"#, "unknown-role"), (#"{ people: "role:owner" }"#, "unknown-key"),
    (#"{ directory: "user:zoe" }"#, "unknown-person"), (#"{ directory: "owner" }"#, "nobody-governs"),
    (#"{ stops: "agent:bot" }"#, "bad-approver"), (#"{ stops: "role:spare" }"#, "nobody-governs"), (#"{ stops: 3 }"#, "wrong-type"),
  ]

  @Test("a directory says who governs it, or is refused", arguments: mistakes)
  func refusedDirectories(_ mistake: (governs: String, code: String)) throws {
    let text = Workbench.organisation.replacing("{ roles: {", with: "{ governs: \(mistake.governs), roles: { spare: \"Spare\",")
    let problems = #expect(throws: Diagnostics.self) { try Self.directory(text) }
    #expect(problems?.all.map(\.code) == [mistake.code], "\(problems?.description ?? "")")
  }

  @Test func theDirectoryKeepsWhoGovernsIt() throws {
    let directory = try Self.directory()
    #expect(Directory(json: directory.json) == directory)
    #expect(directory.governs[.stops] == .user("dora"))
  }
}
