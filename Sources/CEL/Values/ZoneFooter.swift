/// The rule that holds after the last change that a zone file lists: `CET-1CEST,M3.5.0,M10.5.0/3`.
///
/// - SeeAlso: RFC 9636, section 3.3.1, and the TZ variable of POSIX.
struct ZoneFooter: Sendable {
  private struct Change: Sendable {
    enum Day: Sendable {
      /// The n-th day with the weekday in the month; 5 is the last.
      case weekday(month: Int64, week: Int64, day: Int64)
      /// From 1, never counting 29 February.
      case julian(Int64)
      /// From 0, counting 29 February.
      case dayOfYear(Int64)
    }
    var day: Day
    /// Seconds after midnight, local.
    var time: Int64

    /// Seconds of the local clock from 1970 to the change in a year.
    func seconds(in year: Int64) -> Int64 {
      let days: Int64
      switch day {
      case .weekday(let month, let week, let weekday):
        let start = daysFromCivil(year: year, month: month, day: 1)
        let first = (weekday - (start + 4) % 7 + 14) % 7
        var inMonth = first + (week - 1) * 7
        if inMonth >= daysInMonth(year: year, month: month) { inMonth -= 7 }
        days = start + inMonth
      case .julian(let day):
        let isLeap = daysInMonth(year: year, month: 2) == 29
        days = daysFromCivil(year: year, month: 1, day: 1) + day - 1 + (isLeap && day >= 60 ? 1 : 0)
      case .dayOfYear(let day): days = daysFromCivil(year: year, month: 1, day: 1) + day
      }
      return days * 86_400 + time
    }
  }

  private let standard: Int32
  private let daylight: (offset: Int32, start: Change, end: Change)?

  init?(_ text: String) {
    var rest = Array(text.utf8)[...]
    guard Self.takeName(&rest), let offset = Self.takeTime(&rest) else { return nil }
    standard = Int32(-offset)
    if rest.isEmpty {
      daylight = nil
      return
    }
    guard Self.takeName(&rest) else { return nil }
    var shifted = standard + 3600
    if rest.first != UInt8(ascii: ",") {
      guard let offset = Self.takeTime(&rest) else { return nil }
      shifted = Int32(-offset)
    }
    guard let start = Self.takeChange(&rest), let end = Self.takeChange(&rest), rest.isEmpty else { return nil }
    daylight = (shifted, start, end)
  }

  /// Seconds east of UTC at a Unix time.
  func offset(at seconds: Int64) -> Int32 {
    guard let daylight else { return standard }
    let year = CivilTime(seconds: seconds + Int64(standard)).year
    let start = daylight.start.seconds(in: year) - Int64(standard)
    let end = daylight.end.seconds(in: year) - Int64(daylight.offset)
    let isDaylight = start < end ? (start..<end).contains(seconds) : !(end..<start).contains(seconds)
    return isDaylight ? daylight.offset : standard
  }

  private static func takeName(_ rest: inout ArraySlice<UInt8>) -> Bool {
    if rest.first == UInt8(ascii: "<") {
      guard let end = rest.firstIndex(of: UInt8(ascii: ">")) else { return false }
      rest = rest[(end + 1)...]
      return true
    }
    let name = rest.prefix { ($0 | 0x20) &- 97 < 26 }
    rest = rest[name.endIndex...]
    return name.count >= 3
  }

  private static func takeNumber(_ rest: inout ArraySlice<UInt8>) -> Int64? {
    let digits = rest.prefix { isDigit($0) }
    guard (1...3).contains(digits.count) else { return nil }
    rest = rest[digits.endIndex...]
    return digits.reduce(0) { $0 * 10 + Int64($1 - 48) }
  }

  /// `-1`, `5:30`, `2:00:00`, in seconds.
  private static func takeTime(_ rest: inout ArraySlice<UInt8>) -> Int64? {
    var sign: Int64 = 1
    if let first = rest.first, first == UInt8(ascii: "+") || first == UInt8(ascii: "-") {
      if first == UInt8(ascii: "-") { sign = -1 }
      rest.removeFirst()
    }
    guard var total = takeNumber(&rest).map({ $0 * 3600 }) else { return nil }
    for unit in [Int64(60), 1] where rest.first == UInt8(ascii: ":") {
      rest.removeFirst()
      guard let part = takeNumber(&rest) else { return nil }
      total += part * unit
    }
    return sign * total
  }

  private static func takeChange(_ rest: inout ArraySlice<UInt8>) -> Change? {
    guard rest.popFirst() == UInt8(ascii: ","), let mark = rest.first else { return nil }
    let day: Change.Day
    switch mark {
    case UInt8(ascii: "M"):
      rest.removeFirst()
      guard let month = takeNumber(&rest), rest.popFirst() == UInt8(ascii: "."), let week = takeNumber(&rest),
        rest.popFirst() == UInt8(ascii: "."), let weekday = takeNumber(&rest), (1...12).contains(month), (1...5).contains(week), weekday < 7
      else { return nil }
      day = .weekday(month: month, week: week, day: weekday)
    case UInt8(ascii: "J"):
      rest.removeFirst()
      guard let number = takeNumber(&rest) else { return nil }
      day = .julian(number)
    default:
      guard let number = takeNumber(&rest) else { return nil }
      day = .dayOfYear(number)
    }
    guard rest.first == UInt8(ascii: "/") else { return Change(day: day, time: 7200) }
    rest.removeFirst()
    return takeTime(&rest).map { Change(day: day, time: $0) }
  }
}
