internal import CEL
internal import Core

/// Every request about one tool, as far as these rules can tell requests apart.
///
/// Values are those that fit the declared types and choices: the gate refuses others before any rule is asked.
struct RequestSpace {
  let tool: Request.Tool
  let aspects: [Aspect]
  /// For each rule what keeps it from being understood exactly; nil where nothing does.
  let doubts: [ExactString: String]

  /// A request that is known in part: for each aspect the place of its choice.
  typealias Point = [Int?]

  init(tool: PolicyEnvironment.Tool, sets: [RuleSet], environment: PolicyEnvironment) {
    self.tool = tool.tool
    var builder = SpaceBuilder(tool: tool, environment: environment)
    for set in sets {
      for (rule, condition) in zip(set.compiled.rules, set.compiled.conditions)
      where rule.tools.contains(where: { $0.matches(tool.tool.name) }) {
        builder.read(rule, condition?.program)
      }
    }
    (aspects, doubts) = builder.finished()
  }

  /// The place of an aspect.
  func place(of kind: Aspect.Kind) -> Int? { aspects.firstIndex { $0.kind == kind } }

  /// The choice that was made of an aspect; nil where it is open or there is no such aspect.
  func choice(_ kind: Aspect.Kind, in point: Point) -> Aspect.Choice? {
    place(of: kind).flatMap { place in point[place].map { aspects[place].choices[$0] } }
  }

  /// Whether everything of which a value is a part, or that is a part of it, is known.
  func isKnown(_ path: [String], in point: Point) -> Bool {
    let own = ExactPath(path)
    return aspects.indices.allSatisfy { place in
      if point[place] != nil { return true }
      switch aspects[place].kind {
      case .principal: return path.first != "principal"
      case .role: return path.first != "principal" || path.count > 1 && path[1] != "roles"
      case .step: return path.first != "step"
      case .requester: return path.first != "requester"
      case .requesterRole: return path.first != "requester" || path.count > 1 && path[1] != "roles"
      case .value(let other): return !other.overlaps(own)
      case .implied, .allowance: return true
      }
    }
  }

  /// The request that a point stands for; what is open is left out.
  func request(_ point: Point) -> Request {
    var principal = Request.Principal(id: "agent:another", owner: "user:owner") ?? Self.fallback
    var (step, requester) = (Request.Step?.none, Request.Requester?.none)
    var (roles, requesterRoles): ([String], [String]) = ([], [])
    var values: [String: JSON] = [:]
    var now = RuleTests.defaultNow
    var isImplied = false
    for (place, aspect) in aspects.enumerated() {
      guard let chosen = point[place] else { continue }
      switch (aspect.kind, aspect.choices[chosen].part) {
      case (_, .principal(let chosen)): principal = chosen
      case (_, .step(let chosen)): step = chosen
      case (_, .requester(let chosen)): requester = chosen
      case (.role(let role), .flag(true)): roles.append(role)
      case (.requesterRole(let role), .flag(true)): requesterRoles.append(role)
      case (.implied, .flag(let flag)): isImplied = flag
      case (.value(let path), .value(let value?)):
        if path.names == ["now"] {
          now = Instant(milliseconds: value.intValue ?? now.milliseconds)
        } else if path.names == ["step", "iteration"] {
          continue
        } else {
          values[path.names[0]] = Self.setting(values[path.names[0]] ?? .object([:]), path.names.dropFirst(), value)
        }
      default: break
      }
    }
    if case .value(let iteration?)? = choice(.value(ExactPath(["step", "iteration"])), in: point)?.part, let known = step {
      step = Request.Step(id: known.id, risk: known.risk, iteration: Int(iteration.intValue ?? 1), performer: known.performer)
    }
    func object(_ name: String) -> JSONObject { values[name]?.objectValue ?? [:] }
    return Request(
      principal: Request.Principal(id: principal.id, roles: roles, owner: principal.owner) ?? principal, tool: tool,
      arguments: object("args"), step: step, run: object("run"),
      requester: requester.map { Request.Requester(id: $0.id, roles: requesterRoles) }, facts: object("facts"), labels: object("labels"),
      now: now, implied: isImplied ? [.implied("step")] : [])
  }

  private static let fallback = Request.Principal(id: "system:engine") ?? unreachable()
  private static func unreachable() -> Request.Principal { preconditionFailure("`system:engine` is a principal") }

