internal import Glibc

/// Reads RFC 8785 bytes and nothing else: what is accepted here is exactly what ``CanonicalWriter`` writes.
///
/// A parser for any JSON would accept more and cost more; a property test compares the two. Values are not made but noted: where each lies,
/// as a list of ``CanonicalNode``s.
@_spi(JSONParser)
public struct CanonicalReader: ~Copyable {
  /// Why bytes are not canonical JSON.
  public struct Malformed: Error {
    /// Where they are not.
    public let offset: Int

    /// Names a place.
    public init(offset: Int) { self.offset = offset }
  }

  let bytes: UnsafeBufferPointer<UInt8>
  private let list: UnsafeMutableBufferPointer<CanonicalNode>
  private var count = 0
  /// Where the next value is read.
  public private(set) var offset = 0
  private var depth = 0

  /// A reader over memory that the caller holds, at most 4 GB; `list` has room for what it notes.
  public init(_ bytes: UnsafeRawBufferPointer, _ list: UnsafeMutableBufferPointer<CanonicalNode>) {
    precondition(bytes.count <= Int(UInt32.max), "canonical JSON is at most 4 GB long")
    self.bytes = bytes.bindMemory(to: UInt8.self)
    self.list = list
  }

  /// For how many nodes there must be room, whatever the bytes are.
  ///
  /// Each node takes a byte. All but those of open containers take one more, such as a comma, a quote or a bracket.
  public static func capacity(for count: Int) -> Int { min(count, count / 2 + JSON.maximumDepth) + 1 }

  /// What was noted so far.
  var noted: CanonicalNodes { CanonicalNodes(bytes: bytes, nodes: UnsafeBufferPointer(rebasing: list[..<count])) }

  /// Whether everything was read.
  public var isAtEnd: Bool { offset == bytes.count }

  private var malformed: Malformed { Malformed(offset: offset) }

  @inline(__always)
  private var peek: UInt8 { offset < bytes.count ? bytes[offset] : 0 }

  /// Passes a text if it is next.
  public mutating func skip(_ text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard bytes.count - offset >= count else { return false }
    guard let base = bytes.baseAddress, memcmp(base + offset, text.utf8Start, count) == 0 else { return false }
    offset += count
    return true
  }

  /// Passes a text that must be next.
  public mutating func expect(_ text: StaticString) throws(Malformed) {
    guard skip(text) else { throw malformed }
  }

  /// Passes a byte if it is next; never 0.
  @inline(__always)
  private mutating func skip(_ byte: UInt8) -> Bool {
    guard peek == byte else { return false }
    offset += 1
    return true
  }

  @inline(__always)
  private mutating func expect(_ byte: UInt8) throws(Malformed) {
    guard skip(byte) else { throw malformed }
  }

  // MARK: Values

  /// Notes any value, behind those that were noted before.
  public mutating func value() throws(Malformed) {
    switch peek {
    case UInt8(ascii: "\""): try string()
    case UInt8(ascii: "{"): try object()
    case UInt8(ascii: "["): try array()
    case UInt8(ascii: "t"): try word("true", .yes)
    case UInt8(ascii: "f"): try word("false", .no)
    case UInt8(ascii: "n"): try word("null", .null)
    default:
      let start = offset
      _ = try number()
      note(.number, start..<offset)
    }
  }

  /// Notes an object: keys without repetition, sorted by UTF-16 code units.
  public mutating func object() throws(Malformed) {
    let place = try begin(UInt8(ascii: "{"), .object)
    if !skip(UInt8(ascii: "}")) {
      var last = -1
      repeat {
        let key = count
        try string()
        if last >= 0, !precedes(list[last], list[key]) { throw malformed }
        last = key
        try expect(UInt8(ascii: ":"))
        try value()
      } while skip(UInt8(ascii: ","))
      try expect(UInt8(ascii: "}"))
    }
    end(place)
  }

