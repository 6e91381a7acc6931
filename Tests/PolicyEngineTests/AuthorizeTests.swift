import Core
import PolicyEngine
import Testing

@Suite struct AuthorizeTests {
  static let permit = "{ id: 'p', permit: 'comment' },"
  static let hold = "{ id: 'h', hold: 'comment', approval: { roles: ['finance'], count: 2, not: ['requester'], within: 'P1D' } },"
  static let secondHold = "{ id: 'h2', hold: 'comment', approval: { roles: ['compliance'] } },"
  static let forbid = "{ id: 'f', forbid: 'comment' },"

  struct Case: Sendable, CustomTestStringConvertible {
    var rules: [String]
    var outcome: Outcome
    var deciding: [String]
    var testDescription: String { "\(rules.count) rules → \(outcome)" }
  }

  static let cases = [
    Case(rules: [], outcome: .forbid, deciding: []),
    Case(rules: [permit], outcome: .permit, deciding: ["p"]),
    Case(rules: [permit, hold], outcome: .hold, deciding: ["h"]),
    Case(rules: [hold], outcome: .hold, deciding: ["h"]),
    Case(rules: [permit, hold, secondHold], outcome: .hold, deciding: ["h", "h2"]),
    Case(rules: [permit, hold, forbid], outcome: .forbid, deciding: ["f"]),
    Case(rules: [forbid, permit], outcome: .forbid, deciding: ["f"]),
  ]

  @Test(arguments: cases)
  func forbidBeatsHoldBeatsPermit(_ test: Case) throws {
    for order in [test.rules, test.rules.reversed()] {
      let decision = try Example.rules(order.joined(separator: "\n")).authorize(try Example.request("comment"))
      #expect(decision.outcome == test.outcome)
      #expect(decision.deciding.map(\.rule).sorted() == test.deciding)
      #expect(decision.matched.count == test.rules.count)
      #expect(decision.requirements.count == (test.outcome == .hold ? test.deciding.count : 0))
    }
  }

