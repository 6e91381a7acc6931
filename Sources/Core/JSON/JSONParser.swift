/// What a parser makes of the values that it reads.
protocol JSONBuilder {
  associatedtype Value
  /// Whether the text may use JSON5.
  static var isJSON5: Bool { get }
  /// A null, truth value, number or string that begins at a byte offset.
  func scalar(_ value: JSON, at offset: Int) -> Value
  func array(_ elements: [Value], at offset: Int) -> Value
  /// An object whose keys are unique; nil when two members have the same key.
  func object(_ members: [(key: String, keyOffset: Int, value: Value)], at offset: Int) -> Value?
}

/// Builds plain values from strict JSON (RFC 8259).
struct PlainBuilder: JSONBuilder {
  static var isJSON5: Bool { false }
  func scalar(_ value: JSON, at offset: Int) -> JSON { value }
  func array(_ elements: [JSON], at offset: Int) -> JSON { .array(elements) }
  func object(_ members: [(key: String, keyOffset: Int, value: JSON)], at offset: Int) -> JSON? {
    guard areUnique(members.map(\.key)) else { return nil }
    return .object(JSONObject(unchecked: members.map { ($0.key, $0.value) }))
  }
}

/// Whether no two keys are the same bytes.
///
/// - Complexity: O(n), with at most 120 comparisons for up to 16 keys.
func areUnique(_ keys: [String]) -> Bool {
  if keys.count > 16 { return Set(keys.map { ExactString($0) }).count == keys.count }
  for i in keys.indices.dropFirst() {
    for j in 0..<i where bytesEqual(keys[i], keys[j]) { return false }
  }
  return true
}

/// A recursive-descent parser over UTF-8 bytes: strict JSON, or the JSON5 that people write.
///
/// Both modes refuse duplicate keys, lone surrogates, bytes that are not UTF-8, numbers beyond a double's range, nesting
/// over the limit, and anything after the value: two readers of one text must never see two different values.
struct JSONParser<Builder: JSONBuilder> {
  private let bytes: UnsafeBufferPointer<UInt8>
  private let file: String?
  private let builder: Builder
  private let maximumDepth: Int
  private var offset = 0
  private var depth = 0

  static func parse(_ bytes: UnsafeBufferPointer<UInt8>, file: String?, maximumDepth: Int, builder: Builder) throws(JSONError)
    -> Builder.Value
  {
    var parser = JSONParser(bytes: bytes, file: file, builder: builder, maximumDepth: maximumDepth)
    if Builder.isJSON5, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { parser.offset = 3 }
    try parser.skipSpace()
    let value = try parser.value()
    try parser.skipSpace()
    if parser.offset < bytes.count { throw parser.error(.trailing, "unexpected \(parser.found) after the end of the value") }
    return value
  }

  private init(bytes: UnsafeBufferPointer<UInt8>, file: String?, builder: Builder, maximumDepth: Int) {
    self.bytes = bytes
    self.file = file
    self.builder = builder
    self.maximumDepth = maximumDepth
  }

  // MARK: Errors

  private func error(_ code: JSONError.Code, _ message: String, at place: Int? = nil) -> JSONError {
    JSONError(code: code, position: SourcePosition(of: place ?? offset, in: bytes, file: file), message: message)
  }

  /// What stands at the current offset, in words.
  private var found: String {
    guard let byte = peek else { return "end of the text" }
    if byte >= 0x80, let scalar = scalar(at: offset) { return "`\(visible(String(scalar.scalar)))`" }
    return byte < 0x20 || byte == 0x7F ? "the control character U+00\(hex(byte))" : "`\(Character(Unicode.Scalar(byte)))`"
  }

  // MARK: Bytes

  private var peek: UInt8? { offset < bytes.count ? bytes[offset] : nil }
  private func byte(at place: Int) -> UInt8? { place < bytes.count ? bytes[place] : nil }

  private func scalar(at place: Int) -> (scalar: Unicode.Scalar, length: Int)? {
    var iterator = bytes[place..<min(bytes.count, place + 4)].makeIterator()
    var decoder = UTF8()
    guard case .scalarValue(let scalar) = decoder.decode(&iterator) else { return nil }
    return (scalar, UTF8.width(scalar))
  }

