/// No complete answer came.
///
/// Match on ``code``. ``message`` is for people; it holds neither query nor user information of the URL, nor any header value.
public struct HTTPError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What went wrong, stable across releases.
  public enum Code: String, Hashable, Sendable {
    /// The request itself cannot be sent: URL, header or body.
    case invalidRequest = "invalid-request"
    /// libcurl is not installed, too old, or failed to start.
    case library
    /// The client's queue is full, or it was shut down.
    case unavailable
    /// The host name has no address.
    case resolve
    /// No connection to host and port.
    case connect
    /// The TLS handshake failed, or the certificate is not trusted.
    case tls
    /// ``HTTPLimits/timeout`` or ``HTTPLimits/connectTimeout`` passed.
    case timeout
    /// The answer came more slowly than ``HTTPLimits/minimumBytesPerWindow`` asks for.
    case tooSlow = "too-slow"
    /// The body is larger than ``HTTPLimits/maximumBodyBytes``.
    case bodyTooLarge = "body-too-large"
    /// The header lines are larger than ``HTTPLimits/maximumHeaderBytes``.
    case headersTooLarge = "headers-too-large"
    /// The connection closed before the answer was complete.
    case connectionLost = "connection-lost"
    /// What came is not HTTP.
    case malformed
    /// The task was cancelled.
    case cancelled
  }

  /// What to match on.
  public let code: Code
  /// One line for people.
  public let message: String
  /// Whether any byte of the request left this process, so that the other side may have acted on it.
  public let requestMayHaveArrived: Bool

  /// An error with these parts.
  public init(_ code: Code, _ message: String, requestMayHaveArrived: Bool = false) {
    self.code = code
    self.message = message
    self.requestMayHaveArrived = requestMayHaveArrived
  }

  /// The message.
  public var description: String { message }
}
