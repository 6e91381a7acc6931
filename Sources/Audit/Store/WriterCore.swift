import Core
import Storage

/// The writer without its actor: a synchronous machine that turns a batch of decisions into one transaction.
///
/// Simulations drive it directly; ``AuditStore`` gives it a thread, a queue and waiting callers.
@usableFromInline
final class WriterCore {
  let connection: Connection
  let random: RandomSource
  let time: TimeSource
  let appender: LogAppender
  let reader: EntryReader
  private let functions: LedgerFunctions
  private let cache: StateCache
  /// What was done so far.
  private(set) var statistics = WriterStatistics()
  /// Log time of the decision that is being made.
  private(set) var now = Instant(milliseconds: 0)
  /// How far ``cache`` is folded; `nil` when nothing is.
  private var foldedTo: Int?

  /// How many content and envelope bytes one transaction takes before it ends early.
  private static let batchBytes = 16 << 20
  /// Whether the open transaction removed content.
  private var redacts = false
  /// Whether removed content may still lie in free pages or in the write-ahead log.
  private(set) var needsScrub = false
  private let cachedRuns: Int
  /// From how many entries of other processes on the runs are folded anew instead of entry by entry.
  private static let catchUpLimit = 20_000

  init(connection: Connection, functions: LedgerFunctions, time: TimeSource, random: RandomSource?, cachedRuns: Int) throws {
    self.connection = connection
    self.functions = functions
    self.cachedRuns = cachedRuns
    self.time = time
    self.random = random ?? .system
    appender = try LogAppender(connection: connection, random: random)
    reader = EntryReader(connection)
    cache = StateCache(functions, limit: cachedRuns)
  }

  // MARK: The batch

  /// Runs a batch of decisions in one transaction with one sync, and tells each its result.
  ///
  /// A decision that throws, or whose entries are refused, fails alone: the others are then decided again, as if it had not been there.
  /// When the transaction itself fails, all fail, and nothing in memory is trusted any more.
  /// - Returns: The decisions that did not fit and wait for the next batch.
  func process(_ batch: [Decision]) -> ArraySlice<Decision> {
    var excluded: [Int: any Error] = [:]
    while true {
      do {
        var refused = excluded
        let (end, before) = try attempt(batch, &refused)
        let isEmpty = appender.size == before
        if isEmpty {
          connection.rollback()
        } else {
          try connection.commit()
          appender.commit()
          statistics.commits += 1
          statistics.entries += appender.size - before
          if redacts { needsScrub = true }
        }
        cache.commit()
        foldedTo = appender.size
        for place in 0..<end {
          if !refused.isEmpty, let error = refused[place] { batch[place].fail(error) } else { batch[place].succeed() }
        }
        return batch[end...]
      } catch let refusal as Refusal {
        // Undo all, and decide the others again without the one that was refused.
        connection.rollback()
        cache.undo()
        appender.undo()
        excluded[refusal.place] = refusal.error
      } catch {
        if let storage = error as? StorageError { connection.note(storage) }
        connection.rollback()
        reset()
        for decision in batch { decision.fail(error) }
        return []
      }
    }
  }

  /// A decision whose entries could not be written or folded.
  private struct Refusal: Error {
    let place: Int
    let error: any Error
  }

  /// Writes everything but the commit.
  ///
  /// - Returns: How many decisions were looked at, and how many entries there were before them.
  private func attempt(_ batch: [Decision], _ refused: inout [Int: any Error]) throws -> (end: Int, before: Int) {
    redacts = false
    try connection.begin(.immediate)
    try catchUp(from: try appender.begin())
    let before = appender.size
    let context = functions.makeContext(self)
    var bytes = 0
    var place = 0
    while place < batch.count, bytes < Self.batchBytes {
      defer { place += 1 }
      if !refused.isEmpty, refused[place] != nil { continue }
      now = appender.logTime(time.now())
      var drafts: [EntryDraft]
      do {
        drafts = try batch[place].decide(context)
        for draft in drafts.indices { try drafts[draft].validate() }
      } catch let error as StorageError where error.code != .constraint && error.code != .misuse && error.code != .tooBig {
        throw error
      } catch {
        refused[place] = error  // nothing was written: no need to begin again
        continue
      }
      do {
        for draft in drafts { bytes += try write(draft) }
      } catch let error as StorageError where error.code != .constraint && error.code != .tooBig {
        throw error
      } catch {
        throw Refusal(place: place, error: error)
      }
    }
    if appender.size > before { try appender.finish() }
    if redacts { try ProjectionTables(functions).refill(in: connection, cachedRuns: cachedRuns) }
    return (place, before)
  }

