/// Writes RFC 8785 bytes (JSON Canonicalization Scheme) into one buffer that can be used again and again.
///
/// Confined to one thread at a time.
public final class CanonicalWriter {
  /// The buffer and what is in it, behind a pointer: a property of a class is checked for overlapping access each time it is touched.
  private struct Buffer {
    var base: UnsafeMutablePointer<UInt8>
    var capacity: Int
    var count = 0
  }

  private let buffer: UnsafeMutablePointer<Buffer>
  /// The number of bytes written.
  @inline(__always)
  public var count: Int { buffer.pointee.count }

  /// Makes an empty buffer.
  public init(capacity: Int = 4096) {
    buffer = .allocate(capacity: 1)
    buffer.initialize(to: Buffer(base: .allocate(capacity: capacity), capacity: capacity))
  }

  deinit {
    buffer.pointee.base.deallocate()
    buffer.deallocate()
  }

  /// What was written; valid until the next write.
  @inline(__always)
  public var written: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: buffer.pointee.base, count: buffer.pointee.count) }

  /// A copy of what was written.
  public var bytes: [UInt8] { [UInt8](written) }

  /// Forgets what was written.
  @inline(__always)
  public func reset() { buffer.pointee.count = 0 }

  /// Where the next byte goes, with room for so many.
  @inline(__always)
  private func reserve(_ more: Int) -> UnsafeMutablePointer<UInt8> {
    if buffer.pointee.count + more > buffer.pointee.capacity { grow(more) }
    return buffer.pointee.base + buffer.pointee.count
  }

  @inline(never)
  private func grow(_ more: Int) {
    let larger = max(buffer.pointee.capacity * 2, buffer.pointee.count + more)
    let fresh = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
    fresh.update(from: buffer.pointee.base, count: buffer.pointee.count)
    buffer.pointee.base.deallocate()
    buffer.pointee.base = fresh
    buffer.pointee.capacity = larger
  }

  /// Writes one byte as it is.
  @inline(__always)
  public func byte(_ byte: UInt8) {
    reserve(1).pointee = byte
    buffer.pointee.count += 1
  }

  /// Writes text as it is.
  @inline(__always)
  public func raw(_ text: StaticString) {
    let length = text.utf8CodeUnitCount
    reserve(length).update(from: text.utf8Start, count: length)
    buffer.pointee.count += length
  }

  /// Writes a number; canonical up to 2^53.
  public func integer(_ value: Int64) {
    var target = reserve(20)
    var magnitude = value.magnitude
    if value < 0 {
      target.pointee = UInt8(ascii: "-")
      target += 1
    }
    var digits = 1
    var bound: UInt64 = 10
    while digits < 20, magnitude >= bound {
      digits += 1
      if digits < 20 { bound = bound &* 10 }
    }
    var place = digits
    repeat {
      place -= 1
      let (quotient, digit) = magnitude.quotientAndRemainder(dividingBy: 10)
      target[place] = UInt8(truncatingIfNeeded: digit) &+ 48
      magnitude = quotient
    } while magnitude > 0
    buffer.pointee.count += digits + (value < 0 ? 1 : 0)
  }

  /// Writes the 64 hexadecimal digits of a digest.
  public func hex(_ digest: Digest) {
    var target = reserve(64)
    digest.withBytes { source in
      for byte in source {
        target[0] = Self.digit(byte >> 4)
        target[1] = Self.digit(byte & 15)
        target += 2
      }
    }
    buffer.pointee.count += 64
  }

  @inline(__always)
  private static func digit(_ value: UInt8) -> UInt8 { value &+ (value < 10 ? 48 : 87) }

  /// Writes a string literal with the escapes of RFC 8785, section 3.2.2.2.
  public func string(_ text: String) {
    var text = text
    text.withUTF8 { utf8 in
      let target = reserve(6 * utf8.count + 2)
      target.pointee = UInt8(ascii: "\"")
      var plain = true
      for byte in utf8 where byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { plain = false }
      if plain {
        if let start = utf8.baseAddress { (target + 1).update(from: start, count: utf8.count) }
        target[utf8.count + 1] = UInt8(ascii: "\"")
        buffer.pointee.count += utf8.count + 2
      } else {
        buffer.pointee.count += 1
        escaped(utf8)
        byte(UInt8(ascii: "\""))
      }
    }
  }

  private func escaped(_ utf8: UnsafeBufferPointer<UInt8>) {
    for byte in utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        self.byte(UInt8(ascii: "\\"))
        self.byte(byte)
      case 0x08: raw("\\b")
      case 0x09: raw("\\t")
      case 0x0a: raw("\\n")
      case 0x0c: raw("\\f")
      case 0x0d: raw("\\r")
      case 0..<0x20:
        raw("\\u00")
        self.byte(Self.digit(byte >> 4))
        self.byte(Self.digit(byte & 15))
      default: self.byte(byte)
      }
    }
  }

  /// Writes a value.
  ///
  /// - Parameters:
  ///   - json: The value.
  ///   - rounding: Whether a number becomes the nearest double, as RFC 8785 itself has it for any JSON text.
  /// - Throws: ``NotRepresentable`` where a number's exact value is not that of its shortest double, unless `rounding` is set; a part
  ///   of the value is then written.
  /// - Complexity: O(n log n) for n bytes, for the sorting of keys.
  public func value(_ json: JSON, rounding: Bool = false) throws(NotRepresentable) {
    switch json {
    case .null: raw("null")
    case .bool(let value): if value { raw("true") } else { raw("false") }
    case .number(let number):
      if let small = number.int64, small.magnitude <= 1 << 53 {
        integer(small)
      } else {
        for byte in try number.canonicalText(rounding: rounding).utf8 { self.byte(byte) }
      }
    case .string(let text): string(text)
    case .array(let elements):
      byte(UInt8(ascii: "["))
      for place in 0..<elements.count {
        if place > 0 { byte(UInt8(ascii: ",")) }
        try value(elements[place], rounding: rounding)
      }
      byte(UInt8(ascii: "]"))
    case .object(let object): try self.object(object, rounding: rounding)
    }
  }

  /// Writes an object; see ``value(_:rounding:)``.
  public func object(_ object: JSONObject, rounding: Bool = false) throws(NotRepresentable) {
    byte(UInt8(ascii: "{"))
    if object.isKnownSorted || Self.isSorted(object) {
      for place in 0..<object.count { try member(object[place], first: place == 0, rounding) }
    } else {
      let sorted = object.sorted { Self.precedes($0.key, $1.key) }
      for place in 0..<sorted.count { try member(sorted[place], first: place == 0, rounding) }
    }
    byte(UInt8(ascii: "}"))
  }

  @inline(__always)
  private func member(_ member: JSONObject.Element, first: Bool, _ rounding: Bool) throws(NotRepresentable) {
    if !first { byte(UInt8(ascii: ",")) }
    string(member.key)
    byte(UInt8(ascii: ":"))
    try value(member.value, rounding: rounding)
  }

  private static func isSorted(_ object: JSONObject) -> Bool {
    var place = 1
    while place < object.count {
      if !precedes(object[place - 1].key, object[place].key) { return false }
      place += 1
    }
    return true
  }

  /// RFC 8785 sorts keys by UTF-16 code units, which differs from byte order only above U+FFFF.
  public static func precedes(_ a: String, _ b: String) -> Bool {
    var a = a
    var b = b
    let byBytes = a.withUTF8 { first in b.withUTF8 { second in precedes(first, second) } }
    return byBytes ?? a.utf16.lexicographicallyPrecedes(b.utf16)
  }

  /// The order of two keys by their bytes; nil where these do not decide.
  static func precedes(_ first: UnsafeBufferPointer<UInt8>, _ second: UnsafeBufferPointer<UInt8>) -> Bool? {
    var place = 0
    let shared = min(first.count, second.count)
    while place < shared, first[place] == second[place] { place += 1 }
    guard place < shared else { return first.count < second.count }
    // Only where both of the differing bytes belong to characters beyond ASCII can the two orders differ.
    return first[place] < 0x80 || second[place] < 0x80 ? first[place] < second[place] : nil
  }
}
