/// A proposal that a rule held and that was then decided, or that nobody decided in time: one case to learn from.
public struct DecidedHold: Sendable {
  /// How the hold ended.
  public enum Outcome: String, Hashable, Sendable, CaseIterable {
    /// Approved as it was proposed.
    case approvedUnchanged = "approved unchanged"
    /// Approved with other arguments.
    case edited
    /// Rejected.
    case rejected
    /// Not decided within its deadline.
    case timedOut = "timed out"
  }

  /// Id of the rule that held it.
  public let rule: String
  /// Other rules that held it as well: without ``rule`` it would still have been held.
  public let otherRules: [String]
  /// The tool that was proposed.
  public let tool: String
  /// The step that it was proposed at, if any.
  public let step: String?
  /// What was decided.
  public let outcome: Outcome
  /// Values by ``Feature/path`` at the time of the decision.
  public let features: [String: FeatureValue]
  /// Index of the entry in the log that proves it.
  public let entry: Int64

  /// A decided hold with its evidence.
  public init(
    rule: String, otherRules: [String] = [], tool: String, step: String? = nil, outcome: Outcome, features: [String: FeatureValue],
    entry: Int64
  ) {
    self.rule = rule
    self.otherRules = otherRules
    self.tool = tool
    self.step = step
    self.outcome = outcome
    self.features = features
    self.entry = entry
  }
}
