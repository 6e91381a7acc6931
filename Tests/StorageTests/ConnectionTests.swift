import Core
import Storage
import TestSupport
import Testing

@Suite struct ConnectionTests {
  func memory(_ script: String = "") throws -> Connection {
    let connection = try Connection(path: "", mode: .memory)
    try connection.execute(script)
    return connection
  }

  @Test func valuesComeBackAsTheyWereBound() throws {
    let connection = try memory("CREATE TABLE t (a, b, c, d, e)")
    try connection.run("INSERT INTO t VALUES (?, ?, ?, ?, ?)", .integer(.min), .real(0.5), .text("é\u{0}x"), .blob([0, 255]), .null)
    try connection.run("INSERT INTO t VALUES (?, ?, ?, ?, ?)", 1, 2.0, "", .blob([UInt8]()), nil)
    let rows = try connection.query("SELECT * FROM t") { row in (0..<row.count).map { row.value($0) } }
    #expect(
      rows == [[.integer(.min), .real(0.5), .text("é\u{0}x"), .blob([0, 255]), .null], [1, 2.0, "", .blob([UInt8]()), .null]])
    let kinds = try connection.first("SELECT * FROM t") { row in (0..<row.count).map { row.kind($0) } }
    #expect(kinds == [.integer, .real, .text, .blob, .null])
  }

  @Test func aStatementCanRunInsideItself() throws {
    let connection = try memory("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (3)")
    let sql = "SELECT a FROM t ORDER BY a"
    var pairs: [[Int]] = []
    try connection.forEach(sql) { outer in
      let value = outer.int(0)
      try connection.forEach(sql) { inner in pairs.append([value, inner.int(0)]) }
    }
    #expect(pairs.count == 9)
    #expect(pairs.last == [3, 3])
  }

  @Test func statementsWithTheSameLengthAreNotMistaken() throws {
    let connection = try memory()
    // Built at run time, so that two may lie at the same address one after the other.
    for number in 0..<1000 {
      let found = try connection.first("SELECT " + String(1000 + number)) { $0.int(0) }
      #expect(found == 1000 + number)
    }
  }

  @Test func aTransactionIsAllOrNothing() throws {
    struct Stop: Error {}
    let connection = try memory("CREATE TABLE t (a UNIQUE)")
    #expect(throws: Stop.self) {
      try connection.transaction {
        try connection.run("INSERT INTO t VALUES (?)", 1)
        throw Stop()
      }
    }
    #expect(!connection.isInTransaction)
    try connection.transaction { try connection.run("INSERT INTO t VALUES (?)", 1) }
    let error = #expect(throws: StorageError.self) { try connection.run("INSERT INTO t VALUES (?)", 1) }
    #expect(error?.code == .constraint)
    #expect(error?.message.contains("t.a") == true)
    #expect(try connection.first("SELECT count(*) FROM t") { $0.int(0) } == 1)
  }

  @Test func errorsNeverHoldBoundValues() throws {
    let connection = try memory("CREATE TABLE t (a TEXT PRIMARY KEY) STRICT")
    try connection.run("INSERT INTO t VALUES (?)", "canary")
    let twice = #expect(throws: StorageError.self) { try connection.run("INSERT INTO t VALUES (?)", "canary") }
    let wrong = #expect(throws: StorageError.self) { try connection.run("INSERT INTO t VALUES (?)", .blob(Array("canary".utf8))) }
    let syntax = #expect(throws: StorageError.self) { try connection.run("INSERT INTO nowhere VALUES (?)", "canary") }
    for error in [twice, wrong, syntax] { #expect(error?.description.contains("canary") == false) }
    #expect(syntax?.code == .misuse)
    #expect(syntax?.message.contains("no such table") == true)
  }

  @Test func aReaderChangesNothing() throws {
    let connection = try memory("CREATE TABLE t (a)")
    let reader = ReadOnlyConnection(connection)
    #expect(throws: StorageError.self) { try reader.query("INSERT INTO t VALUES (1) RETURNING a") { $0.int(0) } }
    #expect(throws: StorageError.self) { try reader.forEach("DROP TABLE t") { _ in } }
    #expect(try reader.first("SELECT count(*) FROM t") { $0.int(0) } == 0)
  }

  @Test func blobsAreWrittenAndReadInPieces() throws {
    let connection = try memory("CREATE TABLE t (a BLOB)")
    let insert = try connection.statement("INSERT INTO t VALUES (?)")
    try insert.bindZeroes(1, count: 1000)
    try insert.run()
    let row = connection.lastInsertedRow
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
    for start in stride(from: 0, to: 1000, by: 300) {
      try bytes[start..<min(start + 300, 1000)].withUnsafeBytes {
        try connection.write(intoBlobOf: "t", column: "a", row: row, at: start, $0)
      }
    }
    var read: [UInt8] = []
    try connection.readBlob(of: "t", column: "a", row: row, chunk: 77) { read.append(contentsOf: $0) }
    #expect(read == bytes)
    #expect(throws: StorageError.self) {
      try bytes.withUnsafeBytes { try connection.write(intoBlobOf: "t", column: "a", row: row, at: 1, $0) }
    }
    #expect(throws: StorageError.self) { try connection.readBlob(of: "t", column: "a", row: 99) { _ in } }
  }

  @Test func aClosedConnectionSaysSo() throws {
    let connection = try memory()
    let kept = try connection.prepare("SELECT 1")
    connection.close()
    let error = #expect(throws: StorageError.self) { try connection.run("SELECT 1") }
    #expect(error?.code == .stopped)
    let late = #expect(throws: StorageError.self) { try kept.step() }
    #expect(late?.code == .stopped)
  }

  @Test func aDamagedSchemaIsNotRunAsCode() throws {
    // Double-quoted strings and untrusted functions in the schema are off.
    let connection = try memory("CREATE TABLE t (a)")
    #expect(throws: StorageError.self) { try connection.execute("SELECT \"no such column\" FROM t") }
  }
}