  private static func setting(_ value: JSON, _ names: ArraySlice<String>, _ leaf: JSON) -> JSON {
    guard let name = names.first else { return leaf }
    var object = value.objectValue ?? [:]
    object[name] = setting(object[name] ?? .object([:]), names.dropFirst(), leaf)
    return .object(object)
  }
}

/// Gathers what the rules about one tool tell apart.
private struct SpaceBuilder {
  let tool: PolicyEnvironment.Tool
  let environment: PolicyEnvironment
  private var reading = ConditionReading()
  private var principals: [PrincipalPattern] = []
  private var steps: [String] = []
  private var hasEarned = false
  private var doubts: [ExactString: String] = [:]
  /// For each rule the values that it reads.
  private var reads: [(rule: String, paths: [ExactPath])] = []

  init(tool: PolicyEnvironment.Tool, environment: PolicyEnvironment) {
    self.tool = tool
    self.environment = environment
  }

  mutating func read(_ rule: Rule, _ program: CELProgram?) {
    principals += rule.principals
    steps += rule.steps
    hasEarned = hasEarned || rule.isEarned
    guard let program else { return }
    let before = reading.opaque.count
    reading.read(program)
    if reading.opaque.count > before { doubts[ExactString(rule.id)] = "what `\(reading.opaque[before])` can be is not analysed" }
    reads.append((rule.id, program.references.map { ExactPath($0.path) }))
  }

  mutating func finished() -> (aspects: [Aspect], doubts: [ExactString: String]) {
    var aspects = [principal(), step(), Aspect(kind: .implied, choices: Self.flags(nil, nil))]
    if hasEarned { aspects.append(Aspect(kind: .allowance, choices: Self.flags(nil, nil))) }
    for role in roles { aspects.append(.init(kind: .role(role), choices: Self.flags("\(Aspect.quoted(role)) in principal.roles"))) }
    if reading.constants.keys.contains(where: { $0.names[0] == "requester" }) { aspects += requester() }
    for path in reading.constants.keys.sorted() { if let aspect = value(path) { aspects.append(aspect) } }
    return (aspects, doubts)
  }

  private static func flags(_ test: String) -> [Aspect.Choice] { flags("!(\(test))", test) }
  private static func flags(_ no: String?, _ yes: String?) -> [Aspect.Choice] {
    [Aspect.Choice(part: .flag(false), test: no), Aspect.Choice(part: .flag(true), test: yes)]
  }

  private mutating func doubt(_ path: ExactPath, _ why: String) {
    for (rule, paths) in reads where paths.contains(where: { $0.overlaps(path) }) && doubts[ExactString(rule)] == nil {
      doubts[ExactString(rule)] = why
    }
  }

  private func constants(_ path: String...) -> [String] {
    (reading.constants[ExactPath(path)] ?? []).compactMap {
      switch $0 {
      case .text(let text), .member(let text): text
      default: nil
      }
    }
  }

  private func unique(_ texts: [String]) -> [String] { Set(texts.map { ExactString($0) }).sorted().map(\.string) }

  // MARK: - Who and where

  private var roles: [String] {
    unique(principals.compactMap { if case .role(let role) = $0 { role } else { nil } } + constants("principal", "roles"))
  }

  private func principal() -> Aspect {
    let named = unique(principals.compactMap { if case .exact(let id) = $0 { id } else { nil } } + constants("principal", "id"))
    var choices: [Aspect.Choice] = []
    func add(_ id: String, _ test: String) {
      guard let principal = Request.Principal(id: id, owner: id.hasPrefix("agent:") ? "user:owner" : nil) else { return }
      choices.append(Aspect.Choice(part: .principal(principal), test: test))
    }
    for id in named { add(id, "principal.id == \(Aspect.quoted(id))") }
    for kind in PrincipalKind.allCases {
      let known: [String]? = kind == .agent ? environment.agents : kind == .user ? environment.users : nil
      let prefix = "\(kind.rawValue):"
      let taken = named.filter { $0.hasPrefix(prefix) }
      let other = known.map { $0.map { prefix + $0 }.first { !taken.contains($0) } } ?? "\(prefix)another"
      guard let other, !taken.contains(other) else { continue }
      let but = taken.isEmpty ? "" : " && !(principal.id in [\(taken.map(Aspect.quoted).joined(separator: ", "))])"
      add(other, "principal.kind == \"\(kind.rawValue)\"\(but)")
    }
    return Aspect(kind: .principal, choices: choices)
  }

