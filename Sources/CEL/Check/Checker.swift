internal import Core

/// Finds the type of every expression, and what each name stands for.
struct Checker {
  /// What a name stands for.
  enum Resolution {
    case variable(String)
    case constant(CELValue)
    /// The place of a comprehension's variable in the frame.
    case local(Int)
  }

  /// What the compiler needs to know.
  struct Result {
    var types: [Int: CELType] = [:]
    var resolutions: [Int: Resolution] = [:]
    /// Calls whose target is the namespace of the function: `math.abs(x)`.
    var functions: [Int: Function] = [:]
    var localCount = 0
  }

  let environment: CELEnvironment
  let place: (Int) -> SourcePosition
  var result = Result()
  var problems: [Diagnostic] = []
  var substitution = TypeSubstitution()
  private var scope: [(name: String, type: CELType)] = []

  init(_ environment: CELEnvironment, _ place: @escaping (Int) -> SourcePosition) {
    self.environment = environment
    self.place = place
  }

  /// Checks a whole expression.
  ///
  /// - Returns: Its type; what was found wrong is in ``problems``.
  mutating func check(root: CELExpression, expecting: CELType?) -> CELType {
    let type = check(root)
    if let expecting, !substitution.assign([type], to: [expecting]) {
      report("cel-type", root.offset, "the expression is of type `\(shown(type))`, but `\(expecting)` is needed here")
    }
    for (id, type) in result.types { result.types[id] = substitution.resolve(type, toDynamic: true) }
    return result.types[root.id] ?? .dyn
  }

  // MARK: - Problems

  mutating func report(_ code: String, _ offset: Int, _ message: String, hint: String? = nil) {
    report(Diagnostic(code, at: place(offset), message, hint: hint))
  }

  mutating func report(_ problem: Diagnostic) {
    if environment.isChecked { problems.append(problem) }
  }

  /// The type after a problem: it agrees with every other, so that one mistake is reported once.
  var unknown: CELType { environment.isChecked ? .error : .dyn }

  func shown(_ type: CELType) -> CELType { substitution.resolve(type, toDynamic: true) }

  // MARK: - Expressions

  mutating func check(_ expression: CELExpression) -> CELType {
    let type = infer(expression)
    result.types[expression.id] = type
    return type
  }

  private mutating func infer(_ expression: CELExpression) -> CELType {
    switch expression.kind {
    case .literal(let value): return value.type
    case .identifier(let name, let isAbsolute):
      if let type = resolve(name, isAbsolute: isAbsolute, of: expression) { return type }
      let known = scope.map(\.name) + environment.variables.keys
      report(.unknown("name", name, known: known, at: place(expression.offset)))
      return unknown
    case .select(let operand, let field, let isOptional):
      if !isOptional, let type = resolveQualified(expression) { return type }
      return infer(select: field, of: check(operand), isOptional: isOptional, at: expression.offset)
    case .has(let operand, let field):
      _ = infer(select: field, of: check(operand), isOptional: false, at: expression.offset)
      return .bool
    case .call(let name, let target, let arguments): return infer(call: name, target, arguments, expression)
    case .list(let elements, let optional):
      var joined: CELType?
      for (place, element) in elements.enumerated() {
        var type = check(element)
        if optional.contains(place) { type = unwrap(type, element) }
        joined = join(joined, type)
      }
      return .list(joined ?? substitution.freshParameter())
    case .map(let entries):
      var keys: CELType?
      var values: CELType?
      for entry in entries {
        let key = check(entry.key)
        checkKey(key, entry.key)
        keys = join(keys, key)
        let value = check(entry.value)
        values = join(values, entry.isOptional ? unwrap(value, entry.value) : value)
      }
      return .map(keys ?? substitution.freshParameter(), values ?? substitution.freshParameter())
    case .comprehension(let comprehension): return infer(comprehension)
    case .bind(let name, let value, let body):
      let type = check(value)
      return withLocals([(name, type)]) { $0.check(body) }
    }
  }

  private mutating func join(_ joined: CELType?, _ type: CELType) -> CELType {
    guard let joined else { return type }
    return substitution.join(joined, type) ?? .dyn
  }

  private mutating func checkKey(_ type: CELType, _ key: CELExpression) {
    switch substitution.resolve(type) {
    case .bool, .int, .uint, .string, .dyn, .error, .parameter: break
    case let other:
      report("cel-type", key.offset, "a map key cannot be of type `\(shown(other))`", hint: "keys are bool, int, uint or string")
    }
  }

  /// The type of the value in an optional.
  mutating func unwrap(_ type: CELType, _ expression: CELExpression) -> CELType {
    switch substitution.resolve(type) {
    case .optional(let wrapped): return wrapped
    case .dyn, .error, .parameter: return .dyn
    case let other:
      report("cel-type", expression.offset, "`?` needs an optional here, found `\(shown(other))`", hint: "wrap it: `optional.of(…)`")
      return unknown
    }
  }

  // MARK: - Names

  /// The name of a chain of plain selections from a name, or nil.
  static func qualifiedName(_ expression: CELExpression) -> (root: String, name: String, isAbsolute: Bool)? {
    switch expression.kind {
    case .identifier(let name, let isAbsolute): return (name, name, isAbsolute)
    case .select(let operand, let field, isOptional: false):
      guard let inner = qualifiedName(operand) else { return nil }
      return (inner.root, "\(inner.name).\(field)", inner.isAbsolute)
    default: return nil
    }
  }

