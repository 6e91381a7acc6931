import Core
import LLM
import Testing

@Suite("requests") struct RequestTests {
  @Test("the chat format, to the byte")
  func chatBytes() async throws {
    let request = ModelRequest(
      model: "m", system: "Line \"one\"\nline two \u{1F600}\u{0001}", messages: [.user("hi")], tools: Array(offered.prefix(1)),
      maximumOutputTokens: 50,
      options: ["seed": 7])
    let reply = try await ScriptedModel(turns: [.text("x")]).respond(to: request, within: .seconds(1))
    let expected = """
      {"model":"m","messages":[{"role":"system","content":"Line \\"one\\"\\nline two \u{1F600}\\u0001"},{"role":"user","content":"hi"}],\
      "max_tokens":50,"tools":[{"type":"function","function":{"name":"crm__lookup","description":"looks a vendor up","parameters":\
      {"type":"object","properties":{"vendor":{"type":"string"}},"required":["vendor"],"additionalProperties":false},"strict":true}}],"seed":7}
      """
    #expect(String(decoding: reply.exchange.requestBytes, as: UTF8.self) == expected)
  }

  @Test("a request is read back from its JSON", arguments: ModelAPI.allCases, ModelMode.allCases)
  func json(api: ModelAPI, mode: ModelMode) throws {
    let messages: [ModelMessage] = [
      .user("hi"), .assistant(["role": "assistant", "x": [1.50, nil]]),
      .toolResults([ModelToolResult(callID: "a", name: "crm.lookup", content: "no", isError: true)]),
    ]
    for (tools, maximum) in [(offered, 50), ([], nil)] {
      let request = ModelRequest(
        model: "m", system: "s", messages: messages, tools: tools, mode: mode, api: api, toolChoice: .required,
        maximumOutputTokens: maximum,
        options: ["seed": 7])
      let bytes = Array(request.json.text().utf8)
      #expect(ModelRequest(json: try JSON.parse(bytes)) == request)
    }
    #expect(ModelRequest(json: ["model": "m"]) == nil)
  }

  @Test("nothing about sampling is sent unasked", arguments: ModelAPI.allCases, ModelMode.allCases)
  func noSampling(api: ModelAPI, mode: ModelMode) async throws {
    let body = try await sent(ask(api, mode))
    let allowed: Set = [
      "model", "messages", "tools", "response_format", "instructions", "input", "store", "include", "text",
    ]
    for (key, _) in try #require(body.objectValue) { #expect(allowed.contains(key), "\(key)") }
  }

  @Test("strict only where the schema qualifies")
  func strict() async throws {
    let chat = try #require(try await sent(ask())["tools"]?.arrayValue)
    #expect(chat.map { $0["function"]?["strict"] } == [true, nil])
    let responses = try #require(try await sent(ask(.responses))["tools"]?.arrayValue)
    #expect(responses.map { $0["strict"] } == [true, false])
    #expect(responses.map { $0["type"] } == ["function", "function"])
  }

  @Test(
    "options that decide who runs what are refused",
    arguments: ["tools", "messages", "stream", "web_search_options", "model", "n", "input"])
  func reserved(key: String) async throws {
    var request = ask()
    request.options = [key: true]
    let error = await failure(ScriptedModel(turns: [.text("x")]), request)
    #expect(error?.code == .invalidRequest && error?.message.contains("`\(key)`") == true)
  }

  @Test("every call of a turn needs its result before the next message", arguments: ModelAPI.allCases)
  func openCalls(api: ModelAPI) async throws {
    let model = ScriptedModel { _ in .calls([.init("complete_step", [:], id: "a"), .init("crm.lookup", [:], id: "b")]) }
    let reply = try await model.respond(to: ask(api), within: .seconds(1))
    func results(_ ids: String...) -> ModelMessage { .toolResults(ids.map { ModelToolResult(callID: $0, name: "t", content: "c") }) }
    let said = ModelMessage.assistant(reply.assistant)
    for messages in [
      [said], [said, .user("x")], [said, results("a")], [said, results("a", "a")], [said, results("a", "b", "c")], [results("a")],
      [said, results("a"), results("b")], [said, said],
    ] {
      let error = await failure(model, ask(api, messages: [.user("go")] + messages))
      #expect(error?.code == .invalidRequest, "\(messages)")
    }
    _ = try await model.respond(to: ask(api, messages: [.user("go"), said, results("b", "a"), .user("more")]), within: .seconds(1))
  }

