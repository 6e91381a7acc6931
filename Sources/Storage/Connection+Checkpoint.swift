import CSQLite

/// How far a WAL has been merged into its database.
public struct CheckpointProgress: Hashable, Sendable {
  /// Pages in the WAL.
  public let pages: Int
  /// How many of them are in the database file already.
  public let merged: Int

  /// Pages still to be merged.
  public var remaining: Int { max(0, pages - merged) }
}

extension Connection {
  /// Merges what it can of the WAL into the database without waiting for readers or writers.
  ///
  /// - Returns: How far it came; `nil` when another connection is at it.
  /// - Throws: ``StorageError``. After ``StorageError/Code/inputOutput`` the WAL must be kept: the merge cannot be trusted.
  public func checkpoint() throws(StorageError) -> CheckpointProgress? {
    guard let handle else { throw Self.closed(path) }
    var pages: Int32 = 0
    var merged: Int32 = 0
    let result = sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_PASSIVE, &pages, &merged)
    if result & 0xff == SQLITE_BUSY { return nil }
    guard result == SQLITE_OK else {
      let failed = error(result, doing: "checkpoint")
      note(failed)
      throw failed
    }
    return CheckpointProgress(pages: Int(pages), merged: Int(merged))
  }
}
