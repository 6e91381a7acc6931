internal import CEL
internal import Core

/// Gathers what the rules about one tool tell apart.
struct SpaceBuilder {
  typealias Subject = RequestSpace.Subject
  typealias Dimension = RequestSpace.Dimension

  let tool: PolicyEnvironment.Tool
  let isToolKnown: Bool
  let environment: PolicyEnvironment
  private var types: [ExactPath: Set<CELType>] = [:]
  private(set) var constants: [ExactPath: ValueDomain.Constants] = [:]
  private(set) var searches: [ExactPath: [TextSearch]] = [:]
  /// The lists that are asked for certain members.
  private(set) var searchedLists: Set<ExactPath> = []
  /// The pairs that are compared with each other by way of other pairs too: not every combination of their answers is possible.
  private(set) var circles: Set<Subject> = []
  private(set) var pairs: [(ExactPath, ExactPath)] = []
  private(set) var opaque: [ExactString: [ExactPath]] = [:]
  private var named: [String] = []
  /// What is told apart, in the order of the text, with what it needs first.
  private var order: [Subject] = []
  private var known: Set<Subject> = []
  /// What is asked of values beside their regions.
  private(set) var questions: [Subject] = []

  /// The conditions, taken apart, with the environment in which each was compiled.
  private(set) var formulas: [(formula: ConditionReading.Formula, condition: RuleCondition)?] = []

  init(tool: PolicyEnvironment.Tool, isToolKnown: Bool, environment: PolicyEnvironment) {
    self.tool = tool
    self.isToolKnown = isToolKnown
    self.environment = environment
    if isToolKnown, tool.tool.connector == "builtin" { add(.implied) }
    add(.principal)
  }

  // MARK: - Reading

  /// Reads a rule as well.
  mutating func read(_ rule: Rule, _ condition: RuleCondition?) {
    for pattern in rule.principals {
      if case .exact(let id) = pattern { named.append(id) }
      if case .role(let role) = pattern { add(.role(ExactString(role))) }
    }
    for step in rule.steps { note(ExactPath(["step", "id"]), .text(step)) }
    if rule.isEarned {
      add(.allowance(ExactString(rule.id)))
      if rule.approval?.asksOwner ?? true { note(ExactPath(["principal", "owner"]), .presence) }
    }
    guard let condition else { return formulas.append(nil) }
    var reading = ConditionReading(condition.program)
    formulas.append((reading.formula(), condition))
    for reference in condition.program.references { types[ExactPath(reference.path), default: []].insert(reference.type) }
    for (path, new) in reading.notes { note(path, new, condition) }
  }

  private mutating func add(_ subject: Subject) { if known.insert(subject).inserted { order.append(subject) } }
  private mutating func ask(_ subject: Subject) { if known.insert(subject).inserted { questions.append(subject) } }

  private mutating func note(_ path: ExactPath, _ new: ConditionReading.Note, _ condition: RuleCondition? = nil) {
    guard let path = subject(of: path, new, condition) else { return }
    add(.value(path))
    var known = constants[path] ?? ValueDomain.Constants()
    switch new {
    case .text(let text): known.add(text)
    case .number(let number): known.numbers.insert(number)
    case .flag: known.hasFlags = true
    case .null: known.hasNull = true
    case .member: known.hasMembers = true
    case .search: known.isSearched = true
    case .presence: break
    }
    constants[path] = known
  }

  /// The path whose choice tells something apart; nil where no such choice is needed.
  private mutating func subject(of path: ExactPath, _ new: ConditionReading.Note, _ condition: RuleCondition?) -> ExactPath? {
    switch path.root {
    case "principal" where path.names.last != "owner":
      if case .text(let text) = new, path.names.last == "id" { named.append(text) }
      return nil
    case "tool": return path.names.last == "planned" || !isToolKnown && path.names.last != "name" && path.names.count == 2 ? path : nil
    case "step", "requester":
      let id = ExactPath([path.root, "id"])
      if path == id { return id }
      add(.value(id))
      let isOwn = path.root == "step" && path.names.count == 2 && (path.names[1] == "iteration" || environment.steps == nil)
      return isOwn ? path : nil
    case "run", "args", "facts", "labels":
      if path.names.count < 2 { return nil }
      if let parent = path.parent, parent.names.count > 1 {
        note(parent, .presence, condition)
        constants[parent]?.hasFields = true
        if types[parent] == nil, let type = try? condition?.environment.compile(parent.text).type { types[parent] = [type] }
      }
      return path
    default: return path.root == "now" || path.root == "principal" ? path : nil
    }
  }

