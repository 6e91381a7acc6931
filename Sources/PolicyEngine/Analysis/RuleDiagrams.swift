internal import CEL
internal import Core

/// The rules about one tool as functions of the request.
struct RuleDiagrams {
  typealias Diagram = DecisionDiagrams.Diagram

  /// The answers of a condition.
  enum Answer {
    static let no = 0
    static let yes = 1
    static let error = 2
  }

  /// The most requests that are looked at for one comparison.
  private static let maximumRequests = 4096

  let space: RequestSpace
  let diagrams: DecisionDiagrams
  private let examples = ExampleRequests()
  /// For each rule when it counts, as an ``Answer``.
  private(set) var rules: [Diagram] = []
  /// 1 for requests that there can be.
  private(set) var possible = DecisionDiagrams.leaf(1)

  /// Reads rules about a tool, of one or of several sets; no more cases are looked at than the limit says.
  init(
    tool: PolicyEnvironment.Tool, isToolKnown: Bool, members: [(set: RuleSet, place: Int)], environment: PolicyEnvironment, limit: Int
  ) throws(DecisionDiagrams.TooManyCases) {
    var builder = SpaceBuilder(tool: tool, isToolKnown: isToolKnown, environment: environment)
    for member in members { builder.read(member.set.compiled.rules[member.place], member.set.compiled.conditions[member.place]) }
    space = builder.finished()
    diagrams = DecisionDiagrams(limit: limit)
    for (member, formula) in zip(members, builder.formulas) {
      var condition = DecisionDiagrams.leaf(Answer.yes)
      if let formula { condition = try diagram(formula.formula, formula.condition, member.set.compiled.slots) }
      rules.append(try diagrams.combine(try scope(of: member.set.compiled.rules[member.place]), condition, deciding: Answer.no) { $0 * $1 })
    }
    possible = try everythingPossible()
  }

  // MARK: - Whom and what a rule is about

  private func scope(of rule: Rule) throws(DecisionDiagrams.TooManyCases) -> Diagram {
    try diagrams.combine(try principals(of: rule), try steps(of: rule), deciding: 0) { $0 & $1 }
  }

  private func principals(of rule: Rule) throws(DecisionDiagrams.TooManyCases) -> Diagram {
    if rule.principals.isEmpty { return DecisionDiagrams.leaf(1) }
    let level = space.level(.principal) ?? 0
    let byID = rule.principals.filter { if case .role = $0 { false } else { true } }
    var scope = try diagrams.literal(level, of: space.principals.count) { place in
      byID.contains { $0.matches(space.principals[place]) }
    }
    for case .role(let role) in rule.principals {
      guard let level = space.level(.role(ExactString(role))) else { continue }
      scope = try diagrams.combine(scope, try diagrams.literal(level, of: 2) { $0 == 1 }, deciding: 1) { $0 | $1 }
    }
    return scope
  }

  private func steps(of rule: Rule) throws(DecisionDiagrams.TooManyCases) -> Diagram {
    guard !rule.steps.isEmpty, let level = space.level(.value(ExactPath(["step", "id"]))), let domain = space.dimensions[level].domain
    else { return DecisionDiagrams.leaf(1) }
    return try diagrams.literal(level, of: domain.regions.count) { place in
      guard case .point(.string(let id)) = domain.regions[place] else { return false }
      return rule.steps.contains { bytesEqual($0, id) }
    }
  }

  // MARK: - Conditions

  private func diagram(
    _ formula: ConditionReading.Formula, _ condition: RuleCondition, _ slots: [ValueSlot]
  ) throws(DecisionDiagrams.TooManyCases) -> Diagram {
    switch formula {
    case .constant(let truth): return DecisionDiagrams.leaf(truth ? Answer.yes : Answer.no)
    case .not(let part):
      return try diagrams.map(try diagram(part, condition, slots)) { $0 == Answer.error ? $0 : 1 - $0 }
    case .all(let parts):
      var all = DecisionDiagrams.leaf(Answer.yes)
      for part in parts {
        // False beats an error, which beats true.
        all = try diagrams.combine(all, try diagram(part, condition, slots), deciding: Answer.no, neutral: Answer.yes) { a, b in
          a == Answer.no || b == Answer.no ? Answer.no : max(a, b)
        }
      }
      return all
    case .any(let parts):
      var any = DecisionDiagrams.leaf(Answer.no)
      for part in parts {
        any = try diagrams.combine(any, try diagram(part, condition, slots), deciding: Answer.yes, neutral: Answer.no) { a, b in
          a == Answer.yes || b == Answer.yes ? Answer.yes : max(a, b)
        }
      }
      return any
    case .choice(let question, let first, let second):
      let (a, b) = (try diagram(first, condition, slots), try diagram(second, condition, slots))
      let both = try diagrams.combine(a, b) { $0 * 3 + $1 }
      return try diagrams.combine(try diagram(question, condition, slots), both, deciding: nil) { question, both in
        question == Answer.error ? Answer.error : question == Answer.yes ? both / 3 : both % 3
      }
    case .comparison(let comparison):
      return try ComparisonDiagram(space, diagrams, examples, comparison, condition, slots, maximumRequests: Self.maximumRequests).made()
    }
  }

