internal import Audit
import Core
import PolicyEngine
import TestSupport
import Testing

@testable import Governance

/// Approvals one after the other, side by side, by several people.
@Suite("Stages of an approval")
struct ApprovalStageTests {
  static func rules(_ approval: String) -> String {
    """
    { policy: "payments", rules: [
      { id: "small-payments", permit: "bank.pay", when: "args.amount <= 100.0" },
      { id: "staged", hold: "bank.pay", when: "args.amount > 100.0", approval: \(approval) },
    ] }
    """
  }

  private func withHeld(
    _ approval: String, _ body: (Workbench, GateOutcome, String) async throws -> Void
  ) async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare(rules: Self.rules(approval))
      let run = try await bench.assessed(amount: 500)
      let held = try await bench.proposePayment(run)
      #expect(held.verdict == .hold, "\(held.refusal?.message ?? "")")
      try await body(bench, held, run)
      try await bench.expectVerified()
    }
  }

  private func approve(_ bench: Workbench, _ held: GateOutcome, by id: String) async -> String {
    do {
      let outcome = try await bench.gate.decide(held.proposal, .approve, by: Workbench.person(id), digest: held.digest)
      switch outcome.standing {
      case .pending: return "pending"
      case .approved: return "approved"
      default: return "\(outcome.standing)"
      }
    } catch { return (error as? Refusal)?.code ?? "\(error)" }
  }

  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var approval: String
    /// Who approves, and what becomes of it.
    var turns: [(id: String, outcome: String)]
    var testDescription: String { name }
  }

  static let cases: [Case] = [
    Case(
      name: "finance first, then compliance",
      approval: #"{ stages: [{ roles: ["finance"] }, { roles: ["compliance"] }] }"#,
      turns: [("dora", "not-eligible"), ("ben", "pending"), ("cleo", "not-eligible"), ("dora", "approved")]),
    Case(
      name: "two of finance, then the owner",
      approval: #"{ stages: [{ roles: ["finance"], count: 2 }, { roles: ["owner"] }] }"#,
      turns: [("ben", "pending"), ("ben", "not-eligible"), ("olaf", "not-eligible"), ("cleo", "pending"), ("olaf", "approved")]),
    Case(
      name: "side by side, in any order",
      approval: #"{ stages: [[{ roles: ["finance"] }, { roles: ["compliance"] }]] }"#,
      turns: [("dora", "pending"), ("dora", "not-eligible"), ("ben", "approved")]),
    Case(
      // Cleo fits both groups: whoever comes after decides which place is hers.
      name: "who fits two groups fills the one that is left",
      approval: #"{ stages: [[{ roles: ["finance", "clerk"] }, { roles: ["finance"] }]] }"#,
      turns: [("cleo", "pending"), ("ben", "approved")]),
    Case(
      name: "nobody counts in two stages",
      approval: #"{ stages: [{ roles: ["finance"] }, { roles: ["finance", "owner"] }] }"#,
      turns: [("ben", "pending"), ("ben", "not-eligible"), ("olaf", "approved")]),
  ]

  @Test(arguments: cases)
  func eachStageWaitsForItsPeople(_ test: Case) async throws {
    try await withHeld(test.approval) { bench, held, run in
      for (place, turn) in test.turns.enumerated() {
        #expect(await approve(bench, held, by: turn.id) == turn.outcome, "turn \(place + 1), \(turn.id)")
      }
      let status = try await bench.status(held.proposal, in: run)
      #expect(status == .granted)
    }
  }

  @Test func aLaterStageMayRejectBeforeItsTime() async throws {
    try await withHeld(#"{ stages: [{ roles: ["finance"] }, { roles: ["compliance"] }] }"#) { bench, held, run in
      _ = try await bench.gate.decide(held.proposal, .reject(reason: "never"), by: Workbench.person("dora"), digest: held.digest)
      #expect(try await bench.status(held.proposal, in: run) == .rejected)
    }
  }

  @Test func theLogSaysWhichStageOpenedWhen() async throws {
    try await withHeld(#"{ stages: [{ roles: ["finance"] }, { roles: ["compliance"] }] }"#) { bench, held, run in
      bench.clock.advance(.seconds(60))
      _ = await approve(bench, held, by: "ben")
      let record = try #require(try await bench.state(run).proposal(held.proposal))
      let (stage, since) = record.stage(of: "staged")
      #expect(stage == 2 && since == record.votes[0].time && since > record.time)
      let shared = try await bench.gate.store.read { try $0.shared() }
      let progress = record.progress(in: try await bench.state(run), shared: shared, release: nil, at: since)
      #expect(progress.needs.map(\.standing) == [.met, .open] && progress.missing == 1)
    }
  }

  @Test("an approver who leaves between two stages no longer counts: it is asked anew")
  func anApproverLeaves() async throws {
    try await withHeld(#"{ stages: [{ roles: ["finance"] }, { roles: ["compliance"] }] }"#) { bench, held, run in
      #expect(await approve(bench, held, by: "ben") == "pending")
      try await bench.setPeople { $0.people.filter { $0.id != "ben" } }
      // What waits is for finance again.
      #expect(await approve(bench, held, by: "dora") == "not-eligible")
      #expect(await approve(bench, held, by: "cleo") == "pending")
      #expect(await approve(bench, held, by: "dora") == "approved")
      #expect(try await bench.status(held.proposal, in: run) == .granted)
    }
  }

  @Test("after a stage fell back those of the later ones are asked again, and its time begins anew")
  func aStageFallsBack() async throws {
    let staged =
      #"{ stages: [{ roles: ["finance"] }, { roles: ["compliance"] }, { roles: ["owner"] }], within: "P5D", remind: "PT1H" }"#
    try await withHeld(staged) { bench, held, run in
      #expect(await approve(bench, held, by: "ben") == "pending")
      #expect(await approve(bench, held, by: "dora") == "pending")
      try await bench.setPeople { $0.people.filter { $0.id != "ben" } }
      bench.clock.advance(.seconds(3600))
      #expect(try await bench.gate.passTime().reminded == 0)
      let reopened = try #require(try await bench.state(run).proposal(held.proposal)).stage(of: "staged")
      #expect(reopened.stage == 1)
      bench.clock.advance(.seconds(3600))
      #expect(try await bench.gate.passTime().reminded == 1)
      for (id, outcome) in [
        ("olaf", "not-eligible"), ("dora", "not-eligible"), ("cleo", "pending"), ("dora", "pending"), ("dora", "not-eligible"),
        ("olaf", "approved"),
      ] {
        let waits = try await awaits(bench, held, run, id)
        #expect(waits == (outcome != "not-eligible"), "\(id)")
        #expect(await approve(bench, held, by: id) == outcome, "\(id)")
      }
      #expect(try await bench.runner.run(held.proposal, in: run).kind == .finished)
    }
  }

  private func awaits(_ bench: Workbench, _ held: GateOutcome, _ run: String, _ id: String) async throws -> Bool {
    let record = try #require(try await bench.state(run).proposal(held.proposal))
    let shared = try await bench.gate.store.read { try $0.shared() }
    return record.awaits(
      Workbench.person(id), in: try await bench.state(run), shared: shared, release: nil, at: bench.gate.store.options.time.now())
  }

  @Test("who counted for one rule is asked again where a stage of another one needs them")
  func aPersonCountsForTwoRules() async throws {
    let two = #"""
      { roles: ["finance"] } },
      { id: "also", hold: "bank.pay", when: "args.amount > 200.0",
        approval: { stages: [{ roles: ["compliance"] }, { roles: ["finance"] }] }
      """#
    try await withHeld(two) { bench, held, run in
      for (id, outcome) in [("ben", "pending"), ("ben", "not-eligible"), ("dora", "pending"), ("ben", "approved")] {
        #expect(await approve(bench, held, by: id) == outcome, "\(id)")
      }
      let effect = try await bench.runner.run(held.proposal, in: run)
      #expect(effect.kind == .finished)
    }
  }

  @Test func anEditThatFillsAStageOpensTheNext() async throws {
    try await withHeld(#"{ stages: [{ roles: ["finance"] }, { roles: ["compliance"] }] }"#) { bench, held, run in
      bench.clock.advance(.seconds(60))
      let edited = try await bench.gate.decide(
        held.proposal, .edit(arguments: ["to": "Acme", "amount": 400], reason: nil), by: Workbench.person("ben"), digest: held.digest)
      guard case .superseded(let next) = edited.standing else { Issue.record("\(edited.standing)"); return }
      let record = try #require(try await bench.state(run).proposal(next.proposal))
      let stage = record.stage(of: "staged").stage
      #expect(stage == 2 && record.votes.map(\.principal) == ["user:ben"])
      #expect(await approve(bench, next, by: "ben") == "not-eligible")
      #expect(await approve(bench, next, by: "dora") == "approved")
    }
  }

  @Test("an approver of the first stage who leaves before the effect voids it")
  func anApproverLeavesBeforeTheEffect() async throws {
    try await withHeld(#"{ stages: [{ roles: ["finance"] }, { roles: ["compliance"] }] }"#) { bench, held, run in
      #expect(await approve(bench, held, by: "ben") == "pending")
      #expect(await approve(bench, held, by: "dora") == "approved")
      try await bench.setPeople { $0.people.filter { $0.id != "ben" } }
      await #expect(throws: Refusal.self) { try await bench.runner.run(held.proposal, in: run) }
      #expect(bench.connector.receipts.isEmpty)
      #expect(try await bench.status(held.proposal, in: run) == .voided)
    }
  }

  @Test("what random stages count are distinct people, stage after stage")
  func randomStages() throws {
    try withSeeds(500) { (seed, random: inout SeededGenerator) throws in
      let groups = (0..<Int.random(in: 1...4, using: &random)).map { place in
        ApprovalRequirement(
          rule: "r", stage: 1 + (Bool.random(using: &random) ? place : 0), roles: ["\(Int.random(in: 0...2, using: &random))"],
          count: Int.random(in: 1...2, using: &random))
      }
      let people = (0..<7).map { "user:p\($0)" }.shuffled(using: &random)
      let roles = people.map { _ in (0...2).filter { _ in Bool.random(using: &random) }.map(String.init) }
      let approvers = people.map { Approver(identity: Identity(principal: $0, account: $0, mode: .singleOperator)) }
      func fits(_ need: ApprovalRequirement, _ vote: Int) -> Bool { roles[vote].contains(need.roles[0]) }
      let progress = ApprovalProgress(groups, approvers, passes: { _, _ in false }) { need, approver in
        fits(need, people.firstIndex { $0 == approver.identity.principal } ?? 0)
      }
      let counted = progress.needs.flatMap(\.votes)
      #expect(Set(counted).count == counted.count, "seed \(seed): somebody counts twice")
      for need in progress.needs {
        #expect(need.votes.count <= need.requirement.count && need.votes.allSatisfy { fits(need.requirement, $0) }, "seed \(seed)")
        #expect(need.standing != .met || need.votes.count == need.requirement.count, "seed \(seed)")
        let before = progress.needs.filter { $0.requirement.stage < need.requirement.stage }
        #expect(need.standing == .later || before.allSatisfy { $0.standing == .met }, "seed \(seed)")
        for earlier in before { #expect((earlier.votes.max() ?? -1) < (need.votes.min() ?? .max), "seed \(seed): out of order") }
      }
      // One stage alone is met exactly where some assignment meets it.
      let first = groups.filter { $0.stage == groups.map(\.stage).min() }
      let isMet = progress.needs.filter { first.contains($0.requirement) }.allSatisfy { $0.standing == .met }
      let places = first.flatMap { need in (0..<need.count).map { _ in need } }
      #expect(isMet == Self.canFill(places[...], with: Set(people.indices)) { fits($0, $1) }, "seed \(seed)")
    }
  }

  /// Whether every place can have a person of its own, by trying all.
  private static func canFill(
    _ places: ArraySlice<ApprovalRequirement>, with people: Set<Int>, _ fits: (ApprovalRequirement, Int) -> Bool
  ) -> Bool {
    guard let place = places.first else { return true }
    return people.contains { fits(place, $0) && canFill(places.dropFirst(), with: people.subtracting([$0]), fits) }
  }
}
