/// What came of a file of rule tests.
public struct RuleTestReport: Sendable {
  /// What came of one test.
  public struct Result: Sendable {
    /// The test.
    public let test: RuleTests.Test
    /// The decision that its request got.
    public let decision: Decision
    /// How the decision differs from what is expected, for people; nil when it does not.
    public let failure: String?
  }

  /// One result for each test, in file order.
  public let results: [Result]
  /// The rules that brought about no test's verdict, in file order: nothing would be noticed if they were removed.
  public let uncovered: [Rule]

  /// The tests that failed, in file order.
  public var failures: [Result] { results.filter { $0.failure != nil } }
}
