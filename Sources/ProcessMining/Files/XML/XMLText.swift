/// What XML says of bytes: which text can hold, which a name can, and what a reference stands for.
enum XMLText {
  /// The first place from which on a byte is a quote, `<`, `&`, below the space, or not ASCII.
  ///
  /// Eight bytes at a time, so eight must be readable behind the place; a zero stops it.
  @inline(__always)
  static func skipPlain(_ bytes: UnsafeMutablePointer<UInt8>, _ start: Int, quote: UInt8) -> Int {
    let (ones, highs) = (0x0101_0101_0101_0101 as UInt64, 0x8080_8080_8080_8080 as UInt64)
    let quotes = ones &* UInt64(quote)
    var place = start
    while true {
      let word = UInt64(littleEndian: UnsafeRawPointer(bytes + place).loadUnaligned(as: UInt64.self))
      // A byte that is equal becomes zero; taking one off a zero sets its highest bit. Borrows only reach bytes behind the first hit.
      let (q, l, a) = (word ^ quotes, word ^ (ones &* 0x3C), word ^ (ones &* 0x26))
      let hits =
        (((q &- ones) & ~q) | ((l &- ones) & ~l) | ((a &- ones) & ~a) | ((word &- (ones &* 0x20)) & ~word) | word) & highs
      if hits != 0 { return place + hits.trailingZeroBitCount / 8 }
      place += 8
    }
  }

  /// The first place from which on a byte is no ASCII letter; eight must be readable behind the place, and a zero stops it.
  @inline(__always)
  static func skipLetters(_ bytes: UnsafeMutablePointer<UInt8>, _ start: Int) -> Int {
    let (ones, highs) = (0x0101_0101_0101_0101 as UInt64, 0x8080_8080_8080_8080 as UInt64)
    var place = start
    while true {
      let word = UInt64(littleEndian: UnsafeRawPointer(bytes + place).loadUnaligned(as: UInt64.self))
      let small = (word | ones &* 0x20) & ~highs
      // The highest bit of a byte: at least `a`, and not beyond `z`. No sum reaches into the next byte.
      let letters = (small &+ ones &* 0x1F) & ~(small &+ ones &* 0x05) & ~word & highs
      if letters != highs { return place + (letters ^ highs).trailingZeroBitCount / 8 }
      place += 8
    }
  }

  /// How many line feeds there are.
  static func countLines(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
    guard let start = bytes.baseAddress else { return 0 }
    let (ones, low) = (0x0101_0101_0101_0101 as UInt64, 0x7F7F_7F7F_7F7F_7F7F as UInt64)
    var (lines, place) = (0, 0)
    while place + 8 <= bytes.count {
      // Up to 255 sums of eight bytes at once, none of which can overflow.
      let end = min(bytes.count - 7, place + 8 * 255)
      var sums: UInt64 = 0
      while place < end {
        let word = UnsafeRawPointer(start + place).loadUnaligned(as: UInt64.self) ^ ones &* 0x0A
        // One in each byte that is zero now, and in no other.
        sums &+= (~(((word & low) &+ low) | word | low)) &>> 7
        place &+= 8
      }
      for byte in 0..<8 { lines += Int(sums &>> UInt64(byte * 8) & 0xFF) }
    }
    while place < bytes.count {
      if start[place] == 0x0A { lines += 1 }
      place += 1
    }
    return lines
  }

  /// Whether bytes are an ASCII text.
  @inline(__always)
  static func isSame(_ bytes: UnsafeBufferPointer<UInt8>, _ text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard bytes.count == count, let start = bytes.baseAddress else { return bytes.count == count }
    return Names.same(start, text.utf8Start, count)
  }

  /// Where the first byte is that begins no character of XML in UTF-8; nil where all is well.
  ///
  /// - SeeAlso: XML 1.0, production 2; RFC 3629.
  static func firstBadByte(_ bytes: UnsafeBufferPointer<UInt8>) -> Int? {
    var place = 0
    while place < bytes.count {
      let byte = bytes[place]
      if byte < 0x80 {
        if byte < 0x20, !isSpace(byte) { return place }
        place += 1
      } else {
        guard let (scalar, length) = scalar(bytes, place), scalar != 0xFFFE, scalar != 0xFFFF else { return place }
        place += length
      }
    }
    return nil
  }

  /// Where the first byte is that no name can hold; ASCII is taken to be well.
  ///
  /// - SeeAlso: XML 1.0, productions 4 and 4a.
  static func firstBadNameByte(_ bytes: UnsafeBufferPointer<UInt8>) -> Int? {
    var place = 0
    while place < bytes.count {
      if bytes[place] < 0x80 {
        place += 1
        continue
      }
      guard let (scalar, length) = scalar(bytes, place), isName(scalar, isFirst: place == 0) else { return place }
      place += length
    }
    return nil
  }

