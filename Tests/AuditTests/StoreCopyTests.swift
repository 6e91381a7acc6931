import Core
import Glibc
import Storage
import TestSupport
import Testing

@testable import Audit

/// Copies of a store, and what happens to a store when one is put in its place.
@Suite struct StoreCopyTests {
  static let later = Instant(milliseconds: 1_800_000_000_000)

  func backUp(_ path: String, to target: String) async throws -> VerificationReport {
    try await CountingStore.backUp(path, to: target, projections: [RunTable()])
  }

  func restore(_ copy: String, over path: String, discarding: Int = 0) async throws -> RestoredStore? {
    try await CountingStore.restore(copy, over: path, discarding: discarding, projections: [RunTable()], now: Self.later).restored
  }

  func append(_ count: Int, to path: String, keeping: Bool = false) async throws {
    let store = try await CountingStore.open(path, projections: [RunTable()], options: fixedOptions())
    for number in 0..<count { try await store.append([draft("run-1", amount: Int64(number))]) }
    if keeping { try await store.keep(try await store.checkpoint(origin: "log").text) }
    await store.close()
  }

  func files(in directory: String) -> Int {
    guard let folder = opendir(directory) else { return -1 }
    defer { closedir(folder) }
    var count = -2  // `.` and `..`
    while readdir(folder) != nil { count += 1 }
    return count
  }

  @Test func aCopyTakenWhileOthersWriteIsWholeAndOneFileForItsOwnerAlone() async throws {
    try await withTemporaryDirectory { directory in
      let (path, copy) = ("\(directory)/store.sqlite", "\(directory)/copies")
      mkdir(copy, 0o700)
      try await makeLog(path)
      let store = try await CountingStore.open(path, projections: [RunTable()], options: fixedOptions())
      async let writing: Void = { for _ in 0..<200 { try await store.append([draft("run-9")]) } }()
      for number in 0..<5 {
        let report = try await backUp(path, to: "\(copy)/\(number)")
        #expect(report.ok && report.entries >= 100 && report.evidence == 4, "\(report.problems)")
      }
      try await writing
      await store.close()
      #expect(files(in: copy) == 5)
      var status = stat()
      #expect(stat("\(copy)/0", &status) == 0 && status.st_mode & 0o777 == 0o600)
      await #expect(throws: FileError.self) { try await backUp(path, to: "\(copy)/0") }
      #expect(files(in: copy) == 5)
    }
  }

  @Test func aStoreThatIsNotWholeOrContradictsItsCheckpointIsNotCopied() async throws {
    try await withTemporaryDirectory { directory in
      let (path, copy) = ("\(directory)/store.sqlite", "\(directory)/copies")
      mkdir(copy, 0o700)
      try await makeLog(path)
      try VerifyTests.copy(path, "\(directory)/old.sqlite")
      try await append(3, to: path, keeping: true)
      #expect(try await backUp(path, to: "\(copy)/whole").ok)
      try VerifyTests.copy("\(directory)/old.sqlite", path)
      #expect(try await backUp(path, to: "\(copy)/rolled-back").firstBad == 100)
      try tamper(path) { try Flip.run("UPDATE entry SET envelope = flip(envelope, 40) WHERE \"index\" = 7", $0) }
      #expect(try await backUp(path, to: "\(copy)/changed").firstBad == 7)
      #expect(files(in: copy) == 1)
    }
  }

  @Test func aCopyIsPutBackWhereNothingIsLostByIt() async throws {
    try await withTemporaryDirectory { directory in
      let (path, copy) = ("\(directory)/store.sqlite", "\(directory)/copy")
      try await makeLog(path)
      try await append(2, to: path, keeping: true)
      #expect(try await backUp(path, to: copy).ok)
      // Nothing is there; what is there is no database; a page is damaged; the owner changed an entry.
      let damages: [(String, (String) throws -> Void)] = [
        ("gone", { unlink($0) }),
        ("no database", { try FileCopy.write([UInt8](repeating: 7, count: 9000), $0) }),
        (
          "a damaged page",
          { path in
            var bytes = try FileCopy.read(path)
            for place in 4096 * 6..<4096 * 9 { bytes[place] ^= 0x55 }
            try FileCopy.write(bytes, path)
          }
        ),
      ]
      for (name, damage) in damages {
        for suffix in ["-wal", "-shm"] { unlink(path + suffix) }
        try damage(path)
        let lost = try await discarded(copy, path)
        let restored = try #require(try await restore(copy, over: path, discarding: lost), "\(name)")
        #expect(restored.head.size == 102 && (restored.replaced == nil) == (name == "gone"), "\(name)")
        let report = try await verify(path)
        #expect(report.ok && report.entries == 102, "\(name): \(report.problems)")
        if let replaced = restored.replaced { unlink(replaced) }
      }
      try await append(1, to: path)
      #expect(try await verify(path).entries == 103)
    }
  }

  /// How many entries a refusal says that a copy lacks.
  func discarded(_ copy: String, _ path: String) async throws -> Int {
    try await StoreCopier().loss(ofStore: path, replacedBy: copy)?.count ?? 0
  }

