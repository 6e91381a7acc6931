import Core
import Synchronization

/// Merges the write-ahead log into the database on a thread and a connection of its own, so that commits do not wait for it.
///
/// The writer calls ``committed(pages:)`` after each commit. A merge beside a busy writer never quite catches up, and only a fully
/// merged log can be written from its beginning again; so when little is left, ``committed(pages:)`` asks the writer to merge the rest
/// between two commits, which takes it a few milliseconds once per ``threshold`` pages.
public actor Checkpointer {
  private let executor: BlockingExecutor
  private let path: String
  private let signal: Signal
  private var connection: Connection?

  /// What the writer and the checkpointer tell each other.
  private final class Signal: Sendable {
    struct State {
      var running = false
      var nextAt: Int
      var writerShouldFinish = false
      var failure: StorageError?
    }
    let state: Mutex<State>
    init(threshold: Int) { state = Mutex(State(nextAt: threshold)) }
  }

  /// Pages of WAL after which a merge begins.
  public nonisolated let threshold: Int
  /// At most this many pages are left for the writer to merge.
  private static let tail = 512

  /// The thread that merges run on.
  public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  /// Prepares a checkpointer; its connection opens with the first merge.
  ///
  /// - Parameters:
  ///   - path: The database file.
  ///   - threshold: Pages of WAL after which a merge begins.
  public init(path: String, threshold: Int = 4000) {
    executor = BlockingExecutor(label: "checkpoint")
    self.path = path
    self.threshold = threshold
    signal = Signal(threshold: threshold)
  }

  /// Tells how long the WAL is after a commit; returns at once.
  ///
  /// - Parameter pages: ``Connection/walPages``.
  /// - Returns: Whether the writer should call ``Connection/checkpoint()`` now.
  /// - Throws: ``StorageError`` when an earlier merge failed below SQLite: the writer must stop then.
  public nonisolated func committed(pages: Int) throws(StorageError) -> Bool {
    let (failure, finish, start) = signal.state.withLock { state -> (StorageError?, Bool, Bool) in
      if let failure = state.failure { return (failure, false, false) }
      if pages < threshold {
        state.nextAt = threshold
        state.writerShouldFinish = false
        return (nil, false, false)
      }
      if state.writerShouldFinish {
        state.writerShouldFinish = false
        state.nextAt = pages + threshold
        return (nil, true, false)
      }
      guard !state.running, pages >= state.nextAt else { return (nil, false, false) }
      state.running = true
      return (nil, false, true)
    }
    if let failure { throw failure }
    if start { Task { await self.merge() } }
    return finish
  }

  /// Merges until little is left, then hands the rest to the writer.
  private func merge() {
    var finish = false
    var pages = 0
    var failure: StorageError?
    do throws(StorageError) {
      let connection = try open()
      for _ in 0..<4 {
        guard let progress = try connection.checkpoint() else { break }
        pages = progress.pages
        if progress.remaining <= Self.tail {
          finish = true
          break
        }
      }
    } catch {
      // A locked or full database is tried again later; a failed sync is not, because the next one could lie.
      if error.code == .inputOutput || error.code == .corrupt { failure = error }
    }
    signal.state.withLock { state in
      state.running = false
      state.failure = failure
      state.writerShouldFinish = finish
      // A reader that holds an old snapshot keeps the log from being reused: do not try again with each commit.
      state.nextAt = max(pages, threshold) + threshold / 4
    }
  }

  private func open() throws(StorageError) -> Connection {
    if let connection { return connection }
    let fresh = try Connection(path: path, mode: .readWrite(create: false))
    connection = fresh
    return fresh
  }

  /// Waits for a merge under way and closes the connection.
  public func close() {
    connection?.close()
    connection = nil
  }
}
