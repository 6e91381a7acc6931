public import Core

/// What a model answered in one turn.
///
/// Decide by ``toolCalls``, never by ``finish``: servers disagree about the latter.
public struct ModelReply: Hashable, Sendable {
  /// Why the model stopped, as the endpoint says.
  public enum Finish: String, Hashable, Sendable {
    /// It had said all.
    case stop
    /// It waits for results.
    case toolCalls = "tool_calls"
    /// It ran into the limit on tokens.
    case length
    /// The provider's filter cut it off.
    case contentFilter = "content_filter"
    /// Anything else, or nothing was said.
    case other
  }

  /// The calls in order; at most the endpoint's limit.
  public var toolCalls: [ModelToolCall]
  /// All text, joined; empty for none.
  public var text: String
  /// The model's words when it declined to answer.
  public var refusal: String?
  /// Why it stopped.
  public var finish: Finish
  /// What it cost; absent where the server does not count.
  public var usage: ModelUsage?
  /// The model's name as the endpoint reports it.
  public var model: String?
  /// What to send back as ``ModelMessage/assistant(_:)`` in the next turn.
  ///
  /// It is the endpoint's own message with all unknown members. Three things are repaired, because endpoints refuse the whole
  /// conversation otherwise: ids that were missing or used twice, arguments that are no JSON (replaced by `{}`; the tool result says
  /// why), and an empty list of calls.
  public var assistant: JSON
  /// The bytes on the wire, for evidence.
  public var exchange: ModelExchange
  /// Whether a script made this reply, not a model.
  public var isScripted: Bool
  /// What was odd about it.
  public var warnings: [ModelWarning]

  /// A reply with these parts.
  public init(
    toolCalls: [ModelToolCall], text: String, refusal: String? = nil, finish: Finish, usage: ModelUsage? = nil, model: String? = nil,
    assistant: JSON, exchange: ModelExchange, isScripted: Bool = false, warnings: [ModelWarning] = []
  ) {
    self.toolCalls = toolCalls
    self.text = text
    self.refusal = refusal
    self.finish = finish
    self.usage = usage
    self.model = model
    self.assistant = assistant
    self.exchange = exchange
    self.isScripted = isScripted
    self.warnings = warnings
  }
}

/// Tokens that a turn took.
public struct ModelUsage: Hashable, Sendable {
  /// Tokens of the request.
  public var inputTokens: Int
  /// Tokens of the answer, reasoning included.
  public var outputTokens: Int
  /// Those of ``inputTokens`` that came from a cache, where the server says.
  public var cachedInputTokens: Int?
  /// Those of ``outputTokens`` that were reasoning, where the server says.
  public var reasoningTokens: Int?

  /// Usage with these parts.
  public init(inputTokens: Int, outputTokens: Int, cachedInputTokens: Int? = nil, reasoningTokens: Int? = nil) {
    self.inputTokens = inputTokens
    self.outputTokens = outputTokens
    self.cachedInputTokens = cachedInputTokens
    self.reasoningTokens = reasoningTokens
  }
}

/// The bytes that went over the wire in the last attempt of a turn, for evidence.
///
/// No header is among them, so no key either.
public struct ModelExchange: Hashable, Sendable {
  /// The body that was sent.
  public var requestBytes: [UInt8]
  /// The body that came back, with our own secrets blotted out; empty when none came.
  public var responseBytes: [UInt8]
  /// The status, where an answer came.
  public var httpStatus: Int?
  /// From the start of the turn to its end, retries and waits included.
  public var latency: Duration
  /// How many requests were sent.
  public var attempts: Int

  /// An exchange with these parts.
  public init(requestBytes: [UInt8], responseBytes: [UInt8] = [], httpStatus: Int? = nil, latency: Duration = .zero, attempts: Int = 1) {
    self.requestBytes = requestBytes
    self.responseBytes = responseBytes
    self.httpStatus = httpStatus
    self.latency = latency
    self.attempts = attempts
  }
}

/// Something odd about a reply that does not make it unusable.
public struct ModelWarning: Hashable, Sendable, CustomStringConvertible {
  /// What it is, stable across releases.
  public enum Code: String, Hashable, Sendable, CaseIterable {
    /// Text that looks like a tool call but is none: the server probably lacks a tool parser for this model.
    case proseLooksLikeToolCall = "prose-looks-like-tool-call"
    /// The finish reason announced tool calls, and there were none.
    case toolCallsMissing = "tool-calls-missing"
    /// Tool calls came although none were offered on the wire; they were ignored.
    case unexpectedToolCalls = "unexpected-tool-calls"
    /// The text was to follow a schema and does not.
    case notStructured = "not-structured"
    /// Ids were missing or used twice, and minted here.
    case mintedIDs = "minted-ids"
    /// The reply held one of our own secrets, which was blotted out.
    case secretBlotted = "secret-blotted"
    /// The content type was not JSON, though the body was.
    case contentType = "content-type"
    /// More than one choice came; the first counts.
    case severalChoices = "several-choices"
  }

  /// What to match on.
  public let code: Code
  /// One line for people.
  public let message: String

  /// A warning with these parts.
  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// The message.
  public var description: String { message }
}