  private mutating func skipSpace() throws(JSONError) {
    while let byte = peek {
      switch byte {
      case 0x20, 0x09, 0x0A, 0x0D: offset += 1
      case 0x0B where Builder.isJSON5: offset += 1
      case 0x0C where Builder.isJSON5: offset += 1
      case UInt8(ascii: "/") where Builder.isJSON5: try skipComment()
      case 0x80... where Builder.isJSON5:
        guard let (scalar, length) = scalar(at: offset) else { throw error(.invalidUTF8, "this is not UTF-8") }
        guard scalar == "\u{FEFF}" || scalar == "\u{2028}" || scalar == "\u{2029}" || scalar.properties.generalCategory == .spaceSeparator
        else { return }
        offset += length
      default: return
      }
    }
  }

  private mutating func skipComment() throws(JSONError) {
    let start = offset
    switch byte(at: offset + 1) {
    case UInt8(ascii: "/"):
      while let byte = peek, byte != 0x0A, byte != 0x0D { offset += 1 }
    case UInt8(ascii: "*"):
      offset += 2
      while !(peek == UInt8(ascii: "*") && byte(at: offset + 1) == UInt8(ascii: "/")) {
        if offset >= bytes.count { throw error(.syntax, "this comment has no end; close it with `*/`", at: start) }
        offset += 1
      }
      offset += 2
    default: throw error(.syntax, "unexpected `/`")
    }
  }

  // MARK: Values

  private mutating func value() throws(JSONError) -> Builder.Value {
    let start = offset
    switch peek {
    case UInt8(ascii: "{"): return try object()
    case UInt8(ascii: "["): return try array()
    case UInt8(ascii: "\""): return builder.scalar(.string(try string()), at: start)
    case UInt8(ascii: "'") where Builder.isJSON5: return builder.scalar(.string(try string()), at: start)
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case let byte? where byte == UInt8(ascii: "-") || byte &- 48 < 10: return builder.scalar(.number(try number()), at: start)
    case let byte? where Builder.isJSON5 && (byte == UInt8(ascii: "+") || byte == UInt8(ascii: ".")):
      return builder.scalar(.number(try number()), at: start)
    case UInt8(ascii: "I"), UInt8(ascii: "N"): throw error(.number, "Infinity and NaN are not allowed; a number must be finite")
    default: throw error(.syntax, "expected a value, found \(found)")
    }
  }

  private mutating func word(_ word: StaticString, _ value: JSON) throws(JSONError) -> Builder.Value {
    let start = offset
    for index in 0..<word.utf8CodeUnitCount {
      guard peek == word.utf8Start[index] else { throw error(.syntax, "expected `\(word)`", at: start) }
      offset += 1
    }
    return builder.scalar(value, at: start)
  }

  private mutating func descend() throws(JSONError) {
    depth += 1
    if depth > maximumDepth { throw error(.depth, "nested more than \(maximumDepth) levels deep") }
    offset += 1
    try skipSpace()
  }

  private mutating func array() throws(JSONError) -> Builder.Value {
    let start = offset
    var elements: [Builder.Value] = []
    try descend()
    while peek != UInt8(ascii: "]") {
      elements.append(try value())
      try separator(closing: UInt8(ascii: "]"), "array", openedAt: start)
    }
    offset += 1
    depth -= 1
    return builder.array(elements, at: start)
  }

  private mutating func object() throws(JSONError) -> Builder.Value {
    let start = offset
    var members: [(key: String, keyOffset: Int, value: Builder.Value)] = []
    try descend()
    while peek != UInt8(ascii: "}") {
      let keyOffset = offset
      let key = try self.key()
      try skipSpace()
      guard peek == UInt8(ascii: ":") else { throw error(.syntax, "expected `:` after the key `\(visible(key))`, found \(found)") }
      offset += 1
      try skipSpace()
      members.append((key, keyOffset, try value()))
      try separator(closing: UInt8(ascii: "}"), "object", openedAt: start)
    }
    offset += 1
    depth -= 1
    if let object = builder.object(members, at: start) { return object }
    var seen: Set<ExactString> = []
    let duplicate = members.first { !seen.insert(ExactString($0.key)).inserted }
    throw error(.duplicateKey, "the key `\(visible(duplicate?.key ?? ""))` appears twice in one object", at: duplicate?.keyOffset)
  }

