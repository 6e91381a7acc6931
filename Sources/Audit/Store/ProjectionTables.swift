import Core
import Storage

/// Makes, drops, rebuilds and compares the tables of projections.
struct ProjectionTables: Sendable {
  let functions: LedgerFunctions
  var projections: [BoundProjection] { functions.projections }

  init(_ functions: LedgerFunctions) { self.functions = functions }

  /// Makes tables that are missing and rebuilds those of another version.
  ///
  /// - Throws: `StorageError/Code/newerVersion` when a newer build keeps a projection.
  func prepare(in connection: Connection, cachedRuns: Int) throws {
    if try stale(in: ReadOnlyConnection(connection)).isEmpty { return }
    try connection.transaction {
      let stale = try stale(in: ReadOnlyConnection(connection))  // another process may have been faster
      if !stale.isEmpty { try fill(stale, in: connection, reading: connection, cachedRuns: cachedRuns) }
    }
  }

  /// Drops all tables and makes them again from the log.
  func rebuild(in connection: Connection, cachedRuns: Int) throws {
    try connection.transaction { try fill(projections, in: connection, reading: connection, cachedRuns: cachedRuns) }
  }

  /// Does the same inside a transaction that is open already.
  func refill(in connection: Connection, cachedRuns: Int) throws {
    try fill(projections, in: connection, reading: connection, cachedRuns: cachedRuns)
  }

  private func stale(in connection: ReadOnlyConnection) throws -> [BoundProjection] {
    let stored = try connection.query("SELECT name, version FROM projection") { (name: $0.text(0), version: $0.int(1)) }
    return try projections.filter { projection in
      guard let version = stored.first(where: { $0.name == projection.name })?.version else { return true }
      guard version <= projection.version else {
        throw StorageError(
          .newerVersion, "the tables `\(projection.name)` have version \(version), this build knows versions up to \(projection.version)",
          hint: "use the build that wrote them, or a newer one")
      }
      return version < projection.version
    }
  }

  private func fill(
    _ chosen: [BoundProjection], in connection: Connection, reading source: Connection, cachedRuns: Int
  ) throws {
    for projection in chosen {
      try drop(projection, in: connection)
      try create(projection, in: connection)
      try connection.run(
        "INSERT INTO projection (name, version) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET version = excluded.version",
        .text(projection.name), .int(projection.version))
    }
    let reader = EntryReader(source)
    let size = try reader.head().size
    let writer = TableWriter(connection, tables: try chosen.flatMap { try tables(of: $0, in: ReadOnlyConnection(connection)) })
    let fold = RowFold(functions, chosen, to: writer, cachedRuns: cachedRuns) { reader }
    try reader.forEach(in: 0..<size) { try fold.apply($0) }
    try fold.finish()
  }

  /// Makes the empty tables of one projection.
  func create(_ projection: BoundProjection, in connection: Connection) throws {
    let name = projection.name
    guard !name.isEmpty, name.utf8.allSatisfy({ 97...122 ~= $0 || 48...57 ~= $0 }), !Self.reserved.contains(name) else {
      throw AuditError(.projection, "`\(visible(name))` is not a name for a projection: use lower-case letters and digits")
    }
    let objects = "SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name"
    let before = Set(try connection.query(objects) { (row: Row) in row.text(0) })
    try connection.execute(projection.schema)
    for object in try connection.query(objects, [], { $0.text(0) }) where !before.contains(object) {
      guard object == name || object.hasPrefix(name + "_") else {
        throw AuditError(.projection, "projection `\(name)` makes `\(object)`, whose name must be `\(name)` or begin with `\(name)_`")
      }
    }
  }

  private static var reserved: [String] { ["entry", "content", "evidence", "head", "projection"] }

  private func drop(_ projection: BoundProjection, in connection: Connection) throws {
    for kind in ["view", "table"] {
      let names = try connection.query(
        "SELECT name FROM sqlite_schema WHERE type = ? AND (name = ? OR substr(name, 1, ?) = ?) ORDER BY name",
        [.text(kind), .text(projection.name), .int(projection.name.utf8.count + 1), .text(projection.name + "_")]
      ) { $0.text(0) }
      for name in names { try connection.execute("DROP \(kind) \"\(name)\"") }
    }
  }

  // MARK: Comparing

  /// The tables of a projection, by name.
  func tables(of projection: BoundProjection, in connection: ReadOnlyConnection) throws -> [String] {
    try connection.query(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND (name = ? OR substr(name, 1, ?) = ?) ORDER BY name",
      [.text(projection.name), .int(projection.name.utf8.count + 1), .text(projection.name + "_")]
    ) { $0.text(0) }
  }

  /// A digest of each projection's content.
  func digests(in connection: ReadOnlyConnection) throws -> [(name: String, digest: Digest)] {
    try projections.map { projection in
      var bytes: [UInt8] = []
      for table in try tables(of: projection, in: connection) {
        let content = try TableContent(of: table, in: connection)
        for name in [table] + content.columns { bytes += Array(name.utf8) + [0] }
        bytes += content.sum.digest.bytes
      }
      return (projection.name, SHA256.hash(bytes))
    }
  }
}

/// Writes the rows of projections into their tables.
final class TableWriter: RowSink {
  private let connection: Connection
  private let tables: [String]

  init(_ connection: Connection, tables: [String]) {
    self.connection = connection
    self.tables = tables
  }

  func add(_ row: TableRow) throws {
    try check(row)
    let places = repeatElement("?", count: row.values.count).joined(separator: ", ")
    try connection.run("INSERT INTO \"\(row.table)\" VALUES (\(places))", row.values)
  }

  func remove(_ row: TableRow) throws {
    try check(row)
    let columns = try TableContent(columnsOf: row.table, in: ReadOnlyConnection(connection)).columns
    let condition = columns.map { "\"\($0)\" IS ?" }.joined(separator: " AND ")
    try connection.run("DELETE FROM \"\(row.table)\" WHERE \(condition)", row.values)
  }

  private func check(_ row: TableRow) throws {
    guard tables.contains(row.table) else { throw AuditError(.projection, "`\(visible(row.table))` is not a table of a projection") }
  }
}
