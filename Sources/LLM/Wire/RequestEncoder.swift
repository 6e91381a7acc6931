internal import Core

/// Turns a request into the bytes of one wire format.
struct RequestEncoder {
  let request: ModelRequest
  let names: ToolNames
  /// The endpoint's own additions; the request's options win over them.
  var extra = JSONObject()
  /// `max_tokens` is what every server knows, `max_completion_tokens` what OpenAI's newer models need.
  var maximumTokensKey = "max_tokens"

  init(_ request: ModelRequest) throws(ModelError) {
    self.request = request
    names = try ToolNames(request.tools.map(\.name))
  }

  /// Members that decide what is asked and who runs the tools, so that no setting may replace them.
  ///
  /// A hosted tool would run at the provider's side, outside the gate.
  static let reserved: Set<String> = [
    "model", "messages", "input", "instructions", "tools", "tool_choice", "functions", "function_call", "stream", "n", "background",
    "response_format", "previous_response_id", "conversation", "prompt", "web_search_options", "plugins", "mcp_servers",
  ]

  /// The request body.
  ///
  /// - Throws: ``ModelError`` for a reserved option, and for a conversation in which a call has no result.
  func bytes() throws(ModelError) -> [UInt8] {
    for (key, _) in request.options where Self.reserved.contains(key) {
      throw ModelError(.invalidRequest, "the option `\(key)` cannot be set: it is made from the request itself")
    }
    let size = request.system.utf8.count + request.messages.count * 512 + request.tools.count * 512
    var writer = WireWriter(capacity: size + 1024)
    writer.beginObject()
    writer.key("model")
    writer.string(request.model)
    switch request.api {
    case .chat: try writeChat(&writer)
    case .responses: try writeResponses(&writer)
    }
    writer.members(additions)
    writer.endObject()
    return writer.bytes
  }

  /// Options of the request over those of the endpoint, less what the request says with a member of its own.
  private var additions: JSONObject {
    var all = extra
    for (key, value) in request.options { all[key] = value }
    if request.maximumOutputTokens != nil {
      for key in ["max_tokens", "max_completion_tokens", "max_output_tokens"] { all[key] = nil }
    }
    if request.api == .responses && request.asksForStructure { all["text"] = nil }
    return all
  }

  private func isAdded(_ key: String) -> Bool { request.options[key] != nil || extra[key] != nil }

  /// The system text, with what a model without tool support needs to know.
  private var system: String {
    guard request.asksForStructure else { return request.system }
    return request.system + (request.system.isEmpty ? "" : "\n\n") + StructuredMode.instructions(request.tools)
  }

  // MARK: Chat Completions

  private func writeChat(_ writer: inout WireWriter) throws(ModelError) {
    writer.key("messages")
    writer.beginArray()
    let system = system
    if !system.isEmpty { writeText(&writer, role: "system", system) }
    switch request.mode {
    case .tools: try writeChatMessages(&writer)
    case .structured: try writeStructuredMessages(&writer)
    }
    writer.endArray()
    if let limit = request.maximumOutputTokens {
      writer.key(maximumTokensKey)
      writer.int(limit)
    }
    guard !request.tools.isEmpty else { return }
    switch request.mode {
    case .structured where !request.asksForStructure: return
    case .structured:
      writer.key("response_format")
      writer.beginObject()
      writer.key("type")
      writer.string("json_schema")
      writer.key("json_schema")
      writer.beginObject()
      writeSchema(&writer)
      writer.endObject()
      writer.endObject()
    case .tools:
      writer.key("tools")
      writer.beginArray()
      for tool in request.tools {
        writer.beginObject()
        writer.key("type")
        writer.string("function")
        writer.key("function")
        writer.beginObject()
        writeTool(&writer, tool)
        if StrictSchema.qualifies(tool.parameters) {
          writer.key("strict")
          writer.bool(true)
        }
        writer.endObject()
        writer.endObject()
      }
      writer.endArray()
      writeToolChoice(&writer)
    }
  }

  private func writeText(_ writer: inout WireWriter, role: String, _ text: String) {
    writer.beginObject()
    writer.key("role")
    writer.string(role)
    writer.key("content")
    writer.string(text)
    writer.endObject()
  }

  private func writeTool(_ writer: inout WireWriter, _ tool: ModelTool) {
    writer.key("name")
    writer.string(names.wire(tool.name))
    writer.key("description")
    writer.string(tool.description)
    writer.key("parameters")
    writer.value(tool.parameters)
  }

  private func writeToolChoice(_ writer: inout WireWriter) {
    guard request.toolChoice != .auto else { return }
    writer.key("tool_choice")
    writer.string(request.toolChoice.rawValue)
  }

  private func writeSchema(_ writer: inout WireWriter) {
    let schema = StructuredMode.schema(request.tools)
    writer.key("name")
    writer.string("action")
    writer.key("schema")
    writer.value(schema)
    if StrictSchema.qualifies(schema) {
      writer.key("strict")
      writer.bool(true)
    }
  }

