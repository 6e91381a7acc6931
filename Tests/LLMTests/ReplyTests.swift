import Core
import LLM
import Testing

@Suite("replies") struct ReplyTests {
  @Test("a call of the chat format, with usage and the model's own message kept")
  func chatCall() async throws {
    let message = """
      {"role":"assistant","content":null,"refusal":null,"annotations":[],"reasoning_content":"hm","tool_calls":[{"id":"call_1","type":\
      "function","function":{"name":"crm__lookup","arguments":"{\\"vendor\\":\\"Acme\\"}"},"extra_content":{"google":{"thought_signature":"s"}}}]}
      """
    let reply = try await read(chat(message, finish: "tool_calls"))
    let call = try #require(reply.toolCalls.first)
    #expect(
      call
        == ModelToolCall(id: "call_1", name: "crm.lookup", arguments: .success(["vendor": "Acme"]), rawArguments: "{\"vendor\":\"Acme\"}"))
    #expect(reply.finish == .toolCalls && reply.model == "m-1" && reply.text.isEmpty && reply.warnings.isEmpty)
    #expect(reply.usage == ModelUsage(inputTokens: 10, outputTokens: 5, cachedInputTokens: 4, reasoningTokens: 2))
    #expect(reply.assistant.text() == (try JSON.parse(message)).text(), "unknown members go back unchanged, in their order")

