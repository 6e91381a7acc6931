import Core
import Storage

/// Writes entries inside an open transaction: envelope, commitments, leaf, evidence, head.
///
/// Holds the head of the log between transactions. After a rollback or a failed commit call ``forget()``.
final class LogAppender {
  let connection: Connection
  let random: RandomSource?
  private(set) var frontier = MerkleFrontier()
  /// The time of the last entry, in milliseconds.
  private(set) var lastTime: Int64 = .min
  private var isLoaded = false
  /// What was committed, to return to when a transaction is undone.
  private var committed: (frontier: MerkleFrontier, lastTime: Int64)?

  private let writer = CanonicalWriter()
  private var salts = SaltBuffer()
  private let insertEntry: Statement
  private let insertContent: Statement
  private let readHead: Statement
  private let updateHead: Statement

  init(connection: Connection, random: RandomSource?) throws(StorageError) {
    self.connection = connection
    self.random = random
    insertEntry = try connection.prepare(#"INSERT INTO entry ("index", time, type, run, envelope, leaf) VALUES (?, ?, ?, ?, ?, ?)"#)
    insertContent = try connection.prepare("INSERT INTO content (id, part, salt, bytes) VALUES (?, ?, ?, ?)")
    readHead = try connection.prepare("SELECT size, root, frontier FROM head WHERE id = 0")
    updateHead = try connection.prepare("UPDATE head SET size = ?, root = ?, frontier = ? WHERE id = 0")
  }

  /// The number of entries, those of the open transaction included.
  var size: Int { frontier.size }

  /// Reads the head at the beginning of a transaction.
  ///
  /// - Returns: The number of entries that this process had seen; `nil` when it had seen none yet. Other processes appended the rest.
  /// - Throws: ``AuditError/Code/forked`` when the stored log is not a continuation of the one that this process knew.
  /// - Complexity: O(m) hashes for m entries of other processes.
  func begin() throws -> Int? {
    let known = isLoaded ? frontier.size : nil
    guard try readHead.step() else { throw AuditError(.damaged, "the store has no head") }
    defer { readHead.reset() }
    let size = Int(readHead.integer(0))
    if let known {
      if size < known { throw Self.forked(known, size) }
      if size > known {
        let sql = #"SELECT leaf, time FROM entry WHERE "index" >= ? AND "index" < ? ORDER BY "index""#
        try connection.forEach(sql, [.int(known), .int(size)]) {
          guard let leaf = Digest($0.bytes(0)) else { throw Self.forked(known, size) }
          frontier.append(leaf)
          lastTime = $0.integer(1)
        }
      }
      let isSame = frontier.size == size && frontier.root.withBytes { $0.elementsEqual(readHead.bytes(1)) }
      guard isSame else {
        undo()
        throw Self.forked(known, size)
      }
    } else {
      guard let stored = MerkleFrontier(size: size, bytes: readHead.blob(2) ?? []), stored.root.bytes == readHead.blob(1) else {
        throw AuditError(.damaged, "the head of the log contradicts itself", hint: "run `remit audit verify`")
      }
      frontier = stored
      lastTime = size == 0 ? .min : try time(of: size - 1)
      isLoaded = true
    }
    committed = (frontier, lastTime)
    return known
  }

  private func time(of index: Int) throws -> Int64 {
    guard let time = try connection.first(#"SELECT time FROM entry WHERE "index" = ?"#, [.int(index)], { $0.integer(0) }) else {
      throw AuditError(.damaged, "entry \(index) is missing", hint: "run `remit audit verify`", entry: index)
    }
    return time
  }

  private static func forked(_ known: Int, _ found: Int) -> AuditError {
    AuditError(
      .forked, "the log was replaced or rolled back: this process knew \(known) entries, the store now holds another log of \(found)",
      hint: "nothing more is appended; compare the file with your last checkpoint: `remit audit verify`")
  }

  /// Log time for the next entry.
  func logTime(_ now: Instant) -> Instant { Instant(milliseconds: max(now.milliseconds, lastTime)) }

  /// Appends one entry to the open transaction.
  ///
  /// - Parameters:
  ///   - draft: A validated draft.
  ///   - time: From ``logTime(_:)``.
  /// - Returns: The entry, and about how many bytes it takes in the store.
  /// - Throws: ``AuditError``, `StorageError`; the transaction must then be rolled back.
  func append(_ draft: EntryDraft, time: Instant) throws -> (entry: Entry, bytes: Int) {
    let index = frontier.size
    var envelope = Envelope(
      index: index, time: time.milliseconds, type: draft.type, run: draft.run, principal: draft.principal, release: draft.release,
      body: JSONView(.object(draft.body)), commitments: [], evidence: draft.evidence.isEmpty ? [] : draft.evidence.map(\.reference))
    if !draft.content.isEmpty { envelope.commitments.reserveCapacity(draft.content.count) }
    var place = 0
    var size = 256
    for part in draft.content {
      size += part.bytes?.count ?? 0
      envelope.commitments.append((part.part, try insert(part, entry: index, place: place)))
      place += 1
    }
    for piece in draft.evidence {
      try EvidenceWriter.store(piece, in: connection)
      size += piece.reference.size
    }

    writer.reset()
    writer.byte(0)  // the leaf prefix of RFC 6962, so that one buffer is hashed as it lies
    do throws(NotRepresentable) {
      try envelope.write(to: writer)
    } catch {
      throw AuditError(.invalidDraft, "entry of type `\(draft.type)`: \(error)")
    }
    guard writer.count <= AuditLimits.envelopeBytes else {
      throw AuditError(
        .invalidDraft, "entry of type `\(draft.type)` has an envelope of \(writer.count) bytes, the limit is \(AuditLimits.envelopeBytes)",
        hint: "move large values into content parts")
    }
    size += writer.count
    let leaf = SHA256.hash(writer.written)
    try insert(UnsafeRawBufferPointer(rebasing: writer.written[1...]), leaf, index, time, draft)
    try frontier.append(leaf) { try MerkleTiles.insert($0, $1, connection) }
    lastTime = time.milliseconds
    let entry = Entry(
      index: index, time: time, type: draft.type, run: draft.run, principal: draft.principal, release: draft.release,
      bodyView: envelope.body,
      content: draft.content, evidence: envelope.evidence, leaf: leaf)
    return (entry, size)
  }

  private func insert(_ envelope: UnsafeRawBufferPointer, _ leaf: Digest, _ index: Int, _ time: Instant, _ draft: EntryDraft) throws {
    var type = draft.type
    var run = draft.run ?? ""
    try leaf.withBytes { leaf in
      try type.withUTF8 { type in
        try run.withUTF8 { run in
          try insertEntry.bind(1, Int64(index))
          try insertEntry.bind(2, time.milliseconds)
          try insertEntry.bind(3, borrowing: type)
          if draft.run != nil { try insertEntry.bind(4, borrowing: run) } else { try insertEntry.bindNull(4) }
          try insertEntry.bind(5, borrowing: envelope)
          try insertEntry.bind(6, borrowing: UnsafeRawBufferPointer(leaf))
          try insertEntry.run()
        }
      }
    }
  }

  private func insert(_ part: Content, entry: Int, place: Int) throws -> Digest {
    guard let bytes = part.bytes else { throw AuditError(.invalidDraft, "content part `\(visible(part.part))` has no bytes") }
    return try bytes.withUnsafeBytes { bytes in
      try withUnsafeTemporaryAllocation(byteCount: 16, alignment: 8) { salt in
        salts.fill(salt, from: random)
        let salt = UnsafeRawBufferPointer(salt)
        try insertContent.bind(1, LogSchema.contentID(entry: entry, place: place))
        try insertContent.bind(3, borrowing: salt)
        try insertContent.bind(4, borrowing: bytes)
        var name = part.part
        try name.withUTF8 { name in
          try insertContent.bind(2, borrowing: name)
          try insertContent.run()
        }
        return Commitment.digest(salt: salt, bytes: bytes)
      }
    }
  }

  /// Writes the head, as the last statement before the commit.
  func finish() throws {
    try updateHead.bind(1, Int64(frontier.size))
    try frontier.root.withBytes { root in
      try frontier.bytes.withUnsafeBytes { peaks in
        try updateHead.bind(2, borrowing: UnsafeRawBufferPointer(root))
        try updateHead.bind(3, borrowing: peaks)
        try updateHead.run()
      }
    }
  }

  /// Keeps what was appended, after the commit.
  func commit() { committed = (frontier, lastTime) }

  /// Returns to the head at the beginning of the transaction that failed.
  ///
  /// Should the failed commit have reached the disk after all, the next ``begin()`` finds its entries as if another process had appended
  /// them; and it still finds a log that was exchanged meanwhile.
  func undo() {
    if let committed { (frontier, lastTime) = committed } else { isLoaded = false }
  }
}
