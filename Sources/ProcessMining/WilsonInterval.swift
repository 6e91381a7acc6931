/// The Wilson score interval of a proportion: between which rates the true one may well lie, when `successes` of `trials` were seen.
///
/// It stays within 0 and 1 and stays honest for few trials and for rates of 0 and 1, where the textbook interval has no width.
///
/// - SeeAlso: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927,
///   doi:10.1080/01621459.1927.10502953; R. G. Newcombe, "Two-sided confidence intervals for the single proportion: comparison of seven
///   methods", Statistics in Medicine 17, 1998 (method 3).
public struct WilsonInterval: Hashable, Sendable {
  /// The standard normal quantile of a two-sided 95 % interval.
  public static let z95 = 1.959963984540054

  /// The lower end, 0 to 1.
  public let lower: Double
  /// The upper end, 0 to 1.
  public let upper: Double

  /// The interval around `successes` of `trials`; nothing is known without a trial, so it is 0 to 1 then.
  ///
  /// - Parameters:
  ///   - successes: 0 up to `trials`; anything else is a programming error.
  ///   - trials: How often it was tried.
  ///   - z: The standard normal quantile that belongs to the wanted confidence, above 0.
  public init(successes: Int, trials: Int, z: Double = WilsonInterval.z95) {
    precondition(trials >= 0 && successes >= 0 && successes <= trials, "\(successes) successes of \(trials) trials")
    precondition(z > 0 && z.isFinite, "z is above 0; got \(z)")
    guard trials > 0 else {
      (lower, upper) = (0, 1)
      return
    }
    let n = Double(trials)
    let p = Double(successes) / n
    let scale = 1 + z * z / n
    let centre = (p + z * z / (2 * n)) / scale
    let half = z / scale * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
    lower = successes == 0 ? 0 : max(0, centre - half)
    upper = successes == trials ? 1 : min(1, centre + half)
  }
}
