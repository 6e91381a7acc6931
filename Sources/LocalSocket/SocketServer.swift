public import Core
internal import Dispatch

/// Many clients on one socket: takes connections, waits for what they want, and gives each its turn.
///
/// One thread waits for all of them, so a thousand idle ones cost no more than their descriptors. Whoever sends nothing, drips, or sends too
/// much is let go; whoever goes away while their command runs has it cancelled.
public final class SocketServer: Sendable {
  /// Does what a client wants; its first frame has come whole.
  ///
  /// It has a thread of its own, which may wait.
  public typealias Handler = @Sendable (UnixConnection) async -> Void

  let listener: UnixListener
  let handler: Handler
  let refusal: @Sendable (SocketError) -> JSON
  let bell: Bell
  private let notes = Locked(Notes())
  private let queue = DispatchQueue(label: "socket")

  /// What other threads have to say to the one that waits.
  struct Notes: Sendable {
    /// Descriptors of the connections whose task has ended.
    var finished: [Int32] = []
    var isStopped = false
  }

  /// A server, which begins with ``run()``.
  ///
  /// - Parameters:
  ///   - listener: Where it listens.
  ///   - refusal: The frame that tells a client why it is let go.
  ///   - handler: Does what a client wants. Its task is cancelled when the client goes away, and the connection ends with it.
  /// - Throws: ``SocketError`` where the process has no descriptor left.
  public init(
    _ listener: UnixListener, refusal: @escaping @Sendable (SocketError) -> JSON, handler: @escaping Handler
  ) throws(SocketError) {
    self.listener = listener
    self.refusal = refusal
    self.handler = handler
    bell = try Bell()
  }

  /// Serves until ``stop()``, and returns when every client's task has ended.
  public func run() async {
    await withCheckedContinuation { continuation in
      queue.async { [self] in
        let loop = ServerLoop(self)
        while loop.isRunning { loop.turn() }
        continuation.resume()
      }
    }
  }

  /// Takes no connections any more, removes the socket, and cancels what runs.
  public func stop() { note { $0.isStopped = true } }

  func finished(_ descriptor: Int32) { note { $0.finished.append(descriptor) } }

  /// What was said since the last time.
  func takeNotes() -> Notes {
    notes.withLock { notes in
      defer { notes.finished = [] }
      return notes
    }
  }

  private func note(_ change: (inout Notes) -> Void) {
    notes.withLock { change(&$0) }
    bell.ring()
  }
}
