internal import Core

/// The percentile bootstrap of a mean: what the mean would have been, had other samples of the same kind been drawn.
///
/// - SeeAlso: B. Efron, R. J. Tibshirani, "An Introduction to the Bootstrap", Chapman & Hall 1993, chapter 13.
public enum Bootstrap {
  /// How many times values are drawn anew.
  public static let resamples = 10_000
  /// The seed: the same values give the same interval.
  public static let seed: UInt64 = 20_250_101

  /// The 95 % interval of the mean.
  ///
  /// - Parameters:
  ///   - values: The values; at least one.
  ///   - resamples: How many times they are drawn anew; at least 40.
  ///   - seed: Where the draws begin.
  /// - Returns: The 2.5th and the 97.5th percentile of the drawn means; the value itself twice where all are equal.
  /// - Complexity: O(values × resamples).
  public static func interval(
    of values: [Double], resamples: Int = resamples, seed: UInt64 = seed
  ) -> (lower: Double, upper: Double) {
    precondition(!values.isEmpty && resamples >= 40, "\(values.count) values, \(resamples) resamples")
    guard let first = values.first, values.contains(where: { $0 != first }) else { return (values[0], values[0]) }
    var random = SeededGenerator(seed: seed)
    var means: [Double] = []
    means.reserveCapacity(resamples)
    for _ in 0..<resamples {
      var sum = 0.0
      for _ in values { sum += values[Int(random.next(upperBound: UInt64(values.count)))] }
      means.append(sum / Double(values.count))
    }
    means.sort()
    return (percentile(0.025, of: means), percentile(0.975, of: means))
  }

  /// The percentile of sorted values, between neighbours by proportion (Hyndman and Fan's type 7, doi:10.2307/2684934).
  static func percentile(_ p: Double, of sorted: [Double]) -> Double {
    let place = p * Double(sorted.count - 1)
    let low = Int(place)
    let high = min(low + 1, sorted.count - 1)
    return sorted[low] + (place - Double(low)) * (sorted[high] - sorted[low])
  }
}
