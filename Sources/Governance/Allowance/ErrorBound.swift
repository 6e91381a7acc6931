/// The exact upper confidence bound on a share of wrong cases, one-sided, at 95 %.
///
/// - SeeAlso: C. Clopper, E. Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial",
///   Biometrika 26(4), 1934, doi:10.1093/biomet/26.4.404.
enum ErrorBound {
  /// The probability of seeing so few wrong cases, were the share at the bound.
  private static let level = 0.05

  /// The greatest share of wrong cases that the sample leaves possible, in parts per million, rounded up.
  ///
  /// Whole numbers in and out, and nothing but additions, multiplications and divisions between them, which every machine rounds alike.
  /// - Parameters:
  ///   - wrong: Wrong cases.
  ///   - reviewed: Cases looked at.
  /// - Returns: 1,000,000 where nothing was looked at.
  /// - Complexity: O(reviewed).
  static func upper(wrong: Int, of reviewed: Int) -> Int {
    if reviewed <= 0 || wrong >= reviewed { return 1_000_000 }
    var (low, high) = (0, 1_000_000)  // the bound is above `low` and not above `high`
    while high - low > 1 {
      let middle = (low + high) / 2
      if isLikely(wrong: wrong, of: reviewed, share: middle) { low = middle } else { high = middle }
    }
    return high
  }

  /// Whether at most that many wrong cases have more than the level's probability at a share.
  private static func isLikely(wrong: Int, of reviewed: Int, share: Int) -> Bool {
    let (p, q) = (Double(share) / 1_000_000, Double(1_000_000 - share) / 1_000_000)
    // The terms of the binomial distribution, each from the one before; scaled, as the first ones can be far below the least double.
    var term = Scaled(1)
    for _ in 0..<reviewed { term.multiply(by: q) }
    var sum = term
    for k in 0..<wrong {
      term.multiply(by: Double(reviewed - k) / Double(k + 1))
      term.multiply(by: p / q)
      sum.add(term)
    }
    return sum.exceeds(level)
  }
}

/// A positive number with an exponent of its own: `significand` × 2^(512 × `exponent`).
private struct Scaled {
  private static let unit = Double(sign: .plus, exponent: 512, significand: 1)
  private var significand: Double
  private var exponent = 0

  init(_ value: Double) { significand = value }

  mutating func multiply(by factor: Double) {
    significand *= factor
    if significand < 1 / Self.unit { (significand, exponent) = (significand * Self.unit, exponent - 1) }
    if significand > Self.unit { (significand, exponent) = (significand / Self.unit, exponent + 1) }
  }

  mutating func add(_ other: Scaled) {
    // What is smaller by a whole unit of the exponent and more changes nothing.
    switch other.exponent - exponent {
    case 0: significand += other.significand
    case 1: (significand, exponent) = (significand / Self.unit + other.significand, other.exponent)
    case 2...: self = other
    case -1: significand += other.significand / Self.unit
    default: break
    }
  }

  func exceeds(_ limit: Double) -> Bool {
    exponent > 0 || exponent == 0 && significand > limit || exponent == -1 && significand / Self.unit > limit
  }
}
