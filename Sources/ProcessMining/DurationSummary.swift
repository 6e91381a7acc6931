/// Durations of one kind, summed up.
///
/// All values are whole milliseconds.
public struct DurationSummary: Hashable, Sendable {
  /// How many durations there were; at least one.
  public let count: Int
  /// Their sum, or the largest value when the sum does not fit.
  public let total: Int64
  /// The middle value; of an even number, the midpoint of the two in the middle, rounded down.
  public let median: Int64
  /// The smallest value that at least 90 % of the durations do not exceed (nearest rank).
  public let p90: Int64
  /// The shortest.
  public let minimum: Int64
  /// The longest.
  public let maximum: Int64

  /// The arithmetic mean, rounded down.
  public var mean: Int64 { total / Int64(count) }

  /// Sums up durations in any order; nil when there are none.
  ///
  /// - Parameter milliseconds: Durations. Negative ones are allowed and stay negative.
  /// - Complexity: O(n) expected.
  public init?(_ milliseconds: [Int64]) {
    var copy = milliseconds
    let summary = copy.withUnsafeMutableBufferPointer { DurationSummary(reordering: $0) }
    guard let summary else { return nil }
    self = summary
  }

  /// Sums up the durations of a buffer, which is left in another order.
  init?(reordering values: UnsafeMutableBufferPointer<Int64>) {
    guard !values.isEmpty else { return nil }
    count = values.count
    // In two halves, so that the loop needs no check for overflow: 2^31 summands fit.
    var (high32, low32): (Int64, Int64) = (0, 0)
    var (low, high) = (values[0], values[0])
    for value in values {
      high32 &+= value >> 32
      low32 &+= value & 0xFFFF_FFFF
      low = min(low, value)
      high = max(high, value)
    }
    let (shifted, overflow) = (high32 + low32 >> 32).multipliedReportingOverflow(by: 1 << 32)
    total = overflow ? .max : shifted | (low32 & 0xFFFF_FFFF)
    minimum = low
    maximum = high
    let upper = values.count / 2
    let upperMiddle = Selection.element(upper, of: values)
    if values.count.isMultiple(of: 2) {
      var lowerMiddle = values[0]
      for value in values[..<upper] { lowerMiddle = max(lowerMiddle, value) }
      median = (lowerMiddle & upperMiddle) + ((lowerMiddle ^ upperMiddle) >> 1)  // the floor of the average, without overflow
    } else {
      median = upperMiddle
    }
    let rank = (values.count * 9 + 9) / 10 - 1
    p90 = rank <= upper ? Selection.element(rank, of: values) : Selection.element(rank - upper, of: .init(rebasing: values[upper...]))
  }
}

/// Finding the k-th smallest value without sorting everything.
enum Selection {
  /// The value at `rank` in ascending order; afterwards nothing before it is larger and nothing after it is smaller.
  ///
  /// A sorted sample tells a pivot on the far side of the rank, so that most of the values fall away in one or two passes, and a pass
  /// has no branch that depends on the values, since half of those would be mispredicted.
  ///
  /// - Complexity: O(n) expected; sorts what is left when the pivots are bad, so O(n log n) at worst.
  /// - SeeAlso: R. Floyd, R. Rivest, "Expected time bounds for selection", CACM 18(3), 1975, doi:10.1145/360680.360691.
  static func element(_ rank: Int, of values: UnsafeMutableBufferPointer<Int64>) -> Int64 {
    var (low, end) = (0, values.count)
    var budget = 2 * (Int.bitWidth - values.count.leadingZeroBitCount) + 8
    while end - low > 24 {
      guard budget > 0 else {
        var rest = UnsafeMutableBufferPointer(rebasing: values[low..<end])
        rest.sort()
        return values[rank]
      }
      budget -= 1
      let (pivot, isAbove) = pivot(rank, values, low, end)
      if isAbove {
        let smaller = partition(values, low, end) { $0 < pivot }
        if rank < smaller {
          end = smaller
          continue
        }
        let larger = partition(values, smaller, end) { $0 == pivot }
        if rank < larger { return pivot }
        low = larger
      } else {
        let larger = partition(values, low, end) { $0 <= pivot }
        if rank >= larger {
          low = larger
          continue
        }
        let equal = partition(values, low, larger) { $0 < pivot }
        if rank >= equal { return pivot }
        end = equal
      }
    }
    for position in stride(from: low + 1, to: end, by: 1) {
      let value = values[position]
      var hole = position
      while hole > low, values[hole - 1] > value {
        values[hole] = values[hole - 1]
        hole -= 1
      }
      values[hole] = value
    }
    return values[rank]
  }

  /// Brings the values that go first to the front; where the others begin.
  @inline(__always)
  private static func partition(
    _ values: UnsafeMutableBufferPointer<Int64>, _ low: Int, _ end: Int, _ goesFirst: (Int64) -> Bool
  ) -> Int {
    var border = low
    for position in low..<end {
      let value = values[position]
      values[position] = values[border]
      values[border] = value
      border &+= goesFirst(value) ? 1 : 0
    }
    return border
  }

  /// A value of the range that most likely lies a little beyond the rank, on the side of the longer part, and whether it lies above.
  private static func pivot(_ rank: Int, _ values: UnsafeMutableBufferPointer<Int64>, _ low: Int, _ end: Int) -> (Int64, isAbove: Bool) {
    let count = end - low
    let size = min(63, count / 16) | 1
    return withUnsafeTemporaryAllocation(of: Int64.self, capacity: size) { sample in
      for index in 0..<size {
        let value = values[low + index * (count - 1) / max(1, size - 1)]
        var hole = index
        while hole > 0, sample[hole - 1] > value {
          sample[hole] = sample[hole - 1]
          hole -= 1
        }
        sample[hole] = value
      }
      let isAbove = rank - low < count / 2
      let place = (rank - low) * size / count
      let margin = size / 12
      return (sample[isAbove ? min(size - 1, place + margin) : max(0, place - margin)], isAbove)
    }
  }
}
