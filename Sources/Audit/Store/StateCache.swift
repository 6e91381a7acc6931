import Core

/// The folded states that the writer keeps: the shared one, and those of the runs used last.
///
/// Runs live in two generations: a run that is used moves to the young one; when that is full, it becomes the old one and the former
/// old one is dropped. So at most `limit` runs are kept, and each look-up is O(1).
final class StateCache<Meaning: Ledger> {
  /// One run's state, shared by both generations.
  final class Slot {
    var state: Meaning.Run?
    init(_ state: Meaning.Run?) { self.state = state }
  }

  let limit: Int
  private(set) var shared: Meaning.Shared?
  private var young: [ExactString: Slot] = [:]
  private var old: [ExactString: Slot] = [:]
  /// What the open transaction changed: forgotten when it is undone.
  private var touchedRuns: [ExactString] = []
  private var touchedShared = false

  init(limit: Int) { self.limit = max(2, limit) }

  /// The state of a run; folds it from the log when it is not here.
  func slot(_ id: String, fold: () throws -> Meaning.Run?) rethrows -> Slot {
    let run = ExactString(id)
    if let slot = young[run] { return slot }
    let slot: Slot
    if let aged = old.removeValue(forKey: run) { slot = aged } else { slot = Slot(try fold()) }
    if young.count >= limit / 2 {
      old = young
      young = [:]
    }
    young[run] = slot
    return slot
  }

  /// The state of a run when it is here.
  func cached(_ run: String) -> Slot? { young[ExactString(run)] ?? old[ExactString(run)] }

  /// The shared state; folds it from the log when it is not here.
  func loadShared(fold: () throws -> Meaning.Shared) rethrows -> Meaning.Shared {
    if let shared { return shared }
    let fresh = try fold()
    shared = fresh
    return fresh
  }

  /// Folds an entry into the states that are here.
  func apply(_ entry: Entry) throws {
    if let run = entry.run {
      guard let slot = cached(run) else { return }
      touchedRuns.append(ExactString(run))
      try Meaning.apply(entry, to: &slot.state)
      if slot.state == nil { throw AuditError(.fold, "entry \(entry.index) of run `\(visible(run))` left no state", entry: entry.index) }
    } else if shared != nil {
      touchedShared = true
      try updateShared { try Meaning.apply(entry, to: &$0) }
    }
  }

  /// Changes the shared state in place, without a second reference that would copy it.
  private func updateShared(_ body: (inout Meaning.Shared) throws -> Void) throws {
    guard var value = shared else { return }
    shared = nil
    try body(&value)
    shared = value
  }

  /// Keeps what the transaction changed.
  func commit() {
    touchedRuns.removeAll(keepingCapacity: true)
    touchedShared = false
  }

  /// Forgets what the transaction changed: it is folded from the log again when it is next used.
  func undo() {
    for run in touchedRuns {
      young[run] = nil
      old[run] = nil
    }
    if touchedShared { shared = nil }
    commit()
  }

  /// Forgets everything.
  func reset() {
    young.removeAll()
    old.removeAll()
    shared = nil
    commit()
  }

  /// Forgets the runs, for when other processes appended so much that looking at each entry costs more than folding again.
  func forgetRuns() {
    young.removeAll()
    old.removeAll()
  }
}
