public import Core

/// A field or fact with its value, or without one after its content was redacted.
public struct NamedValue: Hashable, Sendable {
  /// The declared name.
  public let name: String
  /// The value; `nil` once its content was redacted.
  public let value: JSON?

  /// Pairs a name with a value.
  public init(_ name: String, _ value: JSON?) {
    self.name = name
    self.value = value
  }
}