  private mutating func array() throws(Malformed) {
    let place = try begin(UInt8(ascii: "["), .array)
    if !skip(UInt8(ascii: "]")) {
      repeat { try value() } while skip(UInt8(ascii: ","))
      try expect(UInt8(ascii: "]"))
    }
    end(place)
  }

  private mutating func begin(_ bracket: UInt8, _ kind: CanonicalNode.Kind) throws(Malformed) -> Int {
    try expect(bracket)
    depth += 1
    guard depth <= JSON.maximumDepth else { throw malformed }
    note(kind, offset..<offset)
    return count - 1
  }

  private mutating func end(_ place: Int) {
    depth -= 1
    list[place].next = UInt32(truncatingIfNeeded: count)
  }

  private mutating func word(_ word: StaticString, _ kind: CanonicalNode.Kind) throws(Malformed) {
    let start = offset
    try expect(word)
    note(kind, start..<offset)
  }

  @inline(__always)
  private mutating func note(_ kind: CanonicalNode.Kind, _ range: Range<Int>) {
    precondition(count < list.count)
    list[count] = CanonicalNode(
      start: UInt32(truncatingIfNeeded: range.lowerBound), end: UInt32(truncatingIfNeeded: range.upperBound),
      next: UInt32(truncatingIfNeeded: count + 1), kind: kind)
    count += 1
  }

  /// RFC 8785 sorts keys by UTF-16 code units; see ``CanonicalWriter/precedes(_:_:)``.
  private func precedes(_ a: CanonicalNode, _ b: CanonicalNode) -> Bool {
    if a.kind != .escaped, b.kind != .escaped {
      let (first, second) = (UnsafeBufferPointer(rebasing: bytes[a.range]), UnsafeBufferPointer(rebasing: bytes[b.range]))
      if let order = CanonicalWriter.precedes(first, second) { return order }
    }
    return CanonicalWriter.precedes(a.string(in: bytes), b.string(in: bytes))
  }

  /// An integer of at most 2^53, as the envelope's own members are.
  public mutating func integer() throws(Malformed) -> Int64 {
    guard let value = try number().int64, value.magnitude <= 1 << 53 else { throw malformed }
    return value
  }

