internal import Core

/// Reads a file of rules and checks everything in it that can be checked without a request; all problems are collected.
struct RuleLoader {
  static let ruleKeys = [
    "id", "permit", "hold", "forbid", "by", "step", "when", "approval", "autonomy", "clause", "reason",
  ]

  let environment: PolicyEnvironment
  var compiler: ConditionCompiler
  var problems = Problems()
  var rules: [Rule] = []
  var conditions: [RuleCondition?] = []
  private var places: [ExactString: SourcePosition] = [:]
  private let toolNames: [String]?

  init(environment: PolicyEnvironment) {
    self.environment = environment
    compiler = ConditionCompiler(environment: environment)
    toolNames = environment.tools?.map(\.tool.name)
  }

  mutating func load(_ file: PositionedJSON) -> (policy: String, now: Instant?, missing: Rule.Approval?) {
    checkEnvironment(at: file.position)
    guard let top = ObjectReader(file, "a file of rules", keys: ["policy", "now", "missing", "rules"], &problems) else {
      return ("", nil, nil)
    }
    let policy = top.text("policy", maximumBytes: 128, &problems)
    if top["policy"] == nil { problems.add("missing-key", at: file.position, "a file of rules needs `policy`, its name") }
    var now: Instant?
    if let text = top.text("now", maximumBytes: 64, &problems), let place = top["now"] {
      now = Instant(iso8601: text)
      if now == nil { problems.add("bad-time", at: place.position, "`now` is no time such as `2026-01-01T10:00:00Z`") }
    }
    let missing = self.missing(top)
    guard let list = top["rules"] else {
      problems.add("missing-key", at: file.position, "a file of rules needs `rules`, a list")
      return (policy ?? "", now, missing)
    }
    guard let elements = list.arrayValue else {
      problems.add("wrong-type", at: list.position, "`rules` is a list, here it is \(list.kind)")
      return (policy ?? "", now, missing)
    }
    if elements.count > RuleSet.maximumRules {
      problems.add(
        "too-many-rules", at: list.position, "the file has \(elements.count) rules; at most \(RuleSet.maximumRules) can be used")
      return (policy ?? "", now, missing)
    }
    for element in elements { rule(element) }
    return (policy ?? "", now, missing)
  }

  /// Who decides where a fact is missing.
  private mutating func missing(_ top: ObjectReader) -> Rule.Approval? {
    guard let value = top["missing"], let reader = ObjectReader(value, "`missing`", keys: ["approval"], &problems) else { return nil }
    guard let approval = reader["approval"] else {
      problems.add(
        "missing-key", at: reader.position, "`missing` needs `approval`: who decides where a fact is missing",
        hint: "for example missing: { approval: { roles: [\"finance\"] } }")
      return nil
    }
    return self.approval(approval, needsRoles: true)
  }

  /// What the caller says there is has to be nameable and unmistakable, or a rule could be about the wrong tool.
  private mutating func checkEnvironment(at position: SourcePosition) {
    guard let toolNames else { return }
    for name in toolNames {
      if let problem = ToolName.problem(with: name) { problems.add("bad-tool-name", at: position, problem) }
    }
    for (a, b) in ToolName.lookAlikes(in: toolNames) {
      problems.add(
        "look-alike-tools", at: position, "the tools `\(visible(a))` and `\(visible(b))` look alike", hint: "rename one of them")
    }
  }

  private mutating func rule(_ value: PositionedJSON) {
    guard let reader = ObjectReader(value, "a rule", keys: Self.ruleKeys, &problems) else { return }
    let id = self.id(reader)
    guard let (effect, tools) = effect(reader) else { return }
    let principals = self.principals(reader)
    let steps = self.steps(reader)
    let isEarned = autonomy(reader, effect)
    let approval = self.approval(reader, effect, isEarned: isEarned)
    let clause = self.clause(reader)
    let reason = reader.text("reason", maximumBytes: 2000, &problems)
    var compiled: RuleCondition?
    var condition: String?
    if let when = reader["when"] {
      condition = when.text("`when`", maximumBytes: RuleSet.maximumConditionBytes, &problems)
      if let condition { compiled = compiler.compile(condition, in: when, tools: tools, &problems) }
    }
    guard let id else { return }
    rules.append(
      Rule(
        id: environment.kind == .guard ? RuleSet.guardPrefix + id : id, effect: effect, tools: tools, principals: principals, steps: steps,
        condition: condition, approval: approval,
        isEarned: isEarned, clause: clause, reason: reason, position: reader.position))
    conditions.append(compiled)
  }

  private mutating func id(_ reader: ObjectReader) -> String? {
    guard let place = reader["id"] else {
      problems.add("missing-key", at: reader.position, "a rule needs `id`")
      return nil
    }
    guard let id = reader.text("id", maximumBytes: 128, &problems) else { return nil }
    if let problem = ToolName.problem(with: id, subject: "the id of a rule") {
      problems.add("bad-id", at: place.position, problem)
      return nil
    }
    if id == RuleSet.defaultRule {
      problems.add("bad-id", at: place.position, "`\(id)` is what a refusal is called when no rule matches; choose another id")
      return nil
    }
    if let first = places.updateValue(place.position, forKey: ExactString(id)) {
      problems.add("duplicate-id", at: place.position, "the id `\(id)` is used twice", hint: "the other rule is at \(first)")
      places[ExactString(id)] = first
      return nil
    }
    return id
  }

