/// Splits the code points into classes such that each set of a pattern is a union of classes.
///
/// An automaton then moves by class: a byte for ASCII, a binary search for the rest.
struct RegexAlphabet: Sendable {
  /// Classes are 0..<count.
  let count: Int
  private let ascii: [UInt16]
  /// The first code points of the intervals from 0x80 on, and the class of each interval.
  private let starts: [UInt32]
  private let classes: [UInt16]
  /// One bit for each set and class, in rows of ``rowWords`` words.
  private let members: [UInt64]
  private let rowWords: Int
  /// What an assertion sees in a scalar of each class.
  let neighbours: [RegexNeighbour]

  /// - Parameters:
  ///   - sets: The sets to tell apart, in the order of their rows.
  ///   - newlines: Told apart from other scalars, nil when no assertion asks.
  ///   - words: Likewise.
  /// - Complexity: O(s·r log r) for s sets of at most r ranges.
  init(_ sets: [ScalarSet], newlines: ScalarSet?, words: ScalarSet?) {
    let all = sets + [newlines, words].compactMap(\.self)
    var bounds: [UInt32] = [0, 0x80]
    for set in all {
      for range in set.ranges {
        bounds.append(range.lowerBound)
        if range.upperBound < ScalarSet.lastCodePoint { bounds.append(range.upperBound + 1) }
      }
    }
    bounds.sort()
    var intervals: [UInt32] = []
    for bound in bounds where intervals.last != bound { intervals.append(bound) }

    func position(_ bound: UInt32) -> Int {
      var low = 0
      var high = intervals.count
      while low < high {
        let middle = (low + high) / 2
        if intervals[middle] < bound { low = middle + 1 } else { high = middle }
      }
      return low
    }
    // Refinement: each set takes its part out of every class that it cuts.
    var assigned = [Int](repeating: 0, count: intervals.count)
    var next = 1
    for set in all {
      var renamed: [Int: Int] = [:]
      for range in set.ranges {
        var index = position(range.lowerBound)
        while index < intervals.count, intervals[index] <= range.upperBound {
          if let name = renamed[assigned[index]] {
            assigned[index] = name
          } else {
            renamed[assigned[index]] = next
            assigned[index] = next
            next += 1
          }
          index += 1
        }
      }
    }
    var compact: [Int: Int] = [:]
    for index in assigned.indices {
      let name = compact[assigned[index]] ?? compact.count
      compact[assigned[index]] = name
      assigned[index] = name
    }
    let count = compact.count
    self.count = count

    let firstWide = position(0x80)
    starts = Array(intervals[firstWide...])
    classes = assigned[firstWide...].map { UInt16($0) }
    var ascii = [UInt16](repeating: 0, count: 128)
    for index in 0..<firstWide {
      for value in intervals[index]..<intervals[index + 1] { ascii[Int(value)] = UInt16(assigned[index]) }
    }
    self.ascii = ascii

    let words64 = (count + 63) / 64
    var bits = [UInt64](repeating: 0, count: sets.count * words64)
    var sides = [RegexNeighbour](repeating: .other, count: count)
    func forEachClass(of set: ScalarSet, _ body: (Int) -> Void) {
      for range in set.ranges {
        var index = position(range.lowerBound)
        while index < intervals.count, intervals[index] <= range.upperBound {
          body(assigned[index])
          index += 1
        }
      }
    }
    for (row, set) in sets.enumerated() {
      forEachClass(of: set) { bits[row * words64 + $0 / 64] |= 1 << UInt64($0 % 64) }
    }
    if let words { forEachClass(of: words) { sides[$0] = .word } }
    if let newlines { forEachClass(of: newlines) { sides[$0] = .newline } }
    rowWords = words64
    members = bits
    neighbours = sides
  }

  /// O(1) for ASCII, O(log n) for the rest.
  @inline(__always)
  func classOf(_ codePoint: UInt32) -> Int {
    codePoint < 0x80 ? Int(ascii[Int(codePoint)]) : wideClass(of: codePoint)
  }

  private func wideClass(of codePoint: UInt32) -> Int {
    var low = 0
    var high = starts.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if starts[middle] <= codePoint { low = middle } else { high = middle }
    }
    return Int(classes[low])
  }

  @inline(__always)
  func contains(_ set: Int32, _ scalarClass: Int) -> Bool {
    members[Int(set) * rowWords + scalarClass >> 6] >> UInt64(scalarClass & 63) & 1 != 0
  }
}