@Suite struct MigrationTests {
  static let steps = [Migration(1, "CREATE TABLE a (x)"), Migration(2, "CREATE TABLE b (x)")]

  @Test func stepsRunOnceAndInOrder() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/s.sqlite"
      let first = try Connection(path: path, mode: .readWrite(create: true))
      try first.migrate(Array(Self.steps.prefix(1)), application: 7)
      try first.run("INSERT INTO a VALUES (1)")
      first.close()
      let second = try Connection(path: path, mode: .readWrite(create: false))
      try second.migrate(Self.steps, application: 7)
      try second.migrate(Self.steps, application: 7)
      #expect(try second.first("SELECT (SELECT count(*) FROM a) + (SELECT count(*) FROM b)") { $0.int(0) } == 1)
      let old = #expect(throws: StorageError.self) { try second.migrate(Array(Self.steps.prefix(1)), application: 7) }
      #expect(old?.code == .newerVersion)
      let foreign = #expect(throws: StorageError.self) { try second.migrate(Self.steps, application: 8) }
      #expect(foreign?.code == .notAStore)
    }
  }

  @Test func aStepThatFailsLeavesTheOldVersion() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/s.sqlite"
      let connection = try Connection(path: path, mode: .readWrite(create: true))
      let broken = Self.steps + [Migration(3, "CREATE TABLE c (x); CREATE TABLE a (x)")]
      #expect(throws: StorageError.self) { try connection.migrate(broken, application: 7) }
      #expect(try connection.first("SELECT count(*) FROM sqlite_schema") { $0.int(0) } == 0)
      try connection.migrate(Self.steps, application: 7)
    }
  }

  @Test func aReaderDoesNotMigrate() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/s.sqlite"
      let connection = try Connection(path: path, mode: .readWrite(create: true))
      try connection.migrate(Array(Self.steps.prefix(1)), application: 7)
      connection.close()
      let reader = try Connection(path: path, mode: .readOnly)
      let error = #expect(throws: StorageError.self) { try reader.migrate(Self.steps, application: 7) }
      #expect(error?.message.contains("older format") == true)
    }
  }

  @Test func twoProcessesThatOpenANewStoreAtOnceBothSucceed() async throws {
    try await withTemporaryDirectory { directory in
      let path = "\(directory)/s.sqlite"
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<4 {
          group.addTask {
            let connection = try Connection(path: path, mode: .readWrite(create: true))
            try connection.migrate(Self.steps, application: 7)
            connection.close()
          }
        }
        try await group.waitForAll()
      }
      let connection = try Connection(path: path, mode: .readOnly)
      #expect(try connection.first("SELECT count(*) FROM sqlite_schema") { $0.int(0) } == 2)
    }
  }
}

@Suite struct CheckpointTests {
  @Test func theLogIsMergedAndUsedAgainFromItsBeginning() async throws {
    try await withTemporaryDirectory { directory in
      let path = "\(directory)/s.sqlite"
      let connection = try Connection(path: path, mode: .readWrite(create: true))
      try connection.execute("CREATE TABLE t (a)")
      let checkpointer = Checkpointer(path: path, threshold: 20)
      var (largest, before, restarts) = (0, 0, 0)
      for _ in 0..<400 {
        try connection.transaction { try connection.run("INSERT INTO t VALUES (?)", .blob([UInt8](repeating: 1, count: 3000))) }
        // Whether the writer merges the rest or the other thread was done before it was asked: then the log begins again.
        if connection.walPages < before { restarts += 1 }
        before = connection.walPages
        largest = max(largest, connection.walPages)
        if try checkpointer.committed(pages: connection.walPages) { _ = try connection.checkpoint() }
        try await Task.sleep(for: .milliseconds(1))
      }
      await checkpointer.close()
      #expect(restarts > 0)
      #expect(largest < 800, "without merging the log would have \(largest) pages")
    }
  }

  @Test func aReaderThatStaysOpenDoesNotStopTheWriter() async throws {
    try await withTemporaryDirectory { directory in
      let path = "\(directory)/s.sqlite"
      let connection = try Connection(path: path, mode: .readWrite(create: true))
      try connection.execute("CREATE TABLE t (a); INSERT INTO t VALUES (1)")
      let reader = try Connection(path: path, mode: .readOnly)
      try reader.begin(.deferred)
      #expect(try reader.first("SELECT count(*) FROM t") { $0.int(0) } == 1)
      let checkpointer = Checkpointer(path: path, threshold: 10)
      for _ in 0..<100 {
        try connection.transaction { try connection.run("INSERT INTO t VALUES (?)", 2) }
        if try checkpointer.committed(pages: connection.walPages) { _ = try connection.checkpoint() }
      }
      #expect(try reader.first("SELECT count(*) FROM t") { $0.int(0) } == 1, "a snapshot stays as it was")
      reader.rollback()
      #expect(try reader.first("SELECT count(*) FROM t") { $0.int(0) } == 101)
      await checkpointer.close()
    }
  }
}
