import Core
import Evals
import Foundation
import PolicyEngine
import TestSupport
import Testing

/// A little shop: another domain than the one that ships, described by data alone.
@Suite struct ReplayTests {
  static let facts = """
    {
      recording: { catalogue: "tools.jsonl" },
      entities: {
        order: { store: { file: "shop.json", path: ["orders"] }, from: [{ tools: ["get_order", "change_order"], key: "output.id" }],
          changes: [
            { tools: ["drop"], key: "args.order", at: ["items"], remove: "args.items.filter(i, i in record.items)" },
            { tools: ["add"], key: "args.order", at: ["items"], append: "[output.item]" },
          ] },
        item: { store: { file: "shop.json", path: ["stock", "items"] } },
        note: { from: [{ tools: ["get_note"], key: "args.number" }] },
      },
      facts: [
        { name: "order", entity: "order", key: "args.order", tools: ["change_order", "nested"] },
        { name: "items", entity: "item", keys: "[facts.order.items, args.more]", tools: ["change_order"] },
        { name: "note", entity: "note", key: "7", tools: ["change_order"] },
      ],
    }
    """
  static let shop = """
    {"orders": {"o1": {"id": "o1", "state": "open", "items": ["a", "b"]}, "o2": {"id": "o2", "state": "sent", "items": []}},
     "stock": {"items": {"a": {"left": 1}, "b": {"left": 2}, "c": {"left": 3}}}}
    """
  static let tools = """
    {"name": "get_order", "description": "", "parameters": {"type": "object"}, "kind": "read"}
    {"name": "drop", "description": "", "parameters": {"type": "object"}, "kind": "read"}
    {"name": "add", "description": "", "parameters": {"type": "object"}, "kind": "read"}
    {"name": "get_note", "description": "", "parameters": {"type": "object"}, "kind": "read"}
    {"name": "change_order", "description": "", "kind": "write", "parameters": {"type": "object", "required": ["order"], "properties": \
    {"order": {"type": "string"}, "more": {"type": "array"}, "amount": {"type": "number"}}, "additionalProperties": false}}
    """
  static let rules = """
    { policy: "shop", now: "2026-01-01T10:00:00Z", rules: [
      { id: "look", permit: ["get_order", "get_note", "drop", "add"] },
      { id: "change", permit: "change_order" },
      { id: "open-only", forbid: "change_order", when: "facts.order.state != 'open'" },
      { id: "in-stock", hold: "change_order", when: "facts.items.exists(i, facts.items[i].left < 2)", approval: { roles: ["stock"] } },
      { id: "noted", forbid: "change_order", when: "has(facts.note) && facts.note.text == 'stop'" },
    ] }
    """

  static func replay(_ folder: String, rules: String = rules) throws -> Replay {
    for (name, text) in [("facts.json5", facts), ("shop.json", shop), ("tools.jsonl", tools), ("rules.json5", rules)] {
      try RecordingTests.write(text, to: "\(folder)/\(name)")
    }
    let policy = try PolicyFolder(path: folder)
    let catalogue = try ToolCatalogue(path: "\(folder)/tools.jsonl")
    let description = try #require(policy.facts)
    return Replay(
      rules: try policy.rules(catalogue: catalogue), catalogue: catalogue,
      facts: (description, try SystemOfRecord(description, folder: folder)))
  }

  static func call(_ tool: String, _ arguments: JSONObject, run: String = "r", output: JSON? = nil, ran: Bool = true) throws
    -> RecordedProposal
  {
    let principal = try #require(Request.Principal(id: "agent:test"))
    var proposal = RecordedProposal(run: run, index: 0, principal: principal, tool: tool, arguments: .parsed(arguments))
    proposal.output = output
    proposal.wasExecuted = ran
    return proposal
  }

