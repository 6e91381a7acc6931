public import Core

/// A model that a function plays, for tests and for the demo without an endpoint.
///
/// All of its replies say ``ModelReply/isScripted``.
///
/// What the script says is written in the request's wire format and read back with the reader that serves real endpoints, so a script
/// meets the same rules: names on the wire, ids, limits.
public struct ScriptedModel: ModelClient {
  /// One tool call of a script.
  public struct Call: Hashable, Sendable {
    /// The Remit name of the tool.
    public var name: String
    /// The arguments as the model would write them.
    public var arguments: String
    /// The call's id; empty lets the reader mint one.
    public var id: String

    /// A call with well-formed arguments.
    public init(_ name: String, _ arguments: JSONObject = JSONObject(), id: String = "") {
      self.init(name, rawArguments: JSON.object(arguments).text(), id: id)
    }

    /// A call with arguments of any kind, malformed ones included.
    public init(_ name: String, rawArguments: String, id: String = "") {
      self.name = name
      arguments = rawArguments
      self.id = id
    }
  }

  /// What the script says in one turn.
  public enum Turn: Hashable, Sendable {
    /// Tool calls, with text beside them: the reason in structured mode, where there can be only one call.
    case calls([Call], text: String = "")
    /// Text alone.
    case text(String)
    /// A refusal.
    case refusal(String)
    /// The body of an answer, read as if an endpoint had sent it.
    case body([UInt8])
    /// No reply.
    case failure(ModelError)

    /// One tool call.
    public static func call(_ name: String, _ arguments: JSONObject = JSONObject(), reason: String = "") -> Turn {
      .calls([Call(name, arguments)], text: reason)
    }
  }

  private let script: @Sendable (ModelRequest) -> Turn?

  /// A model that answers with what the function returns; `nil` is the error ``ModelError/Code/notScripted``.
  ///
  /// For the same replies in every run the function must depend on the request alone.
  public init(_ script: @escaping @Sendable (ModelRequest) -> Turn?) { self.script = script }

  /// A model that says these turns one after the other, whatever it is asked.
  public init(turns: [Turn]) {
    let next = Locked(0)
    self.init { _ in
      let index = next.withLock { next in
        next += 1
        return next - 1
      }
      return index < turns.count ? turns[index] : nil
    }
  }

  /// The script's reply.
  ///
  /// - Throws: ``ModelError`` where the script says so, has no turn for the request, or the request is unusable.
  public func respond(to request: ModelRequest, deadline: ContinuousClock.Instant) async throws(ModelError) -> ModelReply {
    if Task.isCancelled { throw ModelError(.cancelled, "the turn was cancelled") }
    let encoder = try RequestEncoder(request)
    let sent = try encoder.bytes()
    guard let turn = script(request) else {
      throw ModelError(.notScripted, "the script has no reply for this request", exchange: ModelExchange(requestBytes: sent, attempts: 0))
    }
    let body: [UInt8]
    switch turn {
    case .failure(var error):
      error.exchange = error.exchange ?? ModelExchange(requestBytes: sent)
      throw error
    case .body(let bytes): body = bytes
    case .calls, .text, .refusal: body = ScriptedBody(request: request, names: encoder.names).bytes(turn)
    }
    let exchange = ModelExchange(requestBytes: sent, responseBytes: body, httpStatus: 200)
    do throws(ModelError) {
      return try ReplyReader(request: request, names: encoder.names, isScripted: true).read(exchange)
    } catch {
      var error = error
      error.exchange = exchange
      throw error
    }
  }
}
