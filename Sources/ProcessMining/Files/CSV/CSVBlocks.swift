internal import Core

/// Cuts a stream of comma-separated values into blocks of whole rows, so that a file of any size takes little memory.
struct CSVBlocks {
  private let source: ByteSource
  private let file: String?
  private let limit: Int
  private var held: [UInt8] = []
  private var isEnded = false
  private var line = 1

  init(_ source: ByteSource, file: String?, limit: Int) {
    self.source = source
    self.file = file
    self.limit = limit
  }

  /// The next whole rows and the line that they begin in; nil at the end.
  ///
  /// A row ends at a line feed outside of quotes, that is, behind an even number of them: so it is in every file that ``CSVReader`` accepts.
  ///
  /// - Throws: `Diagnostic` for a row beyond the limit; what the source throws.
  /// - Complexity: O(bytes), amortized.
  mutating func next() throws -> (rows: [UInt8], line: Int)? {
    var (scanned, end, isQuoted) = (0, 0, false)
    while true {
      for index in scanned..<held.count {
        if held[index] == UInt8(ascii: "\"") {
          isQuoted.toggle()
        } else if held[index] == UInt8(ascii: "\n"), !isQuoted {
          end = index + 1
        }
      }
      scanned = held.count
      if end > 0 || isEnded { break }
      guard held.count <= limit else {
        throw Diagnostic(
          "csv-limit", at: SourcePosition(file: file, line: line), "a row is longer than \(limit) bytes", hint: "is a quote never closed?")
      }
      let chunk = try source.next()
      if chunk.isEmpty { isEnded = true } else { held += chunk }
    }
    if isEnded { end = held.count }
    if end == 0 { return nil }
    let rows = Array(held[..<end])
    held.removeSubrange(..<end)
    let first = line
    line += rows.withUnsafeBufferPointer { XMLText.countLines($0) }
    return (rows, first)
  }
}
