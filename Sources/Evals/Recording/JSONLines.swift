public import Core
internal import Glibc

/// Reads a file with one JSON value a line, line by line: memory is bounded by the longest line, not by the file.
///
/// One reader serves one thread at a time.
public final class JSONLines {
  /// The longest line that is accepted, in bytes.
  public static let maximumLineBytes = 64 << 20

  /// The code of the problem that the operating system reads no more.
  public static let unreadable = "unreadable-file"

  /// The path as it was given.
  public let path: String
  /// The number of the line that was read last, from 1; 0 before the first.
  public private(set) var line = 0

  private let descriptor: Int32
  private let isOwned: Bool
  private let maximumBytes: Int
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
    isOwned = true
    maximumBytes = Self.maximumLineBytes
  }

  /// Reads a descriptor, such as that of standard input, which stays open.
  ///
  /// - Parameters:
  ///   - descriptor: The descriptor.
  ///   - name: What it is called in messages.
  ///   - maximumBytes: The longest line that is accepted.
  public init(descriptor: Int32, name: String, maximumBytes: Int = JSONLines.maximumLineBytes) {
    self.descriptor = descriptor
    path = name
    isOwned = false
    self.maximumBytes = maximumBytes
  }

  deinit { if isOwned { close(descriptor) } }

  /// The next value; nil at the end.
  ///
  /// Empty lines are passed over.
  ///
  /// - Throws: ``Core/Diagnostic`` with the line and column where the text stops being JSON, or where a line is too long: the next call
  ///   goes on after that line. ``unreadable`` where nothing more can be read.
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
    var isTooLong = false
    while true {
      if let end = buffer[searched...].firstIndex(of: 0x0A) {
        let begin = start
        start = end + 1
        if isTooLong { throw tooLong() }
        return buffer[begin..<end]
      }
      if atEnd {
        let begin = start
        start = buffer.count
        if isTooLong { throw tooLong() }
        return begin < buffer.count ? buffer[begin...] : nil
      }
      if buffer.count - start > maximumBytes {
        isTooLong = true
        start = buffer.count
      }
      searched = buffer.count - start
      buffer.removeFirst(start)
      start = 0
      try fill()
    }
  }

  private func tooLong() -> Diagnostic {
    line += 1
    return Diagnostic("line-too-long", at: position, "a line is longer than the limit of \(maximumBytes) bytes")
  }

  private func fill() throws(Diagnostic) {
    var chunk = [UInt8](repeating: 0, count: 1 << 18)
    while true {
      let count = read(descriptor, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      if count < 0 { throw Diagnostic(Self.unreadable, at: nil, "`\(visible(path))`: cannot read: \(String(cString: strerror(errno)))") }
      if count == 0 { atEnd = true } else { buffer.append(contentsOf: chunk[..<count]) }
      return
    }
  }
}
