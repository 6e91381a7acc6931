internal import Core

/// The stretch of a stream that a scanner looks at: it begins with the token at hand and is as long as that needs.
///
/// A zero byte stands behind the last one, so that scanning loops stop by themselves; `place == count` tells it from one in the file.
struct XMLWindow: ~Copyable {
  enum Answer { case yes, no, unknown }

  private let source: ByteSource
  private let file: String?
  private let limit: Int
  /// The bytes; ``count`` of them, then zeros.
  private(set) var base: UnsafeMutablePointer<UInt8>
  private var capacity: Int
  private(set) var count = 0
  private(set) var isEnded = false
  /// Where the token at hand begins.
  var place = 0
  /// Where the window begins in the stream.
  private var origin = SourcePosition()
  private var marks: [Mark] = []

  private struct Mark {
    var offset = 0
    var position: SourcePosition?
  }

  /// Zeros behind the bytes: scanning reads eight at a time.
  private static let padding = 16

  init(_ source: ByteSource, file: String?, limit: Int) {
    self.source = source
    self.file = file
    self.limit = limit
    capacity = 1 << 12
    base = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity + Self.padding)
    base.initialize(repeating: 0, count: capacity + Self.padding)
    marks = [Mark(position: SourcePosition()), Mark(position: SourcePosition())]
  }

  deinit { base.deallocate() }

  func bytes(_ start: Int, _ end: Int) -> UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: base + start, count: end - start) }

  /// Drops what lies before the token at hand, and reads on until the window holds twice as much of it.
  ///
  /// - Throws: `Diagnostic` where the stream has ended or the token is longer than the limit; what the source throws.
  /// - Complexity: O(bytes read), amortized over the length of a token.
  mutating func refill() throws {
    let held = count - place
    if isEnded { throw failure("xml-truncated", count, "the file ends in the middle of a tag or a text", "is it complete?") }
    if held > limit {
      throw failure("xml-limit", place, "a tag, a comment or a text is longer than \(limit) bytes", "is a quote or a `>` missing?")
    }
    discard()
    repeat {
      let chunk = try source.next()
      if chunk.isEmpty {
        isEnded = true
        break
      }
      append(chunk)
    } while count < held * 2
  }

  private mutating func discard() {
    // From the first place to the last, so that each byte is looked at once.
    var (passed, reached) = (0, origin)
    let due = marks.indices.filter { marks[$0].position == nil && marks[$0].offset < origin.offset + place }
    for index in due.sorted(by: { marks[$0].offset < marks[$1].offset }) {
      let next = marks[index].offset - origin.offset
      reached = moved(reached, passed, next)
      passed = next
      marks[index].position = reached
      marks[index].position?.file = file
    }
    origin = moved(reached, passed, place)
    base.update(from: base + place, count: count - place)
    count -= place
    place = 0
    (base + count).update(repeating: 0, count: Self.padding)
  }

  private mutating func append(_ chunk: [UInt8]) {
    if count + chunk.count > capacity {
      capacity = max(count + chunk.count, capacity * 2)
      let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity + Self.padding)
      larger.initialize(repeating: 0, count: capacity + Self.padding)
      larger.update(from: base, count: count)
      base.deallocate()
      base = larger
    }
    chunk.withUnsafeBufferPointer { new in
      if let start = new.baseAddress { (base + count).update(from: start, count: new.count) }
    }
    count += chunk.count
    (base + count).update(repeating: 0, count: Self.padding)
  }

  // MARK: Looking

  /// Whether the window goes on with an ASCII text at a place; unknown where it ends before that is clear.
  func startsWith(_ text: StaticString, at place: Int) -> Answer {
    for offset in 0..<text.utf8CodeUnitCount {
      if place + offset == count { return .unknown }
      if base[place + offset] != text.utf8Start[offset] { return .no }
    }
    return .yes
  }

  /// Where an ASCII text stands first from a place on.
  func find(_ text: StaticString, from start: Int) -> Int? {
    let first = text.utf8Start[0]
    var place = start
    while place < count {
      if base[place] == first, startsWith(text, at: place) == .yes { return place }
      place += 1
    }
    return nil
  }

  func contains(_ byte: UInt8, from start: Int) -> Bool { bytes(start, count).contains(byte) }

  // MARK: Positions

  /// The position of a place in the window.
  ///
  /// - Complexity: O(place).
  func position(_ place: Int) -> SourcePosition {
    var result = moved(origin, 0, place)
    result.file = file
    return result
  }

  /// A position moved over the bytes between two places.
  private func moved(_ position: SourcePosition, _ start: Int, _ place: Int) -> SourcePosition {
    var result = position
    result.offset += place - start
    let lines = XMLText.countLines(bytes(start, place))
    var lineStart = start
    if lines > 0 {
      result.line += lines
      result.column = 1
      lineStart = place
      while base[lineStart - 1] != 0x0A { lineStart -= 1 }
    }
    for index in lineStart..<place where base[index] & 0xC0 != 0x80 { result.column += 1 }
    return result
  }

  /// Remembers a place, under 0 or 1, so that ``markedPosition(_:)`` can tell it when the window has moved on.
  @inline(__always)
  mutating func mark(_ index: Int, at place: Int) { marks[index] = Mark(offset: origin.offset + place) }

  /// The position that was marked last.
  func markedPosition(_ index: Int) -> SourcePosition {
    marks[index].position ?? position(marks[index].offset - origin.offset)
  }

  func failure(_ code: String, _ place: Int, _ message: String, _ hint: String? = nil) -> Diagnostic {
    Diagnostic(code, at: position(place), message, hint: hint)
  }
}