  /// Passes a comma, which must be followed by another item in strict mode, or stops before the closing bracket.
  private mutating func separator(closing: UInt8, _ kind: String, openedAt start: Int) throws(JSONError) {
    try skipSpace()
    if peek == closing { return }
    guard peek == UInt8(ascii: ",") else {
      if peek == nil {
        let opened = SourcePosition(of: start, in: bytes)
        throw error(.syntax, "the \(kind) that begins at \(opened) has no end")
      }
      throw error(.syntax, "expected `,` or `\(Character(Unicode.Scalar(closing)))`, found \(found)")
    }
    offset += 1
    try skipSpace()
    if peek == closing, !Builder.isJSON5 { throw error(.syntax, "a comma before the end of an \(kind) is not allowed") }
  }

  private mutating func key() throws(JSONError) -> String {
    if peek == UInt8(ascii: "\"") || (Builder.isJSON5 && peek == UInt8(ascii: "'")) { return try string() }
    guard Builder.isJSON5 else { throw error(.syntax, "expected a key in double quotes, found \(found)") }
    let start = offset
    while let byte = peek {
      if byte == UInt8(ascii: "_") || byte == UInt8(ascii: "$") || (byte | 0x20) &- 97 < 26 || (offset > start && byte &- 48 < 10) {
        offset += 1
      } else if byte >= 0x80, let (scalar, length) = scalar(at: offset),
        offset > start ? scalar.properties.isIDContinue : scalar.properties.isIDStart
      {
        offset += length
      } else {
        break
      }
    }
    if offset == start { throw error(.syntax, "expected a key, found \(found)") }
    if peek == UInt8(ascii: "-") {
      throw error(.syntax, "put the key `\(text(start..<offset))-…` in quotes: a bare key has only letters, digits, `_` and `$`", at: start)
    }
    return text(start..<offset)
  }

  private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
}

// MARK: Numbers

extension JSONParser {
  private mutating func digits() -> Int {
    let start = offset
    while let byte = peek, byte &- 48 < 10 { offset += 1 }
    return offset - start
  }

  private mutating func number() throws(JSONError) -> JSONNumber {
    let start = offset
    let negative = peek == UInt8(ascii: "-")
    if negative || peek == UInt8(ascii: "+") { offset += 1 }
    if peek == UInt8(ascii: "I") || peek == UInt8(ascii: "N") {
      throw error(.number, "Infinity and NaN are not allowed; a number must be finite", at: start)
    }
    if Builder.isJSON5, peek == UInt8(ascii: "0"), (byte(at: offset + 1) ?? 0) | 0x20 == UInt8(ascii: "x") {
      return try hexadecimal(negative: negative, start: start)
    }
    let first = offset
    let whole = digits()
    if whole > 1, bytes[first] == UInt8(ascii: "0") { throw error(.syntax, "a number must not begin with 0", at: start) }
    var isPlain = whole > 0 && whole <= 18
    var fraction = 0
    if peek == UInt8(ascii: ".") {
      isPlain = false
      offset += 1
      fraction = digits()
      if !Builder.isJSON5, fraction == 0 { throw error(.syntax, "expected a digit after the decimal point, found \(found)") }
    }
    if whole + fraction == 0 || (!Builder.isJSON5 && whole == 0) { throw error(.syntax, "expected a digit, found \(found)") }
    if let byte = peek, byte | 0x20 == UInt8(ascii: "e") {
      isPlain = false
      offset += 1
      if peek == UInt8(ascii: "-") || peek == UInt8(ascii: "+") { offset += 1 }
      if digits() == 0 { throw error(.syntax, "expected a digit in the exponent, found \(found)") }
    }
    if isPlain {
      var value: Int64 = 0
      for place in first..<offset { value = value &* 10 &+ Int64(bytes[place] - 48) }
      return JSONNumber(negative ? -value : value)
    }
    guard let value = JSONNumber(decimal: text(start..<offset)), value.double.isFinite else {
      throw error(.number, "this number is larger than any that can be computed with; send it as a string", at: start)
    }
    return value
  }

