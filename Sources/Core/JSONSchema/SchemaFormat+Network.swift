extension FormatReader {
  /// RFC 5321: a dot string or a quoted string, `@`, and a host name or an address in brackets.
  mutating func email() -> Bool {
    let start = index
    if take("\"") {
      while let byte = peek, byte != UInt8(ascii: "\"") {
        if byte == UInt8(ascii: "\\") { index += 1 }
        guard let quoted = peek, (0x20...0x7E).contains(quoted) else { return false }
        index += 1
      }
      guard take("\"") else { return false }
    } else {
      repeat {
        guard skip(while: { Self.isAlphanumeric($0) || Self.emailSigns.contains($0) }) > 0 else { return false }
      } while take(".")
    }
    guard index - start <= 64, take("@") else { return false }
    guard take("[") else { return hostname() }
    if bytes[index...].starts(with: "IPv6:".utf8) {
      index += 5
      return ipv6() && take("]")
    }
    return ipv4() && take("]")
  }

  private static let emailSigns = Array("!#$%&'*+-/=?^_`{|}~".utf8)

  /// RFC 1123: labels of letters, digits and inner hyphens, of up to 63 bytes each and 253 in all.
  mutating func hostname() -> Bool {
    guard bytes.count - index <= 253 else { return false }
    repeat {
      let start = index
      let length = skip { Self.isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
      guard (1...63).contains(length), bytes[start] != UInt8(ascii: "-"), bytes[index - 1] != UInt8(ascii: "-") else { return false }
      // Hyphens in the third and fourth place are kept for encoded labels, of which there is one kind.
      if length >= 4, bytes[start + 2] == UInt8(ascii: "-"), bytes[start + 3] == UInt8(ascii: "-") {
        guard isEncodedLabel(bytes[start..<index]) else { return false }
      }
    } while take(".")
    return true
  }

  /// Whether a label is Punycode.
  ///
  /// That is `xn--` and the encoding (RFC 3492) of a label that has something beyond ASCII, begins with no combining mark, and has no hyphens
  /// in the third and fourth place itself. The contextual rules of RFC 5892 are not checked.
  private func isEncodedLabel(_ label: ArraySlice<UInt8>) -> Bool {
    guard label.prefix(2).elementsEqual("xn".utf8, by: { $0 | 0x20 == $1 }), let decoded = Punycode.decode(label.dropFirst(4)) else {
      return false
    }
    guard decoded.contains(where: { $0 >= 0x80 }), let first = Unicode.Scalar(decoded[0]) else { return false }
    switch first.properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark: return false
    default: return !(decoded.count >= 4 && decoded[2] == 0x2D && decoded[3] == 0x2D)
    }
  }

  mutating func ipv4() -> Bool {
    for part in 0..<4 {
      if part > 0, !take(".") { return false }
      let start = index
      let digits = skip(while: Self.isDigit)
      guard (1...3).contains(digits), digits == 1 || bytes[start] != UInt8(ascii: "0") else { return false }
      guard bytes[start..<index].reduce(0, { $0 * 10 + Int($1 - 0x30) }) < 256 else { return false }
    }
    return true
  }

  /// RFC 4291, section 2.2; no zone.
  mutating func ipv6() -> Bool {
    var groups = 0
    var isShortened = false
    if peek == UInt8(ascii: ":") {
      guard take(":"), take(":") else { return false }
      isShortened = true
    }
    while let byte = peek, hexDigit(byte) != nil {
      let start = index
      let digits = skip { hexDigit($0) != nil }
      if peek == UInt8(ascii: ".") {
        index = start
        guard ipv4() else { return false }
        groups += 2
        break
      }
      guard digits <= 4 else { return false }
      groups += 1
      guard peek == UInt8(ascii: ":") else { break }
      index += 1
      if take(":") {
        if isShortened { return false }
        isShortened = true
      } else if peek.flatMap({ hexDigit($0) }) == nil {
        return false
      }
    }
    return isShortened ? groups <= 7 : groups == 8
  }

  /// RFC 3986.
  mutating func uri(mustBeAbsolute: Bool) -> Bool {
    let start = index
    var hasScheme = false
    if let first = peek, (first | 0x20) &- 0x61 < 26 {
      _ = skip { Self.isAlphanumeric($0) || $0 == 0x2B || $0 == 0x2D || $0 == 0x2E }
      hasScheme = take(":")
      if !hasScheme { index = start }
    }
    if mustBeAbsolute, !hasScheme { return false }
    if bytes[index...].starts(with: "//".utf8) {
      index += 2
      guard authority() else { return false }
      if let next = peek, next != UInt8(ascii: "/"), next != UInt8(ascii: "?"), next != UInt8(ascii: "#") { return false }
    } else if !hasScheme {
      // The first segment of a relative path has no colon, else it would be a scheme.
      let segment = bytes[index...].prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
      if segment.contains(UInt8(ascii: ":")) { return false }
    }
    guard characters("/:@") else { return false }
    if take("?"), !characters("/:@?") { return false }
    if take("#"), !characters("/:@?") { return false }
    return true
  }

  private mutating func authority() -> Bool {
    let end = bytes[index...].firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") } ?? bytes.count
    if bytes[index..<end].contains(UInt8(ascii: "@")) {
      guard characters(":"), take("@") else { return false }
    }
    if take("[") {
      if take("v") || take("V") {
        guard skip(while: { hexDigit($0) != nil }) > 0, take("."), skip(while: { Self.isUnreserved($0) || $0 == 0x3A }) > 0 else {
          return false
        }
      } else if !ipv6() {
        return false
      }
      guard take("]") else { return false }
    } else if !characters("") {
      return false
    }
    if take(":") { _ = skip(while: Self.isDigit) }
    return index == end
  }

  /// Consumes unreserved characters, sub-delimiters, escapes and the extra ones; false for a broken escape.
  private mutating func characters(_ extra: StaticString) -> Bool {
    let extra = extra.withUTF8Buffer { Array($0) }
    while let byte = peek {
      if byte == UInt8(ascii: "%") {
        guard index + 2 < bytes.count, hexDigit(bytes[index + 1]) != nil, hexDigit(bytes[index + 2]) != nil else { return false }
        index += 3
      } else if Self.isUnreserved(byte) || Self.subDelimiters.contains(byte) || extra.contains(byte) {
        index += 1
      } else {
        break
      }
    }
    return true
  }

  private static let subDelimiters = Array("!$&'()*+,;=".utf8)

  private static func isUnreserved(_ byte: UInt8) -> Bool {
    isAlphanumeric(byte) || byte == 0x2D || byte == 0x2E || byte == 0x5F || byte == 0x7E
  }
}

