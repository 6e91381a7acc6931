import Core
import TestSupport
import Testing

@testable import PolicyEngine

/// The indexed authorizer against one that evaluates every rule in full.
@Suite struct IndexPropertyTests {
  @Test func theIndexNeverChangesADecision() throws {
    var outcomes: [Outcome: Int] = [:]
    var (matches, errors) = (0, 0)
    try withSeeds(2000) { seed, random in
      var source = RandomRules(random: random)
      let text = source.ruleSet(count: Int.random(in: 0...12, using: &source.random))
      let rules: RuleSet
      do {
        rules = try Example.rules(text)
      } catch {
        Issue.record("SEED=\(seed): \(error)\n\(text)")
        return
      }
      for _ in 0..<8 {
        let request = try source.request()
        let allowance: AllowanceAnswer = Bool.random(using: &source.random) ? .covered : .uncovered(nil)
        let indexed = rules.authorize(request) { _ in allowance }
        let full = rules.authorizeByEvaluatingAll(request) { _ in allowance }
        outcomes[indexed.outcome, default: 0] += 1
        matches += indexed.matched.count
        errors += indexed.errors.count
        let same =
          indexed.outcome == full.outcome && indexed.matched == full.matched && indexed.errors == full.errors
          && indexed.requirements == full.requirements
        #expect(
          same,
          "SEED=\(seed)\n\(text)\n\(RandomRules.shown(request))\nindexed \(indexed.matched) \(indexed.errors)\nfull \(full.matched) \(full.errors)"
        )
        if !same { return }
      }
      random = source.random
    }
    // The sample says something only if it reaches every kind of answer.
    #expect(outcomes.count == 3 && matches > 1000 && errors > 1000, "\(outcomes), \(matches) matches, \(errors) errors")
  }

  @Test func theVerdictDoesNotDependOnTheOrderOfRules() throws {
    try withSeeds(200) { seed, random in
      var source = RandomRules(random: random)
      let rules = (0..<Int.random(in: 1...12, using: &source.random)).map { source.rule($0) }
      let one = try Example.rules(rules.joined(separator: "\n"))
      let other = try Example.rules(rules.shuffled(using: &source.random).joined(separator: "\n"))
      for _ in 0..<8 {
        let request = try source.request()
        let (a, b) = (one.authorize(request), other.authorize(request))
        #expect(a.outcome == b.outcome, "SEED=\(seed)")
        #expect(a.matched.map(\.rule).sorted() == b.matched.map(\.rule).sorted(), "SEED=\(seed)")
        #expect(a.requirements.map(\.rule).sorted() == b.requirements.map(\.rule).sorted(), "SEED=\(seed)")
      }
      random = source.random
    }
  }

  @Test func whatCouldNeverBePermittedNeverIs() throws {
    var (impossible, possible) = (0, 0)
    try withSeeds(500) { seed, random in
      var source = RandomRules(random: random)
      let rules = try Example.rules(source.ruleSet(count: Int.random(in: 0...8, using: &source.random)))
      for _ in 0..<8 {
        let request = try source.request()
        let could = rules.couldPermit(
          tool: request.tool, principal: request.principal, step: request.step, requester: request.requester, implied: request.implied)
        if could { possible += 1 } else { impossible += 1 }
        if !could { #expect(rules.authorize(request) { _ in .covered }.outcome == .forbid, "SEED=\(seed)") }
      }
      random = source.random
    }
    #expect(impossible > 100 && possible > 100)
  }

  /// More than 64 rules about one tool need masks of several words.
  @Test func wideBucketsDecideLikeFullEvaluation() throws {
    try withSeeds(6) { seed, random in
      var source = RandomRules(random: random)
      source.tools = ["comment"]
      let rules = try Example.rules(source.ruleSet(count: 200))
      for _ in 0..<40 {
        let request = try source.request()
        let (indexed, full) = (rules.authorize(request), rules.authorizeByEvaluatingAll(request))
        #expect(indexed.matched == full.matched && indexed.errors == full.errors, "SEED=\(seed)")
      }
      random = source.random
    }
  }

  /// A value with more constants than are told apart, and a rule that compares with one of the rest.
  @Test func constantsBeyondTheLimitAreLeftToTheConditions() throws {
    let names = (0..<400).map { "v\($0)" }
    let text = names.map { "{ id: 'is-\($0)', permit: 'comment', when: \"run.vendor == '\($0)' && run.amount <= \(Double($0.count)) \" }," }
      .joined(separator: "\n")
    let rules = try Example.rules(text)
    for name in ["v0", "v255", "v256", "v399", "v400"] {
      let request = try Example.request("comment", run: ["vendor": .string(name), "amount": 2])
      #expect(rules.authorize(request).deciding.map(\.rule) == (name == "v400" ? [] : ["is-\(name)"]))
    }
  }
}

