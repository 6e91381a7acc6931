internal import CEL
import Core
import Testing

@testable import PolicyEngine

@Suite struct LoadTests {
  struct Bad: Sendable, CustomTestStringConvertible {
    var name: String
    var text: String
    var code: String
    /// Line and column, counting the line that `Example.rules` puts before.
    var place: String
    var message: String
    var hint: String?
    var testDescription: String { name }
  }

  static let bad: [Bad] = [
    Bad(
      name: "unknown key", text: "{ id: 'a', permit: 'comment', whn: 'true' }", code: "unknown-key", place: "2:31",
      message: "unknown key `whn`",
      hint: "did you mean `when`?"),
    Bad(
      name: "duplicate id", text: "{ id: 'a', permit: 'comment' },\n{ id: 'a', forbid: 'comment' }", code: "duplicate-id", place: "3:7",
      message: "the id `a` is used twice", hint: "the other rule is at rules.json5:2:7"),
    Bad(name: "no id", text: "{ permit: 'comment' }", code: "missing-key", place: "2:1", message: "a rule needs `id`"),
    Bad(
      name: "no effect", text: "{ id: 'a' }", code: "rule-effect", place: "2:1",
      message: "a rule needs one of `permit`, `hold` and `forbid`"),
    Bad(
      name: "two effects", text: "{ id: 'a', permit: 'comment', forbid: 'comment' }", code: "rule-effect", place: "2:31",
      message: "a rule has only one of `permit`, `hold` and `forbid`"),
    Bad(
      name: "hold without approval", text: "{ id: 'a', hold: 'comment' }", code: "hold-without-approval", place: "2:12",
      message: "a hold needs `approval`, or nobody could ever release it"),
    Bad(
      name: "approval of a forbid", text: "{ id: 'a', forbid: 'comment', approval: { roles: ['finance'] } }", code: "unused-approval",
      place: "2:31",
      message: "`approval` belongs to a hold or to an earned permit, this rule says `forbid`"),
    Bad(
      name: "unknown tool", text: "{ id: 'a', permit: 'crm.lokup' }", code: "unknown-tool", place: "2:20",
      message: "unknown tool `crm.lokup`",
      hint: "did you mean `crm.lookup`?"),
    Bad(
      name: "homoglyph in a tool", text: "{ id: 'a', permit: 'c\u{43E}mment' }", code: "bad-tool-name", place: "2:20",
      message: "a tool name has `\u{43E}` (U+043E) in it; only A-Z, a-z, 0-9, `_`, `.` and `-` can be used"),
    Bad(
      name: "zero width in a tool", text: "{ id: 'a', permit: 'com\u{200B}ment' }", code: "bad-tool-name", place: "2:20",
      message: "a tool name has `\\u{200B}` (U+200B) in it; only A-Z, a-z, 0-9, `_`, `.` and `-` can be used"),
    Bad(
      name: "star in the middle", text: "{ id: 'a', permit: 'er*' }", code: "bad-tool-name", place: "2:20",
      message: "`*` stands alone or after a dot, as in `erp.*`"),
    Bad(
      name: "unknown step", text: "{ id: 'a', permit: 'comment', step: 'colect' }", code: "unknown-step", place: "2:37",
      message: "unknown step `colect`", hint: "did you mean `collect`?"),
    Bad(
      name: "unknown agent", text: "{ id: 'a', permit: 'comment', by: 'agent:risk-analist' }", code: "unknown-agent", place: "2:35",
      message: "unknown agent `risk-analist`", hint: "did you mean `risk-analyst`?"),
    Bad(
      name: "unknown role", text: "{ id: 'a', permit: 'comment', by: 'role:finanse' }", code: "unknown-role", place: "2:35",
      message: "unknown role `finanse`", hint: "did you mean `finance`?"),
    Bad(
      name: "unknown kind of principal", text: "{ id: 'a', permit: 'comment', by: 'robot:x' }", code: "bad-principal", place: "2:35",
      message: "`robot` is no kind of principal; write `agent:*`, `agent:<name>`, `user:…`, `system:…`, `role:<name>` or `*`"),
    Bad(
      name: "unknown field in a condition", text: "{ id: 'a', permit: 'comment',\n  when: 'run.amont > 1.0' }", code: "unknown-field",
      place: "3:14",
      message: "unknown field `amont` of `run`", hint: "did you mean `amount`?"),
    Bad(
      name: "unknown argument", text: "{ id: 'a', permit: 'crm.lookup', when: \"args.vendr == 'x'\" }", code: "unknown-field",
      place: "2:46",
      message: "unknown field `vendr` of `args of crm.lookup`", hint: "did you mean `vendor`?"),
    Bad(
      name: "type of a condition", text: "{ id: 'a', permit: 'comment', when: 'run.amount' }", code: "cel-type", place: "2:42",
      message: "the expression is of type `double`, but `bool` is needed here"),
    Bad(
      name: "unknown clause", text: "{ id: 'a', permit: 'comment', clause: 'policy.md#4.2' }", code: "unknown-clause", place: "2:39",
      message: "unknown clause `policy.md#4.2`", hint: "did you mean `policy.md#4.1`?"),
    Bad(
      name: "clause without heading", text: "{ id: 'a', permit: 'comment', clause: 'policy.md' }", code: "bad-clause", place: "2:39",
      message: "a clause is `document#heading`, such as `policy.md#4.1`"),
    Bad(
      name: "unknown exclusion", text: "{ id: 'a', hold: 'comment', approval: { roles: ['finance'], not: ['requestor'] } }",
      code: "unknown-exclusion",
      place: "2:67", message: "unknown exclusion `requestor`", hint: "did you mean `requester`?"),
    Bad(
      name: "no people", text: "{ id: 'a', hold: 'comment', approval: { roles: ['finance'], count: 0 } }", code: "wrong-type",
      place: "2:68",
      message: "`count` is a whole number from 1 to 20"),
    Bad(
      name: "no time", text: "{ id: 'a', hold: 'comment', approval: { roles: ['finance'], within: 'P0D' } }", code: "bad-duration",
      place: "2:69",
      message: "`within` is a length of time such as `PT4H` or `P2D`, and a minute at least"),
    Bad(
      name: "a reminder every second", text: "{ id: 'a', hold: 'comment', approval: { roles: ['finance'], remind: 'PT59S' } }",
      code: "bad-duration", place: "2:69",
      message: "`remind` is a length of time such as `PT4H` or `P2D`, and a minute at least"),
    Bad(
      name: "roles beside stages", text: "{ id: 'a', hold: 'comment', approval: { count: 2, stages: [{ roles: ['finance'] }] } }",
      code: "misplaced-key", place: "2:41", message: "with `stages`, `count` stands in each of them"),
    Bad(
      name: "no stages", text: "{ id: 'a', hold: 'comment', approval: { stages: [] } }", code: "wrong-type", place: "2:49",
      message: "`stages` is a list of 1 to 10 stages, decided one after the other"),
    Bad(
      name: "a stage of nobody", text: "{ id: 'a', hold: 'comment', approval: { stages: [{ count: 2 }] } }", code: "missing-key",
      place: "2:50", message: "`approval` needs `roles`, the roles of those who can approve"),
    Bad(
      name: "a group of unknown people", text: "{ id: 'a', hold: 'comment', approval: { stages: [[{ roles: ['finanse'] }]] } }",
      code: "unknown-role", place: "2:61", message: "unknown role `finanse`", hint: "did you mean `finance`?"),
    Bad(
      name: "a reminder after the end",
      text: "{ id: 'a', hold: 'comment', approval: { roles: ['finance'], within: 'P1D', remind: 'P2D' } }",
      code: "never-happens", place: "2:76", message: "it is over `within` P1D: nobody is ever reminded"),
    Bad(
      name: "a rung after the end",
      text: "{ id: 'a', hold: 'comment', approval: { roles: ['finance'], within: 'P1D', escalate: [{ after: 'P1D', to: 'manager' }] } }",
      code: "never-happens", place: "2:87", message: "it is over `within` P1D: nobody is asked any more by then"),
    Bad(
      name: "rungs out of order",
      text:
        "{ id: 'a', hold: 'comment', approval: { roles: ['finance'], escalate: [{ after: 'P2D', to: 'manager' }, { after: 'P1D', to: 'role:finance' }] } }",
      code: "out-of-order", place: "2:105", message: "the rungs of `escalate` stand in the order of `after`, the soonest first"),
    Bad(
      name: "a rung to nobody",
      text: "{ id: 'a', hold: 'comment', approval: { roles: ['finance'], escalate: [{ after: 'P1D', to: 'boss' }] } }",
      code: "bad-target", place: "2:92", message: "`to` is `manager`, `role:<name>` or `user:<name>`, not `boss`"),
    Bad(
      name: "an emergency that nobody looks at",
      text: "{ id: 'a', hold: 'comment', approval: { roles: ['finance'], break_glass: { roles: ['finance'], within: 'P1D' } } }",
      code: "missing-key", place: "2:74", message: "`break_glass` needs `review`"),
    Bad(
      name: "earned hold", text: "{ id: 'a', hold: 'comment', autonomy: 'earned', approval: { roles: ['finance'] } }", code: "bad-autonomy",
      place: "2:29", message: "only a permit can be earned, this rule says `hold`"),
    Bad(
      name: "reserved id", text: "{ id: 'default', permit: 'comment' }", code: "bad-id", place: "2:7",
      message: "`default` is what a refusal is called when no rule matches; choose another id"),
  ]

