internal import Core

extension CELExpression: CustomStringConvertible {
  /// Text that parses to this expression, with the macros as they are called and no more parentheses than it needs.
  public var description: String { text.text }

  /// How tightly the outermost operator binds, loosest first.
  private enum Binding: Int, Comparable {
    case choice, or, and, relation, sum, product, sign, primary

    static func < (a: Binding, b: Binding) -> Bool { a.rawValue < b.rawValue }

    var next: Binding { Binding(rawValue: rawValue + 1) ?? .primary }
  }

  private static let operators: [String: (symbol: String, binding: Binding)] = [
    "_||_": ("||", .or), "_&&_": ("&&", .and), "_==_": ("==", .relation), "_!=_": ("!=", .relation), "_<_": ("<", .relation),
    "_<=_": ("<=", .relation), "_>_": (">", .relation), "_>=_": (">=", .relation), "@in": ("in", .relation), "_+_": ("+", .sum),
    "_-_": ("-", .sum), "_*_": ("*", .product), "_/_": ("/", .product), "_%_": ("%", .product),
  ]

  private var text: (text: String, binding: Binding) {
    switch kind {
    case .literal(let value): return (Self.text(of: value), .primary)
    case .identifier(let name, let isAbsolute): return (isAbsolute ? ".\(name)" : name, .primary)
    case .select(let operand, let field, let isOptional): return ("\(operand.text(.primary)).\(isOptional ? "?" : "")\(field)", .primary)
    case .has(let operand, let field): return ("has(\(operand.text(.primary)).\(field))", .primary)
    case .call(let name, let target, let arguments): return Self.call(name, target, arguments)
    case .list(let elements, let optional):
      let texts = elements.enumerated().map { (optional.contains($0) ? "?" : "") + $1.description }
      return ("[\(texts.joined(separator: ", "))]", .primary)
    case .map(let entries):
      let texts = entries.map { "\($0.isOptional ? "?" : "")\($0.key): \($0.value)" }
      return ("{\(texts.joined(separator: ", "))}", .primary)
    case .comprehension(let macro):
      let name =
        switch macro.form {
        case .map where macro.variables.count == 2: "transformList"
        default: macro.form.rawValue
        }
      let parts = macro.variables + [macro.filter, macro.body].compactMap { $0?.description }
      return ("\(macro.range.text(.primary)).\(name)(\(parts.joined(separator: ", ")))", .primary)
    case .bind(let name, let value, let body): return ("cel.bind(\(name), \(value), \(body))", .primary)
    }
  }

  /// The text as an operand of something that binds so tightly.
  private func text(_ binding: Binding) -> String {
    let own = text
    return own.binding < binding ? "(\(own.text))" : own.text
  }

  private static func call(_ name: String, _ target: CELExpression?, _ arguments: [CELExpression]) -> (text: String, binding: Binding) {
    if let (symbol, binding) = operators[name], arguments.count >= 2 {
      let texts = arguments.enumerated().map { place, argument in argument.text(place == 0 && binding > .and ? binding : binding.next) }
      return (texts.joined(separator: " \(symbol) "), binding)
    }
    switch (name, arguments.count) {
    case ("!_", 1), ("-_", 1): return ("\(name.prefix(1))\(arguments[0].text(.primary))", .sign)
    case ("_?_:_", 3): return ("\(arguments[0].text(.or)) ? \(arguments[1].text(.or)) : \(arguments[2])", .choice)
    case ("_[_]", 2): return ("\(arguments[0].text(.primary))[\(arguments[1])]", .primary)
    case ("_[?_]", 2): return ("\(arguments[0].text(.primary))[?\(arguments[1])]", .primary)
    default:
      let list = arguments.map(\.description).joined(separator: ", ")
      return ("\(target.map { "\($0.text(.primary))." } ?? "")\(name)(\(list))", .primary)
    }
  }

  private static func text(of value: CELValue) -> String {
    switch value {
    case .null: return "null"
    case .uint(let number): return "\(number)u"
    case .double(let number): return number.description
    case .string(let text): return JSON.string(text).text()
    case .bytes(let bytes):
      let escapes = bytes.map { byte -> String in
        let digits = String(byte, radix: 16)
        return "\\x" + (digits.count == 1 ? "0" : "") + digits
      }
      return "b\"\(escapes.joined())\""
    case .bool(let truth): return truth ? "true" : "false"
    case .int(let number): return String(number)
    default: return "null"
    }
  }
}
