import Core
import Glibc
import Storage

/// Reads the log from its beginning and checks every entry by itself: the half of a verification that reads and hashes.
actor LogScanner {
  /// A run of entries that are in order, and whether they are the last.
  struct Chunk: Sendable {
    var entries: [Entry] = []
    var isLast = false
  }

  private let executor = BlockingExecutor(label: "verify-scan")
  private let path: String
  private let options: VerificationOptions
  private var report = VerificationReport()
  private var connection: Connection?
  private var frontier = MerkleFrontier()
  private var position = 0
  private var lastTime = Int64.min
  private var decoder = EnvelopeDecoder()
  private var evidence: [Digest: Named] = [:]
  private var missing: [(entry: Int, part: String)] = []
  private var redactions: Set<Part> = []
  private var checkpointSeen = false

  /// Evidence as the first entry that names it describes it.
  private struct Named: Sendable {
    let entry: Int
    let media: String
    let size: Int
  }

  private struct Part: Hashable, Sendable {
    let entry: Int
    let part: ExactString
  }

  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  init(path: String, options: VerificationOptions) {
    self.path = path
    self.options = options
  }

  private func open() throws -> Connection {
    if let connection { return connection }
    let fresh = try Connection(path: path, mode: .readOnly)
    try fresh.migrate(LogSchema.migrations, application: LogSchema.application)
    connection = fresh
    return fresh
  }

  // MARK: Entries

  /// The next entries.
  ///
  /// Each chunk is read in a transaction of its own, so that the write-ahead log can be reused meanwhile; that of the last one stays open
  /// until ``finish(_:)``, which compares what must belong to the same moment.
  func next(_ count: Int) throws -> Chunk {
    let connection = try open()
    var chunk = Chunk()
    chunk.entries.reserveCapacity(count)
    try connection.begin(.deferred)
    do {
      try read(count, connection, &chunk)
    } catch let error as StorageError where error.code == .corrupt || error.code == .inputOutput || error.code == .notAStore {
      report.add(.file, position, "cannot be read: \(error.message)")
      chunk.isLast = true
    }
    if !chunk.isLast { try connection.commit() }
    return chunk
  }

  private func read(_ count: Int, _ connection: Connection, _ chunk: inout Chunk) throws {
    let rows = try connection.statement(
      #"SELECT "index", time, type, run, envelope, leaf FROM entry WHERE "index" >= ? ORDER BY "index" LIMIT ?"#)
    let parts = try connection.statement("SELECT id, part, salt, bytes FROM content WHERE id >= ? ORDER BY id")
    defer {
      rows.reset()
      parts.reset()
    }
    try rows.bind(1, Int64(position))
    try rows.bind(2, Int64(count))
    var content = ContentCursor(parts)
    if options.content {
      try parts.bind(1, LogSchema.contentID(entry: position, place: 0))
      try content.advance()
    }
    var seen = 0
    while try rows.step() {
      seen += 1
      let before = report.problemCount
      let entry = try check(rows, &content)
      if let entry, report.problemCount == before { chunk.entries.append(entry) }
      if let checkpoint = options.checkpoint, checkpoint.size == frontier.size { compare(checkpoint) }
      report.entries += 1
    }
    if seen < count {
      chunk.isLast = true
      // What is left belongs to no entry.
      while options.content, content.isValid {
        report.add(.content, content.entry, "content part belongs to no entry")
        try content.advance()
      }
    }
  }

  /// Checks one row; `nil` when it cannot be understood.
  private func check(_ row: Statement, _ content: inout ContentCursor) throws -> Entry? {
    let index = Int(row.integer(0))
    if index != position {
      let message = index > position ? "is missing" : "has no place in the log"
      report.add(.index, position, message, expected: "index \(position)", found: "index \(index)")
    }
    position = index + 1
    let envelope: Envelope
    do throws(AuditError) {
      envelope = try decoder.decode(row.bytes(4))
    } catch {
      report.add(.envelope, index, error.message)
      frontier.append(leaf(of: row.bytes(4)))
      try skipContent(of: index, &content)
      return nil
    }
    let leaf = leaf(of: row.bytes(4))
    if !leaf.withBytes({ same($0, row.bytes(5)) }) {
      report.add(.leaf, index, "the leaf hash is not that of the envelope", expected: leaf.hex, found: hexText(row.bytes(5)))
    }
    frontier.append(leaf)
    checkColumns(row, envelope, index)
    if envelope.time < lastTime {
      report.add(.time, index, "log time falls", expected: "\(lastTime) or later", found: "\(envelope.time)")
    }
    lastTime = max(lastTime, envelope.time)
    let values = options.content ? try checkContent(of: envelope, index, &content) : []
    for piece in envelope.evidence where evidence[piece.digest] == nil {
      evidence[piece.digest] = Named(entry: index, media: piece.media, size: piece.size)
    }
    if envelope.type.hasPrefix("content.redacted@"), let entry = envelope.body["entry"]?.intValue,
      let part = envelope.body["part"]?.stringValue
    {
      redactions.insert(Part(entry: Int(entry), part: ExactString(part)))
    }
    return Entry(
      index: index, time: Instant(milliseconds: envelope.time), type: envelope.type, run: envelope.run, principal: envelope.principal,
      release: envelope.release, body: envelope.body, content: values, evidence: envelope.evidence, leaf: leaf)
  }

  private func checkColumns(_ row: Statement, _ envelope: Envelope, _ index: Int) {
    if envelope.index != index {
      report.add(.column, index, "the envelope belongs to another place", expected: "index \(index)", found: "index \(envelope.index)")
    }
    if envelope.time != row.integer(1) {
      report.add(.column, index, "column `time` differs from the envelope", expected: "\(envelope.time)", found: "\(row.integer(1))")
    }
    if !equal(envelope.type, row.bytes(2)) {
      report.add(.column, index, "column `type` differs from the envelope", expected: envelope.type, found: visible(row.text(2) ?? "NULL"))
    }
    let isSameRun = envelope.run.map { !row.isNull(3) && equal($0, row.bytes(3)) } ?? row.isNull(3)
    if !isSameRun {
      report.add(
        .column, index, "column `run` differs from the envelope", expected: envelope.run ?? "NULL", found: visible(row.text(3) ?? "NULL"))
    }
  }

  // MARK: Content

  private func checkContent(of envelope: Envelope, _ index: Int, _ content: inout ContentCursor) throws -> [Content] {
    while content.isValid, content.entry < index {
      report.add(.content, content.entry, "content part belongs to no entry")
      try content.advance()
    }
    if envelope.commitments.isEmpty, !content.isValid || content.entry > index { return [] }
    var values: [Content] = []
    values.reserveCapacity(envelope.commitments.count)
    for place in 0..<envelope.commitments.count {
      let (part, digest) = envelope.commitments[place]
      guard content.isValid, content.entry == index, content.place == place else {
        missing.append((index, part))
        values.append(Content(redacted: part))
        continue
      }
      let row = content.row
      if !equal(part, row.bytes(1)) {
        report.add(.content, index, "content part has another name", expected: visible(part), found: visible(row.text(1) ?? "NULL"))
      }
      if row.isNull(3) {
        missing.append((index, part))
        values.append(Content(redacted: part))
      } else {
        let found = Commitment.digest(salt: row.bytes(2), bytes: row.bytes(3))
        if found != digest {
          report.add(
            .content, index, "content part `\(visible(part))` is not what the envelope commits to", expected: digest.hex, found: found.hex)
        }
        values.append(Content(part, [UInt8](row.bytes(3))))
      }
      try content.advance()
    }
    while content.isValid, content.entry == index {
      report.add(.content, index, "has a content part that the envelope does not name", found: visible(content.row.text(1) ?? "NULL"))
      try content.advance()
    }
    return values
  }

  private func skipContent(of index: Int, _ content: inout ContentCursor) throws {
    while content.isValid, content.entry <= index { try content.advance() }
  }

  // MARK: The end

  /// Compares what concerns the whole log with the projections that the folds gave, if there were any, and closes.
  func finish(_ rebuilt: RebuiltProjections?) throws -> VerificationReport {
    let connection = try open()
    defer {
      connection.rollback()
      connection.close()
    }
    report.root = frontier.root
    do {
      try checkHead(connection)
      for part in missing {
        if redactions.contains(Part(entry: part.entry, part: ExactString(part.part))) {
          report.redacted += 1
        } else {
          report.add(.content, part.entry, "content part `\(visible(part.part))` is gone, and no redaction is recorded")
        }
      }
      if options.evidence { try checkEvidence(connection) }
      if let rebuilt {
        for problem in try rebuilt.differences(from: connection) { report.add(problem) }
      }
      if options.pages { try checkPages(connection) }
    } catch let error as StorageError where error.code == .corrupt || error.code == .inputOutput {
      report.add(.file, nil, "cannot be read: \(error.message)")
    }
    report.sort()
    return report
  }

  private func checkHead(_ connection: Connection) throws {
    if let checkpoint = options.checkpoint, !checkpointSeen {
      if checkpoint.size == 0 {
        compare(checkpoint)
      } else {
        report.add(
          .checkpoint, report.entries, "the log is shorter than the checkpoint: its end was cut off",
          expected: "\(checkpoint.size) entries", found: "\(report.entries) entries")
      }
    }
    let head = try connection.first("SELECT size, root, frontier, (SELECT count(*) FROM head) FROM head WHERE id = 0") {
      (size: $0.int(0), root: $0.blob(1), frontier: $0.blob(2), count: $0.int(3))
    }
    guard let head, head.count == 1 else {
      report.add(.head, nil, "the log has no head, or more than one")
      return
    }
    if head.size != frontier.size {
      // The first entry that only one of the two knows.
      report.add(
        .head, min(head.size, frontier.size), head.size > frontier.size ? "is missing at the end" : "lies beyond the head of the log",
        expected: "\(head.size) entries", found: "\(frontier.size) entries")
    } else if head.root != frontier.root.bytes {
      report.add(
        .head, nil, "the stored root is not that of the entries", expected: frontier.root.hex,
        found: head.root.withUnsafeBytes { hexText($0) })
    } else if head.frontier != frontier.bytes {
      report.add(.head, nil, "the stored frontier is not that of the entries")
    }
  }

  private func compare(_ checkpoint: Checkpoint) {
    checkpointSeen = true
    if frontier.root != checkpoint.root {
      report.add(
        .checkpoint, nil, "the first \(checkpoint.size) entries are not those of the checkpoint", expected: checkpoint.root.hex,
        found: frontier.root.hex)
    }
  }

  private func checkEvidence(_ connection: Connection) throws {
    var seen: Set<Digest> = []
    try connection.forEach("SELECT rowid, sha256, media, size, length(bytes) FROM evidence ORDER BY rowid") { row in
      let digest = Digest(row.bytes(1))
      let named = digest.flatMap { evidence[$0] }
      let shown = "evidence \(hexText(row.bytes(1)))"
      if let digest { seen.insert(digest) }
      var hash = SHA256()
      try connection.readBlob(of: "evidence", column: "bytes", row: row.integer(0)) { hash.update($0) }
      let found = hash.finalize()
      report.evidence += 1
      guard let named else {
        return report.add(.evidence, nil, "\(shown) is named by no entry")
      }
      if found != digest {
        report.add(.evidence, named.entry, "\(shown) is not what its digest says", expected: digest?.hex, found: found.hex)
      }
      if row.int(3) != named.size || row.int(4) != named.size {
        report.add(
          .evidence, named.entry, "\(shown) has another size", expected: "\(named.size)", found: "\(row.int(3)), in fact \(row.int(4))")
      }
      if !equal(named.media, row.bytes(2)) {
        report.add(.evidence, named.entry, "\(shown) has another media type", expected: visible(named.media), found: visible(row.text(2)))
      }
    }
    for (digest, named) in evidence.sorted(by: { ($0.value.entry, $0.key) < ($1.value.entry, $1.key) }) where !seen.contains(digest) {
      report.add(.evidence, named.entry, "evidence \(digest.hex) is gone")
    }
  }

  private func checkPages(_ connection: Connection) throws {
    for line in try connection.query("PRAGMA integrity_check(10)", [], { $0.text(0) }) where line != "ok" {
      report.add(.file, nil, "the database file is damaged: \(visible(line))")
    }
  }

  // MARK: Small things

  /// The leaf hash of an envelope.
  private func leaf(of envelope: UnsafeRawBufferPointer) -> Digest {
    withUnsafeTemporaryAllocation(byteCount: envelope.count + 1, alignment: 16) { block in
      block[0] = 0
      UnsafeMutableRawBufferPointer(rebasing: block[1...]).copyMemory(from: envelope)
      return SHA256.hash(UnsafeRawBufferPointer(block))
    }
  }

  private func same(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeRawBufferPointer) -> Bool {
    guard a.count == b.count else { return false }
    guard let first = a.baseAddress, let second = b.baseAddress else { return true }
    return memcmp(first, second, a.count) == 0
  }

  private func equal(_ text: String, _ bytes: UnsafeRawBufferPointer) -> Bool {
    var text = text
    return text.withUTF8 { same($0, bytes) }
  }

  private func hexText(_ bytes: UnsafeRawBufferPointer) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var out: [UInt8] = []
    for byte in bytes.prefix(32) { out += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
    return String(decoding: out, as: UTF8.self)
  }
}

/// Walks over the content rows beside the entries.
struct ContentCursor {
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