/// The encoding of Unicode labels in host names (RFC 3492).
enum Punycode {
  /// The code points; nil when the text is not Punycode.
  static func decode(_ text: ArraySlice<UInt8>) -> [UInt32]? {
    var output: [UInt32] = []
    var rest = text
    if let hyphen = text.lastIndex(of: UInt8(ascii: "-")) {
      output = text[..<hyphen].map(UInt32.init)
      rest = text[(hyphen + 1)...]
    }
    var (codePoint, position, bias) = (128, 0, 72)
    while !rest.isEmpty {
      let before = position
      var (weight, step) = (1, 36)
      while true {
        guard let byte = rest.popFirst() else { return nil }
        let digit: Int
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"): digit = Int(byte) - 97
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit = Int(byte) - 65
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = Int(byte) - 48 + 26
        default: return nil
        }
        position += digit * weight
        let threshold = min(max(step - bias, 1), 26)
        if digit < threshold { break }
        weight *= 36 - threshold
        step += 36
        guard position <= 1 << 40, weight <= 1 << 40 else { return nil }
      }
      let count = output.count + 1
      var delta = before == 0 ? (position - before) / 700 : (position - before) / 2
      delta += delta / count
      bias = 0
      while delta > 455 {
        delta /= 35
        bias += 36
      }
      bias += 36 * delta / (delta + 38)
      codePoint += position / count
      position %= count
      guard codePoint <= 0x10FFFF, !(0xD800...0xDFFF).contains(codePoint) else { return nil }
      output.insert(UInt32(codePoint), at: position)
      position += 1
    }
    return output
  }
}