  /// Appends an entry, folds it and projects it.
  ///
  /// - Returns: About how many bytes it took.
  private func write(_ draft: EntryDraft) throws -> Int {
    do throws(InjectedFault) {
      try connection.faults.reach(AuditFaultPoint.append)
    } catch {
      throw StorageError(.injected, "a test made `\(AuditFaultPoint.append)` fail")
    }
    // The state must be here before the entry is, so that folding the log does not meet it.
    if let run = draft.run {
      let slot = try slot(run)
      let (entry, bytes) = try appender.append(draft, time: now)
      try cache.apply(entry, to: slot)
      try project(entry, slot)
      return bytes
    }
    if bytesEqual(draft.type, Redaction.type) {
      try Redaction.perform(draft.body, before: appender.size, in: connection)
      redacts = true
      // What is in memory was folded with the content that is gone.
      cache.reset()
    }
    _ = try shared()
    let (entry, bytes) = try appender.append(draft, time: now)
    try cache.apply(entry)
    try project(entry, nil)
    return bytes
  }

  private func project(_ entry: Entry, _ slot: RunSlot?) throws {
    if functions.projections.isEmpty { return }
    try functions.project(entry, slot, try shared(), connection)
  }

  // MARK: State

  /// Folds what other processes appended into the states that are in memory.
  private func catchUp(from known: Int?) throws {
    guard let folded = foldedTo, known != nil, folded <= appender.size else {
      cache.reset()
      foldedTo = appender.size
      return
    }
    if folded == appender.size { return }
    let range = folded..<appender.size
    if try hasRedaction(in: range) {
      cache.reset()
      foldedTo = appender.size
      return
    }
    if range.count > Self.catchUpLimit {
      cache.forgetRuns()
      try reader.forEach(run: nil, in: range) { try cache.apply($0) }
    } else {
      var wanted: [Int] = []
      try reader.forEachRun(in: range) { (index: Int, run: String?) in
        if let run, cache.cached(run) == nil { return }
        wanted.append(index)
      }
      for index in wanted {
        guard let entry = try reader.entry(at: index) else { continue }
        try cache.apply(entry)
      }
    }
    foldedTo = appender.size
    // These entries are committed: an undo of our own transaction must not forget them.
    cache.commit()
  }

  /// Whether other processes removed content: what is in memory was folded with it.
  private func hasRedaction(in range: Range<Int>) throws -> Bool {
    try connection.first(
      #"SELECT 1 FROM entry WHERE "index" >= ? AND "index" < ? AND type = ? LIMIT 1"#,
      [.int(range.lowerBound), .int(range.upperBound), .text(Redaction.type)]
    ) { _ in true } ?? false
  }

  /// Removes what was redacted from free pages and the write-ahead log; see ``Redaction/scrub(_:)``.
  func scrub() throws -> Bool {
    let isDone = try Redaction.scrub(connection)
    if isDone { needsScrub = false }
    return isDone
  }

  @usableFromInline
  func slot(_ id: String) throws -> RunSlot {
    try cache.slot(id) { slot in
      try reader.forEach(run: id, in: 0..<appender.size) { _ = try functions.foldRun($0, slot) }
    }
  }

  @usableFromInline
  func shared() throws -> SharedSlot {
    try cache.loadShared { slot in
      try reader.forEach(run: nil, in: 0..<appender.size) { try functions.foldShared($0, slot) }
    }
  }

  func history(of run: String) throws -> [Entry] {
    var entries: [Entry] = []
    try reader.forEach(run: run, in: 0..<appender.size) { entries.append($0) }
    return entries
  }

  /// Drops everything in memory; it is read from the store again when it is next used.
  func reset() {
    cache.reset()
    appender.undo()
    foldedTo = nil
  }
}

/// What a writer did since its store was opened.
public struct WriterStatistics: Hashable, Sendable {
  /// Transactions committed; each took one sync.
  public var commits = 0
  /// Entries in them.
  public var entries = 0
}

/// The points of the log's writer at which a `FaultPlan` can make it fail; the storage has more.
public enum AuditFaultPoint {
  /// Before an entry is written.
  public static let append = "audit.append"
}
