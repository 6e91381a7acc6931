public import Core
internal import Glibc

/// Reads a file with one JSON value a line, line by line: memory is bounded by the longest line, not by the file.
///
/// One reader serves one thread at a time.
public final class JSONLines {
  /// The longest line that is accepted, in bytes.
  public static let maximumLineBytes = 64 << 20

  /// The path as it was given.
  public let path: String
  /// The number of the line that was read last, from 1; 0 before the first.
  public private(set) var line = 0

  private let descriptor: Int32
  private var buffer: [UInt8] = []
  private var start = 0
  private var atEnd = false

  /// Opens a regular file.
  ///
  /// - Throws: ``Core/Diagnostic`` ``Core/Diagnostic/fileNotFound`` where there is none, `unreadable-file` where it cannot be opened.
  public init(path: String) throws(Diagnostic) {
    self.path = path
    do throws(FileError) {
      descriptor = try RegularFile.open(path)
    } catch {
      throw Diagnostic(error)
    }
  }

  deinit { close(descriptor) }

  /// The next value; nil at the end.
  ///
  /// Empty lines are passed over.
  ///
  /// - Throws: ``Core/Diagnostic`` with the line and column where the text stops being JSON, or where a line is too long. Nothing more
  ///   can be read after that.
  public func next() throws(Diagnostic) -> JSON? {
    while let bytes = try nextLine() {
      line += 1
      if bytes.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { continue }
      do throws(JSONError) {
        return try JSON.parse(Array(bytes), file: path)
      } catch {
        var diagnostic = error.diagnostic
        diagnostic.position?.line = line
        throw diagnostic
      }
    }
    return nil
  }

  /// Where the line that was read last begins, for messages about what it says.
  public var position: SourcePosition { SourcePosition(file: path, line: max(1, line), column: 1, offset: 0) }

  private func nextLine() throws(Diagnostic) -> ArraySlice<UInt8>? {
    var searched = start
    while true {
      if let end = buffer[searched...].firstIndex(of: 0x0A) {
        defer { start = end + 1 }
        return buffer[start..<end]
      }
      searched = buffer.count
      if atEnd {
        defer { start = buffer.count }
        return start < buffer.count ? buffer[start...] : nil
      }
      if buffer.count - start > Self.maximumLineBytes {
        throw Diagnostic(
          "line-too-long", at: SourcePosition(file: path, line: line + 1, column: 1, offset: 0),
          "a line is longer than the limit of \(Self.maximumLineBytes) bytes")
      }
      if start > 0 {
        buffer.removeFirst(start)
        searched -= start
        start = 0
      }
      try fill()
    }
  }

  private func fill() throws(Diagnostic) {
    var chunk = [UInt8](repeating: 0, count: 1 << 18)
    while true {
      let count = read(descriptor, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      if count < 0 { throw Diagnostic("unreadable-file", at: nil, "`\(visible(path))`: cannot read: \(String(cString: strerror(errno)))") }
      if count == 0 { atEnd = true } else { buffer.append(contentsOf: chunk[..<count]) }
      return
    }
  }
}
