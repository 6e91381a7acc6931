import Glibc
import Synchronization

/// Watches one child from its start to its end, on a thread of its own.
final class Supervisor: Sendable {
  typealias Outcome = Result<InvocationResult, SubprocessError>

  private struct Cancellation: ~Copyable {
    var isCancelled = false
    /// The end of a pipe that wakes the thread.
    var wake: Descriptor?
  }

  let invocation: Invocation
  private let cancellation = Mutex(Cancellation())

  init(_ invocation: Invocation) { self.invocation = invocation }

  func cancel() {
    cancellation.withLock { state in
      state.isCancelled = true
      // Closing the writing end makes the reading end ready.
      state.wake = nil
    }
  }

  func start(_ waiter: UnsafeContinuation<Outcome, Never>) {
    let job = Job(supervisor: self, waiter: waiter)
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    pthread_attr_setstacksize(&attributes, 512 << 10)
    defer { pthread_attr_destroy(&attributes) }
    let retained = Unmanaged.passRetained(job)
    var thread = pthread_t()
    let code = pthread_create(
      &thread, &attributes,
      { context in
        guard let context else { return nil }
        let job = Unmanaged<Job>.fromOpaque(context).takeRetainedValue()
        // Signals are for other threads; and writing to a dead child must not raise SIGPIPE here.
        var all = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, nil)
        job.supervisor.watch(job.waiter)
        return nil
      }, retained.toOpaque())
    if code != 0 {
      retained.release()
      let name = invocation.executable.description
      waiter.resume(returning: .failure(SubprocessError(.system, name, "no thread to watch `\(name)`: \(systemText(code))")))
    }
  }

  /// The reading end of the pipe that a cancellation closes; `nil` when the task was cancelled already, or no descriptor is left.
  private func arm() -> Descriptor? {
    cancellation.withLock { state in
      guard !state.isCancelled, let extensions = GlibcExtensions.available, let pipe = Descriptor.pipe(extensions) else { return nil }
      return .some(split(pipe, &state.wake))
    }
  }

  private func watch(_ waiter: UnsafeContinuation<Outcome, Never>) {
    let name = invocation.executable.description
    let wake = arm()
    if cancellation.withLock({ $0.isCancelled }) {
      return waiter.resume(returning: .failure(SubprocessError(.cancelled, name, "`\(name)` was cancelled before it started")))
    }
    do throws(SubprocessError) {
      var watch = Watch(invocation, try Child.start(invocation))
      let outcome = watch.run(wake: wake)
      cancellation.withLock { $0.wake = nil }
      if watch.hasExited {
        watch.reap()
        waiter.resume(returning: outcome)
      } else {
        // A program that the kernel cannot end now keeps this thread, but not the caller.
        waiter.resume(returning: outcome)
        watch.reap()
      }
    } catch {
      cancellation.withLock { $0.wake = nil }
      waiter.resume(returning: .failure(error))
    }
  }
}

/// Keeps the writing end in `wake` and gives the reading end back.
private func split(_ pipe: consuming Pipe, _ wake: inout Descriptor?) -> Descriptor {
  wake = .some(pipe.writing)
  return pipe.reading
}

private final class Job: Sendable {
  let supervisor: Supervisor
  let waiter: UnsafeContinuation<Supervisor.Outcome, Never>

  init(supervisor: Supervisor, waiter: UnsafeContinuation<Supervisor.Outcome, Never>) {
    self.supervisor = supervisor
    self.waiter = waiter
  }
}
