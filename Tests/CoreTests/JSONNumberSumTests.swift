import Core
import TestSupport
import Testing

@Suite("Exact sums")
struct JSONNumberSumTests {
  static let cases: [(a: String, b: String, sum: String?)] = [
    ("1", "2", "3"), ("0.1", "0.2", "0.3"), ("9223372036854775807", "1", "9223372036854775808"), ("-5", "5", "0"), ("0.30", "-0.1", "0.2"),
    ("-0.1", "-0.9", "-1"), ("1e20", "-1", "99999999999999999999"), ("0", "0.5", "0.5"), ("2.5", "0", "2.5"), ("1", "-2.5", "-1.5"),
    ("999.99", "0.01", "1000"), ("1e200", "1", nil),
  ]

  @Test("sums are exact, or there are none", arguments: cases)
  func sums(_ test: (a: String, b: String, sum: String?)) throws {
    let (a, b) = (try #require(JSONNumber(decimal: test.a)), try #require(JSONNumber(decimal: test.b)))
    #expect(a.adding(b) == test.sum.flatMap { JSONNumber(decimal: $0) })
    #expect(b.adding(a) == a.adding(b))
  }

  @Test func sumsOfHundredthsAreThoseOfWholeNumbers() {
    withSeeds { seed, random in
      let cents = (0..<2).map { _ in Int64.random(in: -1_000_000...1_000_000, using: &random) }
      func number(_ cents: Int64) -> JSONNumber { JSONNumber(decimal: "\(cents)e-2") ?? JSONNumber(0) }
      #expect(number(cents[0]).adding(number(cents[1])) == number(cents[0] + cents[1]), "SEED=\(seed)")
    }
  }
}
