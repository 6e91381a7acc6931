import Core
import LLM
import Testing

@Suite("recordings") struct RecordedModelTests {
  private func record() async throws -> (requests: [ModelRequest], replies: [ModelReply], turns: [RecordedTurn]) {
    let model = RecordingModel(
      ScriptedModel { request in
        request.messages.count > 1
          ? .text("done") : .calls([.init("complete_step", ["risk": "low"]), .init("crm.lookup", rawArguments: "{", id: "z")])
      })
    var replies: [ModelReply] = []
    var requests = [ask(), ask(.responses), ask(.chat, messages: [.user("a"), .user("b")]), ask()]
    requests[3].options = ["seed": 1]
    for request in requests { replies.append(try await model.respond(to: request, within: .seconds(1))) }
    return (requests, replies, model.turns)
  }

  @Test(
    "a recording gives the same replies again, also after it was written and read", arguments: [RecordedModel.Matching.sequence, .digest])
  func exact(matching: RecordedModel.Matching) async throws {
    let (requests, replies, turns) = try await record()
    let text = turns.map { $0.json.text() + "\n" }.joined()
    let model = RecordedModel(try RecordedTurn.parse(Array(text.utf8)), matching: matching)
    for (request, reply) in zip(requests, replies) {
      let again = try await model.respond(to: request, within: .seconds(1))
      #expect(again == reply)
      #expect(again.isScripted)
    }
  }

  @Test("in sequence every other request is an error that says what was expected")
  func sequence() async throws {
    let (requests, _, turns) = try await record()
    let model = RecordedModel(turns)
    let early = try #require(await failure(model, requests[1]))
    #expect(early.code == .notRecorded && early.message.contains("turn 1") && early.message.contains("recorded as turn 2"))
    var other = requests[0]
    other.system += "!"
    #expect(await failure(model, other)?.message.contains("not recorded at all") == true)
    for request in requests { #expect(await failure(model, request) == nil) }
    #expect(await failure(model, requests[0])?.message.contains("ends after 4 turns") == true)
  }

  @Test("by digest the order does not matter, and each reply is given once")
  func byDigest() async throws {
    let (requests, replies, turns) = try await record()
    let model = RecordedModel(turns, matching: .digest)
    for index in [2, 0, 3, 1] {
      #expect(try await model.respond(to: requests[index], within: .seconds(1)) == replies[index])
    }
    #expect(await failure(model, requests[0])?.message.contains("once more") == true)
    #expect(await failure(model, ask(messages: [.user("new")]))?.code == .notRecorded)
  }

  @Test("a file that is no recording is named by line", arguments: ["{", "{}", "{\"request\":\"zz\"}", "[]"])
  func badFile(line: String) async throws {
    let (_, _, turns) = try await record()
    let text = turns[0].json.text() + "\n\n" + line + "\n"
    let error = try #require(throws: Diagnostics.self) { try RecordedTurn.parse(Array(text.utf8), file: "r.jsonl") }
    #expect(error.description.hasPrefix("r.jsonl:3:1"))
  }
}
