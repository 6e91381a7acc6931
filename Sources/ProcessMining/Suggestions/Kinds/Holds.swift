internal import Core

/// Holds that need not be, and holds that are missing.
extension SuggestionSearch {
  /// The share of wrong permits that is usual, 0 to 1: below it nobody needs to look, above it somebody should have.
  static let tolerableError = 0.1
  /// The share of calls without a person that may be wrong, 0 to 1, before a hold is suggested.
  static let tolerableWrong = 0.05

  /// Asks of each rule, tool and step that held whether what a condition covers may pass without a person.
  func needlessHolds(_ history: ProcessHistory) -> [Suggestion] {
    let holds = history.calls.flatMap { call -> [DecidedHold] in
      guard case .held(let rules) = call.basis, let outcome = call.decision?.outcome else { return [] }
      return rules.map { rule in
        DecidedHold(
          rule: rule, otherRules: rules.filter { !Names.same($0, rule) }, tool: call.tool, step: call.step, outcome: outcome,
          features: call.features, entry: call.entry)
      }
    }
    return groups(holds) { [$0.rule, $0.tool, $0.step ?? ""] }.compactMap { names, group in
      let source = history.rules.first { $0["hold"] != nil && ($0["id"]?.stringValue.map { Names.same($0, names[0]) } ?? false) }
      guard let source, group.count >= 2 * minimum else { return nil }
      let (learnt, tested) = split(group) { $0.entry }
      var search = ConditionSearch(
        cases: learnt.map(\.features), isGood: learnt.map { $0.outcome == .approvedUnchanged }, features: history.features,
        tolerated: learnt.count / 100)
      guard let found = search.best(minimum: minimum / 2) else { return nil }
      let condition = tightened(found.condition, found.covered.map { learnt[$0].features })
      let covered = tested.filter { condition.holds($0.features) }
      guard covered.count >= minimum / 2 else { return nil }
      let against = covered.filter { $0.outcome != .approvedUnchanged }
      let test = ShareTest(against.count, of: covered.count, .below, Self.tolerableError)
      let step = group[0].step
      let inSteps = holds.contains { $0.step != nil && Names.same($0.rule, names[0]) && Names.same($0.tool, names[1]) }
      let stillHeld = covered.count { !$0.otherRules.isEmpty }
      return Suggestion(
        kind: .needlessHold, subject: Suggestion.Subject.hold(names[0], names[1], step),
        evidence: .init(
          test, "of the holds where \(condition.cel) were not approved unchanged",
          note: "the condition is the best of \(search.tried), learnt from the earlier \(learnt.count) holds and counted in the later ones"
            + (stillHeld > 0 ? "; \(stillHeld) of these another rule held as well" : ""),
          support: covered.filter { $0.outcome == .approvedUnchanged }.map(\.entry), against: against.map(\.entry)),
        change: .rule(
          RuleChange(
            holding: source, tool: names[1], step: step, isAlsoHeldInSteps: inSteps, condition: condition,
            takenIDs: Set(history.rules.compactMap { $0["id"]?.stringValue }))),
        effect: perHundredRuns(
          "decisions that people need not make", WilsonInterval(successes: covered.count - stillHeld, trials: tested.count),
          times: group.count, runs: history.runs),
        risk: "what people would have rejected or changed passes: at most \(percentText(test.interval.upper)) of what the condition covers")
    }
  }

