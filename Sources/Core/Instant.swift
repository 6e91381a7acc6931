internal import Glibc

/// A moment: milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
public struct Instant: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// Unix time in milliseconds, UTC.
  public let milliseconds: Int64

  /// A moment from its Unix time in milliseconds.
  @inlinable
  public init(milliseconds: Int64) { self.milliseconds = milliseconds }

  /// Reads `2026-01-31T10:00:00Z`, with up to nine digits of fraction (those past the third are dropped) and `Z` or an
  /// offset such as `+02:00`; nil for any other text and for days and times that do not exist.
  public init?(iso8601 text: String) {
    var scanner = FixedScanner(text)
    guard let year = scanner.digits(4), scanner.skip("-"), let month = scanner.digits(2), scanner.skip("-"), let day = scanner.digits(2),
      scanner.skip("T"), let hour = scanner.digits(2), scanner.skip(":"), let minute = scanner.digits(2), scanner.skip(":"),
      let second = scanner.digits(2)
    else { return nil }
    var fraction = 0
    if scanner.skip(".") {
      guard let value = scanner.fraction() else { return nil }
      fraction = value
    }
    var offset = 0
    if !scanner.skip("Z") {
      let sign = scanner.skip("+") ? 1 : scanner.skip("-") ? -1 : 0
      guard sign != 0, let hours = scanner.digits(2), scanner.skip(":"), let minutes = scanner.digits(2), hours < 24, minutes < 60 else {
        return nil
      }
      offset = sign * (hours * 60 + minutes)
    }
    guard scanner.isAtEnd, (1...12).contains(month), day >= 1, day <= daysInMonth(month, year: year), hour < 24, minute < 60, second < 60
    else {
      return nil
    }
    let days = daysSinceEpoch(year: year, month: month, day: day)
    milliseconds = Int64(days) * 86_400_000 + Int64(((hour * 60 + minute - offset) * 60 + second) * 1000 + fraction)
  }

  /// `2026-01-31T10:00:00.000Z`, always in UTC and with three digits of fraction.
  public var iso8601: String {
    let rest = Int((milliseconds % 86_400_000 + 86_400_000) % 86_400_000)
    let days = Int(milliseconds / 86_400_000) - (milliseconds % 86_400_000 < 0 ? 1 : 0)
    let (year, month, day) = civil(daysSinceEpoch: days)
    func padded(_ value: Int, _ width: Int) -> String {
      let digits = String(value)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    let date = "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    return
      "\(date)T\(padded(rest / 3_600_000, 2)):\(padded(rest / 60_000 % 60, 2)):\(padded(rest / 1000 % 60, 2)).\(padded(rest % 1000, 3))Z"
  }

  /// The date so many days after 1970-01-01.
  public static func date(daysSinceEpoch days: Int) -> (year: Int, month: Int, day: Int) { civil(daysSinceEpoch: days) }

  /// The moment in ISO 8601, UTC.
  public var description: String { iso8601 }

  /// Whether the first is earlier.
  @inlinable
  public static func < (a: Instant, b: Instant) -> Bool { a.milliseconds < b.milliseconds }

  /// A moment that much later, or the last one that can be said.
  public static func + (instant: Instant, duration: Duration) -> Instant {
    let (sum, overflow) = instant.milliseconds.addingReportingOverflow(duration.milliseconds)
    return Instant(milliseconds: overflow ? (duration.milliseconds > 0 ? .max : .min) : sum)
  }

  /// How much later the first is, or the longest duration that can be said.
  public static func - (a: Instant, b: Instant) -> Duration {
    let (difference, overflow) = a.milliseconds.subtractingReportingOverflow(b.milliseconds)
    return .milliseconds(overflow ? (a > b ? .max : .min) : difference)
  }
}

/// Where the time comes from: an argument, so that any behaviour can be simulated and replayed.
public struct TimeSource: Sendable {
  /// The current moment.
  public let now: @Sendable () -> Instant

  /// Makes a source from a function.
  public init(_ now: @escaping @Sendable () -> Instant) { self.now = now }

