/// One rule whose condition could not be evaluated for a request.
///
/// A decision reports every one of them. The rule counts as matched where it forbids or holds, and as not matched where it permits;
/// where only a fact is missing and the rules say who decides then, it holds.
public struct RuleError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The rule's id; ``RuleSet/defaultRule`` where the request itself cannot be decided by rules.
  public let rule: String
  /// What went wrong, for people: lower case, no full stop.
  ///
  /// It holds no values of the request.
  public let message: String

  /// Makes an error from its parts.
  public init(rule: String, message: String) {
    self.rule = rule
    self.message = message
  }

  /// `rule ID: message`.
  public var description: String { "rule `\(rule)`: \(message)" }
}