    let next = try await sent(
      ask(messages: [
        .user("go"), .assistant(reply.assistant), .toolResults([.init(callID: "call_1", name: "crm.lookup", content: "found")]),
      ]))
    let messages = try #require(next["messages"]?.arrayValue)
    #expect(messages.count == 4)
    #expect(messages[2] == reply.assistant)
    #expect(messages[3] == ["role": "tool", "tool_call_id": "call_1", "content": "found"])
  }

  @Test("a call of the responses format, reasoning sent back with it")
  func responsesCall() async throws {
    let output = """
      [{"id":"rs_1","type":"reasoning","summary":[],"encrypted_content":"gAAA"},{"id":"m_1","type":"message","status":"completed","role":\
      "assistant","content":[{"type":"output_text","annotations":[],"text":"I look it up."}]},{"id":"fc_1","type":"function_call","status":\
      "completed","arguments":"{\\"vendor\\":\\"Acme\\"}","call_id":"call_9","name":"crm__lookup"}]
      """
    let body = """
      {"id":"r","object":"response","status":"completed","error":null,"incomplete_details":null,"model":"m-2","output":\(output),"usage":\
      {"input_tokens":7,"input_tokens_details":{"cached_tokens":1},"output_tokens":3,"output_tokens_details":{"reasoning_tokens":2},"total_tokens":10}}
      """
    let reply = try await read(body, ask(.responses))
    #expect(reply.toolCalls.map(\.id) == ["call_9"])
    #expect(reply.toolCalls.first?.name == "crm.lookup")
    #expect(reply.text == "I look it up.")
    #expect(reply.usage == ModelUsage(inputTokens: 7, outputTokens: 3, cachedInputTokens: 1, reasoningTokens: 2))
    let next = try await sent(
      ask(
        .responses,
        messages: [
          .user("go"), .assistant(reply.assistant),
          .toolResults([.init(callID: "call_9", name: "crm.lookup", content: "no", isError: true)]),
        ]))
    let input = try #require(next["input"]?.arrayValue)
    #expect(input.count == 5)
    #expect(JSON.array(Array(input[1...3])) == (try JSON.parse(output)))
    #expect(input[4] == ["type": "function_call_output", "call_id": "call_9", "output": "error: no"])
    #expect(next["store"] == false)
    #expect(next["include"] == ["reasoning.encrypted_content"])
  }

  struct Dialect: Sendable, CustomTestStringConvertible {
    let name: String
    let body: String
    var api = ModelAPI.chat
    var check: @Sendable (ModelReply) -> Bool
    var testDescription: String { name }
  }

  static let dialects = [
    Dialect(name: "Ollama: reasoning beside the content", body: chat(#"{"role":"assistant","content":"ok","reasoning":"hm"}"#)) {
      $0.text == "ok" && $0.assistant["reasoning"] == "hm"
    },
    Dialect(
      name: "vLLM: empty list of calls announced as calls",
      body: chat(#"{"role":"assistant","content":"hi","tool_calls":[]}"#, finish: "tool_calls")
    ) {
      $0.toolCalls.isEmpty && $0.warnings.map(\.code) == [.toolCallsMissing] && $0.assistant["tool_calls"] == nil
    },
    Dialect(name: "vLLM: a call with the reason stop", body: chat(calls(call("functions.f:0", "complete_step", "{}")))) {
      $0.toolCalls.map(\.id) == ["functions.f:0"] && $0.finish == .stop
    },
    Dialect(
      name: "Gemini: empty ids", body: chat(calls(call("", "complete_step", "{}") + "," + call("", "complete_step", "{\"risk\":\"low\"}")))
    ) { reply in
      let ids = reply.toolCalls.map(\.id)
      let replayed = reply.assistant["tool_calls"]?.arrayValue?.compactMap { $0["id"]?.stringValue }
      return Set(ids).count == 2 && ids.allSatisfy { $0.utf8.count == 9 } && replayed == ids && reply.warnings.map(\.code) == [.mintedIDs]
    },
    Dialect(name: "a missing id", body: chat(calls(#"{"type":"function","function":{"name":"complete_step","arguments":"{}"}}"#))) {
      $0.toolCalls.first?.id.utf8.count == 9
    },
    Dialect(
      name: "arguments as an object", body: chat(calls(#"{"id":"a","function":{"name":"complete_step","arguments":{"risk":"low"}}}"#))
    ) {
      (try? $0.toolCalls.first?.arguments.get()) == ["risk": "low"]
        && $0.assistant["tool_calls"]?.arrayValue?.first?["function"]?["arguments"] == "{\"risk\":\"low\"}"
    },
    Dialect(name: "empty arguments", body: chat(calls(call("a", "complete_step", "")))) {
      (try? $0.toolCalls.first?.arguments.get()) == [:]
    },
    Dialect(name: "no arguments", body: chat(calls(#"{"id":"a","type":"function","function":{"name":"complete_step"}}"#))) {
      (try? $0.toolCalls.first?.arguments.get()) == [:]
    },
    Dialect(
      name: "content in parts", body: chat(#"{"role":"assistant","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}"#)
    ) { $0.text == "ab" },
    Dialect(name: "no content at all", body: chat(#"{"role":"assistant"}"#)) { $0.text.isEmpty && $0.assistant["content"] == "" },
    Dialect(name: "no role", body: chat(#"{"content":"x"}"#)) { $0.assistant["role"] == "assistant" },
    Dialect(name: "refusal", body: chat(#"{"role":"assistant","content":null,"refusal":"I cannot"}"#)) { $0.refusal == "I cannot" },
    Dialect(name: "LiteLLM: extras", body: chat(#"{"role":"assistant","content":"x","provider_specific_fields":{"a":1}}"#)) {
      $0.assistant["provider_specific_fields"] == ["a": 1]
    },
    Dialect(
      name: "Azure: filter results",
      body: chat(#"{"role":"assistant","content":"x"}"#, finish: "content_filter", more: #","prompt_filter_results":[]"#)
    ) {
      $0.finish == .contentFilter
    },
    Dialect(name: "no usage", body: #"{"choices":[{"message":{"content":"x"}}]}"#) { $0.usage == nil && $0.finish == .other },
    Dialect(name: "usage null", body: #"{"choices":[{"message":{"content":"x"}}],"usage":null}"#) { $0.usage == nil },
    Dialect(
      name: "usage beyond any model",
      body: #"{"choices":[{"message":{"content":"x"}}],"usage":{"prompt_tokens":9223372036854775807,"completion_tokens":1}}"#
    ) { $0.usage == nil },
    Dialect(
      name: "negative usage", body: #"{"choices":[{"message":{"content":"x"}}],"usage":{"prompt_tokens":10,"completion_tokens":-1}}"#
    ) { $0.usage == nil },
    Dialect(name: "the tool's own name instead of the one on the wire", body: chat(calls(call("a", "crm.lookup", "{}")))) {
      $0.toolCalls.first?.name == "crm.lookup" && $0.toolCalls.first?.isOffered == true
    },
    Dialect(
      name: "responses: refusal part",
      body: #"{"status":"completed","output":[{"type":"message","role":"assistant","content":[{"type":"refusal","refusal":"no"}]}]}"#,
      api: .responses
    ) { $0.refusal == "no" },
    Dialect(
      name: "responses: incomplete call",
      body: """
        {"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"output":[{"type":"function_call","call_id":"a","name":\
        "complete_step","arguments":"{\\"risk\\":","status":"incomplete"}]}
        """, api: .responses
    ) { reply in
      guard case .failure(let flaw)? = reply.toolCalls.first?.arguments else { return false }
      return flaw.code == .truncated && reply.finish == .length
    },
  ]

  @Test("servers' dialects", arguments: dialects)
  func dialect(_ dialect: Dialect) async throws {
    let reply = try await read(dialect.body, ask(dialect.api))
    #expect(dialect.check(reply), "\(reply)")
  }

  struct Flawed: Sendable {
    let arguments: String
    let code: ModelToolCall.Flaw.Code
  }

  static let flawed = [
    Flawed(arguments: "{\"risk\":", code: .malformedArguments), Flawed(arguments: "{\"a\":1,\"a\":2}", code: .malformedArguments),
    Flawed(arguments: "{\"a\":\"\\ud800\"}", code: .malformedArguments), Flawed(arguments: "{\"a\":1e400}", code: .malformedArguments),
    Flawed(arguments: "{\"a\":NaN}", code: .malformedArguments), Flawed(arguments: "{'a':1}", code: .malformedArguments),
    Flawed(arguments: "{\"a\":1} trailing", code: .malformedArguments), Flawed(arguments: "\u{FEFF}{}", code: .malformedArguments),
    Flawed(arguments: String(repeating: "[", count: 200), code: .malformedArguments), Flawed(arguments: "[1]", code: .notAnObject),
    Flawed(arguments: "null", code: .notAnObject), Flawed(arguments: "\"{}\"", code: .notAnObject),
    Flawed(arguments: "{\"a\":\"\(String(repeating: "x", count: 300_000))\"}", code: .argumentsTooLarge),
  ]

  @Test("T19 arguments that are no strict JSON object make a call that cannot be executed, and is answered", arguments: flawed)
  func flaws(_ test: Flawed) async throws {
    let reply = try await read(chat(calls(call("a", "complete_step", test.arguments) + "," + call("b", "complete_step", "{}"))))
    #expect(reply.toolCalls.count == 2)
    guard case .failure(let flaw) = reply.toolCalls[0].arguments else {
      Issue.record("executable")
      return
    }
    #expect(flaw.code == test.code)
    #expect(flaw.message.utf8.count < 400)
    #expect((try? reply.toolCalls[1].arguments.get()) == [:], "the other call is untouched")
    #expect(reply.toolCalls[0].rawArguments.utf8.count <= 256 << 10)
    // What goes back to the endpoint can be parsed there.
    for item in reply.assistant["tool_calls"]?.arrayValue ?? [] {
      let text = try #require(item["function"]?["arguments"]?.stringValue)
      _ = try JSON.parse(text)
    }
  }

  @Test("T19 the same call id twice: the first is kept, the second answered as an error under an id of its own")
  func duplicateID() async throws {
    for api in ModelAPI.allCases {
      let body =
        api == .chat
        ? chat(calls(call("x", "complete_step", "{\"risk\":\"low\"}") + "," + call("x", "crm.lookup", "{}")))
        : """
        {"status":"completed","output":[{"type":"function_call","call_id":"x","name":"complete_step","arguments":"{\\"risk\\":\\"low\\"}"},\
        {"type":"function_call","call_id":"x","name":"crm__lookup","arguments":"{}"}]}
        """
      let reply = try await read(body, ask(api))
      #expect(reply.toolCalls.count == 2)
      #expect(reply.toolCalls[0].id == "x")
      #expect((try? reply.toolCalls[0].arguments.get()) == ["risk": "low"])
      let second = reply.toolCalls[1]
      #expect(second.id != "x" && second.id.utf8.count == 9)
      guard case .failure(let flaw) = second.arguments else {
        Issue.record("the second call is executable")
        continue
      }
      #expect(flaw.code == .duplicateID)
      let results = reply.toolCalls.map { ModelToolResult(callID: $0.id, name: $0.name, content: "x") }
      _ = try await sent(ask(api, messages: [.user("go"), .assistant(reply.assistant), .toolResults(results)]))
    }
  }

  @Test("T19 the same call twice is marked as a repetition, however its members are ordered")
  func repetition() async throws {
    let reply = try await read(
      chat(
        calls(
          [
            call("a", "complete_step", "{\"risk\":\"low\",\"n\":1}"), call("b", "complete_step", "{\"n\":1.0,\"risk\":\"low\"}"),
            call("c", "complete_step", "{\"n\":2,\"risk\":\"low\"}"),
          ].joined(separator: ","))))
    #expect(reply.toolCalls.map(\.repeats) == [nil, "a", nil])
  }

  @Test("T19 10,000 tool calls are refused as a whole", arguments: ModelAPI.allCases)
  func tooMany(api: ModelAPI) async throws {
    let one = api == .chat ? call("a", "complete_step", "{}") : #"{"type":"function_call","call_id":"a","name":"f","arguments":"{}"}"#
    let items = repeatElement(one, count: 10_000).joined(separator: ",")
    let body = api == .chat ? chat(calls(items)) : "{\"status\":\"completed\",\"output\":[\(items)]}"
    let error = await failure(ScriptedModel { _ in .body(Array(body.utf8)) }, ask(api))
    #expect(error?.code == .tooManyToolCalls)
    #expect(error?.message.contains("10000") == true && error?.message.contains("128") == true)
    #expect(error?.exchange?.responseBytes.count == body.utf8.count)
  }

  @Test("T19 a reply that ran out of tokens: the last call is not executed, even where the server repaired it")
  func truncated() async throws {
    let whole = try await read(
      chat(calls(call("a", "complete_step", "{}") + "," + call("b", "complete_step", "{\"risk\":\"low\"}")), finish: "length"))
    #expect((try? whole.toolCalls[0].arguments.get()) == [:])
    #expect((try? whole.toolCalls[1].arguments.get()) == nil)
    let empty = try await read(chat(calls(call("a", "complete_step", "")), finish: "length"))
    #expect((try? empty.toolCalls[0].arguments.get()) == nil)
  }

  @Test("T19 prose that looks like a call stays text, with a warning")
  func prose() async throws {
    for text in [
      "<tool_call>{\"name\":\"complete_step\",\"arguments\":{}}</tool_call>",
      "```json\n{\"name\": \"complete_step\", \"arguments\": {}}\n```",
      "{\"name\":\"crm__lookup\",\"parameters\":{\"vendor\":\"x\"}}", "[TOOL_CALLS] [..]", "<function=complete_step>{}</function>",
    ] {
      let reply = try await read(chat("{\"role\":\"assistant\",\"content\":\(JSON.string(text).text())}"))
      #expect(reply.toolCalls.isEmpty && reply.text == text)
      #expect(reply.warnings.map(\.code) == [.proseLooksLikeToolCall], "\(text)")
    }
    let plain = try await read(chat(#"{"role":"assistant","content":"I would call complete_step with {\"risk\"} < 3"}"#))
    #expect(plain.warnings.isEmpty)
  }

  @Test("T19 a call of a tool that is not on offer is marked, with its name bounded")
  func unknownTool() async throws {
    for name in [
      "erp.pay", "complete_Step", "complete_step ", "c\u{43E}mplete_step", "", String(repeating: "x", count: 5000),
      "functions.complete_step",
    ] {
      let reply = try await read(chat(calls(call("a", name, "{\"risk\":\"low\"}"))))
      let call = try #require(reply.toolCalls.first)
      #expect(!call.isOffered, "\(name)")
      #expect(call.name.utf8.count <= 256)
      #expect((try? call.arguments.get()) == ["risk": "low"], "the gate still sees what was asked")
    }
  }

  @Test("a custom call is no function call")
  func customCall() async throws {
    let reply = try await read(chat(calls(#"{"id":"a","type":"custom","custom":{"name":"complete_step","input":"rm -rf /"}}"#)))
    let call = try #require(reply.toolCalls.first)
    #expect(!call.isOffered)
    guard case .failure(let flaw) = call.arguments else {
      Issue.record("executable")
      return
    }
    #expect(flaw.code == .unsupportedKind)
  }

  @Test(
    "T19 items of tools that ran at the provider are refused",
    arguments: [
      "mcp_call", "mcp_approval_request", "web_search_call", "code_interpreter_call", "shell_call", "computer_call", "file_search_call",
      "custom_tool_call", "image_generation_call", "local_shell_call", "something_new",
    ])
  func hosted(kind: String) async throws {
    let body = "{\"status\":\"completed\",\"output\":[{\"type\":\"\(kind)\",\"id\":\"x\",\"name\":\"complete_step\",\"arguments\":\"{}\"}]}"
    let error = await failure(ScriptedModel { _ in .body(Array(body.utf8)) }, ask(.responses))
    #expect(error?.code == .hostedTool)
    #expect(error?.message.contains(kind) == true)
  }

  @Test("T19 a call that a program at the provider makes, and one in a namespace, are not ours")
  func provided() async throws {
    let called =
      #"{"status":"completed","output":[{"type":"function_call","call_id":"a","name":"complete_step","arguments":"{}","caller":{"type":"program"}}]}"#
    #expect(await failure(ScriptedModel { _ in .body(Array(called.utf8)) }, ask(.responses))?.code == .hostedTool)
    let spaced =
      #"{"status":"completed","output":[{"type":"function_call","call_id":"a","name":"complete_step","arguments":"{}","namespace":"other"}]}"#
    #expect(try await read(spaced, ask(.responses)).toolCalls.first?.isOffered == false)
  }

  @Test(
    "T19 bodies that are no reply",
    arguments: [
      "", "{", "null", "[]", "{}", "{\"choices\":[]}", "{\"choices\":null}", "{\"choices\":[{}]}", "{\"choices\":[{\"message\":\"x\"}]}",
      "{\"choices\":[{\"message\":{\"tool_calls\":{}}}]}", "{\"choices\":[{\"message\":{\"tool_calls\":[1]}}]}",
      "{\"choices\":[{\"message\":{\"tool_calls\":[{\"id\":\"a\"}]}}]}",
      "{\"choices\":[{\"message\":{\"content\":\"a\",\"content\":\"b\"}}]}",
      "data: {\"choices\":[]}\n\n", "<html>", "{\"choices\":[{\"message\":{\"content\":\"\\ud800\"}}]}",
    ])
  func malformed(body: String) async throws {
    for api in ModelAPI.allCases {
      let error = try #require(await failure(ScriptedModel { _ in .body(Array(body.utf8)) }, ask(api)))
      #expect(error.code == .malformedReply)
      #expect(error.exchange?.responseBytes == Array(body.utf8))
    }
  }

  @Test("T19 arguments that are no UTF-8 never become a call", arguments: [[0xFF], [0xC3, 0x28], [0xED, 0xA0, 0x80], [0xC0, 0xAF]])
  func notUTF8(bytes: [UInt8]) async throws {
    let body =
      #"{"choices":[{"message":{"tool_calls":[{"id":"a","type":"function","function":{"name":"complete_step","arguments":"{\"comment\":\"|\"}"}}]}}]}"#
    let parts = Array(body.utf8).split(separator: UInt8(ascii: "|"))
    let error = await failure(ScriptedModel { _ in .body(Array(parts[0]) + bytes + Array(parts[1])) })
    #expect(error?.code == .malformedReply)
    #expect(try await read(body).toolCalls.count == 1)
  }

  @Test("an error inside a successful answer is an error")
  func errorInside() async throws {
    let error = try #require(
      await failure(ScriptedModel { _ in .body(Array(#"{"error":{"message":"engine\u001b[31m dead","code":500}}"#.utf8)) }))
    #expect(error.code == .serverError && error.isTransient)
    #expect(error.message.contains("dead") && !error.message.contains("\u{1B}"))
  }
}
