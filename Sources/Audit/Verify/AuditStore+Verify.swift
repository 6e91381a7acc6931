import Core
import Glibc
import Storage

extension AuditStore {
  /// Derives everything again from the entries and compares it with what is stored.
  ///
  /// Looks at the log as it is when this begins, in snapshots of its own, while writers go on. One thread reads, one compares what lies
  /// beside the entries, one has SQLite check its pages, and several hash, parse and fold, each the entries of runs of its own.
  /// - Parameter options: What to look at.
  /// - Returns: What was found. A log that does not fit is a report, not an error.
  /// - Throws: `StorageError` when the file cannot be opened as a store at all.
  /// - Complexity: O(n) for n entries; memory grows with the evidence that they name, the states kept and, by some bytes each, the runs.
  public nonisolated func verify(_ options: VerificationOptions = VerificationOptions()) async throws -> VerificationReport {
    let key = RowHasher.randomKey()
    let inspector = StoreInspector(path: path, functions: functions, options: options, key: key)
    let end = try await inspector.begin()
    async let pages = options.pages ? PageInspector(path: path).inspect() : []
    async let store = inspector.inspect()
    let checkers = (0..<Self.checkerCount).map {
      EntryChecker(path: path, functions: functions, options: options, number: $0, of: Self.checkerCount, key: key)
    }
    let reader = LogReader(path: path, withContent: options.content, end: end, checkers: checkers.count)
    var summary = LogSummary(options)
    let claims = ClaimChecker(functions)
    let lanes = checkers.map { CheckerLane($0) }
    var waiting: [(chunk: RawChunk, found: [Task<CheckedEntries, any Error>])] = []
    var isRead = false
    while !isRead || !waiting.isEmpty {
      if !isRead {
        let chunk = try await reader.next()
        isRead = chunk.isLast
        waiting.append((chunk, lanes.map { $0.check(chunk) }))
        if waiting.count <= Self.chunksAhead { continue }
      }
      let (chunk, tasks) = waiting.removeFirst()
      var found: [CheckedEntries] = []
      for task in tasks { found.append(try await task.value) }
      summary.add(chunk, found, claims.problems(in: found))
    }
    await reader.close()
    let result = try await Self.all(checkers) { try await $0.finish() }.reduce(into: EntryChecker.Result()) { $0.add($1) }
    var inspection = try await store
    inspection.problems += try await pages
    return summary.finish(inspection, result, functions.projections)
  }

  /// How many threads check entries.
  private static var checkerCount: Int { max(1, min(8, sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

  /// How many chunks are read before the first of them has to be checked: what one checker is slow at, the others need not wait for.
  private static var chunksAhead: Int { 4 }

  /// Asks all checkers at once; the answers are in their order.
  private static func all<R: Sendable>(
    _ checkers: [EntryChecker], _ ask: @escaping @Sendable (EntryChecker) async throws -> R
  ) async throws -> [R] {
    try await withThrowingTaskGroup(of: (Int, R).self) { group in
      for (number, checker) in checkers.enumerated() { group.addTask { (number, try await ask(checker)) } }
      var answers: [(number: Int, answer: R)] = []
      for try await answer in group { answers.append(answer) }
      return answers.sorted { $0.number < $1.number }.map(\.answer)
    }
  }

  /// The log as a checkpoint: what others keep, so that nobody can rewrite it unseen.
  ///
  /// - Parameter origin: The name of the log; see ``Checkpoint/origin``.
  /// - Returns: The checkpoint, not signed.
  /// - Throws: `StorageError`; ``AuditError`` with code ``AuditError/Code/invalidDraft`` when the origin is not a name.
  public nonisolated func checkpoint(origin: String) async throws -> Checkpoint {
    guard Checkpoint.isOrigin(origin) else {
      throw AuditError(
        .invalidDraft, "`\(visible(origin))` cannot name a log", hint: "use letters, digits, dots and slashes, such as `example.com/remit`")
    }
    return try await read { $0.checkpoint(origin: origin) }
  }
}
