/// Whether a share that was seen is beyond a limit, or could be chance: the exact test of a binomial proportion.
///
/// - SeeAlso: C. Clopper, E. Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial",
///   Biometrika 26(4), 1934, doi:10.1093/biomet/26.4.404.
public struct ShareTest: Hashable, Sendable {
  /// On which side of the limit the share would have to be.
  public enum Side: Hashable, Sendable {
    /// The share is above the limit.
    case above
    /// The share is below the limit.
    case below
  }

  /// How often it was so.
  public let count: Int
  /// How often it was looked at.
  public let total: Int
  /// The limit, 0 to 1.
  public let limit: Double
  /// On which side of the limit the share would have to be.
  public let side: Side

  /// A test of `count` in `total` against a limit.
  ///
  /// - Parameters:
  ///   - count: 0 up to `total`; anything else is a programming error.
  ///   - total: How often it was looked at.
  ///   - side: On which side of the limit the share would have to be.
  ///   - limit: Between 0 and 1, without the ends.
  public init(_ count: Int, of total: Int, _ side: Side, _ limit: Double) {
    precondition(count >= 0 && count <= total, "\(count) of \(total)")
    precondition(limit > 0 && limit < 1, "a limit is between 0 and 1; got \(limit)")
    (self.count, self.total, self.side, self.limit) = (count, total, side, limit)
  }

  /// The share that was seen; 0 where nothing was looked at.
  public var share: Double { total == 0 ? 0 : Double(count) / Double(total) }

  /// Where the true share may well be, with 95 % confidence.
  public var interval: WilsonInterval { WilsonInterval(successes: count, trials: total) }

  /// The probability to see this or more, were the true share at the limit; 1 where nothing was looked at.
  ///
  /// - Complexity: O(total).
  public var chance: Double {
    guard total > 0 else { return 1 }
    return side == .above ? Self.tail(total - count, of: total, 1 - limit) : Self.tail(count, of: total, limit)
  }

  /// The least ``chance`` that so many observations could have shown: a question that even this does not answer need not be asked.
  ///
  /// - SeeAlso: R. Tarone, "A modified Bonferroni method for discrete data", Biometrics 46(2), 1990, doi:10.2307/2531456.
  public var leastChance: Double { ShareTest(side == .above ? total : 0, of: total, side, limit).chance }

  /// The probability of at most `count` successes in `total` trials.
  ///
  /// The terms of the distribution, each from the one before. They can be far below the least double, so they are scaled by powers of 2^512;
  /// nothing but multiplications, divisions and additions, which every machine rounds alike.
  static func tail(_ count: Int, of total: Int, _ share: Double) -> Double {
    let unit = Double(sign: .plus, exponent: 512, significand: 1)
    let (odds, miss) = (share / (1 - share), 1 - share)
    var (term, sum, scale) = (1.0, 0.0, 0)
    for _ in 0..<total {
      term *= miss
      if term < 1 / unit { (term, scale) = (term * unit, scale - 1) }
    }
    sum = term
    for k in 0..<count {
      term *= Double(total - k) / Double(k + 1) * odds
      sum += term
      if sum > unit {
        (term, sum, scale) = (term / unit, sum / unit, scale + 1)
      }
    }
    // A scale below 0 that is left makes the sum too small for a double: it is as good as 0, but never shown as certain.
    var result = sum
    for _ in 0..<max(0, -scale) { result /= unit }
    return min(1, max(result, Double.leastNormalMagnitude))
  }
}
