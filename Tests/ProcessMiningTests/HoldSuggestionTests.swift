import Core
import TestSupport
import Testing

@testable import ProcessMining

@Suite struct HoldSuggestionTests {
  static let amount = Feature("run.amount", .number)
  static let risk = Feature("run.risk", .choice)
  static let rules: [JSONObject] = [
    [
      "id": "big", "hold": "erp.activate_vendor", "when": "run.amount > 1000.0", "approval": ["roles": ["finance"]],
      "clause": "policy.md#4.1",
    ],
    ["id": "every", "hold": "erp.*", "by": "agent:*"],
    ["id": "every-unattended", "permit": "erp.read"],
  ]

  static func hold(_ amount: Double, _ risk: String, _ outcome: DecidedHold.Outcome, entry: Int64, rule: String = "big") -> DecidedHold {
    DecidedHold(
      rule: rule, tool: "erp.activate_vendor", outcome: outcome,
      features: ["run.amount": .number(amount), "run.risk": .choice(risk), "run.iban_checked": .flag(true)], entry: entry)
  }

  /// Several holds with rising amounts, beginning with `base`.
  static func holds(
    _ count: Int, _ outcome: DecidedHold.Outcome, _ risk: String = "low", base: Double = 1000, by step: Double = 1, entry: Int64 = 0
  ) -> [DecidedHold] {
    (0..<count).map { (number: Int) -> DecidedHold in
      hold(base + step * Double(number), risk, outcome, entry: entry + Int64(number))
    }
  }

  static func suggestion(_ holds: [DecidedHold], _ features: [Feature] = [amount, risk]) throws -> HoldSuggestion {
    let findings = HoldAnalysis().findings(holds: holds, features: features, rules: rules)
    guard case .suggestion(let suggestion)? = findings.first, findings.count == 1 else { throw Missing(findings: findings) }
    return suggestion
  }

  struct Missing: Error { var findings: [HoldFinding] }

