internal import Core

/// Reads XML (1.0, UTF-8) tag by tag from a stream, strictly and in bounded memory.
///
/// There are no document types, and so no entities beyond the five that XML has: a file cannot make the scanner open another one or grow. Only
/// one token lies in memory at a time. Names are compared as written, prefix included; white space alone between two tags is not reported.
///
/// - SeeAlso: Extensible Markup Language (XML) 1.0, fifth edition.
struct XMLScanner: ~Copyable {
  /// What was read.
  enum Token {
    /// A start tag: ``name``, ``attributeCount`` and the attributes are those of the element. Every start has its ``end``, that of `<a/>` too.
    case start
    /// The end of the innermost element.
    case end
    /// Text that is not white space alone: ``text()``.
    case text
    /// The document is complete.
    case finished
  }

  /// Where the parts of an attribute lie in the window.
  struct Span {
    var nameStart = 0
    var nameEnd = 0
    var valueStart = 0
    var valueEnd = 0
    /// Whether the value holds references or white space that XML turns into spaces.
    var isEncoded = false
  }

  var window: XMLWindow
  let limits: XMLLimits
  /// Names of the open elements, one after the other, and where each ends.
  private var openNames: [UInt8] = []
  private var openEnds: [Int] = []
  private var hasRoot = false
  /// Whether the last start tag closed itself and its end is still to be told.
  private(set) var isEmptyElement = false
  private let spans: UnsafeMutablePointer<Span>
  /// How many attributes the last start tag has.
  private(set) var attributeCount = 0
  private var nameStart = 0
  private var nameEnd = 0
  var textStart = 0
  var textEnd = 0
  var isTextLiteral = false
  var scratch: [UInt8] = []

  init(_ source: ByteSource, file: String? = nil, limits: XMLLimits = XMLLimits()) throws {
    self.limits = limits
    window = XMLWindow(source, file: file, limit: limits.tokenBytes)
    spans = UnsafeMutablePointer<Span>.allocate(capacity: limits.attributes)
    spans.initialize(repeating: Span(), count: limits.attributes)
    try readProlog()
  }

  deinit { spans.deallocate() }

  /// How many elements are open.
  var depth: Int { openEnds.count }

  // Much of what only looks is mutating nonetheless: the compiler would copy the whole scanner to borrow it, at each call.

  /// The name of the last start tag, as long as no other token is read.
  var name: UnsafeBufferPointer<UInt8> {
    @inline(__always) mutating get { UnsafeBufferPointer(start: window.base + nameStart, count: nameEnd - nameStart) }
  }

  /// The name of an attribute of the last start tag.
  @inline(__always)
  mutating func attributeName(_ index: Int) -> UnsafeBufferPointer<UInt8> {
    let span = spans + index
    return UnsafeBufferPointer(start: window.base + span.pointee.nameStart, count: span.pointee.nameEnd - span.pointee.nameStart)
  }

  /// The value of an attribute as the file has it, where that is what it says; nil where it holds references.
  @inline(__always)
  mutating func attributeValueBytes(_ index: Int) -> UnsafeBufferPointer<UInt8>? {
    let span = spans + index
    if span.pointee.isEncoded { return nil }
    return UnsafeBufferPointer(start: window.base + span.pointee.valueStart, count: span.pointee.valueEnd - span.pointee.valueStart)
  }

  /// Where the last start tag stands, as long as no other token is read.
  var tagPosition: SourcePosition { window.position(max(0, nameStart - 1)) }

  /// Where the last text begins, as long as no other token is read.
  var textPosition: SourcePosition { window.position(textStart) }

  /// Remembers where the last start tag stands, under 0 or 1.
  @inline(__always)
  mutating func markStart(_ index: Int) { window.mark(index, at: nameStart - 1) }

  /// Where the value of an attribute of the last start tag begins, in the window.
  func valuePlace(_ index: Int) -> Int { spans[index].valueStart }

  /// Gives the value of an attribute of the last start tag, references resolved.
  ///
  /// - Throws: `Diagnostic` for a reference that means nothing; what `body` throws.
  @inline(__always)
  mutating func withValue<Result>(_ index: Int, _ body: (UnsafeBufferPointer<UInt8>) throws -> Result) throws -> Result {
    if let bytes = attributeValueBytes(index) { return try body(bytes) }
    try decode(spans[index].valueStart, spans[index].valueEnd, isValue: true)
    return try scratch.withUnsafeBufferPointer(body)
  }

