import CSQLite
import Core

extension Connection {
  /// Copies the whole database, as it is at one moment, over what another connection has open; others read and write this one meanwhile.
  ///
  /// The other database changes in one transaction: after a crash it is what it was, or the copy.
  /// - Throws: ``StorageError``; the other database is then as it was.
  public func copy(over target: Connection) throws(StorageError) {
    guard let handle else { throw Self.closed(path) }
    guard let other = target.handle else { throw Self.closed(target.path) }
    try target.reach(FaultPoint.copy)
    guard let backup = sqlite3_backup_init(other, "main", handle, "main") else {
      throw target.error(sqlite3_extended_errcode(other), doing: "begin a copy")
    }
    sqlite3_backup_step(backup, -1)
    let result = sqlite3_backup_finish(backup)
    guard result == SQLITE_OK else { throw target.error(result, doing: "copy") }
  }

  /// Takes the database for this connection alone, until it is closed; its WAL is merged before.
  ///
  /// - Throws: ``StorageError`` with code ``StorageError/Code/busy`` where somebody else has it open.
  public func takeAlone() throws(StorageError) {
    try execute("PRAGMA locking_mode=EXCLUSIVE;")
    let journal = try prepare("PRAGMA journal_mode=DELETE")
    guard try journal.step(), journal.text(0) == "delete" else {
      throw StorageError(
        .busy, "`\(visible(path))` is open in another process", hint: "end `remit serve` and other commands first, and try again")
    }
    journal.reset()
    try execute("BEGIN EXCLUSIVE; COMMIT;")
  }
}
