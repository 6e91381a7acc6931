public import Core

/// Two results of the same samples, compared sample by sample: two prompts, models or releases.
public struct SuiteComparison: Sendable {
  /// One measure on the samples that both have.
  public struct Difference: Sendable {
    /// What was measured.
    public let metric: Metric
    /// How many samples both have it of.
    public let samples: Int
    /// The average over these samples in the first.
    public let before: Double
    /// The average over these samples in the second.
    public let after: Double
    /// The 95 % interval of the average difference, after less before, by the bootstrap over samples.
    public let interval: (lower: Double, upper: Double)

    /// Whether the interval leaves out zero.
    public var isClear: Bool { interval.lower > 0 || interval.upper < 0 }
    /// Whether the second is better, where it is clear.
    public var isBetter: Bool { (after > before) == metric.isBetterHigher }
  }

  /// How the two agree with people, sample by sample; by the majority of repetitions, half of which is not enough.
  public struct Agreement: Hashable, Sendable {
    /// Samples on which both agree with the person.
    public let both: Int
    /// Samples on which only the first does.
    public let onlyBefore: [String]
    /// Samples on which only the second does.
    public let onlyAfter: [String]
    /// Samples on which neither does.
    public let neither: Int
    /// McNemar's exact two-sided p-value.
    public let p: Double
  }

  /// The differences, in the order of ``Metric``.
  public let differences: [Difference]
  /// How both agree with people; nil where no sample says what a person decided.
  public let agreement: Agreement?
  /// How many samples both have.
  public let compared: Int
  /// How many samples only one of the two has.
  public let unmatched: Int
  /// Samples that are not the same in both, though they have one name: they are left out.
  public let changed: [String]
  /// In which parts of their provenance the two differ.
  public let provenance: [String]

  /// Compares two results.
  ///
  /// - Throws: `Diagnostics` with the code `nothing-to-compare` where they have no sample in common.
  /// - Complexity: O(samples × ``Bootstrap/resamples``).
  public init(before: SuiteResults, after: SuiteResults) throws(Diagnostics) {
    func digests(_ results: SuiteResults) -> [ExactString: Digest] {
      Dictionary(results.trials.map { (ExactString($0.sample), $0.sampleDigest) }, uniquingKeysWith: { first, _ in first })
    }
    let (mine, theirs) = (digests(before), digests(after))
    let common = Set(mine.keys).intersection(theirs.keys)
    changed = common.filter { mine[$0] != theirs[$0] }.map(\.string).sorted(by: bytesLess)
    let same = common.filter { mine[$0] == theirs[$0] }
    compared = same.count
    unmatched = mine.count + theirs.count - 2 * common.count
    provenance = after.header.differences(from: before.header)
    guard !same.isEmpty else {
      throw Diagnostics([
        Diagnostic(
          "nothing-to-compare", at: nil, "the two results have no sample in common",
          hint: changed.isEmpty ? nil : "samples of the same name differ in their content: run both on the same suite")
      ])
    }
    let scores = (try SuiteReport.scores(before, suite: nil), try SuiteReport.scores(after, suite: nil))
    var differences: [Difference] = []
    var agreement: Agreement?
    for metric in Metric.allCases {
      let other = Dictionary(
        SuiteReport.means(of: metric, in: scores.1).map { (ExactString($0.sample), $0.mean) }, uniquingKeysWith: { first, _ in first })
      let pairs = SuiteReport.means(of: metric, in: scores.0).compactMap { sample, mean in
        same.contains(ExactString(sample)) ? other[ExactString(sample)].map { (sample: sample, before: mean, after: $0) } : nil
      }
      if pairs.isEmpty { continue }
      let count = Double(pairs.count)
      differences.append(
        Difference(
          metric: metric, samples: pairs.count, before: pairs.map(\.before).reduce(0, +) / count,
          after: pairs.map(\.after).reduce(0, +) / count, interval: Bootstrap.interval(of: pairs.map { $0.after - $0.before })))
      if metric == .agreement {
        let lost = pairs.filter { $0.before > 0.5 && $0.after <= 0.5 }.map(\.sample)
        let won = pairs.filter { $0.before <= 0.5 && $0.after > 0.5 }.map(\.sample)
        agreement = Agreement(
          both: pairs.count { $0.before > 0.5 && $0.after > 0.5 }, onlyBefore: lost, onlyAfter: won,
          neither: pairs.count { $0.before <= 0.5 && $0.after <= 0.5 }, p: McNemar.exact(first: lost.count, second: won.count))
      }
    }
    self.differences = differences
    self.agreement = agreement
  }

  /// Whether the second agrees with people clearly less.
  public var isWorse: Bool { (agreement.map { $0.p < 0.05 && $0.onlyBefore.count > $0.onlyAfter.count }) ?? false }

  /// The answer in one sentence.
  public var verdict: String {
    guard let agreement, let difference = differences.first(where: { $0.metric == .agreement }) else {
      return "No sample says what a person decided, so only costs and violations can be compared."
    }
    let counts = "\(agreement.onlyAfter.count) samples won, \(agreement.onlyBefore.count) lost, of \(difference.samples)"
    let p = "exact McNemar p = \(agreement.p.short)"
    let interval =
      "the difference is \((100 * (difference.after - difference.before)).short) points, "
      + "95 % interval \((100 * difference.interval.lower).short) to \((100 * difference.interval.upper).short)"
    if agreement.onlyAfter.isEmpty, agreement.onlyBefore.isEmpty {
      return "Both agree with people on the same samples of \(difference.samples); nothing tells them apart."
    }
    guard agreement.p < 0.05 else {
      return "The two cannot be told apart by these samples: \(counts); \(interval); \(p)."
    }
    let word = agreement.onlyAfter.count > agreement.onlyBefore.count ? "more" : "less"
    return "The second agrees with people \(word) often: \(counts); \(interval); \(p)."
  }
}
