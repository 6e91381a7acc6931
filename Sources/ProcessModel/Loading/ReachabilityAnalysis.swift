internal import CEL
internal import Core

/// Finds conditions that can never hold, branches that others before them always take first, and values for which no branch is left.
///
/// A condition over fields with listed values, truth values, and numbers or texts that are only compared with constants takes finitely many
/// cases: these are tried, one by one. Of other conditions nothing is claimed, unless they read nothing at all.
struct ReachabilityAnalysis {
  enum Outcome { case always, never, either }

  static let caseLimit = 20_000

  let loader: ProcessLoader

  /// Whether a condition holds in all cases, in none, or in some.
  func outcome(of condition: Condition) -> Outcome {
    guard let cases = Cases(of: [condition], loader: loader) else { return .either }
    var holds = false
    var fails = false
    cases.forEach { activation, isComplete in
      let value = try? condition.program.evaluateBool(activation)
      if value == true { holds = true } else if isComplete { fails = true }
    }
    return holds ? (fails ? .either : .always) : .never
  }

  /// Reports branches that are never taken, and a choice that leaves cases without a branch.
  ///
  /// - Parameters:
  ///   - drafts: The branches.
  ///   - takesAll: Whether every branch that applies is taken, and not the first alone.
  ///   - position: Where the choice stands.
  /// - Returns: For each draft, whether it can be taken.
  func check(_ drafts: [ProcessLoader.BranchDraft], takesAll: Bool, chooseAt position: SourcePosition) -> [Bool] {
    var reasons: [String?] = drafts.map { _ in nil }
    let cases = findShadows(drafts, takesAll: takesAll, &reasons)
    if let last = drafts.firstIndex(where: \.isOtherwise) {
      for place in drafts.indices where place > last { reasons[place] = "it stands after `otherwise`" }
    } else if let gap = cases, !reasons.contains(where: { $0 != nil }) {
      loader.sink.warning(
        "no-branch", at: position, "no branch applies when \(gap)", hint: "add `otherwise`: without it, such a run waits for a person")
    }
    for (draft, reason) in zip(drafts, reasons) {
      guard let reason else { continue }
      let first = draft.value["then"]?.arrayValue?.first ?? draft.value["otherwise"]?.arrayValue?.first
      let name = first?["step"]?.stringValue.map { "step `\(visible($0))`" } ?? "this branch"
      loader.sink.error("unreachable-step", at: (first ?? draft.value).position, "\(name) can never be reached: \(reason)")
    }
    return reasons.map { $0 == nil }
  }

  /// Gives a reason for every branch that is never taken.
  ///
  /// - Returns: A case that no branch covers, in words, if there is one and all conditions could be tried.
  private func findShadows(_ drafts: [ProcessLoader.BranchDraft], takesAll: Bool, _ reasons: inout [String?]) -> String? {
    var seen: [String] = []
    for (place, draft) in drafts.enumerated() {
      guard let when = draft.when else { continue }
      if !takesAll, seen.contains(when.source) { reasons[place] = "a branch before it has the same condition, `\(when.source)`" }
      seen.append(when.source)
      if outcome(of: when) == .never { reasons[place] = "`\(when.source)` is never true" }
    }
    let finite = drafts.indices.filter { place in
      guard let when = drafts[place].when, reasons[place] == nil else { return false }
      return Cases(of: [when], loader: loader) != nil
    }
    guard let cases = Cases(of: finite.compactMap { drafts[$0].when }, loader: loader) else { return nil }
    var taken: Set<Int> = []
    var gap: String?
    cases.forEach { activation, isComplete in
      var isTaken = false
      for place in finite {
        guard let when = drafts[place].when else { continue }
        guard let holds = try? when.program.evaluateBool(activation) else { return }
        if holds {
          taken.insert(place)
          isTaken = true
          if !takesAll { return }
        }
      }
      if isTaken { return }
      taken.insert(-1)
      if isComplete, gap == nil { gap = activation.words }
    }
    for place in finite where !taken.contains(place) { reasons[place] = "branches before it take every case in which it applies" }
    for (place, draft) in drafts.enumerated() where draft.isOtherwise && !taken.contains(-1) && !finite.isEmpty {
      reasons[place] = "the branches before it take every case"
    }
    let isWhole = drafts.allSatisfy { $0.isComplete } && finite.count == drafts.count(where: { $0.when != nil })
    return isWhole ? gap : nil
  }
}

extension ProcessLoader {
  /// The field or fact that a reference reads as a whole.
  func definition(of reference: CELReference) -> FieldDefinition? { definition(at: reference.path) }

  /// The field or fact at `run.risk` or `facts.status`.
  func definition(at path: [String]) -> FieldDefinition? {
    guard path.count == 2 else { return nil }
    return switch path[0] {
    case "run": fields.first { $0.name == path[1] }
    case "facts": tools.flatMap(\.facts).first { $0.name == path[1] }?.value
    default: nil
    }
  }

  /// Reports constants that a field with listed values can never be equal to.
  func checkChoices(_ expression: CELExpression, _ position: (_ offset: Int) -> SourcePosition) {
    if let comparison = CELComparison(expression), let field = definition(at: comparison.path), let choices = field.choices {
      let known = choices.compactMap { try? CELValue(json: $0, as: field.celType) }
      for constant in comparison.constants where !known.contains(where: { $0.isEqual(to: constant.value) }) {
        let text = constant.value.stringValue ?? (try? constant.value.json().text()) ?? ""
        sink.add(.unknown("value", text, known: choices.map { $0.stringValue ?? $0.text() }, at: position(constant.offset)))
      }
      return
    }
    for child in expression.children { checkChoices(child, position) }
  }
}
