public import Core
public import HTTP

/// A model server: where it is, how it is spoken to, and what a turn may cost there.
public struct ModelEndpoint: Sendable {
  /// A header of every request.
  public struct Header: Sendable {
    /// Its name.
    public var name: String
    /// Its value.
    public var value: String
    /// Whether the value must not be seen: it is blotted out where an endpoint sends it back.
    public var isSecret: Bool

    /// A header with these parts.
    public init(_ name: String, _ value: String, isSecret: Bool = false) {
      self.name = name
      self.value = value
      self.isSecret = isSecret
    }
  }

  /// The URL that paths such as `/chat/completions` are appended to; it usually ends in `/v1`.
  ///
  /// A query stays at the end.
  public var baseURL: String
  /// The wire format that it speaks.
  public var api: ModelAPI
  /// How tools are offered to it.
  public var mode: ModelMode
  /// The model's name there.
  public var model: String
  /// Where its key comes from.
  public var credential: ModelCredential
  /// The header that carries the key; `nil` for `Authorization: Bearer KEY`.
  public var keyHeader: String?
  /// Further headers.
  public var headers: [Header]
  /// Further members of every request body.
  public var extraBody: JSONObject
  /// The member that carries the limit on output tokens: `max_tokens` or `max_completion_tokens`; `nil` decides by the host.
  public var maximumTokensKey: String?
  /// What one HTTP exchange may cost.
  ///
  /// The turn's deadline cuts its time further.
  public var limits: HTTPLimits
  /// How often a failed request is sent again.
  public var retry: RetryPolicy
  /// The most tool calls in one reply.
  public var maximumToolCalls: Int
  /// The most bytes of one call's arguments.
  public var maximumArgumentBytes: Int

  /// An endpoint with the limits that suit most.
  public init(
    baseURL: String, model: String = "default", api: ModelAPI = .chat, mode: ModelMode = .tools, credential: ModelCredential = .none
  ) {
    self.baseURL = baseURL
    self.model = model
    self.api = api
    self.mode = mode
    self.credential = credential
    keyHeader = nil
    headers = []
    extraBody = JSONObject()
    maximumTokensKey = nil
    limits = HTTPLimits(timeout: .seconds(600), connectTimeout: .seconds(5), maximumBodyBytes: 8 << 20)
    retry = RetryPolicy()
    maximumToolCalls = 128
    maximumArgumentBytes = 256 << 10
  }

  /// The URL of requests of a wire format.
  func url(_ api: ModelAPI) -> String {
    let parts = baseURL.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    var path = parts[0]
    while path.hasSuffix("/") { path.removeLast() }
    return path + (api == .chat ? "/chat/completions" : "/responses") + (parts.count > 1 ? "?" + parts[1] : "")
  }

  /// `host[:port]` in lower case.
  var host: String {
    let parts = HTTPRequest.shown(baseURL).split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
    return parts.count > 2 ? parts[2].lowercased() : ""
  }

  /// Whether the host is this machine.
  var isLoopback: Bool {
    let name = host.hasPrefix("[") ? String(host.prefix { $0 != "]" }) + "]" : String(host.prefix { $0 != ":" })
    return name == "localhost" || name.hasPrefix("127.") || name == "[::1]"
  }

  var tokensKey: String {
    if let maximumTokensKey { return maximumTokensKey }
    let isOpenAI = host == "api.openai.com" || host.hasSuffix(".openai.azure.com")
    return isOpenAI ? "max_completion_tokens" : "max_tokens"
  }

  /// A request of this endpoint's model, wire format and mode.
  public func request(system: String = "", messages: [ModelMessage], tools: [ModelTool] = []) -> ModelRequest {
    ModelRequest(model: model, system: system, messages: messages, tools: tools, mode: mode, api: api)
  }
}
