internal import Core

/// Which requests get another verdict from one set of rules than from another.
public struct PolicyDifference: Sendable {
  /// Requests about one tool that change in the same way.
  public struct Change: Sendable {
    /// The tool.
    public let tool: String
    /// The verdict before, with the approvals that a hold needs.
    public let from: (outcome: Outcome, needs: [String])
    /// The verdict after.
    public let to: (outcome: Outcome, needs: [String])
    /// Conditions of which one is true of each of the requests, and none of any other; an empty text is true of every request.
    public let conditions: [String]
    /// Whether only requests change that a step or trigger permits without a rule (true), or only others (false); nil for both.
    public let isImplied: Bool?
    /// Whether it takes a live allowance (true) or the lack of one (false); nil where that does not matter.
    public let isAllowed: Bool?
    /// One of the requests.
    public let example: Request
  }

  /// The changes, by tool.
  public let changes: [Change]
  /// Why there may be more, one text a reason; empty where the changes are all that there are.
  public let unclear: [String]

  /// Whether the changes are all that there are.
  public var isExact: Bool { unclear.isEmpty }

  /// How many kinds of requests are looked at for one tool.
  static let budget = 50_000

  /// Compares two sets of rules over every kind of request that their conditions can tell apart.
  ///
  /// - Parameters:
  ///   - before: One set.
  ///   - after: The other.
  ///   - environment: The tools, steps and choices of both.
  /// - Complexity: Up to a fixed number of requests for each tool, times the rules about it.
  public init(from before: RuleSet, to after: RuleSet, environment: PolicyEnvironment) {
    var changes: [Change] = []
    var unclear: [String] = []
    for tool in environment.analysedTools(of: [before, after]) {
      let comparison = ToolComparison(tool, before, after, environment)
      if comparison.changed.isEmpty { continue }
      let (found, isComplete) = comparison.run()
      changes += found
      if !isComplete { unclear.append("tool `\(tool.tool.name)`: there are too many cases") }
      unclear += comparison.space.doubts.sorted { $0.key < $1.key }.map { "tool `\(tool.tool.name)`, rule `\($0.key)`: \($0.value)" }
    }
    self.changes = changes
    self.unclear = unclear
  }
}

private struct ToolComparison {
  let space: RequestSpace
  let before: [Int]
  let after: [Int]
  let sets: (RuleSet, RuleSet)
  /// The members that only one side has.
  let changed: Set<Int>

  init(_ tool: PolicyEnvironment.Tool, _ a: RuleSet, _ b: RuleSet, _ environment: PolicyEnvironment) {
    space = RequestSpace(tool: tool, sets: [a, b], environment: environment)
    sets = (a, b)
    func about(_ set: RuleSet) -> [Int] {
      set.rules.indices.filter { set.rules[$0].tools.contains { $0.matches(tool.tool.name) } }
    }
    before = about(a)
    after = about(b)
    // The same rule on both sides says the same to every request, whatever it is called.
    var unmatched = Dictionary(grouping: after.indices) { b.rules[about(b)[$0]].content }
    var changed: Set<Int> = []
    for (index, place) in before.enumerated() {
      if let twin = unmatched[a.rules[place].content]?.popLast() { _ = twin } else { changed.insert(index) }
    }
    for left in unmatched.values.joined() { changed.insert(before.count + left) }
    self.changed = changed
  }

  func run() -> (changes: [PolicyDifference.Change], isComplete: Bool) {
    let members = before.map { (set: sets.0, place: $0) } + after.map { (set: sets.1, place: $0) }
    // What changed is told apart first: where none of it says anything, nothing changes.
    let order = members.indices.sorted { (changed.contains($0) ? 0 : 1, $0) < (changed.contains($1) ? 0 : 1, $1) }
    var regions: [Key: [[Set<Int>]]] = [:]
    var examples: [Key: RequestSpace.Point] = [:]
    var exploration = Exploration(space, order.map { members[$0] }, budget: PolicyDifference.budget)
    let isComplete = exploration.explore { point, statuses in
      var says = Array(repeating: PolicySaying.nothing, count: members.count)
      for (index, member) in order.enumerated() {
        says[member] = space.saying(members[member].set.rules[members[member].place], statuses[index], point)
      }
      if changed.allSatisfy({ says[$0] == .nothing }) { return .prune }
      let isImplied = space.isImplied(point)
      guard let a = PolicyVerdict(Array(says[..<before.count]), isImplied: isImplied),
        let b = PolicyVerdict(Array(says[before.count...]), isImplied: isImplied)
      else {
        return .deeper
      }
      if a != b {
        let key = Key(from: a, to: b)
        let region = space.aspects.indices.map { place in point[place].map { [$0] } ?? Set(space.aspects[place].choices.indices) }
        regions[key, default: []].append(region)
        if examples[key] == nil { examples[key] = point }
      }
      return .prune
    }
    let sorted = regions.sorted { $0.key < $1.key }
    return (sorted.flatMap { key, regions in changes(key, regions, example: examples[key] ?? []) }, isComplete)
  }

  private struct Key: Hashable, Comparable {
    let from: PolicyVerdict
    let to: PolicyVerdict
    private var order: String { "\(from.outcome) \(from.needs.sorted()) \(to.outcome) \(to.needs.sorted())" }
    static func < (a: Key, b: Key) -> Bool { a.order < b.order }
  }

  private func changes(_ key: Key, _ regions: [[Set<Int>]], example: RequestSpace.Point) -> [PolicyDifference.Change] {
    let implied = space.place(of: .implied)
    let allowance = space.place(of: .allowance)
    var groups: [[Bool?]: [[Set<Int>]]] = [:]
    for region in Self.merged(regions) {
      func flag(_ place: Int?) -> Bool? { place.flatMap { region[$0].count == 1 ? region[$0] == [1] : nil } }
      groups[[flag(implied), flag(allowance)], default: []].append(region)
    }
    return groups.sorted { "\($0.key)" < "\($1.key)" }.map { flags, regions in
      PolicyDifference.Change(
        tool: space.tool.name, from: (key.from.outcome, key.from.needs.sorted().map(\.description)),
        to: (key.to.outcome, key.to.needs.sorted().map(\.description)),
        conditions: regions.map { region in
          zip(space.aspects, region).compactMap { $0.test($1) }.joined(separator: " && ")
        },
        isImplied: flags[0], isAllowed: flags[1],
        example: space.request(regions[0].enumerated().map { place, choices in choices.min() ?? 0 }))
    }
  }

  /// The same requests in fewer regions: two that differ in one aspect only become one.
  private static func merged(_ regions: [[Set<Int>]]) -> [[Set<Int>]] {
    var regions = regions
    var count = regions.count + 1
    while regions.count < count {
      count = regions.count
      for aspect in regions[0].indices {
        var joined: [[Set<Int>]: Set<Int>] = [:]
        var order: [[Set<Int>]] = []
        for region in regions {
          var others = region
          others[aspect] = []
          if joined[others] == nil { order.append(others) }
          joined[others, default: []].formUnion(region[aspect])
        }
        regions = order.map { others in
          var region = others
          region[aspect] = joined[others] ?? []
          return region
        }
      }
    }
    return regions
  }
}

extension Rule {
  /// What the rule says and when, without what it is called and cites.
  fileprivate var content: String {
    "\(effect) \(tools) \(principals) \(steps) \(condition ?? "") \(String(describing: approval)) \(isEarned)"
  }
}
