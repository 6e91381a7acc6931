/// A turn without a usable reply.
///
/// Nothing of it may be acted upon.
///
/// Match on ``code``. ``message`` is one bounded line for people, with control characters made visible; it never holds a key.
public struct ModelError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What went wrong, stable across releases.
  public enum Code: String, Hashable, Sendable, CaseIterable {
    /// The request cannot be sent: a call without a result, a reserved option, names that collide.
    case invalidRequest = "invalid-request"
    /// The settings are unusable: no key, an unreadable key file, no libcurl.
    case configuration
    /// No connection, or it was lost.
    case unreachable
    /// The turn's deadline or the endpoint's time limit passed.
    case timeout
    /// 429.
    case rateLimited = "rate-limited"
    /// The account's quota is used up; waiting does not help.
    case quotaExhausted = "quota-exhausted"
    /// The server failed (5xx).
    case serverError = "server-error"
    /// 401 or 403.
    case unauthorized
    /// 404: the model's name or the base URL is wrong.
    case notFound = "not-found"
    /// The conversation is longer than the model's context.
    case contextLength = "context-length"
    /// The provider's filter refused the prompt.
    case contentFilter = "content-filter"
    /// Any other refusal of the request (4xx).
    case refusedRequest = "refused-request"
    /// A redirect, which is never followed: the key stays here.
    case redirected
    /// The reply is larger than the limit.
    case replyTooLarge = "reply-too-large"
    /// The reply is not what the wire format says.
    case malformedReply = "malformed-reply"
    /// The reply holds more tool calls than the limit.
    case tooManyToolCalls = "too-many-tool-calls"
    /// The reply tells of a tool that ran at the provider's side, outside the gate.
    case hostedTool = "hosted-tool"
    /// The endpoint failed several times in a row and is left alone for a while.
    case circuitOpen = "circuit-open"
    /// The task was cancelled.
    case cancelled
    /// A recording has no reply for this request.
    case notRecorded = "not-recorded"
    /// A script has no reply for this request.
    case notScripted = "not-scripted"

    /// Whether the endpoint, the way to it or its settings is the reason: nothing is said about this conversation, and it may go on later.
    public var isOutage: Bool {
      switch self {
      case .configuration, .unreachable, .timeout, .rateLimited, .quotaExhausted, .serverError, .unauthorized, .notFound, .redirected,
        .circuitOpen, .cancelled, .notRecorded:
        true
      case .invalidRequest, .contextLength, .contentFilter, .refusedRequest, .replyTooLarge, .malformedReply, .tooManyToolCalls,
        .hostedTool, .notScripted:
        false
      }
    }
  }

  /// What to match on.
  public var code: Code
  /// One line for people.
  public var message: String
  /// Whether the same request may succeed later, so that a run should be parked rather than given up.
  public var isTransient: Bool
  /// How long the endpoint asks to be left alone, where it says.
  public var retryAfter: Duration?
  /// What went over the wire, where something did.
  public var exchange: ModelExchange?

  /// An error with these parts.
  public init(_ code: Code, _ message: String, isTransient: Bool = false, retryAfter: Duration? = nil, exchange: ModelExchange? = nil) {
    self.code = code
    self.message = message
    self.isTransient = isTransient
    self.retryAfter = retryAfter
    self.exchange = exchange
  }

  /// The message.
  public var description: String { message }
}