  @Test func anOlderCopyReplacesALogOnlyWhereSomebodySaysHowMuchIsLost() async throws {
    try await withTemporaryDirectory { directory in
      let (path, copy) = ("\(directory)/store.sqlite", "\(directory)/copy")
      try await makeLog(path)
      #expect(try await backUp(path, to: copy).ok)
      try await append(12, to: path, keeping: true)
      try await append(3, to: path)
      for wrong in [0, 1, 14, 16] {
        let error = await #expect(throws: AuditError.self) { try await restore(copy, over: path, discarding: wrong) }
        #expect(error?.code == .discards && error?.message.contains("15 entries") == true && error?.message.contains("entry 100") == true)
      }
      #expect(try await verify(path).entries == 115)
      let restored = try #require(try await restore(copy, over: path, discarding: 15))
      // What was replaced is there, with its checkpoint, and whole.
      let replaced = try #require(restored.replaced)
      #expect(try await verify(replaced).entries == 115)
      #expect(try KeptCheckpoint.read(besideStore: replaced)?.size == 112)
      try await append(1, to: path)
      #expect(try await verify(path).entries == 101)
      // Where the store is lost, the checkpoint still says how many entries there were.
      try await append(4, to: path, keeping: true)
      unlink(path)
      let error = await #expect(throws: AuditError.self) { try await restore(copy, over: path) }
      #expect(error?.message.contains("5 entries") == true, "\(error?.message ?? "")")
    }
  }

  @Test func aLogThatWasChangedIsReplacedByItsCopyAndTheDifferenceIsCounted() async throws {
    try await withTemporaryDirectory { directory in
      let (path, copy) = ("\(directory)/store.sqlite", "\(directory)/copy")
      try await makeLog(path)
      #expect(try await backUp(path, to: copy).ok)
      try tamper(path) { try Flip.run("UPDATE entry SET envelope = flip(envelope, 40) WHERE \"index\" = 37", $0) }
      let error = await #expect(throws: AuditError.self) { try await restore(copy, over: path) }
      #expect(error?.message.contains("63 entries") == true && error?.message.contains("entry 37") == true, "\(error?.message ?? "")")
      #expect(try await restore(copy, over: path, discarding: 63) != nil)
      #expect(try await verify(path).ok)
    }
  }

  @Test func aCopyThatIsNotWholeOrContradictsTheCheckpointIsNeverPutBack() async throws {
    try await withTemporaryDirectory { directory in
      let (path, copy) = ("\(directory)/store.sqlite", "\(directory)/copy")
      try await makeLog(path)
      try await append(1, to: path, keeping: true)
      #expect(try await backUp(path, to: copy).ok)
      try tamper(copy) { try Flip.run("UPDATE content SET bytes = flip(bytes, 1) WHERE id = 1280", $0) }
      let report = try await CountingStore.restore(copy, over: path, discarding: 0, projections: [RunTable()], now: Self.later)
      #expect(report.restored == nil && report.report.firstBad == 5)
      // Whole in itself, and longer, but another log.
      try await makeLog("\(directory)/other", entries: 120)
      for discarding in [0, 101, 120] {
        let error = await #expect(throws: AuditError.self) {
          try await restore("\(directory)/other", over: path, discarding: discarding)
        }
        #expect(error?.code == .forked)
      }
      #expect(try await verify(path).entries == 101)
    }
  }

  @Test func aStoreThatSomebodyHasOpenIsNotReplaced() async throws {
    try await withTemporaryDirectory { directory in
      let (path, copy) = ("\(directory)/store.sqlite", "\(directory)/copy")
      try await makeLog(path)
      #expect(try await backUp(path, to: copy).ok)
      let store = try await CountingStore.open(path, projections: [RunTable()], options: fixedOptions())
      let error = await #expect(throws: StorageError.self) { try await restore(copy, over: path) }
      #expect(error?.code == .busy, "\(error?.message ?? "")")
      try await store.append([draft("run-1")])
      await store.close()
      #expect(try await verify(path).entries == 101)
      #expect(
        !FileCopy.exists("\(path).restoring-\(Self.later.milliseconds)") && !FileCopy.exists("\(path).replaced-\(Self.later.milliseconds)"))
    }
  }

  @Test func aStoreOfTheFirstFormatIsCopiedIntoAWholeOneOfThisFormatAndStaysAsItIs() async throws {
    try await withTemporaryDirectory { directory in
      let (path, copy) = ("\(directory)/store.sqlite", "\(directory)/copy")
      try await makeLog(path, entries: 600)
      let old = try Connection(path: path, mode: .readWrite(create: false))
      try old.execute("DROP TABLE tile; PRAGMA user_version=1")
      old.close()
      #expect(try await backUp(path, to: copy).ok)
      #expect(try await verify(copy).entries == 600)
      let connection = try Connection(path: path, mode: .readOnly)
      #expect(try connection.first("PRAGMA user_version") { $0.int(0) } == 1)
      connection.close()
    }
  }
}
