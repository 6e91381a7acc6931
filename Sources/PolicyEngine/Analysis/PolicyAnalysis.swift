public import Core

/// What is wrong with a set of rules, found by going through every kind of request that its conditions can tell apart.
///
/// A finding is a proof over all requests whose values fit their declared types; nothing is said of a rule whose condition is not fully
/// understood, and ``unclear`` says which these are.
public struct PolicyAnalysis: Sendable {
  /// One rule that does nothing, or one tool that no rule is about.
  public struct Finding: Hashable, Sendable {
    /// What kind of finding it is.
    public enum Code: String, Sendable {
      /// The rule's condition is true for no request.
      case neverMatches = "never-matches"
      /// Without the rule every request would get the same verdict and need the same approvals.
      case shadowed
      /// No rule is about the tool.
      case unmentionedTool = "unmentioned-tool"
    }
    /// What kind of finding it is.
    public let code: Code
    /// The rule's id, or the name of the tool.
    public let subject: String
    /// The rules that decide in its place, for ``Code/shadowed``.
    public let by: [String]
    /// Where the rule stands.
    public let position: SourcePosition?

    /// The finding as a warning.
    public var diagnostic: Diagnostic {
      let message =
        switch code {
        case .neverMatches: "rule `\(subject)` can never match: its condition is true for no request"
        case .shadowed:
          "rule `\(subject)` changes nothing: \(by.isEmpty ? "other rules" : by.map { "`\($0)`" }.joined(separator: ", ")) decide whatever it would decide"
        case .unmentionedTool: "no rule mentions the tool `\(subject)`"
        }
      return Diagnostic(code.rawValue, at: position, message, severity: .warning)
    }
  }

  /// The findings: rules in file order, then tools.
  public let findings: [Finding]
  /// Why nothing is said of some rules, one text a rule.
  public let unclear: [(rule: String, why: String)]

  /// How many kinds of requests are looked at for one rule and tool before the analysis gives up.
  static let budget = 20_000

  /// Analyses rules.
  ///
  /// - Parameters:
  ///   - rules: The rules.
  ///   - environment: What they may name: the tools that there are, the choices that values have.
  ///   - tools: The tools that some rule should be about.
  /// - Complexity: Up to a fixed number of requests for each rule and tool, times the rules about the tool.
  public init(_ rules: RuleSet, environment: PolicyEnvironment, mentioning tools: [String] = []) {
    var analyser = PolicyAnalyser(rules, environment)
    var findings = rules.rules.indices.compactMap { analyser.finding(of: $0) }
    for tool in tools where !rules.rules.contains(where: { $0.tools.contains { $0.matches(tool) } }) {
      findings.append(Finding(code: .unmentionedTool, subject: tool, by: [], position: nil))
    }
    self.findings = findings
    unclear = rules.rules.compactMap { rule in analyser.unclear[ExactString(rule.id)].map { (rule.id, $0) } }
  }
}

private struct PolicyAnalyser {
  let rules: RuleSet
  let spaces: [RequestSpace]
  private(set) var unclear: [ExactString: String] = [:]

  init(_ rules: RuleSet, _ environment: PolicyEnvironment) {
    self.rules = rules
    spaces = environment.analysedTools(of: [rules]).map { RequestSpace(tool: $0, sets: [rules], environment: environment) }
    for space in spaces { unclear.merge(space.doubts) { first, _ in first } }
  }

  mutating func finding(of place: Int) -> PolicyAnalysis.Finding? {
    let rule = rules.rules[place]
    let concerned = spaces.filter { space in rule.tools.contains { $0.matches(space.tool.name) } }
    if concerned.isEmpty || unclear[ExactString(rule.id)] != nil { return nil }
    func finding(_ code: PolicyAnalysis.Finding.Code, _ by: [String] = []) -> PolicyAnalysis.Finding {
      PolicyAnalysis.Finding(code: code, subject: rule.id, by: by, position: rule.position)
    }
    guard let matches = search(concerned, { matches(place, $0) }) else { return gaveUp(rule) }
    if !matches { return finding(.neverMatches) }
    var instead: Set<ExactString> = []
    guard let matters = search(concerned, { matters(place, $0, &instead) }) else { return gaveUp(rule) }
    return matters ? nil : finding(.shadowed, instead.sorted().map(\.string))
  }

