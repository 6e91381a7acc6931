import CSQLite

/// A prepared statement of one ``Connection``: bind, step, read columns, reset.
///
/// Confined to its connection's thread. Parameters count from 1 and columns from 0, as in SQLite.
/// Prefer ``Connection/run(_:_:)`` and ``Connection/query(_:_:_:)``; this type is for loops where each microsecond counts.
public final class Statement {
  /// `nil` once the connection was closed; SQLite then answers each call with `SQLITE_MISUSE`.
  @inline(__always)
  var handle: OpaquePointer? { place.pointee }
  /// Where the handle is kept: a property of a class is checked for overlapping access each time it is touched.
  private let place: UnsafeMutablePointer<OpaquePointer?>
  unowned let connection: Connection
  /// Whether someone is between bind and reset; the cache then hands out another one.
  var inUse = false

  init(handle: OpaquePointer, connection: Connection) {
    place = .allocate(capacity: 1)
    place.initialize(to: handle)
    self.connection = connection
  }

  deinit {
    sqlite3_finalize(handle)
    place.deallocate()
  }

  func finalize() {
    sqlite3_finalize(handle)
    place.pointee = nil
  }

  /// The SQL text.
  public var sql: String { sqlite3_sql(handle).map { String(cString: $0) } ?? "" }

  /// The number of columns of its rows.
  public var columnCount: Int { Int(sqlite3_column_count(handle)) }

  /// The name of a column.
  public func columnName(_ column: Int) -> String { sqlite3_column_name(handle, Int32(column)).map { String(cString: $0) } ?? "" }

  // MARK: Binding

  /// Binds one value; text and bytes are copied.
  public func bind(_ parameter: Int, _ value: SQLValue) throws(StorageError) {
    switch value {
    case .null: try bindNull(parameter)
    case .integer(let number): try bind(parameter, number)
    case .real(let number): try check(sqlite3_bind_double(handle, Int32(parameter), number))
    case .text(let text): try bind(parameter, text)
    case .blob(let bytes): try bind(parameter, bytes)
    }
  }

  /// Binds `NULL`.
  @inline(__always)
  public func bindNull(_ parameter: Int) throws(StorageError) { try check(sqlite3_bind_null(handle, Int32(parameter))) }

  /// Binds an integer.
  @inline(__always)
  public func bind(_ parameter: Int, _ value: Int64) throws(StorageError) {
    try check(sqlite3_bind_int64(handle, Int32(parameter), value))
  }

  /// Binds text, which is copied.
  public func bind(_ parameter: Int, _ text: String) throws(StorageError) {
    var text = text
    let result = text.withUTF8 { utf8 in
      utf8.withMemoryRebound(to: CChar.self) { csqlite_bind_text_copy(handle, Int32(parameter), $0.baseAddress, UInt64($0.count)) }
    }
    try check(result)
  }

  /// Binds bytes, which are copied.
  public func bind(_ parameter: Int, _ bytes: [UInt8]) throws(StorageError) {
    let result = bytes.withUnsafeBytes { csqlite_bind_blob_copy(handle, Int32(parameter), $0.baseAddress, UInt64($0.count)) }
    try check(result)
  }

  /// Binds bytes without a copy: they must stay alive and unchanged until ``reset()`` or the next bind of this parameter.
  @inline(__always)
  public func bind(_ parameter: Int, borrowing bytes: UnsafeRawBufferPointer) throws(StorageError) {
    try check(csqlite_bind_blob_borrowed(handle, Int32(parameter), bytes.baseAddress, UInt64(bytes.count)))
  }

  /// Binds UTF-8 text without a copy: it must stay alive and unchanged until ``reset()`` or the next bind of this parameter.
  @inline(__always)
  public func bind(_ parameter: Int, borrowing text: UnsafeBufferPointer<UInt8>) throws(StorageError) {
    let result = text.withMemoryRebound(to: CChar.self) {
      csqlite_bind_text_borrowed(handle, Int32(parameter), $0.baseAddress, UInt64($0.count))
    }
    try check(result)
  }

