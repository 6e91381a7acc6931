/// Reads comma-separated values row by row (RFC 4180): quoted cells, doubled quotes, CRLF or LF, UTF-8 with or without a byte order mark.
///
/// Another separator than the comma can be named. Stricter than the RFC where it leaves room: a quote stands at the beginning of a cell or is doubled, and nothing follows the closing one.
public struct CSVReader: Sequence, IteratorProtocol, Sendable {
  /// One row.
  public struct Row: Hashable, Sendable {
    /// The line that it begins in, from 1; a quoted cell may hold several.
    public let line: Int
    /// The cells; none for a line without anything.
    public let cells: [String]
  }

  /// A row that cannot be read.
  public struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The line, from 1.
    public let line: Int
    /// The column in bytes, from 1.
    public let column: Int
    /// What is wrong.
    public let message: String
    /// `line:column: message`.
    public var description: String { "\(line):\(column): \(message)" }
  }

  private let bytes: [UInt8]
  private let separator: UInt8
  private var place: Int
  private var line: Int
  private var lineStart: Int

  /// A reader of the bytes of a file.
  public init(_ bytes: [UInt8]) { self.init(bytes, separator: UInt8(ascii: ","), firstLine: 1) }

  /// A reader of whole rows of a file.
  ///
  /// - Parameters:
  ///   - bytes: The rows.
  ///   - separator: What stands between cells, an ASCII character other than a quote or a line end.
  ///   - firstLine: The line of the file that the bytes begin with, from 1; a byte order mark is expected in line 1 alone.
  public init(_ bytes: [UInt8], separator: UInt8, firstLine: Int) {
    self.bytes = bytes
    self.separator = separator
    line = firstLine
    place = firstLine == 1 && bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    lineStart = place
  }

  /// The next row, or why it cannot be read; nil at the end.
  ///
  /// After a failure reading goes on with the next line, so one bad row costs no other, unless a quote was never closed: then the rest of the
  /// file is one failure.
  /// - Complexity: O(bytes of the row).
  public mutating func next() -> Result<Row, Failure>? {
    if place >= bytes.count { return nil }
    let start = line
    do throws(Failure) {
      return .success(Row(line: start, cells: try cells()))
    } catch {
      skipLine()
      return .failure(error)
    }
  }

  private mutating func cells() throws(Failure) -> [String] {
    var cells: [String] = []
    while true {
      let cell = place < bytes.count && bytes[place] == UInt8(ascii: "\"") ? try quoted() : try plain()
      cells.append(cell)
      guard place < bytes.count else { break }
      if bytes[place] == separator {
        place += 1
        continue
      }
      endLine()
      break
    }
    return cells == [""] ? [] : cells
  }

  private mutating func plain() throws(Failure) -> String {
    let start = place
    while place < bytes.count, bytes[place] != separator, !isLineEnd {
      if bytes[place] == UInt8(ascii: "\"") { throw failure("a quote inside a cell that does not begin with one") }
      place += 1
    }
    return try text(bytes[start..<place], from: start)
  }

  private mutating func quoted() throws(Failure) -> String {
    let (opening, openingLine, openingStart) = (place, line, lineStart)
    place += 1
    var content: [UInt8] = []
    while true {
      guard place < bytes.count else {
        throw Failure(line: openingLine, column: opening - openingStart + 1, message: "this quote is never closed")
      }
      let byte = bytes[place]
      if byte == UInt8(ascii: "\"") {
        place += 1
        guard place < bytes.count, bytes[place] == UInt8(ascii: "\"") else { break }
      } else if byte == UInt8(ascii: "\n") {
        line += 1
        lineStart = place + 1
      }
      content.append(byte)
      place += 1
    }
    guard place == bytes.count || bytes[place] == separator || isLineEnd else { throw failure("something follows a closing quote") }
    return try text(content[...], from: opening)
  }

  private func text(_ cell: ArraySlice<UInt8>, from start: Int) throws(Failure) -> String {
    if cell.contains(0) { throw Failure(line: line, column: Swift.max(1, start - lineStart + 1), message: "a cell holds a NUL character") }
    guard let text = String(validating: cell, as: UTF8.self) else {
      throw Failure(line: line, column: Swift.max(1, start - lineStart + 1), message: "a cell is not UTF-8")
    }
    return text
  }

  /// Whether the place is at a line feed, or a carriage return before one.
  private var isLineEnd: Bool {
    if bytes[place] == UInt8(ascii: "\n") { return true }
    return bytes[place] == UInt8(ascii: "\r") && (place + 1 == bytes.count || bytes[place + 1] == UInt8(ascii: "\n"))
  }

  private mutating func endLine() {
    if bytes[place] == UInt8(ascii: "\r") { place += 1 }
    if place < bytes.count { place += 1 }
    line += 1
    lineStart = place
  }

  private mutating func skipLine() {
    while place < bytes.count, bytes[place] != UInt8(ascii: "\n") { place += 1 }
    if place < bytes.count { endLine() }
  }

  private func failure(_ message: String) -> Failure { Failure(line: line, column: place - lineStart + 1, message: message) }
}
