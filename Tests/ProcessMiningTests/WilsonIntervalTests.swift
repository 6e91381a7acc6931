import ProcessMining
import Testing

@Suite struct WilsonIntervalTests {
  struct Row: Sendable {
    var successes: Int
    var trials: Int
    var lower: Double
    var upper: Double
  }

  /// Newcombe 1998 (doi:10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E), table I, method 3, four decimals.
  static let published = [
    Row(successes: 81, trials: 263, lower: 0.2553, upper: 0.3662),
    Row(successes: 15, trials: 148, lower: 0.0624, upper: 0.1605),
    Row(successes: 0, trials: 20, lower: 0.0000, upper: 0.1611),
    Row(successes: 1, trials: 29, lower: 0.0061, upper: 0.1718),
  ]

  @Test(arguments: published)
  func publishedValues(_ row: Row) {
    let interval = WilsonInterval(successes: row.successes, trials: row.trials)
    #expect(abs(interval.lower - row.lower) < 5e-5)
    #expect(abs(interval.upper - row.upper) < 5e-5)
  }

  @Test func theEndsAreExactAndNothingIsKnownWithoutATrial() {
    #expect(WilsonInterval(successes: 0, trials: 0) == WilsonInterval(successes: 0, trials: 0, z: 3))
    #expect(WilsonInterval(successes: 0, trials: 0).upper == 1)
    #expect(WilsonInterval(successes: 0, trials: 7).lower == 0)
    #expect(WilsonInterval(successes: 7, trials: 7).upper == 1)
    for trials in 1...60 {
      for successes in 0...trials {
        let interval = WilsonInterval(successes: successes, trials: trials)
        let mirrored = WilsonInterval(successes: trials - successes, trials: trials)
        let rate = Double(successes) / Double(trials)
        #expect(interval.lower <= rate && rate <= interval.upper)
        #expect(abs(interval.lower - (1 - mirrored.upper)) < 1e-12)
      }
    }
  }
}
