import CSQLite
public import Core
import Glibc

/// One SQLite connection: prepared statements, transactions, errors that say what to do.
///
/// Confined to one thread at a time: an actor on a ``Core/BlockingExecutor`` owns it, and values, never the connection, cross the
/// actor's boundary. Each write connection runs with `journal_mode=WAL`, `synchronous=FULL` and foreign keys on.
public final class Connection {
  /// What a connection may do.
  public enum Mode: Hashable, Sendable {
    /// Reads and writes; makes the file (mode 0600) when `create` is set and it is not there.
    case readWrite(create: Bool)
    /// Reads only. Works on a read-only medium when no unmerged WAL lies beside the file.
    case readOnly
    /// A private database in memory, gone with the connection.
    case memory
    /// A private database in a nameless temporary file, which holds more than memory does; gone with the connection.
    case temporary
  }

  /// The file, as it was given; `:memory:` or empty for a private one.
  public let path: String
  /// What the connection may do.
  public let mode: Mode
  /// How long a statement waits for another connection's lock before it fails with ``StorageError/Code/busy``.
  public let busyTimeout: Duration
  /// The points at which tests make this connection fail.
  public let faults: FaultPlan
  /// Pages in the WAL after this connection's last commit.
  public internal(set) var walPages = 0
  /// Set once a write below SQLite failed: from then on ``begin(_:)`` refuses.
  public internal(set) var failure: StorageError?

  private(set) var handle: OpaquePointer?
  private(set) var isClosed = false
  private var statements: [ExactString: Statement] = [:]
  private var recent = RecentStatements()
  private var prepared: [WeakStatement] = []
  private var begins: [TransactionKind: Statement] = [:]
  private var busyWait: UnsafeMutablePointer<BusyWait>

  /// Opens a database.
  ///
  /// - Parameters:
  ///   - path: The file. Its directory must be there.
  ///   - mode: What the connection may do.
  ///   - busyTimeout: How long to wait for another connection's lock.
  ///   - faults: Where tests make operations fail.
  /// - Throws: ``StorageError``. A file that was made by this call and not yet usable stays, empty.
  public init(path: String, mode: Mode, busyTimeout: Duration = .seconds(5), faults: FaultPlan = .none) throws(StorageError) {
    self.path = mode == .memory ? ":memory:" : mode == .temporary ? "" : path
    self.mode = mode
    self.busyTimeout = busyTimeout
    self.faults = faults
    busyWait = .allocate(capacity: 1)
    busyWait.initialize(to: BusyWait(limit: busyTimeout))
    _ = Self.configureProcess
    guard sqlite3_threadsafe() != 0 else { throw StorageError(.misuse, "this SQLite library was built without thread support") }
    if mode != .memory, mode != .temporary { try Self.prepareFile(path, mode) }
    let deadline = ContinuousClock.now + busyTimeout
    var isRolledBack = false
    while true {
      do throws(StorageError) {
        try openHandle(immutable: false)
        return
      } catch {
        close()
        if error.code == .busy, ContinuousClock.now < deadline {
          usleep(2000)
          continue
        }
        if mode == .readOnly, !isRolledBack, error.resultCode == Self.needsRollback {
          isRolledBack = true
          if Self.rollBack(path) { continue }
        }
        // What is not read with its journal is not what was committed.
        guard mode == .readOnly, !Self.hasWAL(path), access(path + "-journal", F_OK) != 0 else { throw error }
        let unreachable: [Int32] = [SQLITE_CANTOPEN, SQLITE_READONLY]
        guard unreachable.contains(error.resultCode & 0xff) else { throw error }
      }
      try openHandle(immutable: true)
      return
    }
  }

  deinit {
    close()
    busyWait.deallocate()
  }

  /// Closes the handle: uncommitted work is lost, and every later call fails with ``StorageError/Code/stopped``.
  public func close() {
    // Statements that someone still holds would keep the file open.
    for statement in prepared { statement.value?.finalize() }
    prepared.removeAll()
    statements.removeAll()
    recent = RecentStatements()
    begins.removeAll()
    sqlite3_close_v2(handle)
    handle = nil
    isClosed = true
  }

