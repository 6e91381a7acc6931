import CEL
import Core
import TestSupport
import Testing

@testable import PolicyEngine

/// The analysis of rules against deciding every request of a small world.
@Suite struct AnalysisOracleTests {
  @Test func agreesWithEnumerationOnSmallPolicies() throws {
    var (never, shadowed, changes, changed, same) = (0, 0, 0, 0, 0)
    try withSeeds(1000) { seed, random in
      var source = SmallPolicies(random: random)
      let topics = source.topics()
      let (textA, textB) = source.pair(topics)
      random = source.random
      let (a, b) = (try SmallPolicies.load(textA), try SmallPolicies.load(textB))
      let world = SmallPolicies.world(topics, earned: Set((a.rules + b.rules).filter(\.isEarned).map(\.id)).sorted())
      let context: Comment = "SEED=\(seed)\nA:\n\(textA.joined(separator: "\n"))\nB:\n\(textB.joined(separator: "\n"))"

      let analysis = PolicyAnalysis(a, environment: SmallPolicies.environment)
      #expect(analysis.unclear.isEmpty, context)
      let enumerated = Enumeration(a, world)
      func found(_ codes: PolicyAnalysis.Finding.Code...) -> [String] {
        analysis.findings.filter { codes.contains($0.code) }.map(\.subject)
      }
      #expect(found(.neverMatches) == enumerated.never, context)
      #expect(found(.shadowed, .needlessForbid) == enumerated.shadowed, context)
      never += enumerated.never.count
      shadowed += enumerated.shadowed.count

      let difference = PolicyDifference(from: a, to: b, environment: SmallPolicies.environment)
      #expect(difference.isExact, "\(context)\n\(difference.unclear)")
      changes += difference.changes.count
      let told = try Telling(difference)
      for (place, (before, after)) in zip(world, zip(enumerated.answers, Enumeration(b, world).answers)) {
        let said = told.changes(of: place)
        if before == after { same += 1 } else { changed += 1 }
        let isRight =
          before == after ? said.isEmpty : !said.isEmpty && said.allSatisfy { before == Answer($0.from) && after == Answer($0.to) }
        #expect(
          isRight,
          "\(context)\n\(place.request.testJSON.text()) allowed \(place.allowances): \(before) → \(after), said \(said.map(\.condition))")
        if !isRight { return }
      }
    }
    print("analysis: \(never) rules never match, \(shadowed) change nothing; \(changes) changes, \(changed) requests changed, \(same) not")
    #expect(never > 50 && shadowed > 100 && changes > 1000 && changed > 10_000 && same > 10_000)
  }

  /// Where conditions are not understood what is found is still true, and nothing that changes is left out.
  @Test func whatIsNotUnderstoodMakesNothingFalse() throws {
    var (findings, inexact, examples) = (0, 0, 0)
    try withSeeds(200) { seed, random in
      var source = SmallPolicies(random: random, isOpaque: true)
      let topics = source.topics()
      let (textA, textB) = source.pair(topics)
      random = source.random
      let (a, b) = (try SmallPolicies.load(textA), try SmallPolicies.load(textB))
      let world = SmallPolicies.world(topics, earned: Set((a.rules + b.rules).filter(\.isEarned).map(\.id)).sorted())
      let context: Comment = "SEED=\(seed)\nA:\n\(textA.joined(separator: "\n"))\nB:\n\(textB.joined(separator: "\n"))"
      let enumerated = Enumeration(a, world)
      for finding in PolicyAnalysis(a, environment: SmallPolicies.environment).findings {
        // A world may be too small to have a request for which a part is true that is not understood.
        let doesNothing = finding.code == .neverMatches ? enumerated.never : enumerated.never + enumerated.shadowed
        #expect(doesNothing.contains(finding.subject), context)
        findings += 1
      }
      let difference = PolicyDifference(from: a, to: b, environment: SmallPolicies.environment)
      inexact += difference.changes.count { !$0.isExact }
      examples += difference.changes.count { !$0.isExact && $0.example != nil }
      let told = try Telling(difference)
      for (place, (before, after)) in zip(world, zip(enumerated.answers, Enumeration(b, world).answers)) {
        let said = told.changes(of: place)
        let isRight = before != after ? !said.isEmpty : !said.contains(where: \.isExact)
        #expect(isRight, "\(context)\n\(place.request.testJSON.text()) said \(said.map(\.condition))")
        if !isRight { return }
      }
    }
    print("analysis: \(findings) findings beside what is not understood; \(inexact) changes rest on that, \(examples) with an example")
    #expect(findings > 20 && inexact > 100 && examples > 50)
  }

  @Test func rulesThatHoldWithoutTheirFactAreMarkedAsNotExact() throws {
    func load(_ state: String) throws -> RuleSet {
      let rules = "{ id: 'p', permit: 'pay' }, { id: 'f', forbid: 'pay', when: \"facts.score == '\(state)'\" }"
      let text = "{ policy: 'small', missing: { approval: { roles: ['legal'] } }, rules: [\(rules)] }"
      return try RuleSet.load(Array(text.utf8), file: nil, environment: SmallPolicies.environment)
    }
    let (a, b) = (try load("a"), try load("b"))
    let analysis = PolicyAnalysis(a, environment: SmallPolicies.environment)
    #expect(analysis.findings.isEmpty && analysis.unclear.map(\.subject) == ["pay"])
    let difference = PolicyDifference(from: a, to: b, environment: SmallPolicies.environment)
    #expect(!difference.isExact && difference.unclear == ["tool `pay`: rule `f` holds where its fact is missing, which is not analysed"])
    #expect(PolicyDifference(from: a, to: a, environment: SmallPolicies.environment).isExact)
  }

  @Test func tooManyCasesAreGivenUp() throws {
    var random = SeededGenerator(seed: 1)
    let paths = (0..<20).map { "facts.v\($0)" }
    let rules = (0..<60).map { number in
      let parts = (0..<4).map { _ in "\(paths.randomElement(using: &random) ?? "") > \(Int.random(in: 0..<50, using: &random))" }
      let condition = parts.joined(separator: number % 3 == 0 ? " && " : " || ")
      return "{ id: 'r\(number)', \(number % 2 == 0 ? "permit" : "forbid"): 'pay', when: '\(condition)' }"
    }
    let a = try SmallPolicies.load(rules)
    let b = try SmallPolicies.load(Array(rules.dropLast(10)))
    let clock = ContinuousClock()
    let time = clock.measure {
      let analysis = PolicyAnalysis(a, environment: SmallPolicies.environment, maximumCases: 5_000)
      #expect(analysis.findings.isEmpty && analysis.unclear.map(\.subject) == ["pay"])
      let difference = PolicyDifference(from: a, to: b, environment: SmallPolicies.environment, maximumCases: 5_000)
      #expect(!difference.isExact && difference.unclear == ["tool `pay`: gave up after 5000 cases"])
    }
    #expect(time < .seconds(60))
  }
}

