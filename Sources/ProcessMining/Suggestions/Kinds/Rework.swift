/// Work that comes back.
extension SuggestionSearch {
  /// The share of times, 0 to 1, that work may be sent back.
  static let tolerableRework = 0.15
  /// The share of times, 0 to 1, that work may be sent back for the same missing evidence.
  static let tolerableMissing = 0.1

  /// One time that work was sent back, and the evidence that was there only afterwards.
  private struct Explained {
    var work: ProcessHistory.Return
    var supplied: [String]
  }

  /// Asks of each two steps whether the one sends work back to the other too often, for what is not explained by missing evidence.
  func reworkLoops(_ history: ProcessHistory) -> [Suggestion] {
    let visited = groups(history.visits.filter { $0.ending != .omitted && $0.ending != .skipped }) { [$0.step] }
    return groups(explained(history)) { [$0.work.from, $0.work.to] }.compactMap { names, group in
      let visits = visited.first { Names.same($0.names[0], names[0]) }?.items ?? []
      let unexplained = group.filter(\.supplied.isEmpty).map(\.work)
      guard visits.count >= minimum, unexplained.count <= visits.count else { return nil }
      let test = ShareTest(unexplained.count, of: visits.count, .above, Self.tolerableRework)
      let performer = history.steps.first { Names.same($0.id, names[0]) }?.performer ?? "role:\(history.owner)"
      let back = Set(unexplained.map(\.run))
      return Suggestion(
        kind: .reworkLoop, subject: [.init("from", names[0]), .init("to", names[1])],
        evidence: .init(
          test, "of the times at this step sent the work back", support: unexplained.map(\.entry),
          against: visits.filter { !back.contains($0.run) }.map(\.entry)),
        change: .process(.checkAfter(step: names[1], performer: performer)),
        effect: perHundredRuns("times that work goes back", test.interval, times: visits.count, runs: history.runs),
        risk: "a check for every run costs more than the way back of some, where it takes long")
    }
  }

  /// Asks of each step and each evidence that it does not require whether work is sent back until it is there.
  func missingEvidence(_ history: ProcessHistory) -> [Suggestion] {
    struct Supplied {
      var step: String
      var name: String
      var work: ProcessHistory.Return
    }
    let supplied = explained(history).flatMap { back in
      back.supplied.map { Supplied(step: back.work.to, name: $0, work: back.work) }
    }
    return groups(supplied) { [$0.step, $0.name] }.compactMap { names, group in
      let step = history.steps.first { Names.same($0.id, names[0]) }
      guard step?.required.contains(where: { Names.same($0, names[1]) }) != true else { return nil }
      var first: [Int: ProcessHistory.Visit] = [:]
      for visit in history.visits where Names.same(visit.step, names[0]) && visit.ending == .completed {
        if visit.ready < first[visit.run]?.ready ?? .max { first[visit.run] = visit }
      }
      let runs = Set(group.map(\.work.run)).filter { first[$0] != nil }
      guard first.count >= minimum else { return nil }
      let test = ShareTest(runs.count, of: first.count, .above, Self.tolerableMissing)
      return Suggestion(
        kind: .missingEvidence, subject: [.init("step", names[0]), .init("evidence", names[1])],
        evidence: .init(
          test, "of the runs were sent back to this step, and had this evidence only then", support: group.map(\.work.entry),
          against: first.values.filter { !runs.contains($0.run) }.map(\.entry)),
        change: .process(.requireEvidence(step: names[0], name: names[1])),
        effect: perHundredRuns("times that work goes back", test.interval, times: first.count, runs: history.runs),
        risk: "where the evidence is not needed, people have to attach it all the same or get stuck")
    }
  }

  /// Each time that work was sent back, with the names of the evidence that the step had when it was done again and not before.
  private func explained(_ history: ProcessHistory) -> [Explained] {
    var visits = [[ProcessHistory.Visit]](repeating: [], count: history.runs)
    for visit in history.visits where visit.ending == .completed { visits[visit.run].append(visit) }
    return history.returns.map { work in
      let ofStep = visits[work.run].filter { Names.same($0.step, work.to) }.stableSorted { $0.ready < $1.ready }
      let before = ofStep.last { ($0.ended ?? .max) <= work.time }
      let after = ofStep.first { $0.ready >= work.time }
      guard let before, let after else { return Explained(work: work, supplied: []) }
      return Explained(work: work, supplied: after.evidence.filter { name in !before.evidence.contains { Names.same($0, name) } })
    }
  }
}
