@_spi(JSONParser) import Core

/// Reads RFC 8785 bytes and nothing else: what is accepted here is exactly what `CanonicalWriter` writes.
///
/// A parser for any JSON would accept more and cost more; a property test compares the two.
struct CanonicalReader: ~Copyable {
  /// Why bytes are not canonical JSON.
  struct Malformed: Error {
    let offset: Int
  }

  private let bytes: UnsafeBufferPointer<UInt8>
  private(set) var offset = 0
  private var depth = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes.bindMemory(to: UInt8.self) }

  var isAtEnd: Bool { offset == bytes.count }

  private var malformed: Malformed { Malformed(offset: offset) }

  @inline(__always)
  private var peek: UInt8 { offset < bytes.count ? bytes[offset] : 0 }

  /// Passes a text if it is next.
  @inline(__always)
  mutating func skip(_ text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard bytes.count - offset >= count else { return false }
    let start = text.utf8Start
    for place in 0..<count where bytes[offset + place] != start[place] { return false }
    offset += count
    return true
  }

  /// Passes a text that must be next.
  @inline(__always)
  mutating func expect(_ text: StaticString) throws(Malformed) {
    guard skip(text) else { throw malformed }
  }

  // MARK: Values

  /// Any value.
  mutating func value(_ names: inout NameTable) throws(Malformed) -> JSON {
    switch peek {
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "{"): return .object(try object(&names))
    case UInt8(ascii: "["): return .array(try array(&names))
    case UInt8(ascii: "t"):
      try expect("true")
      return .bool(true)
    case UInt8(ascii: "f"):
      try expect("false")
      return .bool(false)
    case UInt8(ascii: "n"):
      try expect("null")
      return .null
    default: return .number(try number())
    }
  }

  /// An object: keys without repetition, sorted by UTF-16 code units.
  mutating func object(_ names: inout NameTable) throws(Malformed) -> JSONObject {
    try expect("{")
    if skip("}") { return JSONObject() }
    depth += 1
    guard depth <= JSON.maximumDepth else { throw malformed }
    var members: [JSONObject.Element] = []
    members.reserveCapacity(8)
    repeat {
      let key = try name(&names)
      if let last = members.last, !CanonicalWriter.precedes(last.key, key) { throw malformed }
      try expect(":")
      members.append((key, try value(&names)))
    } while skip(",")
    try expect("}")
    depth -= 1
    return JSONObject(unchecked: members, isSorted: true)
  }

  private mutating func array(_ names: inout NameTable) throws(Malformed) -> [JSON] {
    try expect("[")
    if skip("]") { return [] }
    depth += 1
    guard depth <= JSON.maximumDepth else { throw malformed }
    var elements: [JSON] = []
    repeat { elements.append(try value(&names)) } while skip(",")
    try expect("]")
    depth -= 1
    return elements
  }

  /// An integer of at most 2^53, as the envelope's own members are.
  mutating func integer() throws(Malformed) -> Int64 {
    guard let value = try number().int64, value.magnitude <= 1 << 53 else { throw malformed }
    return value
  }

  private mutating func number() throws(Malformed) -> JSONNumber {
    let start = offset
    let isNegative = skip("-")
    let first = offset
    var magnitude: Int64 = 0
    while peek &- 48 < 10, offset - first < 17 {
      magnitude = magnitude &* 10 &+ Int64(peek &- 48)
      offset += 1
    }
    let digits = offset - first
    guard digits > 0 else { throw malformed }
    let byte = peek
    let goesOn = byte &- 48 < 10 || byte == UInt8(ascii: ".") || byte | 0x20 == UInt8(ascii: "e")
    if !goesOn, magnitude <= 1 << 53 {
      let hasZero = bytes[first] == UInt8(ascii: "0")
      guard !hasZero || (digits == 1 && !isNegative) else { throw malformed }
      return JSONNumber(isNegative ? -magnitude : magnitude)
    }
    return try otherNumber(from: start)
  }

  /// A number that is large or no integer: canonical when it is what would be written for its value.
  private mutating func otherNumber(from start: Int) throws(Malformed) -> JSONNumber {
    offset = start
    while true {
      let byte = peek
      guard
        byte &- 48 < 10 || byte == UInt8(ascii: ".") || byte | 0x20 == UInt8(ascii: "e") || byte == UInt8(ascii: "+")
          || byte == UInt8(ascii: "-")
      else { break }
      offset += 1
    }
    let text = bytes[start..<offset]
    guard let number = JSONNumber(decimal: String(decoding: text, as: UTF8.self)), number.double.isFinite,
      let canonical = try? JSON.number(number).canonicalBytes(), canonical.elementsEqual(text)
    else { throw Malformed(offset: start) }
    return number
  }

  // MARK: Strings

  /// A string.
  mutating func string() throws(Malformed) -> String {
    let (content, isPlain, isASCII) = try content()
    if isPlain { return try text(content, isASCII) }
    return try unescaped(content)
  }

  /// A string that comes again and again, such as a key.
  mutating func name(_ names: inout NameTable) throws(Malformed) -> String {
    let (content, isPlain, isASCII) = try content()
    guard isPlain else { return try unescaped(content) }
    if content.count > 15, let known = names.find(UnsafeBufferPointer(rebasing: bytes[content])) { return known }
    let fresh = try text(content, isASCII)
    if content.count > 15 { names.add(fresh) }
    return fresh
  }

  private func text(_ content: Range<Int>, _ isASCII: Bool) throws(Malformed) -> String {
    let buffer = UnsafeBufferPointer(rebasing: bytes[content])
    if isASCII { return String(unsafeUninitializedCapacity: buffer.count) { $0.update(fromContentsOf: buffer) } }
    guard let text = String(validating: buffer, as: UTF8.self) else { throw malformed }
    return text
  }

  /// Where a string's content lies; passes the quotes.
  private mutating func content() throws(Malformed) -> (content: Range<Int>, isPlain: Bool, isASCII: Bool) {
    try expect("\"")
    let start = offset
    var isPlain = true
    var all: UInt8 = 0
    while offset < bytes.count {
      if let plain = plainWord {
        all |= plain
        offset += 8
        continue
      }
      let byte = bytes[offset]
      if byte == UInt8(ascii: "\"") {
        offset += 1
        return (start..<(offset - 1), isPlain, all < 0x80)
      }
      if byte == UInt8(ascii: "\\") {
        isPlain = false
        offset += 1
      } else if byte < 0x20 {
        throw malformed
      }
      all |= byte
      offset += 1
    }
    throw malformed
  }

  /// The next eight bytes' high bits, where none of the eight ends a string, escapes or is a control character.
  @inline(__always)
  private var plainWord: UInt8? {
    guard offset + 8 <= bytes.count else { return nil }
    let ones: UInt64 = 0x0101_0101_0101_0101
    let high: UInt64 = 0x8080_8080_8080_8080
    let word = UnsafeRawBufferPointer(bytes).loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    // A byte that is zero borrows from its high bit.
    let (quote, escape, control) = (word ^ ones &* 0x22, word ^ ones &* 0x5c, word & (ones &* 0xe0))
    let ends = (quote &- ones) & ~quote | (escape &- ones) & ~escape | (control &- ones) & ~control
    guard ends & high == 0 else { return nil }
    return word & high == 0 ? 0 : 0x80
  }

  /// The value of a string with escapes, each of which must be needed and in its one form.
  private func unescaped(_ content: Range<Int>) throws(Malformed) -> String {
    var out: [UInt8] = []
    out.reserveCapacity(content.count)
    var place = content.lowerBound
    while place < content.upperBound {
      let byte = bytes[place]
      place += 1
      guard byte == UInt8(ascii: "\\") else {
        out.append(byte)
        continue
      }
      let escape = bytes[place]
      place += 1
      switch escape {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): out.append(escape)
      case UInt8(ascii: "b"): out.append(0x08)
      case UInt8(ascii: "t"): out.append(0x09)
      case UInt8(ascii: "n"): out.append(0x0a)
      case UInt8(ascii: "f"): out.append(0x0c)
      case UInt8(ascii: "r"): out.append(0x0d)
      case UInt8(ascii: "u"):
        guard place + 4 <= content.upperBound, bytes[place] == 48, bytes[place + 1] == 48, let high = Self.digit(bytes[place + 2]),
          let low = Self.digit(bytes[place + 3])
        else { throw malformed }
        let value = high << 4 | low
        guard value < 0x20, ![0x08, 0x09, 0x0a, 0x0c, 0x0d].contains(value) else { throw malformed }
        out.append(value)
        place += 4
      default: throw malformed
      }
    }
    guard let text = String(validating: out, as: UTF8.self) else { throw malformed }
    return text
  }

  /// The value of a lower-case hexadecimal digit.
  @inline(__always)
  private static func digit(_ byte: UInt8) -> UInt8? {
    if byte &- 48 < 10 { return byte - 48 }
    if byte &- 97 < 6 { return byte - 87 }
    return nil
  }

  /// A string of 64 hexadecimal digits.
  mutating func digest() throws(Malformed) -> Digest {
    try expect("\"")
    guard bytes.count - offset >= 65, bytes[offset + 64] == UInt8(ascii: "\"") else { throw malformed }
    let digits = UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[offset..<(offset + 64)]))
    guard let digest = Digest(hexDigits: digits) else { throw malformed }
    offset += 65
    return digest
  }
}

/// A small table of texts seen before, so that equal names share one object.
struct NameTable {
  private var slots = [String](repeating: "", count: 1024)

  init() {}

  /// A text with these bytes, if one was added lately.
  func find(_ utf8: UnsafeBufferPointer<UInt8>) -> String? {
    let slot = slots[Self.place(utf8)]
    guard slot.utf8.count == utf8.count else { return nil }
    let isSame = slot.utf8.withContiguousStorageIfAvailable { known in
      for place in 0..<known.count where known[place] != utf8[place] { return false }
      return true
    }
    return isSame == true ? slot : nil
  }

  mutating func add(_ text: String) {
    var text = text
    let place = text.withUTF8 { Self.place($0) }
    slots[place] = text
  }

  private static func place(_ utf8: UnsafeBufferPointer<UInt8>) -> Int {
    // The ends of names differ more than their beginnings.
    var hash = UInt64(utf8.count)
    for byte in utf8.suffix(12) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return Int(truncatingIfNeeded: hash ^ hash >> 23) & 1023
  }
}
