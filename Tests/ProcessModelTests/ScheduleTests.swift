import CEL
import Core
import Testing

@testable import ProcessModel

/// When cron rules occur, also where a zone's clock skips or repeats an hour.
@Suite("Schedules")
struct ScheduleTests {
  /// Berlin's clock in 2026: on at 01:00 UTC on 29 March, back at 01:00 UTC on 25 October.
  static let berlin = zone([(1_774_746_000, 7200), (1_792_890_000, 3600)], first: 3600)
  /// A zone that goes back over midnight: 00:30 of 25 October 2026 becomes 23:30 of the day before.
  static let midnight = zone([(1_792_884_600, 0)], first: 3600)
  /// Samoa's clock in 2011, which left out 30 December.
  static let apia = zone([(1_325_239_200, 50_400)], first: -36_000)
  static let utc = CELTimeZone(offset: 0)

  /// A zone file (RFC 9636) with the changes and nothing after them.
  private static func zone(_ changes: [(Int64, Int32)], first: Int32) -> CELTimeZone {
    func bytes(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }
    func header(_ times: Int, _ types: Int) -> [UInt8] {
      Array("TZif2".utf8) + [UInt8](repeating: 0, count: 15)
        + [0, 0, 0, times, types, 4].flatMap { bytes(UInt32($0)) }
    }
    var file = header(0, 1) + bytes(Int32(0)) + [0, 0] + Array("LMT\0".utf8)
    file += header(changes.count, changes.count + 1)
    file += changes.flatMap { bytes($0.0) }
    file += changes.indices.map { UInt8($0 + 1) }
    file += ([first] + changes.map(\.1)).flatMap { bytes($0) + [0, 0] }
    file += Array("LMT\0\n\n".utf8)
    return CELTimeZone(tzif: file) ?? CELTimeZone(offset: 0)
  }

  private static func times(_ cron: String, _ zone: CELTimeZone, after start: String, _ count: Int) throws -> [String] {
    let schedule = try Schedule(cron)
    var now = try #require(Instant(iso8601: start))
    var times: [String] = []
    for _ in 0..<count {
      guard let next = schedule.next(after: now, in: zone) else { break }
      times.append(String(next.iso8601.prefix(16)))
      now = next
    }
    return times
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let cron: String
    let zone: CELTimeZone
    let start: String
    let times: [String]
    var testDescription: String { "\(cron) after \(start)" }

    init(_ cron: String, _ zone: CELTimeZone = ScheduleTests.utc, after start: String, _ times: String...) {
      (self.cron, self.zone, self.start, self.times) = (cron, zone, start, times)
    }
  }

  static let cases = [
    Case("0 9 1 * *", after: "2026-01-01T09:00:00Z", "2026-02-01T09:00", "2026-03-01T09:00"),
    Case("*/20 8-9 * * 1-5", after: "2026-11-20T09:30:00Z", "2026-11-20T09:40", "2026-11-23T08:00", "2026-11-23T08:20"),
    Case("0 0 29 2 *", after: "2026-01-01T00:00:00Z", "2028-02-29T00:00", "2032-02-29T00:00"),
    Case("0 0 29 2 *", after: "2096-03-01T00:00:00Z", "2104-02-29T00:00"),
    Case("0 0 13 * 5", after: "2026-11-09T00:00:00Z", "2026-11-13T00:00", "2026-11-20T00:00", "2026-11-27T00:00", "2026-12-04T00:00"),
    Case("0 0 */2 * 7", after: "2026-11-09T00:00:00Z", "2026-11-15T00:00", "2026-11-29T00:00"),
    Case("30 2 * * *", berlin, after: "2026-03-27T12:00:00Z", "2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"),
    Case("15,45 2 * * *", berlin, after: "2026-03-28T12:00:00Z", "2026-03-29T01:00", "2026-03-30T00:15"),
    Case("30 2 * * *", berlin, after: "2026-10-24T12:00:00Z", "2026-10-25T00:30", "2026-10-26T01:30"),
    Case("30 * * * *", berlin, after: "2026-03-29T00:00:00Z", "2026-03-29T00:30", "2026-03-29T01:30"),
    Case("30 * * * *", berlin, after: "2026-10-25T00:00:00Z", "2026-10-25T00:30", "2026-10-25T01:30", "2026-10-25T02:30"),
    Case("45 23 * * *", midnight, after: "2026-10-24T12:00:00Z", "2026-10-24T22:45", "2026-10-25T23:45"),
    Case("0 12 30 12 *", apia, after: "2011-12-01T00:00:00Z", "2011-12-30T10:00", "2012-12-29T22:00"),
  ]

  @Test(arguments: cases) func timesFollowTheClockOfTheZone(_ item: Case) throws {
    #expect(try Self.times(item.cron, item.zone, after: item.start, item.times.count) == item.times)
  }

  @Test func theLatestIsTheOneBeforeTheNext() throws {
    for item in Self.cases {
      let schedule = try Schedule(item.cron)
      let start = try #require(Instant(iso8601: item.start))
      var now = start
      for _ in 0..<6 {
        guard let next = schedule.next(after: now, in: item.zone) else { break }
        let before = next + .milliseconds(-1)
        #expect(schedule.latest(at: next, after: start, in: item.zone) == next, "\(item.testDescription)")
        #expect(schedule.latest(at: before, after: start, in: item.zone) == (now == start ? nil : now), "\(item.testDescription)")
        now = next
      }
    }
  }

  @Test(arguments: [
    ("* * * *", "4 fields"), ("60 * * * *", "`60` is no minute"), ("5/2 * * * *", "`5/2` is no minute"), ("* 9-8 * * *", "no hour"),
    ("* * 0 * *", "no day"), ("* * * 13 *", "no month"), ("* * * * 8", "no weekday"), ("*/0 * * * *", "no minute"),
    ("1,,2 * * * *", "`` is no minute"), ("-1 * * * *", "no minute"), ("0 0 30 2 *", "such a day"), ("0 0 31 4,6 *", "such a day"),
    ("0  0 * * *", "6 fields"),
  ])
  func whatIsNoScheduleSaysWhy(_ text: String, _ why: String) throws {
    let problem = try #require(throws: Schedule.Problem.self) { try Schedule(text) }
    #expect(problem.text.contains(why), "\(problem.text)")
  }
}
