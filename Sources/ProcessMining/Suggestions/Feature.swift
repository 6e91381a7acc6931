/// One thing that a rule can see and that a suggestion may therefore compare: a field, an argument, a fact.
public struct Feature: Hashable, Sendable {
  /// What values the feature takes, and so which comparisons make sense.
  public enum Kind: Hashable, Sendable {
    /// Whole numbers, compared by order.
    case integer
    /// Decimal numbers, compared by order.
    case number
    /// A closed set of names, compared by equality.
    case choice
    /// True or false.
    case flag
  }

  /// How a condition names it, such as `run.amount`; ASCII.
  public let path: String
  /// What values it takes.
  public let kind: Kind
  /// Whether the value must not show in a rule or a report.
  ///
  /// Such a feature is never used.
  public let isConfidential: Bool

  /// A feature that conditions can name.
  public init(_ path: String, _ kind: Kind, isConfidential: Bool = false) {
    self.path = path
    self.kind = kind
    self.isConfidential = isConfidential
  }
}

/// The value of one ``Feature`` when a hold was decided.
public enum FeatureValue: Hashable, Sendable {
  /// A whole number.
  case integer(Int64)
  /// A decimal number; one that is not finite counts as absent.
  case number(Double)
  /// One name of a closed set.
  case choice(String)
  /// True or false.
  case flag(Bool)
}
