internal import Core

/// Moments as event files write them: ISO 8601 with a zone, in the profile of XML Schema.
enum FileTime {
  /// What a text says.
  enum Reading: Equatable {
    /// Unix milliseconds, UTC.
    case moment(Int64)
    /// A day and a time that exist, without a zone, as if it were UTC.
    case withoutZone(Int64)
    /// No such thing.
    case invalid
  }

  /// Reads `2026-01-31T10:00:00.123+02:00`: any number of fraction digits (those past the third are dropped), `Z`, an offset, or neither.
  ///
  /// - Parameters:
  ///   - bytes: The text.
  ///   - separator: What stands between day and time.
  /// - Returns: What it says.
  /// - Complexity: O(length).
  static func read(_ bytes: UnsafeBufferPointer<UInt8>, separator: UInt8 = UInt8(ascii: "T")) -> Reading {
    let count = bytes.count
    guard count >= 19, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"), bytes[10] == separator,
      bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":")
    else { return .invalid }
    let (century, decade) = (pair(bytes, 0), pair(bytes, 2))
    let (month, day, hour, minute, second) = (pair(bytes, 5), pair(bytes, 8), pair(bytes, 11), pair(bytes, 14), pair(bytes, 17))
    // A pair that is not of digits is negative, and so is anything that it is part of.
    guard century | decade | month | day | hour | minute | second >= 0 else { return .invalid }
    let year = century * 100 + decade
    guard month >= 1, month <= 12, day >= 1, day <= 28 || day <= days(in: month, year), hour < 24, minute < 60, second < 60 else {
      return .invalid
    }
    var place = 19
    var milliseconds = 0
    if place < count, bytes[place] == UInt8(ascii: ".") {
      var weight = 100
      place += 1
      let first = place
      while place < count, bytes[place] &- 48 < 10 {
        milliseconds += Int(bytes[place] &- 48) * weight
        weight /= 10
        place += 1
      }
      if place == first { return .invalid }
    }
    let seconds = daysSinceEpoch(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second
    if place == count { return .withoutZone(Int64(seconds * 1000 + milliseconds)) }
    if bytes[place] == UInt8(ascii: "Z"), place + 1 == count { return .moment(Int64(seconds * 1000 + milliseconds)) }
    guard place + 6 == count, bytes[place + 3] == UInt8(ascii: ":"), bytes[place] == UInt8(ascii: "+") || bytes[place] == UInt8(ascii: "-")
    else { return .invalid }
    let (hours, minutes) = (pair(bytes, place + 1), pair(bytes, place + 4))
    guard hours | minutes >= 0, hours <= 14, minutes < 60 else { return .invalid }
    let offset = (hours * 60 + minutes) * (bytes[place] == UInt8(ascii: "-") ? -60 : 60)
    return .moment(Int64((seconds - offset) * 1000 + milliseconds))
  }

  /// The text of a moment, with three digits of fraction and the zone `+00:00`.
  ///
  /// - Throws: `Diagnostic` with that code for a year that four digits cannot say.
  static func text(_ milliseconds: Int64, code: String) throws -> String {
    // From 0000-01-01T00:00:00.000Z to the last millisecond of 9999.
    guard (-62_167_219_200_000...253_402_300_799_999).contains(milliseconds) else {
      throw Diagnostic(code, at: nil, "the event time \(milliseconds) ms lies outside of the years 0 to 9999")
    }
    return Instant(milliseconds: milliseconds).iso8601.dropLast() + "+00:00"
  }

  /// The number that two digits make; negative for anything else.
  @inline(__always)
  private static func pair(_ bytes: UnsafeBufferPointer<UInt8>, _ place: Int) -> Int {
    let (tens, ones) = (bytes[place] &- 48, bytes[place + 1] &- 48)
    return tens < 10 && ones < 10 ? Int(tens) * 10 + Int(ones) : -1
  }

  private static func days(in month: Int, _ year: Int) -> Int {
    if month == 2 { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28 }
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31
  }

  /// Days since 1970-01-01 in the proleptic Gregorian calendar, for years from 0.
  private static func daysSinceEpoch(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let shifted = month <= 2 ? year + 399 : year + 400
    let (era, yearOfEra) = (shifted / 400, shifted % 400)
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468 - 146_097
  }
}
