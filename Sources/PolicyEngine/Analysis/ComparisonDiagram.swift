internal import CEL
internal import Core

/// One comparison as a function of the request: the comparison itself is evaluated for an example of each region.
struct ComparisonDiagram {
  typealias Diagram = DecisionDiagrams.Diagram

  private let space: RequestSpace
  private let diagrams: DecisionDiagrams
  private let examples: ExampleRequests
  private let comparison: ConditionReading.Comparison
  private let slots: [ValueSlot]
  private let program: CELProgram?
  /// The choices of which the answer may depend.
  private let levels: [Int]
  /// Whether there are too many requests to look at: then it has no ``levels``.
  private let isTooWide: Bool

  init(
    _ space: RequestSpace, _ diagrams: DecisionDiagrams, _ examples: ExampleRequests, _ comparison: ConditionReading.Comparison,
    _ condition: RuleCondition,
    _ slots: [ValueSlot], maximumRequests: Int
  ) {
    self.space = space
    self.diagrams = diagrams
    self.examples = examples
    self.comparison = comparison
    self.slots = slots
    program = try? condition.environment.compile(comparison.expression, of: condition.program.source, expecting: .bool)
    var paths = comparison.paths
    if case .member(let text) = comparison.kind { paths += comparison.paths.map { ExactPath($0.names + [text]) } }
    let all = Set(paths.flatMap { space.levels(of: $0) }).sorted()
    var count = 1
    for level in all where count <= maximumRequests { count *= space.dimensions[level].size }
    isTooWide = count > maximumRequests
    levels = isTooWide ? [] : all
  }

  /// The answers, as ``RuleDiagrams/Answer``.
  func made() throws(DecisionDiagrams.TooManyCases) -> Diagram {
    guard program != nil else { return try unknown() }
    if case .opaque = comparison.kind {} else if isTooWide { throw DecisionDiagrams.TooManyCases() }
    return try made(0, Array(repeating: nil, count: space.dimensions.count))
  }

  private func made(_ place: Int, _ choices: RequestSpace.Choices) throws(DecisionDiagrams.TooManyCases) -> Diagram {
    guard place < levels.count else { return try answer(choices) }
    let level = levels[place]
    if !space.isMeaningful(level, choices) { return try made(place + 1, choices) }
    var choices = choices
    var children: [Diagram] = []
    for chosen in 0..<space.dimensions[level].size {
      choices[level] = chosen
      children.append(try made(place + 1, choices))
    }
    return try diagrams.node(level, children)
  }

  private func answer(_ choices: RequestSpace.Choices) throws(DecisionDiagrams.TooManyCases) -> Diagram {
    try diagrams.count(space.dimensions.count)
    if let level = question.flatMap({ space.level($0) }), space.isMeaningful(level, choices) {
      return try diagrams.literal(level, of: 2) { $0 == 1 }
    }
    if case .opaque = comparison.kind { return try evaluated(choices) { path in space.isKnown(path, choices) } }
    if case .size = comparison.kind, isSizeOpen(choices) { return try unknown() }
    return try evaluated(choices) { _ in true }
  }

  /// The choice that answers wherever it means something; elsewhere the value is missing or of another type.
  private var question: RequestSpace.Subject? {
    let path = comparison.paths.first ?? ExactPath([])
    switch comparison.kind {
    case .member(let text):
      return path == ExactPath(["principal", "roles"]) ? .role(ExactString(text)) : .member(path, ExactString(text))
    case .search: return TextSearch(comparison.expression).map { .search(path, $0) }
    case .same: return SpaceBuilder.same(path, comparison.paths[1])
    case .plain, .size, .opaque: return nil
    }
  }

  /// Whether what has a size is no list, of which the size is a choice.
  private func isSizeOpen(_ choices: RequestSpace.Choices) -> Bool {
    guard let level = space.level(.value(comparison.paths[0])), let chosen = choices[level],
      let region = space.dimensions[level].domain?.regions[chosen]
    else { return false }
    return region.isText || region == .object
  }

  private func evaluated(
    _ choices: RequestSpace.Choices, isKnown: @escaping (ExactPath) -> Bool
  ) throws(DecisionDiagrams.TooManyCases) -> Diagram {
    guard let program else { return try unknown() }
    do throws(CELEvaluationError) {
      let values = KnownValues(examples.request(levels, choices, in: space), slots, isKnown: isKnown)
      return DecisionDiagrams.leaf(try program.evaluateBool(values) ? RuleDiagrams.Answer.yes : RuleDiagrams.Answer.no)
    } catch {
      return error.code == .unknown ? try unknown() : DecisionDiagrams.leaf(RuleDiagrams.Answer.error)
    }
  }

  /// Any answer.
  private func unknown() throws(DecisionDiagrams.TooManyCases) -> Diagram {
    guard let level = space.level(.opaque(ExactString(comparison.expression.description))) else {
      return DecisionDiagrams.leaf(RuleDiagrams.Answer.error)
    }
    return try diagrams.node(level, (0...2).map { DecisionDiagrams.leaf($0) })
  }
}

/// The requests of a space that were made already: many comparisons are of the same values.
final class ExampleRequests {
  private var made: [[Int]: Request] = [:]

  /// The request that choices stand for, of which only those at some levels are made.
  func request(_ levels: [Int], _ choices: RequestSpace.Choices, in space: RequestSpace) -> Request {
    let key = levels + levels.map { choices[$0] ?? -1 }
    if let known = made[key] { return known }
    let request = space.request(choices)
    made[key] = request
    return request
  }
}

/// The values of a request, of which some are open.
private final class KnownValues: CELActivation {
  private let request: Request
  private let slots: [ValueSlot]
  private let isKnown: (ExactPath) -> Bool

  init(_ request: Request, _ slots: [ValueSlot], isKnown: @escaping (ExactPath) -> Bool) {
    self.request = request
    self.slots = slots
    self.isKnown = isKnown
  }

  func value(_ slot: Int) throws(CELEvaluationError) -> CELValue? {
    guard slot < slots.count, let path = slots[slot].path, isKnown(ExactPath([path.root.rawValue] + path.members.map(\.string))) else {
      throw CELEvaluationError(.unknown, "the value is still open")
    }
    return try slots[slot].value(in: request)
  }
}
