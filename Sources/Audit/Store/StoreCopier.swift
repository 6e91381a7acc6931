import Core
import Glibc
import Storage

/// Makes copies of a store and puts them back, on a thread of its own.
///
/// Nothing that a copy replaces is lost: it is kept beside the store under another name.
actor StoreCopier {
  /// What is known of the store that a copy is to replace, compared with the copy.
  struct Loss: Hashable, Sendable {
    /// The first entry that the copy lacks or has otherwise.
    var first: Int
    /// How many entries there are from that one on.
    var count: Int
  }

  private let executor = BlockingExecutor(label: "copy")

  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  /// Copies a store into a new file that only its owner can read, and brings the copy to this version.
  ///
  /// - Throws: `StorageError`; there is then no new file.
  func copy(_ path: String, to target: String) throws {
    let source = try Connection(path: path, mode: .readOnly)
    defer { source.close() }
    try Self.copy(source, to: target) { copy in
      try copy.migrate(LogSchema.migrations, application: LogSchema.application)
      try MerkleTiles.fill(copy)
    }
  }

  private static func copy(_ source: Connection, to target: String, finish: (Connection) throws -> Void = { _ in }) throws {
    if access(target, F_OK) == 0 { throw FileError.isThere(target) }
    do {
      let copy = try Connection(path: target, mode: .readWrite(create: true))
      defer { copy.close() }
      try source.copy(over: copy)
      try finish(copy)
      // One file, without a write-ahead log beside it.
      try copy.takeAlone()
    } catch {
      remove(target)
      throw error
    }
  }

  /// What would be lost if a copy replaced a store; nil where nothing would be.
  ///
  /// - Throws: ``AuditError`` with code ``AuditError/Code/forked`` where the copy contradicts the checkpoint that is kept beside the store.
  func loss(ofStore path: String, replacedBy copy: String) throws -> Loss? {
    let source = try Connection(path: copy, mode: .readOnly)
    defer { source.close() }
    let reader = ReadOnlyConnection(source)
    let size = try reader.first("SELECT size FROM head WHERE id = 0", []) { $0.int(0) } ?? 0
    let kept = try KeptCheckpoint.read(besideStore: path)
    if let kept, kept.size <= size { try KeptCheckpoint.check(kept, reader) }
    let (common, present) = try Self.readable(path) { try Self.compare(reader, ReadOnlyConnection($0)) } ?? (size, size)
    // What the checkpoint counts has been there, also where the store lost it.
    let known = max(present, kept?.size ?? 0)
    let first = min(common, size)
    return known > first ? Loss(first: first, count: known - first) : nil
  }

  /// Puts a copy in a store's place, in one transaction.
  ///
  /// - Parameters:
  ///   - path: The store; need not be there.
  ///   - copy: What is put in its place.
  ///   - keepsCheckpoint: Whether the checkpoint beside the store still holds.
  ///   - now: The time, in the name of what is replaced.
  /// - Returns: Where what was replaced is kept; nil where there was nothing.
  /// - Throws: `StorageError` with code `busy` where somebody has the store open; the store is then as it was.
  func replace(_ path: String, by copy: String, keepsCheckpoint: Bool, at now: Instant) throws -> String? {
    let source = try Connection(path: copy, mode: .readOnly)
    defer { source.close() }
    let isThere = access(path, F_OK) == 0
    let aside = "\(path).replaced-\(now.milliseconds)"
    let store: Connection
    if let present = try Self.openAlone(path) {
      store = present
      do { try Self.copy(store, to: aside) } catch {
        store.close()
        throw error
      }
    } else {
      // Not a database any more: nobody can have it open as a store.
      for suffix in ["", "-wal", "-shm", "-journal"] where access(path + suffix, F_OK) == 0 { try Self.move(path + suffix, aside + suffix) }
      store = try Connection(path: path, mode: .readWrite(create: true))
      try store.takeAlone()
    }
    defer { store.close() }
    let checkpoint = KeptCheckpoint.path(ofStore: path)
    if !keepsCheckpoint, access(checkpoint, F_OK) == 0 { try Self.move(checkpoint, KeptCheckpoint.path(ofStore: aside)) }
    try source.copy(over: store)
    return isThere ? aside : nil
  }

  /// Gives a copy its name, unless something has that name by now.
  func publish(_ copy: String, as target: String) throws {
    guard link(copy, target) == 0 else {
      throw FileError(.system, path: target, "cannot make it: \(String(cString: strerror(errno)))")
    }
    let slash = target.lastIndex(of: "/")
    let folder = open(slash.map { String(target[...$0]) } ?? ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if folder >= 0 {
      fsync(folder)
      Glibc.close(folder)
    }
  }

  /// Deletes a copy that is not needed any more.
  func remove(_ path: String) { Self.remove(path) }

  // MARK: Files

  private static func remove(_ path: String) { for suffix in ["", "-wal", "-shm", "-journal"] { unlink(path + suffix) } }

  private static func move(_ path: String, _ target: String) throws {
    guard rename(path, target) == 0 else { throw FileError(.system, path: path, "cannot move it: \(String(cString: strerror(errno)))") }
  }

  /// The store, for this process alone; nil where there is none, or it is so damaged that nobody can open it.
  private static func openAlone(_ path: String) throws -> Connection? {
    do throws(StorageError) {
      let connection = try Connection(path: path, mode: .readWrite(create: false), busyTimeout: .seconds(1))
      do throws(StorageError) {
        try connection.takeAlone()
        return connection
      } catch {
        connection.close()
        throw error
      }
    } catch {
      if error.code == .notFound || error.isDamage { return nil }
      throw error
    }
  }

  /// What a reader of a store finds; nil where there is none, or it cannot be read.
  private static func readable<R>(_ path: String, _ body: (Connection) throws -> R) throws -> R? {
    do {
      let connection = try Connection(path: path, mode: .readOnly)
      defer { connection.close() }
      return try body(connection)
    } catch let error as StorageError where error.code == .notFound || error.code == .misuse || error.isDamage {
      return nil
    }
  }

  /// How many entries two logs have in common from the beginning, and how many the second one has.
  private static func compare(_ one: ReadOnlyConnection, _ other: ReadOnlyConnection) throws -> (common: Int, size: Int) {
    let leaves = #"SELECT envelope, "index" FROM entry WHERE "index" >= ? ORDER BY "index" LIMIT 1000"#
    let size = try other.first(#"SELECT coalesce(max("index"), -1) + 1 FROM entry"#, []) { $0.int(0) } ?? 0
    var common = 0
    while true {
      let read = { (log: ReadOnlyConnection) in
        try log.query(leaves, [.int(common)]) { (digest: SHA256.hash($0.blob(0)), index: $0.int(1)) }
      }
      let (ours, theirs) = (try read(one), try read(other))
      let same = zip(ours, theirs).prefix { $0.digest == $1.digest && $0.index == $1.index }.count
      common += same
      if same < 1000 { return (common, max(size, common)) }
    }
  }
}

extension FileError {
  /// Something has the name that a new file was to have.
  static func isThere(_ path: String) -> FileError { FileError(.system, path: path, "a file is there already, and is not replaced") }
}
