internal import Core

/// Turns a checked expression into nodes: names into slots, operators over known types into nodes for these types, operations
/// over constants into constants.
struct Compiler {
  let environment: CELEnvironment
  let checked: Checker.Result
  let place: (Int) -> SourcePosition
  private(set) var references: [CELReference] = []
  /// The number of operations compiled so far.
  private(set) var cost = 0
  var problems: [Diagnostic] = []
  /// The variables of the comprehensions around the expression at hand.
  private var scope: [String] = []

  /// The place in the frame of the next variable.
  var scopeCount: Int { scope.count }

  init(_ environment: CELEnvironment, _ checked: Checker.Result, _ place: @escaping (Int) -> SourcePosition) {
    self.environment = environment
    self.checked = checked
    self.place = place
  }

  func type(_ expression: CELExpression) -> CELType { checked.types[expression.id] ?? .dyn }

  mutating func node(_ expression: CELExpression) -> Node {
    cost += 1 + expression.textBytes >> 4
    let offset = expression.offset
    if let path = referencePath(expression) {
      return ReferenceNode(reference(path.variable, path.fields, type(expression)), offset)
    }
    switch expression.kind {
    case .literal(let value): return ConstantNode(value, offset)
    case .identifier(let name, _): return named(name, expression)
    case .select(let operand, let field, let isOptional):
      if case .constant(let value) = checked.resolutions[expression.id] { return ConstantNode(value, offset) }
      if isOptional { return optionalSelection(operand, field, offset) }
      return SelectNode(node(operand), field, offset)
    case .has(let operand, let field): return presence(operand, field, offset)
    case .call(let name, let target, let arguments): return call(name, target, arguments, expression)
    case .list(let elements, let optional):
      let nodes = elements.map { node($0) }
      return folded(ListNode(nodes, optional: optional, offset), nodes)
    case .map(let entries):
      let nodes = entries.map { MapNode.Entry(key: node($0.key), value: node($0.value), isOptional: $0.isOptional) }
      return folded(MapNode(nodes, offset), nodes.flatMap { [$0.key, $0.value] })
    case .comprehension(let comprehension): return self.comprehension(comprehension, offset)
    case .bind(let name, let value, let body):
      let bound = node(value)
      let index = scope.count
      return BindNode(bound, index, scoped([name]) { $0.node(body) }, offset)
    }
  }

  mutating func scoped<R>(_ names: [String], _ body: (inout Compiler) -> R) -> R {
    scope += names
    defer { scope.removeLast(names.count) }
    return body(&self)
  }

  private func named(_ name: String, _ expression: CELExpression) -> Node {
    switch checked.resolutions[expression.id] {
    case .local(let index): LocalNode(index, expression.offset)
    case .constant(let value): ConstantNode(value, expression.offset)
    case .variable, nil: FailureNode(Failure(.undeclared, "unknown name `\(name)`"), expression.offset)
    }
  }

  // MARK: - References

  mutating func reference(_ variable: String, _ fields: [String], _ type: CELType) -> CELReference {
    let reference = environment.references.intern(variable: variable, fields: fields, type: type)
    if !references.contains(reference) { references.append(reference) }
    return reference
  }

  /// The variable and fields that a chain of selections reads, where it starts with a variable.
  private func referencePath(_ expression: CELExpression) -> (variable: String, fields: [String])? {
    if case .variable(let name) = checked.resolutions[expression.id] { return (name, []) }
    guard case .select(let operand, let field, isOptional: false) = expression.kind, let path = referencePath(operand) else { return nil }
    switch type(operand) {
    case .object, .dyn, .map(.string, _), .map(.dyn, _): return (path.variable, path.fields + [field])
    default: return nil
    }
  }

  /// `has(operand.field)`.
  ///
  /// A declared variable is taken to be there; a field that is not there itself has no fields to ask for.
  private mutating func presence(_ operand: CELExpression, _ field: String, _ offset: Int) -> Node {
    guard let path = referencePath(operand) else { return HasNode(node(operand), field, offset) }
    let operandType = type(operand)
    let fieldType: CELType
    switch operandType {
    case .object(let name): fieldType = environment.fields(of: name)?.first { $0.name == field }?.type ?? .dyn
    case .map(.string, let value), .map(.dyn, let value): fieldType = value
    case .dyn: fieldType = .dyn
    default: return HasNode(node(operand), field, offset)
    }
    let read = ReferenceNode(reference(path.variable, path.fields + [field], fieldType), offset)
    if path.fields.isEmpty { return PresenceNode(read, within: nil, offset) }
    return PresenceNode(read, within: ReferenceNode(reference(path.variable, path.fields, operandType), operand.offset), offset)
  }

  /// `operand.?field`.
  private mutating func optionalSelection(_ operand: CELExpression, _ field: String, _ offset: Int) -> Node {
    guard let path = referencePath(operand), path.fields.isEmpty, case .object(let name) = type(operand) else {
      return OptionalSelectNode(node(operand), field, offset)
    }
    let fieldType = environment.fields(of: name)?.first { $0.name == field }?.type ?? .dyn
    return OptionalReferenceNode(reference(path.variable, [field], fieldType), offset)
  }

  // MARK: - Constants

  /// The node, or its value where all that it works on is constant.
  func folded(_ node: Node, _ operands: [Node]) -> Node {
    guard operands.allSatisfy({ $0.constant != nil }) else { return node }
    // What errs or takes long stays as it is, so that it errs only where it is evaluated.
    let nothing = NoVariables()
    defer { withExtendedLifetime(nothing) {} }
    var frame = Frame(
      slots: UnsafeMutableBufferPointer(start: nil, count: 0), activation: nothing,
      locals: UnsafeMutableBufferPointer(start: nil, count: 0),
      meter: Meter(limit: 10_000))
    guard let value = try? node.value(&frame) else { return node }
    return ConstantNode(value, node.offset)
  }
}

extension CELExpression {
  /// The bytes of the texts in this one expression, which each evaluation may have to compare.
  var textBytes: Int {
    switch kind {
    case .literal(.string(let text)), .identifier(let text, _), .select(_, let text, _), .has(_, let text): text.utf8.count
    case .literal(.bytes(let bytes)): bytes.count
    default: 0
    }
  }
}