  // MARK: - What is possible

  private func everythingPossible() throws(DecisionDiagrams.TooManyCases) -> Diagram {
    var possible = DecisionDiagrams.leaf(1)
    var searched: Set<ExactPath> = []
    for (level, dimension) in space.dimensions.enumerated() {
      switch dimension.subject {
      case .same(let a, let b):
        possible = try diagrams.combine(possible, try equality(level, a, b), deciding: 0, neutral: 1) { $0 & $1 }
      case .search(let path, _) where searched.insert(path).inserted:
        possible = try diagrams.combine(possible, try searches(of: path), deciding: 0, neutral: 1) { $0 & $1 }
      default: break
      }
    }
    return possible
  }

  /// Equal values lie in the same region, and those that are points are equal to no others.
  private func equality(_ level: Int, _ a: ExactPath, _ b: ExactPath) throws(DecisionDiagrams.TooManyCases) -> Diagram {
    let (levelA, levelB) = (space.level(.value(a)), space.level(.value(b)))
    guard let levelA, let levelB, let x = space.dimensions[levelA].domain, let y = space.dimensions[levelB].domain else {
      return DecisionDiagrams.leaf(1)
    }
    let free = DecisionDiagrams.leaf(1)
    let equal = try diagrams.literal(level, of: 2) { $0 == 1 }
    let different = try diagrams.literal(level, of: 2) { $0 == 0 }
    var outer: [Diagram] = []
    let (upper, lower) = levelA < levelB ? (x, y) : (y, x)
    for one in upper.regions {
      var inner: [Diagram] = []
      for other in lower.regions {
        if one == .missing || other == .missing {
          inner.append(free)
        } else if one == other {
          if case .point = one { inner.append(equal) } else { inner.append(free) }
        } else {
          inner.append(different)
        }
      }
      outer.append(try diagrams.node(max(levelA, levelB), inner))
    }
    return try diagrams.node(min(levelA, levelB), outer)
  }

  /// A text answers the searches as one text can.
  private func searches(of path: ExactPath) throws(DecisionDiagrams.TooManyCases) -> Diagram {
    guard let own = space.level(.value(path)), let domain = space.dimensions[own].domain else { return DecisionDiagrams.leaf(1) }
    var asked: [(level: Int, search: TextSearch)] = []
    for (level, dimension) in space.dimensions.enumerated() {
      if case .search(path, let search) = dimension.subject { asked.append((level, search)) }
    }
    func answers(_ text: String) throws(DecisionDiagrams.TooManyCases) -> Diagram {
      var all = DecisionDiagrams.leaf(1)
      for (level, search) in asked.reversed() {
        let holds = search.holds(text)
        all = try diagrams.node(level, holds ? [DecisionDiagrams.leaf(0), all] : [all, DecisionDiagrams.leaf(0)])
      }
      return all
    }
    var regions: [Diagram] = []
    for region in domain.regions {
      switch region {
      case .point(.string(let text)): regions.append(try answers(text))
      case .text:
        guard let texts = TextSearch.texts(for: asked.map(\.search), apartFrom: domain.pointTexts) else {
          regions.append(DecisionDiagrams.leaf(1))
          continue
        }
        var any = DecisionDiagrams.leaf(0)
        for text in texts { any = try diagrams.combine(any, try answers(text), deciding: 1, neutral: 0) { $0 | $1 } }
        regions.append(any)
      default: regions.append(DecisionDiagrams.leaf(1))
      }
    }
    return try diagrams.node(own, regions)
  }
}