  /// Asks of each tool and step whose calls pass without a person whether too many of them turn out wrong.
  func missingHolds(_ history: ProcessHistory) -> [Suggestion] {
    let passed = history.calls.filter { $0.basis == .rule && !$0.isPersonal }
    return groups(passed) { [$0.tool, $0.step ?? ""] }.compactMap { names, group in
      guard group.count >= 2 * minimum else { return nil }
      let (learnt, tested) = split(group) { $0.entry }
      // Where a condition tells what goes right, only the rest needs a person; it has to leave less than half of the calls.
      var search = ConditionSearch(cases: learnt.map(\.features), isGood: learnt.map { !$0.wasWrong }, features: history.features)
      let safe = search.best(minimum: learnt.count / 2)?.condition
      let risky = safe.map { safe in tested.filter { !safe.holds($0.features) } } ?? tested
      let (condition, cases) = risky.count >= minimum ? (safe, risky) : (nil, tested)
      let wrong = cases.filter(\.wasWrong)
      let step = group[0].step
      let test = ShareTest(wrong.count, of: cases.count, .above, Self.tolerableWrong)
      return Suggestion(
        kind: .missingHold, subject: [.init("tool", names[0])] + (step.map { [.init("step", $0)] } ?? []),
        evidence: .init(
          test, "of the calls that passed without a person\(condition.map { " where \($0.negatedCEL)" } ?? "") turned out wrong",
          note: "counted in the later \(tested.count) calls of \(group.count)",
          support: wrong.map(\.entry), against: cases.filter { !$0.wasWrong }.map(\.entry)),
        change: .newRule(Self.hold(names[0], step, unless: condition, in: history)),
        effect: perHundredRuns(
          "wrong calls that a person sees first", test.interval, times: cases.count * group.count / tested.count, runs: history.runs),
        risk: "people decide about \(cases.count * group.count / tested.count) more calls in such a time, and runs wait for them")
    }
  }

  /// A rule that holds what agents call, for the role that decides on that tool already, else for the owner.
  private static func hold(_ tool: String, _ step: String?, unless safe: Condition?, in history: ProcessHistory) -> JSONObject {
    let taken = Set(history.rules.compactMap { $0["id"]?.stringValue })
    let stem = "\(tool.replacing(".", with: "-"))\(step.map { "-\($0)" } ?? "")-reviewed"
    var (id, number) = (stem, 2)
    while taken.contains(id) { (id, number) = ("\(stem)-\(number)", number + 1) }
    let known = history.rules.first { $0["hold"]?.stringValue.map { Names.same($0, tool) } ?? false }?["approval"]
    var rule: JSONObject = ["id": .string(id), "hold": .string(tool), "by": "agent:*"]
    if let step { rule["step"] = .string(step) }
    if let safe { rule["when"] = .string(safe.negatedCEL) }
    rule["approval"] = known ?? ["roles": .array([.string(history.owner)])]
    return rule
  }

  /// The condition with its thresholds moved inwards, so that each leaves out the outermost twentieth of what it covered.
  ///
  /// The edge of what went right in a sample lies a little beyond the edge of what goes right.
  func tightened(_ condition: Condition, _ covered: [[String: FeatureValue]]) -> Condition {
    Condition(
      comparisons: condition.comparisons.map { comparison in
        let values = covered.compactMap { $0[comparison.path] }
        let rank: Double
        switch comparison.comparison {
        case .equal: return comparison
        case .atMost: rank = 0.95
        case .atLeast: rank = 0.05
        }
        let place = Int((rank * Double(values.count - 1)).rounded())
        let numbers = values.compactMap(\.number)
        guard numbers.count == values.count, !numbers.isEmpty else { return comparison }
        let order = values.indices.sorted { numbers[$0] < numbers[$1] }
        return Condition.Comparison(path: comparison.path, comparison: comparison.comparison, value: values[order[place]])
      })
  }

  /// The earlier third, to learn from, and the rest, to test on, by entry.
  func split<Item>(_ items: [Item], _ entry: (Item) -> Int64) -> (earlier: [Item], later: [Item]) {
    let sorted = items.stableSorted { entry($0) < entry($1) }
    return (Array(sorted[..<(sorted.count / 3)]), Array(sorted[(sorted.count / 3)...]))
  }
}

extension FeatureValue {
  /// The value as a number to compare by; nil for one without an order.
  fileprivate var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    case .choice, .flag: nil
    }
  }
}
