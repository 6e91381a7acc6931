import Core
import LLM
import Testing

@Suite("scripted model") struct ScriptedModelTests {
  static let tools = [
    ModelTool(
      name: "complete_step", description: "completes the step",
      parameters: ["type": "object", "properties": ["risk": ["type": "string"]], "required": ["risk"], "additionalProperties": false]),
    ModelTool(name: "erp.activate_vendor", description: "activates", parameters: ["type": "object"]),
  ]

  @Test("every wire format and mode gives the same call", arguments: ModelAPI.allCases, ModelMode.allCases)
  func sameCall(api: ModelAPI, mode: ModelMode) async throws {
    let model = ScriptedModel { _ in .call("erp.activate_vendor", ["vendor": "Acme", "amount": 12.5], reason: "low risk") }
    let request = ModelRequest(model: "m", system: "s", messages: [.user("go")], tools: Self.tools, mode: mode, api: api)
    let reply = try await model.respond(to: request, within: .seconds(1))
    #expect(reply.isScripted)
    let call = try #require(reply.toolCalls.first)
    #expect(reply.toolCalls.count == 1)
    #expect(call.name == "erp.activate_vendor")
    #expect(call.isOffered)
    #expect(try call.arguments.get() == ["vendor": "Acme", "amount": 12.5])
    #expect(mode == .structured ? call.reason == "low risk" : reply.text == "low risk")
    #expect(call.id.utf8.count == 9)
    #expect(reply.warnings.map(\.code) == (mode == .structured ? [] : [.mintedIDs]))

    // The reply and its result make a conversation that can be sent again.
    var next = request
    next.messages += [
      .assistant(reply.assistant), .toolResults([ModelToolResult(callID: call.id, name: call.name, content: "refused", isError: true)]),
    ]
    _ = try await model.respond(to: next, within: .seconds(1))
  }

  @Test("turns are said in order, and then no more")
  func turns() async throws {
    let model = ScriptedModel(turns: [.text("one"), .refusal("no")])
    let request = ModelRequest(model: "m", messages: [.user("go")], tools: Self.tools)
    #expect(try await model.respond(to: request, within: .seconds(1)).text == "one")
    #expect(try await model.respond(to: request, within: .seconds(1)).refusal == "no")
    await #expect { try await model.respond(to: request, within: .seconds(1)) } throws: { ($0 as? ModelError)?.code == .notScripted }
  }

  @Test("the same request has the same digest and the same reply")
  func deterministic() async throws {
    let model = ScriptedModel { _ in .call("complete_step", ["risk": "low"]) }
    let request = ModelRequest(model: "m", messages: [.user("go")], tools: Self.tools)
    let (first, second) = (
      try await model.respond(to: request, within: .seconds(1)), try await model.respond(to: request, within: .seconds(1))
    )
    #expect(first == second)
    #expect(request.digest == ModelRequest(model: "m", messages: [.user("go")], tools: Self.tools).digest)
    #expect(request.digest != ModelRequest(model: "m", messages: [.user("stop")], tools: Self.tools).digest)
  }
}