/// Random rules that type-check, and requests that hit and miss them, err in them and confuse their types.
struct RandomRules {
  var random: SeededGenerator
  var tools = ["comment", "complete_step", "crm.lookup", "erp.activate_vendor", "crm.*", "erp.*", "*"]

  mutating func one<T>(_ values: [T]) -> T { values[Int.random(in: 0..<values.count, using: &random)] }
  mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

  mutating func ruleSet(count: Int) -> String { (0..<count).map { rule($0) }.joined(separator: "\n") }

  mutating func rule(_ number: Int) -> String {
    var parts = ["id: 'r\(number)'"]
    let effect = one(["permit", "permit", "hold", "forbid"])
    let patterns = Set((0..<one([1, 1, 1, 2])).map { _ in one(tools) }).sorted()
    parts.append("\(effect): [\(patterns.map { "'\($0)'" }.joined(separator: ", "))]")
    if effect == "hold" { parts.append("approval: { roles: ['finance'] }") }
    if effect == "permit", chance(20) { parts.append("autonomy: 'earned'") }
    if chance(40) {
      let by = Set(
        (0..<one([1, 2])).map { _ in one(["agent:*", "agent:clerk", "user:*", "role:finance", "role:compliance", "system:*", "*"]) }
      ).sorted()
      parts.append("by: [\(by.map { "'\($0)'" }.joined(separator: ", "))]")
    }
    if chance(20) { parts.append("step: ['\(one(["collect", "activate"]))']") }
    if chance(85) {
      let condition = (0..<one([1, 1, 2, 3, 4])).map { _ in term(2) }.joined(separator: " && ")
      parts.append("when: \"\(condition)\"")
    }
    return "{ " + parts.joined(separator: ", ") + " },"
  }

