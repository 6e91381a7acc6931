internal import CEL

/// What conditions compare values with: from that follows which values have to be told apart.
struct ConditionReading {
  /// A constant that a value is compared with.
  enum Constant {
    case text(String), number(CELValue), flag, member(String), instant(CELTimestamp)
  }

  /// The constants of each value that is compared or read, by its path.
  private(set) var constants: [ExactPath: [Constant]] = [:]
  /// The types under which the values are read.
  private(set) var types: [ExactPath: CELType] = [:]
  /// What was not understood: these parts are only evaluated, so that what is found is true, but not all of it is found.
  private(set) var opaque: [String] = []

  /// Reads a condition as well.
  mutating func read(_ program: CELProgram) {
    for reference in program.references {
      let path = ExactPath(reference.path)
      if let known = types[path], known != reference.type { types[path] = .dyn } else { types[path] = reference.type }
    }
    read(program.expression, in: program)
  }

  private mutating func read(_ expression: CELExpression, in program: CELProgram) {
    switch expression.kind {
    case .literal(.bool): return
    case .call("_&&_", nil, let parts), .call("_||_", nil, let parts), .call("!_", nil, let parts), .call("_?_:_", nil, let parts):
      for part in parts { read(part, in: program) }
    case .has(let operand, let field):
      // Of what is deeper it would have to be told apart as well whether what is around it is there.
      guard let path = operand.path, path.count == 1 else { return unknown(in: program) }
      note(path + [field], nil)
    case .identifier, .select:
      guard let path = expression.path else { return unknown(in: program) }
      note(path, .flag)
    case .call(let name, nil, let operands) where operands.count == 2: comparison(expression, name, operands, in: program)
    default: unknown(in: program)
    }
  }

  private mutating func comparison(_ expression: CELExpression, _ name: String, _ operands: [CELExpression], in program: CELProgram) {
    if name == "@in", case .literal(.string(let text)) = operands[0].kind, let path = operands[1].path { return note(path, .member(text)) }
    if let comparison = CELComparison(expression) {
      let found = comparison.constants.map { Self.constant($0.value) }
      if !found.isEmpty, found.allSatisfy({ $0 != nil }) {
        for constant in found { note(comparison.path, constant) }
        return
      }
    }
    for (side, other) in [(operands[0], operands[1]), (operands[1], operands[0])] {
      if side.path == ["now"], let time = Self.instant(of: other) { return note(["now"], .instant(time)) }
    }
    unknown(in: program)
  }

  /// `timestamp('…')` of a literal.
  private static func instant(of expression: CELExpression) -> CELTimestamp? {
    guard case .call("timestamp", nil, let operands) = expression.kind, case .literal(.string(let text))? = operands.first?.kind else {
      return nil
    }
    return CELTimestamp(text)
  }

  private static func constant(_ value: CELValue) -> Constant? {
    switch value {
    case .string(let text): .text(text)
    case .int, .double: .number(value)
    case .bool: .flag
    default: nil
    }
  }

  private mutating func note(_ path: [String], _ constant: Constant?) {
    constants[ExactPath(path), default: []] += constant.map { [$0] } ?? []
  }

  /// A part that is only evaluated: what it reads is given some value.
  private mutating func unknown(in program: CELProgram) {
    opaque.append(program.source.count <= 60 ? program.source : program.source.prefix(57) + "…")
    for reference in program.references { note(reference.path, nil) }
  }
}

/// A path whose names are compared byte for byte.
struct ExactPath: Hashable, Comparable {
  let names: [String]
  private let key: String

  init(_ names: [String]) {
    self.names = names
    key = names.joined(separator: "\u{0}")
  }

  static func < (a: ExactPath, b: ExactPath) -> Bool { a.key.utf8.lexicographicallyPrecedes(b.key.utf8) }
  static func == (a: ExactPath, b: ExactPath) -> Bool { a.key.utf8.elementsEqual(b.key.utf8) }
  func hash(into hasher: inout Hasher) { for byte in key.utf8 { hasher.combine(byte) } }

  /// Whether one of the two is a part of the other, or the same.
  func overlaps(_ other: ExactPath) -> Bool { zip(names, other.names).allSatisfy { $0.utf8.elementsEqual($1.utf8) } }
}