  private mutating func gaveUp(_ rule: Rule) -> PolicyAnalysis.Finding? {
    unclear[ExactString(rule.id)] = "there are too many cases"
    return nil
  }

  /// Whether something is found in one of the spaces; nil where it is not found and not all was looked at.
  private func search(_ spaces: [RequestSpace], _ isFound: (RequestSpace) -> Bool?) -> Bool? {
    var isComplete = true
    for space in spaces {
      switch isFound(space) {
      case true: return true
      case nil: isComplete = false
      default: break
      }
    }
    return isComplete ? false : nil
  }

  private func matches(_ place: Int, _ space: RequestSpace) -> Bool? {
    var found = false
    var exploration = Exploration(space, [(rules, place)], budget: PolicyAnalysis.budget)
    let isComplete = exploration.explore { _, statuses in
      switch statuses[0] {
      case .yes:
        found = true
        return .stop
      case .open: return .deeper
      case .no, .errs: return .prune
      }
    }
    return found ? true : isComplete ? false : nil
  }

  /// Whether some request gets another verdict without the rule.
  ///
  /// Rules that are not fully understood are left out: more rules can only make this one matter less.
  private func matters(_ place: Int, _ space: RequestSpace, _ instead: inout Set<ExactString>) -> Bool? {
    let others = rules.rules.indices.filter { other in
      let rule = rules.rules[other]
      return other != place && space.doubts[ExactString(rule.id)] == nil && rule.tools.contains { $0.matches(space.tool.name) }
    }
    let members = ([place] + others).map { (set: rules, place: $0) }
    var found = false
    var exploration = Exploration(space, members, budget: PolicyAnalysis.budget)
    let isComplete = exploration.explore { point, statuses in
      let says = zip(members, statuses).map { space.saying(rules.rules[$0.place], $1, point) }
      if says[0] == .nothing { return .prune }
      if case .open = says[0] { return .deeper }
      let isImplied = space.isImplied(point)
      guard let with = PolicyVerdict(says, isImplied: isImplied), let without = PolicyVerdict(Array(says.dropFirst()), isImplied: isImplied)
      else {
        return .deeper
      }
      if with != without {
        found = true
        return .stop
      }
      for (member, say) in zip(members, says).dropFirst() where say.decides(with) {
        instead.insert(ExactString(rules.rules[member.place].id))
      }
      return .prune
    }
    return found ? true : isComplete ? false : nil
  }
}

extension PolicySaying {
  /// Whether it brings a verdict about.
  fileprivate func decides(_ verdict: PolicyVerdict) -> Bool {
    switch self {
    case .permit: verdict.outcome == .permit
    case .hold: verdict.outcome == .hold
    case .forbid: verdict.outcome == .forbid
    case .nothing, .open: false
    }
  }
}

extension PolicyEnvironment {
  /// The tools to analyse: those that there are, else those that rules name, and one more for each pattern.
  func analysedTools(of sets: [RuleSet]) -> [Tool] {
    if let tools { return tools }
    var names: [ExactString] = []
    for pattern in sets.flatMap(\.rules).flatMap(\.tools) {
      let name =
        switch pattern {
        case .exact(let name): name
        case .prefix(let prefix): prefix + "another"
        case .any: "another_tool"
        }
      if !names.contains(ExactString(name)) { names.append(ExactString(name)) }
    }
    return names.map { Tool(Request.Tool(name: $0.string, effect: .external)) }
  }
}