  private mutating func term(_ depth: Int) -> String {
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<70: return atom()
    case 70..<80 where depth > 0: return "(\(term(depth - 1)) || \(term(depth - 1)))"
    case 80..<86 where depth > 0: return "!(\(term(depth - 1)))"
    case 86..<90 where depth > 0: return "(\(term(depth - 1)) ? \(term(depth - 1)) : \(term(depth - 1)))"
    case 90..<92: return "10 / run.count > 2"
    case 92..<94: return "9223372036854775807 + run.count > 0"
    case 94..<96: return "principal.roles.exists(r, r == run.vendor)"
    case 96..<98: return "has(\(one(["run.amount", "facts.score", "labels.a.b", "step.risk"])))"
    default: return one(["true", "false", "run.vendor == facts.name", "principal.id != requester.id"])
    }
  }

  static let words = [
    "low", "high", "A", "caf\u{E9}", "cafe\u{301}", "a text that is longer than sixteen bytes", "a text that is longer than sixteen bytez",
    "",
  ]

  private mutating func atom() -> String {
    func quoted(_ text: String) -> String { "'\(text)'" }
    let word = quoted(one(Self.words))
    let other = quoted(one(Self.words))
    let integer = one(["0", "1", "3", "-2", "9007199254740992", "9007199254740993"])
    let double = one(["0.0", "1.5", "10000.0", "-2.5", "0.1", "9007199254740993.0"])
    let order = one(["<", "<=", ">", ">=", "==", "!="])
    switch Int.random(in: 0..<16, using: &random) {
    case 0: return "run.vendor == \(word)"
    case 1: return "run.risk in [\(word), \(other)]"
    case 2: return "\(word) != run.risk"
    case 3: return "run.amount \(order) \(double)"
    case 4: return "\(double) \(order) run.amount"
    case 5: return "run.count \(order) \(integer)"
    case 6: return one(["run.flag", "!run.flag", "run.flag == false", "run.flag != false"])
    case 7: return "\(one(["'finance'", "'compliance'", "'none'"])) in principal.roles"
    case 8: return "facts.score \(order) \(one([integer, double]))"
    case 9: return "facts.name == \(word)"
    case 10: return "facts.score in [\(one([word, integer])), \(one([word, integer, "true"]))]"
    case 11: return "\(word) in facts.list"
    case 12: return "step.risk == \(one(["'low'", "'high'"]))"
    case 13: return "step.iteration \(order) 2"
    case 14: return "labels.a.b == \(word)"
    default:
      return one([
        "principal.kind == 'agent'", "tool.effect == 'external'", "requester.id == 'user:ben'", "'requester' in requester.roles",
        "facts.ok", "!facts.ok",
      ])
    }
  }

  mutating func request() throws -> Request {
    var run = JSONObject()
    if chance(80) { run["vendor"] = anything(.string(one(Self.words))) }
    if chance(80) { run["risk"] = anything(.string(one(Self.words))) }
    if chance(80) { run["amount"] = anything(number()) }
    if chance(80) { run["count"] = anything(.int(Int64(one([0, 1, 3, -2, 9_007_199_254_740_992, 9_007_199_254_740_993])))) }
    if chance(80) { run["flag"] = anything(.bool(chance(50))) }
    var facts = JSONObject()
    if chance(80) { facts["score"] = anything(number()) }
    if chance(80) { facts["name"] = anything(.string(one(Self.words))) }
    if chance(80) { facts["ok"] = anything(.bool(chance(50))) }
    if chance(80) { facts["list"] = anything(.array((0..<one([0, 1, 3])).map { _ in chance(90) ? .string(one(Self.words)) : number() })) }
    let labels: JSONObject = chance(60) ? ["a": chance(80) ? ["b": anything(.string(one(Self.words)))] : 3] : [:]
    return try Example.request(
      one(["comment", "complete_step", "crm.lookup", "crm.other", "erp.activate_vendor", "unknown"]),
      by: one(["agent:clerk", "agent:risk-analyst", "user:ben", "system:timer"]),
      roles: one([[], ["finance"], ["compliance", "finance"], ["other"]]),
      owner: one(["user:ana", "role:finance", nil]), run: run,
      step: one([
        nil, Request.Step(id: "collect", risk: "low"), Request.Step(id: "activate", risk: "high", iteration: 3), Request.Step(id: "other"),
      ]),
      facts: facts, labels: labels, requester: one([nil, Request.Requester(id: "user:ben", roles: ["requester"])]),
      implied: chance(15) ? [.implied("step:collect")] : [])
  }

  private mutating func number() -> JSON {
    let text = one([
      "0", "1", "3", "1.5", "0.1", "10000", "10000.000000000002", "10000.0000000000000001", "-2.5", "9007199254740993",
      "123456789012345678901234567890",
    ])
    return JSONNumber(decimal: text).map { .number($0) } ?? .null
  }

  /// Mostly the value, and sometimes one of another type.
  private mutating func anything(_ value: JSON) -> JSON { chance(88) ? value : one([.null, true, "100", 100, 1.5, ["low"], ["low": 1]]) }

  static func shown(_ request: Request) -> String {
    "\(request.principal.id) \(request.principal.roles) \(request.tool.name) step \(String(describing: request.step)) run \(JSON.object(request.run).text()) facts \(JSON.object(request.facts).text()) labels \(JSON.object(request.labels).text()) requester \(String(describing: request.requester))"
  }
}
