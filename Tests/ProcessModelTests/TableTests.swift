import Core
import ProcessModel
import TestSupport
import Testing

/// Decision tables: what they set, what the log says of it, and what is proven of them before anything runs.
@Suite("Decision tables")
struct TableTests {
  static func file(_ table: String, then: String = "{ step: 'after', role: 'clerk' }", rest: String = "") -> String {
    """
    { process: "p", title: "P", owner: "role:owner", purpose: "test", triggers: [{ form: 'go', role: 'clerk', fields: ['amount', 'risk', 'land'] }],
      fields: { amount: { type: "number", minimum: 0 }, risk: { enum: ["low", "medium", "high"] }, land: { type: "string" },
                route: { enum: ["review", "owner", "auto"] }, limit: { type: "integer", minimum: 0 }, fee: { type: "number" },
                checks: { type: "array", items: { type: "string", enum: ["sanctions", "papers", "bank"] } }, note: { type: "string" } },
      agents: { bot: { owner: "user:ana", tools: ["complete_step"] } },
      steps: [ { step: 'look', agent: 'bot', prompt: 'p', writes: ['note'] },
    \(table), \(then) ], \(rest) }
    """
  }

  /// What the loader says of a table, a line each.
  static func problems(_ table: String) -> [String] {
    do throws(Diagnostics) {
      return try ProcessDefinition.load(Array(file(table).utf8), file: nil).warnings.filter { $0.code != "unused-field" }.map(\.description)
    } catch {
      return error.all.filter { $0.code != "unused-field" }.map(\.description)
    }
  }

  static func run(_ table: String, _ fields: JSONObject, note: JSON = "ok") throws -> TestRun {
    var run = try TestRun(load(file(table)), fields: fields)
    try run.complete("look", by: "agent:bot", ["note": note])
    try run.checkLog()
    return run
  }

  static let route = """
    { table: 'route', hit: 'first', inputs: ['run.amount', 'run.risk'], rules: [
      { id: 'high', when: ['-', "== 'high'"], set: { route: "'owner'", limit: '0' } },
      { id: 'small', when: ['< 1000.0', "in ['low', 'medium']"], set: { route: "'auto'", limit: '1000' } },
      { id: 'middling', when: [['>= 1000.0', '< 5000.0'], "== 'low'"], set: { route: "'auto'", limit: '5000' } }],
      otherwise: { route: "'review'", limit: '100' } }
    """

  @Test(
    arguments: [
      (10, "high", "owner", 0, "high"), (999.99, "medium", "auto", 1000, "small"), (1000, "medium", "review", 100, "otherwise"),
      (1000, "low", "auto", 5000, "middling"), (5000, "low", "review", 100, "otherwise"),
    ] as [(Double, String, String, Int, String)])
  func theFirstRuleThatAppliesSetsTheFields(amount: Double, risk: String, route: String, limit: Int, rule: String) throws {
    let run = try Self.run(Self.route, ["amount": .number(JSONNumber(amount) ?? JSONNumber(0)), "risk": .string(risk), "land": "DE"])
    #expect(run.open == ["after"])
    #expect(run.state?.value(of: "route") == .string(route))
    #expect(run.state?.value(of: "limit") == .int(limit))
    #expect(run.state?.block(Occurrence("route"))?.rules == [rule])
    #expect(run.state?.block(Occurrence("route"))?.isCompleted == true)
    #expect(run.events.contains(.tableDecided(Occurrence("route"), rules: [rule])))
    #expect(run.state?.field("route")?.origin == Origin("table:route"))
    #expect(run.state?.field("route")?.by == "system:process")
  }

  /// Whoever writes an input could choose the outcome, so the outcome is no more to be believed than the input.
  @Test func anOutcomeIsAsTrustedAsWhatItRestsOn() throws {
    let byNote = Self.route.replacing("'run.amount', 'run.risk'", with: "'run.amount', 'run.note'").replacing(
      "in ['low', 'medium']", with: "!= ''")
    var run = try TestRun(load(Self.file(byNote)), fields: ["amount": 10, "risk": "low", "land": "DE"])
    try run.send(.completeStep("look", by: "agent:bot", fields: ["note": "x"], origin: Origin("agent:bot", trusted: false), comment: nil))
    #expect(run.state?.field("route")?.origin == Origin("table:route", trusted: false))

    let copied = Self.route.replacing(
      "otherwise: { route: \"'review'\"", with: "otherwise: { route: \"run.note == 'x' ? 'review' : 'owner'\"")
    run = try TestRun(load(Self.file(copied)), fields: ["amount": 9000, "risk": "low", "land": "DE"])
    try run.send(.completeStep("look", by: "agent:bot", fields: ["note": "x"], origin: Origin("agent:bot", trusted: false), comment: nil))
    #expect(run.state?.value(of: "route") == "review")
    #expect(run.state?.field("route")?.origin.trusted == false)
  }

  static func collecting(_ way: String, _ field: String, _ values: [String], otherwise: String = "") -> String {
    """
    { table: 't', hit: 'collect', collect: '\(way)', inputs: ['run.amount', 'run.land'], rules: [
      { id: 'big', when: ['> 100.0', '-'], set: { \(field): "\(values[0])" } },
      { id: 'abroad', when: ['-', "!= 'DE'"], set: { \(field): "\(values[1])" } },
      { id: 'huge', when: ['> 1000.0', '-'], set: { \(field): "\(values[2])" } }]\(otherwise) }
    """
  }

