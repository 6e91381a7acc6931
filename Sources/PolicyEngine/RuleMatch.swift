/// One rule that took part in a decision, with what the log and a person need to know of it.
public struct RuleMatch: Hashable, Sendable {
  /// Why the rule counts.
  public enum Basis: String, Hashable, Sendable {
    /// Its condition holds, or it has none.
    case condition
    /// Its condition could not be evaluated; a rule that forbids or holds counts then.
    case error
    /// It is an earned permit, and a live allowance covers the request.
    case allowance
    /// It is an earned permit without a live allowance, so it holds.
    case noAllowance = "no-allowance"
    /// A fact that its condition reads is missing, and the rules say who decides then, so it holds.
    case missingFact = "missing-fact"
    /// The caller gave it: the permit that a step's role or agent implies, for example.
    case implied
  }

  /// The rule's id, or `step:<id>` and the like for an implied permit.
  public let rule: String
  /// What the rule says here.
  ///
  /// An earned permit without an allowance says `hold`, and so does any rule whose fact is missing where the rules say who decides then.
  public let effect: Outcome
  /// Why the rule counts.
  public let basis: Basis
  /// The clause that the rule enforces, such as `policy.md#4.1`.
  public let clause: String?
  /// The text that people are shown as the reason.
  public let reason: String?

  /// Makes a match from its parts.
  public init(rule: String, effect: Outcome, basis: Basis = .condition, clause: String? = nil, reason: String? = nil) {
    self.rule = rule
    self.effect = effect
    self.basis = basis
    self.clause = clause
    self.reason = reason
  }

  /// A permit that follows from something other than a written rule, such as `step:collect`.
  public static func implied(_ rule: String, reason: String? = nil) -> RuleMatch {
    RuleMatch(rule: rule, effect: .permit, basis: .implied, reason: reason)
  }
}
