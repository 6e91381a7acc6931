import Audit
import Core
import Storage
import TestSupport
import Testing

@Suite struct ProjectionTests {
  @Test func rebuiltProjectionsAreTheSameBytes() async throws {
    try await withTemporaryDirectory { directory in
      let path = "\(directory)/store.sqlite"
      try await makeLog(path)
      var options = fixedOptions()
      options.cachedRuns = 2  // most runs are folded again and again
      let store = try await CountingStore.open(path, projections: [RunTable()], options: options)
      let before = try await store.projectionDigests().map(\.digest)
      try await store.rebuildProjections()
      #expect(try await store.projectionDigests().map(\.digest) == before)
      try await store.append([draft("run-1")])
      #expect(try await store.projectionDigests().map(\.digest) != before)
      var few = VerificationOptions()
      few.cachedRuns = 2
      #expect(try await store.verify(few).ok)
      await store.close()
    }
  }

  @Test func tablesOfAnOlderVersionAreRebuiltWhenTheStoreOpens() async throws {
    try await withTemporaryDirectory { directory in
      let path = "\(directory)/store.sqlite"
      try await makeLog(path)
      try tamper(path) { try $0.execute("DELETE FROM runs; UPDATE projection SET version = 0") }
      #expect(try await !verify(path).ok)
      let store = try await CountingStore.open(path, projections: [RunTable()], options: fixedOptions())
      #expect(try await store.verify().ok)
      await store.close()
    }
  }

  struct Stray: Projection {
    typealias Meaning = CountingLedger
    var name: String
    var version: Int { 1 }
    var schema: String
    func apply(_ entry: Entry, run: CountingLedger.Run?, shared: CountingLedger.Shared, to tables: Connection) throws {}
    func rows(of run: CountingLedger.Run) -> [TableRow] { [] }
  }

  @Test func tablesMustBearTheNameOfTheirProjection() async throws {
    for (name, schema) in [("a", "CREATE TABLE b (x)"), ("entry", "CREATE TABLE entry_x (x)"), ("Bad name", ""), ("", "")] {
      try await withTemporaryDirectory { directory in
        let path = "\(directory)/store.sqlite"
        let error = await #expect(throws: AuditError.self) {
          try await CountingStore.open(path, projections: [Stray(name: name, schema: schema)], options: fixedOptions())
        }
        #expect(error?.code == .projection)
        // Nothing of it stays.
        let store = try await CountingStore.open(path, options: fixedOptions())
        #expect(try await store.verify().ok)
        await store.close()
      }
    }
  }

  @Test func aTicketIsUsedOnceAmongConcurrentCallers() async throws {
    try await withTemporaryDirectory { directory in
      let store = try await CountingStore.open("\(directory)/store.sqlite", projections: [RunTable()], options: fixedOptions())
      let won = try await withThrowingTaskGroup(of: Bool.self) { group in
        for caller in 0..<60 {
          group.addTask {
            do {
              // No look before the leap: the table's rule alone must hold.
              try await store.append([draft("run-\(caller)", ticket: "ticket-\(caller % 6)")])
              return true
            } catch let error as StorageError where error.code == .constraint {
              return false
            }
          }
        }
        return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
      }
      #expect(won == 6)
      let report = try await store.verify()
      #expect(report.ok, "\(report.problems)")
      #expect(report.entries == 6)
      await store.close()
    }
  }
}
