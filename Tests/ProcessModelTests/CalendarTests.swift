import CEL
import Core
import TestSupport
import Testing

@testable import ProcessModel

/// Working time: due dates, waits and timeouts by a calendar, and reminders of steps.
@Suite("Working calendars")
struct CalendarTests {
  static func calendar(_ text: String) throws -> WorkingCalendar {
    try #require(load(Self.file(calendar: text, steps: "{ step: 'a', role: 'clerk' }")).calendar)
  }

  static func file(calendar: String, steps: String, rest: String = "") -> String {
    """
    { process: "p", title: "P", owner: "role:owner", purpose: "test", triggers: [{ form: 'go', role: 'clerk' }],
      calendar: \(calendar),
      steps: [ \(steps) ], \(rest) }
    """
  }

  static let office =
    "{ zone: 'Europe/Berlin', hours: { 'mon-thu': ['09:00-12:30', '13:30-17:30'], fri: ['09:00-15:00'] }, holidays: ['12-25', '12-26', '2026-04-06'] }"
  static let shift = "{ zone: 'Europe/Berlin', hours: { 'mon-sun': ['00:00-24:00'] } }"

  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    var calendar = office
    let from: String
    let days: Int
    let hours: Double
    let to: String
    var testDescription: String { name }
  }

  /// In March 2026, Berlin is an hour before UTC until the 29th, and then two.
  static let cases: [Case] = [
    Case(name: "hours within a stretch", from: "2026-03-02T09:00Z", days: 0, hours: 1, to: "2026-03-02T10:00Z"),
    Case(name: "hours that end with the stretch", from: "2026-03-02T09:00Z", days: 0, hours: 2.5, to: "2026-03-02T11:30Z"),
    Case(name: "hours over a break", from: "2026-03-02T09:00Z", days: 0, hours: 3, to: "2026-03-02T13:00Z"),
    Case(name: "hours over a weekend", from: "2026-03-06T13:00Z", days: 0, hours: 2, to: "2026-03-09T09:00Z"),
    Case(name: "hours from the night count from the morning", from: "2026-03-02T02:00Z", days: 0, hours: 1, to: "2026-03-02T09:00Z"),
    Case(name: "a working day", from: "2026-03-02T09:00Z", days: 1, hours: 0, to: "2026-03-03T09:00Z"),
    Case(name: "a working day over a weekend", from: "2026-03-06T09:00Z", days: 1, hours: 0, to: "2026-03-09T09:00Z"),
    Case(name: "a working day from a Saturday counts from Monday", from: "2026-03-07T09:00Z", days: 1, hours: 0, to: "2026-03-10T08:00Z"),
    Case(name: "a working day into a short one", from: "2026-03-05T15:00Z", days: 1, hours: 0, to: "2026-03-09T08:00Z"),
    Case(name: "days and then hours", from: "2026-03-02T09:00Z", days: 2, hours: 3, to: "2026-03-04T13:00Z"),
    Case(name: "over the change of the clock", from: "2026-03-27T09:00Z", days: 1, hours: 0, to: "2026-03-30T08:00Z"),
    Case(name: "over a holiday of that year", from: "2026-04-03T08:00Z", days: 1, hours: 0, to: "2026-04-07T08:00Z"),
    Case(name: "over holidays of every year", from: "2026-12-24T09:00Z", days: 1, hours: 0, to: "2026-12-28T09:00Z"),
    Case(
      name: "around the clock, hours are hours", calendar: shift, from: "2026-03-28T12:00Z", days: 0, hours: 24, to: "2026-03-29T12:00Z"),
    Case(
      name: "around the clock, a day is a day of the clock", calendar: shift, from: "2026-03-28T12:00Z", days: 1, hours: 0,
      to: "2026-03-29T11:00Z"),
    Case(
      name: "a time that the clock skips", calendar: shift, from: "2026-03-28T01:30Z", days: 1, hours: 0, to: "2026-03-29T01:00Z"),
  ]

  static func moment(_ text: String) throws -> Instant { try #require(Instant(iso8601: text.replacing("Z", with: ":00Z"))) }

  @Test(arguments: cases)
  func aMomentSoMuchWorkingTimeLater(_ item: Case) throws {
    let calendar = try Self.calendar(item.calendar)
    let end = calendar.moment(
      item.days, .milliseconds(Int64(item.hours * 3_600_000)), after: try Self.moment(item.from), in: ScheduleTests.berlin)
    #expect(end == (try Self.moment(item.to)))
  }

  /// Random calendars: the end is where counting minute by minute ends.
  @Test func countingMinuteByMinuteGivesTheSame() {
    withSeeds(60) { seed, random in
      var week = [[WorkingCalendar.Hours]](repeating: [], count: 7)
      for day in 0..<7 where day == 3 || Bool.random(using: &random) {
        let cuts = (0..<4).map { _ in Int.random(in: 0...48, using: &random) * 30 }.sorted()
        if cuts[0] < cuts[1] { week[day].append(.init(from: cuts[0], to: cuts[1])) }
        if cuts[1] < cuts[2], cuts[2] < cuts[3] { week[day].append(.init(from: cuts[2], to: cuts[3])) }
      }
      if week.allSatisfy(\.isEmpty) { week[3] = [.init(from: 600, to: 660)] }
      let offset = Int64.random(in: -12...12, using: &random)
      let calendar = WorkingCalendar(
        zone: "X", week: week, holidays: [.init(year: nil, month: 1, day: 7), .init(year: 2026, month: 1, day: 15)])
      let start = Int64(29_453_760) + Int64.random(in: 0..<20_160, using: &random)
      let length = Int64.random(in: 1...1200, using: &random)
      func isWorking(_ minute: Int64) -> Bool {
        let local = minute + offset * 60
        let day = local / 1440
        let date = Instant.date(daysSinceEpoch: Int(day))
        if date.month == 1, date.day == 7 || (date.day == 15 && date.year == 2026) { return false }
        return week[Int((day + 4) % 7)].contains { Int64($0.from) <= local % 1440 && local % 1440 < Int64($0.to) }
      }
      var (now, left) = (start, length)
      while left > 0 {
        if isWorking(now) { left -= 1 }
        now += 1
      }
      let end = calendar.moment(
        0, .seconds(60 * length), after: Instant(milliseconds: start * 60_000), in: CELTimeZone(offset: Int32(offset * 3600)))
      #expect(end == Instant(milliseconds: now * 60_000), "SEED=\(seed) \(calendar) \(start) \(length)")
    }
  }

  // MARK: - In a run

  /// A run that starts on Friday, 6 March 2026, at 14:00 in Berlin.
  static func run(_ steps: String, rest: String = "") throws -> TestRun {
    var run = try TestRun(load(file(calendar: office, steps: "{ wait: 'PT1H', id: 'w' }, " + steps, rest: rest)))
    run.zones = { $0 == "Europe/Berlin" ? ScheduleTests.berlin : nil }
    run.now = try moment("2026-03-06T13:00Z")
    try run.send(.fireTimer("w"))
    return run
  }

  @Test func dueDatesTimersAndWaitsGoByTheCalendar() throws {
    var run = try Self.run(
      "{ step: 'a', role: 'clerk', due: { working: 'PT2H' } }, { wait: { working: 'P1D' }, id: 'pause' }, { step: 'b', role: 'clerk', due: 'PT2H' }",
      rest: "on: [{ timeout: { working: 'P2D' }, of: 'a', escalate: 'role:owner' }]")
    #expect(run.state?.step(Occurrence("a"))?.due == (try Self.moment("2026-03-09T09:00Z")))
    #expect(run.state?.timers.map(\.at) == [try Self.moment("2026-03-10T13:00Z")])
    try run.complete("a")
    #expect(run.state?.timers.map(\.at) == [try Self.moment("2026-03-09T13:00Z")])
    run.now = try Self.moment("2026-03-09T13:00Z")
    try run.send(.fireTimer("pause"))
    #expect(run.state?.step(Occurrence("b"))?.due == (try Self.moment("2026-03-09T15:00Z")))
    try run.checkLog()
  }

  @Test func nothingIsDecidedWhereTheZoneIsUnknown() throws {
    var run = try Self.run("{ step: 'a', role: 'clerk' }")
    run.zones = { _ in nil }
    #expect(run.refusal(.completeStep("a", by: "user:cleo", fields: [:], origin: nil, comment: nil)) == .zoneUnknown)
  }

  @Test func whoMayDoAStepIsRemindedUntilItIsDone() throws {
    var run = try Self.run("{ step: 'a', role: 'clerk', due: 'P7D', remind: { working: 'P1D' } }, { step: 'b', role: 'clerk' }")
    #expect(run.state?.timers.map(\.at) == [try Self.moment("2026-03-09T13:00Z")])
    // Nothing ran for days: who was not reminded then is reminded once.
    run.now = try Self.moment("2026-03-11T09:00Z")
    let events = try run.send(.fireTimer("a:remind"))
    #expect(events.contains(.stepReminded(Occurrence("a"))))
    #expect(run.state?.step(Occurrence("a"))?.reminders == 1)
    #expect(run.state?.timers.map(\.at) == [try Self.moment("2026-03-12T09:00Z")])
    #expect(run.refusal(.fireTimer("a:remind")) == .timerNotDue)
    try run.complete("a")
    #expect(run.state?.timers == [])
    try run.send(.sendBack(step: "b", to: "a", by: "user:cleo", text: "again"))
    #expect(run.state?.step(Occurrence("a"))?.reminders == 0)
    #expect(run.state?.timers.map(\.id) == ["a:remind"])
    try run.checkLog()
  }

  @Test func remindersOfOneStepComeToAnEnd() throws {
    var run = try TestRun(process(steps: "{ step: 'a', role: 'clerk', remind: 'P1D' }"))
    var count = 0
    while let timer = run.state?.timers.first, count < 200 {
      run.now = timer.at
      try run.send(.fireTimer(timer.id))
      count += 1
    }
    #expect(run.state?.step(Occurrence("a"))?.reminders == RunLimits.reminders)
    #expect(run.open == ["a"])
  }

  // MARK: - Reading

  @Test(arguments: [
    ("{ zone: 'Europe Berlin', hours: { mon: ['09:00-17:00'] } }", "bad-zone"),
    ("{ zone: 'UTC', hours: { mno: ['09:00-17:00'] } }", "bad-day"),
    ("{ zone: 'UTC', hours: { mon: ['9-17'] } }", "bad-hours"),
    ("{ zone: 'UTC', hours: { mon: ['17:00-09:00'] } }", "bad-hours"),
    ("{ zone: 'UTC', hours: { mon: ['09:00-12:00', '11:00-13:00'] } }", "bad-hours"),
    ("{ zone: 'UTC', hours: { 'mon-fri': ['09:00-17:00'], tue: ['09:00-12:00'] } }", "duplicate"),
    ("{ zone: 'UTC', hours: { mon: [] } }", "empty-list"),
    ("{ zone: 'UTC', hours: { mon: ['09:00-17:00'] }, holidays: ['02-30'] }", "bad-day"),
    ("{ zone: 'UTC', hours: { mon: ['09:00-17:00'] }, holidays: ['2026-13-01'] }", "bad-day"),
    ("{ hours: { mon: ['09:00-17:00'] } }", "missing-key"),
  ])
  func aCalendarThatIsNone(text: String, code: String) {
    let error = #expect(throws: Diagnostics.self) { try load(Self.file(calendar: text, steps: "{ step: 'a', role: 'clerk' }")) }
    #expect(error?.all.map(\.code) == [code])
  }

  @Test(arguments: [
    ("due: { working: 'P2W' }", "out-of-range"), ("due: { working: 'P4000D' }", "out-of-range"),
    ("due: { working: '2 days' }", "bad-duration"),
    ("remind: 'PT5M'", "out-of-range"), ("remind: { working: 'PT5M' }", "out-of-range"), ("due: { wroking: 'P2D' }", "unknown-key"),
  ])
  func aSpanThatIsNone(text: String, code: String) {
    let error = #expect(throws: Diagnostics.self) {
      try load(Self.file(calendar: Self.office, steps: "{ step: 'a', role: 'clerk', \(text) }"))
    }
    #expect(error?.all.map(\.code).contains(code) == true)
  }

  @Test func workingTimeNeedsACalendar() {
    let error = #expect(throws: Diagnostics.self) { try process(steps: "{ step: 'a', role: 'clerk', due: { working: 'P1D' } }") }
    #expect(error?.all.map(\.code) == ["no-calendar"])
  }
}
