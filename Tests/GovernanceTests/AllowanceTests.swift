import Audit
import Core
import PolicyEngine
import ProcessModel
import Storage
import TestSupport
import Testing

@testable import Governance

/// A workbench whose agents pay within what they have earned.
extension Workbench {
  static let earningRules = """
    { policy: "payments", rules: [
      { id: "agents-pay-what-they-earned", permit: "bank.pay", by: "agent:*", autonomy: "earned", approval: { roles: ["finance"] } },
      { id: "agents-assess", permit: "complete_step", by: "agent:*" },
      { id: "two-for-huge", hold: "bank.pay", when: "args.amount > 50000.0", approval: { roles: ["finance"], count: 2 } },
      { id: "nobody-else", forbid: "bank.pay", by: "agent:*", when: "args.to != run.payee" },
    ] }
    """

  /// The process with two agents, each with a step of its own.
  static let earningProcess = process.replacing(
    "agents: { bot:",
    with: #"agents: { bat: { owner: "user:olaf", tools: ["complete_step", "bank.pay"], budget: { turns: 4 } }, bot:"#
  ).replacing(
    "steps: [", with: #"steps: [ { parallel: [ [{ step: "check", title: "Check", agent: "bat", prompt: "assess", writes: ["iban"] }], ["#
  ).replacing(
    #"writes: ["risk"], risk: "low" },"#, with: #"writes: ["risk"], risk: "low" }] ], id: "both" },"#)

  /// An allowance's terms, with other members in place of some.
  func terms(_ other: JSONObject = [:]) -> JSONObject {
    let until = clock.source.now() + .seconds(30 * 86_400)
    var terms: JSONObject = [
      "name": "small-payments", "agents": ["bot", "bat"], "process": "payments", "tool": "bank.pay",
      "bounds": [["at": "/amount", "minimum": 0, "maximum": 10000]], "caps": [["within": "PT24H", "count": 100]],
      "maximum_error_ppm": 500_000, "reviewed_within": "P90D", "sampling_ppm": 0, "until": .string(until.iso8601),
    ]
    for (key, value) in other { terms[key] = value == .null ? nil : value }
    return terms
  }

  /// What the agent proposes to pay.
  func pay(_ amount: JSON, _ run: String, agent: String = "bot", to: String = "Acme") async throws -> GateOutcome {
    try await gate.submit(
      self.agent("bank.pay", ["to": .string(to), "amount": amount], run: run, step: agent == "bot" ? "assess" : "check", agent: agent))
  }

  /// A run in which people approved that many payments.
  func earned(_ right: Int, wrong: Int = 0, amount: JSON = 100) async throws -> String {
    let run = try await start()
    for place in 0..<right + wrong {
      let held = try await pay(amount, run)
      #expect(held.verdict == .hold)
      _ = try await gate.decide(
        held.proposal, place < right ? .approve : .reject(reason: "wrong"), by: Self.person("ben"), digest: held.digest)
      if place < right { _ = try await runner.run(held.proposal, in: run) }
    }
    return run
  }

  func grant(_ terms: JSONObject, by person: String = "ana") async throws -> GateOutcome {
    try await gate.submit(self.person(person, "allowance.grant", terms))
  }

  /// Grants an allowance with the approval of the process's owner.
  func granted(_ other: JSONObject = [:]) async throws {
    let held = try await grant(terms(other))
    #expect(held.verdict == .hold, "\(held.refusal?.message ?? "")")
    let decided = try await gate.decide(held.proposal, .approve, by: Self.person("olaf"), digest: held.digest)
    guard case .approved = decided.standing else { Issue.record("\(decided.standing)"); return }
  }

  func allowance(_ name: String = "small-payments") async throws -> AllowanceRecord? {
    try await gate.store.read { try $0.shared().allowances.last { $0.allowance.name == name } }
  }
}

@Suite("Allowances")
struct AllowanceTests {
  private func withBench(_ body: (Workbench) async throws -> Void) async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare(rules: Workbench.earningRules, process: Workbench.earningProcess)
      try await body(bench)
      try await bench.expectVerified()
    }
  }

  @Test func anEarnedPermitHoldsUntilAnotherPersonGrantsIt() async throws {
    try await withBench { bench in
      let run = try await bench.earned(6)
      let held = try await bench.pay(100, run)
      #expect(held.matched.first?.reason == "`bot` has no allowance for this")
      let grant = try await bench.grant(bench.terms(), by: "olaf")
      #expect(grant.requirements.map(\.roles) == [["owner"]] && grant.requirements.first?.not == ["proposer"])
      #expect(await bench.refusal(grant, by: Workbench.person("olaf"))?.code == "not-eligible")
      try await bench.granted()
      let record = try #require(try await bench.allowance())
      #expect(record.basis.reviewed == 6 && record.basis.wrong == 0 && record.basis.bound == ErrorBound.upper(wrong: 0, of: 6))
      #expect(record.proposer == "user:ana" && record.approver == "user:olaf")
      let paid = try await bench.pay(100, run)
      #expect(paid.isGranted && paid.matched.map(\.basis) == [.allowance])
      #expect(try await bench.state(run).proposal(paid.proposal)?.uses.map(\.name) == ["small-payments"])
      #expect(try await bench.runner.run(paid.proposal, in: run).kind == .finished)
    }
  }

  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var terms: JSONObject = [:]
    var amount: JSON = 100
    var to = "Acme"
    var later: Duration = .zero
    var verdict: Outcome
    var why: String?
    var testDescription: String { name }
  }

  static let cases: [Case] = [
    Case(name: "within every bound", verdict: .permit),
    Case(name: "at the maximum", amount: 10000, verdict: .permit),
    Case(
      name: "a cent above the maximum", amount: .number(JSONNumber(10000.01) ?? JSONNumber(0)), verdict: .hold,
      why: "above its maximum of 10000"
    ),
    Case(name: "below the minimum", amount: -1, verdict: .hold, why: "below its minimum of 0"),
    Case(name: "after its time", later: .seconds(31 * 86_400), verdict: .hold, why: "it ran out at"),
    Case(
      name: "before its time", terms: ["from": "2027-01-16T00:00:00Z"], verdict: .hold, why: "it begins at 2027-01-16T00:00:00.000Z"),
    Case(name: "another agent", terms: ["agents": ["bat"]], verdict: .hold, why: "`bot` has no allowance for this"),
    Case(name: "another step", terms: ["agents": ["bat", "bot"], "step": "check"], verdict: .hold, why: "`bot` has no allowance"),
    Case(name: "the rule that it names", terms: ["rule": "agents-pay-what-they-earned"], verdict: .permit),
    Case(name: "one of the values", terms: ["bounds": [["at": "/to", "one_of": ["Acme", "Umbrella"]]]], verdict: .permit),
    Case(
      name: "none of the values", terms: ["bounds": [["at": "/to", "one_of": ["Umbrella"]]]], verdict: .hold, why: "none of those"),
    Case(
      name: "a bound that the call lacks", terms: ["bounds": [["at": "/memo", "one_of": ["x"]]]], verdict: .hold, why: "no argument at"),
    Case(name: "another rule holds", terms: ["bounds": [["at": "/amount", "maximum": 60000]]], amount: 60000, verdict: .hold),
    Case(name: "another rule forbids", to: "Mallory", verdict: .forbid),
    Case(
      name: "a negative amount is not summed",
      terms: [
        "bounds": .null, "caps": [["within": "PT1H", "count": 9, "sum": ["at": "/amount", "limit": 100]]],
      ], amount: -5, verdict: .hold, why: "no amount that can be summed"),
  ]

  @Test("what an allowance covers", arguments: cases)
  func covers(_ test: Case) async throws {
    try await withBench { bench in
      // Cases that the allowance's terms leave out are no evidence for it, so it takes what it gets.
      let run = try await bench.earned(5)
      try await bench.seedAllowance(bench.terms(test.terms))
      bench.clock.advance(test.later)
      let outcome = try await bench.pay(test.amount, run, to: test.to)
      #expect(outcome.verdict == test.verdict, "\(outcome.matched) \(outcome.refusal?.message ?? "")")
      if let why = test.why {
        let reasons = outcome.matched.compactMap(\.reason).joined()
        #expect(reasons.contains(why), "\(reasons)")
      }
    }
  }

  @Test(
    "T28 three times 10,000 over a limit of 25,000, and a hundred times 99 under 5,000",
    arguments: [
      (JSON.number(JSONNumber(10000)), JSON.number(JSONNumber(25000)), 3, 2), (99, 5000, 100, 50),
      (.number(JSONNumber(0.1) ?? JSONNumber(0)), .number(JSONNumber(0.3) ?? JSONNumber(0)), 5, 3),
    ])
  func splitting(_ amount: JSON, _ limit: JSON, _ calls: Int, _ permitted: Int) async throws {
    try await withBench { bench in
      _ = try await bench.earned(5)
      try await bench.seedAllowance(
        bench.terms(["caps": [["within": "PT24H", "count": 1000, "sum": ["at": "/amount", "limit": limit]]]]))
      var permits = 0
      for place in 0..<calls {
        // A new run for each tenth payment: the limit is over all of them.
        let run = try await bench.start()
        let outcome = try await bench.pay(amount, run)
        if outcome.verdict == .permit { permits += 1 }
        #expect((outcome.verdict == .permit) == (place < permitted), "\(place)")
      }
      #expect(permits == permitted)
    }
  }

  @Test func theWindowSlides() async throws {
    try await withBench { bench in
      let run = try await bench.earned(5)
      try await bench.seedAllowance(bench.terms(["caps": [["within": "PT1H", "count": 2]]]))
      #expect(try await bench.pay(1, run).verdict == .permit)
      bench.clock.advance(.seconds(1800))
      #expect(try await bench.pay(2, run).verdict == .permit)
      let full = try await bench.pay(3, run)
      #expect(full.verdict == .hold && full.matched.first?.reason?.contains("its 2 calls in PT1H are used up") == true)
      bench.clock.advance(.seconds(1800))
      #expect(try await bench.pay(4, run).verdict == .permit)
      #expect(try await bench.pay(5, run).verdict == .hold)
    }
  }

  @Test func twoAgentsShareACap() async throws {
    try await withBench { bench in
      let run = try await bench.earned(5)
      try await bench.seedAllowance(bench.terms(["caps": [["within": "PT24H", "count": 1]]]))
      #expect(try await bench.pay(1, run).verdict == .permit)
      #expect(try await bench.pay(1, run, agent: "bat").verdict == .hold)
    }
  }

  @Test func ofManyWhoRaceForTheLastSlotOneGetsIt() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare(rules: Workbench.earningRules, process: Workbench.earningProcess)
      let run = try await bench.earned(5)
      try await bench.seedAllowance(bench.terms(["caps": [["within": "PT24H", "count": 3]]]))
      // Two processes at one file.
      let other = try await Workbench(folder, seed: 2)
      let permits = try await withThrowingTaskGroup(of: Bool.self) { group in
        for place in 0..<16 {
          group.addTask {
            try await (place % 2 == 0 ? bench : other).pay(1, run, agent: place % 3 == 0 ? "bot" : "bat").verdict == .permit
          }
        }
        return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
      }
      #expect(permits == 3)
      try await bench.expectVerified()
    }
  }

  @Test func aCallThatIsTakenBackUsesNothing() async throws {
    try await withBench { bench in
      let run = try await bench.earned(5)
      try await bench.seedAllowance(bench.terms(["caps": [["within": "PT24H", "count": 1]]]))
      let paid = try await bench.pay(1, run)
      #expect(paid.isGranted)
      // The step is over before the payment begins, so it never happens.
      let done = try await bench.gate.submit(bench.agent("complete_step", ["fields": ["risk": "low"]], run: run))
      #expect(done.verdict == .permit)
      #expect(try await bench.status(paid.proposal, in: run) == .withdrawn)
      let next = try await bench.start()
      #expect(try await bench.pay(1, next).verdict == .permit)
    }
  }

  @Test func whatPeopleApprovedNeedsNoAllowanceAndUsesNone() async throws {
    try await withBench { bench in
      let run = try await bench.earned(5)
      let held = try await bench.pay(1, run)
      _ = try await bench.gate.decide(held.proposal, .approve, by: Workbench.person("ben"), digest: held.digest)
      try await bench.seedAllowance(bench.terms(["caps": [["within": "PT24H", "count": 1]]]))
      #expect(try await bench.runner.run(held.proposal, in: run).kind == .finished)
      #expect(try await bench.pay(1, run).verdict == .permit)
    }
  }

  @Test func aStoppedAllowanceCoversNothingMore() async throws {
    try await withBench { bench in
      let run = try await bench.earned(5)
      try await bench.seedAllowance(bench.terms())
      let paid = try await bench.pay(1, run)
      let stopped = try await bench.gate.submit(
        bench.person("ana", "allowance.stop", ["allowance": "small-payments", "reason": "an audit begins"]))
      #expect(stopped.verdict == .permit)
      let next = try await bench.pay(1, run)
      #expect(next.verdict == .hold && next.matched.first?.reason?.contains("stopped: an audit begins") == true)
      // What was permitted and has not begun is decided anew.
      let refusal = await #expect(throws: Refusal.self) { try await bench.runner.run(paid.proposal, in: run) }
      #expect(refusal?.code == "changed")
      let again = try await bench.gate.submit(bench.person("ana", "allowance.stop", ["allowance": "small-payments"]))
      #expect(again.refusal?.code == "allowance-unknown")
    }
  }

  static let refused: [(name: String, terms: JSONObject, code: String)] = [
    ("too much error", ["maximum_error_ppm": 100_000], "not-earned"),
    ("no such agent", ["agents": ["bud"]], "principal-unknown"),
    ("no such step", ["step": "nowhere"], "step-unknown"),
    ("no such process", ["process": "payroll"], "release-unknown"),
    ("no earned rule about the tool", ["tool": "bank.balance"], "allowance-invalid"),
    ("a rule that is not earned", ["rule": "two-for-huge"], "allowance-invalid"),
    ("over already", ["until": "2026-01-01T00:00:00Z"], "allowance-invalid"),
    ("too long", ["until": "2028-06-01T00:00:00Z"], "allowance-invalid"),
    ("no moment", ["until": "tomorrow"], "allowance-invalid"),
    ("no caps", ["caps": []], "arguments-invalid"),
    ("a cap without a count", ["caps": [["within": "PT1H"]]], "arguments-invalid"),
    ("no pointer", ["bounds": [["at": "amount", "maximum": 1]]], "arguments-invalid"),
    ("a bound that bounds nothing", ["bounds": [["at": "/amount"]]], "allowance-invalid"),
    ("an empty range", ["bounds": [["at": "/amount", "minimum": 2, "maximum": 1]]], "allowance-invalid"),
    ("unknown members", ["forever": true], "arguments-invalid"),
    ("any error would do", ["maximum_error_ppm": 1_000_000], "arguments-invalid"),
  ]

  @Test("what makes no sense is refused before anyone is asked", arguments: refused)
  func refusals(_ test: (name: String, terms: JSONObject, code: String)) async throws {
    try await withBench { bench in
      _ = try await bench.earned(6)
      let outcome = try await bench.grant(bench.terms(test.terms))
      #expect(outcome.refusal?.code == test.code, "\(outcome.refusal?.message ?? "none")")
    }
  }

  @Test func evidenceIsCountedFromTheLog() async throws {
    try await withBench { bench in
      _ = try await bench.earned(8, wrong: 1)
      _ = try await bench.earned(1, amount: 20000)  // outside the bounds
      let held = try await bench.grant(bench.terms(["maximum_error_ppm": 450_000]))
      let card = try await bench.gate.store.read { context in
        try context.entry(at: held.entry)?.content(ContentPart.read).map { try JSON.parse($0) }
      }
      #expect(card?["evidence.reviewed"] == 9 && card?["evidence.wrong"] == 1)
      #expect(card?["evidence.upper_bound_ppm"] == .int(ErrorBound.upper(wrong: 1, of: 9)))
      bench.clock.advance(.seconds(91 * 86_400))
      let late = try await bench.grant(bench.terms())
      #expect(late.refusal?.code == "not-earned", "evidence is only so old")
    }
  }

  @Test func theEvidenceThatWasShownIsTheEvidenceThatIsApproved() async throws {
    try await withBench { bench in
      _ = try await bench.earned(12)
      let held = try await bench.grant(bench.terms())
      _ = try await bench.earned(0, wrong: 1)
      let decided = try await bench.gate.decide(held.proposal, .approve, by: Workbench.person("olaf"), digest: held.digest)
      guard case .voided(let next) = decided.standing else { Issue.record("\(decided.standing)"); return }
      #expect(next.verdict == .hold)
    }
  }

  @Test func sampledCallsAreReviewedLaterByTheOwner() async throws {
    try await withBench { bench in
      let run = try await bench.earned(5)
      try await bench.seedAllowance(bench.terms(["sampling_ppm": 1_000_000]))
      let paid = try await bench.pay(1, run)
      #expect(paid.isGranted)
      #expect(try await waiting(bench) == [paid.proposal])
      func review(_ person: String, _ verdict: String) async throws -> GateOutcome {
        try await bench.gate.submit(
          bench.person(person, "allowance.review", ["proposal": .string(paid.proposal), "verdict": .string(verdict)], run: run))
      }
      #expect(try await review("ana", "right").verdict == .forbid)  // she asked for the run
      #expect(try await review("ben", "right").verdict == .forbid)
      #expect(try await review("olaf", "right").verdict == .permit)
      #expect(try await waiting(bench).isEmpty)
      #expect(try await review("olaf", "wrong").refusal?.code == "not-held")
      #expect(try await bench.allowance()?.end == nil)
    }
  }

  private func waiting(_ bench: Workbench) async throws -> [String] {
    try await bench.gate.store.read { context in
      try context.database.query("SELECT proposal FROM usage WHERE sampled = 1 AND review IS NULL") { $0.text(0) }
    }
  }

  @Test func theShareThatIsSampledIsTheOneThatWasAskedFor() async throws {
    try await withBench { bench in
      let allowance = try Allowance(json: .object(bench.terms(["sampling_ppm": 100_000])))
      let sampled = (0..<20_000).count { allowance.isSampled("p-\($0)") }
      #expect((1_800...2_200).contains(sampled), "\(sampled)")
    }
  }

  @Test func anAllowanceIsReadBackAsItWasWritten() async throws {
    try await withBench { bench in
      let terms = bench.terms([
        "step": "assess", "rule": "r", "from": "2027-01-16T00:00:00.000Z",
        "caps": [["within": "PT24H", "count": 3, "sum": ["at": "/amount", "limit": 7]]],
      ])
      let allowance = try Allowance(json: .object(terms))
      #expect(try Allowance(json: allowance.json) == allowance)
    }
  }

  @Test func aReplaySeesTheAllowancesOfItsTime() async throws {
    try await withBench { bench in
      let run = try await bench.earned(5)
      try await bench.seedAllowance(bench.terms(["caps": [["within": "PT24H", "count": 1]]]))
      _ = try await bench.pay(1, run)
      _ = try await bench.pay(1, run)
      try await bench.gate.store.read { context in
        var tally = AllowanceUsage.Tally()
        try context.forEachEntry(in: 0..<context.head.size, of: run) { try tally.note($0) }
        let usage = tally.usage(of: try context.shared(), at: bench.clock.source.now())
        #expect(usage.counts["small-payments"]?.map(\.calls) == [1])
      }
    }
  }
}

extension Workbench {
  /// An allowance with terms that need not fit the evidence there is: as if it had been granted on five right cases.
  func seedAllowance(_ terms: JSONObject) async throws {
    let release = try #require(
      try await gate.store.read { context in
        try context.shared().current("payments").map { try self.gate.release($0.digest, in: context) }
      })
    let allowance = try Allowance(json: .object(terms))
    let basis = AllowanceBasis(reviewed: 5, wrong: 0, pins: AllowancePins(allowance, in: release, SharedState(), model: nil))
    let proposal = Proposal(
      id: gate.mintID(), principal: "user:ana", identity: Self.person("ana"), tool: "allowance.grant", arguments: terms)
    var judgement = Judgement(verdict: .permit, effect: .state, digest: SHA256.hash(proposal.id))
    judgement.basis = basis
    let draft = try EntryDrafting.proposal(proposal, judgement, release: nil, expires: nil, editorCounts: false, evidence: [])
    try await gate.store.submit { _ in ([draft], ()) }
  }
}
