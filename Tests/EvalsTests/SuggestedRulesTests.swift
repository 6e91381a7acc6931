import CEL
import Core
import PolicyEngine
import ProcessMining
import TestSupport
import Testing

/// A suggested change is taken up by the engine as it stands, and does what the suggestion says: no more and no less.
@Suite struct SuggestedRulesTests {
  static let environment = PolicyEnvironment(fields: [
    (name: "amount", type: .double), (name: "risk", type: .string), (name: "days", type: .int),
  ])

  static func request(_ tool: String, step: String?, _ features: [String: FeatureValue]) throws -> Request {
    let principal = try #require(Request.Principal(id: "agent:buyer"))
    var run = JSONObject()
    for (path, value) in features {
      let name = String(path.dropFirst("run.".count))
      switch value {
      case .integer(let number): run[name] = .int(number)
      case .number(let number): run[name] = JSONNumber(number).map(JSON.number)
      case .choice(let text): run[name] = .string(text)
      case .flag(let flag): run[name] = .bool(flag)
      }
    }
    return Request(
      principal: principal, tool: Request.Tool(name: tool, effect: .external), step: step.map { Request.Step(id: $0) }, run: run,
      now: Instant(milliseconds: 0))
  }

  static func load(_ rules: [JSONObject]) throws -> RuleSet {
    let file: JSON = ["policy": "p", "rules": .array(rules.map { .object($0) })]
    return try RuleSet.load(Array(file.text().utf8), file: "rules.json5", environment: environment)
  }

  static let held: [JSONObject] = [
    ["id": "r", "hold": "erp.pay", "when": "run.amount > 100.0", "approval": ["roles": ["finance"]]],
    ["id": "r", "hold": "erp.*", "by": "agent:*", "when": "run.amount > 100.0 || run.risk == 'high'", "approval": ["roles": ["finance"]]],
    ["id": "r", "hold": ["erp.pay", "erp.book"], "approval": ["roles": ["finance"]], "reason": "asked"],
    ["id": "r", "hold": "erp.pay", "step": "settle", "approval": ["roles": ["finance"]]],
  ]

  @Test(arguments: held)
  func theChangePermitsWhatWasCoveredAndHoldsTheRest(_ rule: JSONObject) throws {
    try withSeeds(10) { seed, random in
      let before = try Self.load([rule])
      let tools = ["erp.pay", "erp.book"]
      let steps: [String?] = rule["step"] == nil ? [nil, "settle", "check"] : ["settle"]
      var holds: [DecidedHold] = []
      var requests: [Request] = []
      let limit = Double.random(in: 100...900, using: &random)
      for number in 0..<120 {
        let features: [String: FeatureValue] = [
          "run.amount": .number(Double(Int.random(in: 1...1000, using: &random))),
          "run.risk": .choice(["low", "high"][Int.random(in: 0...1, using: &random)]),
          "run.days": .integer(Int64.random(in: 0...30, using: &random)),
        ]
        let tool = tools[Int.random(in: 0...1, using: &random)]
        let step = steps[Int.random(in: 0..<steps.count, using: &random)]
        let request = try Self.request(tool, step: step, features)
        requests.append(request)
        guard before.authorize(request).outcome == .hold else { continue }
        var good = false
        if case .number(let amount)? = features["run.amount"], features["run.risk"] == .choice("low") { good = amount < limit }
        holds.append(
          DecidedHold(
            rule: "r", tool: tool, step: step, outcome: good ? .approvedUnchanged : .rejected, features: features, entry: Int64(number)))
      }
      let features = [Feature("run.amount", .number), Feature("run.risk", .choice), Feature("run.days", .integer)]
      for finding in HoldAnalysis().findings(holds: holds, features: features, rules: [rule]) {
        guard case .suggestion(let suggestion) = finding else { continue }
        let after = try Self.load(suggestion.change.after)
        var released = 0
        for request in requests {
          let (was, now) = (before.authorize(request).outcome, after.authorize(request).outcome)
          let hold = holds.first { $0.entry == Int64(requests.firstIndex { $0 === request } ?? -1) }
          let isCovered =
            hold.map { suggestion.support.contains($0.entry) && $0.tool == suggestion.tool && $0.step == suggestion.step } ?? false
          #expect(now == (isCovered ? .permit : was), "SEED=\(seed) \(suggestion.change.diff)")
          released += isCovered ? 1 : 0
        }
        #expect(released == suggestion.covered, "SEED=\(seed)")
      }
    }
  }

  @Test func aFieldThatIsMissingStaysHeld() throws {
    let holds = (0..<9).map {
      DecidedHold(
        rule: "r", tool: "erp.pay", outcome: .approvedUnchanged, features: ["run.amount": .number(200 + Double($0))], entry: Int64($0))
    }
    let rule: JSONObject = ["id": "r", "hold": "erp.pay", "approval": ["roles": ["finance"]]]
    let findings = HoldAnalysis().findings(holds: holds, features: [Feature("run.amount", .number)], rules: [rule])
    guard case .suggestion(let suggestion)? = findings.first else {
      Issue.record("expected a suggestion")
      return
    }
    let after = try Self.load(suggestion.change.after)
    #expect(after.authorize(try Self.request("erp.pay", step: nil, ["run.amount": .number(208)])).outcome == .permit)
    #expect(after.authorize(try Self.request("erp.pay", step: nil, ["run.amount": .number(208.5)])).outcome == .hold)
    #expect(after.authorize(try Self.request("erp.pay", step: nil, [:])).outcome == .hold)
  }

  @Test func anAddedHoldHoldsWhatTurnedOutWrongAndNothingElse() throws {
    var history = ProcessHistory(process: "p", owner: "lead", runs: 300)
    history.rules = [["id": "pays", "permit": "erp.pay"]]
    history.features = [Feature("run.amount", .number)]
    history.calls = (0..<300).map { number in
      let amount = Double(number * 7919 % 1000)
      return ProcessHistory.Call(
        run: number, proposer: "agent:buyer", tool: "erp.pay", step: "settle", basis: .rule, time: Int64(number),
        features: ["run.amount": .number(amount)], wasWrong: amount > 700 && number % 3 == 0, entry: Int64(number))
    }
    let suggestion = try #require(SuggestionSearch().suggestions(in: history).suggestions.first)
    guard case .newRule(let rule) = suggestion.change else {
      Issue.record("expected a rule: \(suggestion.change)")
      return
    }
    let after = try Self.load(history.rules + [rule])
    for call in history.calls {
      guard case .number(let amount)? = call.features["run.amount"] else { continue }
      let outcome = after.authorize(try Self.request("erp.pay", step: "settle", call.features)).outcome
      if call.wasWrong { #expect(outcome == .hold, "\(amount) \(rule)") }
      if amount < 650 { #expect(outcome == .permit, "\(amount) \(rule)") }
    }
    #expect(after.authorize(try Self.request("erp.pay", step: "other", ["run.amount": .number(900)])).outcome == .permit)
  }
}
