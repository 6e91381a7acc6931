public import Core

/// The tests of a file of rules: requests with the verdict and the deciding rules that are expected of them.
public struct RuleTests: Sendable {
  /// One test.
  public struct Test: Sendable {
    /// The name, unique in its file.
    public let name: String
    /// The question.
    public let request: Request
    /// The verdict that is expected.
    public let expected: Outcome
    /// The ids of rules that have to be among those that bring the verdict about; ``RuleSet/defaultRule`` for none.
    public let by: [String]
    /// The ids of earned permits that have a live allowance in this test.
    public let allowances: [String]
    /// Where the test stands in its file.
    public let position: SourcePosition
  }

  /// The most tests that a file has.
  public static let maximumTests = 10_000
  /// The time of a test when neither it nor the rules say one.
  public static let defaultNow = Instant(milliseconds: 1_767_261_600_000)  // 2026-01-01T10:00:00Z

  /// The tests in file order.
  public let tests: [Test]
  /// What is probably not meant, though it can be used.
  public let warnings: [Diagnostic]

  /// Reads a file of tests.
  ///
  /// - Parameters:
  ///   - file: The parsed text, with its places.
  ///   - rules: The rules that are tested; the tests can name only these.
  ///   - environment: Gives a test's tool its effect class and connector, and its step the risk and performer.
  /// - Returns: The tests, ready to run.
  /// - Throws: Every problem that was found, each with its place.
  public static func load(_ file: PositionedJSON, rules: RuleSet, environment: PolicyEnvironment) throws(Diagnostics) -> RuleTests {
    var loader = RuleTestLoader(rules: rules, environment: environment)
    loader.load(file)
    if !loader.problems.errors.isEmpty { throw Diagnostics(loader.problems.all) }
    return RuleTests(tests: loader.tests, warnings: loader.problems.warnings)
  }

  /// Reads the text of a file of tests.
  ///
  /// - Returns: The tests, ready to run.
  /// - Throws: Every problem that was found, each with its place.
  public static func load(
    _ bytes: [UInt8], file: String?, rules: RuleSet, environment: PolicyEnvironment
  ) throws(Diagnostics) -> RuleTests {
    let parsed: PositionedJSON
    do throws(JSONError) {
      parsed = try PositionedJSON.parseJSON5(bytes, file: file)
    } catch {
      throw Diagnostics([error.diagnostic])
    }
    return try load(parsed, rules: rules, environment: environment)
  }

  /// Decides every test's request and compares.
  ///
  /// - Parameters:
  ///   - rules: The rules to test; those with which the tests were read, or others with the same tools and steps.
  ///   - implied: The permits that a request has beside the written rules, as the gate would add them; added to those that the test names.
  /// - Returns: What came of each test, and the rules that no test covers.
  public func run(_ rules: RuleSet, implied: (Request) -> [RuleMatch] = { _ in [] }) -> RuleTestReport {
    var deciding: Set<ExactString> = []
    let results = tests.map { test -> RuleTestReport.Result in
      let named = Set(test.request.implied.map { ExactString($0.rule) })
      let request = test.request.adding(implied: implied(test.request).filter { !named.contains(ExactString($0.rule)) })
      let decision = rules.authorize(request) { rule in
        test.allowances.contains { bytesEqual($0, rule.id) } ? .covered : .uncovered(nil)
      }
      for match in decision.deciding { deciding.insert(ExactString(match.rule)) }
      return RuleTestReport.Result(test: test, decision: decision, failure: Self.failure(of: test, decision))
    }
    return RuleTestReport(results: results, uncovered: rules.rules.filter { !deciding.contains(ExactString($0.id)) })
  }

  private static func failure(of test: Test, _ decision: Decision) -> String? {
    let by = decision.deciding.map(\.rule)
    let actual = by.isEmpty ? RuleSet.defaultRule : by.joined(separator: ", ")
    if decision.outcome != test.expected {
      return "expected \(test.expected.rawValue), got \(decision.outcome.rawValue) by \(actual)"
    }
    for rule in test.by where rule == RuleSet.defaultRule ? !by.isEmpty : !by.contains(where: { bytesEqual($0, rule) }) {
      return "expected \(test.expected.rawValue) by \(rule), got it by \(actual)"
    }
    return nil
  }
}
