import Audit
import Core
import Storage
import TestSupport
import Testing

/// Makes a log of 100 entries: runs, shared entries, content, evidence.
func makeLog(_ path: String, entries: Int = 100) async throws {
  let store = try await CountingStore.open(path, projections: [RunTable()], options: fixedOptions())
  for index in 0..<entries {
    var entry = draft(index % 10 == 0 ? nil : "run-\(index % 7)", amount: Int64(index), note: "note \(index)")
    if index % 25 == 3 { entry.evidence = [try Evidence.bytes(Array("evidence \(index)".utf8), media: "text/plain")] }
    if index % 5 == 1 { entry.content.append(Content("reason", Array("because \(index)".utf8))) }
    try await store.append([entry])
  }
  await store.close()
}

func verify(_ path: String, _ options: VerificationOptions = VerificationOptions()) async throws -> VerificationReport {
  var open = StoreOptions()
  open.readOnly = true
  let store = try await CountingStore.open(path, projections: [RunTable()], options: open)
  let report = try await store.verify(options)
  await store.close()
  return report
}

/// Writes into a store as its hostile owner would: without triggers, which are there again afterwards.
func tamper(_ path: String, _ body: (Connection) throws -> Void) throws {
  let connection = try Connection(path: path, mode: .readWrite(create: false))
  try connection.execute("PRAGMA synchronous=OFF")
  let triggers = try connection.query("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'") { ($0.text(0), $0.text(1)) }
  for (name, _) in triggers { try connection.execute("DROP TRIGGER \(name)") }
  try connection.transaction { try body(connection) }
  for (_, sql) in triggers { try connection.execute(sql) }
  connection.close()
}

@Suite struct VerifyTests {
  @Test func aSoundLogIsFoundSound() async throws {
    try await withTemporaryDirectory { directory in
      let path = "\(directory)/store.sqlite"
      try await makeLog(path)
      let report = try await verify(path)
      #expect(report.ok, "\(report.problems)")
      #expect(report.entries == 100)
      #expect(report.evidence == 4)
      #expect(report.firstBad == nil)
      let hashes = try await verify(path, .hashes)
      #expect(hashes.ok)
      #expect(hashes.root == report.root)
    }
  }

  @Test func anEmptyLogIsSound() async throws {
    try await withTemporaryDirectory { directory in
      let path = "\(directory)/store.sqlite"
      try await makeLog(path, entries: 0)
      let report = try await verify(path)
      #expect(report.ok, "\(report.problems)")
      #expect(report.root == MerkleTree.emptyRoot)
    }
  }

  /// Restores the log before each change: copies the three files.
  static func copy(_ from: String, _ to: String) throws {
    for suffix in ["", "-wal"] where FileCopy.exists(from + suffix) { try FileCopy.copy(from + suffix, to + suffix) }
  }

  @Test("T11 a flipped byte in any audit column of any entry is found, and the first bad entry is named")
  func flippedBytes() async throws {
    try await withTemporaryDirectory { directory in
      let origin = "\(directory)/origin.sqlite"
      try await makeLog(origin)
      var changes: [(sql: String, bad: Int?)] = []
      for index in 0..<100 {
        changes.append(("UPDATE entry SET time = time ^ 1 WHERE \"index\" = \(index)".replacingXor, index))
        changes.append(("UPDATE entry SET type = 'R' || substr(type, 2) WHERE \"index\" = \(index)", index))
        changes.append(("UPDATE entry SET run = coalesce(run || 'x', 'x') WHERE \"index\" = \(index)", index))
        for place in [1, 2 + index % 200, 150] {
          changes.append((flip("entry", "envelope", place, "\"index\" = \(index)"), index))
        }
        changes.append((flip("entry", "leaf", 1 + index % 32, "\"index\" = \(index)"), index))
        changes.append((flip("content", "bytes", 1, "id = \(index << 8)"), index))
        changes.append((flip("content", "salt", 1 + index % 16, "id = \(index << 8)"), index))
        changes.append(("UPDATE content SET part = part || 'x' WHERE id = \(index << 8)", index))
        changes.append(("UPDATE content SET id = id + 7 WHERE id = \(index << 8)", index))
        changes.append(("UPDATE content SET bytes = NULL WHERE id = \(index << 8)", index))
        changes.append(("DELETE FROM content WHERE id = \(index << 8)", index))
      }
      for index in [3, 28, 53, 78] {
        let which = "size = (SELECT length(CAST('evidence \(index)' AS BLOB))) AND bytes = CAST('evidence \(index)' AS BLOB)"
        changes.append((flip("evidence", "sha256", 1, which), index))
        changes.append((flip("evidence", "bytes", 1, which), index))
        changes.append(("UPDATE evidence SET media = 'text/plaim' WHERE \(which)", index))
        changes.append(("UPDATE evidence SET size = size + 1 WHERE \(which)", index))
        changes.append(("DELETE FROM evidence WHERE \(which)", index))
      }
      changes.append(("UPDATE head SET size = 101", 100))
      changes.append(("UPDATE head SET size = 99", 99))
      changes.append((flip("head", "root", 1, "id = 0"), nil))
      changes.append((flip("head", "frontier", 1, "id = 0"), nil))
      changes.append(("DELETE FROM head", nil))
      changes.append(("UPDATE runs SET total = total + 1 WHERE id = 'run-3'", nil))
      changes.append(("DELETE FROM runs WHERE id = 'run-3'", nil))
      changes.append(("INSERT INTO runs VALUES ('run-x', 1, 1, 1)", nil))
      try await check(changes, origin, directory)
    }
  }