  private mutating func number() throws(Malformed) -> JSONNumber {
    let start = offset
    let isNegative = skip(UInt8(ascii: "-"))
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

  /// Notes a string.
  private mutating func string() throws(Malformed) {
    let (content, isPlain, isASCII) = try content()
    if isPlain, isASCII { return note(.ascii, content) }
    _ = try text(content, isPlain)
    note(isPlain ? .text : .escaped, content)
  }

  /// A string that comes again and again, such as a media type.
  public mutating func name(_ names: inout NameTable) throws(Malformed) -> String {
    let (content, isPlain, isASCII) = try content()
    guard isPlain, isASCII else { return try text(content, isPlain) }
    return names.text(UnsafeBufferPointer(rebasing: bytes[content]))
  }

  /// The value of a string that is not known to be valid.
  private func text(_ content: Range<Int>, _ isPlain: Bool) throws(Malformed) -> String {
    let buffer = UnsafeBufferPointer(rebasing: bytes[content])
    guard let text = isPlain ? String(validating: buffer, as: UTF8.self) : Self.unescaped(buffer) else { throw malformed }
    return text
  }

  /// Where a string's content lies; passes the quotes.
  private mutating func content() throws(Malformed) -> (content: Range<Int>, isPlain: Bool, isASCII: Bool) {
    try expect(UInt8(ascii: "\""))
    let start = offset
    var isPlain = true
    var all: UInt64 = 0
    while true {
      all |= passPlain()
      guard offset < bytes.count else { throw malformed }
      switch bytes[offset] {
      case UInt8(ascii: "\""):
        offset += 1
        return (start..<(offset - 1), isPlain, all & 0x8080_8080_8080_8080 == 0)
      case UInt8(ascii: "\\"):
        // What follows is part of the escape, also where it is a quote.
        isPlain = false
        offset += 2
      default: throw malformed
      }
    }
  }

  /// Passes what neither ends a string nor escapes nor is a control character, eight bytes at a time.
  ///
  /// - Returns: The bytes that were passed, one above the other.
  @inline(__always)
  private mutating func passPlain() -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    var all: UInt64 = 0
    while offset + 8 <= bytes.count {
      let word = UInt64(littleEndian: UnsafeRawBufferPointer(bytes).loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      // A byte that is zero borrows from its high bit; only above the first such byte can the bits be wrong.
      let (quote, escape, control) = (word ^ ones &* 0x22, word ^ ones &* 0x5c, word & (ones &* 0xe0))
      let ends = ((quote &- ones) & ~quote | (escape &- ones) & ~escape | (control &- ones) & ~control) & (ones &* 0x80)
      if ends != 0 {
        let count = ends.trailingZeroBitCount >> 3
        offset += count
        return all | word & ~(UInt64.max << UInt64(8 * count))
      }
      all |= word
      offset += 8
    }
    while offset < bytes.count, bytes[offset] >= 0x20, bytes[offset] != UInt8(ascii: "\""), bytes[offset] != UInt8(ascii: "\\") {
      all |= UInt64(bytes[offset])
      offset += 1
    }
    return all
  }

  /// The value of a string with escapes; nil unless each of them is needed and in its one form.
  static func unescaped(_ bytes: UnsafeBufferPointer<UInt8>) -> String? {
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count)
    var place = 0
    while place < bytes.count {
      let byte = bytes[place]
      place += 1
      guard byte == UInt8(ascii: "\\") else {
        out.append(byte)
        continue
      }
      guard place < bytes.count else { return nil }
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
        guard place + 4 <= bytes.count, bytes[place] == 48, bytes[place + 1] == 48, let high = digit(bytes[place + 2]),
          let low = digit(bytes[place + 3])
        else { return nil }
        let value = high << 4 | low
        guard value < 0x20, ![0x08, 0x09, 0x0a, 0x0c, 0x0d].contains(value) else { return nil }
        out.append(value)
        place += 4
      default: return nil
      }
    }
    return String(validating: out, as: UTF8.self)
  }

  /// The value of a lower-case hexadecimal digit.
  @inline(__always)
  private static func digit(_ byte: UInt8) -> UInt8? {
    if byte &- 48 < 10 { return byte - 48 }
    if byte &- 97 < 6 { return byte - 87 }
    return nil
  }

  /// A string of 64 hexadecimal digits.
  public mutating func digest() throws(Malformed) -> Digest {
    try expect(UInt8(ascii: "\""))
    guard bytes.count - offset >= 65, bytes[offset + 64] == UInt8(ascii: "\"") else { throw malformed }
    let digits = UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[offset..<(offset + 64)]))
    guard let digest = Digest(hexDigits: digits) else { throw malformed }
    offset += 65
    return digest
  }
}

/// A small table of texts seen before, so that equal names share one object.
@_spi(JSONParser)
public struct NameTable: Sendable {
  private var slots: [String]

  /// An empty table.
  public init() { slots = [String](repeating: "", count: 1024) }

  /// A table that keeps nothing.
  static var none: NameTable { NameTable(slots: []) }

  private init(slots: [String]) { self.slots = slots }

  /// A text with these bytes, which are UTF-8: the same object as the last one, where it is a longer one and was met lately.
  public mutating func text(_ utf8: UnsafeBufferPointer<UInt8>) -> String {
    if utf8.count <= 15 || slots.isEmpty { return String(ascii: utf8) }
    let place = Self.place(utf8)
    let known = slots[place]
    if known.utf8.count == utf8.count, known.utf8.withContiguousStorageIfAvailable({ same($0, utf8) }) == true { return known }
    let fresh = String(decoding: utf8, as: UTF8.self)
    slots[place] = fresh
    return fresh
  }

  private static func place(_ utf8: UnsafeBufferPointer<UInt8>) -> Int {
    // The ends of names differ more than their beginnings.
    var hash = UInt64(utf8.count)
    for byte in utf8.suffix(12) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return Int(truncatingIfNeeded: hash ^ hash >> 23) & 1023
  }
}
