internal import Core

/// Splits a source into tokens, one at a time.
struct Lexer {
  let source: [UInt8]
  var place = 0

  init(_ source: [UInt8]) { self.source = source }

  func byte(_ ahead: Int = 0) -> UInt8 { place + ahead < source.count ? source[place + ahead] : 0 }
  var isAtEnd: Bool { place >= source.count }

  mutating func next() throws(SyntaxError) -> Token {
    skipBlanks()
    let start = place
    guard !isAtEnd else { return Token(kind: .end, start: start, end: start) }
    let first = byte()
    let kind: Token.Kind
    if isDigit(first) || (first == UInt8(ascii: ".") && isDigit(byte(1))) {
      kind = try number()
    } else if let prefix = literalPrefix() {
      kind = try literal(prefix)
    } else if isNameStart(first) {
      kind = .identifier(name())
    } else if first == UInt8(ascii: "`") {
      kind = .quoted(try quotedName())
    } else {
      kind = .symbol(try symbol())
    }
    return Token(kind: kind, start: start, end: place)
  }

  private mutating func skipBlanks() {
    while !isAtEnd {
      switch byte() {
      case 0x20, 0x09, 0x0A, 0x0C, 0x0D: place += 1
      case UInt8(ascii: "/") where byte(1) == UInt8(ascii: "/"):
        while !isAtEnd, byte() != 0x0A { place += 1 }
      default: return
      }
    }
  }

  private mutating func name() -> String {
    let start = place
    while isNamePart(byte()) { place += 1 }
    return text(start, place)
  }

  /// A field name between backticks: letters, digits, `_`, `.`, `-`, `/` and blanks.
  private mutating func quotedName() throws(SyntaxError) -> String {
    let start = place
    place += 1
    while !isAtEnd, isNamePart(byte()) || [0x20, UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "/")].contains(byte()) { place += 1 }
    guard byte() == UInt8(ascii: "`"), place > start + 1 else {
      throw SyntaxError(
        offset: place, message: "a quoted field name may hold letters, digits, `_`, `.`, `-`, `/` and blanks, and must end in a backtick")
    }
    place += 1
    return text(start + 1, place - 1)
  }

  private mutating func symbol() throws(SyntaxError) -> Token.Symbol {
    for length in [2, 1] where place + length <= source.count {
      if let symbol = Token.Symbol(rawValue: text(place, place + length)) {
        place += length
        return symbol
      }
    }
    throw unexpectedCharacter()
  }

  private func unexpectedCharacter() -> SyntaxError {
    let scalar = text(place, min(place + 4, source.count)).unicodeScalars.first ?? " "
    let hint: String? =
      switch byte() {
      case UInt8(ascii: "="): "compare with `==`"
      case UInt8(ascii: "&"): "write `&&` for and"
      case UInt8(ascii: "|"): "write `||` for or"
      default: nil
      }
    return SyntaxError(offset: place, message: "unexpected character `\(visible(String(scalar)))`", hint: hint)
  }

  private mutating func number() throws(SyntaxError) -> Token.Kind {
    let start = place
    if byte() == UInt8(ascii: "0"), byte(1) | 0x20 == UInt8(ascii: "x") {
      place += 2
      let digits = place
      while hexDigit(byte()) != nil { place += 1 }
      guard place > digits else { throw SyntaxError(offset: start, message: "a hexadecimal number needs digits after `0x`") }
      return try integer(text(digits, place), radix: 16, at: start)
    }
    while isDigit(byte()) { place += 1 }
    var isDouble = false
    if byte() == UInt8(ascii: "."), isDigit(byte(1)) {
      isDouble = true
      place += 1
      while isDigit(byte()) { place += 1 }
    }
    if byte() | 0x20 == UInt8(ascii: "e") {
      let sign = byte(1) == UInt8(ascii: "+") || byte(1) == UInt8(ascii: "-") ? 1 : 0
      if isDigit(byte(1 + sign)) {
        isDouble = true
        place += 1 + sign
        while isDigit(byte()) { place += 1 }
      }
    }
    guard isDouble else { return try integer(text(start, place), radix: 10, at: start) }
    try endOfNumber()
    guard let value = Double("0" + text(start, place)), value.isFinite else {
      throw SyntaxError(offset: start, message: "the number is larger than any double")
    }
    return .double(value)
  }

  private mutating func integer(_ digits: String, radix: Int, at start: Int) throws(SyntaxError) -> Token.Kind {
    let isUnsigned = byte() | 0x20 == UInt8(ascii: "u")
    if isUnsigned { place += 1 }
    try endOfNumber()
    guard let value = UInt64(digits, radix: radix) else {
      throw SyntaxError(offset: start, message: "the integer does not fit in 64 bits")
    }
    return isUnsigned ? .uint(value) : .int(value)
  }

  private func endOfNumber() throws(SyntaxError) {
    if isNamePart(byte()) { throw SyntaxError(offset: place, message: "unexpected `\(text(place, place + 1))` in a number") }
  }

  func text(_ start: Int, _ end: Int) -> String { String(decoding: source[start..<end], as: UTF8.self) }
}

func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }
func isNameStart(_ byte: UInt8) -> Bool { (byte | 0x20) &- 97 < 26 || byte == UInt8(ascii: "_") }
func isNamePart(_ byte: UInt8) -> Bool { isNameStart(byte) || isDigit(byte) }

func hexDigit(_ byte: UInt8) -> UInt32? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - 48)
  case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - 87)
  case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - 55)
  default: nil
  }
}
