/// Agents that could do more alone, and agents that should do less.
extension SuggestionSearch {
  /// The share of decisions, 0 to 1, that may be rejections for one and the same reason.
  static let tolerableRepeats = 0.1

  /// Asks of each agent, tool and step that waits for want of an allowance whether the agent is right often enough for one.
  func allowancesToGrant(_ history: ProcessHistory) -> [Suggestion] {
    let waiting = history.calls.filter { call in
      if case .unearned = call.basis { call.decision != nil } else { false }
    }
    return groups(waiting) { [$0.proposer, $0.tool, $0.step ?? ""] }.compactMap { (names, group) -> Suggestion? in
      guard group.count >= 2 * minimum else { return nil }
      let (learnt, tested) = split(group) { $0.entry }
      let isGood = learnt.map { $0.decision?.outcome == .approvedUnchanged }
      var condition = Condition(comparisons: [])
      if isGood.count(where: { !$0 }) * 20 > learnt.count {
        var search = ConditionSearch(
          cases: learnt.map(\.features), isGood: isGood, features: history.features, tolerated: learnt.count / 100)
        guard let found = search.best(minimum: minimum / 2) else { return nil }
        condition = tightened(found.condition, found.covered.map { learnt[$0].features })
      }
      let covered = tested.filter { condition.holds($0.features) }
      let against = covered.filter { $0.decision?.outcome != .approvedUnchanged }
      let test = ShareTest(against.count, of: covered.count, .below, Self.tolerableError)
      let place = condition.comparisons.isEmpty ? "" : " where \(condition.cel)"
      return Suggestion(
        kind: .allowanceToGrant,
        subject: [.init("agent", names[0]), .init("tool", names[1])] + (group[0].step.map { [.init("step", $0)] } ?? []),
        evidence: .init(
          test, "of the calls\(place) that waited for want of an allowance were not approved unchanged",
          support: covered.filter { $0.decision?.outcome == .approvedUnchanged }.map(\.entry), against: against.map(\.entry)),
        change: .allowance(.grant(agent: names[0], tool: names[1], step: group[0].step, condition: condition)),
        effect: perHundredRuns(
          "decisions that people need not make", WilsonInterval(successes: covered.count, trials: tested.count), times: group.count,
          runs: history.runs),
        risk:
          "wrong calls pass: at most \(percentText(test.interval.upper)) of those covered; the allowance's own review should sample them")
    }
  }

  /// Asks of each allowance whether what it covered turned out wrong too often.
  func allowancesToWithdraw(_ history: ProcessHistory) -> [Suggestion] {
    struct Covered {
      var allowance: String
      var call: ProcessHistory.Call
    }
    let covered = history.calls.compactMap { call -> Covered? in
      if case .allowance(let id) = call.basis { Covered(allowance: id, call: call) } else { nil }
    }
    return groups(covered) { [$0.allowance] }.compactMap { (names, group) -> Suggestion? in
      guard group.count >= minimum else { return nil }
      let wrong = group.filter(\.call.wasWrong)
      let test = ShareTest(wrong.count, of: group.count, .above, Self.tolerableWrong)
      return Suggestion(
        kind: .allowanceToWithdraw, subject: [.init("allowance", names[0])],
        evidence: .init(
          test, "of the calls that this allowance covered turned out wrong", support: wrong.map(\.call.entry),
          against: group.filter { !$0.call.wasWrong }.map(\.call.entry)),
        change: .allowance(.withdraw(id: names[0])),
        effect: perHundredRuns("wrong calls that a person sees first", test.interval, times: group.count, runs: history.runs),
        risk: "people decide about all \(group.count) such calls again, and runs wait for them")
    }
  }

  /// Asks of each agent, tool and step whether the reason that was given most at first goes on being given.
  func repeatedRejections(_ history: ProcessHistory) -> [Suggestion] {
    groups(history.calls.filter { $0.decision != nil && !$0.isPersonal }) { [$0.proposer, $0.tool, $0.step ?? ""] }.compactMap {
      (names, group) -> Suggestion? in
      guard group.count >= 2 * minimum else { return nil }
      let (learnt, tested) = split(group) { $0.entry }
      let reasons = learnt.compactMap { Self.plain($0.decision?.reason) }
      guard !reasons.isEmpty else { return nil }
      let reason = mostFrequent(reasons)
      let again = tested.filter { Self.plain($0.decision?.reason).map { Names.same($0, reason) } ?? false }
      let test = ShareTest(again.count, of: tested.count, .above, Self.tolerableRepeats)
      let step = group[0].step
      let prompt = history.steps.first { known in step.map { Names.same(known.id, $0) } ?? false }?.prompt
      return Suggestion(
        kind: .repeatedRejection,
        subject: [.init("agent", names[0]), .init("tool", names[1])] + (step.map { [.init("step", $0)] } ?? [])
          + [.init("reason", reason)],
        evidence: .init(
          test, "of the agent's calls were rejected for this reason, after it had been given before", support: again.map(\.entry),
          against: tested.filter { $0.decision?.outcome == .approvedUnchanged }.map(\.entry)),
        change: .document(
          .init(
            path: prompt.map { "Prompts/\($0)" } ?? "process.json5", step: step ?? names[1], before: nil,
            after: "people reject such calls: \(reason)")),
        effect: perHundredRuns("rejections", test.interval, times: group.count, runs: history.runs),
        risk: "the words of a rejection are one person's; read the prompt as a whole, and evaluate it before it is released")
    }
  }

  /// A reason as one compares it: without space around and doubled within, small letters; nil where nothing is left.
  private static func plain(_ reason: String?) -> String? {
    let words = reason?.lowercased().split(whereSeparator: \.isWhitespace).joined(separator: " ")
    return words?.isEmpty == false ? words : nil
  }
}
