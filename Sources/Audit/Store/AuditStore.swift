public import Core
import Glibc
import Storage
import Synchronization

/// The append-only log with its evidence and projections: one writer for many callers, snapshots for readers.
///
/// Decisions queue; the writer takes all that wait, decides them one after the other inside one transaction, and makes them durable with
/// one sync. Values cross this boundary, the connection never does: the writer runs on a thread of its own, so nobody holds a thread of
/// Swift's shared pool while the disk works. Any number of processes may have the same file open.
public actor AuditStore<Meaning: Ledger> {
  /// The store's file.
  public nonisolated let path: String
  /// How it was opened.
  public nonisolated let options: StoreOptions
  private let executor: BlockingExecutor
  nonisolated let functions: LedgerFunctions
  private nonisolated let queue = Mutex(DecisionQueue())
  private nonisolated let readers: [SnapshotReader<Meaning>]
  private nonisolated let load: Mutex<[Int]>
  private let checkpointer: Checkpointer?
  var core: WriterCore?

  /// The writer's thread.
  public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  // MARK: Opening and closing

  /// Opens a store, and makes it when it is not there and `options` say so.
  ///
  /// - Parameters:
  ///   - path: The file; its directory must be there.
  ///   - projections: The tables to keep. Those with another version than the stored one are rebuilt now.
  ///   - options: How to open it.
  /// - Returns: The store; close it with ``close()``.
  /// - Throws: `StorageError`: a newer version, a lock held too long, no permission, a damaged file; ``AuditError`` for a projection
  ///   that cannot be rebuilt, and, unless it is opened for reading only, for triggers that are not those that this version makes. The file is as it was, except that a new one may be there without content.
  @inlinable
  public static func open(
    _ path: String, projections: [any Projection<Meaning>] = [], options: StoreOptions = StoreOptions()
  ) async throws -> AuditStore {
    let store = AuditStore(path: path, functions: .of(Meaning.self, projections), options: options)
    try await store.start()
    return store
  }

  @usableFromInline
  init(path: String, functions: LedgerFunctions, options: StoreOptions) {
    self.path = path
    self.functions = functions
    self.options = options
    executor = BlockingExecutor(label: "audit")
    readers = (0..<max(1, options.readers)).map { SnapshotReader(path: path, label: "audit-reader-\($0)") }
    load = Mutex([Int](repeating: 0, count: max(1, options.readers)))
    checkpointer = options.readOnly ? nil : Checkpointer(path: path, threshold: options.checkpointPages)
  }

  @usableFromInline
  func start() throws {
    let connection = try Connection(
      path: path, mode: options.readOnly ? .readOnly : .readWrite(create: options.create), busyTimeout: options.busyTimeout,
      faults: options.faults)
    try connection.migrate(LogSchema.migrations, application: LogSchema.application)
    if options.readOnly { return }
    let tables = ProjectionTables(functions)
    try StoreSchema.checkTriggers(of: ReadOnlyConnection(connection), tables)
    try MerkleTiles.fill(connection)
    if let kept = try KeptCheckpoint.read(besideStore: path) { try KeptCheckpoint.check(kept, ReadOnlyConnection(connection)) }
    try tables.prepare(in: connection, cachedRuns: options.cachedRuns)
    core = try WriterCore(
      connection: connection, functions: functions, time: options.time, random: options.random, cachedRuns: options.cachedRuns)
  }

  /// Lets the decisions that wait finish, refuses new ones, and closes all connections.
  public func close() async {
    let waiting = queue.withLock { queue in
      queue.isClosed = true
      return queue.takeAll()
    }
    for decision in waiting { decision.fail(Self.closed) }
    for reader in readers { await reader.close() }
    await checkpointer?.close()
    core?.connection.close()
    core = nil
  }

  private static var closed: AuditError { AuditError(.closed, "the store was closed") }

  // MARK: Writing

  /// Decides inside the writer's transaction and appends what was decided, all of it or nothing.
  ///
  /// - Parameter decide: Looks at the state in its context and returns the entries to append, which may be none, and a result. It must be
  ///   quick, depend only on the context and what it captured, and change nothing outside: it is called again when another decision of the
  ///   same transaction had to be undone. Whatever it throws is thrown here, and nothing was appended.
  /// - Returns: The result, once the entries have reached the disk.
  /// - Throws: What `decide` throws; ``AuditError``; `StorageError`. Nothing was appended, with one exception: after
  ///   `StorageError.Code.inputOutput`, or a fault after the commit, it is not known, so look before you decide again.
  /// - Complexity: O(log n) for n entries, for each entry appended.
  @inlinable
  public nonisolated func submit<R: Sendable>(
    _ decide: @escaping @Sendable (WriteContext<Meaning>) throws -> ([EntryDraft], R)
  ) async throws -> R {
    try await withUnsafeThrowingContinuation { enqueue(PendingDecision(decide, $0)) }
  }

  /// Hands a decision to the writer.
  @usableFromInline
  nonisolated func enqueue(_ decision: Decision) {
    switch queue.withLock({ $0.add(decision) }) {
    case .wakeWriter: Task { await self.drain() }
    case .waits: break
    case .overloaded:
      decision.fail(
        AuditError(
          .overloaded, "\(AuditLimits.waitingCallers) callers wait for the log already", hint: "slow down, or look why the disk is slow"))
    case .closed: decision.fail(Self.closed)
    }
  }

  /// Appends entries without a decision.
  ///
  /// - Returns: The index of the first.
  /// - Throws: As ``submit(_:)``.
  @discardableResult
  public nonisolated func append(_ drafts: [EntryDraft]) async throws -> Int {
    try await submit { context in (drafts, context.nextIndex) }
  }

  /// How often the writer offers its core to others before it rests, when one caller after the other waits for it: what a caller
  /// does next often comes within microseconds, and waking a thread takes longer than that.
  private static var patience: Int { 32 }

  /// Takes batches until nobody waits.
  private func drain() async {
    var (patience, alone) = (0, 0)
    while true {
      let batch = queue.withLock { $0.take(options.batch, restsIfEmpty: patience == 0) }
      if batch.isEmpty {
        if patience == 0 { return }
        patience -= 1
        sched_yield()
        continue
      }
      guard let core else {
        for decision in batch { decision.fail(options.readOnly ? Self.readOnly(path) : Self.closed) }
        continue
      }
      let rest = core.process(batch)
      if !rest.isEmpty { queue.withLock { $0.putBack(rest) } }
      // Where it fails, `scrub()` says why; the content itself is gone from its table in any case.
      if core.needsScrub { _ = try? core.scrub() }
      mergeLog(core.connection)
      if batch.count == 1, alone < 64 {
        (patience, alone) = (Self.patience, alone + 1)
      } else {
        // The way over another thread gives many callers the time to gather, and other users of this actor their turn.
        (patience, alone) = (0, 0)
        await Task.yield()
      }
    }
  }

  /// Lets the checkpointer know how long the WAL is, and does its last step when it asks.
  private func mergeLog(_ connection: Connection) {
    guard let checkpointer, connection.failure == nil else { return }
    do throws(StorageError) {
      if try checkpointer.committed(pages: connection.walPages) { _ = try connection.checkpoint() }
    } catch {
      connection.note(error)
    }
  }

  static func readOnly(_ path: String) -> StorageError {
    StorageError(.readOnly, "`\(visible(path))` was opened for reading only")
  }

  /// What this process's writer did since the store was opened.
  public func statistics() -> WriterStatistics { core?.statistics ?? WriterStatistics() }

  // MARK: Reading

  /// Reads one consistent view of the store; writers go on meanwhile.
  ///
  /// - Parameter body: Must be done within seconds: as long as it runs, the write-ahead log cannot be reused.
  /// - Returns: What `body` returns.
  /// - Throws: What `body` throws; `StorageError`.
  public nonisolated func read<R: Sendable>(_ body: @escaping @Sendable (ReadContext<Meaning>) throws -> R) async throws -> R {
    let place = load.withLock { load in
      let place = load.indices.min { load[$0] < load[$1] } ?? 0
      load[place] += 1
      return place
    }
    defer { load.withLock { $0[place] -= 1 } }
    return try await readers[place].read(body)
  }

  // MARK: Projections

  /// Drops all projections and makes them again from the log, in one transaction.
  ///
  /// - Throws: What the store or a projection throws; the old tables are then still there.
  /// - Complexity: O(n log n) for n entries. Appends wait meanwhile.
  public func rebuildProjections() throws {
    guard let core else { throw Self.readOnly(path) }
    core.reset()
    try ProjectionTables(functions).rebuild(in: core.connection, cachedRuns: options.cachedRuns)
  }

  /// The SHA-256 of each projection's content, in the order in which they were given.
  ///
  /// - Complexity: O(m log m) for m rows.
  public nonisolated func projectionDigests() async throws -> [(name: String, digest: Digest)] {
    let tables = ProjectionTables(functions)
    return try await read { try tables.digests(in: $0.database) }
  }
}

/// The decisions that wait for the writer.
struct DecisionQueue: Sendable {
  enum Answer: Sendable { case wakeWriter, waits, overloaded, closed }

  private var waiting: [Decision] = []
  private var isDraining = false
  var isClosed = false

  mutating func add(_ decision: Decision) -> Answer {
    if isClosed { return .closed }
    if waiting.count >= AuditLimits.waitingCallers { return .overloaded }
    waiting.append(decision)
    if isDraining { return .waits }
    isDraining = true
    return .wakeWriter
  }

  /// The next decisions; when there are none, the writer may rest and is woken by the next.
  mutating func take(_ count: Int, restsIfEmpty: Bool) -> [Decision] {
    if waiting.count <= count {
      defer { waiting.removeAll(keepingCapacity: true) }
      if waiting.isEmpty, restsIfEmpty { isDraining = false }
      return waiting
    }
    defer { waiting.removeFirst(count) }
    return Array(waiting[..<count])
  }

  mutating func takeAll() -> [Decision] {
    defer { waiting.removeAll() }
    return waiting
  }

  mutating func putBack(_ rest: ArraySlice<Decision>) { waiting.insert(contentsOf: rest, at: 0) }
}