  private mutating func hexadecimal(negative: Bool, start: Int) throws(JSONError) -> JSONNumber {
    offset += 2
    var value: UInt64 = 0
    let first = offset
    while let digit = peek.flatMap(hexDigit) {
      guard value >> 60 == 0 else { throw error(.number, "this number does not fit in 64 bits", at: start) }
      value = value << 4 | UInt64(digit)
      offset += 1
    }
    if offset == first { throw error(.syntax, "expected a hexadecimal digit, found \(found)") }
    let magnitude = JSONNumber(value)
    return negative ? JSONNumber(decimal: "-\(magnitude.text)") ?? magnitude : magnitude
  }
}

// MARK: Strings

extension JSONParser {
  /// Reads a string literal, the quote included.
  private mutating func string() throws(JSONError) -> String {
    let start = offset
    let quote = bytes[offset]
    offset += 1
    let first = offset
    var isASCII = true
    // The common case has no escape: one pass finds the end, and the bytes are copied once.
    while offset < bytes.count {
      let byte = bytes[offset]
      if byte == quote {
        let content = UnsafeBufferPointer(rebasing: bytes[first..<offset])
        offset += 1
        if isASCII { return String(decoding: content, as: UTF8.self) }
        guard let text = String(validating: content, as: UTF8.self) else { throw invalidUTF8(in: first..<offset) }
        return text
      }
      if byte == UInt8(ascii: "\\") { return try escapedString(start: start, first: first, quote: quote) }
      if byte < 0x20 { throw controlCharacter() }
      if byte >= 0x80 { isASCII = false }
      offset += 1
    }
    throw error(.syntax, "this string has no end", at: start)
  }

  private func controlCharacter() -> JSONError {
    error(.syntax, "a string must not hold \(found); write it as an escape")
  }

  private func invalidUTF8(in range: Range<Int>) -> JSONError {
    var place = range.lowerBound
    while place < range.upperBound {
      guard let (_, length) = scalar(at: place) else { break }
      place += length
    }
    return error(.invalidUTF8, "this is not UTF-8", at: place)
  }

  private mutating func escapedString(start: Int, first: Int, quote: UInt8) throws(JSONError) -> String {
    var content = Array(bytes[first..<offset])
    while let byte = peek {
      if byte == quote {
        guard let text = String(validating: content, as: UTF8.self) else { throw invalidUTF8(in: first..<offset) }
        offset += 1
        return text
      }
      if byte == UInt8(ascii: "\\") {
        try escape(into: &content)
      } else if byte < 0x20 {
        throw controlCharacter()
      } else {
        content.append(byte)
        offset += 1
      }
    }
    throw error(.syntax, "this string has no end", at: start)
  }

