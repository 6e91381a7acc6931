import Core
import Storage

/// The latest checkpoint that is kept beside a store, in a file of its own: who rolls the store back, or puts another one in its place, and
/// leaves that file finds that nothing more is appended.
public enum KeptCheckpoint {
  /// The file beside a store.
  public static func path(ofStore store: String) -> String { "\(store).checkpoint" }

  /// The note that is kept; nil where there is none.
  ///
  /// - Throws: `FileError`, ``AuditError`` for a file that is no checkpoint.
  public static func read(besideStore store: String) throws -> Checkpoint? {
    let bytes: [UInt8]
    do throws(FileError) {
      bytes = try RegularFile.read(path(ofStore: store), maximumBytes: 65_536)
    } catch {
      if error.code == .notFound { return nil }
      throw error
    }
    return try Checkpoint(parsing: String(decoding: bytes, as: UTF8.self))
  }

  /// Refuses a log that does not begin with the entries of a checkpoint.
  ///
  /// Both the old root and that of the log come from the same nodes, as in a consistency proof; that these are those of the entries is what
  /// verification shows.
  /// - Throws: ``AuditError`` with code ``AuditError/Code/forked``.
  /// - Complexity: O(log n) for n entries.
  static func check(_ checkpoint: Checkpoint, _ connection: ReadOnlyConnection) throws {
    let head = try connection.first("SELECT size, root FROM head WHERE id = 0", []) { (size: $0.int(0), root: $0.blob(1)) }
    guard let head else { return }
    let tiles = MerkleTiles(database: connection)
    guard head.size >= checkpoint.size else {
      throw contradiction("a checkpoint has \(checkpoint.size) entries, the store only \(head.size): it was rolled back")
    }
    guard try tiles.root(of: 0..<checkpoint.size) == checkpoint.root, try tiles.root(of: 0..<head.size).bytes == head.root else {
      throw contradiction("the first \(checkpoint.size) entries are not those of a checkpoint: this is another log")
    }
  }

  private static func contradiction(_ message: String) -> AuditError {
    AuditError(
      .forked, message,
      hint: "nothing is appended; `remit audit verify` says more, and a copy of the right store can be put back")
  }
}

extension AuditStore {
  /// Whether the log begins with the entries of a checkpoint.
  ///
  /// - Throws: ``AuditError`` with code ``AuditError/Code/forked`` where it does not.
  public nonisolated func check(_ checkpoint: Checkpoint) async throws {
    try await read { try KeptCheckpoint.check(checkpoint, $0.database) }
  }

  /// Keeps a checkpoint of this log beside the store, unless a later one is kept already.
  ///
  /// - Parameter note: The checkpoint, with its signatures if it has any.
  /// - Throws: ``AuditError`` where the log contradicts it or the one that is kept; `FileError`.
  public nonisolated func keep(_ note: String) async throws {
    let checkpoint = try Checkpoint(parsing: note)
    try await check(checkpoint)
    if let kept = try KeptCheckpoint.read(besideStore: path) {
      try await check(kept)
      if kept.size >= checkpoint.size { return }
    }
    try RegularFile.writeAtomically(Array(note.utf8), to: KeptCheckpoint.path(ofStore: path), mode: 0o600)
  }
}
