internal import CEL
internal import Core

/// The cases that tell conditions apart: one assignment of values, or of no value, to everything that they read.
struct Cases {
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

  /// Values of a field such that every expression of `uses` says of any value what it says of one of these; `nil` where there are too many.
  static func values(of field: FieldDefinition, _ reference: CELReference, _ uses: ReferenceUses) -> [CELValue]? {
    if let choices = field.choices {
      let values = choices.compactMap { try? CELValue(json: $0, as: field.celType) }
      return values.count == choices.count ? values : nil
    }
    if field.type == .boolean { return [false, true] }
    guard !uses.others.contains(reference.path) else { return nil }
    let constants = uses.constants[reference.path] ?? []
    switch field.type {
    case .string:
      // Between two texts there are always more, which no listed one stands for.
      if uses.ordered.contains(reference.path) { return nil }
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
final class CaseActivation: CELActivation {
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
struct ReferenceUses {
  private(set) var constants: [[String]: [CELValue]] = [:]
  private(set) var others: Set<[String]> = []
  /// What is asked to be less or greater than something.
  private(set) var ordered: Set<[String]> = []

  mutating func visit(_ expression: CELExpression) {
    if case .has = expression.kind { return }
    if let comparison = CELComparison(expression) {
      constants[comparison.path, default: []].append(contentsOf: comparison.constants.map(\.value))
      if case .call(let name, _, _) = expression.kind, !["_==_", "_!=_", "@in"].contains(name) { ordered.insert(comparison.path) }
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
