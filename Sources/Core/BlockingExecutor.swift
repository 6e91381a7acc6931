internal import Dispatch

/// Runs an actor's jobs one at a time on a thread of its own.
///
/// Work that blocks (`fsync`, a child process) would hold a thread of Swift's shared pool, which has as many as there
/// are cores: two such calls stop everything on a small machine.
public final class BlockingExecutor: SerialExecutor {
  private let queue: DispatchQueue

  /// An executor whose thread carries a label, for debuggers.
  public init(label: String) { queue = DispatchQueue(label: label) }

  /// Takes a job.
  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
  }
}