/// A request of a small world, and the rules for which an allowance covers it.
private struct Place {
  var request: Request
  var allowances: Set<String>

  func allowance(_ rule: Rule) -> AllowanceAnswer { allowances.contains(rule.id) ? .covered : .uncovered(nil) }
  var isImplied: Bool { !request.implied.isEmpty }
}

/// A verdict with the approvals that it needs.
private struct Answer: Equatable {
  var outcome: Outcome
  var needs: Set<PolicyVerdict.Need> = []

  init(_ verdict: PolicyVerdict) { (outcome, needs) = (verdict.outcome, verdict.needs) }

  /// What a decision would be without a rule; what a hold asks for follows from its rule.
  init(_ decision: Decision, without rule: String? = nil, _ needs: [String: PolicyVerdict.Need]) {
    let matched = decision.matched.filter { $0.rule != rule }
    outcome = matched.map(\.effect).max() ?? .forbid
    if outcome == .hold { self.needs = Set(matched.filter { $0.effect == .hold }.compactMap { needs[$0.rule] }) }
  }
}

/// What every request of a world says about rules.
private struct Enumeration {
  /// The rules that match nothing.
  var never: [String]
  /// The others without which nothing would be different.
  var shadowed: [String]
  /// What the rules answer to each request.
  var answers: [Answer] = []

