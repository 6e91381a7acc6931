public import Core

/// A tool as the model sees it.
public struct ModelTool: Hashable, Sendable {
  /// The name in Remit: 1 to 128 of `A-Z a-z 0-9 _ . -`.
  ///
  /// The endpoint may see another one, see ``ToolNames``.
  public var name: String
  /// What it does and when to use it.
  public var description: String
  /// A JSON Schema of type `object`.
  public var parameters: JSON

  /// A tool with these parts.
  public init(name: String, description: String, parameters: JSON) {
    self.name = name
    self.description = description
    self.parameters = parameters
  }

  /// The tool as JSON, as it stands in a request.
  var json: JSON { ["name": .string(name), "description": .string(description), "parameters": parameters] }

  /// A tool from its ``json``; `nil` for any other value.
  init?(json: JSON) {
    guard let name = json["name"]?.stringValue, let description = json["description"]?.stringValue, let parameters = json["parameters"]
    else { return nil }
    self.init(name: name, description: description, parameters: parameters)
  }
}

/// What a tool call came to, for the model.
public struct ModelToolResult: Hashable, Sendable {
  /// The id of ``ModelToolCall/id``.
  public var callID: String
  /// The tool that was called.
  public var name: String
  /// What the tool answered, or why it did not run.
  public var content: String
  /// Whether it failed or was refused.
  public var isError: Bool

  /// A result with these parts.
  public init(callID: String, name: String, content: String, isError: Bool = false) {
    self.callID = callID
    self.name = name
    self.content = content
    self.isError = isError
  }
}