  @Test(arguments: bad)
  func problemsHaveAPlaceAndTheNearestName(_ test: Bad) throws {
    let error = #expect(throws: Diagnostics.self) { try Example.rules(test.text) }
    let problem = try #require(error?.all.first)
    #expect(error?.all.count == 1, "\(error?.all ?? [])")
    #expect(problem.code == test.code)
    #expect(problem.position.map { "\($0.line):\($0.column)" } == test.place)
    #expect(problem.message == test.message)
    if let hint = test.hint { #expect(problem.hint == hint) }
  }

  struct Reading: Sendable {
    let condition: String
    /// The code and what the hint says; nil for a condition that is right.
    let problem: (code: String, hint: String)?
    /// The column of the condition at which it is.
    var column = 1
  }

  static let readings: [Reading] = [
    Reading(condition: "facts.vendor_status == 'known'", problem: nil),
    Reading(condition: "facts.vendor_statu == 'known'", problem: ("unknown-field", "vendor_status"), column: 7),
    Reading(condition: "has(facts.score) && facts.scre > 1", problem: ("unknown-field", "score"), column: 27),
    Reading(condition: "facts.score == 'high'", problem: ("cel-no-overload", ""), column: 13),
    Reading(condition: "facts.open.deep.anything == 1", problem: nil),
    Reading(condition: "'vendor' in facts || facts.vendor_statu == 1", problem: nil),
    Reading(condition: "facts.all(name, facts[name] != 'x')", problem: nil),
    Reading(condition: "labels.args.vendor.trusted", problem: nil),
    Reading(condition: "labels.arg.vendor.trusted", problem: ("unknown-kind-of-label", "args")),
    Reading(condition: "labels.args.vendr.trusted", problem: ("unknown-argument", "vendor")),
    Reading(condition: "labels.args.vendor.trustd", problem: ("unknown-member-of-a-label", "trusted")),
    Reading(condition: "has(labels.run.vendr)", problem: ("unknown-field", "vendor"), column: 5),
    Reading(condition: "labels.run.vendor.sensitivity == 'public'", problem: nil),
    Reading(condition: "labels.facts.scor.trusted", problem: ("unknown-fact", "score")),
    Reading(
      condition: "labels.sinks.all(s, s.trusted) && labels.context.complet", problem: ("unknown-member-of-the-context", "complete"),
      column: 35),
    Reading(condition: "labels['args'].vendr.trusted", problem: nil),
  ]

  @Test("what a condition reads of facts and labels is checked where it is named", arguments: readings)
  func reading(_ reading: Reading) throws {
    var environment = Example.environment
    environment.facts = [("vendor_status", .string), ("score", .int), ("open", .dyn)]
    let text = "{ id: 'a', permit: 'crm.lookup',\nwhen: \"\(reading.condition)\" }"
    guard let problem = reading.problem else { return _ = try Example.rules(text, environment: environment) }
    let thrown = #expect(throws: Diagnostics.self) { try Example.rules(text, environment: environment) }
    let found = try #require(thrown?.all.first)
    #expect(found.code == problem.code, "\(found)")
    #expect(problem.hint.isEmpty || found.hint?.contains("`\(problem.hint)`") == true, "\(found)")
    #expect(found.position?.column == reading.column + 7, "\(found)")
    // Where nobody says which facts there are, nothing is checked.
    _ = try Example.rules(text.replacing("labels.run.vendr", with: "labels.run.vendor"))
  }

  @Test func allProblemsAreReportedTogether() throws {
    let text = "{ id: 'a', permit: 'comment', when: 'run.x' },\n{ permit: 'nothing' },\n{ id: 'b', hold: 'comment', by: 'agent:nobody' }"
    let error = #expect(throws: Diagnostics.self) { try Example.rules(text) }
    #expect(error?.all.map(\.code) == ["unknown-field", "missing-key", "unknown-tool", "hold-without-approval", "unknown-agent"])
  }

  @Test func aGuardCannotPermit() throws {
    var environment = Example.environment
    environment.kind = .guard
    let error = #expect(throws: Diagnostics.self) { try Example.rules("{ id: 'a', permit: 'comment' }", environment: environment) }
    #expect(error?.all.map(\.code) == ["guard-permits"])
  }

  @Test func stagesAndWhatHappensMeanwhileAreKept() throws {
    let rules = try Example.rules(
      """
      { id: 'a', hold: '*', approval: {
        stages: [{ roles: ['finance'], count: 2, signed: true }, [{ roles: ['compliance'] }, { roles: ['requester'], not: ['preparer'] }]],
        within: 'P3D', remind: 'PT4H', escalate: [{ after: 'P1D', to: 'manager' }, { after: 'P2D', to: 'user:kim' }],
        break_glass: { roles: ['compliance'], review: ['finance'], within: 'P1D' },
      } },
      """)
    let approval = try #require(rules.rules[0].approval)
    #expect(approval.needs.map(\.stage) == [1, 2, 2] && approval.needs.map(\.count) == [2, 1, 1])
    let course = approval.course
    #expect(course.within == .seconds(3 * 86_400) && course.remind == .seconds(4 * 3600))
    #expect(course.escalation.map(\.to) == [.manager, .user("user:kim")])
    #expect(course.breakGlass == ApprovalCourse.BreakGlass(roles: ["compliance"], reviewers: ["finance"], within: .seconds(86_400)))
    let decision = try rules.authorize(Example.request("comment"))
    #expect(decision.requirements.map(\.stage) == [1, 2, 2] && decision.requirements.allSatisfy { $0.course == course })
    #expect(
      PolicyVerdict.Need(approval).description
        == "2 of finance, signed; then compliance and requester, not preparer, within P3D, reminds every PT4H, after P1D to manager, "
        + "after P2D to user:kim, break-glass by compliance, reviewed by finance within P1D")
  }

