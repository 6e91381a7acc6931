import CEL
import Core
import TestSupport
import Testing

@testable import PolicyEngine

/// The analysis of rules against deciding every request of a grid that tells apart all that the rules can.
@Suite struct AnalysisOracleTests {
  @Test func agreesWithEnumerationOnSmallPolicies() throws {
    var (never, shadowed, changed, same) = (0, 0, 0, 0)
    try withSeeds(1000) { seed, random in
      var source = SmallPolicies(random: random)
      let slots = source.slots()
      let (textA, textB) = source.pair(slots)
      random = source.random
      let (a, b) = (try SmallPolicies.load(textA), try SmallPolicies.load(textB))
      let grid = SmallPolicies.grid(slots)
      let context: Comment = "SEED=\(seed)\nA:\n\(textA.joined(separator: "\n"))\nB:\n\(textB.joined(separator: "\n"))"

      let analysis = PolicyAnalysis(a, environment: SmallPolicies.environment)
      #expect(analysis.unclear.isEmpty, context)
      var matched: Set<String> = []
      var mattering: Set<String> = []
      for request in grid {
        let decision = a.authorizeByEvaluatingAll(request.request) { _ in request.isAllowed }
        for match in decision.matched where match.basis != .error { matched.insert(match.rule) }
        let whole = Answer(decision, without: nil)
        for rule in a.rules where Answer(decision, without: rule.id) != whole { mattering.insert(rule.id) }
      }
      let ids = a.rules.map(\.id)
      func found(_ code: PolicyAnalysis.Finding.Code) -> [String] { analysis.findings.filter { $0.code == code }.map(\.subject) }
      #expect(found(.neverMatches) == ids.filter { !matched.contains($0) }, context)
      #expect(found(.shadowed) == ids.filter { matched.contains($0) && !mattering.contains($0) }, context)
      never += found(.neverMatches).count
      shadowed += found(.shadowed).count

      let difference = PolicyDifference(from: a, to: b, environment: SmallPolicies.environment)
      #expect(difference.isExact, context)
      let conditions = try difference.changes.map { change in
        try SmallPolicies.load(
          change.conditions.enumerated().map { "{ id: 'c\($0)', permit: '*'\($1.isEmpty ? "" : ", when: \(JSON.string($1).text())") }" })
      }
      for request in grid {
        let before = Answer(a.authorize(request.request) { _ in request.isAllowed }, without: nil)
        let after = Answer(b.authorize(request.request) { _ in request.isAllowed }, without: nil)
        var said: [PolicyDifference.Change] = []
        for (change, condition) in zip(difference.changes, conditions) {
          if change.isImplied.map({ $0 != request.isImplied }) ?? false || change.isAllowed.map({ $0 != request.isAllowed }) ?? false {
            continue
          }
          if condition.authorizeByEvaluatingAll(request.request).matched.contains(where: { $0.basis == .condition }) { said.append(change) }
        }
        if before == after { same += 1 } else { changed += 1 }
        let isRight =
          before == after
          ? said.isEmpty : said.count == 1 && said[0].from.outcome == before.outcome && said[0].to.outcome == after.outcome
        #expect(
          isRight,
          "\(context)\n\(RandomRules.shown(request.request)) allowed \(request.isAllowed) implied \(request.isImplied): \(before) → \(after), said \(said)"
        )
        if !isRight { return }
      }
      for change in difference.changes {
        let allowed = change.isAllowed ?? false
        let (x, y) = (a.authorize(change.example) { _ in allowed }, b.authorize(change.example) { _ in allowed })
        #expect(x.outcome == change.from.outcome && y.outcome == change.to.outcome, context)
      }
    }
    print("analysis: \(never) rules that never match, \(shadowed) shadowed, \(changed) requests changed, \(same) not")
    #expect(never > 50 && shadowed > 50 && changed > 1000 && same > 1000)
  }
}

/// A verdict with the approvals that it needs, as if one rule were not there.
private struct Answer: Equatable {
  var outcome: Outcome
  var needs: Set<[String]> = []

  init(_ decision: Decision, without rule: String?) {
    let matched = decision.matched.filter { $0.rule != rule }
    outcome = matched.map(\.effect).max() ?? .forbid
    if outcome == .hold {
      // What a hold asks for follows from its rule.
      for match in matched where match.effect == .hold {
        guard let rule = decision.rules.rule(match.rule) else { continue }
        needs.insert((rule.approval?.roles ?? ["owner"]) + ["\(rule.approval?.count ?? 1)"])
      }
    }
  }
}

/// Random small policies over a few values, and every request that they can tell apart.
private struct SmallPolicies {
  var random: SeededGenerator

  static let environment = PolicyEnvironment(
    fields: [("amount", .double), ("vendor", .string), ("flag", .bool), ("risk", .string)],
    choices: [PolicyEnvironment.Choice(["run", "risk"], ["low", "high"])],
    tools: [PolicyEnvironment.Tool(Request.Tool(name: "pay", effect: .external))],
    steps: [Request.Step(id: "s1"), Request.Step(id: "s2")], agents: ["clerk"], users: ["ben", "kim"], roles: ["finance", "legal"])