  @Test func factsComeFromTheStoreAndThenFromWhatToolsAnswered() throws {
    try withTemporaryDirectory { folder in
      let replay = try Self.replay(folder)
      let change = try Self.call("change_order", ["order": "o1", "more": ["c"]])
      let reduced = try Self.call("get_order", ["order": "o1"], output: ["id": "o1", "state": "open", "items": ["b"]])
      let failed = try Self.call(
        "change_order", ["order": "o1", "more": []], output: ["id": "o1", "state": "sent", "items": []], ran: false)
      let sent = try Self.call("change_order", ["order": "o1", "more": ["c"]], output: ["id": "o1", "state": "sent", "items": ["b"]])
      let elsewhere = try Self.call("change_order", ["order": "o1", "more": ["c"]], run: "other")
      let verdicts = replay.verdicts(on: [change, reduced, failed, sent, change, elsewhere])
      #expect(verdicts.map(\.outcome) == [.hold, .permit, .permit, .permit, .forbid, .hold])
      #expect(verdicts[4].deciding.map(\.rule) == ["open-only"])
      #expect(verdicts[0].missingFacts == ["note"])
    }
  }

  @Test func aCallCanChangeARecordThatItDoesNotAnswerWith() throws {
    try withTemporaryDirectory { folder in
      let replay = try Self.replay(folder)
      let change = try Self.call("change_order", ["order": "o1", "more": []])
      let drop = try Self.call("drop", ["order": "o1", "items": ["a", "z"]], output: "done")
      let failed = try Self.call("add", ["order": "o1"], output: ["item": "a"], ran: false)
      let add = try Self.call("add", ["order": "o1"], output: ["item": "a"])
      let nowhere = try Self.call("add", ["order": "none"], output: ["item": "a"])
      let verdicts = replay.verdicts(on: [change, drop, change, failed, nowhere, change, add, change])
      #expect([0, 2, 5, 7].map { verdicts[$0].outcome } == [.hold, .permit, .permit, .hold])
    }
  }

  @Test func aRecordCanBeKnownByWhatAToolAnsweredAlone() throws {
    try withTemporaryDirectory { folder in
      let replay = try Self.replay(folder)
      let note = try Self.call("get_note", ["number": 7], output: ["text": "stop"])
      let change = try Self.call("change_order", ["order": "o1", "more": []])
      #expect(replay.verdicts(on: [note, change])[1].deciding.map(\.rule) == ["noted"])
      #expect(replay.verdicts(on: [change])[0].deciding.map(\.rule) == ["in-stock"])
    }
  }

  @Test func aFactThatCannotBeFoundHolds() throws {
    let rules = Self.rules.replacing("rules: [", with: "missing: { approval: { roles: [\"clerk\"] } }, rules: [")
    try withTemporaryDirectory { folder in
      let replay = try Self.replay(folder, rules: rules)
      let verdict = replay.verdicts(on: [try Self.call("change_order", ["order": "none", "more": []])])[0]
      #expect(verdict.outcome == .hold && verdict.deciding.map(\.basis) == [.missingFact, .missingFact])
      #expect(verdict.explanation.contains("`facts.order.state` is missing"))
    }
  }

  @Test func withoutSayingWhoDecidesAFactThatCannotBeFoundForbids() throws {
    try withTemporaryDirectory { folder in
      let verdict = try Self.replay(folder).verdicts(on: [Self.call("change_order", ["order": "none", "more": []])])[0]
      #expect(verdict.outcome == .forbid)
      #expect(verdict.missingFacts == ["order", "items", "note"])
      #expect(verdict.errors.map(\.rule) == ["open-only", "in-stock"])
    }
  }

  @Test func theGateRefusesBeforeTheRulesAreAsked() throws {
    try withTemporaryDirectory { folder in
      let replay = try Self.replay(folder)
      var malformed = try Self.call("change_order", [:])
      malformed.arguments = .malformed("the arguments are not JSON")
      let large = try #require(JSONNumber(decimal: "9007199254740993"))
      let calls = [
        try Self.call("chnge_order", ["order": "o1"]), malformed, try Self.call("change_order", ["order": 1]),
        try Self.call("change_order", ["order": "o1", "extra": true]),
        try Self.call("change_order", ["order": "o1", "amount": .number(large)]),
      ]
      let verdicts = replay.verdicts(on: calls)
      #expect(verdicts.map(\.refusal) == [.unknownTool, .malformedArguments, .schema, .schema, .notRepresentable])
      #expect(verdicts.allSatisfy { $0.outcome == .forbid && $0.deciding.isEmpty })
      #expect(verdicts[0].explanation == "there is no tool `chnge_order`; did you mean `change_order`?")
      #expect(verdicts[4].explanation.contains("send it as a string"))
      #expect(verdicts[4].json["refused_as"] == "not-representable")
    }
  }

