internal import Dispatch
internal import Glibc
internal import Synchronization

/// The signals that end a long-lived process, as events.
final class StopSignals: Sendable {
  /// The end of the pipe that the handler writes to; handlers can reach nothing but globals.
  private static let pipe = Atomic<Int32>(-1)

  /// Ends with the first signal, or with ``stop()``.
  let arrival: AsyncStream<Void>
  private let continuation: AsyncStream<Void>.Continuation

  /// Takes SIGTERM, SIGINT and SIGHUP over, for the rest of the process's life.
  init() {
    var ends: [Int32] = [-1, -1]
    _ = Glibc.pipe(&ends)
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    Self.pipe.store(ends[1], ordering: .releasing)
    let (arrival, continuation) = AsyncStream.makeStream(of: Void.self)
    (self.arrival, self.continuation) = (arrival, continuation)
    let reading = ends[0]
    DispatchQueue(label: "signals").async {
      var byte: UInt8 = 0
      while read(reading, &byte, 1) < 0, errno == EINTR {}
      continuation.finish()
    }
    for number in [SIGTERM, SIGINT, SIGHUP] {
      signal(number) { _ in
        var byte: UInt8 = 1
        let problem = errno
        _ = write(StopSignals.pipe.load(ordering: .acquiring), &byte, 1)
        errno = problem
      }
    }
  }

  /// As if a signal had come.
  func stop() { continuation.finish() }

  /// Waits for the first signal.
  func wait() async { for await _ in arrival {} }
}
