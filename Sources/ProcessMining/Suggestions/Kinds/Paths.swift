/// Branches that no run takes.
extension SuggestionSearch {
  /// The share of runs, 0 to 1, that a path or a step may be worth having for.
  static let worthHaving = 0.03

  /// Asks of each branch of each choice whether it is taken at all.
  func deadPaths(_ history: ProcessHistory) -> [Suggestion] {
    history.choices.flatMap { choice -> [Suggestion] in
      let turns = history.turns.filter { Names.same($0.choice, choice.id) }
      guard turns.count >= minimum, choice.branches.count > 1 else { return [] }
      return choice.branches.filter { branch in !choice.controlled.contains { Names.same($0, branch) } }.map { branch in
        let taken = turns.filter { Names.same($0.branch, branch) }
        let test = ShareTest(taken.count, of: turns.count, .below, Self.worthHaving)
        return Suggestion(
          kind: .deadPath, subject: [.init("choice", choice.id), .init("branch", branch)],
          evidence: .init(
            test, "of the runs that came to the choice took this branch",
            support: turns.filter { !Names.same($0.branch, branch) }.map(\.entry), against: taken.map(\.entry)),
          change: .process(.removeBranch(choice: choice.id, branch: branch)),
          effect: perHundredRuns("runs that would have to go another way", test.interval, times: turns.count, runs: history.runs),
          risk: "the branch may be there for something rare; its condition, and what is to happen then, need another place")
      }
    }
  }
}
