import Audit
import Core
import Storage
import TestSupport
import Testing

@Suite struct AppendTests {
  @Test func appendedEntriesAreReadBack() async throws {
    try await withTemporaryDirectory { directory in
      let store = try await CountingStore.open("\(directory)/store.sqlite", projections: [RunTable()], options: fixedOptions())
      let first = try await store.append([draft(nil, "people.seeded@1"), draft("run-1", "run.started@1", amount: 5)])
      #expect(first == 0)
      let total = try await store.submit { context in
        let run = try context.run("run-1")
        return ([draft("run-1", amount: 7)], run?.total)
      }
      #expect(total == 5)
      let (entries, run, shared, rows) = try await store.read { context in
        var entries: [Entry] = []
        try context.forEachEntry(in: 0..<100) { entries.append($0) }
        let rows = try context.database.query("SELECT entries, total FROM runs") { [$0.int(0), $0.int(1)] }
        return (entries, try context.run("run-1"), try context.shared(), rows)
      }
      #expect(entries.map(\.index) == [0, 1, 2])
      #expect(entries.map(\.type) == ["people.seeded@1", "run.started@1", "run.stepped@1"])
      #expect(entries.allSatisfy { $0.content("note") == Array("a note".utf8) && $0.principal == "user:ana" && $0.release == "r1" })
      #expect(entries.map(\.time) == entries.map(\.time).sorted())
      #expect(run?.types == ["run.started@1", "run.stepped@1"])
      #expect(run?.total == 12)
      #expect(shared == CountingLedger.Shared(count: 1, last: 0))
      #expect(rows == [[2, 12]])
      await store.close()
    }
  }

  @Test func aDecisionThatThrowsAppendsNothing() async throws {
    try await withTemporaryDirectory { directory in
      let store = try await CountingStore.open("\(directory)/store.sqlite", projections: [RunTable()], options: fixedOptions())
      await #expect(throws: CountingLedger.Misfit.self) {
        try await store.submit { _ -> ([EntryDraft], Int) in throw CountingLedger.Misfit(reason: "no") }
      }
      try await store.append([draft("run-1")])
      let size = try await store.read { $0.head.size }
      #expect(size == 1)
    }
  }

  @Test func manyCallersShareTransactionsAndEachGetsItsOwnAnswer() async throws {
    try await withTemporaryDirectory { directory in
      let store = try await CountingStore.open("\(directory)/store.sqlite", projections: [RunTable()], options: fixedOptions())
      let indices = try await withThrowingTaskGroup(of: Int.self) { group in
        for caller in 0..<200 {
          group.addTask {
            try await store.submit { context in ([draft("run-\(caller % 7)", amount: Int64(caller))], context.nextIndex) }
          }
        }
        return try await group.reduce(into: [Int]()) { $0.append($1) }
      }
      #expect(indices.sorted() == Array(0..<200))
      let total = try await store.read { try $0.database.first("SELECT sum(total) FROM runs", [], { $0.int(0) }) }
      #expect(total == (0..<200).reduce(0, +))
    }
  }
}
