extension StandardLibrary {
  static let conversions: [Function] = [
    Function("dyn", [Overload([a], .dyn)], .unary { x, _ throws(Failure) in x }),
    Function("type", [Overload([a], .type)], .unary { x, _ throws(Failure) in .type(x.type) }),
    Function(
      "int", [.int, .uint, .double, .string, .timestamp, .duration].map { Overload([$0], .int) },
      reading { x throws(Failure) in .int(try int(x)) }),
    Function("uint", [.uint, .int, .double, .string].map { Overload([$0], .uint) }, reading { x throws(Failure) in .uint(try uint(x)) }),
    Function(
      "double", [.double, .int, .uint, .string].map { Overload([$0], .double) }, reading { x throws(Failure) in .double(try double(x)) }),
    Function(
      "string", [.string, .bool, .int, .uint, .double, .bytes, .timestamp, .duration].map { Overload([$0], .string) },
      .unary { x, meter throws(Failure) in
        if case .bytes(let bytes) = x { try meter.spend(bytes: bytes.count) }
        guard let text = try string(x) else { throw noOverload("string", x) }
        return .string(text)
      }),
    Function(
      "bytes", [.bytes, .string].map { Overload([$0], .bytes) },
      .unary { x, meter throws(Failure) in
        switch x {
        case .bytes: return x
        case .string(let text):
          try meter.spend(bytes: text.utf8.count)
          return .bytes(Array(text.utf8))
        default: throw noOverload("bytes", x)
        }
      }),
    Function("bool", [.bool, .string].map { Overload([$0], .bool) }, reading { x throws(Failure) in .bool(try bool(x)) }),
    Function(
      "timestamp", [.timestamp, .string, .int].map { Overload([$0], .timestamp) },
      reading { x throws(Failure) in
        switch x {
        case .timestamp: return x
        case .string(let text):
          guard let time = CELTimestamp(text) else {
            throw unreadable("timestamp", "a time such as `2026-01-31T12:00:00Z`, in the years 1 to 9999")
          }
          return .timestamp(time)
        case .int(let seconds):
          guard let time = CELTimestamp(seconds: seconds) else { throw outOfRange("timestamp") }
          return .timestamp(time)
        default: throw noOverload("timestamp", x)
        }
      }),
    Function(
      "duration", [.duration, .string].map { Overload([$0], .duration) },
      reading { x throws(Failure) in
        switch x {
        case .duration: return x
        case .string(let text):
          guard let length = CELDuration(text) else {
            throw unreadable("duration", "a length of time such as `1h30m` or `90s`, up to 292 years")
          }
          return .duration(length)
        default: throw noOverload("duration", x)
        }
      }),
  ]

  /// The body of a conversion, with the steps that it takes to read a text.
  private static func reading(_ body: @escaping @Sendable (CELValue) throws(Failure) -> CELValue) -> Function.Body {
    .unary { x, meter throws(Failure) in
      if case .string(let text) = x { try meter.spend(bytes: text.utf8.count) }
      return try body(x)
    }
  }

  private static func unreadable(_ name: String, _ wanted: String) -> Failure {
    Failure(.invalidArgument, "`\(name)` needs \(wanted)")
  }

  private static func outOfRange(_ name: String) -> Failure { Failure(.overflow, "the value does not fit in `\(name)`") }

  private static func int(_ value: CELValue) throws(Failure) -> Int64 {
    switch value {
    case .int(let number): return number
    case .uint(let number):
      guard let number = Int64(exactly: number) else { throw outOfRange("int") }
      return number
    case .double(let number):
      // The bounds themselves are doubles that stand for a range of integers, so they are out.
      guard number > -9_223_372_036_854_775_808.0, number < 9_223_372_036_854_775_808.0 else { throw outOfRange("int") }
      return Int64(number)
    case .string(let text):
      guard let number = Int64(text), isPlainInteger(text) else { throw unreadable("int", "an integer that fits in 64 bits") }
      return number
    case .timestamp(let time): return time.seconds
    case .duration(let length): return length.nanoseconds / 1_000_000_000
    default: throw noOverload("int", value)
    }
  }

  private static func uint(_ value: CELValue) throws(Failure) -> UInt64 {
    switch value {
    case .uint(let number): return number
    case .int(let number):
      guard let number = UInt64(exactly: number) else { throw outOfRange("uint") }
      return number
    case .double(let number):
      guard number >= 0, number < 18_446_744_073_709_551_616.0 else { throw outOfRange("uint") }
      return UInt64(number)
    case .string(let text):
      guard let number = UInt64(text), text.utf8.allSatisfy({ isDigit($0) }) else {
        throw unreadable("uint", "an integer that fits in 64 bits, without a sign")
      }
      return number
    default: throw noOverload("uint", value)
    }
  }

  private static func isPlainInteger(_ text: String) -> Bool { text.utf8.allSatisfy { isDigit($0) || $0 == UInt8(ascii: "-") } }

  private static func double(_ value: CELValue) throws(Failure) -> Double {
    switch value {
    case .double(let number): return number
    case .int(let number): return Double(number)
    case .uint(let number): return Double(number)
    case .string(let text):
      switch text {
      case "NaN": return .nan
      case "Infinity", "+Infinity", "Inf", "+Inf": return .infinity
      case "-Infinity", "-Inf": return -.infinity
      default:
        let isDecimal = text.utf8.allSatisfy { isDigit($0) || "+-.eE".utf8.contains($0) }
        guard isDecimal, let number = Double(text), number.isFinite else { throw unreadable("double", "a decimal number") }
        return number
      }
    default: throw noOverload("double", value)
    }
  }

  /// The text of a value that has one.
  static func string(_ value: CELValue) throws(Failure) -> String? {
    switch value {
    case .string(let text): return text
    case .bool(let truth): return truth ? "true" : "false"
    case .int(let number): return String(number)
    case .uint(let number): return String(number)
    case .double(let number): return text(of: number)
    case .bytes(let bytes):
      guard let text = String(validating: bytes, as: UTF8.self) else { throw unreadable("string", "bytes that are valid UTF-8") }
      return text
    case .timestamp(let time): return time.description
    case .duration(let length): return length.description
    default: return nil
    }
  }

  /// The shortest decimal that reads back as the double; whole numbers without a point.
  static func text(of number: Double) -> String {
    if number.isNaN { return "NaN" }
    if number.isInfinite { return number < 0 ? "-Infinity" : "Infinity" }
    let text = number.description
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  private static func bool(_ value: CELValue) throws(Failure) -> Bool {
    switch value {
    case .bool(let truth): return truth
    case .string("1"), .string("t"), .string("true"), .string("TRUE"), .string("True"), .string("T"): return true
    case .string("0"), .string("f"), .string("false"), .string("FALSE"), .string("False"), .string("F"): return false
    case .string: throw unreadable("bool", "`true` or `false`")
    default: throw noOverload("bool", value)
    }
  }
}
