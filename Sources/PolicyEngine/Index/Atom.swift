internal import CEL

/// A comparison of one value of the request with constants: what the index understands of a condition.
///
/// An atom answers only where CEL's answer is certain from the value alone; for a value of another type it says that it does not know,
/// and the condition is evaluated.
enum Atom: Sendable {
  enum Order: Sendable { case less, lessOrEqual, greater, greaterOrEqual }

  /// `path == constant`, or `path in [constants]`; the constants have one type.
  case isOneOf([CELValue])
  /// `path != constant`.
  case isNot(CELValue)
  /// `path < constant` and the like.
  case isOrdered(Order, CELValue)
  /// `constant in path`, for a list of texts.
  case contains(String)

  /// Whether the comparison holds for a value; nil when only the condition can tell.
  func holds(for value: CELValue) -> Bool? {
    switch self {
    case .isOneOf(let constants):
      var result = false
      for constant in constants {
        guard let equal = Self.areEqual(value, constant) else { return nil }
        result = result || equal
      }
      return result
    case .isNot(let constant): return Self.areEqual(value, constant).map { !$0 }
    case .isOrdered(let order, let constant):
      guard let (a, b) = Self.numbers(value, constant) else { return nil }
      return order.holds(a, b)
    case .contains(let text):
      guard case .list(let elements) = value else { return nil }
      var found = false
      for element in elements {
        guard case .string(let element) = element else { return nil }
        found = found || element.utf8.elementsEqual(text.utf8)
      }
      return found
    }
  }

  private static func areEqual(_ a: CELValue, _ b: CELValue) -> Bool? {
    switch (a, b) {
    case (.string(let x), .string(let y)): x.utf8.elementsEqual(y.utf8)
    case (.bool(let x), .bool(let y)): x == y
    default: numbers(a, b).map { $0 == $1 }
    }
  }

  /// Both as one comparable number type without loss, nil where that cannot be had or a NaN is among them.
  static func numbers(_ a: CELValue, _ b: CELValue) -> (Double, Double)? {
    guard let x = number(a), let y = number(b) else { return nil }
    return (x, y)
  }

  /// The number as a double, where it is one exactly.
  static func number(_ value: CELValue) -> Double? {
    switch value {
    case .int(let value): value.magnitude <= 1 << 53 ? Double(value) : nil
    case .double(let value): value.isNaN ? nil : value
    default: nil
    }
  }
}

extension Atom.Order {
  func holds(_ a: Double, _ b: Double) -> Bool {
    switch self {
    case .less: a < b
    case .lessOrEqual: a <= b
    case .greater: a > b
    case .greaterOrEqual: a >= b
    }
  }

  /// The same comparison with its sides exchanged.
  var flipped: Atom.Order {
    switch self {
    case .less: .greater
    case .lessOrEqual: .greaterOrEqual
    case .greater: .less
    case .greaterOrEqual: .lessOrEqual
    }
  }
}

/// A condition as the index sees it: atoms that all have to hold, and whether anything else has to hold as well.
struct Conjunction: Sendable {
  var atoms: [(path: [String], atom: Atom)] = []
  /// Whether the atoms are all that the condition asks.
  var isComplete = true

  /// Splits a condition at its outermost `&&`.
  ///
  /// A false conjunct settles the whole condition whatever the others do, errors included, so a rule with a false atom can be left out
  /// without looking at the rest. A condition whose atoms all hold and that asks nothing else is true.
  init(of expression: CELExpression, isValue: ([String]) -> Bool) {
    var pending = [expression]
    while let next = pending.popLast() {
      if case .call("_&&_", nil, let arguments) = next.kind {
        pending.append(contentsOf: arguments)
      } else if case .literal(.bool(true)) = next.kind {
        continue
      } else if let atom = Self.atom(next, isValue) {
        atoms.append(atom)
      } else {
        isComplete = false
      }
    }
  }

  private static func atom(_ expression: CELExpression, _ isValue: ([String]) -> Bool) -> (path: [String], atom: Atom)? {
    func path(_ expression: CELExpression) -> [String]? {
      var names: [String] = []
      var next = expression
      while case .select(let operand, let field, false) = next.kind {
        names.append(field)
        next = operand
      }
      guard case .identifier(let name, _) = next.kind else { return nil }
      names.append(name)
      names.reverse()
      return isValue(names) ? names : nil
    }
    func constant(_ expression: CELExpression) -> CELValue? {
      if case .literal(let value) = expression.kind { return value }
      if case .call("-_", nil, let operands) = expression.kind, operands.count == 1, case .literal(let value) = operands[0].kind {
        switch value {
        case .int(let number): return number == .min ? nil : .int(-number)
        case .double(let number): return .double(-number)
        default: return nil
        }
      }
      return nil
    }
    if let path = path(expression) { return (path, .isOneOf([.bool(true)])) }
    guard case .call(let name, nil, let arguments) = expression.kind else { return nil }
    if name == "!_", arguments.count == 1, let path = path(arguments[0]) { return (path, .isOneOf([.bool(false)])) }
    guard arguments.count == 2 else { return nil }
    let (left, right) = (arguments[0], arguments[1])
    if name == "@in" {
      if let path = path(left), case .list(let elements, let optional) = right.kind, optional.isEmpty, !elements.isEmpty {
        let constants = elements.compactMap(constant)
        guard constants.count == elements.count, constants.allSatisfy({ isIndexable($0) && kind($0) == kind(constants[0]) }) else {
          return nil
        }
        return (path, .isOneOf(constants))
      }
      if case .literal(.string(let text)) = left.kind, let path = path(right) { return (path, .contains(text)) }
      return nil
    }
    let order: Atom.Order? =
      switch name {
      case "_<_": .less
      case "_<=_": .lessOrEqual
      case "_>_": .greater
      case "_>=_": .greaterOrEqual
      default: nil
      }
    for (valueSide, constantSide, isFlipped) in [(left, right, false), (right, left, true)] {
      guard let path = path(valueSide), let constant = constant(constantSide), isIndexable(constant) else { continue }
      if let order { return Atom.number(constant).map { _ in (path, .isOrdered(isFlipped ? order.flipped : order, constant)) } }
      if name == "_==_" { return (path, .isOneOf([constant])) }
      if name == "_!=_" { return (path, .isNot(constant)) }
    }
    return nil
  }

  private static func isIndexable(_ constant: CELValue) -> Bool {
    switch constant {
    case .string, .bool: true
    default: Atom.number(constant) != nil
    }
  }

  private static func kind(_ constant: CELValue) -> Int {
    switch constant {
    case .string: 0
    case .bool: 1
    default: 2
    }
  }
}
