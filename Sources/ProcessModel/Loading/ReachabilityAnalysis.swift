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
  /// - Returns: For each draft, whether it can be taken.
  func check(_ drafts: [ProcessLoader.BranchDraft], chooseAt position: SourcePosition) -> [Bool] {
    var reasons: [String?] = drafts.map { _ in nil }
    let cases = findShadows(drafts, &reasons)
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
  private func findShadows(_ drafts: [ProcessLoader.BranchDraft], _ reasons: inout [String?]) -> String? {
    var seen: [String] = []
    for (place, draft) in drafts.enumerated() {
      guard let when = draft.when else { continue }
      if seen.contains(when.source) { reasons[place] = "a branch before it has the same condition, `\(when.source)`" }
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
      for place in finite {
        guard let when = drafts[place].when else { continue }
        guard let holds = try? when.program.evaluateBool(activation) else { return }
        if holds {
          taken.insert(place)
          return
        }
      }
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

/// The cases that tell conditions apart: one assignment of values, or of no value, to everything that they read.
private struct Cases {
  struct Variable {
    let slot: Int
    let name: String
    let values: [CELValue]
  }

  let variables: [Variable]

  /// - Returns: `nil` where some reference takes more cases than can be listed, or all of them together too many.
  init?(of conditions: [Condition], loader: ProcessLoader) {
    var uses = ReferenceUses()
    for condition in conditions { uses.visit(condition.program.expression) }
    var variables: [Variable] = []
    var total = 1
    for reference in conditions.flatMap(\.program.references) where !variables.contains(where: { $0.slot == reference.slot }) {
      guard let field = loader.definition(of: reference), let values = Self.values(of: field, reference, uses) else { return nil }
      total *= values.count + 1
      guard total <= ReachabilityAnalysis.caseLimit, total <= loader.casesLeft else { return nil }
      variables.append(Variable(slot: reference.slot, name: reference.description, values: values))
    }
    loader.casesLeft -= total
    self.variables = variables
  }

  private static func values(of field: FieldDefinition, _ reference: CELReference, _ uses: ReferenceUses) -> [CELValue]? {
    if let choices = field.choices {
      let values = choices.compactMap { try? CELValue(json: $0, as: field.celType) }
      return values.count == choices.count ? values : nil
    }
    if field.type == .boolean { return [false, true] }
    guard !uses.others.contains(reference.path) else { return nil }
    let constants = uses.constants[reference.path] ?? []
    switch field.type {
    case .string:
      let texts = constants.compactMap(\.stringValue)
      return texts.count == constants.count ? texts.map(CELValue.string) + [.string("\u{0}")] : nil
    case .integer:
      let numbers = constants.compactMap(\.intValue)
      guard numbers.count == constants.count else { return nil }
      let cells = Set(numbers.flatMap { [$0 == .min ? $0 : $0 - 1, $0, $0 == .max ? $0 : $0 + 1] } + (numbers.isEmpty ? [0] : []))
      return cells.sorted().filter { field.allows(Double($0)) }.map(CELValue.int)
    case .number:
      let numbers = Set(constants.compactMap { $0.doubleValue ?? $0.intValue.map(Double.init) }).sorted()
      guard constants.allSatisfy({ $0.doubleValue != nil || $0.intValue != nil }), numbers.allSatisfy(\.isFinite) else { return nil }
      guard let first = numbers.first, let last = numbers.last else { return [0.0] }
      let between = zip(numbers, numbers.dropFirst()).map { ($0 + $1) / 2 }
      let cells = [first - max(1, abs(first))] + numbers + between + [last + max(1, abs(last))]
      return cells.sorted().filter(field.allows).map(CELValue.double)
    default: return nil
    }
  }

  /// Calls the body with each case, and with whether every variable has a value in it.
  func forEach(_ body: (CaseActivation, Bool) -> Void) {
    var places = [Int](repeating: 0, count: variables.count)
    while true {
      var values: [Int: CELValue] = [:]
      for (variable, place) in zip(variables, places) where place < variable.values.count { values[variable.slot] = variable.values[place] }
      let named = variables.compactMap { variable in values[variable.slot].map { (variable.name, $0) } }
      body(CaseActivation(values: values, named: named), values.count == variables.count)
      var wheel = variables.count - 1
      while wheel >= 0 {
        places[wheel] += 1
        if places[wheel] <= variables[wheel].values.count { break }
        places[wheel] = 0
        wheel -= 1
      }
      if wheel < 0 { return }
    }
  }
}

/// One case as an activation.
private final class CaseActivation: CELActivation {
  private let values: [Int: CELValue]
  private let named: [(String, CELValue)]

  init(values: [Int: CELValue], named: [(String, CELValue)]) {
    self.values = values
    self.named = named
  }

  func value(_ slot: Int) throws(CELEvaluationError) -> CELValue? { values[slot] }

  /// The case as people read it, such as: `run.risk` is "medium" and `run.urgent` is true.
  var words: String {
    let parts = named.map { name, value in
      if value == .string("\u{0}") { return "`\(name)` is any other text" }
      return "`\(name)` is \((try? value.json().text()) ?? "a value")"
    }
    return parts.isEmpty ? "the run comes here" : parts.joined(separator: " and ")
  }
}

/// How expressions use what they read: only compared with constants, or in another way as well.
private struct ReferenceUses {
  private(set) var constants: [[String]: [CELValue]] = [:]
  private(set) var others: Set<[String]> = []

  mutating func visit(_ expression: CELExpression) {
    if case .has = expression.kind { return }
    if let comparison = CELComparison(expression) {
      constants[comparison.path, default: []].append(contentsOf: comparison.constants.map(\.value))
    } else if let path = expression.path {
      others.insert(path)
    } else {
      for child in expression.children { visit(child) }
    }
  }
}

extension FieldDefinition {
  /// Whether a number is within the field's bounds.
  fileprivate func allows(_ number: Double) -> Bool {
    number >= schema["minimum"]?.numberValue?.double ?? -.infinity && number <= schema["maximum"]?.numberValue?.double ?? .infinity
      && number > schema["exclusiveMinimum"]?.numberValue?.double ?? -.infinity
      && number < schema["exclusiveMaximum"]?.numberValue?.double ?? .infinity
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
  func checkChoices(_ expression: CELExpression, _ value: PositionedJSON) {
    if let comparison = CELComparison(expression), let field = definition(at: comparison.path), let choices = field.choices {
      let known = choices.compactMap { try? CELValue(json: $0, as: field.celType) }
      for constant in comparison.constants where !known.contains(where: { $0.isEqual(to: constant.value) }) {
        let text = constant.value.stringValue ?? (try? constant.value.json().text()) ?? ""
        sink.add(.unknown("value", text, known: choices.map { $0.stringValue ?? $0.text() }, at: value.position(inString: constant.offset)))
      }
      return
    }
    for child in expression.children { checkChoices(child, value) }
  }
}
