internal import Core

/// Values as XML Schema writes them, the words of the markup, and what is said of what is wrong with them.
extension XESReader {
  @inline(__always)
  mutating func moment(_ value: Int) throws -> Int64 {
    switch try scanner.withValue(value, { FileTime.read($0) }) {
    case .moment(let time): return time
    case .withoutZone:
      throw failure(at: value, "xes-time", "a time without a zone", "end it with `Z` or an offset such as `+02:00`")
    case .invalid:
      throw failure(at: value, "xes-time", "this is no time", "write `2026-01-31T10:00:00.000+00:00`, a day and a time that exist")
    }
  }

  @inline(__always)
  mutating func integer(_ value: Int) throws -> Int64 {
    let integer = try scanner.withValue(value) { bytes -> Int64? in
      guard bytes.count < 19 else { return Int64(String(decoding: bytes, as: UTF8.self)) }
      var result: Int64 = 0
      let start = bytes.first == UInt8(ascii: "-") || bytes.first == UInt8(ascii: "+") ? 1 : 0
      guard bytes.count > start else { return nil }
      for index in start..<bytes.count {
        let digit = bytes[index] &- 48
        guard digit < 10 else { return nil }
        result = result &* 10 &+ Int64(digit)
      }
      return bytes[0] == UInt8(ascii: "-") ? -result : result
    }
    guard let integer else { throw failure(at: value, "xes-value", "this is no integer of at most 64 bits") }
    return integer
  }

  mutating func number(_ value: Int) throws -> Double {
    let number = try scanner.withValue(value) { bytes -> Double? in
      switch String(decoding: bytes, as: UTF8.self) {
      case "INF", "+INF": .infinity
      case "-INF": -.infinity
      case "NaN": .nan
      case let text where bytes.allSatisfy({ $0 &- 48 < 10 || "+-.eE".utf8.contains($0) }): Double(text)
      default: nil
      }
    }
    guard let number else { throw failure(at: value, "xes-value", "this is no number") }
    return number
  }

  mutating func flag(_ value: Int) throws -> Bool {
    let flag = try scanner.withValue(value) { bytes -> Bool? in
      switch String(decoding: bytes, as: UTF8.self) {
      case "true", "1": true
      case "false", "0": false
      default: nil
      }
    }
    guard let flag else { throw failure(at: value, "xes-value", "this is neither `true` nor `false`") }
    return flag
  }

  mutating func checkTextBytes() throws {
    guard texts.byteCount + builder.nameBytes <= limits.textBytes else {
      throw failure("xes-limit", "more than \(limits.textBytes) bytes of different texts")
    }
  }

  /// What the last start tag is.
  @inline(__always)
  mutating func word() -> Word {
    let name = scanner.name
    func isIt(_ text: StaticString) -> Bool { XMLText.isSame(name, text) }
    switch name[0] {
    case UInt8(ascii: "s"): return isIt("string") ? .string : .other
    case UInt8(ascii: "d"): return isIt("date") ? .date : .other
    case UInt8(ascii: "i"): return isIt("int") ? .int : isIt("id") ? .id : .other
    case UInt8(ascii: "f"): return isIt("float") ? .float : .other
    case UInt8(ascii: "b"): return isIt("boolean") ? .boolean : .other
    case UInt8(ascii: "l"): return isIt("list") ? .list : .other
    case UInt8(ascii: "c"): return isIt("container") ? .container : .other
    case UInt8(ascii: "e"): return isIt("event") ? .event : .other
    case UInt8(ascii: "t"): return isIt("trace") ? .trace : .other
    default: return .other
    }
  }

  /// Which attributes of the start tag are `key` and `value`.
  @inline(__always)
  mutating func keyAndValue() throws -> (key: Int, value: Int) {
    var (key, value) = (-1, -1)
    for index in 0..<scanner.attributeCount {
      let name = scanner.attributeName(index)
      if XMLText.isSame(name, "key") {
        key = index
      } else if XMLText.isSame(name, "value") {
        value = index
      } else {
        throw failure("xes-syntax", "an attribute has a `key` and a `value`, not `\(visible(String(decoding: name, as: UTF8.self)))`")
      }
    }
    guard key >= 0 else { throw failure("xes-syntax", "an attribute without a `key`") }
    guard value >= 0 else { throw failure("xes-syntax", "an attribute without a `value`") }
    return (key, value)
  }

  mutating func fieldIfAny(_ name: String) throws -> String? {
    for index in 0..<scanner.attributeCount where scanner.attributeName(index).elementsEqual(name.utf8) {
      return try scanner.withValue(index) { String(decoding: $0, as: UTF8.self) }
    }
    return nil
  }

  mutating func field(_ name: String) throws -> String {
    guard let value = try fieldIfAny(name) else { throw failure("xes-syntax", "`\(name)` is missing") }
    return value
  }

  mutating func refuseFields() throws {
    if scanner.attributeCount > 0 {
      let name = visible(String(decoding: scanner.attributeName(0), as: UTF8.self))
      throw failure("xes-syntax", "a trace or an event has no `\(name)` in its tag", "write it as an attribute element inside")
    }
  }

  mutating func readEnd() throws {
    guard try scanner.next() == .end else { throw failure("xes-syntax", "nothing can stand in here") }
  }

  mutating func failure(_ code: String, _ message: String, _ hint: String? = nil) -> Diagnostic {
    Diagnostic(code, at: scanner.tagPosition, message, hint: hint)
  }

  mutating func failure(at value: Int, _ code: String, _ message: String, _ hint: String) -> Diagnostic {
    scanner.window.failure(code, scanner.valuePlace(value), message, hint)
  }

  mutating func failure(at value: Int, _ code: String, _ message: String) -> Diagnostic {
    scanner.window.failure(code, scanner.valuePlace(value), message)
  }

  mutating func textFailure() -> Diagnostic {
    Diagnostic("xes-syntax", at: scanner.textPosition, "text between two elements", hint: "XES keeps everything in attributes")
  }

  mutating func typeFailure(_ key: String, _ type: String) -> Diagnostic { failure("xes-type", "`\(key)` is not a `<\(type)>`") }

  mutating func duplicate(_ key: String) -> Diagnostic {
    failure("xes-duplicate-attribute", "`\(visible(key))` stands twice here", "keep one of them, or make it a list")
  }
}
