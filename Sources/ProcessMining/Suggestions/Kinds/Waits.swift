internal import Core

/// Places where runs wait.
extension SuggestionSearch {
  /// The shortest wait of a whole run that is worth asking about, in milliseconds.
  static let shortestWait: Int64 = 60_000
  /// How many times the usual wait is slow.
  static let slowFactor: Int64 = 2

  /// One wait of one run at one place.
  private struct Wait {
    var run: Int
    var place: Suggestion.Subject
    var performer: String
    var milliseconds: Int64
    var entry: Int64
  }

  /// Asks of each step, and of its decisions, whether runs wait there longer than everywhere else together.
  func bottlenecks(_ history: ProcessHistory) -> [Suggestion] {
    var waits = history.visits.compactMap { visit in
      visit.waited.map {
        Wait(run: visit.run, place: .init("step", visit.step), performer: visit.performer, milliseconds: $0, entry: visit.entry)
      }
    }
    waits += history.calls.compactMap { call in
      call.waited.map {
        Wait(
          run: call.run, place: .init("decision", call.step ?? call.tool), performer: call.decision?.by ?? "the deciders",
          milliseconds: $0, entry: call.entry)
      }
    }
    var totals = [Int64](repeating: 0, count: history.runs)
    var places = [Int](repeating: 0, count: history.runs)
    let byPlace = groups(waits) { [$0.place.kind, $0.place.name] }
    var sums = [[Int64]](repeating: [], count: byPlace.count)
    for (index, group) in byPlace.enumerated() {
      sums[index] = [Int64](repeating: 0, count: history.runs)
      for wait in group.items { sums[index][wait.run] += wait.milliseconds }
      for run in Set(group.items.map(\.run)) { places[run] += 1 }
      for run in totals.indices { totals[run] += sums[index][run] }
    }
    let runs = totals.indices.filter { totals[$0] >= Self.shortestWait && places[$0] >= 3 }
    guard runs.count >= minimum, byPlace.count >= 3 else { return [] }
    return byPlace.enumerated().map { index, group in
      let worst = runs.count { sums[index][$0] * 2 > totals[$0] }
      let test = ShareTest(worst, of: runs.count, .above, 0.5)
      let place = group.items[0].place
      let performer = mostFrequent(group.items.map(\.performer))
      let others = waits.filter { !($0.place == place) }.map(\.milliseconds)
      return Suggestion(
        kind: .bottleneck, subject: [place],
        evidence: .init(
          test, "of the runs waited here longer than everywhere else together",
          note: DurationSummary(group.items.map(\.milliseconds)).map {
            "half of the waits here are longer than \(durationText(milliseconds: $0.median)), one in ten than \(durationText(milliseconds: $0.p90))"
          },
          support: group.items.filter { sums[index][$0.run] * 2 > totals[$0.run] }.map(\.entry),
          against: group.items.filter { sums[index][$0.run] * 2 <= totals[$0.run] }.map(\.entry)),
        change: .staffing(
          .strengthen(performer: performer, place: place.kind == "step" ? "step \(place.name)" : "decisions at \(place.name)")),
        effect: saved(
          "waiting at this place, were it as at the others", group.items.map(\.milliseconds),
          against: DurationSummary(others)?.median ?? 0),
        risk: "people who work here are missing elsewhere; the next place may become the slowest")
    }
  }

  /// Asks of each step and each performer that it comes from whether it lies longer than when it comes from others.
  func slowHandOffs(_ history: ProcessHistory) -> [Suggestion] {
    struct HandOff {
      var step: String
      var from: String
      var to: String
      var milliseconds: Int64
      var entry: Int64
    }
    var byRun = [[ProcessHistory.Visit]](repeating: [], count: history.runs)
    for visit in history.visits where visit.ending == .completed && visit.ended != nil { byRun[visit.run].append(visit) }
    var handOffs: [HandOff] = []
    for visits in byRun {
      let sorted = visits.stableSorted { ($0.ended ?? 0) < ($1.ended ?? 0) }
      for visit in sorted {
        guard let last = sorted.last(where: { ($0.ended ?? .max) <= visit.ready && $0.entry != visit.entry }), let waited = visit.waited
        else {
          continue
        }
        handOffs.append(
          HandOff(step: visit.step, from: last.performer, to: visit.performer, milliseconds: waited, entry: visit.entry))
      }
    }
    return groups(handOffs) { [$0.step, $0.to] }.flatMap { names, all -> [Suggestion] in
      groups(all) { [$0.from] }.compactMap { from, group in
        let others = all.filter { !Names.same($0.from, from[0]) }.map(\.milliseconds)
        guard !Names.same(from[0], names[1]), group.count >= minimum, others.count >= minimum else { return nil }
        guard let usual = DurationSummary(others)?.median else { return nil }
        let limit = max(Self.shortestWait, Self.slowFactor * usual)
        let slow = group.filter { $0.milliseconds > limit }
        return Suggestion(
          kind: .slowHandOff, subject: [.init("step", names[0]), .init("from", from[0]), .init("to", names[1])],
          evidence: .init(
            ShareTest(slow.count, of: group.count, .above, 0.5),
            "of what came from \(from[0]) lay longer than \(durationText(milliseconds: limit))",
            note: "what comes to this step from others lies \(durationText(milliseconds: usual)) (the median of \(others.count))",
            support: slow.map(\.entry), against: group.filter { $0.milliseconds <= limit }.map(\.entry)),
          change: .staffing(.receive(from: from[0], to: names[1])),
          effect: saved("waiting after this hand-off, were it as after the others", group.map(\.milliseconds), against: usual),
          risk: "what comes from others may lie longer instead")
      }
    }
  }

  /// The name that stands there most often, the first in byte order of several.
  func mostFrequent(_ names: [String]) -> String {
    groups(names) { [$0] }.reduce((name: "", count: 0)) { best, group in
      group.items.count > best.count ? (group.names[0], group.items.count) : best
    }.name
  }
}