  /// Binds a blob of zeroes to be filled through ``Connection/write(intoBlobOf:column:row:at:_:)``.
  public func bindZeroes(_ parameter: Int, count: Int) throws(StorageError) {
    try check(sqlite3_bind_zeroblob64(handle, Int32(parameter), UInt64(count)))
  }

  // MARK: Running

  /// Advances to the next row.
  ///
  /// - Returns: Whether there is one; after `false` the statement is reset.
  /// - Throws: ``StorageError``; the statement is reset.
  public func step() throws(StorageError) -> Bool {
    let result = sqlite3_step(handle)
    if result == SQLITE_ROW { return true }
    sqlite3_reset(handle)
    guard result == SQLITE_DONE else { throw connection.error(result, doing: sql) }
    return false
  }

  /// Runs a statement that has no rows to read, and resets it.
  @inline(__always)
  public func run() throws(StorageError) {
    let result = sqlite3_step(handle)
    guard result == SQLITE_DONE || result == SQLITE_ROW else {
      let error = connection.error(result, doing: sql)
      sqlite3_reset(handle)
      throw error
    }
    sqlite3_reset(handle)
  }

  /// Makes the statement ready to run again; bound values stay.
  public func reset() { sqlite3_reset(handle) }

  /// Sets every parameter back to `NULL`.
  public func clearBindings() { sqlite3_clear_bindings(handle) }

  // MARK: Reading

  /// An integer column; 0 when it is `NULL`.
  @inline(__always)
  public func integer(_ column: Int) -> Int64 { sqlite3_column_int64(handle, Int32(column)) }

  /// A double column; 0 when it is `NULL`.
  public func real(_ column: Int) -> Double { sqlite3_column_double(handle, Int32(column)) }

  /// Whether a column is `NULL`.
  @inline(__always)
  public func isNull(_ column: Int) -> Bool { sqlite3_column_type(handle, Int32(column)) == SQLITE_NULL }

  /// A text column, `nil` when it is `NULL`; bytes that are not UTF-8 are replaced.
  public func text(_ column: Int) -> String? {
    guard !isNull(column), let bytes = sqlite3_column_text(handle, Int32(column)) else { return nil }
    let count = Int(sqlite3_column_bytes(handle, Int32(column)))
    return String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
  }

  /// A copy of a blob or text column's bytes, `nil` when it is `NULL`.
  public func blob(_ column: Int) -> [UInt8]? { isNull(column) ? nil : [UInt8](bytes(column)) }

  /// A blob or text column's bytes in place, valid until the next step or reset; empty when it is `NULL`.
  @inline(__always)
  public func bytes(_ column: Int) -> UnsafeRawBufferPointer {
    let pointer = sqlite3_column_blob(handle, Int32(column))
    let count = Int(sqlite3_column_bytes(handle, Int32(column)))
    guard let pointer, count > 0 else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    return UnsafeRawBufferPointer(start: pointer, count: count)
  }

  /// What kind of value a column holds in this row.
  public func kind(_ column: Int) -> SQLValue.Kind {
    switch sqlite3_column_type(handle, Int32(column)) {
    case SQLITE_INTEGER: .integer
    case SQLITE_FLOAT: .real
    case SQLITE_TEXT: .text
    case SQLITE_BLOB: .blob
    default: .null
    }
  }

  /// Any column as a value.
  public func value(_ column: Int) -> SQLValue {
    switch sqlite3_column_type(handle, Int32(column)) {
    case SQLITE_INTEGER: .integer(integer(column))
    case SQLITE_FLOAT: .real(real(column))
    case SQLITE_TEXT: .text(text(column) ?? "")
    case SQLITE_BLOB: .blob(blob(column) ?? [])
    default: .null
    }
  }

  @inline(__always)
  private func check(_ result: Int32) throws(StorageError) {
    if result != SQLITE_OK { throw connection.error(result, doing: sql) }
  }
}
