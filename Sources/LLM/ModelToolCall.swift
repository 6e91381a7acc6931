public import Core

/// One tool call that the model asked for.
///
/// It is a wish: the gate decides.
public struct ModelToolCall: Hashable, Sendable {
  /// Why a call cannot be executed; the message is written for the model, so that it can do better.
  public struct Flaw: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong, stable across releases.
    public enum Code: String, Hashable, Sendable, CaseIterable {
      /// The arguments are no strict JSON: syntax, a duplicate key, a number out of range, a lone surrogate, too deep.
      case malformedArguments = "malformed-arguments"
      /// The arguments are JSON, but no object.
      case notAnObject = "not-an-object"
      /// The arguments are longer than the limit.
      case argumentsTooLarge = "arguments-too-large"
      /// The reply ended in the middle of this call.
      case truncated
      /// An earlier call of the same reply has the same id.
      case duplicateID = "duplicate-id"
      /// The call is not of the kind `function`.
      case unsupportedKind = "unsupported-kind"
    }

    /// What to match on.
    public let code: Code
    /// One line, for the model and for people.
    public let message: String

    /// A flaw with these parts.
    public init(_ code: Code, _ message: String) {
      self.code = code
      self.message = message
    }

    /// The message.
    public var description: String { message }
  }

  /// The id to answer under, unique in its reply.
  ///
  /// It is the endpoint's, or minted where that was missing or used twice.
  public var id: String
  /// The Remit name of an offered tool; otherwise what the model wrote, at most 256 bytes.
  public var name: String
  /// The arguments, strictly parsed, or why they cannot be used.
  public var arguments: Result<JSONObject, Flaw>
  /// The arguments as the model wrote them; cut at the limit on their size.
  public var rawArguments: String
  /// Why the model wants it, where the wire has a place for that (structured mode).
  public var reason: String?
  /// Whether the tool was on offer in this turn.
  public var isOffered: Bool
  /// The id of an earlier call of the same reply with the same tool and equal arguments.
  public var repeats: String?

  /// A call with these parts.
  public init(
    id: String, name: String, arguments: Result<JSONObject, Flaw>, rawArguments: String, reason: String? = nil, isOffered: Bool = true,
    repeats: String? = nil
  ) {
    self.id = id
    self.name = name
    self.arguments = arguments
    self.rawArguments = rawArguments
    self.reason = reason
    self.isOffered = isOffered
    self.repeats = repeats
  }
}