  static let atoms: [String: [String]] = [
    "amount": [
      "run.amount < 2.0", "run.amount >= 1.0", "run.amount == 1.0", "run.amount != 2.0", "run.amount in [1.0, 2.0]", "has(run.amount)",
    ],
    "vendor": ["run.vendor == 'a'", "run.vendor != 'b'", "run.vendor in ['a', 'b']", "has(run.vendor)"],
    "flag": ["run.flag", "!run.flag", "run.flag == false"], "risk": ["run.risk == 'low'", "run.risk != 'low'"],
    "score": ["facts.score == 1", "facts.score > 1", "facts.score == 'a'", "facts.score", "facts.score != 'a'", "'x' in facts.score"],
    "who": ["principal.kind == 'agent'", "'finance' in principal.roles", "principal.id == 'user:ben'"],
    "where": ["step.id == 's1'", "has(step.id)"],
    "now": ["now < timestamp('2026-01-01T10:00:00Z')", "now >= timestamp('2026-06-01T00:00:00Z')"],
  ]

  mutating func one<T>(_ values: [T]) -> T { values[Int.random(in: 0..<values.count, using: &random)] }
  mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

  mutating func slots() -> [String] { Array(Self.atoms.keys.sorted().shuffled(using: &random).prefix(3)) }

  mutating func pair(_ slots: [String]) -> ([String], [String]) {
    let a = (0..<Int.random(in: 1...4, using: &random)).map { rule($0, slots) }
    var b = a
    switch Int.random(in: 0..<4, using: &random) {
    case 0: b.remove(at: Int.random(in: 0..<b.count, using: &random))
    case 1: b.append(rule(9, slots))
    case 2: b[Int.random(in: 0..<b.count, using: &random)] = rule(9, slots)
    default: b.shuffle(using: &random)
    }
    return (a, b)
  }

  private mutating func rule(_ number: Int, _ slots: [String]) -> String {
    var parts = ["id: 'r\(number)'"]
    let effect = one(["permit", "permit", "hold", "forbid"])
    parts.append("\(effect): '\(one(["pay", "pay", "*"]))'")
    if effect == "hold" { parts.append("approval: { roles: ['\(one(["finance", "legal"]))'], count: \(one([1, 1, 2])) }") }
    if effect == "permit", chance(20) { parts.append("autonomy: 'earned'" + (chance(50) ? ", approval: { roles: ['finance'] }" : "")) }
    if chance(25) { parts.append("by: ['\(one(["agent:*", "user:ben", "role:finance", "user:*"]))']") }
    if chance(15) { parts.append("step: ['s1']") }
    if chance(80) { parts.append("when: \(JSON.string(condition(slots, 2)).text())") }
    return "{ " + parts.joined(separator: ", ") + " }"
  }

  private mutating func condition(_ slots: [String], _ depth: Int) -> String {
    if depth == 0 || chance(35) { return one(Self.atoms[one(slots)] ?? []) }
    switch Int.random(in: 0..<10, using: &random) {
    case 0..<5: return "(\(condition(slots, depth - 1)) && \(condition(slots, depth - 1)))"
    case 5..<8: return "(\(condition(slots, depth - 1)) || \(condition(slots, depth - 1)))"
    case 8: return "!(\(condition(slots, depth - 1)))"
    default: return "(\(condition(slots, depth - 1)) ? \(condition(slots, depth - 1)) : \(condition(slots, depth - 1)))"
    }
  }

  static func load(_ rules: [String]) throws -> RuleSet {
    try RuleSet.load(Array("{ policy: 'small', rules: [\(rules.joined(separator: ",\n"))] }".utf8), file: nil, environment: environment)
  }

  static let values: [String: [JSON?]] = [
    "amount": [nil, 0.5, 1, 1.5, 2, 3], "vendor": [nil, "a", "b", "c"], "flag": [nil, true, false], "risk": [nil, "low", "high"],
    "score": [nil, "a", "q", 0, 1, 2.5, true, false, .null, [], ["x"]],
  ]

  /// Every request over these values, principals, steps, times, implied permits and allowances.
  static func grid(_ slots: [String]) -> [(request: Request, isImplied: Bool, isAllowed: Bool)] {
    var records: [(run: JSONObject, facts: JSONObject)] = [([:], [:])]
    for slot in slots {
      guard let values = values[slot] else { continue }
      records = records.flatMap { record in
        values.map { value in
          var next = record
          if slot == "score" { next.facts["score"] = value } else { next.run[slot] = value }
          return next
        }
      }
    }
    let people: [(String, [String])] =
      [("agent:clerk", []), ("user:ben", []), ("user:ben", ["finance"]), ("user:kim", []), ("system:engine", ["finance"])]
      + (slots.contains("who") ? [("agent:clerk", ["finance"]), ("user:kim", ["finance"]), ("system:engine", [])] : [])
    let steps: [Request.Step?] = [nil, Request.Step(id: "s1"), Request.Step(id: "s2")]
    let times =
      slots.contains("now")
      ? ["2025-01-01T00:00:00Z", "2026-01-01T10:00:00Z", "2026-03-01T00:00:00Z", "2026-07-01T00:00:00Z"] : ["2026-03-01T00:00:00Z"]
    var requests: [(Request, Bool, Bool)] = []
    for (id, roles) in people {
      guard let principal = Request.Principal(id: id, roles: roles, owner: id.hasPrefix("agent:") ? "user:ben" : nil) else { continue }
      for step in steps {
        for time in times {
          for record in records {
            for (isImplied, isAllowed) in [(false, false), (true, false), (false, true)] {
              requests.append(
                (
                  Request(
                    principal: principal, tool: Request.Tool(name: "pay", effect: .external), step: step, run: record.run,
                    facts: record.facts,
                    now: Instant(iso8601: time) ?? RuleTests.defaultNow, implied: isImplied ? [.implied("step:s1")] : []), isImplied,
                  isAllowed
                ))
            }
          }
        }
      }
    }
    return requests
  }
}
