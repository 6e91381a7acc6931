import Core
import Foundation
import HTTP
import LLM
import Testing

private let live = ProcessInfo.processInfo.environment["REMIT_LIVE_ENDPOINT"]
private let turns = ProcessInfo.processInfo.environment["REMIT_LIVE_TURNS"].flatMap { Int($0) } ?? 20

/// Against a real server, whatever model it has: `REMIT_LIVE_ENDPOINT=http://127.0.0.1:18080/v1 swift test --filter LiveEndpointTests`,
/// with `REMIT_LIVE_TURNS` turns (20).
///
/// Nothing here depends on what the model says, only on its form.
@Suite("live endpoint", .enabled(if: live != nil, "REMIT_LIVE_ENDPOINT names no server"), .serialized)
struct LiveEndpointTests {
  static let tools = [
    ModelTool(
      name: "complete_step", description: "completes the step with a risk class",
      parameters: [
        "type": "object",
        "properties": ["risk": ["enum": ["low", "medium", "high"]], "comment": ["type": "string", "minLength": 3, "maxLength": 120]],
        "required": ["risk", "comment"], "additionalProperties": false,
      ]),
    ModelTool(
      name: "crm.lookup", description: "looks up what is known of a vendor",
      parameters: [
        "type": "object", "properties": ["vendor": ["type": "string", "maxLength": 60]], "required": ["vendor"],
        "additionalProperties": false,
      ]),
    ModelTool(
      name: "ask_human", description: "asks a person when something is unclear",
      parameters: [
        "type": "object", "properties": ["question": ["type": "string", "maxLength": 200], "to": ["$ref": "#/$defs/role"]],
        "required": ["question"],
        "$defs": ["role": ["enum": ["procurement", "compliance"]]],
      ]),
  ]

  private func model() throws -> EndpointModel {
    var endpoint = ModelEndpoint(baseURL: live ?? "")
    endpoint.limits.timeout = .seconds(900)
    return EndpointModel(endpoint, client: HTTPClient())
  }

  private func request(_ mode: ModelMode, _ vendor: Int) -> ModelRequest {
    ModelRequest(
      model: "default", system: "You classify the risk of vendors. Decide with a tool.",
      messages: [
        .user("Vendor \(vendor): Acme \(vendor) GmbH, amount \(vendor * 700) EUR, country \(vendor % 3 == 0 ? "unknown" : "DE").")
      ],
      tools: Self.tools, mode: mode, maximumOutputTokens: 120)
  }

  @Test("structured mode: every reply is one offered call with a JSON object, and the conversation goes on")
  func structured() async throws {
    let model = try model()
    var chosen: [String: Int] = [:]
    for vendor in 1...turns {
      var request = request(.structured, vendor)
      let reply = try await model.respond(to: request, within: .seconds(900))
      #expect(reply.exchange.httpStatus == 200 && !reply.isScripted)
      guard let call = reply.toolCalls.first else {
        #expect(reply.finish == .length, "only a cut text is no call: \(reply.text)")
        chosen["(cut)", default: 0] += 1
        continue
      }
      chosen[call.name, default: 0] += 1
      #expect(reply.toolCalls.count == 1 && call.isOffered)
      let arguments = try call.arguments.get()
      if call.name == "complete_step" { #expect(["low", "medium", "high"].contains(arguments["risk"]?.stringValue ?? "")) }
      if vendor == 1 {
        print("live: \(reply.exchange.latency), usage \(String(describing: reply.usage)), said \(reply.text)")
        request.messages += [
          .assistant(reply.assistant),
          .toolResults([.init(callID: call.id, name: call.name, content: "refused: say why in the comment", isError: true)]),
        ]
        let second = try await model.respond(to: request, within: .seconds(900))
        print("live: after a refusal \(second.text)")
      }
    }
    print("live: chosen \(chosen.sorted { $0.key < $1.key })")
  }

  @Test("native tools on a server that may lack them: calls or text, never a failure")
  func native() async throws {
    let reply = try await model().respond(to: request(.tools, 1), within: .seconds(900))
    print("live: native calls \(reply.toolCalls.map(\.name)), text \(reply.text.prefix(200)), warnings \(reply.warnings)")
    for call in reply.toolCalls where call.isOffered { #expect(Self.tools.contains { $0.name == call.name }) }
  }

  @Test("cancelling a turn that the model is working on ends it within a second")
  func cancellation() async throws {
    let model = try model()
    let request = request(.structured, 2)
    let task = Task { await failure(model, request, within: .seconds(900)) }
    try await Task.sleep(for: .milliseconds(150))
    let began = ContinuousClock.now
    task.cancel()
    let error = await task.value
    #expect(error == nil || error?.code == .cancelled)
    #expect(ContinuousClock.now - began < .seconds(1))
  }
}
