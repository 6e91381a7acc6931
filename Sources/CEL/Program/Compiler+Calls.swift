internal import Core

/// Operators, functions and comprehensions.
extension Compiler {
  mutating func call(_ name: String, _ target: CELExpression?, _ arguments: [CELExpression], _ expression: CELExpression) -> Node {
    let offset = expression.offset
    switch name {
    case "_&&_" where arguments.count == 2: return AndPairNode(node(arguments[0]), node(arguments[1]), offset)
    case "_||_" where arguments.count == 2: return OrPairNode(node(arguments[0]), node(arguments[1]), offset)
    case "_&&_": return AndNode(arguments.map { node($0) }, offset)
    case "_||_": return OrNode(arguments.map { node($0) }, offset)
    case "_?_:_": return ConditionalNode(node(arguments[0]), node(arguments[1]), node(arguments[2]), offset)
    default: break
    }
    guard let function = checked.functions[expression.id] else {
      return FailureNode(Failure(.undeclared, "unknown function `\(displayName(name))`"), offset)
    }
    // The target of a function in a namespace is a part of its name.
    let isMember = target != nil && function.name == name
    let operands = (isMember ? target.map { [$0] } ?? [] : []) + arguments
    guard function.accepts(operands.count, isMember: isMember) else {
      return FailureNode(Failure(.noSuchOverload, "`\(displayName(name))` does not take these arguments"), offset)
    }
    let nodes = operands.map { node($0) }
    if let special = specialised(function, nodes, operands, offset) { return folded(special, nodes) }
    return folded(general(function, nodes, offset), nodes)
  }

  private func general(_ function: Function, _ nodes: [Node], _ offset: Int) -> Node {
    switch function.body {
    case .unary(let body): UnaryCallNode(nodes[0], offset, body)
    case .binary(let body): BinaryCallNode(nodes[0], nodes[1], offset, body)
    case .any(let body): CallNode(nodes, offset, body)
    }
  }

  /// A node for what is known of the operands; nil where there is none.
  private mutating func specialised(_ function: Function, _ nodes: [Node], _ operands: [CELExpression], _ offset: Int) -> Node? {
    if nodes.count == 1, function.name == "!_" { return NotNode(nodes[0], offset) }
    guard nodes.count == 2 else { return nil }
    let types = (type(operands[0]), type(operands[1]))
    if let operation = ScalarComparison(rawValue: function.name) {
      switch types {
      case (.int, .int):
        if case .int(let bound) = nodes[1].constant { return IntBoundNode(nodes[0], bound, operation, offset) }
        return IntComparisonNode(nodes[0], nodes[1], operation, offset)
      case (.double, .double):
        if case .double(let bound) = nodes[1].constant { return DoubleBoundNode(nodes[0], bound, operation, offset) }
        return DoubleComparisonNode(nodes[0], nodes[1], operation, offset)
      case (.uint, .uint): return UintComparisonNode(nodes[0], nodes[1], operation, offset)
      default: break
      }
      guard operation == .equal || operation == .unequal else { return nil }
      if case (.string, .string) = types {
        if case .string(let text) = nodes[1].constant { return EqualTextNode(nodes[0], text, wanted: operation == .equal, offset) }
        if case .string(let text) = nodes[0].constant { return EqualTextNode(nodes[1], text, wanted: operation == .equal, offset) }
      }
      return EqualNode(nodes[0], nodes[1], wanted: operation == .equal, offset)
    }
    if let operation = Arithmetic(rawValue: function.name) {
      switch types {
      case (.int, .int): return IntArithmeticNode(nodes[0], nodes[1], operation, offset)
      case (.double, .double): return DoubleArithmeticNode(nodes[0], nodes[1], operation, offset)
      default: return nil
      }
    }
    switch function.name {
    case "@in": return membership(nodes, types.0, offset)
    case "matches": return matches(nodes, operands, offset)
    case "or", "orValue": return OrElseNode(nodes[0], nodes[1], unwraps: function.name == "orValue", offset)
    default: return zonedPart(function, nodes, operands, offset)
    }
  }

  /// `x in [constants]`, with the constants in a set.
  private func membership(_ nodes: [Node], _ type: CELType, _ offset: Int) -> Node? {
    guard case .list(let values) = nodes[1].constant, !values.isEmpty else { return nil }
    let texts = values.compactMap(\.stringValue)
    if texts.count == values.count { return TextMemberNode(nodes[0], isText: type == .string, texts, offset) }
    let numbers = values.compactMap(\.intValue)
    return type == .int && numbers.count == values.count ? IntMemberNode(nodes[0], numbers, offset) : nil
  }

  /// `text.matches('pattern')`, with the pattern compiled.
  private mutating func matches(_ nodes: [Node], _ operands: [CELExpression], _ offset: Int) -> Node? {
    guard case .string(let pattern) = nodes[1].constant else { return nil }
    do throws(Diagnostic) {
      return MatchesNode(nodes[0], try LinearRegex(pattern, dialect: .re2), offset)
    } catch {
      if environment.isChecked {
        problems.append(Diagnostic("cel-regex", at: place(operands[1].offset), error.message, hint: error.hint))
      }
      return nil
    }
  }

  /// A part of a time in a zone, with the zone found where its name is constant.
  private mutating func zonedPart(_ function: Function, _ nodes: [Node], _ operands: [CELExpression], _ offset: Int) -> Node? {
    guard let part = StandardLibrary.timeParts[function.name], type(operands[0]) == .timestamp || type(operands[0]) == .dyn else {
      return nil
    }
    let finder = environment.timeZone
    let find: @Sendable (String) -> CELTimeZone? = { CELTimeZone.fixedOffset($0).map(CELTimeZone.init(offset:)) ?? finder($0) }
    var known: CELTimeZone?
    if case .string(let name) = nodes[1].constant {
      known = find(name)
      if known == nil, environment.isChecked {
        problems.append(
          Diagnostic(
            "cel-time-zone", at: place(operands[1].offset), "unknown time zone `\(visible(name))`",
            hint: "write an offset such as `+02:00`, `UTC`, or a name such as `Europe/Berlin` where zone data is available"))
      }
    }
    return ZonedPartNode(nodes[0], nodes[1], known: known, find: find, part: part, offset)
  }

  mutating func comprehension(_ comprehension: CELExpression.Comprehension, _ offset: Int) -> Node {
    let range = node(comprehension.range)
    let index = scopeCount
    let before = cost
    let (filter, body) = scoped(comprehension.variables) { compiler in
      (comprehension.filter.map { compiler.node($0) }, comprehension.body.map { compiler.node($0) })
    }
    let loop = Loop(range: range, index: index, hasTwoVariables: comprehension.variables.count == 2, cost: cost - before + 1)
    switch (comprehension.form, body) {
    case (.all, let body?): return QuantifierNode(loop, body, deciding: false, offset)
    case (.exists, let body?): return QuantifierNode(loop, body, deciding: true, offset)
    case (.existsOne, let body?): return ExistsOneNode(loop, body, offset)
    case (.transformMap, let body?): return TransformMapNode(loop, filter: filter, body, yieldsEntries: false, offset)
    case (.transformMapEntry, let body?): return TransformMapNode(loop, filter: filter, body, yieldsEntries: true, offset)
    case (.optMap, let body?): return OptionalMapNode(range, index, body, isFlat: false, offset)
    case (.optFlatMap, let body?): return OptionalMapNode(range, index, body, isFlat: true, offset)
    default: return TransformListNode(loop, filter: filter, body, offset)
    }
  }
}
