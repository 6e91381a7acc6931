import CSQLite

/// The reading half of a ``Connection``: statements that would change something are refused.
public struct ReadOnlyConnection {
  private let connection: Connection

  /// Restricts a connection.
  public init(_ connection: Connection) { self.connection = connection }

  /// All rows of a query, mapped; see ``Connection/query(_:_:_:)``.
  public func query<T>(_ sql: String, _ values: [SQLValue] = [], _ map: (Row) throws -> T) throws -> [T] {
    try check(sql)
    return try connection.query(sql, values, map)
  }

  /// The first row of a query, mapped; see ``Connection/first(_:_:_:)``.
  public func first<T>(_ sql: String, _ values: [SQLValue] = [], _ map: (Row) throws -> T) throws -> T? {
    try check(sql)
    return try connection.first(sql, values, map)
  }

  /// Walks over the rows of a query; see ``Connection/forEach(_:_:_:)``.
  public func forEach(_ sql: String, _ values: [SQLValue] = [], _ body: (Row) throws -> Void) throws {
    try check(sql)
    try connection.forEach(sql, values, body)
  }

  private func check(_ sql: String) throws(StorageError) {
    guard sqlite3_stmt_readonly(try connection.statement(sql).handle) != 0 else {
      throw StorageError(.misuse, "a reader must not change the store: \(sql)")
    }
  }
}
