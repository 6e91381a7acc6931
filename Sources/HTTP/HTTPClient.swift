import Synchronization

/// An HTTP client on libcurl: many exchanges at once on one thread of its own, none of them on Swift's shared pool.
///
/// It never follows a redirect, speaks only `http:` and `https:`, keeps no cookies, reads no `.netrc`, asks for no compression, and
/// honours the proxy variables that libcurl knows. libcurl is loaded and the thread started by the first request, so an unused client
/// costs nothing.
public final class HTTPClient: Sendable {
  /// What is the same for all requests of a client.
  public struct Configuration: Hashable, Sendable {
    /// Sent unless the request has its own.
    public var userAgent: String
    /// A file of trusted certificates in PEM form, in place of the system's.
    public var certificateBundle: String?
    /// A folder of trusted certificates, in place of the system's.
    public var certificateDirectory: String?
    /// Connections open at once, idle ones included; further requests wait for one.
    public var maximumConnections: Int
    /// Requests under way at once, waiting ones included; further ones are refused.
    public var maximumQueued: Int

    /// A configuration with these parts.
    public init(
      userAgent: String = "remit", certificateBundle: String? = nil, certificateDirectory: String? = nil, maximumConnections: Int = 256,
      maximumQueued: Int = 10_000
    ) {
      self.userAgent = userAgent
      self.certificateBundle = certificateBundle
      self.certificateDirectory = certificateDirectory
      self.maximumConnections = maximumConnections
      self.maximumQueued = maximumQueued
    }

    /// The defaults with the trusted certificates that `CURL_CA_BUNDLE`, `SSL_CERT_FILE` or `SSL_CERT_DIR` name.
    ///
    /// Only the `curl` program reads these variables; the library leaves them to its caller.
    public init(environment: [String: String]) {
      self.init()
      let set = { (name: String) in environment[name].flatMap { $0.isEmpty ? nil : $0 } }
      certificateBundle = set("CURL_CA_BUNDLE") ?? set("SSL_CERT_FILE")
      certificateDirectory = set("SSL_CERT_DIR")
    }
  }

  /// What this client was made with.
  public let configuration: Configuration
  private let engine = Mutex<TransferEngine?>(nil)
  private let isShutDown = Atomic(false)

  /// A client that has started nothing yet.
  public init(_ configuration: Configuration = Configuration()) { self.configuration = configuration }

  deinit { engine.withLock { $0?.close() } }

  /// Aborts all exchanges and refuses further ones, with the error `unavailable`.
  ///
  /// A client that is released does the same.
  public func shutDown() {
    engine.withLock { engine in
      engine?.close()
      isShutDown.store(true, ordering: .releasing)
    }
  }

  /// Sends a request and reads the whole answer.
  ///
  /// Cancelling the task aborts the exchange at once. Redirects and error statuses are answers, not errors.
  ///
  /// - Throws: ``HTTPError``. Its ``HTTPError/requestMayHaveArrived`` says whether the other side may have seen the request.
  public func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
    if let flaw = request.flaw { throw HTTPError(.invalidRequest, flaw) }
    let engine = try started()
    let transfer = Transfer(request)
    let outcome: Transfer.Outcome = await withTaskCancellationHandler {
      await withUnsafeContinuation { engine.submit(transfer, $0) }
    } onCancel: {
      engine.cancel(transfer)
    }
    return try outcome.get()
  }

  private func started() throws(HTTPError) -> TransferEngine {
    let result: Result<TransferEngine, HTTPError> = engine.withLock { engine in
      if isShutDown.load(ordering: .acquiring) { return .failure(HTTPError(.unavailable, "the HTTP client was shut down")) }
      if let engine { return .success(engine) }
      do throws(HTTPError) {
        let new = try TransferEngine(configuration)
        engine = new
        return .success(new)
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }
}
