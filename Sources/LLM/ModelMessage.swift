public import Core

/// One message of a conversation with a model; the system text stands apart, in ``ModelRequest/system``.
public enum ModelMessage: Hashable, Sendable {
  /// Text from our side.
  case user(String)
  /// What the model said, exactly as ``ModelReply/assistant`` gave it: unknown members (reasoning, signatures) go back unchanged.
  case assistant(JSON)
  /// The results of all calls of the assistant message before it, refused ones included.
  case toolResults([ModelToolResult])

  /// The message as JSON, for the log.
  public var json: JSON {
    switch self {
    case .user(let text): ["user": .string(text)]
    case .assistant(let raw): ["assistant": raw]
    case .toolResults(let results):
      [
        "results": .array(
          results.map { ["id": .string($0.callID), "name": .string($0.name), "content": .string($0.content), "error": .bool($0.isError)] })
      ]
    }
  }

  /// A message from its ``json``; `nil` for any other value.
  public init?(json: JSON) {
    guard let object = json.objectValue, object.count == 1, let member = object.first else { return nil }
    switch (member.key, member.value) {
    case ("user", .string(let text)): self = .user(text)
    case ("assistant", let raw): self = .assistant(raw)
    case ("results", .array(let items)):
      var results: [ModelToolResult] = []
      for item in items {
        guard let id = item["id"]?.stringValue, let name = item["name"]?.stringValue, let content = item["content"]?.stringValue,
          let isError = item["error"]?.boolValue
        else { return nil }
        results.append(ModelToolResult(callID: id, name: name, content: content, isError: isError))
      }
      self = .toolResults(results)
    default: return nil
    }
  }
}