  @Test func holdsJoinAndSayWhatTheyNeed() throws {
    let decision = try Example.rules(Self.hold + Self.secondHold).authorize(try Example.request("comment"))
    #expect(
      decision.requirements == [
        ApprovalRequirement(rule: "h", roles: ["finance"], count: 2, not: ["requester"], course: ApprovalCourse(within: .seconds(86_400))),
        ApprovalRequirement(rule: "h2", roles: ["compliance"]),
      ])
  }

  @Test func aRuleThatErrsCountsUnlessItPermits() throws {
    let rules = try Example.rules(
      """
      { id: 'p', permit: 'comment', when: "run.risk == 'low'" },
      { id: 'h', hold: 'comment', when: 'run.amount > 1.0', approval: { roles: ['finance'] } },
      { id: 'f', forbid: 'comment', when: 'run.count > 1' },
      """)
    let all = rules.authorize(try Example.request("comment"))
    #expect(all.outcome == .forbid && all.matched.map(\.rule) == ["h", "f"] && all.matched.allSatisfy { $0.basis == .error })
    #expect(all.errors.map(\.rule) == ["p", "h", "f"])
    let held = rules.authorize(try Example.request("comment", run: ["count": 1]))
    #expect(held.outcome == .hold && held.requirements.map(\.rule) == ["h"] && held.errors.map(\.rule) == ["p", "h"])
    let refused = rules.authorize(try Example.request("comment", run: ["count": 1, "amount": 1]))
    #expect(refused.outcome == .forbid && refused.isDefault && refused.errors.map(\.rule) == ["p"])
    let permitted = rules.authorize(try Example.request("comment", run: ["count": 1, "amount": 1, "risk": "low"]))
    #expect(permitted.outcome == .permit && permitted.errors.isEmpty)
  }

  struct Missing: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var rules: [String]
    var outcome: Outcome
    var deciding: [String]
    var roles: [String] = []
  }

  static let factPermit = "{ id: 'p', permit: 'comment', when: \"facts.order.state == 'open'\" },"
  static let factForbid = "{ id: 'f', forbid: 'comment', when: \"facts.order.state == 'sent'\" },"
  static let factHold = "{ id: 'h', hold: 'comment', when: 'facts.order.count > 1', approval: { roles: ['finance'] } },"
  static let otherPermit = "{ id: 'q', permit: 'comment' },"
  static let missing = "missing: { approval: { roles: ['compliance'], count: 2 } },"

  static let missingCases = [
    Missing(
      testDescription: "a forbid holds what others permit", rules: [otherPermit, factForbid], outcome: .hold, deciding: ["f"],
      roles: ["compliance"]),
    Missing(testDescription: "a forbid stands in for no permit", rules: [factForbid], outcome: .forbid, deciding: []),
    Missing(
      testDescription: "a permit holds where nothing else permits", rules: [factPermit], outcome: .hold, deciding: ["p"],
      roles: ["compliance"]),
    Missing(
      testDescription: "a permit says nothing where another permits", rules: [factPermit, otherPermit], outcome: .permit, deciding: ["q"]),
    Missing(
      testDescription: "a hold asks for whom it names", rules: [otherPermit, factHold], outcome: .hold, deciding: ["h"], roles: ["finance"]),
    Missing(
      testDescription: "a permit says nothing where another holds", rules: [factPermit, factHold], outcome: .hold, deciding: ["h"],
      roles: ["finance"]),
    Missing(
      testDescription: "permit and forbid hold both", rules: [factPermit, factForbid], outcome: .hold, deciding: ["p", "f"],
      roles: ["compliance", "compliance"]),
    Missing(testDescription: "a forbid beats it", rules: [factPermit, factForbid, forbidding], outcome: .forbid, deciding: ["x"]),
    Missing(
      testDescription: "another error is no missing fact", rules: [otherPermit, "{ id: 'f', forbid: 'comment', when: 'run.count > 1' },"],
      outcome: .forbid, deciding: ["f"]),
  ]
  static let forbidding = "{ id: 'x', forbid: 'comment' },"

  @Test(arguments: missingCases)
  func aRuleWhoseFactIsMissingHolds(_ test: Missing) throws {
    let rules = try Example.rules(test.rules.joined(separator: "\n"), top: Self.missing)
    let decision = rules.authorize(try Example.request("comment"))
    #expect(decision.outcome == test.outcome)
    #expect(decision.deciding.map(\.rule) == test.deciding)
    #expect(decision.requirements.flatMap(\.roles) == test.roles)
    let known = rules.authorize(try Example.request("comment", run: ["count": 1], facts: ["order": ["state": "open", "count": 1]]))
    #expect(known.errors.isEmpty && known.matched.allSatisfy { $0.basis == .condition })
  }

  @Test func theExplanationNamesTheMissingFact() throws {
    let rules = try Example.rules(Self.otherPermit + Self.factForbid, top: Self.missing)
    let decision = rules.authorize(try Example.request("comment"))
    #expect(decision.matched.map(\.basis) == [.condition, .missingFact])
    #expect(decision.requirements.map(\.count) == [2])
    #expect(
      decision.explanation.hasPrefix(
        "rule `f` holds this, because a fact that it reads is missing: `facts.order.state` is missing"), "\(decision.explanation)")
    let without = try Example.rules(Self.otherPermit + Self.factForbid).authorize(try Example.request("comment"))
    #expect(without.outcome == .forbid && without.matched.map(\.basis) == [.condition, .error])
  }

  @Test func aFalsePartSettlesAConditionWhateverElseErrs() throws {
    let rules = try Example.rules("{ id: 'f', forbid: 'comment', when: \"run.count / 0 > 1 && run.risk == 'high'\" }")
    #expect(rules.authorize(try Example.request("comment", run: ["risk": "low", "count": 1])).matched.isEmpty)
    #expect(rules.authorize(try Example.request("comment", run: ["risk": "high", "count": 1])).matched.map(\.basis) == [.error])
  }

  @Test func impliedPermitsCountLikeWrittenOnes() throws {
    let request = try Example.request("comment", implied: [.implied("step:collect")])
    #expect(try Example.rules("").authorize(request).deciding.map(\.rule) == ["step:collect"])
    #expect(try Example.rules(Self.hold).authorize(request).outcome == .hold)
    #expect(try Example.rules(Self.forbid).authorize(request).outcome == .forbid)
  }

  @Test func anEarnedPermitHoldsWithoutAnAllowance() throws {
    let rules = try Example.rules("{ id: 'e', permit: 'comment', autonomy: 'earned' }, { id: 'p', permit: 'comment' }")
    let request = try Example.request("comment")
    let held = rules.authorize(request)
    #expect(held.outcome == .hold && held.matched.map(\.basis) == [.noAllowance, .condition])
    #expect(held.requirements == [ApprovalRequirement(rule: "e", roles: [], approvers: ["user:ana"])])
    let permitted = rules.authorize(request) { $0.id == "e" ? .covered : .uncovered(nil) }
    #expect(permitted.outcome == .permit && permitted.matched.map(\.basis) == [.allowance, .condition] && permitted.requirements.isEmpty)
    let byRole = rules.authorize(try Example.request("comment", owner: "role:finance"))
    #expect(byRole.requirements == [ApprovalRequirement(rule: "e", roles: ["finance"])])
  }

  @Test func anEarnedPermitWithNobodyToAskPermitsNothing() throws {
    let decision = try Example.rules("{ id: 'e', permit: 'comment', autonomy: 'earned' }").authorize(
      try Example.request("comment", owner: nil))
    #expect(decision.outcome == .forbid && decision.errors.map(\.rule) == ["e"])
  }

  @Test func anAllowanceNeverTurnsAHoldOrAForbidIntoAPermit() throws {
    for other in [Self.hold, Self.forbid] {
      let rules = try Example.rules("{ id: 'e', permit: 'comment', autonomy: 'earned' }," + other)
      #expect(rules.authorize(try Example.request("comment")) { _ in .covered }.outcome != .permit)
    }
  }

  @Test func aGuardOnlyAddsHoldsAndForbids() throws {
    var environment = Example.environment
    environment.kind = .guard
    let holding = try Example.rules("{ id: 'g', hold: '*', approval: { roles: ['finance'] } }", environment: environment)
    let forbidding = try Example.rules("{ id: 'g', forbid: 'comment' }", environment: environment)
    let idle = try Example.rules("{ id: 'g', forbid: 'crm.lookup' }", environment: environment)
    let (permit, request) = (try Example.rules(Self.permit), try Example.request("comment"))
    #expect(permit.authorize(request, guard: idle).outcome == .permit)
    #expect(permit.authorize(request, guard: holding).outcome == .hold)
    #expect(permit.authorize(request, guard: forbidding).outcome == .forbid)
    // A hold by the guard does not stand in for a permit that nobody gave.
    let refused = try Example.rules("").authorize(request, guard: holding)
    #expect(refused.outcome == .forbid && refused.isDefault && refused.requirements.isEmpty && refused.matched.map(\.rule) == ["guard:g"])
  }

  @Test func patternsOfToolsPrincipalsAndStepsAllHaveToFit() throws {
    let rules = try Example.rules(
      "{ id: 'p', permit: ['crm.*', 'comment'], by: ['agent:clerk', 'role:finance', 'system:*'], step: 'collect' }")
    let step = Request.Step(id: "collect")
    func outcome(_ tool: String, _ principal: String, _ roles: [String] = [], step: Request.Step? = step) throws -> Outcome {
      rules.authorize(try Example.request(tool, by: principal, roles: roles, step: step)).outcome
    }
    #expect(try outcome("comment", "agent:clerk") == .permit)
    #expect(try outcome("crm.lookup", "agent:clerk") == .permit)
    #expect(try outcome("crm.anything_new", "system:timer") == .permit)
    #expect(try outcome("crm.lookup", "user:ben", ["finance"]) == .permit)
    #expect(try outcome("crm.lookup", "user:ben", ["compliance"]) == .forbid)
    #expect(try outcome("crm.lookup", "agent:clerk2") == .forbid)
    #expect(try outcome("crm.", "agent:clerk") == .forbid)
    #expect(try outcome("crmlookup", "agent:clerk") == .forbid)
    #expect(try outcome("comment", "agent:clerk", step: nil) == .forbid)
    #expect(try outcome("comment", "agent:clerk", step: Request.Step(id: "activate")) == .forbid)
  }

  @Test func conditionsSeeTheWholeEnvironment() throws {
    let conditions = [
      "run.vendor == 'ACME' && run.amount == 10.5 && run.count == 3 && run.flag",
      "step.id == 'collect' && step.risk == 'low' && step.iteration == 2 && step.performer == 'agent:clerk'",
      "args.vendor == 'ACME' && args.amount == 5.0 && args.count == 5 && args.urgent && 'x' in args.tags && args.item.price < 2.0",
      "tool.name == 'crm.lookup' && tool.effect == 'read' && tool.connector == 'http'",
      "principal.id == 'agent:clerk' && principal.kind == 'agent' && 'finance' in principal.roles && principal.owner == 'user:ana'",
      "requester.id == 'user:ben' && 'requester' in requester.roles && requester.id != principal.id",
      "facts.score == 7 && facts.customer.tier == 'gold' && has(facts.score) && !has(facts.other)",
      "labels.args.vendor.origin == 'web'",
      "now > timestamp('2026-01-01T00:00:00Z') && now.getHours() == 10",
    ]
    let request = try Example.request(
      "crm.lookup", by: "agent:clerk", roles: ["finance"],
      args: ["vendor": "ACME", "amount": 5, "count": 5, "urgent": true, "tags": ["x", "y"], "item": ["price": 1.5]],
      run: ["vendor": "ACME", "amount": 10.5, "count": 3, "flag": true],
      step: Request.Step(id: "collect", risk: "low", iteration: 2, performer: "agent:clerk"),
      facts: ["score": 7, "customer": ["tier": "gold"]], labels: ["args": ["vendor": ["origin": "web"]]],
      requester: Request.Requester(id: "user:ben", roles: ["requester"]))
    for condition in conditions {
      let rules = try Example.rules("{ id: 'p', permit: 'crm.lookup', when: \"\(condition)\" }")
      let decision = rules.authorize(request)
      #expect(decision.outcome == .permit, "\(condition): \(decision.explanation)")
    }
  }

  @Test func readValuesAreThoseOfMatchingRulesWithoutTheTime() throws {
    let rules = try Example.rules(
      """
      { id: 'p', permit: 'crm.lookup', when: "run.amount < 10.0 || facts.score > 3" },
      { id: 'h', hold: 'crm.lookup', when: "args.vendor == 'ACME' && now > timestamp('2020-01-01T00:00:00Z')", approval: { roles: ['finance'] } },
      { id: 'f', forbid: 'crm.lookup', when: "run.risk == 'high'" },
      """)
    let decision = rules.authorize(try Example.request("crm.lookup", args: ["vendor": "ACME"], run: ["amount": 1, "risk": "low"]))
    #expect(decision.outcome == .hold)
    #expect(decision.read.map(\.path) == ["args.vendor", "facts.score", "run.amount"])
    #expect(decision.read.map(\.value) == ["ACME", nil, 1])
  }

  @Test func aRefusalSaysWhatCameNearest() throws {
    let rules = try Example.rules(
      """
      { id: 'other', permit: 'comment', by: 'agent:clerk' },
      { id: 'low', permit: 'comment', when: "run.risk == 'low'" },
      { id: 'at-step', permit: 'comment', step: 'activate' },
      """)
    let decision = rules.authorize(try Example.request("comment", run: ["risk": "high"]))
    #expect(decision.isDefault)
    #expect(
      decision.explanation == """
        no rule permits `comment` by `agent:risk-analyst`
        rule `low` does not match: it needs run.risk == 'low'
        rule `at-step` does not match: it is about step `activate`
        rule `other` does not match: it is about `agent:clerk`
        """)
    let nothing = rules.authorize(try Example.request("crm.lookup"))
    #expect(nothing.explanation.contains("what no rule permits is refused"))
  }
}
