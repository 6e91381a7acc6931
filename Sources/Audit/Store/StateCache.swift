import Core

/// The folded states that the writer keeps: the shared one, and those of the runs used last.
final class StateCache {
  let functions: LedgerFunctions
  private(set) var shared: SharedSlot?
  private var runs: RunSlots
  /// What the open transaction changed: forgotten when it is undone.
  private var touchedRuns: [RunSlot] = []
  private var touchedShared = false

  init(_ functions: LedgerFunctions, limit: Int) {
    self.functions = functions
    runs = RunSlots(limit: limit)
  }

  /// The state of a run; `fold` fills a new slot from the log when it is not here.
  func slot(_ run: String, fold: (RunSlot) throws -> Void) rethrows -> RunSlot {
    let id = ExactString(run)
    if let slot = runs.use(id, dropping: { _ in }) { return slot }
    let slot = functions.makeRun(id)
    try fold(slot)
    runs.add(slot) { _ in }
    return slot
  }

  /// The state of a run when it is here.
  func cached(_ run: String) -> RunSlot? { runs.use(ExactString(run)) { _ in } }

  /// The shared state; `fold` fills a new one from the log when it is not here.
  func loadShared(fold: (SharedSlot) throws -> Void) rethrows -> SharedSlot {
    if let shared { return shared }
    let fresh = functions.makeShared()
    try fold(fresh)
    shared = fresh
    return fresh
  }

  /// Folds an entry into the states that are here.
  func apply(_ entry: Entry) throws {
    if let run = entry.run {
      if let slot = cached(run) { try apply(entry, to: slot) }
    } else if let shared {
      touchedShared = true
      try functions.foldShared(entry, shared)
    }
  }

  /// Folds an entry into the state of its run.
  func apply(_ entry: Entry, to slot: RunSlot) throws {
    touchedRuns.append(slot)
    guard try functions.foldRun(entry, slot) else {
      throw AuditError(.fold, "entry \(entry.index) of run `\(visible(slot.id.string))` left no state", entry: entry.index)
    }
  }

  /// Keeps what the transaction changed.
  func commit() {
    touchedRuns.removeAll(keepingCapacity: true)
    touchedShared = false
  }

  /// Forgets what the transaction changed: it is folded from the log again when it is next used.
  func undo() {
    for slot in touchedRuns { runs.remove(slot.id) }
    if touchedShared { shared = nil }
    commit()
  }

  /// Forgets everything.
  func reset() {
    runs.removeAll()
    shared = nil
    commit()
  }

  /// Forgets the runs, for when other processes appended so much that looking at each entry costs more than folding again.
  func forgetRuns() { runs.removeAll() }
}