  @Test(
    arguments: [
      (
        "list", "checks", ["'papers'", "'sanctions'", "'bank'"], 5000, "FR", #"["papers", "sanctions", "bank"]"#, ["big", "abroad", "huge"]
      ),
      ("list", "checks", ["'papers'", "'sanctions'", "'bank'"], 10, "DE", "[]", []),
      ("sum", "fee", ["0.1", "0.2", "run.amount * 2.0"], 5000, "FR", "10000.3", ["big", "abroad", "huge"]),
      ("sum", "fee", ["0.1", "0.2", "3.0"], 10, "DE", "0", []),
      ("min", "limit", ["7", "5", "9"], 5000, "FR", "5", ["big", "abroad", "huge"]),
      ("max", "limit", ["7", "5", "9"], 500, "FR", "7", ["big", "abroad"]),
      ("count", "limit", ["true", "true", "true"], 500, "FR", "2", ["big", "abroad"]),
    ] as [(String, String, [String], Int, String, String, [String])])
  func allThatApplyAreCollected(
    way: String, field: String, values: [String], amount: Int, land: String, becomes: String, rules: [String]
  ) throws {
    let run = try Self.run(Self.collecting(way, field, values), ["amount": .int(amount), "risk": "low", "land": .string(land)])
    #expect(run.state?.value(of: field)?.text() == becomes)
    #expect(run.state?.block(Occurrence("t"))?.rules == rules)
    #expect(run.open == ["after"])
  }

  @Test func theOrderOfTheFieldDecidesWherePriorityIsAsked() throws {
    func table(_ hit: String, _ field: String, _ values: [String]) -> String {
      "{ table: 't', hit: '\(hit)', inputs: ['run.amount', 'run.land'], rules: [ { id: 'a', when: ['> 1.0', '-'], set: { \(field): \"'\(values[0])'\" } },"
        + "{ id: 'b', when: ['-', \"!= 'DE'\"], set: { \(field): \"'\(values[1])'\" } } ] }"
    }
    let fields: JSONObject = ["amount": 5, "risk": "low", "land": "FR"]
    var run = try Self.run(table("priority", "route", ["auto", "review"]), fields)
    #expect(run.state?.value(of: "route") == "review")
    #expect(run.state?.block(Occurrence("t"))?.rules == ["b"])
    run = try Self.run(table("output-order", "checks", ["bank", "sanctions"]), fields)
    #expect(run.state?.value(of: "checks") == ["sanctions", "bank"])
    #expect(run.state?.block(Occurrence("t"))?.rules == ["b", "a"])
  }

  // MARK: - What goes wrong as it runs

  static let computed = """
    { table: 't', inputs: ['run.amount * 2.0'], rules: [
      { id: 'a', when: ['> 10.0'], set: { route: "'auto'" } }, { id: 'b', when: ['> 100.0'], set: { route: "'owner'" } }] }
    """

  @Test func aRunWaitsForAPersonWhereATableSaysNothing() throws {
    var run = try Self.run(Self.computed, ["amount": 1, "risk": "low", "land": "DE"])
    #expect(run.open == [])
    #expect(run.state?.openExceptions.map(\.code) == ["no-rule"])
    #expect(run.state?.field("route") == nil)
    try run.send(.setFields(step: nil, by: "user:cleo", fields: ["amount": 8], origin: nil))
    try run.send(.resolveException("x1", by: "user:cleo", resolution: .retry, comment: nil))
    #expect(run.open == ["after"])
    #expect(run.state?.value(of: "route") == "auto")
    try run.checkLog()
  }

  @Test func twoRulesWhereOnlyOneMayApplyAreAnException() throws {
    let run = try Self.run(Self.computed, ["amount": 100, "risk": "low", "land": "DE"])
    let exception = try #require(run.state?.openExceptions.first)
    #expect(exception.code == "rule-conflict")
    #expect(exception.text == "rules `a` and `b` of table `t` both apply, and only one may")
    let same = Self.computed.replacing("'owner'", with: "'auto'").replacing("table: 't'", with: "table: 't', hit: 'any'")
    #expect(try Self.run(same, ["amount": 100, "risk": "low", "land": "DE"]).open == ["after"])
    let other = Self.computed.replacing("table: 't'", with: "table: 't', hit: 'any'")
    #expect(try Self.run(other, ["amount": 100, "risk": "low", "land": "DE"]).state?.openExceptions.map(\.code) == ["rule-conflict"])
  }

  @Test func aValueThatTheFieldDoesNotAllowIsAnException() throws {
    let table = "{ table: 't', inputs: ['run.land'], rules: [{ id: 'a', when: ['-'], set: { route: 'run.note' } }] }"
    let run = try Self.run(table, ["amount": 1, "risk": "low", "land": "DE"], note: "SECRET")
    let exception = try #require(run.state?.openExceptions.first)
    #expect(exception.code == "bad-output")
    #expect(exception.text?.contains("SECRET") == false && exception.text?.contains("`route`") == true)
  }

  @Test func sendingWorkBackAsksTheTableAgain() throws {
    var run = try TestRun(load(Self.file(Self.route)), fields: ["amount": 10, "risk": "low", "land": "DE"])
    try run.complete("look", by: "agent:bot", ["note": "x"])
    #expect(run.state?.value(of: "route") == "auto")
    try run.send(.sendBack(step: "after", to: "look", by: "user:cleo", text: "again"))
    try run.send(.setFields(step: nil, by: "user:cleo", fields: ["risk": "high"], origin: nil))
    try run.complete("look", by: "agent:bot", ["note": "x"])
    #expect(run.state?.value(of: "route") == "owner")
    #expect(run.state?.block(Occurrence("route"))?.rules == ["high"])
    try run.checkLog()
  }
}
