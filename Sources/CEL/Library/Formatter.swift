internal import Glibc

/// `text.format(list)`: `%s`, `%d`, `%f`, `%e`, `%b`, `%o`, `%x`, `%X` and `%%`, with a precision for `%f` and `%e`.
///
/// - SeeAlso: https://github.com/google/cel-go/blob/master/ext/README.md#format
enum Formatter {
  private static let maximumPrecision = 100

  static func format(_ pattern: String, _ arguments: [CELValue], _ meter: inout Meter) throws(Failure) -> String {
    var result = ""
    var used = 0
    var rest = Substring(pattern).unicodeScalars
    try meter.spend(bytes: pattern.utf8.count)
    while let scalar = rest.popFirst() {
      guard scalar == "%" else {
        result.unicodeScalars.append(scalar)
        continue
      }
      if rest.first == "%" {
        rest.removeFirst()
        result += "%"
        continue
      }
      let precision = try takePrecision(&rest)
      guard let clause = rest.popFirst() else { throw Failure(.invalidArgument, "the format ends in a `%`") }
      guard used < arguments.count else { throw Failure(.invalidArgument, "the format has more clauses than there are values") }
      let text = try text(clause, precision, arguments[used], &meter)
      try meter.spend(bytes: text.utf8.count)
      result += text
      used += 1
    }
    return result
  }

  private static func takePrecision(_ rest: inout Substring.UnicodeScalarView) throws(Failure) -> Int? {
    guard rest.first == "." else { return nil }
    rest.removeFirst()
    var digits = ""
    while let digit = rest.first, ("0"..."9").contains(digit) {
      digits.unicodeScalars.append(digit)
      rest.removeFirst()
    }
    guard let precision = Int(digits), precision <= maximumPrecision else {
      throw Failure(.invalidArgument, "a format's precision must be a number up to \(maximumPrecision)")
    }
    return precision
  }

  private static func text(
    _ clause: Unicode.Scalar, _ precision: Int?, _ value: CELValue, _ meter: inout Meter
  ) throws(Failure) -> String {
    switch clause {
    case "s": return try string(value, &meter)
    case "d": return try decimal(value)
    case "f": return try double(value, "%.\(precision ?? 6)f", clause)
    case "e": return try double(value, "%.\(precision ?? 6)e", clause)
    case "b":
      if case .bool(let truth) = value { return truth ? "1" : "0" }
      return try integer(value, radix: 2, clause)
    case "o": return try integer(value, radix: 8, clause)
    case "x": return try hexadecimal(value, uppercase: false, clause)
    case "X": return try hexadecimal(value, uppercase: true, clause)
    default: throw Failure(.invalidArgument, "unknown format clause")
    }
  }

  private static func mismatch(_ clause: Unicode.Scalar, _ value: CELValue) -> Failure {
    Failure(.invalidArgument, "`%\(clause)` cannot show a value of type `\(value.type.runtimeName)`")
  }

  private static func decimal(_ value: CELValue) throws(Failure) -> String {
    if case .double(let number) = value, !number.isFinite { return StandardLibrary.text(of: number) }
    return try integer(value, radix: 10, "d")
  }

  private static func integer(_ value: CELValue, radix: Int, uppercase: Bool = false, _ clause: Unicode.Scalar) throws(Failure) -> String {
    switch value {
    case .int(let number): return String(number, radix: radix, uppercase: uppercase)
    case .uint(let number): return String(number, radix: radix, uppercase: uppercase)
    default: throw mismatch(clause, value)
    }
  }

  private static func hexadecimal(_ value: CELValue, uppercase: Bool, _ clause: Unicode.Scalar) throws(Failure) -> String {
    func hex(_ bytes: some Sequence<UInt8>) -> String {
      bytes.reduce(into: "") { result, byte in
        result += (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: uppercase)
      }
    }
    switch value {
    case .string(let text): return hex(text.utf8)
    case .bytes(let bytes): return hex(bytes)
    default: return try integer(value, radix: 16, uppercase: uppercase, clause)
    }
  }

  private static func double(_ value: CELValue, _ pattern: String, _ clause: Unicode.Scalar) throws(Failure) -> String {
    let number: Double
    switch value {
    case .double(let value): number = value
    case .int(let value): number = Double(value)
    case .uint(let value): number = Double(value)
    default: throw mismatch(clause, value)
    }
    guard number.isFinite else { return StandardLibrary.text(of: number) }
    // The C library rounds the exact binary value, which no arithmetic on doubles does. 310 digits, a precision and a sign fit.
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { buffer in
      let count = withVaList([number]) { vsnprintf(buffer.baseAddress, buffer.count, pattern, $0) }
      return String(decoding: buffer.prefix(max(0, Int(count))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
  }

  /// The text of any value: lists as `[a, b]`, maps as `{key: value}` in the order of the keys' texts.
  private static func string(_ value: CELValue, _ meter: inout Meter) throws(Failure) -> String {
    switch value {
    case .null: return "null"
    case .type(let type): return type.runtimeName
    case .list(let elements):
      var texts: [String] = []
      for element in elements {
        try meter.spend(1)
        texts.append(try string(element, &meter))
      }
      let text = "[" + texts.joined(separator: ", ") + "]"
      try meter.spend(bytes: text.utf8.count)
      return text
    case .map(let map):
      var texts: [(key: String, value: String)] = []
      for (key, value) in map.entries {
        try meter.spend(2)
        texts.append((try string(key.value, &meter), try string(value, &meter)))
      }
      let sorted = texts.sorted { bytesPrecede($0.key, $1.key) }
      let text = "{" + sorted.map { "\($0.key): \($0.value)" }.joined(separator: ", ") + "}"
      try meter.spend(bytes: text.utf8.count)
      return text
    default:
      guard let text = try StandardLibrary.string(value) else { throw mismatch("s", value) }
      return text
    }
  }
}
