public import Core
internal import ProcessMining

/// What the results of a suite come to: averages with intervals, and whether they are good enough.
public struct SuiteReport: Sendable {
  /// One measure over all trials that have it.
  public struct Average: Sendable {
    /// What was measured.
    public let metric: Metric
    /// How many samples have it.
    public let samples: Int
    /// The average over samples of each sample's average.
    public let mean: Double
    /// The interval in which the average of all such samples lies with 95 % confidence.
    public let interval: (lower: Double, upper: Double)
    /// What the suite asks for; nil for nothing.
    public let threshold: Threshold?

    /// Whether it is good enough.
    public var isMet: Bool { threshold?.isMet(by: mean) ?? true }
  }

  /// Where the results come from.
  public let results: SuiteResults
  /// The averages, in the order of ``Metric``; one that no trial has is left out.
  public let averages: [Average]
  /// Thresholds of measures that no trial has: they are not met.
  public let unmeasured: [Threshold]
  /// The trials in which the agent's answer was not the person's.
  public let disagreements: [TrialRecord]

  /// Whether every trial is there and every threshold is met.
  public var isGood: Bool { results.missing == 0 && unmeasured.isEmpty && averages.allSatisfy(\.isMet) }

  /// Scores results.
  ///
  /// - Parameters:
  ///   - results: The results.
  ///   - suite: The suite whose decisions and thresholds count; nil takes the decisions that stand in the results, and no threshold.
  /// - Throws: `Diagnostics` with the code `sample-missing` where the suite lacks a sample of the results.
  public init(_ results: SuiteResults, suite: AgentSuite?) throws(Diagnostics) {
    self.results = results
    let scores = try Self.scores(results, suite: suite)
    var averages: [Average] = []
    var unmeasured: [Threshold] = []
    for metric in Metric.allCases {
      let threshold = suite?.thresholds.first { $0.metric == metric }
      let means = Self.means(of: metric, in: scores).map(\.mean)
      if means.isEmpty {
        if let threshold { unmeasured.append(threshold) }
        continue
      }
      averages.append(
        Average(
          metric: metric, samples: means.count, mean: means.reduce(0, +) / Double(means.count), interval: Self.interval(means, metric),
          threshold: threshold))
    }
    self.averages = averages
    self.unmeasured = unmeasured
    disagreements = scores.filter { $0.scores[.agreement] == 0 }.map(\.trial)
  }

  /// Scores every trial.
  static func scores(
    _ results: SuiteResults, suite: AgentSuite?
  ) throws(Diagnostics) -> [(trial: TrialRecord, scores: TrialScores)] {
    var scores: [(trial: TrialRecord, scores: TrialScores)] = []
    for trial in results.trials {
      var trial = trial
      if let suite {
        guard let sample = suite[trial.sample] else {
          throw Diagnostics([
            Diagnostic(
              "sample-missing", at: nil,
              "the suite `\(visible(suite.name))` has no sample `\(visible(trial.sample))` that the results have",
              hint: "score the results without `--suite`, by the decisions that stand in them")
          ])
        }
        trial.expectation = sample.expectation
      }
      let never = suite?.never ?? results.header.never
      scores.append((trial, TrialScores(trial, expectation: trial.expectation, never: never)))
    }
    return scores
  }

  /// Each sample's average of a measure, in the order of first appearance.
  static func means(of metric: Metric, in scores: [(trial: TrialRecord, scores: TrialScores)]) -> [(sample: String, mean: Double)] {
    var order: [String] = []
    var sums: [ExactString: (sum: Double, count: Int)] = [:]
    for (trial, score) in scores {
      guard let value = score[metric] else { continue }
      let key = ExactString(trial.sample)
      if sums[key] == nil { order.append(trial.sample) }
      sums[key, default: (0, 0)].sum += value
      sums[key, default: (0, 0)].count += 1
    }
    return order.compactMap { sample in sums[ExactString(sample)].map { (sample, $0.sum / Double($0.count)) } }
  }

  /// Wilson's interval for shares of samples that are 0 or 1, else the bootstrap over samples.
  private static func interval(_ means: [Double], _ metric: Metric) -> (lower: Double, upper: Double) {
    if metric == .agreement, means.allSatisfy({ $0 == 0 || $0 == 1 }) {
      let wilson = WilsonInterval(successes: means.count { $0 == 1 }, trials: means.count)
      return (wilson.lower, wilson.upper)
    }
    return Bootstrap.interval(of: means)
  }
}
