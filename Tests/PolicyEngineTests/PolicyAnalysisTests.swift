import CEL
import Core
import Testing

@testable import PolicyEngine

@Suite struct PolicyAnalysisTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var rules: String
    var findings: [String]
    var testDescription: String { name }
  }

  static let cases = [
    Case(name: "nothing to say", rules: "{ id: 'a', permit: 'comment', when: 'run.amount < 1.0' }", findings: []),
    Case(
      name: "a contradiction", rules: "{ id: 'a', permit: 'comment', when: 'run.amount < 1.0 && run.amount > 2.0' }",
      findings: ["never-matches a"]),
    Case(
      name: "no integer in between", rules: "{ id: 'a', permit: 'comment', when: 'run.count > 1 && run.count < 2' }",
      findings: ["never-matches a"]),
    Case(
      name: "a text with two beginnings",
      rules: "{ id: 'a', permit: 'comment', when: \"run.vendor.startsWith('x') && run.vendor.startsWith('y')\" }",
      findings: ["never-matches a"]),
    Case(
      name: "equal values that differ",
      rules: "{ id: 'a', permit: 'crm.lookup', when: \"args.vendor == run.vendor && run.vendor == 'x' && args.vendor != 'x'\" }",
      findings: ["never-matches a"]),
    Case(
      name: "a part that is not there", rules: "{ id: 'a', permit: 'comment', when: '!has(facts.hit) && facts.hit.score > 3' }",
      findings: ["never-matches a"]),
    Case(
      name: "a permit under a forbid",
      rules: "{ id: 'a', permit: 'comment', when: 'run.amount < 1.0' }, { id: 'b', forbid: 'comment', when: '!(run.amount > 2.0)' }",
      findings: ["shadowed a [b]"]),
    Case(
      name: "the same twice", rules: "{ id: 'a', permit: 'comment' }, { id: 'b', permit: '*' }, { id: 'c', forbid: 'crm.lookup' }",
      findings: ["shadowed a [b]"]),
    Case(
      name: "several rules together",
      rules: """
        { id: 'a', permit: 'comment', when: 'run.amount > 1.0 && run.amount < 9.0' },
        { id: 'b', permit: 'comment', when: 'run.amount < 5.0' }, { id: 'c', permit: 'comment', when: 'run.amount >= 5.0' }
        """, findings: ["shadowed a [b, c]"]),
    Case(
      name: "what nothing permits is forbidden", rules: "{ id: 'a', permit: 'comment' }, { id: 'b', forbid: 'crm.lookup' }",
      findings: ["needless-forbid b"]),
    Case(
      name: "what is forbidden in part already, and else not permitted",
      rules: """
        { id: 'a', permit: 'comment', step: 'collect' }, { id: 'b', forbid: 'comment', step: 'activate' },
        { id: 'c', forbid: 'comment', when: 'run.flag' }
        """, findings: []),
    Case(
      name: "of a tool, what is forbidden in part already, and else not permitted",
      rules: """
        { id: 'a', permit: 'crm.lookup', step: 'collect' }, { id: 'b', forbid: 'crm.lookup', step: 'activate' },
        { id: 'c', forbid: 'crm.lookup', when: 'run.flag' }
        """, findings: ["needless-forbid b"]),
    Case(
      name: "what a step permits can be forbidden", rules: "{ id: 'b', forbid: 'complete_step', when: \"step.id == 'collect'\" }",
      findings: []),
    Case(
      name: "two holds that ask for the same",
      rules: """
        { id: 'a', hold: 'comment', approval: { roles: ['finance'] }, when: 'run.flag' },
        { id: 'b', hold: 'comment', approval: { roles: ['finance'] } }
        """, findings: ["shadowed a [b]"]),
    Case(
      name: "two holds that ask for different people",
      rules: """
        { id: 'a', hold: 'comment', approval: { roles: ['finance'] }, when: 'run.flag' },
        { id: 'b', hold: 'comment', approval: { roles: ['compliance'] } }
        """, findings: []),
    Case(
      name: "a hold whose condition may err holds then",
      rules: "{ id: 'a', hold: 'comment', approval: { roles: ['finance'] }, when: 'run.flag' }",
      findings: []),
    Case(
      name: "a condition that is not understood says nothing",
      rules: "{ id: 'a', permit: 'comment', when: 'run.amount * 2.0 < run.amount && run.amount > 1.0' }", findings: []),
    Case(
      name: "a contradiction beside a part that is not understood",
      rules: "{ id: 'a', permit: 'comment', when: 'run.amount * 2.0 < 3.0 && run.amount > 1.0 && run.amount < 1.0' }",
      findings: ["never-matches a"]),
    Case(
      name: "something, perhaps a text, that is longer and shorter",
      rules: "{ id: 'a', permit: 'comment', when: 'facts.hits.size() > 3 && size(facts.hits) < 2' }",
      findings: []),
    Case(
      name: "a list that is longer and shorter",
      rules: "{ id: 'a', permit: 'crm.lookup', when: 'args.tags.size() > 3 && size(args.tags) < 2' }", findings: ["never-matches a"]),
    Case(
      name: "of a principal", rules: "{ id: 'a', permit: 'comment', by: 'user:ben', when: \"principal.kind == 'agent'\" }",
      findings: ["never-matches a"]),
    Case(
      name: "of a step", rules: "{ id: 'a', permit: 'comment', step: 'collect', when: \"step.risk == 'high'\" }",
      findings: ["never-matches a"]),
    Case(
      name: "of a tool", rules: "{ id: 'a', permit: '*', when: \"tool.connector == 'ftp'\" }", findings: ["never-matches a"]),
  ]

  @Test(arguments: cases) func findings(_ test: Case) throws {
    let analysis = PolicyAnalysis(try Example.rules(test.rules), environment: Example.environment)
    let found = analysis.findings.map { "\($0.code.rawValue) \($0.subject)" + ($0.by.isEmpty ? "" : " [\($0.by.joined(separator: ", "))]") }
    #expect(found == test.findings)
  }

  @Test func aRuleThatIsNotUnderstoodAndAToolThatNobodyMentionsAreNamed() throws {
    let rules = try Example.rules("{ id: 'a', permit: 'comment', when: 'run.amount * 2.0 < 3.0' }, { id: 'b', permit: 'erp.*' }")
    let analysis = PolicyAnalysis(rules, environment: Example.environment, mentioning: ["comment", "crm.lookup", "erp.change_iban"])
    #expect(analysis.unclear.map(\.subject) == ["a"])
    #expect(analysis.findings.map(\.diagnostic.message) == ["no rule mentions the tool `crm.lookup`"])
  }

  @Test func manyRulesAboutOneValueAreAnalysed() throws {
    let rules = (0..<200).map { "{ id: 'r\($0)', permit: 'comment', when: \"run.vendor == 'v\($0)'\" }" }
    let more = rules + ["{ id: 'x', permit: 'comment', when: \"run.vendor in ['v7', 'v8']\" }"]
    let (a, b) = (try Example.rules(rules.joined(separator: ",\n")), try Example.rules(more.joined(separator: ",\n")))
    let analysis = PolicyAnalysis(b, environment: Example.environment)
    #expect(analysis.findings.map(\.subject) == ["r7", "r8", "x"] && analysis.findings.map(\.by) == [["x"], ["x"], ["r7", "r8"]])
    #expect(analysis.unclear.isEmpty)
    let difference = PolicyDifference(from: a, to: b, environment: Example.environment)
    #expect(difference.changes.isEmpty && difference.isExact)
  }

  struct Difference: Sendable, CustomTestStringConvertible {
    var name: String
    var before: String
    var after: String
    /// `tool: from → to when condition`; `~` before the condition where it is not exact.
    var changes: [String]
    var testDescription: String { name }
  }

  static let permit = "{ id: 'a', permit: 'erp.change_iban', when: 'run.amount <= 1000.0' }"
  static let differences = [
    Difference(name: "the same", before: permit, after: permit, changes: []),
    Difference(
      name: "another name", before: permit, after: permit.replacing("'a'", with: "'b'"), changes: []),
    Difference(
      name: "the same in other words", before: permit,
      after: "{ id: 'a', permit: 'erp.change_iban', when: 'has(run.amount) && !(run.amount > 1000.0)' }", changes: []),
    Difference(
      name: "a lower limit", before: permit, after: permit.replacing("1000.0", with: "500.0"),
      changes: ["erp.change_iban: permit → forbid when run.amount > 500.0 && run.amount <= 1000.0"]),
    Difference(
      name: "a hold in between", before: permit,
      after: """
        { id: 'a', permit: 'erp.change_iban', when: 'run.amount <= 1000.0' },
        { id: 'b', hold: 'erp.change_iban', approval: { roles: ['finance'] },
          when: "run.amount > 500.0 && run.amount <= 1000.0 && args.vendor == 'x'" }
        """,
      changes: [
        // A hold counts where its condition cannot be evaluated.
        "erp.change_iban: forbid → hold finance when !has(run.amount) && (!has(args.vendor) || args.vendor == \"x\")",
        "erp.change_iban: permit → hold finance when run.amount > 500.0 && run.amount <= 1000.0 && (!has(args.vendor) || args.vendor == \"x\")",
      ]),
    Difference(
      name: "another quorum", before: "{ id: 'a', hold: 'comment', approval: { roles: ['finance'] } }",
      after: "{ id: 'a', hold: 'comment', approval: { roles: ['finance'], count: 2, not: ['requester'] } }",
      changes: ["comment: hold finance → hold 2 of finance, not requester when true"]),
    Difference(
      name: "a rule for every tool", before: "{ id: 'a', permit: ['comment', 'crm.lookup'] }",
      after: "{ id: 'a', permit: ['comment', 'crm.lookup'] }, { id: 'b', forbid: '*', by: 'agent:*' }",
      changes: [
        "complete_step: permit → forbid when principal.kind == \"agent\"", "comment: permit → forbid when principal.kind == \"agent\"",
        "crm.lookup: permit → forbid when principal.kind == \"agent\"",
      ]),
    Difference(
      name: "fewer values", before: "{ id: 'a', permit: 'crm.lookup', when: \"args.vendor in ['x', 'y', 'z']\" }",
      after: "{ id: 'a', permit: 'crm.lookup', when: \"args.vendor in ['x', 'y']\" }",
      changes: ["crm.lookup: permit → forbid when args.vendor == \"z\""]),
    Difference(
      name: "two values compared", before: "{ id: 'a', permit: 'crm.lookup' }",
      after: "{ id: 'a', permit: 'crm.lookup' }, { id: 'b', forbid: 'crm.lookup', when: 'args.vendor != run.vendor' }",
      changes: [
        "crm.lookup: permit → forbid when !has(args.vendor)", "crm.lookup: permit → forbid when !has(run.vendor)",
        "crm.lookup: permit → forbid when args.vendor != run.vendor",
      ]),
    Difference(
      name: "members of a list", before: "{ id: 'a', permit: 'crm.lookup', when: \"'vip' in args.tags\" }",
      after: "{ id: 'a', permit: 'crm.lookup', when: \"'vip' in args.tags && !('new' in args.tags)\" }",
      changes: ["crm.lookup: permit → forbid when \"vip\" in args.tags && \"new\" in args.tags"]),
    Difference(
      name: "a time", before: "{ id: 'a', permit: 'comment', when: \"now < timestamp('2026-01-01T00:00:00Z')\" }",
      after: "{ id: 'a', permit: 'comment', when: \"now < timestamp('2026-03-01T00:00:00Z')\" }",
      changes: [
        "comment: forbid → permit when now >= timestamp(\"2026-01-01T00:00:00.000Z\") && now < timestamp(\"2026-03-01T00:00:00.000Z\")"
      ]),
    Difference(
      name: "how many", before: "{ id: 'a', permit: 'crm.lookup', when: 'args.tags.size() <= 5' }",
      after: "{ id: 'a', permit: 'crm.lookup', when: 'size(args.tags) < 5 && args.tags.size() > 0' }",
      changes: ["crm.lookup: permit → forbid when args.tags.size() == 0 || args.tags.size() == 5"]),
    Difference(
      name: "a part that is not understood", before: "{ id: 'a', permit: 'comment' }",
      after: "{ id: 'a', permit: 'comment' }, { id: 'b', forbid: 'comment', when: 'run.vendor.size() > 3' }",
      changes: ["comment: permit → forbid when !has(run.vendor)", "comment: permit → forbid when ~run.vendor.size() > 3"]),
    Difference(
      name: "an allowance", before: "{ id: 'a', permit: 'comment' }",
      after: "{ id: 'a', permit: 'comment', autonomy: 'earned', approval: { roles: ['finance'] } }",
      changes: ["comment: permit → hold finance when true"]),
  ]

  @Test(arguments: differences) func difference(_ test: Difference) throws {
    let (before, after) = (try Example.rules(test.before), try Example.rules(test.after))
    let difference = PolicyDifference(from: before, to: after, environment: Example.environment)
    let told = difference.changes.map { change in
      func text(_ verdict: PolicyVerdict) -> String { ([verdict.outcome.rawValue] + verdict.requirements).joined(separator: " ") }
      return "\(change.tool): \(text(change.from)) → \(text(change.to)) when \(change.isExact ? "" : "~")\(change.condition)"
    }
    #expect(told == test.changes)
    #expect(difference.isExact == !test.changes.contains { $0.contains("~") })
    for change in difference.changes {
      let example = try #require(change.example)
      #expect(PolicyVerdict(before.authorize(example)) == change.from && PolicyVerdict(after.authorize(example)) == change.to)
    }
  }
}
