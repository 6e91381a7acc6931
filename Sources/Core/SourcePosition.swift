/// A place in a text that a person wrote.
public struct SourcePosition: Hashable, Sendable, CustomStringConvertible {
  /// The file's path as the user named it, or nil for text that has no file.
  public var file: String?
  /// The line, from 1.
  public var line: Int
  /// The column, from 1, in Unicode scalars.
  public var column: Int
  /// The offset from the start of the text, in UTF-8 bytes.
  public var offset: Int

  /// Makes a position from its parts.
  public init(file: String? = nil, line: Int = 1, column: Int = 1, offset: Int = 0) {
    self.file = file
    self.line = line
    self.column = column
    self.offset = offset
  }

  /// The position of a byte offset in a text.
  ///
  /// - Complexity: O(`offset`).
  public init(of offset: Int, in text: some Sequence<UInt8>, file: String? = nil) {
    self.init(file: file, offset: offset)
    for (index, byte) in text.enumerated() {
      if index >= offset { break }
      advance(over: byte)
    }
    self.offset = offset
  }

  /// Moves the line and column over one byte of UTF-8; continuation bytes take no column of their own.
  mutating func advance(over byte: UInt8) {
    offset += 1
    if byte == 0x0A {
      line += 1
      column = 1
    } else if byte & 0xC0 != 0x80 {
      column += 1
    }
  }

  /// `file:line:column`, without the file where there is none.
  public var description: String { (file.map { "\($0):" } ?? "") + "\(line):\(column)" }
}
