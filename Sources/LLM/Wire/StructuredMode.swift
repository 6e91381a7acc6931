internal import Core

/// Tool calls for servers that do not know tools, but can make the model's text follow a JSON schema.
///
/// The text is `{"reason": …, "action": {"tool": …, "arguments": …}}`. The reason comes first, because a model writes from left to right;
/// the choice sits one level down, because some servers refuse a union at the root.
enum StructuredMode {
  /// The schema that offers the choice, within what llama.cpp turns into a grammar.
  static func schema(_ tools: [ModelTool]) -> JSON {
    let choices = tools.map { tool -> JSON in
      let arguments = GrammarSchema.reduced(tool.parameters)
      return [
        "type": "object",
        "properties": ["tool": ["type": "string", "enum": [.string(tool.name)]], "arguments": arguments],
        "required": ["tool", "arguments"], "additionalProperties": false,
      ]
    }
    return [
      "type": "object",
      "properties": ["reason": ["type": "string"], "action": ["anyOf": .array(choices)]],
      "required": ["reason", "action"], "additionalProperties": false,
    ]
  }

  /// What the model is told about it.
  static func instructions(_ tools: [ModelTool]) -> String {
    var text = """
      Answer with one JSON object and nothing else:
      {"reason": "why, in one sentence", "action": {"tool": "name of one tool", "arguments": {}}}
      You act only through a tool. The tools are:
      """
    for tool in tools {
      var writer = WireWriter()
      writer.value(tool.parameters)
      text += "\n- \(tool.name): \(tool.description)\n  arguments (JSON Schema): \(String(decoding: writer.bytes, as: UTF8.self))"
    }
    return text
  }

  /// The one call that the text says, or why it says none.
  static func parse(_ text: String) -> Result<(tool: String, arguments: JSON, raw: String, reason: String?), ModelWarning> {
    func none(_ why: String) -> Result<(tool: String, arguments: JSON, raw: String, reason: String?), ModelWarning> {
      .failure(ModelWarning(.notStructured, "the text does not follow the schema: \(why)"))
    }
    let json: JSON
    do throws(JSONError) { json = try JSON.parse(text) } catch { return none(String(visible(error.message).prefix(160))) }
    guard let action = json["action"], case .object = action else { return none("there is no `action`") }
    guard let tool = action["tool"]?.stringValue else { return none("there is no `action.tool`") }
    guard let arguments = action["arguments"] else { return none("there is no `action.arguments`") }
    var writer = WireWriter()
    writer.value(arguments)
    return .success((tool, arguments, String(decoding: writer.bytes, as: UTF8.self), json["reason"]?.stringValue))
  }
}

extension ModelWarning: Error {}