  private mutating func effect(_ reader: ObjectReader) -> (Outcome, [ToolPattern])? {
    let given = Outcome.allCases.filter { reader[$0.rawValue] != nil }
    guard let effect = given.first, given.count == 1 else {
      let message =
        given.isEmpty ? "a rule needs one of `permit`, `hold` and `forbid`" : "a rule has only one of `permit`, `hold` and `forbid`"
      problems.add("rule-effect", at: given.last.flatMap { reader.keyPosition($0.rawValue) } ?? reader.position, message)
      return nil
    }
    if environment.kind == .guard, effect == .permit {
      problems.add(
        "guard-permits", at: reader.keyPosition("permit"), "a guard cannot permit; it only holds or forbids",
        hint: "put the permit into the rules of the process")
    }
    var patterns: [ToolPattern] = []
    for (text, place) in reader.texts(effect.rawValue, &problems) {
      do throws(PatternProblem) {
        let pattern = try ToolPattern.parse(text)
        patterns.append(pattern)
        check(pattern, at: place)
      } catch {
        problems.add("bad-tool-name", at: place.position, error.message)
      }
    }
    return patterns.isEmpty ? nil : (effect, patterns)
  }

  private mutating func check(_ pattern: ToolPattern, at place: PositionedJSON) {
    guard let toolNames, !toolNames.contains(where: { pattern.matches($0) }) else { return }
    switch pattern {
    case .exact(let name): problems.add(.unknown("tool", name, known: toolNames, at: place.position))
    case .prefix, .any:
      problems.add(
        Diagnostic("no-such-tools", at: place.position, "no tool's name fits `\(pattern)`", severity: .warning))
    }
  }

  private mutating func principals(_ reader: ObjectReader) -> [PrincipalPattern] {
    var patterns: [PrincipalPattern] = []
    for (text, place) in reader.texts("by", &problems) {
      do throws(PatternProblem) {
        let pattern = try PrincipalPattern.parse(text)
        patterns.append(pattern)
        check(pattern, at: place)
      } catch {
        problems.add("bad-principal", at: place.position, error.message)
      }
    }
    return patterns
  }

  private mutating func check(_ pattern: PrincipalPattern, at place: PositionedJSON) {
    switch pattern {
    case .role(let role): checkRole(role, at: place)
    case .exact(let id):
      guard let colon = id.utf8.firstIndex(of: UInt8(ascii: ":")) else { return }
      let name = String(id[id.utf8.index(after: colon)...])
      let (kind, known): (String, [String]?) =
        switch PrincipalKind(of: id) {
        case .agent: ("agent", environment.agents)
        case .user: ("user", environment.users)
        default: ("", nil)
        }
      if let known, !known.contains(where: { bytesEqual($0, name) }) {
        problems.add(.unknown(kind, name, known: known, at: place.position))
      }
    case .kind, .any: break
    }
  }

  mutating func checkRole(_ role: String, at place: PositionedJSON) {
    guard let known = environment.roles, !known.contains(where: { bytesEqual($0, role) }) else { return }
    problems.add(.unknown("role", role, known: known, at: place.position))
  }

  private mutating func steps(_ reader: ObjectReader) -> [String] {
    let steps = reader.texts("step", &problems)
    if let known = environment.steps?.map(\.id) {
      for (step, place) in steps where !known.contains(where: { bytesEqual($0, step) }) {
        problems.add(.unknown("step", step, known: known, at: place.position))
      }
    }
    return steps.map(\.text)
  }

  private mutating func autonomy(_ reader: ObjectReader, _ effect: Outcome) -> Bool {
    guard let place = reader["autonomy"], let text = reader.text("autonomy", &problems) else { return false }
    if text != "earned" {
      problems.add("bad-autonomy", at: place.position, "`autonomy` is `earned`, or it is left out")
      return false
    }
    if effect != .permit {
      problems.add("bad-autonomy", at: reader.keyPosition("autonomy"), "only a permit can be earned, this rule says `\(effect.rawValue)`")
      return false
    }
    return true
  }

  private mutating func clause(_ reader: ObjectReader) -> String? {
    guard let place = reader["clause"], let clause = reader.text("clause", maximumBytes: 512, &problems) else { return nil }
    let parts = clause.utf8.split(separator: UInt8(ascii: "#"), omittingEmptySubsequences: false)
    if parts.count != 2 || parts.contains(where: \.isEmpty) {
      problems.add("bad-clause", at: place.position, "a clause is `document#heading`, such as `policy.md#4.1`")
    } else if let known = environment.clauses, !known.contains(where: { bytesEqual($0, clause) }) {
      problems.add(.unknown("clause", clause, known: known, at: place.position))
    }
    return clause
  }
}
