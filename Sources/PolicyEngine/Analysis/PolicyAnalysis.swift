internal import CEL
public import Core

/// What is wrong with a set of rules, found over every request that its conditions can tell apart, and so true of every request.
///
/// Requests are those whose values fit their declared types. Of a condition that is not fully understood every answer is taken to be
/// possible: what is found is true all the same, but something may not be found, and ``unclear`` says where.
public struct PolicyAnalysis: Sendable {
  /// One rule that does nothing, or one tool that no rule is about.
  public struct Finding: Hashable, Sendable {
    /// What kind of finding it is.
    public enum Code: String, Sendable {
      /// The rule's condition is true for no request.
      case neverMatches = "never-matches"
      /// Without the rule every request would get the same verdict and need the same approvals.
      case shadowed
      /// What the rule forbids, nothing permits anyway.
      case needlessForbid = "needless-forbid"
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
      let others = by.prefix(3).map { "`\($0)`" }.joined(separator: ", ") + (by.count > 3 ? " and \(by.count - 3) more" : "")
      let message =
        switch code {
        case .neverMatches: "rule `\(subject)` can never match: it is true for no request"
        case .shadowed where by.isEmpty: "rule `\(subject)` changes nothing"
        case .shadowed: "rule `\(subject)` changes nothing as long as there \(by.count == 1 ? "is" : "are") \(others)"
        case .needlessForbid: "rule `\(subject)` changes nothing: what it forbids, no rule permits"
        case .unmentionedTool: "no rule mentions the tool `\(subject)`"
        }
      return Diagnostic(code.rawValue, at: position, message, severity: .warning)
    }
  }

  /// Something about which the analysis does not know everything.
  public struct Doubt: Hashable, Sendable {
    /// The rule's id, or the name of the tool.
    public let subject: String
    /// What is not known, in words.
    public let why: String
  }

  /// The findings: rules in file order, then tools.
  public let findings: [Finding]
  /// The rules that may do nothing without being found, in file order, and tools with too many cases.
  public let unclear: [Doubt]

  /// How many cases are looked at for one tool.
  public static let maximumCases = 4_000_000

  /// Analyses rules.
  ///
  /// - Parameters:
  ///   - rules: The rules.
  ///   - environment: What they may name: the tools that there are, the choices that values have.
  ///   - tools: The tools that some rule should be about.
  ///   - maximumCases: How many cases are looked at for one tool before the analysis gives it up.
  /// - Complexity: Bounded by the cases, for each tool.
  public init(
    _ rules: RuleSet, environment: PolicyEnvironment, mentioning tools: [String] = [], maximumCases: Int = Self.maximumCases
  ) {
    var analyser = PolicyAnalyser(rules)
    for tool in environment.analysedTools(of: [rules]) {
      analyser.analyse(tool.tool, isToolKnown: tool.isKnown, environment, maximumCases)
    }
    let unmentioned = tools.filter { tool in !rules.rules.contains { $0.tools.contains { $0.matches(tool) } } }
    findings =
      analyser.findings + unmentioned.map { Finding(code: .unmentionedTool, subject: $0, by: [], position: nil) }
    unclear = analyser.doubts
  }
}

private struct PolicyAnalyser {
  /// What was seen of a rule.
  private struct Seen {
    var isAnalysed = false
    var matches = false
    var matters = false
    /// Whether another rule counts where it does.
    var isForbiddenElsewhere = false
    var isOpaque = false
    var by: Set<Int> = []
  }

  let rules: RuleSet
  private var seen: [Seen]
  private var givenUp: [PolicyAnalysis.Doubt] = []

  init(_ rules: RuleSet) {
    self.rules = rules
    seen = rules.rules.map { _ in Seen() }
  }

