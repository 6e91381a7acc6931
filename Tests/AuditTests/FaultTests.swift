import Audit
import Core
import Glibc
import Storage
import TestSupport
import Testing

@Suite struct FaultTests {
  static let points = [
    Connection.FaultPoint.begin, AuditFaultPoint.append, Connection.FaultPoint.commit, Connection.FaultPoint.committed,
  ]

  /// Appends three times two entries, one with evidence, and says what the callers were told.
  static func work(_ path: String, _ faults: FaultPlan) async throws -> (told: Int, unknown: Int, failed: Int) {
    var result = (told: 0, unknown: 0, failed: 0)
    func note(_ error: any Error) throws {
      guard let storage = error as? StorageError, storage.code == .injected else { throw error }
      result.failed += 1
      if storage.message.contains(Connection.FaultPoint.committed) { result.unknown += 2 }
    }
    let store: CountingStore
    do {
      store = try await CountingStore.open(path, projections: [RunTable()], options: fixedOptions(faults: faults))
    } catch {
      result.failed += 1
      return result  // nothing was promised
    }
    for round in 0..<3 {
      do {
        var second = draft(nil, "shared.changed@1")
        second.evidence = [try Evidence.bytes([UInt8(round)], media: "text/plain")]
        try await store.append([draft("run-1", ticket: "t\(round)"), second])
        result.told += 2
      } catch {
        try note(error)
      }
    }
    await store.close()
    return result
  }

  @Test(arguments: [false, true])
  func everyFaultLeavesAWholeLog(persistent: Bool) async throws {
    var n = 0
    var failed = 1
    while failed > 0 {
      n += 1
      failed = try await withTemporaryDirectory { directory in
        let path = "\(directory)/store.sqlite"
        let result = try await Self.work(path, .fail(at: n, persistent: persistent))
        let store = try await CountingStore.open(path, projections: [RunTable()], options: fixedOptions())
        let report = try await store.verify()
        #expect(report.ok, "fault \(n): \(report.problems)")
        let unknown = persistent ? min(result.unknown, 2) : result.unknown
        #expect(report.entries == result.told + unknown, "fault \(n)")
        // And it goes on.
        try await store.append([draft("run-2")])
        #expect(try await store.verify().entries == report.entries + 1, "fault \(n)")
        await store.close()
        return result.failed
      }
    }
    // Every point was reached: three times in opening (migration, projections), and once or twice in each of three appends.
    #expect(n == 2 * 3 + 3 * 5 + 1)
  }

  @Test func theSameStoreGoesOnAfterAFault() async throws {
    try await withTemporaryDirectory { directory in
      for n in 7...22 {
        let path = "\(directory)/store-\(n).sqlite"
        let store = try await CountingStore.open(
          path, projections: [RunTable()], options: fixedOptions(faults: .fail(at: n, persistent: false)))
        var failures = 0
        for round in 0..<4 {
          do {
            _ = try await store.submit { context in
              let run = try context.run("run-1")
              return ([draft("run-1", amount: Int64(run?.types.count ?? 0)), draft(nil, "shared.changed@1")], round)
            }
          } catch is StorageError {
            failures += 1
          }
        }
        #expect(failures <= 1)
        let (memory, folded) = (
          try await store.submit { (context) -> ([EntryDraft], CountingLedger.Run?) in ([], try context.run("run-1")) },
          try await store.read { try $0.run("run-1") }
        )
        #expect(memory == folded, "fault \(n)")
        let report = try await store.verify()
        #expect(report.ok, "fault \(n): \(report.problems)")
        await store.close()
      }
    }
  }

  @Test(arguments: points, [1, 2])
  func aKilledProcessLeavesAWholeLog(_ point: String, _ time: Int) async throws {
    try await withTemporaryDirectory { directory in
      let path = "\(directory)/store.sqlite"
      try await makeLog(path, entries: 5)
      await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, point = point as String, time = time as Int] in
        let reached = Locked(0)
        let faults = FaultPlan { (now: String) throws(InjectedFault) in
          guard now == point else { return }
          let count = reached.withLock {
            $0 += 1
            return $0
          }
          if count == time { kill(getpid(), SIGKILL) }
        }
        _ = try await FaultTests.work(path, faults)
      }
      let report = try await verify(path)
      #expect(report.ok, "\(report.problems)")
      // The k-th append is whole or not there.
      let wanted = point == AuditFaultPoint.append ? 5 : point == Connection.FaultPoint.committed ? 5 + 2 * time : 3 + 2 * time
      #expect(report.entries == wanted)
      let store = try await CountingStore.open(path, projections: [RunTable()], options: fixedOptions())
      try await store.append([draft("run-9")])
      #expect(try await store.verify().ok)
      await store.close()
    }
  }

  @Test("T16 what a caller was told is there after a kill at any moment")
  func killedAtAnyMoment() async throws {
    try await withTemporaryDirectory { directory in
      let path = "\(directory)/store.sqlite"
      let acknowledged = "\(directory)/acknowledged"
      try await makeLog(path, entries: 1)
      for delay in [3000, 17_000, 41_000, 73_000] {
        await #expect(processExitsWith: .signal(SIGALRM)) {
          [
            path = path as String, acknowledged = acknowledged as String, delay = delay as Int,
          ] in
          let log = open(acknowledged, O_WRONLY | O_CREAT | O_APPEND, 0o600)
          let store = try await CountingStore.open(path, projections: [RunTable()])
          var timer = itimerval(it_interval: timeval(), it_value: timeval(tv_sec: 0, tv_usec: delay))
          setitimer(__itimer_which_t(ITIMER_REAL.rawValue), &timer, nil)
          try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<16 {
              group.addTask {
                while true {
                  let index = try await store.append([draft("run-\(caller)")])
                  var line = Array("\(index)\n".utf8)
                  write(log, &line, line.count)
                }
              }
            }
            try await group.waitForAll()
          }
        }
        let report = try await verify(path)
        #expect(report.ok, "\(report.problems)")
        let told = (try? FileCopy.read(acknowledged)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let indices = told.split(separator: "\n").compactMap { Int($0) }
        #expect(Set(indices).count == indices.count)
        #expect((indices.max() ?? 0) < report.entries)
      }
    }
  }
}
