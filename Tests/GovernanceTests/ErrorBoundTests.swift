import Core
import Testing

@testable import Governance

@Suite("The bound on errors")
struct ErrorBoundTests {
  /// From SciPy 1.17.1: the smallest whole number of millionths at or above `beta.ppf(0.95, wrong + 1, reviewed - wrong)`.
  static let known: [(wrong: Int, of: Int, bound: Int)] = [
    (0, 0, 1000000), (0, 1, 950000), (1, 1, 1000000), (0, 5, 450720), (0, 10, 258866), (1, 10, 394164),
    (0, 59, 49508), (2, 20, 282619), (0, 100, 29514), (1, 100, 46560), (5, 100, 102254), (50, 100, 586379),
    (99, 100, 999488), (0, 1000, 2992), (3, 1000, 7736), (0, 2000, 1497), (40, 2000, 25956), (1999, 2000, 999975),
  ]

  @Test("the bound is the exact one", arguments: known)
  func exact(_ known: (wrong: Int, of: Int, bound: Int)) {
    #expect(ErrorBound.upper(wrong: known.wrong, of: known.of) == known.bound)
  }

  @Test func moreErrorsAndFewerCasesNeverLowerIt() {
    for reviewed in 1...120 {
      for wrong in 0..<reviewed {
        let bound = ErrorBound.upper(wrong: wrong, of: reviewed)
        #expect(bound <= ErrorBound.upper(wrong: wrong + 1, of: reviewed))
        #expect(bound >= ErrorBound.upper(wrong: wrong, of: reviewed + 1))
        #expect(bound * reviewed >= wrong * 1_000_000)
      }
    }
  }

  @Test("percentages are exact", arguments: [(0, "0 %"), (50_000, "5 %"), (49_508, "4.9508 %"), (500, "0.05 %"), (1_000_000, "100 %")])
  func percentages(_ partsPerMillion: Int, _ text: String) {
    #expect(AllowanceBasis.percent(partsPerMillion) == text)
  }
}