  private static func isName(_ scalar: UInt32, isFirst: Bool) -> Bool {
    switch scalar {
    case 0xC0...0xD6, 0xD8...0xF6, 0xF8...0x2FF, 0x370...0x37D, 0x37F...0x1FFF, 0x200C...0x200D, 0x2070...0x218F, 0x2C00...0x2FEF,
      0x3001...0xD7FF, 0xF900...0xFDCF, 0xFDF0...0xFFFD, 0x10000...0xEFFFF:
      true
    case 0xB7, 0x300...0x36F, 0x203F...0x2040: !isFirst
    default: false
    }
  }

  /// The character that begins at a place with a byte beyond ASCII, and its length; nil for what is not UTF-8.
  private static func scalar(_ bytes: UnsafeBufferPointer<UInt8>, _ place: Int) -> (UInt32, Int)? {
    let first = bytes[place]
    let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
    guard first >= 0xC2, first <= 0xF4, place + length <= bytes.count else { return nil }
    var value = UInt32(first & (0x7F >> UInt8(length)))
    for offset in 1..<length {
      guard bytes[place + offset] & 0xC0 == 0x80 else { return nil }
      value = value << 6 | UInt32(bytes[place + offset] & 0x3F)
    }
    let isShortest = length == 2 || (length == 3 ? value >= 0x800 : value >= 0x10000)
    guard isShortest, value <= 0x10FFFF, !(0xD800...0xDFFF).contains(value) else { return nil }
    return (value, length)
  }

  /// Resolves references and line ends.
  ///
  /// - Parameters:
  ///   - bytes: Text as the file has it, valid UTF-8.
  ///   - isValue: Whether it is an attribute's value, in which white space becomes spaces.
  ///   - result: Where the text is appended.
  /// - Returns: The place of a reference that means nothing; nil where all is well.
  static func decode(_ bytes: UnsafeBufferPointer<UInt8>, isValue: Bool, into result: inout [UInt8]) -> Int? {
    var place = 0
    while place < bytes.count {
      let byte = bytes[place]
      switch byte {
      case UInt8(ascii: "&"):
        // The longest reference is `&#x10FFFF;`, leading zeros apart.
        guard let end = bytes[place..<min(bytes.count, place + 32)].firstIndex(of: UInt8(ascii: ";")),
          let text = character(String(decoding: bytes[(place + 1)..<end], as: UTF8.self))
        else { return place }
        result.append(contentsOf: text.utf8)
        place = end
      case 0x0D:
        if place + 1 < bytes.count, bytes[place + 1] == 0x0A { place += 1 }
        result.append(isValue ? 0x20 : 0x0A)
      case 0x0A, 0x09: result.append(isValue ? 0x20 : byte)
      default: result.append(byte)
      }
      place += 1
    }
    return nil
  }

  private static func character(_ reference: String) -> String? {
    switch reference {
    case "amp": return "&"
    case "lt": return "<"
    case "gt": return ">"
    case "quot": return "\""
    case "apos": return "'"
    default: break
    }
    guard reference.utf8.first == UInt8(ascii: "#") else { return nil }
    let isHex = reference.utf8.dropFirst().first == UInt8(ascii: "x")
    let digits = reference.dropFirst(isHex ? 2 : 1)
    guard let first = digits.utf8.first, first != UInt8(ascii: "+"), first != UInt8(ascii: "-"),
      let value = UInt32(digits, radix: isHex ? 16 : 10), let scalar = Unicode.Scalar(value), isCharacter(value)
    else { return nil }
    return String(Character(scalar))
  }

  private static func isCharacter(_ value: UInt32) -> Bool {
    value >= 0x20 ? value != 0xFFFE && value != 0xFFFF : value == 0x09 || value == 0x0A || value == 0x0D
  }

  /// Appends a text as the value of an attribute in double quotes would hold it.
  ///
  /// - Returns: False for a text that XML cannot hold in any form; what was appended until then stays.
  static func append(_ text: some Sequence<UInt8>, to result: inout [UInt8]) -> Bool {
    let start = result.count
    for byte in text {
      switch byte {
      case UInt8(ascii: "&"): result.append(contentsOf: "&amp;".utf8)
      case UInt8(ascii: "<"): result.append(contentsOf: "&lt;".utf8)
      case UInt8(ascii: ">"): result.append(contentsOf: "&gt;".utf8)
      case UInt8(ascii: "\""): result.append(contentsOf: "&quot;".utf8)
      case 0x09, 0x0A, 0x0D: result.append(contentsOf: "&#\(byte);".utf8)
      default: result.append(byte)
      }
    }
    return result[start...].withUnsafeBufferPointer { firstBadByte($0) == nil }
  }
}
