public import CEL
public import Core

/// When a process starts by the calendar: minute, hour, day, month and weekday, in the local time of a zone.
///
/// A local time that daylight saving skips counts as the moment at which the clock goes on, and one that occurs twice counts the first time
/// alone. Where the hour is `*` the rule goes by the hours that pass instead: nothing is made up, and both of a repeated hour count. Where
/// day and weekday are both restricted, a day counts on which either holds; both are free where they begin with `*`.
public struct Schedule: Hashable, Sendable {
  /// Why a text is no schedule.
  public struct Problem: Error, Hashable, Sendable {
    /// The reason in words.
    public let text: String
  }

  /// The values of one field, as bits.
  private typealias Values = UInt64

  private let minutes, hours, days, months, weekdays: Values
  /// Whether a day has to meet the day field and the weekday field, as one of them begins with `*`.
  private let needsBoth: Bool
  /// Whether it goes by the hours that pass.
  private let isHourly: Bool

  private static let fields: [(name: String, range: ClosedRange<Int>)] = [
    ("minute", 0...59), ("hour", 0...23), ("day", 1...31), ("month", 1...12), ("weekday", 0...7),
  ]

  /// Reads five cron fields of numbers, `*`, ranges, lists and steps; Sunday is 0 and 7.
  ///
  /// - Throws: ``Problem``, also where there is no such day in any year.
  public init(_ text: String) throws(Problem) {
    let parts = text.split(separator: " ", omittingEmptySubsequences: false)
    guard parts.count == Self.fields.count else { throw Problem(text: "it has \(parts.count) fields, not 5") }
    var values: [Values] = []
    for (part, field) in zip(parts, Self.fields) { values.append(try Self.values(of: part, field.name, field.range)) }
    let weekdays = values[4].contains(7) ? values[4] | 1 : values[4]
    (minutes, hours, days, months, self.weekdays) = (values[0], values[1], values[2], values[3], weekdays)
    needsBoth = parts[2].hasPrefix("*") || parts[4].hasPrefix("*")
    isHourly = parts[1] == "*"
    let lengths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    let hasDay = (1...12).contains { month in months.contains(month) && (1...lengths[month - 1]).contains { days.contains($0) } }
    if needsBoth, !hasDay { throw Problem(text: "none of its months has such a day") }
  }

  private static func values(of part: Substring, _ name: String, _ range: ClosedRange<Int>) throws(Problem) -> Values {
    var values: Values = 0
    for item in part.split(separator: ",", omittingEmptySubsequences: false) {
      let halves = item.split(separator: "/", omittingEmptySubsequences: false)
      guard halves.count <= 2, let step = halves.count == 2 ? Int(halves[1]) : 1, (1...range.upperBound).contains(step) else {
        throw Problem(text: "`\(visible(String(item)))` is no \(name)")
      }
      var ends = [range.lowerBound, range.upperBound]
      if halves[0] != "*" {
        ends = halves[0].split(separator: "-", omittingEmptySubsequences: false).compactMap { Int($0) }
        let count = halves[0].count { $0 == "-" } + 1
        guard ends.count == count, count <= 2, halves.count == 1 || count == 2, ends.allSatisfy(range.contains), ends[0] <= ends[count - 1]
        else { throw Problem(text: "`\(visible(String(item)))` is no \(name) from \(range.lowerBound) to \(range.upperBound)") }
      }
      for value in stride(from: ends[0], through: ends[ends.count - 1], by: step) { values |= 1 << Values(value) }
    }
    return values
  }

  /// The latest time that has come, if it came after another moment; nil where there is none.
  ///
  /// - Complexity: O(days between the two) at most.
  public func latest(at now: Instant, after start: Instant, in zone: CELTimeZone) -> Instant? {
    let earliest = zone.day(at: start) - 1
    var (day, found, last) = (zone.day(at: now) + 1, Instant?.none, Int64.min)
    // The times of a day can lie before those of the day before it, where a clock goes back over midnight.
    while day >= max(earliest, last) {
      if let time = times(on: day, in: zone).filter({ $0 > start && $0 <= now }).max() {
        if found == nil { last = day - 1 }
        found = max(found ?? time, time)
      }
      day -= 1
    }
    return found
  }

  /// The next time after a moment; nil where none comes within eight years, the longest that a leap day takes.
  ///
  /// - Complexity: O(days until then).
  public func next(after now: Instant, in zone: CELTimeZone) -> Instant? {
    var (day, found) = (zone.day(at: now) - 1, Instant?.none)
    var last = day + 8 * 366 + 2
    while day <= last {
      if let time = times(on: day, in: zone).filter({ $0 > now }).min() {
        if found == nil { last = day + 1 }
        found = min(found ?? time, time)
      }
      day += 1
    }
    return found
  }

  /// The times of one local day, which is counted from 1970-01-01.
  private func times(on day: Int64, in zone: CELTimeZone) -> [Instant] {
    guard isOn(Int(day)) else { return [] }
    var times: [Instant] = []
    for hour in 0..<24 where hours.contains(hour) {
      for minute in 0..<60 where minutes.contains(minute) {
        let moments = zone.moments(atLocal: day * 86_400 + Int64(hour * 3600 + minute * 60), asHoursPass: isHourly)
        times += moments.map { Instant(milliseconds: $0 * 1000) }
      }
    }
    return times
  }

  private func isOn(_ day: Int) -> Bool {
    let date = Instant.date(daysSinceEpoch: day)
    guard months.contains(date.month) else { return false }
    // 1970-01-01 was a Thursday.
    let (isDay, isWeekday) = (days.contains(date.day), weekdays.contains(((day + 4) % 7 + 7) % 7))
    return needsBoth ? isDay && isWeekday : isDay || isWeekday
  }
}

extension UInt64 {
  fileprivate func contains(_ value: Int) -> Bool { self >> UInt64(value) & 1 == 1 }
}

extension CELTimeZone {
  /// The local day at a moment, counted from 1970-01-01.
  func day(at moment: Instant) -> Int64 {
    let seconds = moment.milliseconds.flooredQuotient(by: 1000)
    return (seconds + Int64(offset(at: seconds))).flooredQuotient(by: 86_400)
  }

  /// The moments at which clocks show a local time.
  ///
  /// - Parameters:
  ///   - local: The local time in seconds, as though it were UTC.
  ///   - asHoursPass: Whether both of a repeated time count, and none of a skipped one.
  /// - Returns: Unix seconds, the earlier first; for a time that is skipped, when the clock goes on.
  func moments(atLocal local: Int64, asHoursPass: Bool) -> [Int64] {
    let (before, after) = (Int64(offset(at: local - 86_400)), Int64(offset(at: local + 86_400)))
    if before == after { return [local - before] }
    let real = [local - before, local - after].filter { $0 + Int64(offset(at: $0)) == local }.sorted()
    if asHoursPass { return real }
    if let first = real.first { return [first] }
    var (low, high) = (local - 86_400, local + 86_400)
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if Int64(offset(at: middle)) == before { low = middle } else { high = middle }
    }
    return [high]
  }
}

extension Int64 {
  func flooredQuotient(by divisor: Int64) -> Int64 { (self - ((self % divisor) + divisor) % divisor) / divisor }
}