  private func writeChatMessages(_ writer: inout WireWriter) throws(ModelError) {
    var open = OpenCalls()
    for message in request.messages {
      switch message {
      case .user(let text):
        try open.mustBeClosed()
        writeText(&writer, role: "user", text)
      case .assistant(let raw):
        try open.mustBeClosed()
        guard case .object = raw else { throw shapeError("an object") }
        open.expect((raw["tool_calls"]?.arrayValue ?? []).map { $0["id"]?.stringValue ?? "" })
        writer.value(raw)
      case .toolResults(let results):
        for result in results {
          try open.close(result.callID)
          writer.beginObject()
          writer.key("role")
          writer.string("tool")
          writer.key("tool_call_id")
          writer.string(result.callID)
          writer.key("content")
          writer.string(Self.content(result))
          writer.endObject()
        }
        try open.mustBeClosed()
      }
    }
    try open.mustBeClosed()
  }

  // MARK: Structured mode, either format

  /// Results go back as text of the user, joined with the user text beside them: templates without tools also insist on strict turns.
  private func writeStructuredMessages(_ writer: inout WireWriter) throws(ModelError) {
    var pending: [String] = []
    for message in request.messages {
      switch message {
      case .user(let text): pending.append(text)
      case .toolResults(let results):
        pending += results.map { "\($0.isError ? "Error of" : "Result of") `\($0.name)`:\n\($0.content)" }
      case .assistant(let raw):
        flush(&pending, &writer)
        switch (request.api, raw) {
        case (.chat, .object): writer.value(raw)
        case (.responses, .array(let items)): for item in items { writer.value(item) }
        default: throw shapeError(request.api == .chat ? "an object" : "an array")
        }
      }
    }
    flush(&pending, &writer)
  }

  private func flush(_ pending: inout [String], _ writer: inout WireWriter) {
    guard !pending.isEmpty else { return }
    writeText(&writer, role: "user", pending.joined(separator: "\n\n"))
    pending = []
  }

  // MARK: Responses

  private func writeResponses(_ writer: inout WireWriter) throws(ModelError) {
    let system = system
    if !system.isEmpty {
      writer.key("instructions")
      writer.string(system)
    }
    writer.key("input")
    writer.beginArray()
    switch request.mode {
    case .tools: try writeItems(&writer)
    case .structured: try writeStructuredMessages(&writer)
    }
    writer.endArray()
    // Nothing is kept at the provider, so reasoning has to travel with the conversation, encrypted by the provider.
    if !isAdded("store") {
      writer.key("store")
      writer.bool(false)
    }
    if !isAdded("include") {
      writer.key("include")
      writer.value(["reasoning.encrypted_content"])
    }
    if let limit = request.maximumOutputTokens {
      writer.key("max_output_tokens")
      writer.int(limit)
    }
    guard !request.tools.isEmpty else { return }
    switch request.mode {
    case .structured where !request.asksForStructure: return
    case .structured:
      writer.key("text")
      writer.beginObject()
      writer.members((request.options["text"] ?? extra["text"])?.objectValue ?? JSONObject(), except: ["format"])
      writer.key("format")
      writer.beginObject()
      writer.key("type")
      writer.string("json_schema")
      writeSchema(&writer)
      writer.endObject()
      writer.endObject()
    case .tools:
      writer.key("tools")
      writer.beginArray()
      for tool in request.tools {
        writer.beginObject()
        writer.key("type")
        writer.string("function")
        writeTool(&writer, tool)
        // Left out, it would mean `true` here.
        writer.key("strict")
        writer.bool(StrictSchema.qualifies(tool.parameters))
        writer.endObject()
      }
      writer.endArray()
      writeToolChoice(&writer)
    }
  }

  private func writeItems(_ writer: inout WireWriter) throws(ModelError) {
    var open = OpenCalls()
    for message in request.messages {
      switch message {
      case .user(let text):
        try open.mustBeClosed()
        writeText(&writer, role: "user", text)
      case .assistant(let raw):
        try open.mustBeClosed()
        guard case .array(let items) = raw else { throw shapeError("an array") }
        open.expect(items.filter { $0["type"] == "function_call" }.map { $0["call_id"]?.stringValue ?? "" })
        for item in items { writer.value(item) }
      case .toolResults(let results):
        for result in results {
          try open.close(result.callID)
          writer.beginObject()
          writer.key("type")
          writer.string("function_call_output")
          writer.key("call_id")
          writer.string(result.callID)
          writer.key("output")
          writer.string(Self.content(result))
          writer.endObject()
        }
        try open.mustBeClosed()
      }
    }
    try open.mustBeClosed()
  }

  private static func content(_ result: ModelToolResult) -> String { result.isError ? "error: \(result.content)" : result.content }

  private func shapeError(_ shape: String) -> ModelError {
    ModelError(
      .invalidRequest,
      "an assistant message of this conversation is not \(shape), so it does not come from the API `\(request.api.rawValue)`")
  }
}

/// Calls that wait for their result: an endpoint refuses a conversation in which one is left open.
private struct OpenCalls {
  private var ids: [String] = []

  mutating func expect(_ ids: [String]) { self.ids = ids }

  mutating func close(_ id: String) throws(ModelError) {
    guard let index = ids.firstIndex(where: { bytesEqual($0, id) }) else {
      throw ModelError(
        .invalidRequest, "the tool result `\(visible(String(id.prefix(80))))` answers no open call of the assistant message before it")
    }
    ids.remove(at: index)
  }

  func mustBeClosed() throws(ModelError) {
    guard let id = ids.first else { return }
    throw ModelError(
      .invalidRequest,
      "the tool call `\(visible(String(id.prefix(80))))` has no result; every call of a turn needs one, refused ones included")
  }
}
