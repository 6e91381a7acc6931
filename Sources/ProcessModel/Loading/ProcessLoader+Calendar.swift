internal import Core

extension ProcessLoader {
  private static let weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
  private static let spanLimit = (days: 3_650, hours: 20_000)

  /// Reads when people work.
  func loadCalendar(_ reader: ObjectReader) -> WorkingCalendar? {
    guard let value = reader["calendar"],
      let calendar = ObjectReader(value, "`calendar`", keys: ["zone", "hours", "holidays"], sink)
    else { return nil }
    let zone = calendar.text("zone", isRequired: true)
    if let zone, !isZoneName(zone) {
      sink.error(
        "bad-zone", at: calendar["zone"]?.position, "`\(visible(zone))` is not the name of a time zone",
        hint: "such as \"Europe/Berlin\" or \"UTC\"")
    }
    var week = [[WorkingCalendar.Hours]](repeating: [], count: 7)
    var named: Set<Int> = []
    if calendar.required("hours") != nil {
      for member in calendar.members("hours") {
        guard let days = weekdays(member) else { continue }
        let hours = hours(member.value)
        for day in days {
          if !named.insert(day).inserted {
            sink.error("duplicate", at: member.keyPosition, "`\(Self.weekdays[day])` has its hours twice")
          }
          week[day] = hours
        }
      }
    }
    let holidays = calendar.texts("holidays").compactMap { text, value in holiday(text, value) }
    if holidays.count > 1_000 { sink.error("too-many", at: calendar["holidays"]?.position, "`holidays` lists more than 1,000 days") }
    if calendar["hours"]?.objectValue != nil, !sink.hasErrors, week.allSatisfy(\.isEmpty) {
      sink.error(
        "empty-list", at: calendar["hours"]?.position, "nobody works in this calendar", hint: "as in { \"mon-fri\": [\"09:00-17:00\"] }")
    }
    return WorkingCalendar(zone: zone ?? "UTC", week: week, holidays: holidays)
  }

  /// `mon`, or `mon-fri`, which may go over the end of the week.
  private func weekdays(_ member: PositionedJSON.Member) -> [Int]? {
    let ends = member.key.split(separator: "-", omittingEmptySubsequences: false).map { Self.weekdays.firstIndex(of: String($0)) }
    guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1] else {
      sink.error(
        "bad-day", at: member.keyPosition, "`\(visible(member.key))` is no weekday",
        hint: "one of mon, tue, wed, thu, fri, sat and sun, or a range such as \"mon-fri\"")
      return nil
    }
    return (0...(last - first + 7) % 7).map { (first + $0) % 7 }
  }

  private func hours(_ value: PositionedJSON) -> [WorkingCalendar.Hours] {
    guard let items = value.arrayValue else {
      sink.error("wrong-type", at: value.position, "the hours of a day must be a list, not \(value.kind)", hint: "as in [\"09:00-17:00\"]")
      return []
    }
    var all: [WorkingCalendar.Hours] = []
    for item in items {
      let ends = (item.stringValue ?? "").split(separator: "-", omittingEmptySubsequences: false).map { Self.minutes($0) }
      guard ends.count == 2, let from = ends[0], let to = ends[1], from < to else {
        sink.error(
          "bad-hours", at: item.position, "`\(visible(item.stringValue ?? item.json.text()))` is no stretch of a day",
          hint: "from and to, as in \"09:00-12:30\"; \"24:00\" is midnight")
        continue
      }
      if let last = all.last, from < last.to {
        sink.error("bad-hours", at: item.position, "`\(visible(item.stringValue ?? ""))` begins before the stretch before it ends")
      }
      all.append(WorkingCalendar.Hours(from: from, to: to))
    }
    return all
  }

  /// Minutes since midnight of `09:30`.
  private static func minutes(_ text: Substring) -> Int? {
    let bytes = Array(text.utf8)
    guard bytes.count == 5, bytes[2] == UInt8(ascii: ":"), [0, 1, 3, 4].allSatisfy({ bytes[$0] &- 48 < 10 }) else { return nil }
    let (hour, minute) = (Int(bytes[0] - 48) * 10 + Int(bytes[1] - 48), Int(bytes[3] - 48) * 10 + Int(bytes[4] - 48))
    let total = hour * 60 + minute
    return minute < 60 && total <= 1440 ? total : nil
  }

  /// `2026-12-24`, or `12-25` for every year.
  private func holiday(_ text: String, _ value: PositionedJSON) -> WorkingCalendar.Holiday? {
    let isYearly = text.utf8.count == 5
    // 2024 was a leap year, so that every day of a year is one of its.
    guard let moment = Instant(iso8601: (isYearly ? "2024-" : "") + text + "T00:00:00Z") else {
      sink.error(
        "bad-day", at: value.position, "`\(visible(text))` is no day", hint: "a date such as \"2026-12-24\", or \"12-25\" for every year")
      return nil
    }
    let date = Instant.date(daysSinceEpoch: Int(moment.milliseconds.flooredQuotient(by: 86_400_000)))
    return WorkingCalendar.Holiday(year: isYearly ? nil : date.year, month: date.month, day: date.day)
  }

  /// Reads how long something takes: `"P2D"`, or `{ working: "P2D" }`.
  func span(_ reader: ObjectReader, _ key: String) -> TimeSpan? {
    guard let value = reader[key], value.objectValue != nil else { return reader.duration(key).map(TimeSpan.elapsed) }
    guard let inner = ObjectReader(value, "`\(key)`", keys: ["working"], sink), let text = inner.text("working", isRequired: true),
      let place = inner["working"]?.position
    else { return nil }
    if !hasCalendar {
      sink.error(
        "no-calendar", at: value.position, "`\(key)` is in working time, and the process has no `calendar`",
        hint: "calendar: { zone: \"Europe/Berlin\", hours: { \"mon-fri\": [\"09:00-17:00\"] }, holidays: [\"12-25\"] }")
    }
    guard inner.duration("working") != nil else { return nil }
    let parts = text.split(separator: "T", maxSplits: 1)
    let isWeeks = text.contains("W")
    let days = parts[0].utf8.count > 1 ? (Duration(iso8601: String(parts[0]))?.milliseconds ?? 0) / 86_400_000 : 0
    let time = parts.count > 1 ? Duration(iso8601: "PT\(parts[1])") ?? .zero : .zero
    guard !isWeeks, days <= Self.spanLimit.days, time <= .seconds(3600 * Self.spanLimit.hours) else {
      sink.error(
        "out-of-range", at: place, "`\(text)` is no working time",
        hint:
          "at most \(Self.spanLimit.days) working days and \(Self.spanLimit.hours) hours, as in \"P2D\" or \"P1DT4H\"; a week is \"P5D\"")
      return nil
    }
    return .working(days: Int(days), time: time)
  }
}
