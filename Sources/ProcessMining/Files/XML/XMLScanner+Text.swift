internal import Core

/// Text, comments, instructions, and what stands before the first element.
extension XMLScanner {
  /// Text up to the next tag; `from` is where it begins, `to` its first character that is not white space.
  mutating func characters(from start: Int, to first: Int) throws -> Bool {
    let bytes = window.base
    var place = first
    while bytes[place] != UInt8(ascii: "<") {
      let byte = bytes[place]
      if byte < 0x20, !isSpace(byte) {
        if place == window.count { return false }
        throw window.failure("xml-character", place, "a control character, which XML cannot hold")
      }
      if byte == UInt8(ascii: ">"), place >= first + 2, bytes[place - 1] == UInt8(ascii: "]"), bytes[place - 2] == UInt8(ascii: "]") {
        throw window.failure("xml-syntax", place - 2, "`]]>` in text", "write `]]&gt;`")
      }
      place += 1
    }
    try checkText(first, place)
    (textStart, textEnd, isTextLiteral) = (start, place, false)
    window.place = place
    return true
  }

  /// A CDATA section: nil where there is none, else whether it lies whole in the window.
  mutating func literalText() throws -> Bool? {
    let start = window.place
    switch window.startsWith("<![CDATA[", at: start) {
    case .no: return nil
    case .unknown: return window.isEnded ? nil : false
    case .yes: break
    }
    guard let end = window.find("]]>", from: start + 9) else { return false }
    try checkText(start + 9, end)
    (textStart, textEnd, isTextLiteral) = (start + 9, end, true)
    window.place = end + 3
    return true
  }

  mutating func skipComment() throws -> Bool {
    let start = window.place
    switch window.startsWith("<!--", at: start) {
    case .unknown where !window.isEnded: return false
    case .yes: break
    default:
      if window.startsWith("<!DOCTYPE", at: start) == .unknown, !window.isEnded { return false }
      throw window.failure(
        "xml-doctype", start, "document types and entity declarations are refused",
        "remove the `<!DOCTYPE …>`: a log does not need it, and it can make a reader open other files or grow without end")
    }
    guard let end = window.find("--", from: start + 4) else { return false }
    if end + 2 >= window.count, !window.isEnded { return false }
    guard window.base[end + 2] == UInt8(ascii: ">") else { throw window.failure("xml-syntax", end, "`--` inside a comment") }
    try checkText(start + 4, end)
    window.place = end + 3
    return true
  }

  mutating func skipInstruction() throws -> Bool {
    let start = window.place
    guard let end = window.find("?>", from: start + 2) else { return false }
    guard let nameEnd = try scanName(start + 2, "an instruction's name") else { return false }
    if window.bytes(start + 2, nameEnd).elementsEqual("xml".utf8) {
      throw window.failure("xml-syntax", start, "the XML declaration stands at the very beginning or nowhere")
    }
    try checkText(nameEnd, end)
    window.place = end + 2
    return true
  }

  mutating func checkText(_ start: Int, _ end: Int) throws {
    guard let wrong = XMLText.firstBadByte(window.bytes(start, end)) else { return }
    if window.base[start + wrong] < 0x20 {
      throw window.failure("xml-character", start + wrong, "a control character, which XML cannot hold")
    }
    throw window.failure("xml-encoding", start + wrong, "this is not UTF-8, or no character of XML", "write the file in UTF-8 (`iconv`)")
  }

  mutating func decode(_ start: Int, _ end: Int, isValue: Bool) throws {
    scratch.removeAll(keepingCapacity: true)
    if let wrong = XMLText.decode(window.bytes(start, end), isValue: isValue, into: &scratch) {
      let name = visible(String(decoding: window.bytes(start + wrong, min(end, start + wrong + 20)), as: UTF8.self))
      throw window.failure(
        "xml-entity", start + wrong, "no reference that is known begins here: `\(name)`",
        "there are `&amp;`, `&lt;`, `&gt;`, `&quot;`, `&apos;` and characters by number such as `&#10;`")
    }
  }

  /// The byte order mark and the XML declaration.
  mutating func readProlog() throws {
    while window.count < 4, !window.isEnded { try window.refill() }
    let bytes = window.base
    let isWide =
      window.count > 1
      && (bytes[0] == 0 || bytes[1] == 0 || (bytes[0] == 0xFE && bytes[1] == 0xFF) || (bytes[0] == 0xFF && bytes[1] == 0xFE))
    if isWide {
      throw window.failure(
        "xml-encoding", 0, "this looks like UTF-16 or UTF-32; only UTF-8 is read", "convert it: `iconv -f UTF-16 -t UTF-8`")
    }
    if window.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { window.place = 3 }
    while true {
      switch window.startsWith("<?xml", at: window.place) {
      case .no: return
      case .unknown where window.isEnded: return
      case .unknown: try window.refill()
      case .yes:
        guard let end = window.find("?>", from: window.place) else {
          try window.refill()
          continue
        }
        guard isSpace(window.base[window.place + 5]) else { return }
        try checkDeclaration(window.place + 5, end)
        window.place = end + 2
        return
      }
    }
  }

  mutating func checkDeclaration(_ start: Int, _ end: Int) throws {
    try checkText(start, end)
    let declaration = String(decoding: window.bytes(start, end), as: UTF8.self)
    var fields: [String: String] = [:]
    let parts = declaration.split(omittingEmptySubsequences: false) { $0 == "\"" || $0 == "'" }
    for index in stride(from: 0, to: parts.count - 1, by: 2) {
      fields[String(parts[index].filter { !$0.isWhitespace && $0 != "=" })] = String(parts[index + 1])
    }
    guard fields["version"] == "1.0" else {
      throw window.failure("xml-version", start, "only XML 1.0 is read, not `\(visible(fields["version"] ?? ""))`")
    }
    guard let encoding = fields["encoding"]?.lowercased(), !["utf-8", "utf8", "us-ascii", "ascii"].contains(encoding) else { return }
    throw window.failure(
      "xml-encoding", start, "only UTF-8 is read, not `\(visible(encoding))`",
      "convert it with `iconv -t UTF-8` and change the encoding that its first line names")
  }
}