  private mutating func step() -> Aspect {
    let named = unique(steps + constants("step", "id"))
    var choices = [Aspect.Choice(part: .step(nil), test: "!has(step.id)")]
    let readsMore = ["risk", "performer"].contains { reading.constants[ExactPath(["step", $0])] != nil }
    func add(_ step: Request.Step, _ test: String) { choices.append(Aspect.Choice(part: .step(step), test: test)) }
    guard let known = environment.steps else {
      if readsMore { doubt(ExactPath(["step"]), "the steps are not known") }
      for id in named { add(Request.Step(id: id), "step.id == \(Aspect.quoted(id))") }
      let but = named.isEmpty ? "has(step.id)" : "!(step.id in [\(named.map(Aspect.quoted).joined(separator: ", "))])"
      add(Request.Step(id: "another-step"), but)
      return Aspect(kind: .step, choices: choices)
    }
    let shown = readsMore ? known.map(\.id) : named
    for step in known where shown.contains(where: { bytesEqual($0, step.id) }) { add(step, "step.id == \(Aspect.quoted(step.id))") }
    if let other = known.first(where: { step in !shown.contains { bytesEqual($0, step.id) } }) {
      add(other, shown.isEmpty ? "has(step.id)" : "!(step.id in [\(shown.map(Aspect.quoted).joined(separator: ", "))])")
    }
    return Aspect(kind: .step, choices: choices)
  }

  private func requester() -> [Aspect] {
    let named = unique(constants("requester", "id"))
    var choices = [Aspect.Choice(part: .requester(nil), test: "!has(requester.id)")]
    for id in named { choices.append(.init(part: .requester(.init(id: id)), test: "requester.id == \(Aspect.quoted(id))")) }
    let but = named.isEmpty ? "has(requester.id)" : "!(requester.id in [\(named.map(Aspect.quoted).joined(separator: ", "))])"
    choices.append(.init(part: .requester(.init(id: "user:somebody")), test: but))
    return [Aspect(kind: .requester, choices: choices)]
      + unique(constants("requester", "roles")).map {
        Aspect(kind: .requesterRole($0), choices: Self.flags("\(Aspect.quoted($0)) in requester.roles"))
      }
  }

  // MARK: - Values

  private mutating func value(_ path: ExactPath) -> Aspect? {
    let constants = reading.constants[path] ?? []
    switch path.names[0] {
    case "run", "args", "facts", "labels": break
    case "now":
      if !constants.allSatisfy({ if case .instant = $0 { true } else { false } }) {
        doubt(path, "what `now` is compared with is not analysed")
      }
      return .now(constants.compactMap { if case .instant(let time) = $0 { time } else { nil } })
    case "step" where path.names == ["step", "iteration"]:
      return Aspect.value(path, .int, constants, choices: nil, isRequired: true).aspect
    case "principal":
      if !["id", "kind", "roles"].contains(path.names.dropFirst().first) {
        doubt(path, "`\(path.names.joined(separator: "."))` is not analysed")
      }
      return nil
    case "tool":
      if path.names.last == "planned" { doubt(path, "`tool.planned` is not analysed") }
      return nil
    default: return nil
    }
    if path.names.count == 1 || reading.constants.keys.contains(where: { $0 != path && $0.overlaps(path) }) {
      doubt(path, "`\(path.names.joined(separator: "."))` is read as a whole and in parts")
      if path.names.count == 1 { return nil }
    }
    let known = (path.names[0] == "args" ? tool.choices : environment.choices).first { ExactPath($0.path) == path }?.values
    let required =
      path.names.count == 2 && path.names[0] == "args"
      && (tool.schema?["required"]?.arrayValue ?? []).contains { $0.stringValue.map { bytesEqual($0, path.names[1]) } ?? false }
    let type = reading.types[path] ?? .dyn
    let (aspect, isExact) = Aspect.value(path, type, constants, choices: known, isRequired: required)
    if !isExact { doubt(path, "`\(path.names.joined(separator: "."))` can be more than is analysed") }
    return aspect
  }
}