  /// The machine's wall clock.
  public static let system = TimeSource {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Instant(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
  }

  /// The time since the machine started, asleep or not, as if that had been in 1970: nobody can set it.
  public static let sinceBoot = TimeSource {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return Instant(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
  }
}

extension Duration {
  /// Reads an ISO 8601 duration of weeks, days, hours, minutes and seconds (`P2D`, `PT1H30M`, `P1W`, `PT0.5S`); a day has 24 hours.
  ///
  /// Months and years are refused, as they have no fixed length; so are signs, and anything over 100 years.
  public init?(iso8601 text: String) {
    var rest = Substring(text).utf8
    guard rest.popFirst() == UInt8(ascii: "P"), !rest.isEmpty else { return nil }
    var units: [(UInt8, Int64)] = [(UInt8(ascii: "W"), 604_800_000), (UInt8(ascii: "D"), 86_400_000)]
    var inTime = false
    var total: Int64 = 0
    while let byte = rest.first {
      if byte == UInt8(ascii: "T") {
        guard !inTime, rest.count > 1 else { return nil }
        inTime = true
        units = [(UInt8(ascii: "H"), 3_600_000), (UInt8(ascii: "M"), 60_000), (UInt8(ascii: "S"), 1000)]
        rest.removeFirst()
        continue
      }
      let whole = rest.prefix { $0 &- 48 < 10 }
      rest = rest.dropFirst(whole.count)
      var fraction = ""
      if rest.first == UInt8(ascii: ".") {
        let digits = rest.dropFirst().prefix { $0 &- 48 < 10 }
        rest = rest.dropFirst(1 + digits.count)
        fraction = String(Substring(digits))
        if fraction.isEmpty { return nil }
      }
      guard let unit = rest.popFirst(), let place = units.firstIndex(where: { $0.0 == unit }), let count = Int64(Substring(whole)),
        count <= 3_155_760_000, fraction.isEmpty || unit == UInt8(ascii: "S")
      else { return nil }
      total += count * units[place].1 + (fraction.isEmpty ? 0 : (Int64((fraction + "000").prefix(3)) ?? 0))
      guard total <= 3_155_760_000_000 else { return nil }
      units.removeFirst(place + 1)
    }
    self = .milliseconds(total)
  }

  /// The duration in ISO 8601, in days, hours, minutes and seconds.
  public var iso8601: String {
    let total = milliseconds
    if total < 0 { return "-" + Duration.milliseconds(-total).iso8601 }
    let (days, hours, minutes) = (total / 86_400_000, total / 3_600_000 % 24, total / 60_000 % 60)
    let (seconds, rest) = (total / 1000 % 60, total % 1000)
    var time = (hours > 0 ? "\(hours)H" : "") + (minutes > 0 ? "\(minutes)M" : "")
    if rest > 0 {
      time += "\(seconds).\(String(1000 + rest).dropFirst())S"
    } else if seconds > 0 || total == 0 {
      time += "\(seconds)S"
    }
    return "P" + (days > 0 ? "\(days)D" : "") + (time.isEmpty ? "" : "T" + time)
  }

  /// The duration in whole milliseconds, rounded towards zero.
  public var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}

private func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

private func daysInMonth(_ month: Int, year: Int) -> Int {
  month == 2 ? (isLeap(year) ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar, by eras of 400 years that begin on 1 March.
private func daysSinceEpoch(year: Int, month: Int, day: Int) -> Int {
  let year = month <= 2 ? year - 1 : year
  let era = (year >= 0 ? year : year - 399) / 400
  let yearOfEra = year - era * 400
  let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
  return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
}

private func civil(daysSinceEpoch: Int) -> (year: Int, month: Int, day: Int) {
  let days = daysSinceEpoch + 719_468
  let era = (days >= 0 ? days : days - 146_096) / 146_097
  let dayOfEra = days - era * 146_097
  let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
  let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  let shifted = (5 * dayOfYear + 2) / 153
  let month = shifted < 10 ? shifted + 3 : shifted - 9
  return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
}

private struct FixedScanner {
  var rest: Substring.UTF8View
  init(_ text: String) { rest = Substring(text).utf8 }
  var isAtEnd: Bool { rest.isEmpty }

  mutating func skip(_ character: Unicode.Scalar) -> Bool {
    guard rest.first == UInt8(truncatingIfNeeded: character.value) else { return false }
    rest.removeFirst()
    return true
  }

  mutating func digits(_ count: Int) -> Int? {
    guard rest.count >= count, rest.prefix(count).allSatisfy({ $0 &- 48 < 10 }) else { return nil }
    defer { rest = rest.dropFirst(count) }
    return rest.prefix(count).reduce(0) { $0 * 10 + Int($1 - 48) }
  }

  /// One to nine digits of a second, as milliseconds.
  mutating func fraction() -> Int? {
    let digits = rest.prefix { $0 &- 48 < 10 }
    guard (1...9).contains(digits.count) else { return nil }
    rest = rest.dropFirst(digits.count)
    return (digits.prefix(3).map { Int($0 - 48) } + [0, 0]).prefix(3).reduce(0) { $0 * 10 + $1 }
  }
}
