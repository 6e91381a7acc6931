import Core
import ProcessMining
import TestSupport
import Testing

@Suite struct EventLogTests {
  @Test func eventsArriveInAnyOrderAndStandInCaseOrder() throws {
    var builder = EventLogBuilder()
    try builder.add(case: "b", activity: "late", at: 30, resource: "user:ana")
    try builder.add(case: "a", activity: "only", at: 20)
    try builder.add(case: "b", activity: "early", at: 10, resource: "user:ben")
    let log = builder.finish()
    #expect(log.caseNames == ["b", "a"])
    #expect(log.caseOffsets == [0, 2, 3])
    #expect(log.activities.map { log.activityNames[Int($0)] } == ["early", "late", "only"])
    #expect(log.times == [10, 30, 20])
    #expect(log.resourceNames == ["user:ana", "user:ben"])
    #expect(log.resources == [1, 0, EventLog.noResource])
    #expect(!log.hasLifecycle)
  }

  @Test func equalTimesKeepTheOrderOfArrival() throws {
    var builder = EventLogBuilder()
    for name in ["z", "m", "a", "q"] { try builder.add(case: "c", activity: name, at: 5) }
    try builder.add(case: "c", activity: "first", at: 4)
    let log = builder.finish()
    #expect(log.activities.map { log.activityNames[Int($0)] } == ["first", "z", "m", "a", "q"])
  }

  @Test func namesAreToldApartByTheirBytes() throws {
    var builder = EventLogBuilder()
    for name in ["\u{E9}", "e\u{301}", "", "\u{0}"] { try builder.add(case: name, activity: name, at: 0) }
    let log = builder.finish()
    #expect(log.caseCount == 4)
    #expect(log.activityNames.map { Array($0.utf8) } == [[], [0], [0x65, 0xCC, 0x81], [0xC3, 0xA9]])
  }

  @Test(arguments: [Int64.min, -EventLog.timeLimit - 1, EventLog.timeLimit + 1, Int64.max])
  func aTimeOutOfRangeIsRefusedAndLeavesNothing(time: Int64) throws {
    var builder = EventLogBuilder()
    #expect(throws: EventLogError.timeOutOfRange(time)) { try builder.add(case: "c", activity: "a", at: time) }
    #expect(builder.finish().caseCount == 0)
    try builder.add(case: "c", activity: "a", at: EventLog.timeLimit)
    try builder.add(case: "c", activity: "b", at: -EventLog.timeLimit)
    #expect(DirectlyFollowsGraph(builder.finish()).arcs.first?.duration?.total == 2 * EventLog.timeLimit)
  }

  @Test func completionsDropTheOtherEventsAndKeepTheNumbers() throws {
    var builder = EventLogBuilder()
    try builder.add(case: "c", activity: "a", at: 1, lifecycle: .ready)
    try builder.add(case: "c", activity: "a", at: 2, lifecycle: .begun)
    try builder.add(case: "c", activity: "a", at: 3)
    try builder.add(case: "d", activity: "b", at: 4, lifecycle: .ready)
    let log = builder.finish()
    let completions = log.completions()
    #expect(log.lifecycles == [1, 2, 0, 1])
    #expect(completions.caseOffsets == [0, 1, 1])
    #expect(completions.activityNames == log.activityNames)
    #expect(completions.times == [3])
    #expect(DirectlyFollowsGraph(log).cases == 1)
  }

  @Test func manyNamesAreInterned() throws {
    var builder = EventLogBuilder()
    for number in 0..<5000 { try builder.add(case: "c\(number % 700)", activity: "a\(number % 3000)", at: Int64(number)) }
    let log = builder.finish()
    #expect(log.caseCount == 700)
    #expect(log.activityNames.count == 3000)
    #expect(log.activityNames == log.activityNames.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
  }

  struct Durations: Sendable {
    var values: [Int64]
    var median: Int64
    var p90: Int64
    var mean: Int64
  }

  static let durations = [
    Durations(values: [7], median: 7, p90: 7, mean: 7),
    Durations(values: [3, 1], median: 2, p90: 3, mean: 2),
    Durations(values: [1, 2], median: 1, p90: 2, mean: 1),
    Durations(values: [5, 1, 3], median: 3, p90: 5, mean: 3),
    Durations(values: [10, 9, 8, 7, 6, 5, 4, 3, 2, 1], median: 5, p90: 9, mean: 5),
    Durations(values: [Int64.max, Int64.max], median: .max, p90: .max, mean: .max / 2),
  ]

  @Test(arguments: durations)
  func durationsAreSummedUp(_ test: Durations) throws {
    let summary = try #require(DurationSummary(test.values))
    #expect([summary.median, summary.p90, summary.mean] == [test.median, test.p90, test.mean])
    #expect([summary.minimum, summary.maximum] == [test.values.min(), test.values.max()])
  }

  @Test func durationsAgreeWithSorting() throws {
    #expect(DurationSummary([]) == nil)
    try withSeeds { seed, random in
      let spread = Int64.random(in: 1...1000, using: &random)
      let values = (0..<Int.random(in: 1...400, using: &random)).map { _ in Int64.random(in: 0...spread, using: &random) }
      let sorted = values.sorted()
      let summary = try #require(DurationSummary(values))
      let half = values.count / 2
      #expect(summary.median == (values.count % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2), "SEED=\(seed)")
      #expect(summary.p90 == sorted[(9 * values.count + 9) / 10 - 1], "SEED=\(seed)")
      #expect(summary.total == values.reduce(0, +), "SEED=\(seed)")
    }
  }
}