  // MARK: Statements

  /// A prepared statement for `sql`, from the cache when it is there and not in use.
  ///
  /// - Parameter sql: One statement. Use literals with parameters, so that the cache stays small.
  /// - Returns: The statement, reset; its parameters keep what was bound last.
  /// - Throws: ``StorageError``.
  /// - Complexity: O(length of `sql`) when cached.
  public func statement(_ sql: String) throws(StorageError) -> Statement {
    if let recent = recent.find(sql), !recent.inUse { return recent }
    let key = ExactString(sql)
    if let cached = statements[key], !cached.inUse {
      recent.add(cached, sql)
      return cached
    }
    let fresh = try prepare(sql)
    if statements.count >= Self.cacheLimit {
      statements = statements.filter { $0.value.inUse }
      recent = RecentStatements()
    }
    if statements[key] == nil { statements[key] = fresh }
    return fresh
  }

  /// How many prepared statements are kept.
  static let cacheLimit = 256

  /// Prepares a statement that the caller keeps, outside the cache.
  ///
  /// - Throws: ``StorageError``; its message holds the SQL, never a bound value.
  public func prepare(_ sql: String) throws(StorageError) -> Statement {
    guard let handle else { throw Self.closed(path) }
    var statement: OpaquePointer?
    let result = sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
    guard result == SQLITE_OK else { throw error(result, doing: sql) }
    guard let statement else { throw StorageError(.misuse, "an SQL text holds no statement: \(sql)") }
    let made = Statement(handle: statement, connection: self)
    if prepared.count >= 2 * Self.cacheLimit { prepared.removeAll { $0.value == nil } }
    prepared.append(WeakStatement(value: made))
    return made
  }

  /// Runs a script of any number of statements without parameters.
  ///
  /// - Throws: ``StorageError``; what ran before the failing statement stays.
  public func execute(_ script: String) throws(StorageError) {
    guard let handle else { throw Self.closed(path) }
    let result = sqlite3_exec(handle, script, nil, nil, nil)
    guard result == SQLITE_OK else { throw error(result, doing: script) }
  }

  func beginStatement(_ kind: TransactionKind) throws(StorageError) -> Statement {
    if let cached = begins[kind] { return cached }
    let fresh = try prepare(kind.sql)
    begins[kind] = fresh
    return fresh
  }

  // MARK: Opening

  private static let configureProcess: Int32 = csqlite_configure_process()

  /// `SQLITE_READONLY_ROLLBACK`: a process ended in the middle of a change, and who only reads may not take it back.
  private static let needsRollback = SQLITE_READONLY | 3 << 8

  /// Takes back what a process left half written, as the next writer would.
  ///
  /// - Returns: Whether that could be done; not where the file or its folder may not be written.
  private static func rollBack(_ path: String) -> Bool {
    var handle: OpaquePointer?
    defer { sqlite3_close_v2(handle) }
    let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW
    return sqlite3_open_v2(path, &handle, flags, nil) == SQLITE_OK
      && sqlite3_exec(handle, "PRAGMA schema_version", nil, nil, nil) == SQLITE_OK
  }

