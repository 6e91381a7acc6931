internal import Glibc

/// The exact test of McNemar: whether two ways of deciding the same cases differ by more than chance, told by the cases on which only one
/// of them is right.
///
/// - SeeAlso: Q. McNemar, "Note on the sampling error of the difference between correlated proportions or percentages", Psychometrika 12,
///   1947, doi:10.1007/BF02295996.
public enum McNemar {
  /// The probability of a split at least as uneven as this one, either way, were both equally good.
  ///
  /// - Parameters:
  ///   - first: How many cases only the first gets right; not negative.
  ///   - second: How many only the second gets right; not negative.
  /// - Returns: The two-sided p-value, 1 where the two do not differ at all.
  /// - Complexity: O(first + second).
  public static func exact(first: Int, second: Int) -> Double {
    precondition(first >= 0 && second >= 0, "\(first) and \(second)")
    let n = first + second
    // The sum of the smaller tail of the binomial distribution at one half, by logarithms: they do not underflow.
    var logarithm = -Double(n) * 0.693_147_180_559_945_3
    var tail = 0.0
    for k in 0...min(first, second) {
      tail += exp(logarithm)
      logarithm += log(Double(n - k)) - log(Double(k + 1))
    }
    return min(1, 2 * tail)
  }
}
