internal import Core

/// Which requests get another verdict from one set of rules than from another.
public struct PolicyDifference: Sendable {
  /// Requests about one tool that change in the same way.
  public struct Change: Sendable {
    /// The tool.
    public let tool: String
    /// The verdict before.
    public let from: PolicyVerdict
    /// The verdict after.
    public let to: PolicyVerdict
    /// A condition that is true of exactly these requests: in the language of conditions, as long as the change is exact.
    public let condition: String
    /// Whether only requests change that a step or trigger permits beside the rules (true), or only others (false); nil for both.
    public let isImplied: Bool?
    /// The rules for which it takes a live allowance (true) or the lack of one (false), by id.
    public let allowances: [(rule: String, isLive: Bool)]
    /// One of the requests, decided by both sets; nil where none was found, so that there may be none.
    public let example: Request?
    /// Whether every request for which the condition is true changes.
    ///
    /// False where the condition names a part of a rule that is not understood.
    public let isExact: Bool
  }

  /// The changes, by tool; every request that changes is in one of them at least, as far as ``unclear`` does not say otherwise.
  public let changes: [Change]
  /// Why the changes may be more or fewer than there are, one text a reason.
  public let unclear: [String]

  /// Whether the changes are exactly those that there are.
  public var isExact: Bool { unclear.isEmpty }

  /// The most conditions for one change of verdict of one tool.
  static let maximumConditions = 64

  /// Compares two sets of rules over every request that their conditions can tell apart.
  ///
  /// - Parameters:
  ///   - before: One set.
  ///   - after: The other.
  ///   - environment: The tools, steps and choices of both.
  ///   - maximumCases: How many cases are looked at for one tool before it is given up.
  /// - Complexity: Bounded by the cases, for each tool about which the rules differ.
  public init(
    from before: RuleSet, to after: RuleSet, environment: PolicyEnvironment, maximumCases: Int = PolicyAnalysis.maximumCases
  ) {
    var changes: [Change] = []
    var unclear: [String] = []
    for (tool, isKnown) in environment.analysedTools(of: [before, after]) {
      let name = tool.tool.name
      let sides = (before.places(about: name), after.places(about: name))
      // The same rules say the same, whatever they are called.
      if before.missing == after.missing, sides.0.map({ before.rules[$0].content }) == sides.1.map({ after.rules[$0].content }) { continue }
      if let why = before.doubt(about: sides.0) ?? after.doubt(about: sides.1) {
        unclear.append("tool `\(name)`: \(why)")
        continue
      }
      do throws(DecisionDiagrams.TooManyCases) {
        let read = try RuleDiagrams(
          tool: tool, isToolKnown: isKnown, members: sides.0.map { (before, $0) } + sides.1.map { (after, $0) }, environment: environment,
          limit: maximumCases)
        var comparison = ToolComparison(read, before, after, sides)
        try comparison.run()
        changes += comparison.changes
        unclear += comparison.unclear
      } catch {
        unclear.append("tool `\(name)`: gave up after \(maximumCases) cases")
      }
    }
    self.changes = changes
    self.unclear = unclear
  }
}

extension Rule {
  /// What the rule says and when, without what it cites; allowances know rules by what they are called.
  fileprivate var content: String {
    "\(isEarned ? id : "") \(effect) \(tools) \(principals) \(steps) \(condition ?? "") \(String(describing: approval)) \(isEarned)"
  }
}

/// The verdicts of two sets about one tool.
private struct ToolComparison {
  let read: RuleDiagrams
  let sets: (before: RuleSet, after: RuleSet)
  let count: Int
  private var sayings: RuleSayings
  private(set) var changes: [PolicyDifference.Change] = []
  private(set) var unclear: [String] = []

  init(_ read: RuleDiagrams, _ before: RuleSet, _ after: RuleSet, _ places: ([Int], [Int])) {
    self.read = read
    sets = (before, after)
    count = places.0.count
    sayings = RuleSayings(read, places.0.map { before.rules[$0] } + places.1.map { after.rules[$0] })
  }

  mutating func run() throws(DecisionDiagrams.TooManyCases) {
    let (a, b) = (try sayings.verdict(0..<count), try sayings.verdict(count..<read.rules.count))
    var pairs: [[Int]] = []
    let difference = try read.diagrams.combine(a, b) { from, to in
      if from == RuleSayings.impossible || to == RuleSayings.impossible { return RuleSayings.impossible }
      if from == to { return 0 }
      if let known = pairs.firstIndex(of: [from, to]) { return known + 1 }
      pairs.append([from, to])
      return pairs.count
    }
    for (place, pair) in pairs.enumerated() {
      let target = try read.diagrams.map(difference) { $0 == RuleSayings.impossible ? 2 : $0 == place + 1 ? 1 : 0 }
      try add(target, from: sayings.verdicts[pair[0]], to: sayings.verdicts[pair[1]])
    }
  }

  private mutating func doubt(_ why: String) { if !unclear.contains(why) { unclear.append(why) } }

  private mutating func add(
    _ target: DecisionDiagrams.Diagram, from: PolicyVerdict, to: PolicyVerdict
  ) throws(DecisionDiagrams.TooManyCases) {
    let (cubes, isComplete) = try RequestCube.cover(target, read.space, read.diagrams, maximum: PolicyDifference.maximumConditions)
    let tool = read.space.tool.name
    if !isComplete {
      unclear.append("tool `\(tool)`: more conditions than \(cubes.count) for \(from.outcome.rawValue) → \(to.outcome.rawValue)")
    }
    for cube in cubes {
      let condition = cube.condition(read.space)
      let isOpaque = !cube.opaqueParts(read.space).isEmpty
      let example = ExampleSearch(read, cube, target).example { request, allowance in
        PolicyVerdict(sets.before.authorize(request, allowance: allowance)) == from
          && PolicyVerdict(sets.after.authorize(request, allowance: allowance)) == to
      }
      for part in cube.opaqueParts(read.space) { doubt("tool `\(tool)`: what `\(part)` can be is not analysed") }
      if !isOpaque, example == nil { doubt("tool `\(tool)`: no request was found that changes where \(condition)") }
      changes.append(
        PolicyDifference.Change(
          tool: tool, from: from, to: to, condition: condition, isImplied: cube.flag(.implied, read.space),
          allowances: cube.allowances(read.space), example: example, isExact: !isOpaque && example != nil))
    }
  }
}
