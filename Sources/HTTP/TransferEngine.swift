import CCurl
import Glibc
import Synchronization

/// The thread that runs all exchanges of one client on one `curl_multi` handle.
///
/// Callers hand transfers over through an inbox; the thread is woken only when it sleeps. The thread owns the engine, so the engine
/// lives until ``close()`` was called and every waiter was answered.
final class TransferEngine: Sendable {
  struct Inbox: ~Copyable {
    var starts: [Transfer] = []
    var cancels: [Transfer] = []
    var isSleeping = false
    var isClosing = false
    var isClosed = false
    var count = 0
  }

  let library: CurlLibrary
  let configuration: HTTPClient.Configuration
  let inbox = Mutex(Inbox())
  nonisolated(unsafe) let multi: UnsafeMutableRawPointer

  init(_ configuration: HTTPClient.Configuration) throws(HTTPError) {
    library = try CurlLibrary.loaded.get()
    self.configuration = configuration
    guard let multi = library.api.pointee.multi_init() else { throw HTTPError(.library, "libcurl gave no multi handle") }
    self.multi = multi
    let connections = Int(configuration.maximumConnections)
    _ = ccurl_multi_set_long(library.api, multi, CURLMOPT_MAXCONNECTS, connections)
    _ = ccurl_multi_set_long(library.api, multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections)
    try startThread()
  }

  private func startThread() throws(HTTPError) {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    defer { pthread_attr_destroy(&attributes) }
    let retained = Unmanaged.passRetained(self)
    var thread = pthread_t()
    let code = pthread_create(
      &thread, &attributes,
      { context in
        guard let context else { return nil }
        let engine = Unmanaged<TransferEngine>.fromOpaque(context).takeRetainedValue()
        // Signals are for the main thread; and a write to a dead connection must not raise SIGPIPE here.
        var all = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, nil)
        var loop = TransferLoop(engine)
        loop.run()
        return nil
      }, retained.toOpaque())
    guard code == 0 else {
      retained.release()
      _ = library.api.pointee.multi_cleanup(multi)
      throw HTTPError(.library, "no thread for HTTP: error \(code)")
    }
  }

  /// Queues a transfer whose waiter is `waiter`; answers at once when it cannot be queued.
  func submit(_ transfer: Transfer, _ waiter: UnsafeContinuation<Transfer.Outcome, Never>) {
    let refusal: HTTPError? = inbox.withLock { inbox in
      if transfer.isCancelled { return HTTPError(.cancelled, "the request to `\(transfer.request.shownURL)` was cancelled") }
      if inbox.isClosing { return HTTPError(.unavailable, "the HTTP client was shut down") }
      guard inbox.count < configuration.maximumQueued else {
        return HTTPError(.unavailable, "\(inbox.count) HTTP requests are under way, which is the limit")
      }
      transfer.waiter = waiter
      inbox.count += 1
      inbox.starts.append(transfer)
      wake(&inbox)
      return nil
    }
    if let refusal { waiter.resume(returning: .failure(refusal)) }
  }

  /// Ends a transfer; its waiter gets ``HTTPError/Code/cancelled`` unless the answer was faster.
  func cancel(_ transfer: Transfer) {
    inbox.withLock { inbox in
      transfer.isCancelled = true
      guard transfer.waiter != nil, !inbox.isClosed else { return }
      inbox.cancels.append(transfer)
      wake(&inbox)
    }
  }

  /// Ends all transfers and the thread.
  func close() {
    inbox.withLock { inbox in
      inbox.isClosing = true
      if !inbox.isClosed { wake(&inbox) }
    }
  }

  private func wake(_ inbox: inout Inbox) {
    guard inbox.isSleeping else { return }
    inbox.isSleeping = false
    _ = library.api.pointee.multi_wakeup(multi)
  }
}
