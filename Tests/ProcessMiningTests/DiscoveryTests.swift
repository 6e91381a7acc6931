import Core
import TestSupport
import Testing

@testable import ProcessMining

@Suite struct DiscoveryTests {
  struct Case: Sendable {
    var name: String
    var traces: [String]
    var arcs: [String: Int]
    var starts: [String: Int]
    var ends: [String: Int]
  }

  static let cases = [
    Case(name: "no cases", traces: [], arcs: [:], starts: [:], ends: [:]),
    Case(name: "one event has no arc", traces: ["a"], arcs: [:], starts: ["a": 1], ends: ["a": 1]),
    Case(name: "a loop counts each pass", traces: ["aaa"], arcs: ["aa": 2], starts: ["a": 1], ends: ["a": 1]),
    Case(name: "cases do not touch", traces: ["ab", "cd"], arcs: ["ab": 1, "cd": 1], starts: ["a": 1, "c": 1], ends: ["b": 1, "d": 1]),
    Case(
      name: "van der Aalst's log L1", traces: ["abcd", "acbd", "abcd", "acbd", "aed", "abcd"],
      arcs: ["ab": 3, "ac": 2, "ae": 1, "bc": 3, "bd": 2, "cb": 2, "cd": 3, "ed": 1], starts: ["a": 6], ends: ["d": 6]),
  ]

  @Test(arguments: cases)
  func graphOf(_ test: Case) throws {
    let graph = DirectlyFollowsGraph(try Samples.log(traces: test.traces))
    let arcs = graph.arcs.map { (graph.nodes[$0.from].activity + graph.nodes[$0.to].activity, $0.count) }
    #expect(Dictionary(uniqueKeysWithValues: arcs) == test.arcs)
    let nodes = graph.nodes.map { ($0.activity, $0) }
    #expect(Dictionary(uniqueKeysWithValues: nodes.map { ($0, $1.starts) }).filter { $0.value > 0 } == test.starts)
    #expect(Dictionary(uniqueKeysWithValues: nodes.map { ($0, $1.ends) }).filter { $0.value > 0 } == test.ends)
    #expect(graph.arcs.allSatisfy { $0.duration?.median == 60_000 })
  }

  @Test func countsSumUpAndDoNotDependOnTheOrderOfArrival() throws {
    try withSeeds(20) { seed, random in
      let events = Samples.events(&random, cases: Int.random(in: 1...30, using: &random), letters: 6)
      let log = try Samples.log(events: events)
      let graph = DirectlyFollowsGraph(log)
      #expect(graph.events == events.count, "SEED=\(seed)")
      #expect(graph.arcs.reduce(0) { $0 + $1.count } == events.count - graph.cases, "SEED=\(seed)")
      #expect(graph.nodes.reduce(0) { $0 + $1.count } == events.count, "SEED=\(seed)")
      #expect(graph.nodes.reduce(0) { $0 + $1.starts } == graph.cases, "SEED=\(seed)")
      #expect(graph.nodes.reduce(0) { $0 + $1.ends } == graph.cases, "SEED=\(seed)")
      #expect(graph.arcs.allSatisfy { $0.count == $0.duration?.count }, "SEED=\(seed)")
      let span = (0..<log.caseCount).reduce(Int64(0)) { sum, index in
        let range = log.events(ofCase: index)
        return sum + log.times[range.upperBound - 1] - log.times[range.lowerBound]
      }
      #expect(graph.arcs.reduce(0) { $0 + ($1.duration?.total ?? 0) } == span, "SEED=\(seed)")

      let shuffled = try Samples.log(events: events.shuffled(using: &random))
      let again = DirectlyFollowsGraph(shuffled)
      #expect(again.nodes == graph.nodes && again.arcs == graph.arcs, "SEED=\(seed)")
      let variants = Variants(log)
      #expect(Variants(shuffled).variants == variants.variants, "SEED=\(seed)")
      #expect(variants.variants.reduce(0) { $0 + $1.count } == variants.cases, "SEED=\(seed)")
      #expect(abs(variants.variants.reduce(0) { $0 + $1.share } - 1) < 1e-9, "SEED=\(seed)")
      #expect(ProcessMap(again).svg() == ProcessMap(graph).svg(), "SEED=\(seed)")
    }
  }

  @Test func theHashTableCountsWhatTheMatrixCounts() throws {
    try withSeeds(20) { seed, random in
      let log = try Samples.log(events: Samples.events(&random, cases: 60, letters: 90))
      var matrix = PairCounter(activities: log.activityNames.count)
      var table = PairCounter(activities: log.activityNames.count, matrixLimit: 0)
      matrix.count(log)
      table.count(log)
      let (a, b) = (matrix.pairs(), table.pairs())
      #expect(a.map { [$0.from, $0.to, UInt32($0.count)] } == b.map { [$0.from, $0.to, UInt32($0.count)] }, "SEED=\(seed)")
      #expect(matrix.durations(log, of: a) == table.durations(log, of: b), "SEED=\(seed)")
    }
  }

