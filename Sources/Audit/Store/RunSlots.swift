import Core

/// At most so many runs by id, those used last.
///
/// They live in two generations: a run that is used moves to the young one; when that is full, it becomes the old one and the former
/// old one is dropped. Each operation is O(1).
struct RunSlots {
  private let half: Int
  private var young: [ExactString: RunSlot] = [:]
  private var old: [ExactString: RunSlot] = [:]
  /// A decision reads a run and then appends to it: the second look-up is free.
  private var last: RunSlot?

  init(limit: Int) { half = max(1, limit / 2) }

  /// The run with this id, if it is here; it counts as used.
  ///
  /// What has to go for it is given to `drop`.
  mutating func use(_ id: ExactString, dropping drop: (RunSlot) throws -> Void) rethrows -> RunSlot? {
    if let last, last.id == id { return last }
    if let slot = young[id] {
      last = slot
      return slot
    }
    guard !old.isEmpty, let slot = old.removeValue(forKey: id) else { return nil }
    try add(slot, dropping: drop)
    return slot
  }

  /// Adds a run; `drop` is given each run that has to go for it.
  mutating func add(_ slot: RunSlot, dropping drop: (RunSlot) throws -> Void) rethrows {
    let gone = young.count >= half ? old : [:]
    if young.count >= half {
      old = young
      young = [:]
    }
    young[slot.id] = slot
    last = slot
    for slot in gone.values { try drop(slot) }
  }

  /// Every run that is here.
  var all: [RunSlot] { Array(young.values) + Array(old.values) }

  mutating func remove(_ id: ExactString) {
    young[id] = nil
    old[id] = nil
    last = nil
  }

  mutating func removeAll() {
    young.removeAll()
    old.removeAll()
    last = nil
  }
}
