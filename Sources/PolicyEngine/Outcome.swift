/// What the rules say about one request.
///
/// Ordered by strength: a stronger outcome beats a weaker one.
public enum Outcome: String, Hashable, Sendable, Comparable, CaseIterable {
  /// The request may be carried out.
  case permit
  /// The request waits until its approval requirements are met.
  case hold
  /// The request is refused.
  case forbid

  /// Whether the second outcome beats the first: forbid beats hold beats permit.
  @inlinable
  public static func < (a: Outcome, b: Outcome) -> Bool { a.strength < b.strength }

  @inlinable var strength: Int {
    switch self {
    case .permit: 0
    case .hold: 1
    case .forbid: 2
    }
  }
}
