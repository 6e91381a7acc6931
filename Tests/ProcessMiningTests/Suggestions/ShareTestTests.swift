import TestSupport
import Testing

@testable import ProcessMining

@Suite struct ShareTestTests {
  /// Chances of `binom.test(count, total, limit, alternative)` in R.
  static let rows: [(count: Int, total: Int, side: ShareTest.Side, limit: Double, chance: Double)] = [
    (0, 10, .below, 0.1, 0.3486784401), (1, 10, .below, 0.1, 0.7360989291), (8, 10, .above, 0.5, 0.0546875),
    (10, 10, .above, 0.5, 0.0009765625), (0, 10, .above, 0.5, 1), (10, 10, .below, 0.5, 1), (0, 0, .above, 0.5, 1), (0, 0, .below, 0.5, 1),
  ]

  @Test(arguments: rows)
  func chancesAreTheExactOnes(_ row: (count: Int, total: Int, side: ShareTest.Side, limit: Double, chance: Double)) {
    let chance = ShareTest(row.count, of: row.total, row.side, row.limit).chance
    #expect(abs(chance - row.chance) < 1e-10, "\(row): \(chance)")
  }

  @Test func bothSidesTogetherAreCertain() {
    withSeeds { seed, random in
      let total = Int.random(in: 1...3000, using: &random)
      let count = Int.random(in: 1...total, using: &random)
      let limit = Double.random(in: 0.01...0.99, using: &random)
      let below = ShareTest(count - 1, of: total, .below, limit).chance
      let above = ShareTest(count, of: total, .above, limit).chance
      #expect(abs(below + above - 1) < 1e-9, "SEED=\(seed) \(count) of \(total) at \(limit): \(below) + \(above)")
    }
  }

  /// Terms below the least double do not make what is likely look impossible, nor the other way round.
  @Test func manyObservationsDoNotUnderflow() {
    #expect(abs(ShareTest(50_000, of: 100_000, .below, 0.5).chance - 0.501261566) < 1e-6)
    let chance = ShareTest(0, of: 1_000_000, .below, 0.5).chance
    #expect(chance > 0 && chance < 1e-300)
  }

  @Test func theLeastChanceIsThatOfTheClearestAnswer() {
    #expect(ShareTest(3, of: 10, .below, 0.1).leastChance == ShareTest(0, of: 10, .below, 0.1).chance)
    #expect(ShareTest(3, of: 10, .above, 0.1).leastChance == ShareTest(10, of: 10, .above, 0.1).chance)
  }
}
