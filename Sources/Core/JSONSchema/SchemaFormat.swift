/// A format that can be asserted.
struct SchemaFormat: Sendable {
  let described: String
  let accepts: @Sendable (String) -> Bool

  /// nil for a format that is not checked here.
  init?(name: String) {
    guard let row = Self.table.first(where: { $0.name == name }) else { return nil }
    described = row.described
    accepts = row.accepts
  }

  static var names: [String] { table.map(\.name) }

  private static let table: [(name: String, described: String, accepts: @Sendable (String) -> Bool)] = [
    ("date", "a date such as `2026-01-31`", { FormatReader.accepts($0) { $0.date() } }),
    (
      "date-time", "a date and time with zone such as `2026-01-31T09:30:00Z`",
      { FormatReader.accepts($0) { reader in reader.date() && (reader.take("T") || reader.take("t")) && reader.time() } }
    ),
    ("duration", "an ISO 8601 duration such as `P2D` or `PT1H30M`", { FormatReader.accepts($0) { $0.duration() } }),
    ("email", "an e-mail address", { FormatReader.accepts($0) { $0.email() } }),
    ("hostname", "a host name", { FormatReader.accepts($0) { $0.hostname() } }),
    ("ipv4", "an IPv4 address such as `192.0.2.1`", { FormatReader.accepts($0) { $0.ipv4() } }),
    ("ipv6", "an IPv6 address such as `2001:db8::1`", { FormatReader.accepts($0) { $0.ipv6() } }),
    ("json-pointer", "a JSON pointer such as `/a/0`", { JSONPointer.tokens($0) != nil }),
    ("regex", "a regular expression (ECMA-262)", { isECMAPattern($0) }),
    ("relative-json-pointer", "a relative JSON pointer such as `1/a`", { FormatReader.accepts($0) { $0.relativePointer() } }),
    ("time", "a time with zone such as `09:30:00Z`", { FormatReader.accepts($0) { $0.time() } }),
    ("uri", "an absolute URI", { FormatReader.accepts($0) { $0.uri(mustBeAbsolute: true) } }),
    ("uri-reference", "a URI or a relative reference", { FormatReader.accepts($0) { $0.uri(mustBeAbsolute: false) } }),
    ("uuid", "a UUID such as `123e4567-e89b-12d3-a456-426614174000`", { FormatReader.accepts($0) { $0.uuid() } }),
  ]

  /// Patterns that are well formed but cannot be searched in linear time are still patterns.
  private static func isECMAPattern(_ text: String) -> Bool {
    do throws(Diagnostic) {
      _ = try LinearRegex(text, dialect: .ecma)
      return true
    } catch {
      return ["regex-lookaround", "regex-backreference", "regex-too-large", "regex-too-long", "regex-too-deep"].contains(error.code)
    }
  }
}

/// Reads a text from left to right by bytes; each function consumes what it describes or answers false.
struct FormatReader {
  let bytes: [UInt8]
  var index = 0

  static func accepts(_ text: String, _ form: (inout FormatReader) -> Bool) -> Bool {
    var reader = FormatReader(bytes: Array(text.utf8))
    return form(&reader) && reader.isAtEnd
  }

  var isAtEnd: Bool { index == bytes.count }
  var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

  mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    guard let byte = peek, UInt32(byte) == scalar.value else { return false }
    index += 1
    return true
  }

  /// Consumes as many bytes as satisfy the test, and counts them.
  mutating func skip(while test: (UInt8) -> Bool) -> Int {
    let start = index
    while let byte = peek, test(byte) { index += 1 }
    return index - start
  }

  mutating func number(digits: Int) -> Int? {
    guard index + digits <= bytes.count, bytes[index..<index + digits].allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
    defer { index += digits }
    return bytes[index..<index + digits].reduce(0) { $0 * 10 + Int($1 - 0x30) }
  }

  static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
  static func isAlphanumeric(_ byte: UInt8) -> Bool { isDigit(byte) || (byte | 0x20) &- 0x61 < 26 }

  // MARK: RFC 3339

  mutating func date() -> Bool {
    guard let year = number(digits: 4), take("-"), let month = number(digits: 2), take("-"), let day = number(digits: 2) else {
      return false
    }
    guard (1...12).contains(month) else { return false }
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let days = month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
    return (1...days).contains(day)
  }

  mutating func time() -> Bool {
    guard let hour = number(digits: 2), take(":"), let minute = number(digits: 2), take(":"), let second = number(digits: 2) else {
      return false
    }
    guard hour < 24, minute < 60, second < 61 else { return false }
    if take("."), skip(while: Self.isDigit) == 0 { return false }
    var offset = 0
    if !take("Z"), !take("z") {
      let sign = take("+") ? 1 : take("-") ? -1 : 0
      guard sign != 0, let hours = number(digits: 2), take(":"), let minutes = number(digits: 2), hours < 24, minutes < 60 else {
        return false
      }
      offset = sign * (hours * 60 + minutes)
    }
    if second < 60 { return true }
    // A leap second is the last one of a day in UTC.
    return ((hour * 60 + minute - offset) % 1440 + 1440) % 1440 == 1439
  }

  mutating func duration() -> Bool {
    guard take("P"), !isAtEnd else { return false }
    /// Numbers with these units in this order, none left out between the first and the last.
    func run(_ units: [Unicode.Scalar], _ reader: inout FormatReader) -> Int {
      var last: Int?
      var count = 0
      while let byte = reader.peek, Self.isDigit(byte) {
        _ = reader.skip(while: Self.isDigit)
        guard let place = units.firstIndex(where: { reader.take($0) }), last.map({ place == $0 + 1 }) ?? true else { return -1 }
        last = place
        count += 1
      }
      return count
    }
    if bytes.last == UInt8(ascii: "W") { return run(["W"], &self) == 1 }
    let days = run(["Y", "M", "D"], &self)
    guard days >= 0 else { return false }
    guard take("T") else { return days > 0 }
    return run(["H", "M", "S"], &self) > 0
  }

  // MARK: Others

  mutating func uuid() -> Bool {
    for (group, length) in [8, 4, 4, 4, 12].enumerated() {
      if group > 0, !take("-") { return false }
      guard skip(while: { hexDigit($0) != nil }) == length else { return false }
    }
    return true
  }

  mutating func relativePointer() -> Bool {
    let start = index
    let digits = skip(while: Self.isDigit)
    guard digits > 0, digits == 1 || bytes[start] != UInt8(ascii: "0") else { return false }
    if take("#") { return true }
    let rest = String(decoding: bytes[index...], as: UTF8.self)
    index = bytes.count
    return JSONPointer.tokens(rest) != nil
  }
}