  @Test func aPatternThatFitsNoToolIsAWarning() throws {
    let rules = try Example.rules("{ id: 'a', permit: 'sap.*' }")
    #expect(rules.warnings.map(\.message) == ["no tool's name fits `sap.*`"])
  }

  @Test func whatAFileSaysIsKept() throws {
    let rules = try Example.rules(
      """
      { id: 'a', permit: ['comment', 'crm.*'], by: ['agent:*', 'role:finance'], step: ['collect'], when: "run.risk == 'low'",
        autonomy: 'earned', clause: 'policy.md#4.1', reason: 'routine' },
      { id: 'b', hold: '*', approval: { roles: ['finance'], count: 2, not: ['requester', 'preparer', 'step:collect'], within: 'P1D', signed: true } },
      """)
    let (a, b) = (rules.rules[0], rules.rules[1])
    #expect(rules.policy == "test" && rules.rules.count == 2)
    #expect(a.effect == .permit && a.isEarned && a.steps == ["collect"] && a.clause == "policy.md#4.1" && a.reason == "routine")
    #expect(a.tools == [.exact("comment"), .prefix("crm.")] && a.principals == [.kind(.agent), .role("finance")])
    #expect(a.condition == "run.risk == 'low'" && a.approval == nil)
    #expect(b.effect == .hold && b.tools == [.any] && b.principals.isEmpty)
    let need = try #require(b.approval?.needs.first)
    #expect(need.roles == ["finance"] && need.count == 2 && need.not == ["requester", "preparer", "step:collect"])
    #expect(b.approval?.needs.count == 1 && b.approval?.course == ApprovalCourse(within: .seconds(86_400)) && need.isSigned)
    #expect(rules.rule("b")?.position.line == 4 && rules.rule("c") == nil)
  }

  static let costs: [(condition: String, isCostly: Bool)] = [
    ("args.tags.all(t, t != '')", false), ("args.tags.all(t, t in facts.known)", false),
    ("args.tags.exists(t, t.startsWith(run.vendor))", false),
    ("run.amount < 1000.0 && run.vendor == args.vendor", false), ("args.tags.all(t, args.tags.exists(u, u == t))", true),
  ]

  @Test(arguments: costs) func aConditionThatMayPassTheLimitIsNamed(_ condition: String, _ isCostly: Bool) throws {
    let rules = try Example.rules("{ id: 'a', permit: 'crm.lookup', when: \"\(condition)\" }")
    #expect(rules.warnings.map(\.code) == (isCostly ? ["costly-condition"] : []), "\(rules.warnings)")
  }
}
