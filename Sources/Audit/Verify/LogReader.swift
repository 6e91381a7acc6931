import Core
import Storage

/// A stretch of the log as it is stored, not yet understood.
struct RawChunk: Sendable {
  /// One row of table `entry`; ranges lie in ``RawChunk/bytes``.
  struct Row: Sendable {
    let index: Int
    let time: Int64
    let type: Range<Int>
    let run: Range<Int>?
    let envelope: Range<Int>
    let leaf: Range<Int>
    /// Which of the checkers looks at it: always the same one for a run.
    let checker: Int
    /// Its rows of table `content`.
    var parts: Range<Int>
  }

  /// One row of table `content`; redacted ones have no bytes.
  struct Part: Sendable {
    let place: Int
    let name: Range<Int>
    let salt: Range<Int>
    let value: Range<Int>?
  }

  var rows: [Row] = []
  var parts: [Part] = []
  var bytes: [UInt8] = []
  var problems: [VerificationProblem] = []
  /// Whether the log ends with it.
  var isLast = false

  fileprivate mutating func keep(_ new: UnsafeRawBufferPointer) -> Range<Int> {
    let start = bytes.count
    bytes.append(contentsOf: new)
    return start..<bytes.count
  }

  fileprivate mutating func add(
    _ kind: VerificationProblem.Kind, _ entry: Int, _ message: String, _ expected: String? = nil, _ found: String? = nil
  ) {
    problems.append(VerificationProblem(kind: kind, entry: entry, message: message, expected: expected, found: found))
  }
}

/// Reads the log from its beginning, for others to check: the part of a verification that waits for the disk.
actor LogReader {
  private let executor = BlockingExecutor(label: "verify-read")
  private let path: String
  private let withContent: Bool
  /// The last entry to read.
  private let end: Int64
  private let checkers: Int
  private var connection: Connection?
  /// Where the next chunk begins.
  private var cursor = Int64.min
  /// The index that the next entry must have.
  private var position = 0

  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  init(path: String, withContent: Bool, end: Int64, checkers: Int) {
    self.path = path
    self.withContent = withContent
    self.end = end
    self.checkers = checkers
  }

  /// Entries of one chunk, and about how many bytes: a few chunks are in memory at once.
  private static var chunk: (entries: Int64, bytes: Int) { (2048, 3 << 20) }

  /// The next chunk, read in a transaction of its own, so that the write-ahead log can be reused meanwhile.
  func next() throws -> RawChunk {
    let connection = try open()
    var chunk = RawChunk()
    chunk.rows.reserveCapacity(Int(Self.chunk.entries))
    chunk.bytes.reserveCapacity(Self.chunk.bytes)
    try connection.begin(.deferred)
    defer { connection.rollback() }
    do {
      try read(connection, &chunk)
    } catch let error as StorageError where error.isDamage {
      chunk.add(.file, position, "cannot be read: \(error.message)")
      chunk.isLast = true
    }
    return chunk
  }

  private func open() throws -> Connection {
    if let connection { return connection }
    let fresh = try Connection(path: path, mode: .readOnly)
    try fresh.migrate(LogSchema.migrations, application: LogSchema.application)
    connection = fresh
    return fresh
  }

  func close() { connection?.close() }

  private func read(_ connection: Connection, _ chunk: inout RawChunk) throws {
    let rows = try connection.statement(
      #"SELECT "index", time, type, run, envelope, leaf FROM entry WHERE "index" >= ? AND "index" <= ? ORDER BY "index" LIMIT ?"#)
    let parts = try connection.statement("SELECT id, part, salt, bytes FROM content WHERE id >= ? AND id >> 8 <= ? ORDER BY id")
    defer {
      rows.reset()
      parts.reset()
    }
    try rows.bind(1, cursor)
    try rows.bind(2, end)
    try rows.bind(3, Self.chunk.entries)
    var content = ContentCursor(parts)
    if withContent {
      try parts.bind(1, cursor == .min ? .min : LogSchema.contentID(entry: Int(cursor), place: 0))
      try parts.bind(2, end)
      try content.advance()
    }
    while try rows.step() {
      try read(rows, &content, &chunk)
      if chunk.bytes.count >= Self.chunk.bytes { return }
    }
    if chunk.rows.count == Self.chunk.entries { return }
    chunk.isLast = true
    while content.isValid {
      chunk.add(.content, content.entry, "content part belongs to no entry")
      try content.advance()
    }
  }

  private func read(_ row: Statement, _ content: inout ContentCursor, _ chunk: inout RawChunk) throws {
    let index = Int(row.integer(0))
    if index != position {
      chunk.add(
        .index, position, index > position ? "is missing" : "has no place in the log", "index \(position)", "index \(index)")
    }
    cursor = Int64(index) + 1
    position = max(position, index + 1)
    let run = row.isNull(3) ? nil : chunk.keep(row.bytes(3))
    chunk.rows.append(
      RawChunk.Row(
        index: index, time: row.integer(1), type: chunk.keep(row.bytes(2)), run: run, envelope: chunk.keep(row.bytes(4)),
        leaf: chunk.keep(row.bytes(5)), checker: run.map { Self.hash(chunk.bytes[$0]) % checkers } ?? 0,
        parts: chunk.parts.count..<chunk.parts.count))
    while content.isValid, content.entry <= index {
      if content.entry == index {
        let row = content.row
        chunk.parts.append(
          RawChunk.Part(
            place: content.place, name: chunk.keep(row.bytes(1)), salt: chunk.keep(row.bytes(2)),
            value: row.isNull(3) ? nil : chunk.keep(row.bytes(3))))
      } else {
        chunk.add(.content, content.entry, "content part belongs to no entry")
      }
      try content.advance()
    }
    let last = chunk.rows.count - 1
    chunk.rows[last].parts = chunk.rows[last].parts.lowerBound..<chunk.parts.count
  }

  /// FNV-1a: spreads runs over the checkers, the same way each time.
  private static func hash(_ bytes: ArraySlice<UInt8>) -> Int {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return Int(truncatingIfNeeded: (hash ^ hash >> 32) & 0xffff_ffff)
  }
}

extension StorageError {
  /// Whether the file is to blame, so that it is a finding and not a failure.
  var isDamage: Bool { code == .corrupt || code == .inputOutput || code == .notAStore }
}

/// Walks over the content rows beside the entries.
private struct ContentCursor {
  let row: Statement
  private(set) var isValid = false
  private(set) var entry = -1
  private(set) var place = -1

  init(_ row: Statement) { self.row = row }

  mutating func advance() throws {
    isValid = try row.step()
    guard isValid else { return }
    let id = row.integer(0)
    entry = Int(id >> 8)
    place = Int(id & 255)
  }
}
