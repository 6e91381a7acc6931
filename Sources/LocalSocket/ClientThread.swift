internal import Dispatch

/// A thread of its own for the task of one client: it waits for the client, which would hold a thread of Swift's shared pool.
final class ClientThread: TaskExecutor {
  private let queue = DispatchQueue(label: "client")

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
