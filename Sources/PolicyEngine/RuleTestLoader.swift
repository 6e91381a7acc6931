internal import Core

/// Reads a file of rule tests; all problems are collected.
struct RuleTestLoader {
  let rules: RuleSet
  let environment: PolicyEnvironment
  var problems = Problems()
  var tests: [RuleTests.Test] = []
  private var names: [ExactString: SourcePosition] = [:]

  private static let requestKeys = [
    "tool", "effect", "connector", "action", "consequential", "planned", "principal", "roles", "owner", "args", "run", "step", "facts",
    "labels", "requester", "now", "implied",
  ]

  init(rules: RuleSet, environment: PolicyEnvironment) {
    self.rules = rules
    self.environment = environment
  }

  mutating func load(_ file: PositionedJSON) {
    guard let top = ObjectReader(file, "a file of rule tests", keys: ["tests"], &problems) else { return }
    guard let list = top["tests"], let elements = list.arrayValue else {
      problems.add("missing-key", at: top["tests"]?.position ?? file.position, "a file of rule tests needs `tests`, a list")
      return
    }
    if elements.count > RuleTests.maximumTests {
      problems.add(
        "too-many-tests", at: list.position, "the file has \(elements.count) tests; at most \(RuleTests.maximumTests) can be used")
      return
    }
    for element in elements { test(element) }
  }

  private mutating func test(_ value: PositionedJSON) {
    guard let reader = ObjectReader(value, "a test", keys: ["name", "request", "expect", "by", "allowances"], &problems) else { return }
    let name = reader.text("name", maximumBytes: 512, &problems)
    if reader["name"] == nil { problems.add("missing-key", at: reader.position, "a test needs `name`") }
    if let name, let place = reader["name"]?.position {
      if let first = names[ExactString(name)] {
        problems.add("duplicate-name", at: place, "the name `\(visible(name))` is used twice", hint: "the other test is at \(first)")
      } else {
        names[ExactString(name)] = place
      }
    }
    let expected = expectation(reader)
    let by = ruleNames("by", reader)
    let allowances = ruleNames("allowances", reader)
    guard let place = reader["request"] else {
      problems.add("missing-key", at: reader.position, "a test needs `request`")
      return
    }
    guard let request = request(place), let name, let expected else { return }
    tests.append(
      RuleTests.Test(name: name, request: request, expected: expected, by: by, allowances: allowances, position: reader.position))
  }

  private mutating func expectation(_ reader: ObjectReader) -> Outcome? {
    let known = Outcome.allCases.map(\.rawValue)
    guard let text = reader.text("expect", &problems) else {
      if reader["expect"] == nil {
        problems.add("missing-key", at: reader.position, "a test needs `expect`, one of \(known.joined(separator: ", "))")
      }
      return nil
    }
    guard let outcome = Outcome(rawValue: text) else {
      problems.add(.unknown("verdict", text, known: known, at: reader["expect"]?.position))
      return nil
    }
    return outcome
  }

  /// Rules by id; ids of implied permits have a colon and cannot be checked here.
  private mutating func ruleNames(_ key: String, _ reader: ObjectReader) -> [String] {
    let given = reader.texts(key, &problems)
    for (id, place) in given where rules.rule(id) == nil && id != RuleSet.defaultRule && !id.utf8.contains(UInt8(ascii: ":")) {
      problems.add(.unknown("rule", id, known: rules.rules.map(\.id), at: place.position))
    }
    return given.map(\.text)
  }

  private mutating func request(_ value: PositionedJSON) -> Request? {
    guard let reader = ObjectReader(value, "`request`", keys: Self.requestKeys, &problems) else { return nil }
    let tool = self.tool(reader)
    let principal = self.principal(reader)
    let step = self.step(reader)
    let requester = self.requester(reader)
    var now = rules.now ?? RuleTests.defaultNow
    if let text = reader.text("now", maximumBytes: 64, &problems), let place = reader["now"] {
      if let given = Instant(iso8601: text) {
        now = given
      } else {
        problems.add("bad-time", at: place.position, "`now` is no time such as `2026-01-01T10:00:00Z`")
      }
    }
    let values = ["args", "run", "facts", "labels"].map { object($0, reader) }
    for field in reader["run"]?.objectValue ?? [] where !environment.fields.contains(where: { bytesEqual($0.name, field.key) }) {
      problems.add(.unknown("field", field.key, known: environment.fields.map(\.name), at: field.keyPosition))
    }
    guard let tool, let principal else { return nil }
    return Request(
      principal: principal, tool: tool, arguments: values[0], step: step, run: values[1], requester: requester, facts: values[2],
      labels: values[3], now: now, implied: reader.texts("implied", &problems).map { .implied($0.text) })
  }

