import Core
import Storage

/// Takes the rows that the log gives.
protocol RowSink: AnyObject {
  func add(_ row: TableRow) throws
  /// Takes back a row that was added.
  func remove(_ row: TableRow) throws
}

/// Folds entries and gives the rows of projections: those of a run once it leaves memory, in its latest state, whatever the number of runs.
///
/// A run that comes back is folded again from the log, and its rows are taken back until it leaves again.
final class RowFold {
  private let functions: LedgerFunctions
  private let projections: [BoundProjection]
  private let names: [String]
  private let sink: any RowSink
  private let reader: () throws -> EntryReader
  private var runs: RunSlots
  /// Hashes of the runs that left memory: any other run is new and need not be looked for in the log.
  private var gone: Set<Int> = []
  private let shared: SharedSlot

  /// Makes a fold over no entries; `reader` gives what reads runs again, and is called only when one came back.
  init(
    _ functions: LedgerFunctions, _ projections: [BoundProjection], to sink: any RowSink, cachedRuns: Int,
    reader: @escaping () throws -> EntryReader
  ) {
    self.functions = functions
    self.projections = projections
    names = projections.map(\.name)
    self.sink = sink
    self.reader = reader
    runs = RunSlots(limit: cachedRuns)
    shared = functions.makeShared()
  }

  /// Folds the next entry; the entries of each run come by index.
  ///
  /// - Returns: What the entry says about the shared state of its moment; nil where nothing.
  /// - Throws: ``AuditError`` that names the entry when it does not fit; `StorageError`.
  @discardableResult
  func apply(_ entry: Entry) throws -> (@Sendable (SharedSlot) -> String?)? {
    guard let run = entry.run else {
      try applyShared(entry)
      return nil
    }
    let slot = try slot(ExactString(run), before: entry.index)
    let hasState = try fitting(entry) { try functions.foldRun(entry, slot) }
    guard hasState else {
      throw AuditError(.fold, "entry \(entry.index) of run `\(visible(run))` left no state", entry: entry.index)
    }
    return functions.claim(entry, slot)
  }

  /// Gives the rows of the runs that are still in memory.
  func finish() throws {
    for slot in runs.all { try forEachRow(of: slot, sink.add) }
    runs.removeAll()
  }

  private func applyShared(_ entry: Entry) throws {
    for projection in projections { for row in projection.sharedRows(entry, shared) { try sink.remove(row) } }
    try fitting(entry) { try functions.foldShared(entry, shared) }
    for projection in projections { for row in projection.sharedRows(entry, shared) { try sink.add(row) } }
  }

  private func fitting<R>(_ entry: Entry, _ fold: () throws -> R) throws -> R {
    do {
      return try fold()
    } catch {
      throw AuditError(.fold, "entry \(entry.index) (`\(entry.type)`) does not fit: \(error)", entry: entry.index)
    }
  }

  private func slot(_ id: ExactString, before index: Int) throws -> RunSlot {
    if let slot = try runs.use(id, dropping: leave) { return slot }
    let slot = functions.makeRun(id)
    if !gone.isEmpty, gone.contains(id.hashValue) {
      try reader().forEach(run: id.string, in: 0..<index) { _ = try functions.foldRun($0, slot) }
      try forEachRow(of: slot, sink.remove)
    }
    try runs.add(slot, dropping: leave)
    return slot
  }

  private func leave(_ slot: RunSlot) throws {
    gone.insert(slot.id.hashValue)
    try forEachRow(of: slot, sink.add)
  }

  private func forEachRow(of slot: RunSlot, _ body: (TableRow) throws -> Void) throws {
    if !names.isEmpty { try functions.runRows(slot, names, body) }
  }
}
