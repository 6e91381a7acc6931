/// A comparison of something that is read with constants: `run.risk == 'low'`, `run.risk in ['low', 'medium']`.
public struct CELComparison: Sendable {
  /// What is read: `run`, `risk`.
  public let path: [String]
  /// The constants, and where each stands in the source.
  public let constants: [(value: CELValue, offset: Int)]

  /// The comparison that an expression is; nil for any other.
  public init?(_ expression: CELExpression) {
    guard case .call(let name, nil, let arguments) = expression.kind, arguments.count == 2 else { return nil }
    switch name {
    case "_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_":
      let (left, right) = (arguments[0], arguments[1])
      if let path = left.path, let value = right.constant {
        self.path = path
        constants = [(value, right.offset)]
      } else if let path = right.path, let value = left.constant {
        self.path = path
        constants = [(value, left.offset)]
      } else {
        return nil
      }
    case "@in":
      guard let path = arguments[0].path, case .list(let elements, let optional) = arguments[1].kind, optional.isEmpty else { return nil }
      let values = elements.compactMap { element in element.constant.map { ($0, element.offset) } }
      guard values.count == elements.count else { return nil }
      self.path = path
      constants = values
    default: return nil
    }
  }
}

extension CELExpression {
  /// The names of `run.amount`, outermost first; `nil` for anything but names and fields.
  public var path: [String]? {
    switch kind {
    case .identifier(let name, _): [name]
    case .select(let operand, let field, false): operand.path.map { $0 + [field] }
    default: nil
    }
  }

  /// The value of a literal, also of a negative one.
  public var constant: CELValue? {
    switch kind {
    case .literal(let value): return value
    case .call("-_", nil, let arguments):
      switch arguments.first?.constant {
      case .int(let value)? where value != .min: return .int(-value)
      case .double(let value)?: return .double(-value)
      default: return nil
      }
    default: return nil
    }
  }
}
