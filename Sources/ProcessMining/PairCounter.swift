/// Counts ordered pairs of neighbouring activities: a matrix while that is small, a hash table beyond.
struct PairCounter {
  struct Pair {
    let from: UInt32
    let to: UInt32
    let count: Int
  }

  /// Up to this many activities the counts lie in a matrix (8 MiB at most).
  static let matrixLimit = 1024

  private let activities: Int
  private var matrix: [Int] = []
  private var keys: [UInt64] = []
  private var values: [Int] = []
  private var used = 0
  private static let free = UInt64.max

  init(activities: Int, matrixLimit: Int = PairCounter.matrixLimit) {
    self.activities = activities
    if activities <= matrixLimit {
      matrix = Array(repeating: 0, count: activities * activities)
    } else {
      keys = Array(repeating: Self.free, count: 1 << 12)
      values = Array(repeating: 0, count: 1 << 12)
    }
  }

  /// Counts every pair of neighbours of every case.
  mutating func count(_ log: EventLog) {
    guard keys.isEmpty else {
      forEachPair(of: log) { _, from, to in add(from, to) }
      return
    }
    let size = activities
    log.activities.withUnsafeBufferPointer { activities in
      log.caseOffsets.withUnsafeBufferPointer { offsets in
        matrix.withUnsafeMutableBufferPointer { matrix in
          for index in 0..<(offsets.count - 1) {
            let (first, end) = (Int(offsets[index]), Int(offsets[index + 1]))
            guard end - first > 1 else { continue }
            var row = Int(activities[first]) * size
            for event in (first + 1)..<end {
              let activity = Int(activities[event])
              matrix[row + activity] += 1
              row = activity * size
            }
          }
        }
      }
    }
  }

  /// The pairs that were seen, in order.
  func pairs() -> [Pair] {
    guard keys.isEmpty else {
      return keys.indices.filter { keys[$0] != Self.free }.sorted { keys[$0] < keys[$1] }.map {
        Pair(from: UInt32(keys[$0] >> 32), to: UInt32(truncatingIfNeeded: keys[$0]), count: values[$0])
      }
    }
    var result: [Pair] = []
    for from in 0..<activities {
      for to in 0..<activities where matrix[from * activities + to] > 0 {
        result.append(Pair(from: UInt32(from), to: UInt32(to), count: matrix[from * activities + to]))
      }
    }
    return result
  }

  /// The durations of each of the pairs that ``pairs()`` gave: scattered into one buffer, then summed up pair by pair.
  func durations(_ log: EventLog, of pairs: [Pair]) -> [DurationSummary?] {
    var cursor = self
    var offset = 0
    for pair in pairs {
      cursor.set(pair.from, pair.to, to: offset)
      offset += pair.count
    }
    var buffer = [Int64](repeating: 0, count: offset)
    buffer.withUnsafeMutableBufferPointer { buffer in
      log.times.withUnsafeBufferPointer { times in
        cursor.place(log) { event, place in buffer[place] = times[event] - times[event - 1] }
      }
    }
    var start = 0
    return buffer.withUnsafeMutableBufferPointer { buffer in
      pairs.map { pair in
        defer { start += pair.count }
        return DurationSummary(reordering: UnsafeMutableBufferPointer(rebasing: buffer[start..<(start + pair.count)]))
      }
    }
  }

  /// Calls back with each later event and the next free place of its pair.
  @inline(__always)
  private mutating func place(_ log: EventLog, _ body: (_ event: Int, _ place: Int) -> Void) {
    guard keys.isEmpty else {
      forEachPair(of: log) { event, from, to in
        let slot = self.slot(from, to)
        body(event, values[slot])
        values[slot] += 1
      }
      return
    }
    let size = activities
    log.activities.withUnsafeBufferPointer { activities in
      log.caseOffsets.withUnsafeBufferPointer { offsets in
        matrix.withUnsafeMutableBufferPointer { matrix in
          for index in 0..<(offsets.count - 1) {
            let (first, end) = (Int(offsets[index]), Int(offsets[index + 1]))
            guard end - first > 1 else { continue }
            var row = Int(activities[first]) * size
            for event in (first + 1)..<end {
              let activity = Int(activities[event])
              let cell = row + activity
              body(event, matrix[cell])
              matrix[cell] += 1
              row = activity * size
            }
          }
        }
      }
    }
  }

  private func forEachPair(of log: EventLog, _ body: (_ event: Int, _ from: UInt32, _ to: UInt32) -> Void) {
    for index in 0..<log.caseCount {
      for event in log.events(ofCase: index).dropFirst() { body(event, log.activities[event - 1], log.activities[event]) }
    }
  }

  private mutating func set(_ from: UInt32, _ to: UInt32, to value: Int) {
    if keys.isEmpty {
      matrix[Int(from) * activities + Int(to)] = value
    } else {
      values[slot(from, to)] = value
    }
  }

  private mutating func add(_ from: UInt32, _ to: UInt32) {
    let slot = slot(from, to)
    if keys[slot] == Self.free {
      keys[slot] = UInt64(from) << 32 | UInt64(to)
      used += 1
      values[slot] = 1
      if used * 2 > keys.count { grow() }
    } else {
      values[slot] += 1
    }
  }

  /// Where the pair stands, or where it would go.
  ///
  /// The multiplier spreads neighbouring numbers (Fibonacci hashing).
  private func slot(_ from: UInt32, _ to: UInt32) -> Int {
    let key = UInt64(from) << 32 | UInt64(to)
    var slot = Self.spread(key, keys.count)
    while keys[slot] != Self.free, keys[slot] != key { slot = (slot + 1) & (keys.count - 1) }
    return slot
  }

  private static func spread(_ key: UInt64, _ size: Int) -> Int {
    var mixed = key &* 0x9E37_79B9_7F4A_7C15
    mixed ^= mixed >> 29
    return Int(truncatingIfNeeded: mixed &* 0xBF58_476D_1CE4_E5B9 >> 32) & (size - 1)
  }

  private mutating func grow() {
    let (oldKeys, oldValues) = (keys, values)
    keys = Array(repeating: Self.free, count: oldKeys.count * 2)
    values = Array(repeating: 0, count: keys.count)
    for index in oldKeys.indices where oldKeys[index] != Self.free {
      let slot = slot(UInt32(oldKeys[index] >> 32), UInt32(truncatingIfNeeded: oldKeys[index]))
      keys[slot] = oldKeys[index]
      values[slot] = oldValues[index]
    }
  }
}
