/// One value that a statement binds or a row holds.
public enum SQLValue: Hashable, Sendable {
  /// The kinds of values: SQLite's storage classes.
  public enum Kind: Hashable, Sendable { case null, integer, real, text, blob }

  /// SQL `NULL`.
  case null
  /// A 64-bit integer.
  case integer(Int64)
  /// A double.
  case real(Double)
  /// UTF-8 text.
  case text(String)
  /// Bytes.
  case blob([UInt8])

  /// An integer of the machine's word size.
  public static func int(_ value: Int) -> SQLValue { .integer(Int64(value)) }

  /// Text, or `NULL` when there is none.
  public static func text(_ value: String?) -> SQLValue { value.map { .text($0) } ?? .null }

  /// An integer, or `NULL` when there is none.
  public static func integer(_ value: Int64?) -> SQLValue { value.map { .integer($0) } ?? .null }

  /// Bytes, or `NULL` when there are none.
  public static func blob(_ value: [UInt8]?) -> SQLValue { value.map { .blob($0) } ?? .null }
}

extension SQLValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByNilLiteral {
  /// Text.
  public init(stringLiteral value: String) { self = .text(value) }
  /// An integer.
  public init(integerLiteral value: Int64) { self = .integer(value) }
  /// A double.
  public init(floatLiteral value: Double) { self = .real(value) }
  /// `NULL`.
  public init(nilLiteral: ()) { self = .null }
}