  @Test("T11 an entry that was deleted, swapped or inserted at any index is found, and the first bad entry is named")
  func movedEntries() async throws {
    try await withTemporaryDirectory { directory in
      let origin = "\(directory)/origin.sqlite"
      try await makeLog(origin)
      var changes: [(sql: String, bad: Int?)] = []
      for index in 0..<100 {
        changes.append(("DELETE FROM entry WHERE \"index\" = \(index)", index))
        let inserted = """
          UPDATE entry SET "index" = -"index" - 1 WHERE "index" >= \(index);
          UPDATE entry SET "index" = -"index" WHERE "index" < 0;
          INSERT INTO entry SELECT \(index), time, type, run, envelope, leaf FROM entry WHERE "index" = \((index + 40) % 100)
          """
        changes.append((inserted, index))
        if index == 99 { continue }
        let swapped = """
          UPDATE entry SET "index" = -1 WHERE "index" = \(index);
          UPDATE entry SET "index" = \(index) WHERE "index" = \(index + 1);
          UPDATE entry SET "index" = \(index + 1) WHERE "index" = -1
          """
        changes.append((swapped, index))
      }
      changes.append((#"INSERT INTO entry SELECT -1, time, type, run, envelope, leaf FROM entry WHERE "index" = 0"#, -1))
      try await check(changes, origin, directory)
    }
  }

  func flip(_ table: String, _ column: String, _ place: Int, _ condition: String) -> String {
    // One bit of one byte, put back as a blob (or text where it was text).
    "UPDATE \(table) SET \(column) = flip(\(column), \(place)) WHERE \(condition)"
  }

  /// Applies each change to a copy and expects the first bad entry.
  func check(_ changes: [(sql: String, bad: Int?)], _ origin: String, _ directory: String) async throws {
    let path = "\(directory)/changed.sqlite"
    for (sql, bad) in changes {
      try Self.copy(origin, path)
      try tamper(path) { connection in try Flip.run(sql, connection) }
      let report = try await verify(path)
      #expect(!report.ok, "\(sql)")
      #expect(report.firstBad == bad, "\(sql): \(report.problems)")
    }
  }

  @Test func redactedContentIsReportedAndNotBad() async throws {
    try await withTemporaryDirectory { directory in
      let path = "\(directory)/store.sqlite"
      try await makeLog(path)
      let store = try await CountingStore.open(path, projections: [RunTable()], options: fixedOptions())
      try await store.append([EntryDraft(type: "content.redacted@1", principal: "user:ana", body: ["entry": 7, "part": "note"])])
      await store.close()
      try tamper(path) { try $0.execute("UPDATE content SET bytes = NULL, salt = NULL WHERE id = \(7 << 8)") }
      let report = try await verify(path)
      #expect(report.ok, "\(report.problems)")
      #expect(report.redacted == 1)
    }
  }

  @Test("T12 a log that was cut or rolled back is found against a kept checkpoint")
  func rollback() async throws {
    try await withTemporaryDirectory { directory in
      let path = "\(directory)/store.sqlite"
      try await makeLog(path, entries: 40)
      try Self.copy(path, "\(directory)/old.sqlite")
      let store = try await CountingStore.open(path, projections: [RunTable()], options: fixedOptions())
      try await store.append([draft("run-1")])
      let kept = try await store.checkpoint(origin: "log")
      await store.close()
      var options = VerificationOptions()
      options.checkpoint = kept
      #expect(try await verify(path, options).ok)
      let cut = try await verify("\(directory)/old.sqlite", options)
      #expect(!cut.ok)
      #expect(cut.firstBad == 40)
      options.checkpoint = Checkpoint(origin: "log", size: 20, root: kept.root)
      #expect(try await verify(path, options).problems.map(\.kind) == [.fork])
    }
  }

  @Test func aStateThatRefusesAnEntryIsNamed() async throws {
    try await withTemporaryDirectory { directory in
      let path = "\(directory)/store.sqlite"
      // Written under rules that took entries after the end of a run.
      let lax = try await AuditStore<LaxLedger>.open(path, options: fixedOptions())
      try await lax.append([draft("a"), draft("a", "run.closed@1"), draft("b"), draft("a"), draft("b")])
      await lax.close()
      var options = VerificationOptions()
      options.projections = false
      let report = try await verify(path, options)
      #expect(report.firstBad == 3)
      #expect(report.problems.map(\.kind) == [.state])
    }
  }
}

/// Takes everything.
enum LaxLedger: Ledger {
  static func start() -> Int { 0 }
  static func apply(_ entry: Entry, to shared: inout Int) throws { shared += 1 }
  static func apply(_ entry: Entry, to run: inout String?) throws { run = entry.type }
}
