/// One row of a result, read in place.
///
/// Valid only inside the closure that received it; columns count from 0.
public struct Row {
  let statement: Statement

  /// An integer column; 0 when it is `NULL`.
  public func integer(_ column: Int) -> Int64 { statement.integer(column) }
  /// An integer column as `Int`; 0 when it is `NULL`.
  public func int(_ column: Int) -> Int { Int(statement.integer(column)) }
  /// A double column; 0 when it is `NULL`.
  public func real(_ column: Int) -> Double { statement.real(column) }
  /// A text column, empty when it is `NULL`.
  public func text(_ column: Int) -> String { statement.text(column) ?? "" }
  /// A text column, `nil` when it is `NULL`.
  public func optionalText(_ column: Int) -> String? { statement.text(column) }
  /// An integer column, `nil` when it is `NULL`.
  public func optionalInteger(_ column: Int) -> Int64? { statement.isNull(column) ? nil : statement.integer(column) }
  /// A copy of a blob column, empty when it is `NULL`.
  public func blob(_ column: Int) -> [UInt8] { statement.blob(column) ?? [] }
  /// A copy of a blob column, `nil` when it is `NULL`.
  public func optionalBlob(_ column: Int) -> [UInt8]? { statement.blob(column) }
  /// A blob or text column's bytes in place, valid until the closure returns; empty when it is `NULL`.
  public func bytes(_ column: Int) -> UnsafeRawBufferPointer { statement.bytes(column) }
  /// Whether a column is `NULL`.
  public func isNull(_ column: Int) -> Bool { statement.isNull(column) }
  /// What kind of value a column holds in this row.
  public func kind(_ column: Int) -> SQLValue.Kind { statement.kind(column) }
  /// Any column as a value.
  public func value(_ column: Int) -> SQLValue { statement.value(column) }
  /// The number of columns.
  public var count: Int { statement.columnCount }
}
