internal import Core

extension ReplyReader {
  /// `output` items of the Responses format.
  func readResponses(_ draft: inout Draft) throws(ModelError) {
    let status = draft.root["status"]?.stringValue ?? "completed"
    switch status {
    case "completed": draft.finish = .stop
    case "incomplete":
      switch draft.root["incomplete_details"]?["reason"]?.stringValue {
      case "content_filter": draft.finish = .contentFilter
      default: draft.finish = .length
      }
    case "failed", "cancelled", "queued", "in_progress":
      throw ModelError(.serverError, "the endpoint says that the response is `\(status)`", isTransient: true)
    default: throw malformed("its status is `\(visible(cut(status, to: 40)))`")
    }
    guard let output = draft.root["output"]?.arrayValue else { throw malformed("it has no `output`") }
    let count = output.count { $0["type"] == "function_call" }
    guard count <= limits.toolCalls else { throw tooMany(count) }
    for item in output {
      guard let kind = item["type"]?.stringValue else { throw malformed("one of its output items has no `type`") }
      switch kind {
      case "message": readMessage(item, &draft)
      case "reasoning": continue
      case "function_call": draft.calls.append(try readCall(item))
      default: throw hosted(kind)
      }
    }
    draft.assistant = .array(output)
    if !draft.calls.isEmpty && draft.finish == .stop { draft.finish = .toolCalls }
  }

  private func readMessage(_ item: JSON, _ draft: inout Draft) {
    if let text = item["content"]?.stringValue { draft.text += text }
    for part in item["content"]?.arrayValue ?? [] {
      switch part["type"]?.stringValue {
      case "output_text", "text": draft.text += part["text"]?.stringValue ?? ""
      case "refusal": draft.refusal = (draft.refusal ?? "") + (part["refusal"]?.stringValue ?? "")
      default: continue
      }
    }
  }

  private func readCall(_ item: JSON) throws(ModelError) -> RawCall {
    guard let name = item["name"]?.stringValue else { throw malformed("one of its function calls has no `name`") }
    // A call that a program at the provider makes would take its result there, past us.
    if let caller = item["caller"], !caller.isNull, caller["type"] != "direct" { throw hosted("programmatic function_call") }
    // A namespace would make two tools of one name look the same here.
    let space = item["namespace"]?.stringValue ?? ""
    let status = item["status"]?.stringValue ?? "completed"
    return RawCall(
      id: item["call_id"]?.stringValue ?? "", name: space.isEmpty ? name : "\(space):\(name)", arguments: item["arguments"] ?? .null,
      isIncomplete: status != "completed")
  }

  private func hosted(_ kind: String) -> ModelError {
    ModelError(
      .hostedTool,
      "the reply holds an item of the type `\(visible(cut(kind, to: 60)))`, which only a tool at the provider's side makes; those run outside the gate and are refused"
    )
  }
}
