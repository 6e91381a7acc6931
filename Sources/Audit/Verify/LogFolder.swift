import Core
import Storage

/// Folds entries and makes their projections anew: the half of a verification that understands them.
actor LogFolder {
  private let executor = BlockingExecutor(label: "verify-fold")
  private let path: String
  private let functions: LedgerFunctions
  private let options: VerificationOptions
  private var fold: ProjectionFold?
  private var tables: Connection?
  private var problem: VerificationProblem?

  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  init(path: String, functions: LedgerFunctions, options: VerificationOptions) {
    self.path = path
    self.functions = functions
    self.options = options
  }

  /// Folds a chunk.
  ///
  /// - Returns: Whether to go on: not after the first entry that does not fit, as those after it would not either.
  func apply(_ entries: [Entry]) throws -> Bool {
    if problem != nil { return false }
    let (fold, tables) = try start()
    for entry in entries {
      do {
        try fold.apply(entry, to: tables)
      } catch let error as AuditError {
        problem = VerificationProblem(kind: .state, entry: error.entry ?? entry.index, message: error.message, expected: nil, found: nil)
        return false
      }
    }
    return true
  }

  private func start() throws -> (ProjectionFold, Connection) {
    if let fold, let tables { return (fold, tables) }
    // The reader folds runs again that were dropped from memory; what it reads was checked before.
    let reader = EntryReader(try Connection(path: path, mode: .readOnly))
    let tables = try Connection(path: "", mode: .temporary)
    let projections = options.projections ? functions.projections : []
    for projection in projections { try ProjectionTables(functions).create(projection, in: tables) }
    let fold = ProjectionFold(functions, projections, reader: reader, cachedRuns: options.cachedRuns)
    try tables.begin(.deferred)
    self.tables = tables
    self.fold = fold
    return (fold, tables)
  }

  /// What the folds gave.
  func finish() throws -> RebuiltProjections {
    let (_, tables) = try start()
    var rebuilt = RebuiltProjections(functions: functions)
    if let problem {
      rebuilt.problem = problem
    } else if options.projections {
      for projection in functions.projections {
        for table in try ProjectionTables(functions).tables(of: projection, in: ReadOnlyConnection(tables)) {
          rebuilt.digests.append((projection.name, table, try TableDump.digests(of: table, in: ReadOnlyConnection(tables))))
        }
      }
      rebuilt.isComplete = true
    }
    tables.close()
    return rebuilt
  }
}

/// The content of projections as the log gives it.
struct RebuiltProjections: Sendable {
  let functions: LedgerFunctions
  var digests: [(projection: String, table: String, rows: TableDump.Digests)] = []
  var problem: VerificationProblem?
  var isComplete = false

  /// Where the stored tables differ.
  func differences(from connection: Connection) throws -> [VerificationProblem] {
    if let problem { return [problem] }
    guard isComplete else { return [] }
    var problems: [VerificationProblem] = []
    func add(_ message: String, expected: String? = nil, found: String? = nil) {
      problems.append(VerificationProblem(kind: .projection, entry: nil, message: message, expected: expected, found: found))
    }
    let reader = ReadOnlyConnection(connection)
    for projection in functions.projections {
      let version = try reader.first("SELECT version FROM projection WHERE name = ?", [.text(projection.name)]) { $0.int(0) }
      guard version == projection.version else {
        add(
          "the stored tables `\(projection.name)` have another version", expected: "\(projection.version)",
          found: version.map { "\($0)" } ?? "none")
        continue
      }
      let wanted = digests.filter { $0.projection == projection.name }
      let stored = try ProjectionTables(functions).tables(of: projection, in: reader)
      for table in stored where !wanted.contains(where: { $0.table == table }) {
        add("table `\(visible(table))` is not one of projection `\(projection.name)`")
      }
      for (_, table, rows) in wanted {
        guard stored.contains(table) else {
          add("table `\(table)` is missing")
          continue
        }
        let found = try TableDump.digests(of: table, in: reader)
        if found.rows != rows.rows {
          add("table `\(table)` does not follow from the log", expected: "\(rows.rows) rows", found: "\(found.rows) rows")
        } else if found != rows {
          let block = zip(rows.blocks, found.blocks).enumerated().first { $1.0 != $1.1 }?.offset ?? 0
          add("table `\(table)` does not follow from the log: it differs after row \(block * TableDump.blockRows)")
        }
      }
    }
    return problems
  }
}
