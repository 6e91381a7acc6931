internal import Core

/// Writes what a script says as an endpoint would.
struct ScriptedBody {
  let request: ModelRequest
  let names: ToolNames

  func bytes(_ turn: ScriptedModel.Turn) -> [UInt8] {
    var text = ""
    var refusal: JSON = .null
    var calls: [ScriptedModel.Call] = []
    switch turn {
    case .calls(let said, let beside): (calls, text) = (said, beside)
    case .text(let said): text = said
    case .refusal(let said): refusal = .string(said)
    case .body, .failure: break
    }
    if request.mode == .structured, let call = calls.first {
      text = structured(call, reason: text)
      calls = []
    }
    var writer = WireWriter()
    writer.value(request.api == .chat ? chat(text, refusal, calls) : responses(text, refusal, calls))
    return writer.bytes
  }

  private func structured(_ call: ScriptedModel.Call, reason: String) -> String {
    let arguments = (try? JSON.parse(call.arguments)) ?? .string(call.arguments)
    return JSON.object(["reason": .string(reason), "action": ["tool": .string(call.name), "arguments": arguments]]).text()
  }

  private func chat(_ text: String, _ refusal: JSON, _ calls: [ScriptedModel.Call]) -> JSON {
    var message: JSONObject = ["role": "assistant", "content": text.isEmpty ? .null : .string(text), "refusal": refusal]
    if !calls.isEmpty {
      message["tool_calls"] = .array(
        calls.map { call in
          [
            "id": .string(call.id), "type": "function",
            "function": ["name": .string(names.wire(call.name)), "arguments": .string(call.arguments)],
          ]
        })
    }
    return [
      "object": "chat.completion", "model": "scripted",
      "choices": [["index": 0, "message": .object(message), "finish_reason": calls.isEmpty ? "stop" : "tool_calls"]],
    ]
  }

  private func responses(_ text: String, _ refusal: JSON, _ calls: [ScriptedModel.Call]) -> JSON {
    var output: [JSON] = []
    if !text.isEmpty || !refusal.isNull {
      let part: JSON = refusal.isNull ? ["type": "output_text", "text": .string(text)] : ["type": "refusal", "refusal": refusal]
      output.append(["type": "message", "role": "assistant", "content": [part]])
    }
    for call in calls {
      output.append([
        "type": "function_call", "call_id": .string(call.id), "name": .string(names.wire(call.name)), "arguments": .string(call.arguments),
        "status": "completed",
      ])
    }
    return ["object": "response", "model": "scripted", "status": "completed", "output": .array(output)]
  }
}