  private func openHandle(immutable: Bool) throws(StorageError) {
    var flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
    var name = path
    switch mode {
    case .readWrite: flags |= SQLITE_OPEN_READWRITE
    case .readOnly: flags |= SQLITE_OPEN_READONLY
    case .memory: flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY
    case .temporary: flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
    }
    if immutable {
      flags |= SQLITE_OPEN_URI
      name = "file:" + Self.percentEncoded(path) + "?immutable=1"
    }
    isClosed = false
    let result = sqlite3_open_v2(name, &handle, flags, nil)
    guard result == SQLITE_OK, let handle else { throw error(result, doing: "open") }
    _ = csqlite_db_config_lookaside(handle, 1200, 256)
    sqlite3_busy_handler(handle, { context, attempt in BusyWait.wait(context, attempt) }, busyWait)
    for (option, on) in [
      (SQLITE_DBCONFIG_DEFENSIVE, 1), (SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0), (SQLITE_DBCONFIG_DQS_DML, 0), (SQLITE_DBCONFIG_DQS_DDL, 0),
      (SQLITE_DBCONFIG_ENABLE_FKEY, 1),
    ] {
      guard csqlite_db_config_flag(handle, option, Int32(on)) == SQLITE_OK else {
        throw StorageError(.misuse, "this SQLite library does not know option \(option)", hint: "use SQLite 3.37 or newer")
      }
    }
    // The first statement that reads the file: it finds out whether this is a database at all.
    // `recursive_triggers` makes `INSERT OR REPLACE` fire the delete triggers of the rows that it replaces.
    try execute("PRAGMA recursive_triggers=ON; PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY; PRAGMA schema_version;")
    if mode == .temporary { try execute("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;") }
    if case .readWrite = mode {
      sqlite3_wal_hook(
        handle,
        { context, _, _, pages in
          if let context { Unmanaged<Connection>.fromOpaque(context).takeUnretainedValue().walPages = Int(pages) }
          return SQLITE_OK
        }, Unmanaged.passUnretained(self).toOpaque())
      let journal = try prepare("PRAGMA journal_mode=WAL")
      guard try journal.step(), journal.text(0) == "wal" else {
        throw StorageError(.readOnly, "`\(visible(path))` cannot be switched to a write-ahead log", hint: "use a local file system")
      }
      journal.reset()
      try execute("PRAGMA synchronous=FULL; PRAGMA journal_size_limit=-1;")
    }
  }

  private static func prepareFile(_ path: String, _ mode: Mode) throws(StorageError) {
    let shown = "`\(visible(path))`"
    var status = stat()
    if stat(path, &status) == 0 {
      if status.st_mode & S_IFMT == S_IFDIR { throw StorageError(.notAStore, "\(shown) is a directory, not a store file") }
      if status.st_mode & S_IFMT != S_IFREG { throw StorageError(.notAStore, "\(shown) is not a regular file") }
      let wanted: Int32 = mode == .readOnly ? R_OK : R_OK | W_OK
      if access(path, wanted) != 0 { throw Self.systemError(errno, path, mode == .readOnly ? "read" : "write") }
      return
    }
    let problem = errno
    guard problem == ENOENT, mode == .readWrite(create: true) else {
      if problem != ENOENT { throw Self.systemError(problem, path, "open") }
      throw StorageError(.notFound, "there is no store at \(shown)", hint: "check the workspace: `--workspace DIR` or `REMIT_WORKSPACE`")
    }
    let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      if errno == EEXIST { return }  // another process was faster
      throw Self.systemError(errno, path, "create")
    }
    Glibc.close(descriptor)
    // The new name must survive a power loss before anything is said to be durable.
    let directory = open(Self.directory(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if directory >= 0 {
      fsync(directory)
      Glibc.close(directory)
    }
  }

  static func directory(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  private static func hasWAL(_ path: String) -> Bool {
    var status = stat()
    return stat(path + "-wal", &status) == 0 && status.st_size > 0
  }

  private static func percentEncoded(_ path: String) -> String {
    let digits = Array("0123456789ABCDEF")
    var text = ""
    for byte in path.utf8 {
      let isLetter = (0x41...0x5a).contains(byte & 0xdf)
      let plain = isLetter || (0x30...0x39).contains(byte) || "/-_.~".utf8.contains(byte)
      if plain { text.unicodeScalars.append(Unicode.Scalar(byte)) } else { text += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])" }
    }
    return text
  }
}

private struct WeakStatement {
  weak var value: Statement?
}

/// What SQLite's busy handler needs to know.
struct BusyWait {
  let limit: Duration
  var began = ContinuousClock.now

  /// Sleeps 1 to 10 ms, so that a waiting writer is soon served and none starves; 0 ends the wait.
  static func wait(_ context: UnsafeMutableRawPointer?, _ attempt: Int32) -> Int32 {
    guard let wait = context?.assumingMemoryBound(to: BusyWait.self) else { return 0 }
    if attempt == 0 { wait.pointee.began = .now }
    guard ContinuousClock.now - wait.pointee.began < wait.pointee.limit else { return 0 }
    usleep(UInt32(min(attempt + 1, 10)) * 1000)
    return 1
  }
}
