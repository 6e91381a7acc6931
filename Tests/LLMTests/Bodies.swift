import Core
import HTTP
import LLM
import TestSupport
import Testing

/// The tools that the tests offer.
let offered = [
  ModelTool(
    name: "crm.lookup", description: "looks a vendor up",
    parameters: ["type": "object", "properties": ["vendor": ["type": "string"]], "required": ["vendor"], "additionalProperties": false]),
  ModelTool(
    name: "complete_step", description: "completes the step",
    parameters: ["type": "object", "properties": ["risk": ["enum": ["low", "high"]], "note": ["type": "string", "minLength": 1]]]),
]

/// A request with these tools.
func ask(_ api: ModelAPI = .chat, _ mode: ModelMode = .tools, messages: [ModelMessage] = [.user("classify Acme")]) -> ModelRequest {
  ModelRequest(model: "m", system: "You classify vendors.", messages: messages, tools: offered, mode: mode, api: api)
}

/// The reply to a recorded body, read as if an endpoint had sent it.
func read(_ body: String, _ request: ModelRequest = ask()) async throws(ModelError) -> ModelReply {
  try await ScriptedModel { _ in .body(Array(body.utf8)) }.respond(to: request, within: .seconds(30))
}

/// The error of a turn that must fail.
func failure(_ model: some ModelClient, _ request: ModelRequest = ask(), within time: Duration = .seconds(30)) async -> ModelError? {
  do throws(ModelError) {
    _ = try await model.respond(to: request, within: time)
    return nil
  } catch {
    return error
  }
}

/// A chat body around an assistant message.
func chat(_ message: String, finish: String = "stop", more: String = "") -> String {
  """
  {"id":"c1","object":"chat.completion","created":1,"model":"m-1","choices":[{"index":0,"message":\(message),"logprobs":null,\
  "finish_reason":"\(finish)"}],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":\
  {"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":2}}\(more)}
  """
}

/// A chat message with tool calls.
func calls(_ items: String) -> String { "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[\(items)]}" }

/// One call with arguments as text.
func call(_ id: String, _ name: String, _ arguments: String) -> String {
  "{\"id\":\"\(id)\",\"type\":\"function\",\"function\":{\"name\":\"\(name)\",\"arguments\":\(JSON.string(arguments).text())}}"
}

/// What the model is asked for next, as the request's bytes.
func sent(_ request: ModelRequest) async throws -> JSON {
  let reply = try await ScriptedModel(turns: [.text("x")]).respond(to: request, within: .seconds(30))
  return try JSON.parse(reply.exchange.requestBytes)
}
