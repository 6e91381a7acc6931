internal import Core

extension ReplyReader {
  /// `choices[0].message`.
  func readChat(_ draft: inout Draft) throws(ModelError) {
    guard let choices = draft.root["choices"]?.arrayValue else { throw malformed("it has no `choices`") }
    guard let choice = choices.first else { throw malformed("its `choices` are empty") }
    guard case .object(var message)? = choice["message"] else { throw malformed("its first choice has no `message`") }
    if choices.count > 1 { draft.warnings.append(ModelWarning(.severalChoices, "\(choices.count) choices came; the first one counts")) }
    switch choice["finish_reason"]?.stringValue {
    case "stop": draft.finish = .stop
    case "tool_calls", "function_call": draft.finish = .toolCalls
    case "length": draft.finish = .length
    case "content_filter": draft.finish = .contentFilter
    default: draft.finish = .other
    }
    readContent(message["content"], &draft)
    if let refusal = message["refusal"]?.stringValue, !refusal.isEmpty { draft.refusal = refusal }

    let items: [JSON]
    switch message["tool_calls"] {
    case .array(let calls)?: items = calls
    case nil, .null?: items = []
    default: throw malformed("its `tool_calls` are no array")
    }
    guard items.count <= limits.toolCalls else { throw tooMany(items.count) }
    for item in items {
      guard case .object = item else { throw malformed("one of its `tool_calls` is no object") }
      let kind = item["type"]?.stringValue ?? "function"
      guard kind == "function" else {
        let custom = item["custom"]
        draft.calls.append(
          RawCall(
            id: item["id"]?.stringValue ?? "", name: custom?["name"]?.stringValue ?? "", arguments: custom?["input"] ?? .null,
            isFunction: false))
        continue
      }
      guard let name = item["function"]?["name"]?.stringValue else { throw malformed("one of its `tool_calls` names no function") }
      draft.calls.append(RawCall(id: item["id"]?.stringValue ?? "", name: name, arguments: item["function"]?["arguments"] ?? .null))
    }

    if message["role"]?.stringValue == nil { message["role"] = "assistant" }
    if items.isEmpty {
      message["tool_calls"] = nil
      if message["content"] == nil || message["content"] == .null { message["content"] = .string(draft.text) }
    }
    draft.assistant = .object(message)
  }

  /// `null`, a string, or an array of parts.
  private func readContent(_ content: JSON?, _ draft: inout Draft) {
    switch content {
    case .string(let text)?: draft.text = text
    case .array(let parts)?:
      for part in parts {
        if let text = part["text"]?.stringValue { draft.text += text }
        if let refusal = part["refusal"]?.stringValue { draft.refusal = (draft.refusal ?? "") + refusal }
      }
    default: break
    }
  }
}