  mutating func analyse(_ tool: PolicyEnvironment.Tool, isToolKnown: Bool, _ environment: PolicyEnvironment, _ limit: Int) {
    let places = rules.places(about: tool.tool.name)
    if places.isEmpty { return }
    if let why = rules.doubt(about: places) {
      for place in places { (seen[place].matches, seen[place].matters) = (true, true) }
      return givenUp.append(PolicyAnalysis.Doubt(subject: tool.tool.name, why: why))
    }
    do throws(DecisionDiagrams.TooManyCases) {
      let read = try RuleDiagrams(
        tool: tool, isToolKnown: isToolKnown, members: places.map { (rules, $0) }, environment: environment, limit: limit)
      var sayings = RuleSayings(read, places.map { rules.rules[$0] })
      let found = try sayings.effects()
      for (place, effect) in zip(places, found) {
        seen[place].isAnalysed = true
        seen[place].matches = seen[place].matches || effect.matches
        seen[place].matters = seen[place].matters || effect.matters
        seen[place].isOpaque = seen[place].isOpaque || effect.isOpaque
        seen[place].by.formUnion(effect.by.map { places[$0] })
      }
    } catch {
      for place in places { (seen[place].matches, seen[place].matters) = (true, true) }
      givenUp.append(
        PolicyAnalysis.Doubt(subject: tool.tool.name, why: "gave up on the \(places.count) rules about it after \(limit) cases"))
    }
  }

  var findings: [PolicyAnalysis.Finding] {
    zip(rules.rules, seen).compactMap { rule, seen in
      guard seen.isAnalysed, !seen.matters || !seen.matches else { return nil }
      let code: PolicyAnalysis.Finding.Code =
        !seen.matches ? .neverMatches : seen.by.isEmpty && rule.effect == .forbid ? .needlessForbid : .shadowed
      let by = seen.matches ? seen.by.sorted().map { rules.rules[$0].id } : []
      return PolicyAnalysis.Finding(code: code, subject: rule.id, by: by, position: rule.position)
    }
  }

  var doubts: [PolicyAnalysis.Doubt] {
    let opaque = zip(rules.rules, seen).filter { $1.isOpaque && $1.matches && $1.matters }
    return opaque.map { PolicyAnalysis.Doubt(subject: $0.0.id, why: "its condition is not fully understood") } + givenUp
  }
}

extension RuleSet {
  /// The places of the rules about a tool.
  func places(about tool: String) -> [Int] {
    compiled.rules.indices.filter { place in compiled.rules[place].tools.contains { $0.matches(tool) } }
  }

  /// Why rules are not analysed, in words: what a missing fact makes of them is known only when they are asked; nil where they are.
  func doubt(about places: [Int]) -> String? {
    guard missing != nil else { return nil }
    let reader = places.first { place in
      compiled.conditions[place]?.program.references.contains { compiled.slots[$0.slot].path?.root == .facts } ?? false
    }
    return reader.map { "rule `\(rules[$0].id)` holds where its fact is missing, which is not analysed" }
  }
}

extension PolicyEnvironment {
  /// The tools to analyse: those that there are, else those that rules name, and another one for each pattern.
  func analysedTools(of sets: [RuleSet]) -> [(tool: Tool, isKnown: Bool)] {
    if let tools { return tools.map { ($0, true) } }
    var names: [ExactString] = []
    func add(_ name: String) { if !names.contains(ExactString(name)) { names.append(ExactString(name)) } }
    for pattern in sets.flatMap(\.rules).flatMap(\.tools) { if case .exact(let name) = pattern { add(name) } }
    for name in sets.flatMap(\.comparedTools) { add(name) }
    for pattern in sets.flatMap(\.rules).flatMap(\.tools) {
      switch pattern {
      case .exact: break
      case .prefix(let prefix): add(prefix + "another")
      case .any: add("another_tool")
      }
    }
    return names.map { (Tool(Request.Tool(name: $0.string, effect: .external, connector: "unknown")), false) }
  }
}

extension RuleSet {
  /// The names with which conditions compare the tool's.
  fileprivate var comparedTools: [String] {
    compiled.conditions.compactMap(\.self).flatMap { condition -> [String] in
      var names: [String] = []
      condition.program.expression.forEach { part in
        if let comparison = CELComparison(part), comparison.path == ["tool", "name"] {
          names += comparison.constants.compactMap(\.value.stringValue)
        }
      }
      return names.filter { ToolName.problem(with: $0) == nil }
    }
  }
}
