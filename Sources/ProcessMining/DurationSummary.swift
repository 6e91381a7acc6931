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
    var sum: Int64 = 0
    var overflown = false
    var (low, high) = (values[0], values[0])
    for value in values {
      let (next, overflow) = sum.addingReportingOverflow(value)
      sum = next
      overflown = overflown || overflow
      low = min(low, value)
      high = max(high, value)
    }
    total = overflown ? .max : sum
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
  /// - Complexity: O(n) expected; sorts what is left when the pivots are bad, so O(n log n) at worst.
  static func element(_ rank: Int, of values: UnsafeMutableBufferPointer<Int64>) -> Int64 {
    var (low, high) = (0, values.count - 1)
    var budget = 2 * (Int.bitWidth - values.count.leadingZeroBitCount) + 8
    while high - low > 24 {
      guard budget > 0 else {
        var rest = UnsafeMutableBufferPointer(rebasing: values[low...high])
        rest.sort()
        return values[rank]
      }
      budget -= 1
      let pivot = medianOfThree(values[low], values[low + (high - low) / 2], values[high])
      var (left, right) = (low, high)
      while left <= right {
        while values[left] < pivot { left += 1 }
        while values[right] > pivot { right -= 1 }
        if left <= right {
          values.swapAt(left, right)
          left += 1
          right -= 1
        }
      }
      if rank <= right {
        high = right
      } else if rank >= left {
        low = left
      } else {
        return values[rank]
      }
    }
    for position in stride(from: low + 1, through: high, by: 1) {
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

  private static func medianOfThree(_ a: Int64, _ b: Int64, _ c: Int64) -> Int64 { max(min(a, b), min(max(a, b), c)) }
}
