internal import Core

extension Decision {
  /// Why a request came to its outcome, for the one who made it and for the record: lower case, one thought a line.
  ///
  /// For a refusal that no rule asked for it says what would have had to match, and which permits and holds came nearest.
  public var explanation: String { explanationLines.joined(separator: "\n") }

  /// The most rules that an explanation names as near.
  static let maximumNear = 5

  private var explanationLines: [String] {
    if isDefault { return defaultLines }
    var lines = deciding.map { match -> String in
      let verb = ["permits", "holds", "forbids"][match.effect.strength]
      let name = "rule `\(match.rule)` \(verb) this"
      let why =
        switch match.basis {
        case .condition, .implied: ""
        case .error: ", because its condition could not be evaluated"
        case .allowance: ", within a live allowance"
        case .noAllowance: ", because it has to be earned and there is no live allowance"
        case .missingFact: ", because a fact that it reads is missing"
        }
      return name + why + (match.reason.map { ": \($0)" } ?? "") + (match.clause.map { " (\($0))" } ?? "")
    }
    lines += errors.map { "rule `\($0.rule)` could not be evaluated: \($0.message)" }
    return lines
  }

  private var defaultLines: [String] {
    var lines = [
      "no rule permits `\(visible(request.tool.name))` by `\(visible(request.principal.id))`"
        + (request.step.map { " in step `\($0.id)`" } ?? "")
    ]
    lines += errors.map { "rule `\($0.rule)` would count, but could not be evaluated: \($0.message)" }
    let erred = Set(errors.map(\.rule))
    let near = rules.compiled.nearest(to: request).filter { !erred.contains($0.rule.id) }
    lines += near.prefix(Self.maximumNear).map { "rule `\($0.rule.id)` does not match: \($0.difference)" }
    if near.count > Self.maximumNear { lines.append("and \(near.count - Self.maximumNear) more rules about this tool") }
    if lines.count == 1 { lines.append("no rule that permits or holds is about this tool, and what no rule permits is refused") }
    return lines
  }
}

extension CompiledRules {
  /// The permits and holds about the request's tool, those that differ least first, with what differs.
  func nearest(to request: Request) -> [(rule: Rule, difference: String)] {
    var near: [(rank: Int, rule: Rule, difference: String)] = []
    for rule in rules where rule.effect != .forbid && rule.tools.contains(where: { $0.matches(request.tool.name) }) {
      if !rule.concerns(request.principal) {
        near.append((2, rule, "it is about \(rule.principals.map { "`\($0)`" }.joined(separator: ", "))"))
      } else if !rule.concerns(request.step) {
        near.append((1, rule, "it is about step \(rule.steps.map { "`\($0)`" }.joined(separator: ", "))"))
      } else if let condition = rule.condition {
        near.append((0, rule, "it needs \(visible(condition))"))
      }
    }
    return near.enumerated().sorted { ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset) }.map {
      ($0.element.rule, $0.element.difference)
    }
  }
}