  @Test func manyActivitiesGoThroughTheTable() throws {
    var builder = EventLogBuilder()
    for number in 0..<6000 { try builder.add(case: "c", activity: "a\(number)", at: Int64(number)) }
    let graph = DirectlyFollowsGraph(builder.finish())
    #expect(graph.arcs.count == 5999)
    #expect(graph.arcs.allSatisfy { $0.count == 1 && $0.duration?.total == 1 })
  }

  @Test func variantsAreRankedWithTheirExamples() throws {
    let variants = Variants(try Samples.log(traces: ["ab", "abc", "ab", "b", "abc", "ab"]), examples: 2).variants
    #expect(variants.map { $0.activities.joined() } == ["ab", "abc", "b"])
    #expect(variants.map(\.count) == [3, 2, 1])
    #expect(variants.map(\.examples) == [["c0", "c2"], ["c1", "c4"], ["c3"]])
    #expect(variants.map(\.throughput.median) == [60_000, 120_000, 0])
    #expect(variants[0].share == 0.5)
  }

  @Test func aThousandVariantsAreToldApart() throws {
    let traces = (0..<1000).map { number in String(number, radix: 2).map { $0 == "0" ? "a" : "b" }.joined() }
    let variants = Variants(try Samples.log(traces: traces + traces))
    #expect(variants.variants.count == 1000)
    #expect(variants.variants.allSatisfy { $0.count == 2 })
  }

  @Test func handOffsWaitUntilTheBegin() throws {
    var builder = EventLogBuilder()
    try builder.add(case: "c", activity: "draft", at: 1000, resource: "agent:a")
    try builder.add(case: "c", activity: "review", at: 1000, lifecycle: .ready)
    try builder.add(case: "c", activity: "review", at: 5000, resource: "user:b", lifecycle: .begun)
    try builder.add(case: "c", activity: "review", at: 9000, resource: "user:b")
    try builder.add(case: "c", activity: "sign", at: 12_000, resource: "agent:a")
    try builder.add(case: "c", activity: "file", at: 13_000, resource: "agent:a")
    try builder.add(case: "c", activity: "note", at: 14_000)
    let found = HandOffs(builder.finish())
    #expect(found.handOffs.map { "\($0.from)>\($0.to)" } == ["agent:a>user:b", "user:b>agent:a"])
    #expect(found.handOffs.map(\.waiting.total) == [4000, 3000])
    #expect(found.handOffs.map(\.measuredToBegin) == [1, 0])
    #expect(found.unattributed == 1)
  }

  @Test func stepsWaitFromReadyUntilBegunOrDecided() throws {
    var builder = EventLogBuilder()
    try builder.add(case: "c", activity: "review", at: 1000, lifecycle: .ready)
    try builder.add(case: "c", activity: "review", at: 4000, lifecycle: .begun)
    try builder.add(case: "c", activity: "review", at: 9000)
    try builder.add(case: "c", activity: "approve", at: 9000, lifecycle: .ready)
    try builder.add(case: "c", activity: "approve", at: 29_000)
    try builder.add(case: "c", activity: "approve", at: 30_000, lifecycle: .ready)
    try builder.add(case: "d", activity: "approve", at: 30_000, lifecycle: .ready)
    try builder.add(case: "d", activity: "approve", at: 31_000, lifecycle: .withdrawn)
    let log = builder.finish()
    let steps = StepWaits(log).steps
    #expect(steps.map(\.activity) == ["approve", "review"])
    #expect(steps.map { $0.waiting?.total } == [20_000, 3000])
    #expect(steps.map { $0.working?.total } == [nil, 5000])
    #expect(steps.map(\.open) == [1, 0])
    #expect(steps.map(\.withdrawn) == [1, 0])
    let ranking = Bottlenecks(log)
    #expect(ranking.basis == .stepWaits)
    #expect(ranking.places.map(\.activity) == ["approve", "review"])
    #expect(abs(ranking.places[0].share - 20.0 / 23) < 1e-12)
  }

  @Test func withoutLifecycleTheArcsAreRanked() throws {
    var builder = EventLogBuilder()
    for (activity, time) in [("a", 0), ("b", 10), ("c", 100), ("b", 105)] {
      try builder.add(case: "x", activity: activity, at: Int64(time))
    }
    let ranking = Bottlenecks(builder.finish())
    #expect(ranking.basis == .arcs)
    #expect(ranking.places.map { "\($0.after ?? "?")\($0.activity)" } == ["bc", "ab", "cb"])
    #expect(StepWaits(builder.finish()).steps.isEmpty)
  }
}
