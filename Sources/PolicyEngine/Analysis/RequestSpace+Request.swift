internal import Core

extension RequestSpace {
  /// The request that choices stand for, with values that are given in place of the examples of their regions; what is open is left out.
  func request(_ choices: Choices, given: [ExactPath: JSON] = [:]) -> Request {
    let maker = RequestMaker(space: self, choices: choices, given: given)
    func object(_ root: String) -> JSONObject { maker.object(ExactPath([root])) }
    let isImplied = level(.implied).flatMap { choices[$0] } == 1
    return Request(
      principal: maker.principal, tool: maker.tool, arguments: object("args"), step: maker.step, run: object("run"),
      requester: maker.requester, facts: object("facts"), labels: object("labels"), now: maker.now,
      implied: isImplied ? [.implied("step")] : [])
  }

  /// For each value that is compared with others the number of the example to take: the same for equal ones, else another one.
  func exampleNumbers(_ choices: Choices) -> [ExactPath: Int] {
    var numbers: [ExactPath: Int] = [:]
    var next = 0
    for (level, dimension) in dimensions.enumerated() {
      guard case .same(let a, let b) = dimension.subject else { continue }
      for path in [a, b] where numbers[path] == nil {
        numbers[path] = next
        next += 1
      }
      if choices[level] == 1, let x = numbers[a], let y = numbers[b] {
        for (path, number) in numbers where number == y { numbers[path] = x }
      }
    }
    return numbers
  }
}

/// Puts a request together.
private struct RequestMaker {
  let space: RequestSpace
  let choices: RequestSpace.Choices
  let given: [ExactPath: JSON]
  let numbers: [ExactPath: Int]

  init(space: RequestSpace, choices: RequestSpace.Choices, given: [ExactPath: JSON]) {
    self.space = space
    self.choices = choices
    self.given = given
    numbers = space.exampleNumbers(choices)
  }

  private func value(_ names: String...) -> JSON? { value(ExactPath(names)) }

  private func value(_ path: ExactPath) -> JSON? {
    guard let level = space.level(.value(path)), let chosen = choices[level], let domain = space.dimensions[level].domain
    else { return nil }
    if let value = given[path] { return value }
    switch domain.regions[chosen] {
    case .object: return .object(object(path))
    case .list: return .array(elements(of: path))
    case .text: return searched(path, domain) ?? domain.example(chosen, numbers[path] ?? 0)
    default: return domain.example(chosen, numbers[path] ?? 0)
    }
  }

  func object(_ path: ExactPath) -> JSONObject {
    var object = JSONObject()
    for member in space.members(of: path) { object[member.names.last ?? ""] = value(member) }
    return object
  }

  private func members(of path: ExactPath) -> [String] {
    space.dimensions.indices.compactMap { level in
      guard case .member(path, let text) = space.dimensions[level].subject, choices[level] == 1 else { return nil }
      return text.string
    }
  }

  /// The members that were chosen, and others up to the size that was.
  private func elements(of path: ExactPath) -> [JSON] {
    let members = members(of: path).map { JSON.string($0) }
    guard let size = value(ExactPath(path.names + [ExactPath.size]))?.intValue, size > members.count else { return members }
    let other = space.element(of: path)
    return members + Array(repeating: other, count: min(Int(size), Self.maximumElements) - members.count)
  }

  private static let maximumElements = 1000

  /// A text with the answers that were chosen.
  private func searched(_ path: ExactPath, _ domain: ValueDomain) -> JSON? {
    var wanted: [(search: TextSearch, answer: Int?)] = []
    for (level, dimension) in space.dimensions.enumerated() {
      if case .search(path, let search) = dimension.subject { wanted.append((search, choices[level])) }
    }
    if wanted.isEmpty { return nil }
    let texts = TextSearch.texts(for: wanted.map(\.search), apartFrom: domain.pointTexts) ?? []
    return texts.first { text in wanted.allSatisfy { $0.answer == nil || $0.search.holds(text) == ($0.answer == 1) } }.map { .string($0) }
  }

  // MARK: - Who, what and when

  var principal: Request.Principal {
    let chosen = space.level(.principal).flatMap { choices[$0] } ?? 0
    let principal = space.principals[chosen]
    let roles = space.dimensions.indices.compactMap { level -> String? in
      guard case .role(let role) = space.dimensions[level].subject, choices[level] == 1 else { return nil }
      return role.string
    }
    return Request.Principal(id: principal.id, roles: roles, owner: value("principal", "owner")?.stringValue) ?? principal
  }

  var step: Request.Step? {
    guard let id = value("step", "id")?.stringValue else { return nil }
    let known = space.environment.step(named: id)
    return Request.Step(
      id: id, risk: value("step", "risk")?.stringValue ?? known?.risk, iteration: Int(value("step", "iteration")?.intValue ?? 1),
      performer: value("step", "performer")?.stringValue ?? known?.performer)
  }

  var requester: Request.Requester? {
    value("requester", "id")?.stringValue.map { Request.Requester(id: $0, roles: members(of: ExactPath(["requester", "roles"]))) }
  }

  var tool: Request.Tool {
    let tool = space.tool
    return Request.Tool(
      name: tool.name, effect: value("tool", "effect")?.stringValue.flatMap { EffectClass(rawValue: $0) } ?? tool.effect,
      connector: value("tool", "connector")?.stringValue ?? tool.connector,
      action: value("tool", "action")?.stringValue.flatMap { ToolAction(rawValue: $0) } ?? tool.action,
      isConsequential: value("tool", "consequential")?.boolValue ?? tool.isConsequential,
      isPlanned: value("tool", "planned")?.boolValue ?? tool.isPlanned)
  }

  var now: Instant { value("now")?.intValue.map { Instant(milliseconds: $0) } ?? RuleTests.defaultNow }
}

extension ValueDomain {
  /// The texts that are points.
  var pointTexts: [String] { regions.compactMap { if case .point(let value) = $0 { value.stringValue } else { nil } } }
}
