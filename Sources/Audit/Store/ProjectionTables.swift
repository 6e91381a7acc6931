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
    let fold = ProjectionFold(functions, chosen, reader: reader, cachedRuns: cachedRuns)
    try reader.forEach(in: 0..<size) { try fold.apply($0, to: connection) }
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

  /// The SHA-256 of each projection's content.
  func digests(in connection: ReadOnlyConnection) throws -> [(name: String, digest: Digest)] {
    try projections.map { projection in
      var bytes: [UInt8] = []
      for table in try tables(of: projection, in: connection) {
        for block in try TableDump.digests(of: table, in: connection).blocks { bytes += block.bytes }
      }
      return (projection.name, SHA256.hash(bytes))
    }
  }
}

/// Folds entries and hands them to projections with the states that belong to them, whatever the number of runs.
final class ProjectionFold {
  private let functions: LedgerFunctions
  private let projections: [BoundProjection]
  private let reader: EntryReader
  private let cache: StateCache
  private let shared: SharedSlot

  init(_ functions: LedgerFunctions, _ projections: [BoundProjection], reader: EntryReader, cachedRuns: Int) {
    self.functions = functions
    self.projections = projections
    self.reader = reader
    cache = StateCache(functions, limit: cachedRuns)
    shared = cache.loadShared { _ in }
  }

  /// Folds the next entry; entries come by index from 0.
  ///
  /// - Throws: ``AuditError`` that names the entry when it does not fit; `StorageError`.
  func apply(_ entry: Entry, to connection: Connection) throws {
    var slot: RunSlot?
    if let run = entry.run {
      // A run that is not here is new, or was dropped to save memory: fold what came before.
      slot = try cache.slot(run) { slot in
        try reader.forEach(run: run, in: 0..<entry.index) { _ = try functions.foldRun($0, slot) }
      }
    }
    do {
      if let slot { try cache.apply(entry, to: slot) } else { try cache.apply(entry) }
      cache.commit()
      for projection in projections { try projection.apply(entry, slot, shared, connection) }
    } catch let error as AuditError where error.entry != nil {
      throw error
    } catch {
      throw AuditError(.fold, "entry \(entry.index) (`\(entry.type)`) does not fit: \(error)", entry: entry.index)
    }
  }
}