  private mutating func escape(into content: inout [UInt8]) throws(JSONError) {
    let start = offset
    offset += 1
    guard let byte = peek else { throw error(.syntax, "this string has no end", at: start) }
    offset += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(byte)
    case UInt8(ascii: "b"): content.append(0x08)
    case UInt8(ascii: "f"): content.append(0x0C)
    case UInt8(ascii: "n"): content.append(0x0A)
    case UInt8(ascii: "r"): content.append(0x0D)
    case UInt8(ascii: "t"): content.append(0x09)
    case UInt8(ascii: "u"): content.append(contentsOf: try unicodeEscape(start: start))
    case UInt8(ascii: "'") where Builder.isJSON5: content.append(byte)
    case UInt8(ascii: "v") where Builder.isJSON5: content.append(0x0B)
    case UInt8(ascii: "0") where Builder.isJSON5 && (peek ?? 0) &- 48 >= 10: content.append(0x00)
    case UInt8(ascii: "x") where Builder.isJSON5:
      guard let unit = hexadecimalUnit(digits: 2), let scalar = Unicode.Scalar(unit) else {
        throw error(.syntax, "expected two hexadecimal digits after `\\x`", at: start)
      }
      content.append(contentsOf: String(scalar).utf8)
    case 0x0A where Builder.isJSON5: break
    case 0x0D where Builder.isJSON5: if peek == 0x0A { offset += 1 }
    case 0xE2 where Builder.isJSON5 && peek == 0x80 && (byteAfterNext == 0xA8 || byteAfterNext == 0xA9): offset += 2
    default:
      offset = start + 1
      throw error(.syntax, "unknown escape: \(found) after a backslash", at: start)
    }
  }

  private var byteAfterNext: UInt8? { byte(at: offset + 1) }

  private mutating func hexadecimalUnit(digits: Int) -> UInt16? {
    var unit: UInt16 = 0
    for _ in 0..<digits {
      guard let digit = peek.flatMap(hexDigit) else { return nil }
      unit = unit << 4 | UInt16(digit)
      offset += 1
    }
    return unit
  }

  private mutating func unicodeEscape(start: Int) throws(JSONError) -> String.UTF8View {
    guard let unit = hexadecimalUnit(digits: 4) else {
      throw error(.syntax, "expected four hexadecimal digits after `\\u`", at: start)
    }
    if let scalar = Unicode.Scalar(unit) { return String(scalar).utf8 }
    guard unit < 0xDC00, peek == UInt8(ascii: "\\"), byte(at: offset + 1) == UInt8(ascii: "u") else {
      throw error(.loneSurrogate, "this escape is half of a surrogate pair", at: start)
    }
    offset += 2
    guard let low = hexadecimalUnit(digits: 4), (0xDC00...0xDFFF).contains(low),
      let scalar = Unicode.Scalar(0x10000 + (UInt32(unit) - 0xD800) << 10 + UInt32(low) - 0xDC00)
    else {
      throw error(.loneSurrogate, "this escape is half of a surrogate pair", at: start)
    }
    return String(scalar).utf8
  }
}

extension JSON {
  /// The deepest nesting of arrays and objects that a parser accepts unless told otherwise.
  public static let maximumDepth = 128

  /// Reads strict JSON (RFC 8259).
  ///
  /// - Throws: ``JSONError`` for anything the grammar does not allow, and for what RFC 8259 leaves open and two readers
  ///   could take differently: duplicate keys, lone surrogates, bytes that are not UTF-8, a byte order mark, numbers
  ///   beyond the range of a double, and nesting over `maximumDepth`.
  /// - Complexity: O(n) for n bytes.
  public static func parse(_ bytes: [UInt8], file: String? = nil, maximumDepth: Int = JSON.maximumDepth) throws(JSONError) -> JSON {
    try bytes.withUnsafeBufferPointerTyped { buffer throws(JSONError) in
      try JSONParser.parse(buffer, file: file, maximumDepth: maximumDepth, builder: PlainBuilder())
    }
  }

  /// Reads strict JSON from memory that the caller holds; see ``parse(_:file:maximumDepth:)-([UInt8],_,_)``.
  public static func parse(_ bytes: UnsafeBufferPointer<UInt8>, file: String? = nil) throws(JSONError) -> JSON {
    try JSONParser.parse(bytes, file: file, maximumDepth: JSON.maximumDepth, builder: PlainBuilder())
  }

  /// Reads strict JSON from a text; see ``parse(_:file:maximumDepth:)-([UInt8],_,_)``.
  public static func parse(_ text: String, file: String? = nil) throws(JSONError) -> JSON {
    try parse(Array(text.utf8), file: file)
  }
}

extension Array {
  /// `withUnsafeBufferPointer` that keeps the type of the error.
  func withUnsafeBufferPointerTyped<R, E: Error>(_ body: (UnsafeBufferPointer<Element>) throws(E) -> R) throws(E) -> R {
    let result = withUnsafeBufferPointer { buffer -> Result<R, E> in
      do throws(E) { return .success(try body(buffer)) } catch { return .failure(error) }
    }
    return try result.get()
  }
}

/// The value of an ASCII hexadecimal digit.
func hexDigit(_ byte: UInt8) -> UInt8? {
  switch byte {
  case 48...57: byte - 48
  case 65...70: byte - 55
  case 97...102: byte - 87
  default: nil
  }
}

/// Two upper-case hexadecimal digits.
func hex(_ byte: UInt8) -> String {
  let text = String(byte, radix: 16, uppercase: true)
  return byte < 16 ? "0" + text : text
}
