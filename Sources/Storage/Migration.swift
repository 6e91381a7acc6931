import Core

/// One step from a store's version to the next: append to the list, never edit an entry that was released.
public struct Migration: Sendable {
  /// The version that the store has afterwards; the list counts 1, 2, 3, ….
  public let version: Int
  /// A script of statements.
  public let script: String

  /// Makes a step.
  public init(_ version: Int, _ script: String) {
    self.version = version
    self.script = script
  }
}

extension Connection {
  /// Brings the store to the last version of `migrations`; each process that opens the store calls this first.
  ///
  /// - Parameters:
  ///   - migrations: All steps since the first, in order.
  ///   - application: What tells this kind of store from other SQLite databases (`PRAGMA application_id`).
  /// - Throws: ``StorageError``: ``StorageError/Code/newerVersion`` when a newer build wrote the store,
  ///   ``StorageError/Code/notAStore`` when the file is another program's database. The store is then as it was.
  public func migrate(_ migrations: [Migration], application: Int32) throws {
    let newest = migrations.last?.version ?? 0
    if try checkVersion(newest: newest, application: application) == newest { return }
    guard case .readOnly = mode else {
      try transaction(.immediate) {
        // Another process may have been faster: look again under the lock.
        let current = try checkVersion(newest: newest, application: application)
        for step in migrations where step.version > current { try execute(step.script) }
        try execute("PRAGMA user_version=\(newest); PRAGMA application_id=\(application);")
      }
      return
    }
    let isEmpty = try first("SELECT count(*) FROM sqlite_schema") { $0.int(0) } ?? 0 == 0
    throw StorageError(
      .notAStore,
      isEmpty
        ? "`\(visible(path))` is empty: no store was made there"
        : "`\(visible(path))` has an older format than this build reads without changing it",
      hint: "open it once for writing, or use the build that wrote it")
  }

  /// The version of the store's format.
  ///
  /// - Throws: ``StorageError``, as ``migrate(_:application:)`` does.
  @discardableResult
  func checkVersion(newest: Int, application: Int32) throws -> Int {
    let version = try first("PRAGMA user_version") { $0.int(0) } ?? 0
    let owner = try first("PRAGMA application_id") { $0.int(0) } ?? 0
    let tables = try first("SELECT count(*) FROM sqlite_schema") { $0.int(0) } ?? 0
    let shown = "`\(visible(path))`"
    if owner != Int(application), owner != 0 || version != 0 || tables != 0 {
      throw StorageError(.notAStore, "\(shown) is another program's database", hint: "name another file")
    }
    guard version <= newest else {
      throw StorageError(
        .newerVersion, "\(shown) has format \(version), this build knows formats up to \(newest)",
        hint: "use the build that wrote it, or a newer one")
    }
    return version
  }
}
