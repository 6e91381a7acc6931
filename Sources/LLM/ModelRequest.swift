public import Core

/// One turn's question to a model, as a value: the same request makes the same bytes.
public struct ModelRequest: Hashable, Sendable {
  /// Whether the model must call a tool.
  public enum ToolChoice: String, Hashable, Sendable {
    /// The model decides. Nothing is sent, since some servers know no other choice.
    case auto
    /// At least one call.
    case required
    /// Tools are described, but must not be called.
    case none
  }

  /// The model's name at the endpoint.
  public var model: String
  /// The system text; empty for none.
  public var system: String
  /// The conversation, oldest first.
  public var messages: [ModelMessage]
  /// The tools on offer.
  ///
  /// Calls of any other tool are not executable.
  public var tools: [ModelTool]
  /// How tools are offered.
  public var mode: ModelMode
  /// The wire format.
  public var api: ModelAPI
  /// Whether the model must call a tool.
  ///
  /// In ``ModelMode/structured`` it always does.
  public var toolChoice: ToolChoice
  /// The most tokens to answer with; `nil` leaves it to the endpoint.
  public var maximumOutputTokens: Int?
  /// Further members of the request body that the user set (`temperature`, `reasoning_effort`, …), sent as they are.
  ///
  /// Nothing of the kind is ever sent unasked: some endpoints refuse sampling parameters even at their default values.
  public var options: JSONObject

  /// A request with these parts.
  public init(
    model: String, system: String = "", messages: [ModelMessage], tools: [ModelTool] = [], mode: ModelMode = .tools, api: ModelAPI = .chat,
    toolChoice: ToolChoice = .auto, maximumOutputTokens: Int? = nil, options: JSONObject = JSONObject()
  ) {
    self.model = model
    self.system = system
    self.messages = messages
    self.tools = tools
    self.mode = mode
    self.api = api
    self.toolChoice = toolChoice
    self.maximumOutputTokens = maximumOutputTokens
    self.options = options
  }

  /// Whether the reply's text is to follow the schema of structured mode.
  var asksForStructure: Bool { mode == .structured && !tools.isEmpty && toolChoice != .none }

  /// The whole request as JSON, independent of any endpoint.
  public var json: JSON {
    var object: JSONObject = [
      "model": .string(model), "api": .string(api.rawValue), "mode": .string(mode.rawValue), "system": .string(system),
      "messages": .array(messages.map(\.json)),
      "tools": .array(tools.map(\.json)),
      "tool_choice": .string(toolChoice.rawValue), "options": .object(options),
    ]
    if let maximumOutputTokens { object["maximum_output_tokens"] = .int(maximumOutputTokens) }
    return .object(object)
  }

  /// A request from its ``json``; `nil` for any other value.
  public init?(json: JSON) {
    guard let model = json["model"]?.stringValue, let system = json["system"]?.stringValue,
      let api = json["api"]?.stringValue.flatMap({ ModelAPI(rawValue: $0) }),
      let mode = json["mode"]?.stringValue.flatMap({ ModelMode(rawValue: $0) }),
      let choice = json["tool_choice"]?.stringValue.flatMap({ ToolChoice(rawValue: $0) }), let options = json["options"]?.objectValue,
      let messages = json["messages"]?.arrayValue?.map({ ModelMessage(json: $0) }), !messages.contains(nil),
      let tools = json["tools"]?.arrayValue?.map({ ModelTool(json: $0) }), !tools.contains(nil)
    else { return nil }
    self.init(
      model: model, system: system, messages: messages.compactMap(\.self), tools: tools.compactMap(\.self), mode: mode, api: api,
      toolChoice: choice, maximumOutputTokens: json["maximum_output_tokens"]?.intValue.map { Int($0) }, options: options)
  }

  /// The SHA-256 of ``json`` written compactly; it names the request in recordings.
  ///
  /// - Complexity: O(n) in the size of the conversation.
  public var digest: Digest {
    var writer = WireWriter()
    writer.value(json)
    return SHA256.hash(writer.bytes)
  }
}
