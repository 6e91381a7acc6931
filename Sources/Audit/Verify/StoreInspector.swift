import Core
import Storage

/// What a store holds beside the entries, all of one moment.
struct Inspection: Sendable {
  /// A piece of evidence as it is stored, and the digest of its bytes.
  struct Evidence: Sendable {
    let named: Digest?
    let shown: String
    let media: String?
    let size: Int
    let length: Int
    let found: Digest
  }

  /// The stored head; nil where there is none, or more than one.
  var head: (size: Int, root: [UInt8], frontier: [UInt8])?
  /// The stored nodes of the Merkle tree.
  var tiles: [MerkleTiles.Place: Digest] = [:]
  var evidence: [Evidence] = []
  /// The versions of the stored projections.
  var versions: [String: Int] = [:]
  /// The content of each table of the projections.
  var tables: [String: [(table: String, content: TableContent)]] = [:]
  /// How the tables should be, without rows.
  var wanted: [String: [(table: String, content: TableContent)]] = [:]
  var problems: [VerificationProblem] = []
}

/// Reads what a store holds beside the entries, while others read and check these.
actor StoreInspector {
  private let executor = BlockingExecutor(label: "verify-store")
  private let path: String
  private let functions: LedgerFunctions
  private let options: VerificationOptions
  private let key: [UInt8]
  private var connection: Connection?
  private var found = Inspection()

  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  /// Makes an inspector; `key` is that of the tables' sums.
  init(path: String, functions: LedgerFunctions, options: VerificationOptions, key: [UInt8]) {
    self.path = path
    self.functions = functions
    self.options = options
    self.key = key
  }

  /// Begins the moment that is inspected.
  ///
  /// - Returns: The index of the last entry, or of the last content part's entry if that is later.
  func begin() throws -> Int64 {
    let connection = try Connection(path: path, mode: .readOnly)
    try connection.migrate(LogSchema.migrations, application: LogSchema.application)
    self.connection = connection
    try connection.begin(.deferred)
    var end: Int64?
    try reading {
      end = try connection.first(#"SELECT max(coalesce(max("index"), -1), coalesce((SELECT max(id) FROM content) >> 8, -1)) FROM entry"#) {
        $0.integer(0)
      }
    }
    return end ?? .max
  }

  /// Reads everything, and ends the moment.
  func inspect() throws -> Inspection {
    guard let connection else { return found }
    defer {
      connection.rollback()
      connection.close()
    }
    try reading { try readHead(connection) }
    try reading { try readSchema(connection) }
    try reading { found.tiles = try MerkleTiles.all(connection) }
    if options.projections, options.states { try reading { try readTables(ReadOnlyConnection(connection)) } }
    if options.evidence { try reading { try readEvidence(connection) } }
    return found
  }

  /// Takes damage of the file as a finding.
  private func reading(_ body: () throws -> Void) throws {
    do {
      try body()
    } catch let error as StorageError where error.isDamage {
      found.problems.append(.unreadable(error))
    }
  }

  private func readHead(_ connection: Connection) throws {
    let heads = try connection.query("SELECT id, size, root, frontier FROM head LIMIT 2") {
      (id: $0.int(0), size: $0.int(1), root: $0.blob(2), frontier: $0.blob(3))
    }
    if let head = heads.first, heads.count == 1, head.id == 0 { found.head = (head.size, head.root, head.frontier) }
  }

  private func readSchema(_ connection: Connection) throws {
    for difference in try StoreSchema.differences(of: ReadOnlyConnection(connection), ProjectionTables(functions)) {
      found.problems.append(VerificationProblem(kind: .schema, entry: nil, message: difference.message, expected: nil, found: nil))
    }
  }

  private func readTables(_ reader: ReadOnlyConnection) throws {
    let empty = try Connection(path: "", mode: .memory)
    defer { empty.close() }
    let tables = ProjectionTables(functions)
    for (name, version) in try reader.query("SELECT name, version FROM projection", [], { ($0.text(0), $0.int(1)) }) {
      found.versions[name] = version
    }
    for projection in functions.projections {
      try tables.create(projection, in: empty)
      found.wanted[projection.name] = try tables.tables(of: projection, in: ReadOnlyConnection(empty)).map {
        ($0, try TableContent(columnsOf: $0, in: ReadOnlyConnection(empty)))
      }
      guard found.versions[projection.name] == projection.version else { continue }
      found.tables[projection.name] = try tables.tables(of: projection, in: reader).map {
        ($0, try TableContent(of: $0, in: reader, key: key))
      }
    }
  }

  private func readEvidence(_ connection: Connection) throws {
    try connection.forEach("SELECT rowid, sha256, media, size, length(bytes) FROM evidence ORDER BY rowid") { row in
      var hash = SHA256()
      try connection.readBlob(of: "evidence", column: "bytes", row: row.integer(0)) { hash.update($0) }
      found.evidence.append(
        Inspection.Evidence(
          named: Digest(row.bytes(1)), shown: "evidence \(hexText(row.bytes(1)))", media: row.optionalText(2), size: row.int(3),
          length: row.int(4), found: hash.finalize()))
    }
  }
}