  @Test("an assistant message of the other format is refused")
  func otherFormat() async throws {
    let chat = try await read(chat(#"{"role":"assistant","content":"x"}"#))
    for mode in ModelMode.allCases {
      let error = await failure(
        ScriptedModel(turns: [.text("x")]), ask(.responses, mode, messages: [.user("a"), .assistant(chat.assistant)]))
      #expect(error?.code == .invalidRequest)
    }
  }

  @Test("messages survive the log")
  func messageJSON() throws {
    let messages: [ModelMessage] = [
      .user("a"), .assistant(["role": "assistant", "x": [1, 2.50]]),
      .toolResults([ModelToolResult(callID: "i", name: "n", content: "c", isError: true)]),
    ]
    for message in messages { #expect(ModelMessage(json: try JSON.parse(message.json.text())) == message) }
    #expect(ModelMessage(json: ["user": 1]) == nil)
    #expect(ModelMessage(json: ["user": "a", "assistant": "b"]) == nil)
    #expect(ModelMessage(json: ["results": [["id": "x"]]]) == nil)
  }

  @Test("structured mode offers a choice over the tools, in text and schema")
  func structured() async throws {
    let body = try await sent(ask(.chat, .structured))
    #expect(body["tools"] == nil)
    let format = try #require(body["response_format"])
    #expect(format["type"] == "json_schema")
    let schema = try #require(format["json_schema"]?["schema"])
    let choices = try #require(schema["properties"]?["action"]?["anyOf"]?.arrayValue)
    #expect(choices.map { $0["properties"]?["tool"]?["enum"] } == [["crm.lookup"], ["complete_step"]])
    let system = try #require(body["messages"]?.arrayValue?.first?["content"]?.stringValue)
    #expect(system.contains("- crm.lookup: looks a vendor up") && system.contains("\"minLength\":1"))
    let responses = try await sent(ask(.responses, .structured))
    #expect(responses["text"]?["format"]?["schema"] == schema)
  }

  @Test("without a choice to make nothing is structured", arguments: ModelAPI.allCases)
  func noChoice(api: ModelAPI) async throws {
    var request = ask(api, .structured)
    request.toolChoice = .none
    request.options = api == .responses ? ["text": ["verbosity": "low"]] : [:]
    let body = try await sent(request)
    #expect(body["response_format"] == nil && body["text"] == (api == .responses ? ["verbosity": "low"] : nil))
    #expect((body["messages"]?.arrayValue?.first?["content"] ?? body["instructions"]) == "You classify vendors.")
    let reply = try await ScriptedModel(turns: [.text("plain")]).respond(to: request, within: .seconds(1))
    #expect(reply.text == "plain" && reply.warnings.isEmpty)
  }

  @Test("in structured mode results and texts of our side become one user message")
  func structuredConversation() async throws {
    let model = ScriptedModel { _ in .call("crm.lookup", ["vendor": "x"]) }
    let reply = try await model.respond(to: ask(.chat, .structured), within: .seconds(1))
    let id = try #require(reply.toolCalls.first?.id)
    let result = ModelToolResult(callID: id, name: "crm.lookup", content: "nothing found", isError: true)
    let body = try await sent(
      ask(.chat, .structured, messages: [.user("a"), .assistant(reply.assistant), .toolResults([result]), .user("go on")]))
    let messages = try #require(body["messages"]?.arrayValue)
    #expect(messages.map { $0["role"] } == ["system", "user", "assistant", "user"])
    #expect(messages.last?["content"] == "Error of `crm.lookup`:\nnothing found\n\ngo on")
  }

  @Test(
    "T19 structured text that does not follow the schema is no call",
    arguments: [
      "", "prose", "{}", "{\"action\":{}}", "{\"action\":{\"tool\":\"complete_step\"}}", "{\"action\":{\"tool\":1,\"arguments\":{}}}", "[]",
      "{\"reason\":\"x\",\"action\":{\"tool\":\"complete_step\",\"arguments\":{\"a\":1,\"a\":2}}}",
      "{\"reason\":\"x\",\"action\":{\"tool\":\"comp",
    ])
  func notStructured(text: String) async throws {
    let reply = try await read(
      chat("{\"role\":\"assistant\",\"content\":\(JSON.string(text).text())}", finish: "length"), ask(.chat, .structured))
    #expect(reply.toolCalls.isEmpty)
    #expect(reply.warnings.map(\.code) == [.notStructured])
    #expect(reply.text == text)
  }

  @Test("T19 structured choices of other tools and native calls are not executable")
  func structuredOther() async throws {
    let text = JSON.string(#"{"reason":"r","action":{"tool":"crm__lookup","arguments":{}}}"#).text()
    let other = try await read(chat("{\"role\":\"assistant\",\"content\":\(text)}"), ask(.chat, .structured))
    #expect(other.toolCalls.first?.isOffered == false)
    let native = try await read(chat(calls(call("a", "complete_step", "{}"))), ask(.chat, .structured))
    #expect(native.toolCalls.isEmpty)
    #expect(native.warnings.map(\.code) == [.unexpectedToolCalls, .notStructured])
    #expect(native.assistant["tool_calls"] == nil && native.assistant["content"] == "")
  }
}