  init(_ rules: RuleSet, _ world: [Place]) {
    let needs = Dictionary(rules.rules.map { ($0.id, PolicyVerdict.Need($0.approval)) }, uniquingKeysWith: { $1 })
    var matched: Set<String> = []
    var mattering: Set<String> = []
    for place in world {
      let decision = rules.authorizeByEvaluatingAll(place.request, allowance: place.allowance)
      let whole = Answer(decision, needs)
      answers.append(whole)
      for match in decision.matched {
        if match.basis != .error { matched.insert(match.rule) }
        if match.effect == whole.outcome, !mattering.contains(match.rule), Answer(decision, without: match.rule, needs) != whole {
          mattering.insert(match.rule)
        }
      }
      // An earned permit without anybody to ask says nothing, but its condition is true.
      for error in decision.errors where error.message.contains("not earned yet") { matched.insert(error.rule) }
    }
    never = rules.rules.map(\.id).filter { !matched.contains($0) }
    shadowed = rules.rules.map(\.id).filter { matched.contains($0) && !mattering.contains($0) }
  }
}

/// The conditions of a difference, evaluated as those of rules.
private struct Telling {
  let difference: PolicyDifference
  let rules: RuleSet

  init(_ difference: PolicyDifference) throws {
    self.difference = difference
    rules = try SmallPolicies.load(
      difference.changes.enumerated().map { number, change in
        let condition = change.condition.replacing(" cannot be evaluated", with: "")
        return "{ id: 'c\(number)', hold: '*', approval: { roles: ['legal'] }, when: \(JSON.string(condition).text()) }"
      })
  }

  /// The changes whose condition is true; of those that are not exact also where it cannot be evaluated.
  func changes(of place: Place) -> [PolicyDifference.Change] {
    rules.authorizeByEvaluatingAll(place.request).matched.compactMap { match in
      guard match.basis != .implied, let number = Int(match.rule.dropFirst()) else { return nil }
      let change = difference.changes[number]
      if match.basis == .error, change.isExact { return nil }
      let isMeant =
        change.isImplied ?? place.isImplied == place.isImplied
        && change.allowances.allSatisfy { $0.isLive == place.allowances.contains($0.rule) }
      return isMeant ? change : nil
    }
  }
}

/// Random small policies over a few values, and every request that they can tell apart.
private struct SmallPolicies {
  var random: SeededGenerator
  var isOpaque = false

  static let schema: JSON = [
    "type": "object", "additionalProperties": false, "properties": ["vendor": ["type": "string"], "fields": [:]],
  ]
  static let environment = PolicyEnvironment(
    fields: [
      ("amount", .double), ("count", .int), ("vendor", .string), ("flag", .bool), ("risk", .string), ("tags", .list(.string)),
      ("code", .string),
      ("codes", .list(.int)),
    ],
    choices: [PolicyEnvironment.Choice(["run", "risk"], ["low", "mid", "high"])],
    tools: [PolicyEnvironment.Tool(Request.Tool(name: "pay", effect: .external), schema: schema)],
    steps: [Request.Step(id: "s1", risk: "low"), Request.Step(id: "s2", risk: "high")], agents: ["clerk"], users: ["ben", "kim"],
    roles: ["finance", "legal"])

  static let comparisons: [String: [String]] = [
    "amount": [
      "run.amount < 2.0", "run.amount >= 1.0", "run.amount == 1.0", "run.amount != 2.0", "run.amount in [1.0, 2.0]", "has(run.amount)",
      "2.0 <= run.amount",
    ],
    "count": ["run.count > 1", "run.count < 3", "run.count != 2", "run.count >= 2", "run.count == 7"],
    "vendor": ["run.vendor == 'a'", "run.vendor != 'b'", "run.vendor in ['a', 'b']", "has(run.vendor)"],
    "pair": ["run.vendor == args.vendor", "args.vendor != run.vendor", "run.vendor == 'a'", "args.vendor == 'b'", "has(args.vendor)"],
    "codes": ["run.codes.size() > 1", "run.codes.size() == 0", "2 != size(run.codes)", "has(run.codes)"],
    "flag": ["run.flag", "!run.flag", "run.flag == false"],
    "risk": ["run.risk == 'low'", "run.risk != 'low'", "run.risk in ['mid', 'high']"],
    "score": ["facts.score == 1", "facts.score > 1", "facts.score == 'a'", "facts.score", "facts.score != 'a'", "'x' in facts.score"],
    "tags": ["'x' in run.tags", "'y' in run.tags", "has(run.tags)"],
    "nested": ["has(args.fields)", "args.fields.risk == 'low'", "args.fields.risk != 'low'", "has(args.fields.iban)"],
    "code": [
      "run.code.startsWith('a')", "run.code.startsWith('ab')", "run.code.endsWith('a')", "run.code.contains('b')", "run.code == 'ab'",
    ],
    "who": ["principal.kind == 'agent'", "'finance' in principal.roles", "principal.id == 'user:ben'", "has(principal.owner)"],
    "step": ["step.id == 's1'", "has(step.id)", "step.risk == 'high'"],
    "now": ["now < timestamp('2026-01-01T10:00:00Z')", "now >= timestamp('2026-06-01T00:00:00Z')"],
  ]

