import CSQLite
import Core
import Glibc

extension Connection {
  /// Turns an SQLite result code into an error that names the file, what failed and what to do.
  func error(_ result: Int32, doing sql: String) -> StorageError {
    if isClosed { return Self.closed(path) }
    let shown = "`\(visible(path))`"
    let detail = handle.flatMap { sqlite3_errmsg($0) }.map { String(cString: $0) } ?? String(cString: sqlite3_errstr(result))
    let system = handle.map { sqlite3_system_errno($0) } ?? 0
    switch result & 0xff {
    case SQLITE_BUSY, SQLITE_LOCKED:
      let holder = LockHolder.ofWriteLock(onDatabase: path).map(\.description) ?? "another process"
      return StorageError(
        .busy, "\(shown) was locked by \(holder) for more than \(busyTimeout.components.seconds) s",
        hint: "wait until it is done, or end it, and try again", resultCode: result)
    case SQLITE_READONLY where mode == .readOnly:
      return StorageError(
        .readOnly, "\(shown) cannot be read here: its write-ahead log was not merged, and the directory takes no writes",
        hint: "copy the file and its `-wal` to a directory that does", resultCode: result)
    case SQLITE_READONLY:
      return StorageError(
        .readOnly, "\(shown) cannot be written: the file, its directory or its file system is read-only",
        hint: "check the owner and the mode of the file and of its directory", resultCode: result)
    case SQLITE_CANTOPEN:
      if system != 0 {
        var error = Self.systemError(system, path, "open")
        error.resultCode = result
        return error
      }
      return StorageError(
        .permission, "\(shown) or its `-wal` and `-shm` files cannot be opened",
        hint: "check the owner and the mode of the file and of its directory", resultCode: result)
    case SQLITE_PERM, SQLITE_AUTH:
      return StorageError(.permission, "access to \(shown) was refused", resultCode: result)
    case SQLITE_NOTADB:
      return StorageError(
        .notAStore, "\(shown) is not a store: it does not begin like an SQLite database",
        hint: "name another file, or restore this one from a copy", resultCode: result)
    case SQLITE_CORRUPT, SQLITE_FORMAT:
      return StorageError(
        .corrupt, "\(shown) is damaged: \(detail)",
        hint: "keep the file, restore a copy beside it, and check both with `remit audit verify`", resultCode: result)
    case SQLITE_FULL:
      return StorageError(
        .full, "there is no space left for \(shown); nothing was written", hint: "free some space; the store goes on by itself",
        resultCode: result)
    case SQLITE_IOERR:
      let reason = system != 0 ? String(cString: strerror(system)) : String(cString: sqlite3_errstr(result))
      if system == ENOSPC || system == EDQUOT {
        return StorageError(
          .full, "there is no space left for \(shown); nothing was written", hint: "free some space; the store goes on by itself",
          resultCode: result)
      }
      return StorageError(
        .inputOutput, "reading or writing \(shown) failed (\(reason), code \(result))",
        hint: "check the disk and the kernel log, then start again and run `remit audit verify`", resultCode: result)
    case SQLITE_CONSTRAINT:
      return StorageError(.constraint, "\(shown) refused a row: \(detail)", resultCode: result)
    case SQLITE_TOOBIG:
      return StorageError(.tooBig, "a value is too large for \(shown)", resultCode: result)
    default:
      return StorageError(.misuse, "\(shown): \(detail) in `\(String(sql.prefix(300)))`", resultCode: result)
    }
  }

  static func closed(_ path: String) -> StorageError { StorageError(.stopped, "`\(visible(path))` was closed") }

  static func systemError(_ number: Int32, _ path: String, _ verb: String) -> StorageError {
    let shown = "`\(visible(path))`"
    let reason = String(cString: strerror(number))
    switch number {
    case EACCES, EPERM:
      return StorageError(
        .permission, "cannot \(verb) \(shown): \(reason)", hint: "check the owner and the mode of the file and of its directory")
    case EROFS: return StorageError(.readOnly, "cannot \(verb) \(shown): \(reason)")
    case ENOENT, ENOTDIR: return StorageError(.notFound, "cannot \(verb) \(shown): \(reason)", hint: "make the directory first")
    case ENOSPC, EDQUOT: return StorageError(.full, "cannot \(verb) \(shown): \(reason)")
    default: return StorageError(.inputOutput, "cannot \(verb) \(shown): \(reason)")
    }
  }
}
