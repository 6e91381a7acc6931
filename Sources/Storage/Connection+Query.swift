extension Connection {
  /// Runs one statement that returns no rows.
  ///
  /// - Parameters:
  ///   - sql: The statement, with `?` for each value.
  ///   - values: What to bind, in order.
  /// - Throws: ``StorageError``; the statement had no effect.
  public func run(_ sql: String, _ values: SQLValue...) throws(StorageError) {
    try run(sql, values)
  }

  /// Runs one statement that returns no rows.
  public func run(_ sql: String, _ values: [SQLValue]) throws(StorageError) {
    let statement = try statement(sql)
    statement.inUse = true
    defer { statement.inUse = false }
    try bind(values, to: statement)
    try statement.run()
    statement.clearBindings()
  }

  /// All rows of a query, mapped.
  ///
  /// Meant for results of a known, small size; see ``forEach(_:_:_:)``.
  ///
  /// - Throws: ``StorageError``, and what `map` throws.
  public func query<T>(_ sql: String, _ values: [SQLValue] = [], _ map: (Row) throws -> T) throws -> [T] {
    var rows: [T] = []
    try forEach(sql, values) { rows.append(try map($0)) }
    return rows
  }

  /// The first row of a query, mapped; `nil` when there is none.
  ///
  /// - Throws: ``StorageError``, and what `map` throws.
  public func first<T>(_ sql: String, _ values: [SQLValue] = [], _ map: (Row) throws -> T) throws -> T? {
    let statement = try statement(sql)
    statement.inUse = true
    defer {
      statement.reset()
      statement.clearBindings()
      statement.inUse = false
    }
    try bind(values, to: statement)
    return try statement.step() ? map(Row(statement: statement)) : nil
  }

  /// Walks over the rows of a query without keeping them.
  ///
  /// - Throws: ``StorageError``, and what `body` throws; the walk then ends.
  public func forEach(_ sql: String, _ values: [SQLValue] = [], _ body: (Row) throws -> Void) throws {
    let statement = try statement(sql)
    statement.inUse = true
    defer {
      statement.reset()
      statement.clearBindings()
      statement.inUse = false
    }
    try bind(values, to: statement)
    while try statement.step() { try body(Row(statement: statement)) }
  }

  private func bind(_ values: [SQLValue], to statement: Statement) throws(StorageError) {
    var parameter = 1
    for value in values {
      try statement.bind(parameter, value)
      parameter += 1
    }
  }
}
