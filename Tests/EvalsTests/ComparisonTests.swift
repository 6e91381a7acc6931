import Core
import Evals
import TestSupport
import Testing

@Suite("comparisons of results")
struct ComparisonTests {
  /// The two-sided exact values of the sign test, as tables of it print them (Siegel, "Nonparametric Statistics", 1956, table D, doubled),
  /// and the sum over the binomial distribution for larger counts.
  @Test(arguments: [
    (0, 0, 1.0), (0, 5, 0.0625), (0, 6, 0.03125), (1, 9, 0.021484375), (5, 15, 0.041389465332), (3, 3, 1.0), (12, 12, 1.0),
  ])
  func mcNemar(first: Int, second: Int, p: Double) {
    #expect(abs(McNemar.exact(first: first, second: second) - p) < 1e-9)
    #expect(McNemar.exact(first: second, second: first) == McNemar.exact(first: first, second: second))
  }

  @Test func mcNemarOfManyCasesDoesNotUnderflow() {
    let p = McNemar.exact(first: 900, second: 1100)
    #expect(p > 7.6e-6 && p < 9e-6, "\(p)")
    #expect(McNemar.exact(first: 0, second: 1000) > 0)
  }

  /// The treated mice of Efron and Tibshirani, table 2.1: their ideal bootstrap standard error of the mean is 23.36.
  @Test func bootstrapOfTheMice() {
    let mice: [Double] = [94, 197, 16, 38, 99, 141, 23]
    let interval = Bootstrap.interval(of: mice)
    #expect(abs((interval.upper - interval.lower) / (2 * 1.959964) - 23.36) < 1.5, "\(interval)")
    #expect(interval.lower < 86.86 && interval.upper > 86.86)
    #expect(Bootstrap.interval(of: mice) == interval)
    #expect(Bootstrap.interval(of: [3, 3, 3]) == (3, 3))
  }

  /// Of 400 draws from a known distribution, about 95 in 100 intervals hold its mean; fewer than 90 would be a mistake.
  @Test func bootstrapCoversTheMean() {
    var random = SeededGenerator(seed: 7)
    var covered = 0
    for _ in 0..<400 {
      let values = (0..<40).map { _ in Double(random.next() % 1000) / 1000 }
      let interval = Bootstrap.interval(of: values, resamples: 400, seed: random.next())
      if interval.lower <= 0.4995, interval.upper >= 0.4995 { covered += 1 }
    }
    #expect(covered >= 365 && covered <= 395, "\(covered)")
  }

  private func results(_ right: (Int) -> Bool, count: Int = 40, digest: String = "") throws -> SuiteResults {
    let suite = try Claims.loaded()
    let header = ResultsHeader(try Claims.runner(suite), repeats: 1, isRecorded: false)
    return SuiteResults(
      header: header,
      trials: (0..<count).map { index in
        var trial = TrialRecord(sample: "s\(index)", sampleDigest: SHA256.hash("\(index)\(digest)"), repetition: 1)
        trial.expectation = .init(fields: ["risk": "low"])
        trial.answer = ["risk": right(index) ? "low" : "high"]
        trial.outcome = "completed"
        trial.turns = 2
        return trial
      })
  }

  @Test func theVerdictSaysWhichIsBetterAndHowSureThatIs() throws {
    let (poor, good, other) = (try results { $0 % 2 == 0 }, try results { $0 % 8 != 1 }, try results { $0 % 2 == 0 || $0 == 1 })
    let better = try SuiteComparison(before: poor, after: good)
    #expect(better.agreement?.onlyAfter.count == 15 && better.agreement?.onlyBefore == [])
    #expect(better.verdict.hasPrefix("The second agrees with people more often: 15 samples won, 0 lost, of 40;"), "\(better.verdict)")
    #expect(!better.isWorse)
    let worse = try SuiteComparison(before: good, after: poor)
    #expect(worse.isWorse && worse.verdict.contains("less often"))
    #expect(worse.differences.first { $0.metric == .agreement }?.isClear == true)
    #expect(try SuiteComparison(before: poor, after: other).verdict.hasPrefix("The two cannot be told apart"))
    #expect(try SuiteComparison(before: poor, after: poor).verdict.hasPrefix("Both agree with people on the same samples"))
  }

  @Test func onlyEqualSamplesAreCompared() throws {
    let (mine, theirs) = (try results({ _ in true }), try results({ _ in true }, digest: "!"))
    #expect(throws: Diagnostics.self) { try SuiteComparison(before: mine, after: theirs) }
    let mixed = SuiteResults(header: mine.header, trials: Array(mine.trials.prefix(10)) + theirs.trials.suffix(5))
    let comparison = try SuiteComparison(before: mine, after: mixed)
    #expect(comparison.compared == 10 && comparison.changed.count == 5 && comparison.unmatched == 25)
  }
}