  static let opaque: [String: [String]] = [
    "amount": ["run.amount * 2.0 > 3.0", "1.0 / run.amount < 1.0"], "count": ["run.count % 2 == 0", "6 / run.count > 2"],
    "vendor": ["run.vendor.size() > 1", "run.vendor.upperAscii() == 'A'"], "pair": ["run.vendor + args.vendor == 'ab'"],
    "score": ["facts.score + 1 > 2", "facts.score.size() > 0"], "tags": ["run.tags.size() > 1", "run.tags.exists(t, t != 'x')"],
    "code": ["run.code.matches('^a')"],
    "now": ["now.getFullYear() == 2026"],
  ]

  private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }
  private mutating func one<T>(_ list: [T]) -> T { list[Int.random(in: list.indices, using: &random)] }

  /// What the policies are about: as much as leaves a world small enough to decide every request of it.
  mutating func topics() -> [String] {
    var topics: [String] = []
    let maximum = one([16, 16, 16, 64])
    var size = 1
    for topic in Self.comparisons.keys.sorted().shuffled(using: &random) {
      let own = Self.sizes[topic] ?? (Self.values[topic] ?? []).reduce(1) { $0 * $1.values.count }
      if size * own > maximum { continue }
      size *= own
      topics.append(topic)
    }
    return topics
  }

  private static let sizes = ["who": 16, "step": 3]

  /// Two sets, the second a variation of the first.
  mutating func pair(_ topics: [String]) -> ([String], [String]) {
    let a = (0..<Int.random(in: 1...6, using: &random)).map { rule($0, topics) }
    var b = a
    for _ in 0..<Int.random(in: 1...2, using: &random) {
      switch Int.random(in: 0..<3, using: &random) {
      case 0: b.append(rule(b.count + a.count, topics))
      case 1 where b.count > 1: b.remove(at: Int.random(in: b.indices, using: &random))
      default:
        let place = Int.random(in: b.indices, using: &random)
        b[place] = rule(place + 100, topics)
      }
    }
    return (a, b)
  }

  private mutating func rule(_ number: Int, _ topics: [String]) -> String {
    var parts = ["id: 'r\(number)'"]
    let effect = one(["permit", "permit", "hold", "forbid"])
    parts.append("\(effect): '\(one(["pay", "pay", "*"]))'")
    if effect == "hold" { parts.append("approval: { roles: ['\(one(["finance", "legal"]))'], count: \(one([1, 1, 2])) }") }
    if effect == "permit", chance(15) { parts.append("autonomy: 'earned'" + (chance(50) ? ", approval: { roles: ['finance'] }" : "")) }
    if topics.contains("who"), chance(40) { parts.append("by: ['\(one(["agent:*", "user:ben", "role:finance", "user:*"]))']") }
    if topics.contains("step"), chance(40) { parts.append("step: ['s1']") }
    if chance(85) { parts.append("when: \(JSON.string(condition(topics, 2)).text())") }
    return "{ " + parts.joined(separator: ", ") + " }"
  }

  private mutating func condition(_ topics: [String], _ depth: Int) -> String {
    if depth == 0 || chance(35) {
      let topic = one(topics)
      if isOpaque, chance(30), let opaque = Self.opaque[topic] { return one(opaque) }
      return one(Self.comparisons[topic] ?? [])
    }
    switch Int.random(in: 0..<10, using: &random) {
    case 0..<5: return "(\(condition(topics, depth - 1)) && \(condition(topics, depth - 1)))"
    case 5..<8: return "(\(condition(topics, depth - 1)) || \(condition(topics, depth - 1)))"
    case 8: return "!(\(condition(topics, depth - 1)))"
    default: return "(\(condition(topics, depth - 1)) ? \(condition(topics, depth - 1)) : \(condition(topics, depth - 1)))"
    }
  }

  static func load(_ rules: [String]) throws -> RuleSet {
    try RuleSet.load(Array("{ policy: 'small', rules: [\(rules.joined(separator: ",\n"))] }".utf8), file: nil, environment: environment)
  }

  // MARK: - The world

  /// For each topic the values to try, by what they are values of; nil where it is not there.
  private static let values: [String: [(path: [String], values: [JSON?])]] = [
    "amount": [(["run", "amount"], [nil, 0.5, 1, 1.5, 2, 3])], "count": [(["run", "count"], [nil, 0, 1, 2, 3, 4, 7, 8])],
    "vendor": [(["run", "vendor"], [nil, "a", "b", "c", "cc"])],
    "pair": [(["run", "vendor"], [nil, "a", "b", "c", "d"]), (["args", "vendor"], [nil, "a", "b", "c", "d"])],
    "flag": [(["run", "flag"], [nil, true, false])], "risk": [(["run", "risk"], [nil, "low", "mid", "high"])],
    "score": [
      (["facts", "score"], [nil, "a", "q", 0, 1, 2.5, true, false, .null, [], ["x"], [1], ["x": .null], ["y": 1]])
    ],
    "tags": [(["run", "tags"], [nil, [], ["x"], ["y"], ["x", "y"], ["z"]])],
    "codes": [(["run", "codes"], [nil, [], [1], [1, 2], [1, 2, 3]])],
    "nested": [
      (
        ["args", "fields"],
        [
          nil, "text", 1, .null, [], [:], ["risk": "low"], ["risk": "x"], ["risk": 1], ["iban": .null], ["iban": 1, "risk": "low"],
          ["iban": 1, "risk": "x"],
        ]
      )
    ],
    "code": [
      (["run", "code"], [nil, "", "a", "ab", "b", "ba", "aba", "aa", "abb", "bb", "bba", "acba", "abc", "acb", "z", "za", "zbz", "az"])
    ],
    "now": [(["now"], ["2025-01-01T00:00:00Z", "2026-01-01T10:00:00Z", "2026-03-01T00:00:00Z", "2026-06-01T00:00:00Z"])],
  ]

  private static let people = ["agent:clerk", "user:ben", "user:kim", "system:engine"].flatMap { id in
    [[], ["finance"]].flatMap { roles in [nil, "user:ben"].compactMap { Request.Principal(id: id, roles: roles, owner: $0) } }
  }

  /// Every request over the values of the topics, with and without implied permits and allowances.
  static func world(_ topics: [String], earned: [String]) -> [Place] {
    var records: [[String: JSONObject]] = [[:]]
    for (path, values) in topics.flatMap({ values[$0] ?? [] })
    where !(path == ["run", "vendor"] && records.contains { $0["run"]?["vendor"] != nil }) {
      records = records.flatMap { record in
        values.map { value in
          var next = record
          next[path[0], default: [:]][path.last ?? ""] = value
          return next
        }
      }
    }
    let steps: [Request.Step?] =
      topics.contains("step") ? [nil, Request.Step(id: "s1", risk: "low"), Request.Step(id: "s2", risk: "high")] : [nil]
    let some = topics.contains("who") ? people : Array(people.prefix(earned.isEmpty ? 1 : 2))
    var places: [Place] = []
    for principal in some {
      for step in steps {
        for record in records {
          let now = record["now"]?["now"]?.stringValue.flatMap { Instant(iso8601: $0) } ?? RuleTests.defaultNow
          for isImplied in [false, true] {
            let request = Request(
              principal: principal, tool: Request.Tool(name: "pay", effect: .external), arguments: record["args"] ?? [:], step: step,
              run: record["run"] ?? [:], facts: record["facts"] ?? [:], now: now, implied: isImplied ? [.implied("step:s1")] : [])
            for subset in 0..<(1 << earned.count) {
              let allowances = earned.indices.filter { subset >> $0 & 1 == 1 }.map { earned[$0] }
              places.append(Place(request: request, allowances: Set(allowances)))
            }
          }
        }
      }
    }
    return places
  }
}
