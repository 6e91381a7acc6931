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

@Suite struct DraftTests {
  static func nested(_ depth: Int) -> JSON { depth == 0 ? 1 : [nested(depth - 1)] }

  static let refused: [(name: String, draft: EntryDraft)] = [
    ("no version", EntryDraft(type: "run.started", principal: "user:ana")),
    ("no name", EntryDraft(type: "@1", principal: "user:ana")),
    ("capitals", EntryDraft(type: "Run@1", principal: "user:ana")),
    ("a control character", EntryDraft(type: "run.started@1", principal: "user:\u{1b}ana")),
    ("no principal", EntryDraft(type: "run.started@1", principal: "")),
    ("a body nested too deep", EntryDraft(type: "run.started@1", principal: "user:ana", body: ["a": nested(100)])),
    ("a run that is not ASCII", EntryDraft(type: "run.started@1", run: "rün", principal: "user:ana")),
    ("an empty run", EntryDraft(type: "run.started@1", run: "", principal: "user:ana")),
    ("a part twice", EntryDraft(type: "run.started@1", principal: "user:ana", content: [Content("a", [1]), Content("a", [2])])),
    ("a long name", EntryDraft(type: "run.started@1", principal: String(repeating: "x", count: 257))),
    ("a number that would be rounded", EntryDraft(type: "run.started@1", principal: "user:ana", body: ["n": .int(9_007_199_254_740_993)])),
    (
      "a large envelope",
      EntryDraft(type: "run.started@1", principal: "user:ana", body: ["n": .string(String(repeating: "x", count: 1 << 20))])
    ),
    (
      "many parts",
      EntryDraft(type: "run.started@1", principal: "user:ana", content: (0...AuditLimits.contentParts).map { Content("p\($0)", []) })
    ),
  ]

  @Test func badDraftsAreRefusedOneByOne() async throws {
    try await withTemporaryDirectory { directory in
      let store = try await CountingStore.open("\(directory)/store.sqlite", projections: [RunTable()], options: fixedOptions())
      for (name, draft) in Self.refused {
        let error = await #expect(throws: AuditError.self, "\(name)") { try await store.append([draft]) }
        #expect(error?.code == .invalidDraft, "\(name)")
      }
      #expect(try await store.read { $0.head.size } == 0)
      try await store.append([draft("run-1"), EntryDraft(type: "a.b@1", principal: "user:ana", body: ["a": Self.nested(99)])])
      #expect(try await store.verify().ok)
      await store.close()
    }
  }

  @Test("T15 log time never falls, whatever the clock does")
  func clockSetBack() async throws {
    try await withTemporaryDirectory { directory in
      var options = fixedOptions()
      let clock = Locked(Int64(1_800_000_000_000))
      options.time = TimeSource { Instant(milliseconds: clock.withLock { $0 }) }
      let store = try await CountingStore.open("\(directory)/store.sqlite", projections: [RunTable()], options: options)
      var times: [Int64] = []
      for now in [1_800_000_000_000, 1_500_000_000_000, 1_800_000_000_001, 0, 2_100_000_000_000] as [Int64] {
        clock.withLock { $0 = now }
        times.append(try await store.submit { context in ([draft("run-1")], context.now.milliseconds) })
      }
      #expect(times == [1_800_000_000_000, 1_800_000_000_000, 1_800_000_000_001, 1_800_000_000_001, 2_100_000_000_000])
      #expect(try await store.verify().ok)
      await store.close()
      // Not even after a restart.
      clock.withLock { $0 = 5 }
      let again = try await CountingStore.open("\(directory)/store.sqlite", projections: [RunTable()], options: options)
      #expect(try await again.submit { context in ([draft("run-1")], context.now.milliseconds) } == 2_100_000_000_000)
      await again.close()
    }
  }

  @Test func theLogIsMergedIntoTheFileWhileItGrows() async throws {
    try await withTemporaryDirectory { directory in
      let path = "\(directory)/store.sqlite"
      var options = fixedOptions()
      options.checkpointPages = 64
      let store = try await CountingStore.open(path, projections: [RunTable()], options: options)
      for _ in 0..<30 {
        try await withThrowingTaskGroup(of: Void.self) { group in
          for caller in 0..<20 {
            group.addTask { _ = try await store.append([draft("run-\(caller)", note: String(repeating: "n", count: 900))]) }
          }
          try await group.waitForAll()
        }
      }
      #expect(try FileCopy.read(path + "-wal").count < 6 << 20)
      #expect(try FileCopy.read(path).count > 300_000, "the file holds what was merged")
      #expect(try await store.verify().entries == 600)
      await store.close()
    }
  }

  @Test func aClosedStoreAnswers() async throws {
    try await withTemporaryDirectory { directory in
      let store = try await CountingStore.open("\(directory)/store.sqlite", options: fixedOptions())
      await store.close()
      let error = await #expect(throws: AuditError.self) { try await store.append([draft("run-1")]) }
      #expect(error?.code == .closed)
    }
  }

  @Test func plainSQLCannotChangeTheLog() async throws {
    try await withTemporaryDirectory { directory in
      let path = "\(directory)/store.sqlite"
      try await makeLog(path, entries: 5)
      let connection = try Connection(path: path, mode: .readWrite(create: false))
      for sql in [
        "UPDATE entry SET type = 'x'", "DELETE FROM entry", "UPDATE content SET bytes = NULL", "DELETE FROM content",
        "UPDATE evidence SET media = 'x/y'", "DELETE FROM evidence",
        "INSERT OR REPLACE INTO entry SELECT * FROM entry WHERE \"index\" = 1",
        "INSERT OR REPLACE INTO content (id, part, salt, bytes) SELECT id, part, salt, X'00' FROM content",
        "INSERT OR REPLACE INTO evidence SELECT * FROM evidence",
      ] {
        let error = #expect(throws: StorageError.self, "\(sql)") { try connection.execute(sql) }
        #expect(error?.code == .constraint && error?.message.contains("append-only") == true, "\(sql): \(error?.message ?? "")")
      }
      connection.close()
      #expect(try await verify(path).ok)
    }
  }
}
