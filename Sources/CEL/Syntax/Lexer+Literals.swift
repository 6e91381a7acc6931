/// Strings and byte strings: `'…'`, `"…"`, triple-quoted, raw (`r`) and bytes (`b`, `br`).
extension Lexer {
  struct LiteralPrefix {
    var isRaw = false
    var isBytes = false
    /// Bytes before the first quote.
    var length = 0
  }

  /// The prefix of the literal that begins here, or nil where none begins.
  func literalPrefix() -> LiteralPrefix? {
    var prefix = LiteralPrefix()
    if byte() | 0x20 == UInt8(ascii: "b") {
      prefix.isBytes = true
      prefix.length = 1
    }
    if byte(prefix.length) | 0x20 == UInt8(ascii: "r") {
      prefix.isRaw = true
      prefix.length += 1
    }
    let quote = byte(prefix.length)
    return quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") ? prefix : nil
  }

  mutating func literal(_ prefix: LiteralPrefix) throws(SyntaxError) -> Token.Kind {
    let start = place
    place += prefix.length
    let quote = byte()
    let isTriple = byte(1) == quote && byte(2) == quote
    place += isTriple ? 3 : 1
    var content: [UInt8] = []
    while true {
      guard !isAtEnd else { throw SyntaxError(offset: start, message: "the string has no closing quote") }
      let current = byte()
      if current == quote {
        if !isTriple {
          place += 1
          break
        }
        if byte(1) == quote, byte(2) == quote {
          place += 3
          break
        }
      }
      if !isTriple, current == 0x0A || current == 0x0D {
        throw SyntaxError(
          offset: start, message: "the string has no closing quote on its line", hint: "use triple quotes for several lines")
      }
      if current == UInt8(ascii: "\\"), !prefix.isRaw {
        try escape(into: &content, isBytes: prefix.isBytes)
      } else {
        content.append(current)
        place += 1
      }
    }
    if prefix.isBytes { return .bytes(content) }
    guard let text = String(validating: content, as: UTF8.self) else {
      throw SyntaxError(offset: start, message: "the string is not valid UTF-8")
    }
    return .string(text)
  }

  private mutating func escape(into content: inout [UInt8], isBytes: Bool) throws(SyntaxError) {
    let start = place
    let mark = byte(1)
    place += 2
    switch mark {
    case UInt8(ascii: "a"): content.append(7)
    case UInt8(ascii: "b"): content.append(8)
    case UInt8(ascii: "f"): content.append(12)
    case UInt8(ascii: "n"): content.append(10)
    case UInt8(ascii: "r"): content.append(13)
    case UInt8(ascii: "t"): content.append(9)
    case UInt8(ascii: "v"): content.append(11)
    case UInt8(ascii: "\\"), UInt8(ascii: "?"), UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"): content.append(mark)
    case UInt8(ascii: "x"), UInt8(ascii: "X"):
      try append(try digits(2, radix: 16, from: start), to: &content, isBytes: isBytes, from: start)
    case UInt8(ascii: "u") where !isBytes: try append(try digits(4, radix: 16, from: start), to: &content, isBytes: false, from: start)
    case UInt8(ascii: "U") where !isBytes: try append(try digits(8, radix: 16, from: start), to: &content, isBytes: false, from: start)
    case UInt8(ascii: "0")...UInt8(ascii: "3"):
      place -= 1
      try append(try digits(3, radix: 8, from: start), to: &content, isBytes: isBytes, from: start)
    default:
      throw SyntaxError(
        offset: start, message: "unknown escape in a string", hint: "write `\\\\` for a backslash, or put `r` before the opening quote")
    }
  }

  private mutating func digits(_ count: Int, radix: UInt32, from start: Int) throws(SyntaxError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<count {
      guard let digit = hexDigit(byte()), digit < radix else {
        throw SyntaxError(offset: start, message: "the escape needs \(count) \(radix == 8 ? "octal" : "hexadecimal") digits")
      }
      value = value &* radix &+ digit  // at most 8 hexadecimal digits
      place += 1
    }
    return value
  }

  private func append(_ value: UInt32, to content: inout [UInt8], isBytes: Bool, from start: Int) throws(SyntaxError) {
    if isBytes {
      content.append(UInt8(truncatingIfNeeded: value))  // two hexadecimal or three octal digits up to 377
    } else if let scalar = Unicode.Scalar(value) {
      content.append(contentsOf: Array(String(scalar).utf8))
    } else {
      throw SyntaxError(offset: start, message: "the escape is no Unicode character")
    }
  }
}
