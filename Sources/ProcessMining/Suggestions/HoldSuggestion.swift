public import Core

/// "This hold was approved unchanged k of n times: consider permitting it when …", with everything that speaks for it and against it.
public struct HoldSuggestion: Sendable {
  /// Id of the rule that holds.
  public let rule: String
  /// The tool that it holds.
  public let tool: String
  /// The step that the proposals were made at, if any.
  public let step: String?
  /// How many holds ended, decided or timed out.
  public let decided: Int
  /// How many of them were approved unchanged.
  public let approvedUnchanged: Int
  /// The rate of holds that were not approved unchanged: its interval over all of them.
  public let error: WilsonInterval
  /// When to permit without asking.
  ///
  /// It covers none of ``counterExamples``.
  public let condition: Condition
  /// How many holds the condition covers; all of them were approved unchanged.
  public let covered: Int
  /// The rate of wrong permits under the condition, of which none was seen: its upper end is the number to look at.
  public let errorUnderCondition: WilsonInterval
  /// How many conditions were tried to find this one: the more, the more likely one fits by chance.
  public let conditionsTried: Int
  /// How many covered holds another rule held as well; those would go on waiting.
  public let stillHeldByOthers: Int
  /// Log entries of the covered holds, ascending.
  public let support: [Int64]
  /// Log entries and outcomes of the holds that were not approved unchanged, ascending.
  public let counterExamples: [CounterExample]
  /// The change to the rules.
  public let change: RuleChange

  /// One hold that was not approved unchanged.
  public struct CounterExample: Hashable, Sendable {
    /// Index of its entry in the log.
    public let entry: Int64
    /// How it ended.
    public let outcome: DecidedHold.Outcome
  }
}

/// What mining found about one kind of hold: a suggestion, or why there is none.
public enum HoldFinding: Sendable {
  /// A change to consider.
  case suggestion(HoldSuggestion)
  /// No change, and why.
  case nothing(rule: String, tool: String, step: String?, decided: Int, reason: NoSuggestion)

  /// Why nothing is suggested.
  public enum NoSuggestion: Hashable, Sendable {
    /// Fewer holds ended than the minimum that was asked for.
    case tooFew(minimum: Int)
    /// No small condition covers the minimum of holds without covering one that was not approved unchanged.
    case noCondition(approvedUnchanged: Int, minimum: Int)
    /// What the best condition covers is too few to bound the error below the maximum that was asked for.
    case tooUncertain(covered: Int, upperBound: Double, maximum: Double)
    /// Enough holds ended to test what they seem to say, and it could be chance.
    case couldBeChance(tested: Int)
    /// The hold comes from something that is not a rule of the file, such as a control, and is not ours to relax.
    case notARule
  }
}

/// Looks for holds that need not be.
public struct HoldAnalysis: Sendable {
  /// Fewest ended holds of one rule, tool and step, and fewest holds that a condition must cover.
  public var minimum = 5
  /// Nothing is suggested whose upper bound on the error lies above this rate, 0 to 1.
  public var maximumError = 0.5
  /// Standard normal quantile of the intervals.
  public var z = WilsonInterval.z95

  /// An analysis with the usual limits: at least 5 holds, an upper bound of 50 % on the error, 95 % intervals.
  public init() {}

  /// Finds what the decided holds of a log speak for.
  ///
  /// - Parameters:
  ///   - holds: Ended holds, in any order.
  ///   - features: What conditions may compare. Confidential features are never compared, whatever they would tell.
  ///   - rules: The rules as they stand in the file; those that hold must be among them.
  /// - Returns: One finding for each rule, tool and step that held, in byte order of these names.
  /// - Complexity: O(H log H) for H holds, plus O(F² · H) bit operations for F features with at most
  ///   ``ConditionSearch/thresholdLimit`` thresholds each way.
  public func findings(holds: [DecidedHold], features: [Feature], rules: [JSONObject]) -> [HoldFinding] {
    let sorted = holds.stableSorted { a, b in
      Self.key(a).lexicographicallyPrecedes(Self.key(b)) || (Self.key(a) == Self.key(b) && a.entry < b.entry)
    }
    var findings: [HoldFinding] = []
    var start = 0
    while start < sorted.count {
      let key = Self.key(sorted[start])
      var end = start
      while end < sorted.count, Self.key(sorted[end]) == key { end += 1 }
      let group = Array(sorted[start..<end])
      let inSteps = holds.contains { $0.step != nil && Names.same($0.rule, group[0].rule) && Names.same($0.tool, group[0].tool) }
      findings.append(finding(group, inSteps, features, rules))
      start = end
    }
    return findings
  }

  private func finding(_ group: [DecidedHold], _ inSteps: Bool, _ features: [Feature], _ rules: [JSONObject]) -> HoldFinding {
    let (rule, tool, step) = (group[0].rule, group[0].tool, group[0].step)
    func nothing(_ reason: HoldFinding.NoSuggestion) -> HoldFinding {
      .nothing(rule: rule, tool: tool, step: step, decided: group.count, reason: reason)
    }
    let source = rules.first { candidate in
      candidate["hold"] != nil && (candidate["id"]?.stringValue.map { Names.same($0, rule) } ?? false)
    }
    guard let source else { return nothing(.notARule) }
    guard group.count >= minimum else { return nothing(.tooFew(minimum: minimum)) }

    let isGood = group.map { $0.outcome == .approvedUnchanged }
    let good = isGood.count { $0 }
    var search = ConditionSearch(cases: group.map(\.features), isGood: isGood, features: features)
    guard let found = search.best(minimum: minimum) else {
      return nothing(.noCondition(approvedUnchanged: good, minimum: minimum))
    }
    let bound = WilsonInterval(successes: 0, trials: found.covered.count, z: z)
    guard bound.upper <= maximumError else {
      return nothing(.tooUncertain(covered: found.covered.count, upperBound: bound.upper, maximum: maximumError))
    }
    let covered = found.covered.map { group[$0] }
    return .suggestion(
      HoldSuggestion(
        rule: rule, tool: tool, step: step, decided: group.count, approvedUnchanged: good,
        error: WilsonInterval(successes: group.count - good, trials: group.count, z: z), condition: found.condition,
        covered: covered.count, errorUnderCondition: bound, conditionsTried: search.tried,
        stillHeldByOthers: covered.count { !$0.otherRules.isEmpty }, support: covered.map(\.entry).sorted(),
        counterExamples: group.filter { $0.outcome != .approvedUnchanged }.map { .init(entry: $0.entry, outcome: $0.outcome) },
        change: RuleChange(
          holding: source, tool: tool, step: step, isAlsoHeldInSteps: inSteps, condition: found.condition,
          takenIDs: Set(rules.compactMap { $0["id"]?.stringValue }))))
  }

  private static func key(_ hold: DecidedHold) -> [UInt8] {
    Array(hold.rule.utf8) + [0] + Array(hold.tool.utf8) + [0] + (hold.step.map { [1] + Array($0.utf8) } ?? [])
  }
}
