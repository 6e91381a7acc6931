/// Looks for everything that a history speaks for changing.
///
/// Each kind of problem is a share that is compared with a limit: what is usual and needs no change. A history is asked many such questions,
/// and each could be answered wrongly by chance; so the answers are taken together (Holm's step-down procedure): the probability that a log
/// without problems yields any suggestion at all is at most ``falseAlarms``. Where a change depends on a condition, the condition is learned
/// from the earlier third of the cases and tested on the others, so that a condition that fits by chance does not pass.
///
/// - SeeAlso: S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6(2), 1979.
public struct SuggestionSearch: Sendable {
  /// The probability of any suggestion from a log without problems, at most.
  public var falseAlarms = 0.02
  /// The fewest observations that a question is asked of.
  public var minimum = 30

  /// A search with the usual limits.
  public init() {}

  /// What was found, and how much was asked.
  public struct Result: Sendable {
    /// The suggestions, the least likely to be chance first; equal ones by kind and subject.
    public let suggestions: [Suggestion]
    /// How many questions were asked of the log.
    public let asked: Int
  }

  /// Asks a history for every kind of problem.
  ///
  /// - Complexity: O(n log n) for n records, and the search of ``HoldAnalysis`` for conditions.
  public func suggestions(in history: ProcessHistory) -> Result {
    var asked = [
      needlessHolds(history), missingHolds(history), deadPaths(history), bottlenecks(history), slowHandOffs(history),
      reworkLoops(history), missingEvidence(history), unusedSteps(history), skippedSteps(history), driftedDocuments(history),
      allowancesToGrant(history), allowancesToWithdraw(history), overloadedReviewers(history), repeatedRejections(history),
    ].flatMap { $0 }.filter { $0.evidence.test.leastChance <= falseAlarms }
    for index in asked.indices {
      // Where two questions have to be answered yes, the less clear answer counts.
      let evidence = asked[index].evidence
      asked[index].chance = max(evidence.test.chance, evidence.also?.chance ?? 0)
    }
    asked = asked.stableSorted { ($0.chance, $0.rank) < ($1.chance, $1.rank) }
    var found: [Suggestion] = []
    var worst = 0.0
    for (place, candidate) in asked.enumerated() {
      worst = max(worst, min(1, candidate.chance * Double(asked.count - place)))
      guard worst <= falseAlarms else { break }
      var suggestion = candidate
      suggestion.chance = worst
      found.append(suggestion)
    }
    return Result(suggestions: found, asked: asked.count)
  }

  /// What the analysis of few holds says, without what this search could test.
  ///
  /// A few holds that went well are a sign and no proof. Where enough of them ended under the release to test the sign, the search's own
  /// answer counts: the finding is left out where the search suggests the same, and becomes "nothing" where it does not.
  public func untested(_ findings: [HoldFinding], in history: ProcessHistory, besides found: [Suggestion]) -> [HoldFinding] {
    findings.compactMap { finding in
      guard case .suggestion(let hold) = finding else { return finding }
      let subject = Suggestion.Subject.hold(hold.rule, hold.tool, hold.step)
      if found.contains(where: { $0.kind == .needlessHold && $0.subject == subject }) { return nil }
      let tested = history.calls.count { call in
        guard case .held(let rules) = call.basis, call.decision != nil else { return false }
        return Names.same(call.tool, hold.tool) && Names.same(call.step ?? "", hold.step ?? "")
          && rules.contains { Names.same($0, hold.rule) }
      }
      guard tested >= 2 * minimum else { return finding }
      return .nothing(
        rule: hold.rule, tool: hold.tool, step: hold.step, decided: hold.decided, reason: .couldBeChance(tested: tested))
    }
  }

  /// Items that have the same names, in byte order of these names; within a group in the order in which they came.
  func groups<Item>(_ items: [Item], by names: (Item) -> [String]) -> [(names: [String], items: [Item])] {
    let keyed = items.map { item in (key: names(item).flatMap { Array($0.utf8) + [0 as UInt8] }, item: item) }
    let sorted = keyed.stableSorted { $0.key.lexicographicallyPrecedes($1.key) }
    var result: [(names: [String], items: [Item])] = []
    var last: [UInt8]?
    for entry in sorted {
      if entry.key == last {
        result[result.count - 1].items.append(entry.item)
      } else {
        result.append((names(entry.item), [entry.item]))
        last = entry.key
      }
    }
    return result
  }

  /// A share as times in a hundred runs, with what the interval leaves open.
  func perHundredRuns(_ what: String, _ interval: WilsonInterval, times: Int, runs: Int) -> Suggestion.Effect {
    let rate = 100 * Double(times) / Double(max(1, runs))
    return Suggestion.Effect(what: what, unit: .perHundredRuns, low: rate * interval.lower, high: rate * interval.upper)
  }

  /// The median of durations above another, with what a sample leaves open; the usual one counts as known.
  func saved(_ what: String, _ durations: [Int64], against usual: Int64) -> Suggestion.Effect {
    let sorted = durations.sorted()
    // The ranks between which the median lies with 95 %: the binomial distribution's, by its normal approximation.
    let spread = Int((WilsonInterval.z95 * Double(sorted.count).squareRoot() / 2).rounded(.up))
    let (low, high) = (max(0, sorted.count / 2 - spread), min(sorted.count - 1, sorted.count / 2 + spread))
    return Suggestion.Effect(
      what: what, unit: .milliseconds, low: Double(max(0, sorted[low] - usual)), high: Double(max(0, sorted[high] - usual)))
  }
}

extension Suggestion.Subject {
  /// What a suggestion about a hold is about.
  static func hold(_ rule: String, _ tool: String, _ step: String?) -> [Suggestion.Subject] {
    [Self("rule", rule), Self("tool", tool)] + (step.map { [Self("step", $0)] } ?? [])
  }
}

extension Suggestion {
  /// What equal chances are ordered by.
  fileprivate var rank: String { kind.rawValue + "\0" + subject.map { "\($0.kind)\0\($0.name)" }.joined(separator: "\0") }
}
