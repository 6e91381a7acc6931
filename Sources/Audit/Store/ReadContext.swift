public import Core
public import Storage

/// One consistent view of the store: all that was committed when it began, and nothing later.
///
/// Valid only during the call that receives it.
public final class ReadContext<Meaning: Ledger> {
  /// How many entries the log has in this view, and the root over them.
  public let head: LogHead
  /// Reads tables of the store, projections above all.
  public let database: ReadOnlyConnection

  private let reader: EntryReader
  private let memory: ReaderMemory<Meaning>

  init(reader: EntryReader, memory: ReaderMemory<Meaning>) throws {
    head = try reader.head()
    database = ReadOnlyConnection(reader.connection)
    self.reader = reader
    self.memory = memory
  }

  /// The state shared by all runs.
  ///
  /// - Throws: When the log cannot be folded.
  /// - Complexity: O(m) over the m entries without a run that came since this reader last asked.
  public func shared() throws -> Meaning.Shared {
    let (state, folded) = memory.shared ?? (Meaning.start(), 0)
    if folded == head.size, memory.shared != nil { return state }
    var fresh = folded <= head.size ? state : Meaning.start()
    memory.shared = nil
    try reader.forEach(run: nil, in: (folded <= head.size ? folded : 0)..<head.size) { try Meaning.apply($0, to: &fresh) }
    memory.shared = (fresh, head.size)
    return fresh
  }

  /// The state of a run, `nil` when the run has no entries.
  ///
  /// - Throws: When the log cannot be folded.
  /// - Complexity: O(m) over the run's m entries.
  public func run(_ id: String) throws -> Meaning.Run? {
    var state: Meaning.Run?
    try reader.forEach(run: id, in: 0..<head.size) { try Meaning.apply($0, to: &state) }
    return state
  }

  /// The entries of a run by index, oldest first.
  ///
  /// - Complexity: O(m) for m entries.
  public func history(of run: String) throws -> [Entry] {
    var entries: [Entry] = []
    try reader.forEach(run: run, in: 0..<head.size) { entries.append($0) }
    return entries
  }

  /// The entry at an index; `nil` when there is none.
  public func entry(at index: Int) throws -> Entry? { index < head.size ? try reader.entry(at: index) : nil }

  /// Walks over entries by index; those of a run when one is named.
  ///
  /// - Parameters:
  ///   - range: The indices; those beyond the end are left out.
  ///   - run: Only entries of this run.
  ///   - body: Receives each entry.
  /// - Throws: What the store or `body` throws; the walk then ends.
  public func forEachEntry(in range: Range<Int>, of run: String? = nil, _ body: (Entry) throws -> Void) throws {
    let range = range.clamped(to: 0..<head.size)
    if let run { try reader.forEach(run: run, in: range, body) } else { try reader.forEach(in: range, body) }
  }

  /// Walks over the entries that belong to no run.
  public func forEachSharedEntry(in range: Range<Int>, _ body: (Entry) throws -> Void) throws {
    try reader.forEach(run: nil, in: range.clamped(to: 0..<head.size), body)
  }

  /// The leaf hashes of a range, for proofs.
  ///
  /// - Complexity: O(n).
  public func leaves(in range: Range<Int>) throws -> [Digest] {
    let range = range.clamped(to: 0..<head.size)
    return try database.query(
      #"SELECT leaf FROM entry WHERE "index" >= ? AND "index" < ? ORDER BY "index""#, [.int(range.lowerBound), .int(range.upperBound)]
    ) { row in
      guard let leaf = Digest(row.blob(0)) else { throw AuditError(.damaged, "a stored leaf hash does not have 32 bytes") }
      return leaf
    }
  }

  /// The canonical bytes of an entry's envelope, which its leaf covers; `nil` when there is no such entry.
  public func envelope(at index: Int) throws -> [UInt8]? {
    try database.first(#"SELECT envelope FROM entry WHERE "index" = ?"#, [.int(index)]) { $0.blob(0) }
  }

  /// The salt of a content part, which a reader needs to check its commitment; `nil` when there is no such part or it was redacted.
  public func salt(of part: String, entry: Int) throws -> [UInt8]? {
    let first = LogSchema.contentID(entry: entry, place: 0)
    let rows = try database.query(
      "SELECT part, salt FROM content WHERE id >= ? AND id < ?", [.integer(first), .integer(first + 256)]
    ) { ($0.text(0), $0.optionalBlob(1)) }
    return rows.first { bytesEqual($0.0, part) }?.1
  }

  /// The bytes of stored evidence; `nil` when there is none with this digest.
  public func evidence(_ digest: Digest) throws -> [UInt8]? {
    try database.first("SELECT bytes FROM evidence WHERE sha256 = ?", [.blob(digest.bytes)]) { $0.blob(0) }
  }

  /// The log as a checkpoint of an origin that ``Checkpoint/isOrigin(_:)`` accepts.
  public func checkpoint(origin: String) -> Checkpoint { Checkpoint(origin: origin, size: head.size, root: head.root) }

  /// The proof that an entry is part of the log as of ``head``.
  ///
  /// - Complexity: O(log n) rows and hashes for n entries.
  public func inclusionProof(of index: Int) throws -> [Digest]? {
    let tiles = MerkleTiles(database: database)
    return try MerkleTree.inclusionProof(of: index, size: head.size) { try tiles.root(of: $0) }
  }

  /// The proof that the log as of ``head`` continues the one that had `size` entries; `nil` when it has fewer.
  ///
  /// - Complexity: O(log n) rows and hashes for n entries.
  public func consistencyProof(from size: Int) throws -> [Digest]? {
    let tiles = MerkleTiles(database: database)
    return try MerkleTree.consistencyProof(from: size, to: head.size) { try tiles.root(of: $0) }
  }

  /// The root over the first `size` entries; `nil` when there are fewer.
  ///
  /// - Complexity: O(log n) rows and hashes for n entries.
  public func root(of size: Int) throws -> Digest? {
    guard size >= 0, size <= head.size else { return nil }
    return try MerkleTiles(database: database).root(of: 0..<size)
  }
}

/// What a reader keeps between two views.
final class ReaderMemory<Meaning: Ledger> {
  var shared: (state: Meaning.Shared, folded: Int)?
}
