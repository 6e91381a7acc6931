import Core

/// Writes RFC 8785 bytes into one buffer that is used again and again.
///
/// The same bytes as `JSON.canonicalBytes()`, which a property test compares, without its temporary objects.
struct CanonicalWriter {
  var bytes: [UInt8] = []

  init() { bytes.reserveCapacity(1024) }

  @inline(__always)
  mutating func reset() { bytes.removeAll(keepingCapacity: true) }

  @inline(__always)
  mutating func raw(_ text: StaticString) {
    bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  mutating func integer(_ value: Int64) {
    var magnitude = value.magnitude
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    if magnitude < 10 {
      bytes.append(UInt8(truncatingIfNeeded: magnitude) + 48)
      return
    }
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
      var place = 20
      while magnitude > 0 {
        place -= 1
        digits[place] = UInt8(truncatingIfNeeded: magnitude % 10) + 48
        magnitude /= 10
      }
      bytes.append(contentsOf: UnsafeBufferPointer(rebasing: digits[place...]))
    }
  }

  mutating func hex(_ digest: Digest) {
    digest.withBytes { source in
      for byte in source {
        bytes.append(Self.digit(byte >> 4))
        bytes.append(Self.digit(byte & 15))
      }
    }
  }

  @inline(__always)
  private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? value + 48 : value + 87 }

  mutating func string(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    var text = text
    text.withUTF8 { utf8 in
      var plain = true
      for byte in utf8 where byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
        plain = false
        break
      }
      if plain { bytes.append(contentsOf: utf8) } else { escaped(utf8) }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  private mutating func escaped(_ utf8: UnsafeBufferPointer<UInt8>) {
    for byte in utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(byte)
      case 0x08: raw("\\b")
      case 0x09: raw("\\t")
      case 0x0a: raw("\\n")
      case 0x0c: raw("\\f")
      case 0x0d: raw("\\r")
      case 0..<0x20:
        raw("\\u00")
        bytes.append(Self.digit(byte >> 4))
        bytes.append(Self.digit(byte & 15))
      default: bytes.append(byte)
      }
    }
  }

  mutating func value(_ json: JSON) throws(NotRepresentable) {
    switch json {
    case .null: raw("null")
    case .bool(let value): if value { raw("true") } else { raw("false") }
    case .number(let number):
      if let small = number.int64, small.magnitude <= 1 << 53 { integer(small) } else { try json.appendCanonical(to: &bytes) }
    case .string(let text): string(text)
    case .array(let elements):
      bytes.append(UInt8(ascii: "["))
      var first = true
      for element in elements {
        if !first { bytes.append(UInt8(ascii: ",")) }
        first = false
        try value(element)
      }
      bytes.append(UInt8(ascii: "]"))
    case .object(let object): try self.object(object)
    }
  }

  mutating func object(_ object: JSONObject) throws(NotRepresentable) {
    bytes.append(UInt8(ascii: "{"))
    if Self.isSorted(object) {
      for place in 0..<object.count { try member(object[place], first: place == 0) }
    } else {
      let sorted = object.sorted { Self.precedes($0.key, $1.key) }
      for place in 0..<sorted.count { try member(sorted[place], first: place == 0) }
    }
    bytes.append(UInt8(ascii: "}"))
  }

  @inline(__always)
  private mutating func member(_ member: JSONObject.Element, first: Bool) throws(NotRepresentable) {
    if !first { bytes.append(UInt8(ascii: ",")) }
    string(member.key)
    bytes.append(UInt8(ascii: ":"))
    try value(member.value)
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
  static func precedes(_ a: String, _ b: String) -> Bool {
    var a = a
    var b = b
    let byBytes = a.withUTF8 { first in
      b.withUTF8 { second -> Bool? in
        var place = 0
        let shared = min(first.count, second.count)
        while place < shared, first[place] == second[place] { place += 1 }
        guard place < shared else { return first.count < second.count }
        // Only where one of the differing bytes begins (or continues) a character of 0xEE… or more can the two orders differ.
        return first[place] < 0x80 || second[place] < 0x80 ? first[place] < second[place] : nil
      }
    }
    return byBytes ?? a.utf16.lexicographicallyPrecedes(b.utf16)
  }
}