  private mutating func object(_ key: String, _ reader: ObjectReader) -> JSONObject {
    guard let value = reader[key] else { return JSONObject() }
    if let object = value.json.objectValue { return object }
    problems.add("wrong-type", at: value.position, "`\(key)` is an object, here it is \(value.kind)")
    return JSONObject()
  }

  private mutating func tool(_ reader: ObjectReader) -> Request.Tool? {
    guard let name = reader.text("tool", maximumBytes: 256, &problems), let place = reader["tool"] else {
      if reader["tool"] == nil { problems.add("missing-key", at: reader.position, "`request` needs `tool`") }
      return nil
    }
    let known = environment.tool(named: name)?.tool
    if known == nil, let tools = environment.tools {
      var diagnostic = Diagnostic.unknown("tool", name, known: tools.map(\.tool.name), at: place.position)
      diagnostic.severity = .warning
      problems.add(diagnostic)
    }
    var effect = known?.effect ?? .external
    if let text = reader.text("effect", &problems) {
      if let given = EffectClass(rawValue: text) {
        effect = given
      } else {
        problems.add(.unknown("effect class", text, known: EffectClass.allCases.map(\.rawValue), at: reader["effect"]?.position))
      }
    }
    var action = known?.action
    if let text = reader.text("action", &problems) {
      action = ToolAction(rawValue: text)
      if action == nil {
        problems.add(.unknown("action", text, known: ToolAction.allCases.map(\.rawValue), at: reader["action"]?.position))
      }
    }
    return Request.Tool(
      name: name, effect: effect, connector: reader.text("connector", &problems) ?? known?.connector ?? "builtin", action: action,
      isConsequential: flag("consequential", reader) ?? known?.isConsequential, isPlanned: flag("planned", reader) ?? true)
  }

  private mutating func flag(_ key: String, _ reader: ObjectReader) -> Bool? {
    guard let value = reader[key] else { return nil }
    if let flag = value.json.boolValue { return flag }
    problems.add("wrong-type", at: value.position, "`\(key)` is `true` or `false`, here it is \(value.kind)")
    return nil
  }

  private mutating func principal(_ reader: ObjectReader) -> Request.Principal? {
    guard let id = reader.text("principal", maximumBytes: 256, &problems), let place = reader["principal"] else {
      if reader["principal"] == nil { problems.add("missing-key", at: reader.position, "`request` needs `principal`") }
      return nil
    }
    let roles = reader.texts("roles", &problems).map(\.text)
    guard let principal = Request.Principal(id: id, roles: roles, owner: reader.text("owner", &problems)) else {
      problems.add("bad-principal", at: place.position, "a principal is `user:<id>`, `agent:<id>` or `system:<id>`")
      return nil
    }
    return principal
  }

  private mutating func step(_ reader: ObjectReader) -> Request.Step? {
    guard let value = reader["step"] else { return nil }
    if value.stringValue != nil {
      guard let id = value.text("`step`", maximumBytes: 128, &problems) else { return nil }
      return knownStep(id, at: value.position) ?? Request.Step(id: id)
    }
    guard let step = ObjectReader(value, "`step`", keys: ["id", "risk", "iteration", "performer"], &problems) else { return nil }
    guard let id = step.text("id", maximumBytes: 128, &problems) else {
      if step["id"] == nil { problems.add("missing-key", at: step.position, "`step` needs `id`") }
      return nil
    }
    let known = knownStep(id, at: step["id"]?.position)
    return Request.Step(
      id: id, risk: step.text("risk", &problems) ?? known?.risk,
      iteration: step["iteration"]?.integer("`iteration`", in: 1...1_000_000, &problems) ?? 1,
      performer: step.text("performer", &problems) ?? known?.performer)
  }

  private mutating func knownStep(_ id: String, at position: SourcePosition?) -> Request.Step? {
    guard let steps = environment.steps else { return nil }
    if let step = environment.step(named: id) { return step }
    problems.add(.unknown("step", id, known: steps.map(\.id), at: position))
    return nil
  }

  private mutating func requester(_ reader: ObjectReader) -> Request.Requester? {
    guard let value = reader["requester"] else { return nil }
    if value.stringValue != nil { return value.text("`requester`", maximumBytes: 256, &problems).map { Request.Requester(id: $0) } }
    guard let requester = ObjectReader(value, "`requester`", keys: ["id", "roles"], &problems) else { return nil }
    guard let id = requester.text("id", maximumBytes: 256, &problems) else {
      if requester["id"] == nil { problems.add("missing-key", at: requester.position, "`requester` needs `id`") }
      return nil
    }
    return Request.Requester(id: id, roles: requester.texts("roles", &problems).map(\.text))
  }
}
