/// One time for each activity of the case at hand; forgetting them all between two cases costs nothing.
struct Marks {
  private var times: [Int64]
  private var owners: [UInt32]
  private var owner: UInt32 = 0

  init(_ activities: Int) {
    times = Array(repeating: 0, count: activities)
    owners = Array(repeating: 0, count: activities)
  }

  /// Forgets all marks: those of the next case begin.
  mutating func reset() { owner += 1 }

  /// Sets the mark unless there is one.
  ///
  /// - Returns: Whether it was set.
  @discardableResult
  mutating func setIfAbsent(_ activity: Int, _ time: Int64) -> Bool {
    guard owners[activity] != owner else { return false }
    owners[activity] = owner
    times[activity] = time
    return true
  }

  /// Takes the mark away and gives it back.
  @discardableResult
  mutating func remove(_ activity: Int) -> Int64? {
    guard owners[activity] == owner else { return nil }
    owners[activity] = 0
    return times[activity]
  }
}

extension EventLog {
  /// The lifecycle of one event; what the builder did not write is a completion.
  func lifecycle(_ event: Int) -> Lifecycle { hasLifecycle ? Lifecycle(rawValue: lifecycles[event]) ?? .completed : .completed }
}

extension Sequence {
  /// Sorted so that elements of which neither comes first keep their order.
  func stableSorted(by areInOrder: (Element, Element) -> Bool) -> [Element] {
    let all = Array(self)
    return all.indices.sorted { a, b in
      if areInOrder(all[a], all[b]) { return true }
      return areInOrder(all[b], all[a]) ? false : a < b
    }.map { all[$0] }
  }
}