  /// The text that was read last, references resolved, line ends as line feeds.
  mutating func text() throws -> String {
    if isTextLiteral { return String(decoding: window.bytes(textStart, textEnd), as: UTF8.self) }
    try decode(textStart, textEnd, isValue: false)
    return String(decoding: scratch, as: UTF8.self)
  }

  /// Takes the end of an empty element as read; what its start tag said can still be asked for.
  @inline(__always)
  mutating func skipEnd() { isEmptyElement = false }

  /// The next token.
  ///
  /// - Throws: `Diagnostic` with the position for anything that is not well-formed, or beyond a limit; what the source throws.
  /// - Complexity: O(bytes of the token), amortized.
  mutating func next() throws -> Token {
    if isEmptyElement {
      isEmptyElement = false
      return .end
    }
    while true {
      if let token = try scan() { return token }
      try window.refill()
    }
  }

  /// The next token where it lies whole in the window; nil for more bytes.
  private mutating func scan() throws -> Token? {
    while true {
      let bytes = window.base
      var place = window.place
      while isSpace(bytes[place]) { place += 1 }
      if bytes[place] == UInt8(ascii: "<") {
        window.place = place
        switch bytes[place + 1] {
        case UInt8(ascii: "/"): return try endTag() ? .end : nil
        case UInt8(ascii: "!"):
          if depth > 0, let isWhole = try literalText() { return isWhole ? .text : nil }
          guard try skipComment() else { return nil }
        case UInt8(ascii: "?"): guard try skipInstruction() else { return nil }
        case 0 where place + 1 == window.count && !window.isEnded: return nil
        default: return try startTag() ? .start : nil
        }
      } else if place == window.count {
        guard window.isEnded else { return nil }
        window.place = place
        if depth > 0 {
          let open = visible(String(decoding: openNames[openStart...], as: UTF8.self))
          throw window.failure("xml-truncated", place, "the file ends before `</\(open)>`", "is it complete?")
        }
        guard hasRoot else { throw window.failure("xml-empty", place, "there is no XML element") }
        return .finished
      } else {
        guard depth > 0 else { throw window.failure("xml-syntax", place, "text outside of the outermost element", "is this XML?") }
        return try characters(from: window.place, to: place) ? .text : nil
      }
    }
  }

  // MARK: Tags

  private mutating func startTag() throws -> Bool {
    let bytes = window.base
    let start = window.place
    guard let nameEnd = try scanName(start + 1, "an element's name") else { return false }
    var place = nameEnd
    var count = 0
    while true {
      let gap = place
      while isSpace(bytes[place]) { place += 1 }
      let byte = bytes[place]
      if byte == UInt8(ascii: ">") || byte == UInt8(ascii: "/") { break }
      if place == window.count { return false }
      guard place > gap else { throw window.failure("xml-syntax", place, "a space, `>` or `/>` is missing here") }
      guard count < limits.attributes else {
        throw window.failure("xml-limit", place, "an element has more than \(limits.attributes) attributes")
      }
      guard let end = try scanName(place, "an attribute's name") else { return false }
      var span = Span(nameStart: place, nameEnd: end)
      place = end
      while isSpace(bytes[place]) { place += 1 }
      guard bytes[place] == UInt8(ascii: "=") else {
        if place == window.count { return false }
        throw window.failure("xml-syntax", place, "`=` is missing after an attribute's name")
      }
      place += 1
      while isSpace(bytes[place]) { place += 1 }
      guard try scanValue(&place, &span) else { return false }
      for other in 0..<count where isSameName(span, spans[other]) {
        let name = visible(String(decoding: attributeName(other), as: UTF8.self))
        throw window.failure("xml-duplicate-attribute", span.nameStart, "the attribute `\(name)` stands twice")
      }
      spans[count] = span
      count += 1
    }
    if bytes[place] == UInt8(ascii: "/") {
      guard bytes[place + 1] == UInt8(ascii: ">") else {
        if place + 1 == window.count { return false }
        throw window.failure("xml-syntax", place + 1, "`>` is missing after `/`")
      }
      isEmptyElement = true
      place += 1
    }
    if depth == 0, hasRoot { throw window.failure("xml-syntax", start, "a second outermost element") }
    hasRoot = true
    if !isEmptyElement {
      guard depth < limits.depth else { throw window.failure("xml-limit", start, "elements are nested deeper than \(limits.depth)") }
      openNames.append(contentsOf: window.bytes(start + 1, nameEnd))
      openEnds.append(openNames.count)
    }
    (nameStart, self.nameEnd, attributeCount) = (start + 1, nameEnd, count)
    window.place = place + 1
    return true
  }

