/// What a tool can change.
public enum EffectClass: String, Hashable, Sendable, CaseIterable {
  /// Nothing: it only reads.
  case read
  /// The run, and nothing outside it.
  case state
  /// The world outside.
  case external
}