  /// Notes what a comparison needs beside the regions of what it reads.
  mutating func read(_ comparison: ConditionReading.Comparison, _ condition: RuleCondition) {
    let path = comparison.paths.first ?? ExactPath([])
    switch comparison.kind {
    case .plain: break
    case .member(let text):
      if path == ExactPath(["principal", "roles"]) { return add(.role(ExactString(text))) }
      if path.root != "requester", type(of: path) == .dyn || type(of: path).isMap {
        note(ExactPath(path.names + [text]), .presence, condition)
      }
      searchedLists.insert(path)
      ask(.member(path, ExactString(text)))
    case .search:
      guard let search = TextSearch(comparison.expression), constants[path] != nil else { return }
      if !searches[path, default: []].contains(search) { searches[path, default: []].append(search) }
      ask(.search(path, search))
    case .same:
      let subject = Self.same(comparison.paths[0], comparison.paths[1])
      if !known.contains(subject) { pairs.append((comparison.paths[0], comparison.paths[1])) }
      ask(subject)
    case .size:
      if type(of: path) == .dyn { opaque[ExactString(comparison.expression.description)] = [path] }
    case .opaque: opaque[ExactString(comparison.expression.description)] = comparison.paths
    }
  }

  /// The choice whether two values are equal, whichever is named first.
  static func same(_ a: ExactPath, _ b: ExactPath) -> Subject { bytesLess(a.text, b.text) ? .same(a, b) : .same(b, a) }

  /// The type that a value is declared with; `dyn` where rules read it as different ones.
  func type(of path: ExactPath) -> CELType {
    if path.root == "now" { return .timestamp }
    if path.names.last == ExactPath.size { return .int }
    if path.root == "tool" { return ["consequential", "planned"].contains(path.names.last) ? .bool : .string }
    if ["step", "requester", "principal"].contains(path.root) { return path.names.last == "iteration" ? .int : .string }
    let known = (types[path] ?? []).filter { $0 != .dyn }
    return known.count == 1 ? known.first ?? .dyn : .dyn
  }

  // MARK: - The space

  /// What was gathered, as choices in order.
  mutating func finished() -> RequestSpace {
    for (formula, condition) in formulas.compactMap(\.self) { formula.forEach { read($0, condition) } }
    shareConstants()
    findCircles()
    let principals = principals()
    var levels: [Subject: Int] = [:]
    var dimensions: [Dimension] = []
    for (level, subject) in subjects.enumerated() {
      levels[subject] = level
      dimensions.append(dimension(subject, principals.all.count, levels, dimensions))
    }
    return RequestSpace(
      tool: tool.tool, isToolKnown: isToolKnown, environment: environment, principals: principals.all, named: principals.named,
      dimensions: dimensions, elements: elements)
  }

  /// An element of each typed list.
  private var elements: [ExactPath: JSON] {
    var elements: [ExactPath: JSON] = [:]
    for path in types.keys {
      guard case .list(let element) = type(of: path) else { continue }
      switch element {
      case .string: elements[path] = "other"
      case .int, .double: elements[path] = 1
      case .bool: elements[path] = true
      default: break
      }
    }
    return elements
  }

  /// All choices, each question as soon as what it is asked of is known: so little has to be remembered in between.
  private var subjects: [Subject] {
    var all: [Subject] = []
    var waiting: [Subject: [Subject]] = [:]
    for question in questions { for need in Self.needs(of: question) { waiting[need, default: []].append(question) } }
    var placed: Set<Subject> = []
    // Who asks, and in which step, comes first.
    func rank(_ subject: Subject) -> Int {
      switch subject {
      case .implied, .allowance: 0
      case .principal: 1
      case .role: 2
      case .value(let path) where path.root == "step": 3
      default: 4
      }
    }
    let ranked = Dictionary(grouping: order, by: rank)
    for subject in (0...4).flatMap({ ranked[$0] ?? [] }) {
      all.append(subject)
      placed.insert(subject)
      for question in waiting[subject] ?? [] where Self.needs(of: question).allSatisfy({ placed.contains($0) }) { all.append(question) }
    }
    let answerable = Set(all)
    return all + questions.filter { !answerable.contains($0) } + opaque.keys.sorted().map { .opaque($0) }
  }