  private var openStart: Int { openEnds.count < 2 ? 0 : openEnds[openEnds.count - 2] }

  private mutating func endTag() throws -> Bool {
    let bytes = window.base
    let start = window.place
    var place = start + 2
    guard depth > 0 else { throw window.failure("xml-syntax", start, "an end tag without its start tag") }
    let (from, length) = (openStart, openNames.count - openStart)
    let isSame = openNames.withUnsafeBufferPointer { names in
      for offset in 0..<length where bytes[place + offset] != names[from + offset] { return false }
      return true
    }
    if isSame {
      place += length
      while isSpace(bytes[place]) { place += 1 }
      if bytes[place] == UInt8(ascii: ">") {
        openNames.removeLast(length)
        openEnds.removeLast()
        window.place = place + 1
        return true
      }
    }
    // The end of the window may be the only difference.
    if !window.isEnded, !window.contains(UInt8(ascii: ">"), from: start) { return false }
    let open = visible(String(decoding: openNames[from...], as: UTF8.self))
    throw window.failure("xml-syntax", start, "`</\(open)>` is missing here", "elements close in the opposite order of opening")
  }

  /// The end of the name that begins at a place; nil for more bytes.
  @inline(__always)
  mutating func scanName(_ start: Int, _ what: String) throws -> Int? {
    let bytes = window.base
    var place = XMLText.skipLetters(bytes, start)
    var isASCII = true
    while isNameByte(bytes[place]) {
      if bytes[place] >= 0x80 { isASCII = false }
      place = XMLText.skipLetters(bytes, place + 1)
    }
    if place == window.count, !window.isEnded { return nil }
    let first = bytes[start]
    guard place > start, first >= 0x80 || !(first == UInt8(ascii: "-") || first == UInt8(ascii: ".") || first &- 48 < 10) else {
      if start == window.count { throw window.failure("xml-truncated", start, "the file ends inside a tag", "is it complete?") }
      throw window.failure("xml-syntax", start, "\(what) cannot begin here")
    }
    guard place - start <= limits.nameBytes else {
      throw window.failure("xml-limit", start, "\(what) is longer than \(limits.nameBytes) bytes")
    }
    if !isASCII, let wrong = XMLText.firstBadNameByte(window.bytes(start, place)) {
      throw window.failure("xml-syntax", start + wrong, "\(what) cannot hold this character")
    }
    return place
  }

  @inline(__always)
  private mutating func isSameName(_ a: Span, _ b: Span) -> Bool {
    let length = a.nameEnd - a.nameStart
    return length == b.nameEnd - b.nameStart && Names.same(window.base + a.nameStart, window.base + b.nameStart, length)
  }

  /// Reads a quoted value.
  ///
  /// - Returns: False for more bytes.
  @inline(__always)
  private mutating func scanValue(_ place: inout Int, _ span: inout Span) throws -> Bool {
    let bytes = window.base
    let quote = bytes[place]
    guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
      if place == window.count { return false }
      throw window.failure("xml-syntax", place, "an attribute's value stands in quotes")
    }
    place += 1
    span.valueStart = place
    var isASCII = true
    while true {
      place = XMLText.skipPlain(bytes, place, quote: quote)
      let byte = bytes[place]
      if byte == quote { break }
      if byte >= 0x80 {
        isASCII = false
      } else if byte == UInt8(ascii: "&") || isSpace(byte) {
        span.isEncoded = true
      } else if place == window.count {
        return false
      } else if byte == UInt8(ascii: "<") {
        throw window.failure("xml-syntax", place, "`<` in an attribute's value", "write `&lt;`, or close the quote")
      } else {
        throw window.failure("xml-character", place, "a control character, which XML cannot hold")
      }
      place += 1
    }
    span.valueEnd = place
    place += 1
    if !isASCII { try checkText(span.valueStart, span.valueEnd) }
    return true
  }
}

/// XML's white space.
@inline(__always)
func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }

@inline(__always)
private func isNameByte(_ byte: UInt8) -> Bool {
  // Digits, `-`, `.` and `:` below 64; letters and `_` above it.
  if byte < 64 { return 0x07FF_6000_0000_0000 as UInt64 >> UInt64(byte) & 1 == 1 }
  if byte < 128 { return 0x07FF_FFFE_87FF_FFFE as UInt64 >> UInt64(byte - 64) & 1 == 1 }
  return true
}
