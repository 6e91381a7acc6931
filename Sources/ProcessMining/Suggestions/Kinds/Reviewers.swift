internal import Core

/// People who decide too much.
extension SuggestionSearch {
  /// Asks of each rule that holds whether the person who decided most at first decides more than a fair part, and slower than the others.
  func overloadedReviewers(_ history: ProcessHistory) -> [Suggestion] {
    struct Decided {
      var rule: String
      var person: String
      var waited: Int64
      var entry: Int64
    }
    let decided = history.calls.flatMap { call -> [Decided] in
      guard let person = call.decision?.by, let waited = call.waited else { return [] }
      let rules: [String]
      switch call.basis {
      case .held(let held): rules = held
      case .unearned(let rule): rules = [rule]
      case .rule, .allowance: rules = []
      }
      return rules.map { Decided(rule: $0, person: person, waited: waited, entry: call.entry) }
    }
    return groups(decided) { [$0.rule] }.compactMap { names, group in
      let people = groups(group) { [$0.person] }.count
      guard people > 1, group.count >= 2 * minimum else { return nil }
      let (learnt, tested) = split(group) { $0.entry }
      let person = mostFrequent(learnt.map(\.person))
      let (own, others) = (group.filter { Names.same($0.person, person) }, group.filter { !Names.same($0.person, person) })
      guard others.count >= minimum / 2, let usual = DurationSummary(others.map(\.waited))?.median else { return nil }
      // Half way from an equal part to everything.
      let limit = (1 + 1 / Double(people)) / 2
      let theirs = tested.filter { Names.same($0.person, person) }
      let slow = own.filter { $0.waited > max(Self.shortestWait, usual + usual / 2) }
      return Suggestion(
        kind: .overloadedReviewer, subject: [.init("rule", names[0]), .init("person", person)],
        evidence: .init(
          ShareTest(theirs.count, of: tested.count, .above, limit),
          "of the decisions, which \(people) people may make, this person made",
          also: ShareTest(slow.count, of: own.count, .above, 0.5),
          note:
            "\(slow.count) of their \(own.count) took more than one and a half times \(durationText(milliseconds: usual)), the others' median",
          support: theirs.map(\.entry), against: tested.filter { !Names.same($0.person, person) }.map(\.entry)),
        change: .staffing(.spread(person: person, rule: names[0])),
        effect: saved("waiting for this person's decisions, were they as quick as the others'", own.map(\.waited), against: usual),
        risk: "the others may be less sure of such cases; who decides much may be the one who knows them")
    }
  }
}
