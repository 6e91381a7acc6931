import CSQLite
import Core

/// How a transaction begins.
public enum TransactionKind: Hashable, Sendable {
  /// Takes the write lock at once, so that what was read inside still holds at the commit.
  case immediate
  /// A snapshot for reading: it is taken by the first statement.
  case deferred

  var sql: String { self == .immediate ? "BEGIN IMMEDIATE" : "BEGIN" }
}

extension Connection {
  /// The points at which a ``Core/FaultPlan`` can make a transaction fail.
  public enum FaultPoint {
    /// Before the write lock is taken.
    public static let begin = "storage.begin"
    /// Before the commit: everything is undone.
    public static let commit = "storage.commit"
    /// After the commit: the transaction is durable, but its caller is told that it failed.
    public static let committed = "storage.committed"
    /// Before one database is copied over another.
    public static let copy = "storage.copy"
  }

  /// Begins a transaction; end it with ``commit()`` or ``rollback()``.
  ///
  /// - Throws: ``StorageError``: ``StorageError/Code/busy`` names the holder of the lock after ``busyTimeout``. No transaction is open then.
  public func begin(_ kind: TransactionKind) throws(StorageError) {
    if kind == .immediate {
      if let failure { throw Self.stopped(after: failure) }
      try reach(FaultPoint.begin)
    }
    try beginStatement(kind).run()
  }

  /// Commits: with ``TransactionKind/immediate`` everything written is on the disk when this returns.
  ///
  /// - Throws: ``StorageError``; no transaction is open then. After ``StorageError/Code/inputOutput`` it is not known whether the
  ///   transaction is there, and the connection takes no further writes: syncing again could report a success that never reached the disk.
  public func commit() throws(StorageError) {
    do throws(StorageError) {
      try reach(FaultPoint.commit)
      try statement("COMMIT").run()
    } catch {
      note(error)
      rollback()
      throw error
    }
    try reach(FaultPoint.committed)
  }

  /// Undoes the open transaction; does nothing when there is none.
  public func rollback() {
    guard let handle, sqlite3_get_autocommit(handle) == 0 else { return }
    sqlite3_exec(handle, "ROLLBACK", nil, nil, nil)
  }

  /// Whether a transaction is open.
  public var isInTransaction: Bool { handle.map { sqlite3_get_autocommit($0) == 0 } ?? false }

  /// Runs `body` in a transaction: committed when it returns, undone when it throws.
  ///
  /// - Throws: ``StorageError``, and what `body` throws. Nothing was written, except after a failure at the commit itself; see ``commit()``.
  public func transaction<T>(_ kind: TransactionKind = .immediate, _ body: () throws -> T) throws -> T {
    try begin(kind)
    let result: T
    do {
      result = try body()
    } catch {
      if let storage = error as? StorageError { note(storage) }
      rollback()
      throw error
    }
    try commit()
    return result
  }

  /// Remembers a failure below SQLite, after which this handle may not write again.
  public func note(_ error: StorageError) {
    if error.code == .inputOutput, mode != .readOnly, failure == nil { failure = error }
  }

  func reach(_ point: String) throws(StorageError) {
    do throws(InjectedFault) {
      try faults.reach(point)
    } catch {
      throw StorageError(.injected, "a test made `\(point)` fail")
    }
  }

  static func stopped(after failure: StorageError) -> StorageError {
    StorageError(
      .stopped, "the store takes no more writes after an earlier failure: \(failure.message)", hint: failure.hint,
      resultCode: failure.resultCode)
  }
}
