/// A point in time to the nanosecond, from the start of the year 1 to the end of the year 9999, UTC.
public struct CELTimestamp: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
  public let seconds: Int64
  /// Nanoseconds after ``seconds``, from 0 to 999,999,999.
  public let nanoseconds: Int32

  static let range: ClosedRange<Int64> = -62_135_596_800...253_402_300_799

  /// Makes a point in time; nil outside the years 1 to 9999.
  public init?(seconds: Int64, nanoseconds: Int32 = 0) {
    guard Self.range.contains(seconds), (0..<1_000_000_000).contains(nanoseconds) else { return nil }
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }

  /// Makes a point in time from Unix milliseconds; nil outside the years 1 to 9999.
  public init?(milliseconds: Int64) {
    var (seconds, rest) = milliseconds.quotientAndRemainder(dividingBy: 1000)
    if rest < 0 {
      seconds -= 1
      rest += 1000
    }
    self.init(seconds: seconds, nanoseconds: Int32(rest) * 1_000_000)
  }

  /// Reads `2026-01-01T10:00:00.5+01:00`; nil for anything that is not RFC 3339, and outside the years 1 to 9999.
  public init?(_ text: String) {
    var reader = Reader(bytes: Array(text.utf8))
    guard let year = reader.digits(4), reader.take("-"), let month = reader.digits(2), reader.take("-"), let day = reader.digits(2),
      reader.take("T") || reader.take("t"), let hour = reader.digits(2), reader.take(":"), let minute = reader.digits(2), reader.take(":"),
      let second = reader.digits(2)
    else { return nil }
    var nanoseconds: Int32 = 0
    if reader.take(".") {
      var scale: Int32 = 100_000_000
      var count = 0
      while let digit = reader.digits(1) {
        nanoseconds += Int32(digit) * scale
        scale /= 10
        count += 1
      }
      if count == 0 || count > 9 { return nil }
    }
    var offset: Int64 = 0
    if !(reader.take("Z") || reader.take("z")) {
      let negative = reader.take("-")
      guard negative || reader.take("+"), let hours = reader.digits(2), reader.take(":"), let minutes = reader.digits(2), hours < 24,
        minutes < 60
      else { return nil }
      offset = (hours * 3600 + minutes * 60) * (negative ? -1 : 1)
    }
    guard reader.isAtEnd, (1...12).contains(month), day >= 1, day <= daysInMonth(year: year, month: month), hour < 24, minute < 60,
      second < 60
    else { return nil }
    let days = daysFromCivil(year: year, month: month, day: day)
    self.init(seconds: days * 86_400 + hour * 3600 + minute * 60 + second - offset, nanoseconds: nanoseconds)
  }

  /// Whether the first is earlier.
  public static func < (a: CELTimestamp, b: CELTimestamp) -> Bool { (a.seconds, a.nanoseconds) < (b.seconds, b.nanoseconds) }

  /// The point in time a length later; nil outside the years 1 to 9999.
  public func adding(nanoseconds length: Int64) -> CELTimestamp? {
    var (seconds, rest) = length.quotientAndRemainder(dividingBy: 1_000_000_000)
    rest += Int64(nanoseconds)
    if rest < 0 {
      seconds -= 1
      rest += 1_000_000_000
    } else if rest >= 1_000_000_000 {
      seconds += 1
      rest -= 1_000_000_000
    }
    return CELTimestamp(seconds: self.seconds + seconds, nanoseconds: Int32(rest))
  }

  /// The length from another point in time to this one; nil where it is over about 292 years.
  public func since(_ other: CELTimestamp) -> CELDuration? {
    let (nanos, overflow) = (seconds - other.seconds).multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, overflow2) = nanos.addingReportingOverflow(Int64(nanoseconds) - Int64(other.nanoseconds))
    return overflow || overflow2 ? nil : CELDuration(nanoseconds: sum)
  }

  /// The point in time in UTC as RFC 3339, with as many decimals as it needs.
  public var description: String {
    let parts = CivilTime(seconds: seconds)
    func padded(_ value: Int64, _ width: Int) -> String {
      let digits = String(value)
      return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
    let date = "\(padded(parts.year, 4))-\(padded(parts.month, 2))-\(padded(parts.day, 2))"
    let time = "\(padded(parts.hour, 2)):\(padded(parts.minute, 2)):\(padded(parts.second, 2))"
    return "\(date)T\(time)\(fractionText(UInt64(nanoseconds)))Z"
  }

  private struct Reader {
    let bytes: [UInt8]
    var place = 0

    var isAtEnd: Bool { place == bytes.count }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
      guard place < bytes.count, bytes[place] == UInt8(ascii: character) else { return false }
      place += 1
      return true
    }

    mutating func digits(_ count: Int) -> Int64? {
      guard place + count <= bytes.count else { return nil }
      var value: Int64 = 0
      for byte in bytes[place..<place + count] {
        guard byte &- 48 < 10 else { return nil }
        value = value * 10 + Int64(byte - 48)
      }
      place += count
      return value
    }
  }
}

/// A date and time of day of the proleptic Gregorian calendar.
struct CivilTime {
  var year: Int64
  /// From 1.
  var month: Int64
  /// From 1.
  var day: Int64
  var hour: Int64
  var minute: Int64
  var second: Int64
  /// From 0, Sunday.
  var weekday: Int64
  /// From 0.
  var dayOfYear: Int64

  /// Splits seconds since 1970-01-01T00:00:00, with the zone's offset already added.
  ///
  /// - SeeAlso: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
  init(seconds: Int64) {
    var days = seconds / 86_400
    var rest = seconds % 86_400
    if rest < 0 {
      days -= 1
      rest += 86_400
    }
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let marchDay = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * marchDay + 2) / 153
    day = marchDay - (153 * marchMonth + 2) / 5 + 1
    month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    hour = rest / 3600
    minute = rest / 60 % 60
    second = rest % 60
    weekday = ((days + 4) % 7 + 7) % 7
    dayOfYear = days - daysFromCivil(year: year, month: 1, day: 1)
  }
}

/// Days since 1970-01-01.
///
/// - SeeAlso: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
func daysFromCivil(year: Int64, month: Int64, day: Int64) -> Int64 {
  let year = month <= 2 ? year - 1 : year
  let era = (year >= 0 ? year : year - 399) / 400
  let yearOfEra = year - era * 400
  let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
  return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
}

func daysInMonth(year: Int64, month: Int64) -> Int64 {
  switch month {
  case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
  case 4, 6, 9, 11: 30
  default: 31
  }
}
