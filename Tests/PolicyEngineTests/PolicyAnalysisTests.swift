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
      name: "a permit under a forbid",
      rules: "{ id: 'a', permit: 'comment', when: 'run.amount < 1.0' }, { id: 'b', forbid: 'comment', when: '!(run.amount > 2.0)' }",
      findings: ["shadowed a [b]"]),
    Case(
      name: "the same twice", rules: "{ id: 'a', permit: 'comment' }, { id: 'b', permit: '*' }, { id: 'c', forbid: 'crm.lookup' }",
      findings: ["shadowed a [b]"]),
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
      name: "a condition that is not understood says nothing",
      rules: "{ id: 'a', permit: 'comment', when: 'run.amount * 2.0 < run.amount && run.amount > 1.0' }", findings: []),
    Case(
      name: "of a principal", rules: "{ id: 'a', permit: 'comment', by: 'user:ben', when: \"principal.kind == 'agent'\" }",
      findings: ["never-matches a"]),
  ]

  @Test(arguments: cases) func findings(_ test: Case) throws {
    let analysis = PolicyAnalysis(try Example.rules(test.rules), environment: Example.environment)
    let found = analysis.findings.map { "\($0.code.rawValue) \($0.subject)" + ($0.by.isEmpty ? "" : " [\($0.by.joined(separator: ", "))]") }
    #expect(found == test.findings)
  }

  @Test func aRuleThatIsNotUnderstoodAndAToolThatNobodyMentionsAreNamed() throws {
    let rules = try Example.rules("{ id: 'a', permit: 'comment', when: 'run.amount * 2.0 < 3.0' }, { id: 'b', permit: 'erp.*' }")
    let analysis = PolicyAnalysis(rules, environment: Example.environment, mentioning: ["comment", "crm.lookup", "erp.change_iban"])
    #expect(analysis.unclear.map(\.rule) == ["a"])
    #expect(analysis.findings.map(\.diagnostic.message) == ["no rule mentions the tool `crm.lookup`"])
  }

  @Test func aChangeIsAConditionWithAnExample() throws {
    let before = try Example.rules("{ id: 'a', permit: 'erp.change_iban', when: 'run.amount <= 1000.0' }")
    let after = try Example.rules(
      """
      { id: 'a', permit: 'erp.change_iban', when: 'run.amount <= 500.0' },
      { id: 'b', hold: 'erp.change_iban', approval: { roles: ['finance'] }, when: 'run.amount > 500.0 && run.amount <= 1000.0' }
      """)
    let difference = PolicyDifference(from: before, to: after, environment: Example.environment)
    #expect(difference.isExact)
    let changes = difference.changes.filter { $0.isImplied != true }
    #expect(changes.contains { $0.from.outcome == .permit && $0.to.outcome == .hold && $0.to.needs == ["finance"] })
    #expect(changes.flatMap(\.conditions).contains("run.amount > 500.0 && run.amount <= 1000.0"), "\(difference.changes.map(\.conditions))")
    #expect(difference.changes.allSatisfy { before.authorize($0.example).outcome != after.authorize($0.example).outcome })
    #expect(PolicyDifference(from: before, to: before, environment: Example.environment).changes.isEmpty)
  }
}
