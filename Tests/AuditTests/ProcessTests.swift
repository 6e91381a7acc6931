import Audit
import Core
import Glibc
import Storage
import TestSupport
import Testing

/// Several processes on one store.
@Suite struct ProcessTests {
  @Test func processesShareOneLogAndNoTicketIsUsedTwice() async throws {
    try await withTemporaryDirectory { directory in
      let path = "\(directory)/store.sqlite"
      try await makeLog(path, entries: 1)
      await withTaskGroup(of: Void.self) { group in
        for process in 0..<3 {
          group.addTask {
            await #expect(processExitsWith: .success) { [path = path as String, process = process as Int] in
              let store = try await CountingStore.open(path, projections: [RunTable()])
              try await withThrowingTaskGroup(of: Void.self) { group in
                for caller in 0..<4 {
                  group.addTask {
                    for ticket in 0..<25 {
                      // The count in memory must hold what the other processes appended.
                      try await store.submit { context -> ([EntryDraft], Void) in
                        let used = try context.database.first("SELECT 1 FROM runs_ticket WHERE ticket = ?", [.text("t\(ticket)")]) { _ in
                          true
                        }
                        if used == true { return ([draft("run-\(process)-\(caller)")], ()) }
                        let count = try context.run("common")?.types.count ?? 0
                        return ([draft("common", amount: Int64(count), ticket: "t\(ticket)")], ())
                      }
                    }
                  }
                }
                try await group.waitForAll()
              }
              await store.close()
            }
          }
        }
      }
      let report = try await verify(path)
      #expect(report.ok, "\(report.problems)")
      #expect(report.entries == 1 + 3 * 4 * 25)
      let store = try await CountingStore.open(path, projections: [RunTable()])
      let (tickets, amounts) = try await store.read { context in
        (
          try context.database.first("SELECT count(*) FROM runs_ticket", [], { $0.int(0) }),
          try context.history(of: "common").map { $0.body["amount"]?.intValue }
        )
      }
      #expect(tickets == 25)
      #expect(amounts == (0..<25).map { Int64($0) }, "each decision saw all that came before")
      await store.close()
    }
  }

  @Test func aLockedStoreNamesItsHolder() async throws {
    try await withTemporaryDirectory { directory in
      let path = "\(directory)/store.sqlite"
      try await makeLog(path, entries: 1)
      let (marker, release) = ("\(directory)/marker", "\(directory)/release")
      async let holder: Void = Self.hold(path, marker, release)
      while !FileCopy.exists(marker) { usleep(5000) }
      let process = String(decoding: try FileCopy.read(marker), as: UTF8.self)
      var options = fixedOptions()
      options.busyTimeout = .milliseconds(200)
      let store = try await CountingStore.open(path, projections: [RunTable()], options: options)
      let error = await #expect(throws: StorageError.self) { try await store.append([draft("run-1")]) }
      #expect(error?.code == .busy)
      #expect(error?.message.contains("process \(process)") == true, "\(error?.message ?? "")")
      try FileCopy.write([], release)
      await holder
      // The store is not broken by having waited in vain.
      try await store.append([draft("run-1")])
      #expect(try await store.verify().ok)
      await store.close()
    }
  }

  static func hold(_ path: String, _ marker: String, _ release: String) async {
    await #expect(processExitsWith: .success) { [path = path as String, marker = marker as String, release = release as String] in
      let connection = try Connection(path: path, mode: .readWrite(create: false))
      try connection.begin(.immediate)
      try FileCopy.write(Array("\(getpid())".utf8), marker + ".new")
      rename(marker + ".new", marker)
      while !FileCopy.exists(release) { usleep(5000) }
      connection.rollback()
    }
  }

  @Test func aLockIsWaitedForByDefaultForFiveSeconds() async throws {
    try await withTemporaryDirectory { directory in
      let path = "\(directory)/store.sqlite"
      try await makeLog(path, entries: 1)
      let store = try await CountingStore.open(path, projections: [RunTable()], options: fixedOptions())
      let other = try Connection(path: path, mode: .readWrite(create: false))
      try other.begin(.immediate)
      let began = ContinuousClock.now
      let error = await #expect(throws: StorageError.self) { try await store.append([draft("run-1")]) }
      let waited = ContinuousClock.now - began
      #expect(error?.code == .busy)
      #expect(error?.message.contains("another connection of this process") == true, "\(error?.message ?? "")")
      #expect(error?.message.contains("5 s") == true)
      #expect(waited >= .seconds(5))
      other.rollback()
      try await store.append([draft("run-1")])
      await store.close()
    }
  }

  @Test func aLogThatWasRolledBackUnderARunningProcessTakesNothingMore() async throws {
    try await withTemporaryDirectory { directory in
      let path = "\(directory)/store.sqlite"
      try await makeLog(path, entries: 10)
      try VerifyTests.copy(path, "\(directory)/old.sqlite")
      let store = try await CountingStore.open(path, projections: [RunTable()], options: fixedOptions())
      try await store.append([draft("run-1")])
      let old = try Connection(path: "\(directory)/old.sqlite", mode: .readOnly)
      let head = try old.first("SELECT root, frontier FROM head", [], { ($0.blob(0), $0.blob(1)) })
      try tamper(path) {
        try $0.execute("DELETE FROM entry WHERE \"index\" = 10; DELETE FROM content WHERE entry = 10")
        try $0.run("UPDATE head SET size = 10, root = ?, frontier = ?", .blob(head?.0), .blob(head?.1))
      }
      let error = await #expect(throws: AuditError.self) { try await store.append([draft("run-1")]) }
      #expect(error?.code == .forked)
      #expect(error?.message.contains("11 entries") == true)
      // Nor when the other log has grown past it.
      let other = try await CountingStore.open(path, projections: [RunTable()], options: fixedOptions(seed: 9))
      try await other.append([draft("run-1"), draft("run-1"), draft("run-1")])
      await #expect(throws: AuditError.self) { try await store.append([draft("run-1")]) }
      await other.close()
      await store.close()
    }
  }
}
