import Audit
import Core
import Storage
import TestSupport
import Testing

@Suite("The schema of a store")
struct SchemaTests {
  struct Change: Sendable, CustomTestStringConvertible {
    var sql: String
    /// What a verification finds; nil where nothing is wrong.
    var problem: String?
    /// Whether the store can still be opened for writing.
    var opens = true
    var testDescription: String { sql }
  }

  private static let update = "BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END"

  static let changes = [
    Change(sql: "DROP TRIGGER entry_no_update", problem: "the trigger `entry_no_update` on `entry` is missing", opens: false),
    Change(sql: "DROP TRIGGER evidence_no_delete", problem: "the trigger `evidence_no_delete` on `evidence` is missing", opens: false),
    Change(
      sql: "DROP TRIGGER entry_no_update; CREATE TRIGGER entry_no_update BEFORE UPDATE ON entry BEGIN SELECT 1; END",
      problem: "the trigger `entry_no_update` on `entry` is not as this version makes it", opens: false),
    Change(
      sql: "CREATE TRIGGER spy AFTER INSERT ON entry BEGIN DELETE FROM runs; END",
      problem: "the trigger `spy` on `entry` is not one that this version makes", opens: false),
    Change(
      sql: "CREATE TRIGGER runs_spy AFTER INSERT ON runs BEGIN UPDATE runs SET total = 0; END",
      problem: "the trigger `runs_spy` on `runs` is not one that this version makes", opens: false),
    Change(sql: "CREATE TABLE theirs (a)", problem: "the table `theirs` is not one that this version makes"),
    Change(sql: "CREATE TABLE runs_theirs (a)", problem: "the table `runs_theirs` is not one that this version makes"),
    Change(sql: "DROP TABLE runs_ticket", problem: "the table `runs_ticket` is missing"),
    Change(sql: "ALTER TABLE runs ADD COLUMN more TEXT", problem: "the table `runs` is not as this version makes it"),
    Change(sql: "CREATE VIEW inbox AS SELECT 1", problem: "the view `inbox` is not one that this version makes"),
    Change(sql: "DROP INDEX entry_run", problem: "the index `entry_run` on `entry` is missing"),
    Change(sql: "CREATE INDEX more ON entry (type)", problem: "the index `more` on `entry` is not one that this version makes"),
    // What has no meaning is no difference.
    Change(sql: "ANALYZE"),
    Change(sql: "DROP TRIGGER entry_no_update; CREATE TRIGGER entry_no_update /* once */\n \(update)"),
  ]

  @Test("T11 what a file holds or lacks beside its entries is found, and no store is written through others' triggers", arguments: changes)
  func differences(_ change: Change) async throws {
    try await withTemporaryDirectory { directory in
      let path = "\(directory)/store.sqlite"
      try await makeLog(path, entries: 12)
      let connection = try Connection(path: path, mode: .readWrite(create: false))
      try connection.execute(change.sql)
      connection.close()
      for options in [VerificationOptions(), .hashes] {
        let report = try await verify(path, options)
        #expect(report.ok == (change.problem == nil), "\(report.problems)")
        #expect(report.problems.filter { $0.kind == .schema }.map(\.message).first == change.problem)
        #expect(!report.problems.contains { $0.kind == .projection })
      }
      guard change.opens else {
        let error = await #expect(throws: AuditError.self) {
          try await CountingStore.open(path, projections: [RunTable()], options: fixedOptions())
        }
        #expect(error?.code == .schema)
        #expect(error?.message.contains(change.problem ?? "") == true && error?.hint != nil, "\(error?.description ?? "")")
        return
      }
      let store = try await CountingStore.open(path, projections: [RunTable()], options: fixedOptions())
      #expect(try await store.schemaProblems().first == change.problem)
      await store.close()
    }
  }

  @Test("the tables of an older version are made anew, with whatever was hung on them")
  func olderVersions() async throws {
    try await withTemporaryDirectory { directory in
      let path = "\(directory)/store.sqlite"
      try await makeLog(path, entries: 12)
      let connection = try Connection(path: path, mode: .readWrite(create: false))
      try connection.execute(
        """
        UPDATE projection SET version = 0; ALTER TABLE runs RENAME COLUMN total TO sum;
        CREATE TRIGGER spy AFTER INSERT ON runs BEGIN UPDATE runs SET sum = 0; END
        """)
      connection.close()
      let store = try await CountingStore.open(path, projections: [RunTable()], options: fixedOptions())
      let report = try await store.verify()
      #expect(report.ok, "\(report.problems)")
      await store.close()
    }
  }
}