  @Test func aThresholdIsFoundWithItsEvidence() throws {
    var holds = Self.holds(10, .approvedUnchanged, "low", base: 1200, by: 200, entry: 81)
    holds += Self.holds(10, .approvedUnchanged, "medium", base: 1100, by: 200, entry: 91)
    holds.append(Self.hold(5000, "low", .rejected, entry: 7))
    holds.append(Self.hold(9000, "medium", .edited, entry: 3))
    holds.append(Self.hold(4000, "low", .timedOut, entry: 9))
    let found = try Self.suggestion(holds)
    #expect(found.condition.cel == "run.amount <= 3000.0")
    #expect([found.decided, found.approvedUnchanged, found.covered] == [23, 20, 20])
    #expect(found.errorUnderCondition == WilsonInterval(successes: 0, trials: 20))
    #expect(found.error == WilsonInterval(successes: 3, trials: 23))
    #expect(found.support == (81...100).map(Int64.init))
    #expect(found.counterExamples.map(\.entry) == [3, 7, 9])
    #expect(
      found.change.diff == """
        - { id: "big", hold: "erp.activate_vendor", when: "run.amount > 1000.0", approval: { roles: ["finance"] }, clause: "policy.md#4.1" }
        + { id: "big", hold: "erp.activate_vendor", when: "run.amount > 1000.0 && run.amount > 3000.0", approval: { roles: ["finance"] }, clause: "policy.md#4.1" }
        + { id: "big-unattended", permit: "erp.activate_vendor", when: "run.amount > 1000.0 && run.amount <= 3000.0", clause: "policy.md#4.1" }
        """)
    #expect(found.summary.contains("approved unchanged 20"))
    #expect(found.summary.contains("error at most 16.1 %"))
    #expect(found.text().contains("#3 edited, #7 rejected, #9 timed out"))
  }

  @Test func twoComparisonsWhereOneDoesNotDo() throws {
    var holds = Self.holds(8, .approvedUnchanged)
    holds += Self.holds(8, .rejected, "high", entry: 20)
    holds += Self.holds(8, .rejected, base: 6000, entry: 40)
    let found = try Self.suggestion(holds)
    #expect(found.condition.cel == "run.risk == 'low' && run.amount <= 1007.0")
    #expect(found.change.afterText.contains("!(run.risk == 'low' && run.amount <= 1007.0)"))
  }

  @Test func equallyGoodConditionsAreDecidedByTheStatedOrder() throws {
    // Everything was approved: one comparison, and equality before thresholds.
    let found = try Self.suggestion(Self.holds(9, .approvedUnchanged, base: 2000))
    #expect(found.condition.cel == "run.risk == 'low'")
    let byAmount = try Self.suggestion(Self.holds(9, .approvedUnchanged, base: 2000), [Self.amount])
    #expect(byAmount.condition.cel == "run.amount <= 2008.0")
  }

  @Test func confidentialFeaturesAreNeverUsed() throws {
    let holds = Self.holds(8, .approvedUnchanged, by: 0) + Self.holds(8, .rejected, "high", by: 0, entry: 20)
    let secret = Feature("run.risk", .choice, isConfidential: true)
    let findings = HoldAnalysis().findings(holds: holds, features: [Self.amount, secret], rules: Self.rules)
    guard case .nothing(_, _, _, 16, .noCondition(approvedUnchanged: 8, minimum: 5))? = findings.first else {
      Issue.record("expected nothing, got \(findings)")
      return
    }
    #expect(!findings[0].json.text().contains("low"))
    #expect(try Self.suggestion(holds).condition.cel == "run.risk == 'low'")
  }

  @Test func nothingIsSuggestedFromTooLittleAndTheReasonIsSaid() {
    let few = Self.holds(4, .approvedUnchanged)
    let control = (0..<9).map { Self.hold(1000, "low", .approvedUnchanged, entry: Int64($0), rule: "C2") }
    let findings = HoldAnalysis().findings(holds: few + control, features: [Self.risk], rules: Self.rules)
    #expect(
      findings.map(\.summary) == [
        "rule `C2` held `erp.activate_vendor` 9 times; nothing suggested: it comes from no rule that holds in this file (a control or a "
          + "guard): not for mining to relax",
        "rule `big` held `erp.activate_vendor` 4 times; nothing suggested: fewer than 5 holds ended, too few to tell",
      ])
    var strict = HoldAnalysis()
    strict.maximumError = 0.1
    let nine = Self.holds(9, .approvedUnchanged)
    guard
      case .nothing(_, _, _, _, .tooUncertain(covered: 9, _, 0.1))? =
        strict.findings(holds: nine, features: [Self.risk], rules: Self.rules).first
    else {
      Issue.record("expected a bound that is too wide")
      return
    }
    #expect(HoldAnalysis().findings(holds: [], features: [], rules: []).isEmpty)
  }

  @Test func aHoldOverManyToolsIsOpenedForOneToolAndStepOnly() throws {
    let holds = (0..<6).map {
      DecidedHold(
        rule: "every", otherRules: $0 == 0 ? ["big"] : [], tool: "erp.update", step: "activate", outcome: .approvedUnchanged, features: [:],
        entry: Int64($0))
    }
    let found = try Self.suggestion(holds, [])
    #expect(found.condition.cel == "true")
    #expect(found.stillHeldByOthers == 1)
    #expect(
      found.change.afterText == """
        { id: "every", hold: "erp.*", when: "!(tool.name == 'erp.update' && step.id == 'activate')", by: "agent:*" },
        { id: "every-unattended-2", permit: "erp.update", by: "agent:*", step: "activate" }
        """)
  }

  @Test func theSearchFindsAsMuchAsTryingEverything() {
    withSeeds(200) { seed, random in
      let features = [Feature("a", .integer), Feature("b", .choice), Feature("c", .integer)]
      let count = Int.random(in: 1...14, using: &random)
      let cases = (0..<count).map { _ -> [String: FeatureValue] in
        var values: [String: FeatureValue] = ["a": .integer(Int64.random(in: 0...5, using: &random))]
        if Int.random(in: 0..<5, using: &random) > 0 { values["b"] = .choice(["x", "y", "z"][Int.random(in: 0..<3, using: &random)]) }
        values["c"] = .integer(Int64.random(in: 0...3, using: &random))
        return values
      }
      let isGood = cases.map { _ in Int.random(in: 0..<10, using: &random) < 7 }
      var every: [Condition.Comparison] = []
      for limit in Int64(0)...5 {
        for path in ["a", "c"] {
          for sign in [Condition.Comparison.Operator.equal, .atMost, .atLeast] where sign != .equal {
            every.append(Condition.Comparison(path: path, comparison: sign, value: .integer(limit)))
          }
        }
      }
      for name in ["x", "y", "z"] { every.append(Condition.Comparison(path: "b", comparison: .equal, value: .choice(name))) }
      var most = 0
      for first in every {
        for second in every {
          let condition = Condition(comparisons: [first, second])
          let covered = cases.indices.filter { condition.holds(cases[$0]) }
          if covered.allSatisfy({ isGood[$0] }) { most = max(most, covered.count) }
        }
      }
      var search = ConditionSearch(cases: cases, isGood: isGood, features: features)
      let found = search.best(minimum: 1)
      #expect(found?.covered.count ?? 0 == most, "SEED=\(seed)")
      if let found {
        #expect(found.covered == cases.indices.filter { found.condition.holds(cases[$0]) }, "SEED=\(seed)")
        #expect(found.covered.allSatisfy { isGood[$0] }, "SEED=\(seed)")
      }
    }
  }

  @Test func theOrderOfTheHoldsDoesNotMatter() {
    withSeeds(30) { seed, random in
      let holds = (0..<40).map { number in
        Self.hold(
          Double(Int.random(in: 1...30, using: &random) * 100), ["low", "medium", "high"][Int.random(in: 0..<3, using: &random)],
          Int.random(in: 0..<6, using: &random) == 0 ? .rejected : .approvedUnchanged, entry: Int64(number))
      }
      let features = [Self.amount, Self.risk]
      let first = HoldAnalysis().findings(holds: holds, features: features, rules: Self.rules)
      let again = HoldAnalysis().findings(holds: holds.shuffled(using: &random), features: features.reversed(), rules: Self.rules)
      #expect(first.map(\.json) == again.map(\.json), "SEED=\(seed)")
    }
  }

  @Test func literalsAreReadByCELAsWhatTheyAre() {
    func cel(_ value: FeatureValue) -> String { Condition.Comparison(path: "x", comparison: .equal, value: value).cel }
    #expect(cel(.number(5000)) == "x == 5000.0")
    #expect(cel(.number(1e300)) == "x == 1e+300")
    #expect(cel(.integer(-3)) == "x == -3")
    #expect(cel(.flag(false)) == "!x")
    #expect(cel(.choice("o'b\\\u{202E}\n")) == "x == 'o\\'b\\\\\\U0000202e\\U0000000a'")
    #expect(!Condition.Comparison(path: "x", comparison: .atMost, value: .number(1)).holds(.number(.nan)))
    #expect(!Condition.Comparison(path: "x", comparison: .atMost, value: .number(1)).holds(.integer(0)))
    #expect(!Condition.Comparison(path: "x", comparison: .atMost, value: .number(1)).holds(nil))
  }
}
