import Core
import Storage

/// Makes, drops, rebuilds and compares the tables of projections.
struct ProjectionTables<Meaning: Ledger>: Sendable {
  let projections: [any Projection<Meaning>]

  init(_ projections: [any Projection<Meaning>]) { self.projections = projections }

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

  private func stale(in connection: ReadOnlyConnection) throws -> [any Projection<Meaning>] {
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
    _ chosen: [any Projection<Meaning>], in connection: Connection, reading source: Connection, cachedRuns: Int
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
    let fold = ProjectionFold(chosen, reader: reader, cachedRuns: cachedRuns)
    try reader.forEach(in: 0..<size) { try fold.apply($0, to: connection) }
  }

  /// Makes the empty tables of one projection.
  func create(_ projection: any Projection<Meaning>, in connection: Connection) throws {
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

  private func drop(_ projection: any Projection<Meaning>, in connection: Connection) throws {
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
  func tables(of projection: any Projection<Meaning>, in connection: ReadOnlyConnection) throws -> [String] {
    try connection.query(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND (name = ? OR substr(name, 1, ?) = ?) ORDER BY name",
      [.text(projection.name), .int(projection.name.utf8.count + 1), .text(projection.name + "_")]
    ) { $0.text(0) }
  }

  /// The SHA-256 of each projection's content.
  func digests(in connection: ReadOnlyConnection) throws -> [(name: String, digest: Digest)] {
    try projections.map { projection in
      var dump = TableDump()
      for table in try tables(of: projection, in: connection) { try dump.add(table, of: connection) }
      return (projection.name, dump.digest())
    }
  }
}

/// Folds entries and hands them to projections with the states that belong to them, whatever the number of runs.
final class ProjectionFold<Meaning: Ledger> {
  private let projections: [any Projection<Meaning>]
  private let reader: EntryReader
  private let cache: StateCache<Meaning>

  init(_ projections: [any Projection<Meaning>], reader: EntryReader, cachedRuns: Int) {
    self.projections = projections
    self.reader = reader
    cache = StateCache(limit: cachedRuns)
    _ = cache.loadShared { Meaning.start() }
  }

  /// Folds the next entry; entries come by index from 0.
  func apply(_ entry: Entry, to connection: Connection) throws {
    let slot = try entry.run.map { run in
      try cache.slot(run) {
        // Not seen yet, or dropped to save memory: fold what came before.
        var state: Meaning.Run?
        try reader.forEach(run: run, in: 0..<entry.index) { try Meaning.apply($0, to: &state) }
        return state
      }
    }
    do {
      try cache.apply(entry)
      cache.commit()
      let shared = cache.loadShared { Meaning.start() }
      for projection in projections { try projection.apply(entry, run: slot?.state, shared: shared, to: connection) }
    } catch let error as AuditError where error.entry != nil {
      throw error
    } catch {
      throw AuditError(.fold, "entry \(entry.index) (`\(entry.type)`) does not fit: \(error)", entry: entry.index)
    }
  }
}

/// The SHA-256 of tables, independent of row ids and insertion order.
struct TableDump {
  private var hash = SHA256()
  private var buffer: [UInt8] = []

  mutating func add(_ table: String, of connection: ReadOnlyConnection) throws {
    let columns = try connection.query("SELECT name FROM pragma_table_info(?) ORDER BY cid", [.text(table)]) { $0.text(0) }
    append(.text(table))
    for column in columns { append(.text(column)) }
    let list = columns.map { "\"\($0)\"" }.joined(separator: ", ")
    try connection.forEach("SELECT \(list) FROM \"\(table)\" ORDER BY \(list)") { row in
      for place in 0..<columns.count { append(row.value(place)) }
      if buffer.count > 1 << 16 { flush() }
    }
    flush()
  }

  /// Every value with its kind and length, so that no two dumps are the same bytes by accident.
  private mutating func append(_ value: SQLValue) {
    switch value {
    case .null: append(0, [])
    case .integer(let number): append(1, withUnsafeBytes(of: number.bigEndian) { Array($0) })
    case .real(let number): append(2, withUnsafeBytes(of: number.bitPattern.bigEndian) { Array($0) })
    case .text(let text): append(3, Array(text.utf8))
    case .blob(let bytes): append(4, bytes)
    }
  }

  private mutating func append(_ kind: UInt8, _ bytes: [UInt8]) {
    buffer.append(kind)
    withUnsafeBytes(of: UInt64(bytes.count).bigEndian) { buffer.append(contentsOf: $0) }
    buffer.append(contentsOf: bytes)
  }

  private mutating func flush() {
    hash.update(buffer)
    buffer.removeAll(keepingCapacity: true)
  }

  func digest() -> Digest { hash.finalize() }
}