  /// The values that have to be known before something is asked of them.
  private static func needs(of question: Subject) -> [Subject] {
    switch question {
    case .member(let path, _) where path.root == "requester": [.value(ExactPath(["requester", "id"]))]
    case .member(let path, _), .search(let path, _): [.value(path)]
    case .same(let a, let b): [.value(a), .value(b)]
    default: []
    }
  }

  /// Values that are compared with each other are told apart by the same constants.
  private mutating func shareConstants() {
    var count = -1
    var total = 0
    while total > count {
      count = total
      total = 0
      for (a, b) in pairs {
        let choices = [a, b].flatMap { self.choices($0) ?? [] }
        let texts = [a, b].flatMap { constants[$0]?.texts ?? [] } + choices.compactMap { $0.stringValue.map { ExactString($0) } }
        let numbers = [a, b].flatMap { constants[$0]?.numbers ?? [] } + choices.compactMap { $0.numberValue?.exactDouble }
        for path in [a, b] {
          for text in texts { constants[path]?.add(text.string) }
          constants[path]?.numbers.formUnion(numbers)
          total += (constants[path]?.texts.count ?? 0) + (constants[path]?.numbers.count ?? 0)
        }
      }
    }
  }

  private mutating func findCircles() {
    var groups: [ExactPath: Int] = [:]
    for (number, (a, b)) in pairs.enumerated() {
      let (x, y) = (groups[a] ?? 2 * number, groups[b] ?? 2 * number + 1)
      if x == y { circles.insert(Self.same(a, b)) }
      for (path, group) in groups where group == y { groups[path] = x }
      (groups[a], groups[b]) = (x, x)
    }
  }

  /// All that a value can be, where that is known.
  func choices(_ path: ExactPath) -> [JSON]? {
    switch path.names {
    case ["step", "id"]: if let steps = environment.steps { return steps.map { .string($0.id) } }
    case ["tool", "effect"]: return EffectClass.allCases.map { .string($0.rawValue) }
    default: break
    }
    return (path.root == "args" ? tool.choices : environment.choices).first { ExactPath($0.path) == path }?.values
  }

  private func principals() -> (all: [Request.Principal], named: Int) {
    let ids = Set(named.map { ExactString($0) }).sorted().map(\.string)
    let known = ids.compactMap { Request.Principal(id: $0) }
    // Examples are of agents where nothing says who asks.
    let others = [PrincipalKind.agent, .user, .system].compactMap { kind -> Request.Principal? in
      let names: [String] =
        switch kind {
        case .agent: environment.agents ?? ["another"]
        case .user: (environment.users ?? []) + ["another"]
        case .system: ["engine", "another"]
        }
      let free = names.map { "\(kind.rawValue):\($0)" }.first { name in !ids.contains { bytesEqual($0, name) } }
      return free.flatMap { Request.Principal(id: $0) }
    }
    return (known + others, known.count)
  }
}

extension TextSearch {
  /// The search that a call is.
  init?(_ expression: CELExpression) {
    guard case .call(let name, _?, let parts) = expression.kind, let kind = Kind(rawValue: name),
      case .literal(.string(let text))? = parts.first?.kind
    else { return nil }
    self.init(kind: kind, part: ExactString(text))
  }
}

extension ValueDomain.Region {
  /// Whether all values are texts.
  var isText: Bool {
    switch self {
    case .text, .point(.string): true
    default: false
    }
  }
}

extension CELType {
  /// Whether every value is an object.
  fileprivate var isMap: Bool {
    switch self {
    case .map, .object: true
    default: false
    }
  }
}

extension ConditionReading.Formula {
  /// Calls the body with every comparison, from left to right.
  func forEach(_ body: (ConditionReading.Comparison) -> Void) {
    switch self {
    case .constant: break
    case .not(let part): part.forEach(body)
    case .all(let parts), .any(let parts): for part in parts { part.forEach(body) }
    case .choice(let a, let b, let c): for part in [a, b, c] { part.forEach(body) }
    case .comparison(let comparison): body(comparison)
    }
  }
}
