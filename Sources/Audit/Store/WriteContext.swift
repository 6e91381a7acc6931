public import Core
public import Storage

/// What a decision sees inside the writer's transaction; valid only during the call that receives it.
///
/// Everything here is up to date: entries of other processes and of the decisions before this one in the same batch are folded in, and
/// ``database`` sees their projections.
public final class WriteContext<Meaning: Ledger> {
  @usableFromInline let core: WriterCore
  /// Reads tables of the store, projections above all.
  public let database: ReadOnlyConnection

  @usableFromInline
  init(core: WriterCore) {
    self.core = core
    database = ReadOnlyConnection(core.connection)
  }

  /// Log time: the wall clock, but never before the last entry.
  ///
  /// The entries that the decision returns get exactly this time.
  public var now: Instant { core.now }

  /// Where random ids come from.
  public var random: RandomSource { core.random }

  /// The index that the first entry of this decision will get; the next ones count up.
  public var nextIndex: Int { core.appender.size }

  /// The state shared by all runs.
  ///
  /// - Throws: When the log cannot be folded.
  /// - Complexity: O(1), but O(m) over the m entries without a run when the state was dropped.
  @inlinable
  public func shared() throws -> Meaning.Shared {
    unsafeDowncast(try core.shared(), to: TypedSharedSlot<Meaning.Shared>.self).state
  }

  /// The state of a run, `nil` when the run has no entries.
  ///
  /// - Throws: When the log cannot be folded.
  /// - Complexity: O(1), but O(m) over the run's m entries when the state was dropped.
  @inlinable
  public func run(_ id: String) throws -> Meaning.Run? {
    unsafeDowncast(try core.slot(id), to: TypedRunSlot<Meaning.Run>.self).state
  }

  /// The entries of a run by index, oldest first.
  ///
  /// - Complexity: O(m) for m entries.
  public func history(of run: String) throws -> [Entry] { try core.history(of: run) }

  /// The entry at an index; `nil` when there is none.
  public func entry(at index: Int) throws -> Entry? { try core.reader.entry(at: index) }

  /// The bytes of stored evidence; `nil` when there is none with this digest.
  public func evidence(_ digest: Digest) throws -> [UInt8]? {
    try database.first("SELECT bytes FROM evidence WHERE sha256 = ?", [.blob(digest.bytes)]) { $0.blob(0) }
  }
}