  @Test func factsOfTheRecordingGoBeforeThoseThatAreFound() throws {
    try withTemporaryDirectory { folder in
      var call = try Self.call("change_order", ["order": "o1", "more": []])
      call.facts = ["order": ["state": "open"], "items": [:]]
      call.recordedOutcome = .hold
      let verdict = try Self.replay(folder).verdicts(on: [call])[0]
      #expect(verdict.outcome == .permit)
      #expect(verdict.json["recorded"] == "hold")
    }
  }

  struct Bad: Sendable {
    var from: String
    var to: String
    var line: Int
    var words: String
  }

  static let bad = [
    Bad(from: "tools.jsonl", to: "../tools.jsonl", line: 2, words: "is no name of a file beside the recording"),
    Bad(from: "store: { file", to: "stre: { file", line: 4, words: "unknown key `stre`\nhint: did you mean `store`?"),
    Bad(from: "entity: \"item\"", to: "entity: \"itm\"", line: 14, words: "unknown entity `itm`\nhint: did you mean `item`?"),
    Bad(from: "\"args.order\"", to: "\"arg.order\"", line: 13, words: "arg"),
    Bad(from: "key: \"7\"", to: "key: \"7\", keys: \"[7]\"", line: 15, words: "either `key`, for one record, or `keys`"),
    Bad(from: "recording:", to: "recordings:", line: 1, words: "`recording` is missing"),
    Bad(from: "key: \"output.id\"", to: "key: \"output.\"", line: 4, words: "expected a field or function name"),
    Bad(from: "{ from: [{ tools: [\"get_note\"], key: \"args.number\" }] }", to: "{}", line: 10, words: "needs `store` or `from`"),
    Bad(from: "facts: [", to: "facts: 1, more: [", line: 12, words: "`facts` is a list"),
  ]

  @Test(arguments: bad)
  func problemsOfADescriptionAreReportedWhereTheyAre(_ test: Bad) throws {
    let text = Self.facts.replacing(test.from, with: test.to)
    #expect(text != Self.facts)
    do {
      _ = try FactDescription.load(Array(text.utf8), file: "facts.json5")
      Issue.record("expected an error")
    } catch {
      #expect(error.all.contains { $0.position?.line == test.line && "\($0)".contains(test.words) }, "\(error)")
    }
  }

  @Test func aStoreThatDoesNotFitIsReported() throws {
    try withTemporaryDirectory { folder in
      _ = try Self.replay(folder)
      let description = try #require(try PolicyFolder(path: folder).facts)
      for (text, words) in [("{", "shop.json"), ("{}", "has no `orders`"), ("{\"orders\": []}", "are no object by key")] {
        try RecordingTests.write(text, to: "\(folder)/shop.json")
        do {
          _ = try SystemOfRecord(description, folder: folder)
          Issue.record("expected an error")
        } catch { #expect("\(error)".contains(words), "\(error)") }
      }
    }
  }

  @Test func aRunThatIsThereTwiceIsRefused() throws {
    try withTemporaryDirectory { folder in
      _ = try Self.replay(folder)
      try RecordingTests.write("{\"id\": \"a\", \"proposals\": []}\n{\"id\": \"a\", \"proposals\": []}", to: "\(folder)/runs.jsonl")
      do {
        _ = try RecordedReplay.run(recording: "\(folder)/runs.jsonl", rules: PolicyFolder(path: folder))
        Issue.record("expected an error")
      } catch { #expect("\(error)" == "\(folder)/runs.jsonl:2:1: the run `a` is there twice") }
    }
  }

  @Test func hostileTextIsShownAndNotObeyed() throws {
    try withTemporaryDirectory { folder in
      let replay = try Self.replay(folder)
      var call = try Self.call("\u{1B}[2J\u{202E}", [:], run: "\u{7}\r")
      call.label = RecordedProposal.Label(strength: "strong", violations: ["\u{1B}]0;x\u{7}"])
      let report = ReplayReport(policy: "\u{1B}", verdicts: replay.verdicts(on: [call]))
      let other = ReplayReport(policy: "p", verdicts: [])
      let comparison = ReplayComparison(before: report, after: other)
      for text in [report.text(), comparison.text()] {
        #expect(!text.unicodeScalars.contains { ($0.value < 0x20 && $0 != "\n") || $0.properties.generalCategory == .format })
      }
      #expect(comparison.unmatched == 1)
    }
  }
}
