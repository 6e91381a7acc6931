/// Steps that are not what the process says that they are.
extension SuggestionSearch {
  /// The share of times, 0 to 1, that people may skip a step.
  static let tolerableSkips = 0.75

  /// Asks of each step with a condition whether any run does it.
  func unusedSteps(_ history: ProcessHistory) -> [Suggestion] {
    visits(of: history) { step, visits in
      guard step.isConditional, !step.isControlled, visits.count >= minimum else { return nil }
      let used = visits.filter { $0.ending != .omitted }
      let test = ShareTest(used.count, of: visits.count, .below, Self.worthHaving)
      return Suggestion(
        kind: .unusedStep, subject: [.init("step", step.id)],
        evidence: .init(
          test, "of the runs that came here did this step; its condition passed the others by",
          support: visits.filter { $0.ending == .omitted }.map(\.entry), against: used.map(\.entry)),
        change: .process(.removeStep(step.id)),
        effect: perHundredRuns("runs that would have to do without the step", test.interval, times: visits.count, runs: history.runs),
        risk: "the step may be there for something rare; what its condition asks for then happens to nobody's notice")
    }
  }

  /// Asks of each step whether people skip it nearly always.
  func skippedSteps(_ history: ProcessHistory) -> [Suggestion] {
    visits(of: history) { step, visits in
      let ended = visits.filter { $0.ending == .completed || $0.ending == .skipped }
      guard !step.isControlled, ended.count >= minimum else { return nil }
      let skipped = ended.filter { $0.ending == .skipped }
      let test = ShareTest(skipped.count, of: ended.count, .above, Self.tolerableSkips)
      return Suggestion(
        kind: .skippedStep, subject: [.init("step", step.id)],
        evidence: .init(
          test, "of the times that this step was ready somebody skipped it", support: skipped.map(\.entry),
          against: ended.filter { $0.ending == .completed }.map(\.entry)),
        change: .process(.removeStep(step.id)),
        effect: perHundredRuns("times that somebody has to skip it", test.interval, times: ended.count, runs: history.runs),
        risk: "who does the step now has a reason; a condition that names it keeps the step for those runs")
    }
  }

  /// Asks of each step whether others do it than the process and its document say.
  func driftedDocuments(_ history: ProcessHistory) -> [Suggestion] {
    visits(of: history) { step, visits in
      let done = visits.filter { $0.ending == .completed }
      let others = done.filter { !Names.same($0.performer, step.performer) }
      guard done.count >= minimum else { return nil }
      let practice = mostFrequent(others.map(\.performer))
      let theirs = others.filter { Names.same($0.performer, practice) }
      let test = ShareTest(theirs.count, of: done.count, .above, 0.5)
      return Suggestion(
        kind: .driftedDocument, subject: [.init("step", step.id), .init("by", practice)],
        evidence: .init(
          test, "of the times this step was done by them, and not by \(step.performer)", support: theirs.map(\.entry),
          against: done.filter { Names.same($0.performer, step.performer) }.map(\.entry)),
        change: .document(
          .init(path: step.document ?? "process.json5", step: step.id, before: "done by \(step.performer)", after: "done by \(practice)")),
        effect: perHundredRuns("times that the step is handed over", test.interval, times: done.count, runs: history.runs),
        risk: "who is named in the document may be meant to look; another performer may not be apart from who did the steps before")
    }
  }

  /// What a body makes of each step and its visits.
  private func visits(
    of history: ProcessHistory, _ body: (ProcessHistory.Step, [ProcessHistory.Visit]) -> Suggestion?
  ) -> [Suggestion] {
    let byStep = groups(history.visits) { [$0.step] }
    return history.steps.compactMap { step in
      byStep.first { Names.same($0.names[0], step.id) }.flatMap { body(step, $0.items) }
    }
  }
}
