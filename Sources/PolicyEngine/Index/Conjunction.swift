internal import CEL

/// A condition as the index sees it: atoms that all have to hold, and the rest.
struct Conjunction: Sendable {
  private(set) var atoms: [(slot: Int, atom: Atom)] = []
  /// What the condition asks beside the atoms; all of it has to hold as well.
  private(set) var rest: [CELExpression] = []

  /// Splits a condition at its outermost `&&`.
  ///
  /// A false conjunct settles the whole condition whatever the others do, errors included, so a rule with a false atom can be left out
  /// without looking at the rest. A condition whose atoms all hold is what the rest is.
  init(of program: CELProgram) {
    let slots = Dictionary(program.references.map { ($0.path, $0.slot) }, uniquingKeysWith: { first, _ in first })
    var pending = [program.expression]
    while let next = pending.popLast() {
      if case .call("_&&_", nil, let arguments) = next.kind {
        pending.append(contentsOf: arguments.reversed())
      } else if case .literal(.bool(true)) = next.kind {
        continue
      } else if let (path, atom) = Self.atom(next), let slot = slots[path] {
        atoms.append((slot, atom))
      } else {
        rest.append(next)
      }
    }
  }

  private static func atom(_ expression: CELExpression) -> (path: [String], atom: Atom)? {
    if let path = path(expression) { return (path, .flag(true)) }
    guard case .call(let name, nil, let arguments) = expression.kind else { return nil }
    if name == "!_", arguments.count == 1, let path = path(arguments[0]) { return (path, .flag(false)) }
    guard arguments.count == 2 else { return nil }
    let (left, right) = (arguments[0], arguments[1])
    if name == "@in" {
      if case .literal(.string(let text)) = left.kind, let path = path(right) { return (path, .contains(text)) }
      guard let path = path(left), case .list(let elements, let optional) = right.kind, optional.isEmpty, !elements.isEmpty else {
        return nil
      }
      let constants = elements.compactMap(constant)
      return constants.count == elements.count ? equality(constants, isNot: false).map { (path, $0) } : nil
    }
    for (valueSide, constantSide, isFlipped) in [(left, right, false), (right, left, true)] {
      guard let path = path(valueSide), let constant = constant(constantSide) else { continue }
      switch name {
      case "_==_": return equality([constant], isNot: false).map { (path, $0) }
      case "_!=_": return equality([constant], isNot: true).map { (path, $0) }
      default:
        guard let order = order(name), case .number(let number) = constant else { return nil }
        return (path, .order(isFlipped ? order.flipped : order, number))
      }
    }
    return nil
  }

  /// The names of a chain of plain selections: `run.amount`.
  private static func path(_ expression: CELExpression) -> [String]? {
    var names: [String] = []
    var next = expression
    while case .select(let operand, let field, false) = next.kind {
      names.append(field)
      next = operand
    }
    guard case .identifier(let name, _) = next.kind else { return nil }
    names.append(name)
    return names.reversed()
  }

  /// A constant that the index tells from others; numbers only where a double holds them exactly.
  private static func constant(_ expression: CELExpression) -> Observation? {
    switch expression.kind {
    case .literal(.string(let text)): .text(text)
    case .literal(.bool(let flag)): .flag(flag)
    case .literal(let value): Observation(number: value)
    case .call("-_", nil, let operands) where operands.count == 1:
      if case .literal(let value) = operands[0].kind, case .number(let number)? = Observation(number: value) {
        .number(-number)
      } else {
        nil
      }
    default: nil
    }
  }

  private static func equality(_ constants: [Observation], isNot: Bool) -> Atom? {
    var texts: [String] = []
    var numbers: [Double] = []
    var flags: [Bool] = []
    for constant in constants {
      switch constant {
      case .text(let text): texts.append(text)
      case .number(let number): numbers.append(number)
      case .flag(let flag): flags.append(flag)
      case .texts, .other: return nil
      }
    }
    // A list of several types compares a value with constants of another type; that is left to the condition.
    if texts.count == constants.count { return .text(texts, isNot: isNot) }
    if numbers.count == constants.count { return .number(numbers, isNot: isNot) }
    return flags.count == 1 && constants.count == 1 ? .flag(flags[0] != isNot) : nil
  }

  private static func order(_ name: String) -> Atom.Order? {
    switch name {
    case "_<_": .less
    case "_<=_": .lessOrEqual
    case "_>_": .greater
    case "_>=_": .greaterOrEqual
    default: nil
    }
  }
}

extension Observation {
  /// A number that a double holds exactly; nil for anything else.
  init?(number value: CELValue) {
    switch value {
    case .int(let value) where value.magnitude <= 1 << 53: self = .number(Double(value))
    case .double(let value) where !value.isNaN: self = .number(value)
    default: return nil
    }
  }
}