  private mutating func resolve(_ name: String, isAbsolute: Bool, of expression: CELExpression) -> CELType? {
    if !isAbsolute, let index = scope.lastIndex(where: { $0.name == name }) {
      result.resolutions[expression.id] = .local(index)
      return scope[index].type
    }
    return resolveGlobal(name, isAbsolute: isAbsolute, of: expression)
  }

  private mutating func resolveGlobal(_ name: String, isAbsolute: Bool, of expression: CELExpression) -> CELType? {
    for candidate in environment.candidates(name, isAbsolute: isAbsolute) {
      if let type = environment.variables[candidate] {
        result.resolutions[expression.id] = .variable(candidate)
        return type
      }
      if let type = StandardLibrary.typeNames[candidate] {
        result.resolutions[expression.id] = .constant(.type(type))
        return .type
      }
    }
    return nil
  }

  /// A selection that is, with its dots, the name of a variable: the longest such name wins.
  private mutating func resolveQualified(_ expression: CELExpression) -> CELType? {
    guard let (root, name, isAbsolute) = Self.qualifiedName(expression) else { return nil }
    if !isAbsolute, scope.contains(where: { $0.name == root }) { return nil }
    return resolveGlobal(name, isAbsolute: isAbsolute, of: expression)
  }

  func isLocal(_ name: String) -> Bool { scope.contains { $0.name == name } }

  // MARK: - Selection

  private mutating func infer(select field: String, of type: CELType, isOptional: Bool, at offset: Int) -> CELType {
    let operand = substitution.resolve(type)
    if case .optional(let wrapped) = operand {
      let selected = infer(select: field, of: wrapped, isOptional: false, at: offset)
      return .optional(selected)
    }
    let selected: CELType
    switch operand {
    case .dyn, .error: selected = operand
    case .parameter: selected = .dyn
    case .map(let key, let value):
      if !substitution.assign([.string], to: [key]) {
        report(
          "cel-type", offset, "`\(shown(operand))` has no field `\(field)`: its keys are of type `\(shown(key))`",
          hint: "write `[…]` for a key")
      }
      selected = value
    case .object(let name):
      if let fields = environment.fields(of: name) {
        if let found = fields.first(where: { $0.name == field }) {
          selected = found.type
        } else {
          report(unknownField(field, of: name, known: fields.map(\.name), at: offset))
          selected = unknown
        }
      } else {
        selected = .dyn
      }
    default:
      report("cel-type", offset, "`\(shown(operand))` has no fields, so it has no `\(field)`")
      selected = unknown
    }
    return isOptional ? .optional(selected) : selected
  }

  private func unknownField(_ field: String, of object: String, known: [String], at offset: Int) -> Diagnostic {
    var problem = Diagnostic.unknown("field", field, known: known, at: place(offset))
    problem.message += " of `\(object)`"
    return problem
  }

  // MARK: - Comprehensions

  private mutating func withLocals<R>(_ variables: [(String, CELType)], _ body: (inout Checker) -> R) -> R {
    for (name, type) in variables { scope.append((name, type)) }
    result.localCount = max(result.localCount, scope.count)
    defer { scope.removeLast(variables.count) }
    return body(&self)
  }

  private mutating func infer(_ comprehension: CELExpression.Comprehension) -> CELType {
    let range = check(comprehension.range)
    let names = comprehension.variables
    let elements = elementTypes(range, comprehension)
    let variables = names.count == 2 ? [(names[0], elements.key), (names[1], elements.value)] : [(names[0], elements.single)]
    return withLocals(variables) { checker in
      if let filter = comprehension.filter { checker.require(.bool, filter) }
      guard let body = comprehension.body else { return .list(elements.single) }
      switch comprehension.form {
      case .all, .exists, .existsOne:
        checker.require(.bool, body)
        return .bool
      case .map, .filter: return .list(checker.check(body))
      case .transformMap: return .map(elements.key, checker.check(body))
      case .transformMapEntry:
        let type = checker.check(body)
        let entry = CELType.map(checker.substitution.freshParameter(), checker.substitution.freshParameter())
        if !checker.substitution.assign([type], to: [entry]) {
          checker.report("cel-type", body.offset, "`transformMapEntry` needs a map here, found `\(checker.shown(type))`")
        }
        return type
      case .optMap: return .optional(checker.check(body))
      case .optFlatMap: return .optional(checker.unwrap(checker.check(body), body))
      }
    }
  }

  /// The types that the variables of a comprehension take.
  private mutating func elementTypes(
    _ type: CELType, _ comprehension: CELExpression.Comprehension
  ) -> (single: CELType, key: CELType, value: CELType) {
    // What is not known of an empty list's elements stays open, rather than become the first type that is asked for.
    let range = substitution.resolve(type, toDynamic: true)
    let wantsOptional = comprehension.form == .optMap || comprehension.form == .optFlatMap
    switch range {
    case .dyn, .error: return (.dyn, .dyn, .dyn)
    case .list(let element) where !wantsOptional: return (element, .int, element)
    case .map(let key, let value) where !wantsOptional: return (key, key, value)
    case .optional(let wrapped) where wantsOptional: return (wrapped, .dyn, .dyn)
    default:
      let wanted = wantsOptional ? "an optional" : "a list or a map"
      report("cel-type", comprehension.range.offset, "`\(comprehension.form.rawValue)` needs \(wanted), found `\(shown(range))`")
      return (unknown, unknown, unknown)
    }
  }

  mutating func require(_ wanted: CELType, _ expression: CELExpression) {
    let type = check(expression)
    if !substitution.assign([type], to: [wanted]) {
      report("cel-type", expression.offset, "`\(wanted)` is needed here, found `\(shown(type))`")
    }
  }
}
