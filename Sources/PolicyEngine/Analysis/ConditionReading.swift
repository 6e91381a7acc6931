internal import CEL
internal import Core

/// A condition as a combination of comparisons, each of which the analysis understands or not.
struct ConditionReading {
  /// How comparisons make up a condition.
  indirect enum Formula {
    case constant(Bool)
    case not(Formula)
    case all([Formula])
    case any([Formula])
    case choice(Formula, Formula, Formula)
    case comparison(Comparison)
  }

  /// A part of a condition that is no combination of others.
  struct Comparison {
    enum Kind {
      /// Of one value with constants: its regions are all that matters.
      case plain
      /// Whether a list, or an object, has a member.
      case member(String)
      /// Whether a text begins with, ends with or contains another one.
      case search
      /// Whether two values are equal.
      case same
      /// Of the number of elements of a list with a constant.
      case size
      /// Anything else.
      case opaque
    }

    let kind: Kind
    /// What it reads.
    let paths: [ExactPath]
    let expression: CELExpression
  }

  /// What a condition compares a value with.
  enum Note {
    case text(String), number(Double), flag, null, member, search, presence
  }

  private let program: CELProgram
  private let types: [ExactPath: CELType]
  /// What was found out about each value, in the order of the text.
  private(set) var notes: [(path: ExactPath, note: Note)] = []

  init(_ program: CELProgram) {
    self.program = program
    types = Dictionary(program.references.map { (ExactPath($0.path), $0.type) }, uniquingKeysWith: { first, _ in first })
  }

  /// The condition, taken apart.
  mutating func formula() -> Formula { formula(program.expression) }

  private mutating func formula(_ expression: CELExpression) -> Formula {
    switch expression.kind {
    case .literal(.bool(let truth)): return .constant(truth)
    case .call("!_", nil, let parts) where parts.count == 1: return .not(formula(parts[0]))
    case .call("_&&_", nil, let parts): return .all(parts.map { formula($0) })
    case .call("_||_", nil, let parts): return .any(parts.map { formula($0) })
    case .call("_?_:_", nil, let parts) where parts.count == 3:
      return .choice(formula(parts[0]), formula(parts[1]), formula(parts[2]))
    case .call("_!=_", nil, let parts):
      // Both err for the same values, so one is the other's opposite.
      return same(parts, expression).map { .not(.comparison($0)) } ?? .comparison(comparison(expression))
    default: return .comparison(comparison(expression))
    }
  }

  private mutating func comparison(_ expression: CELExpression) -> Comparison {
    if let found = plain(expression) ?? member(expression) ?? search(expression) ?? size(expression) { return found }
    if case .call("_==_", nil, let parts) = expression.kind, let found = same(parts, expression) { return found }
    var paths: [ExactPath] = []
    expression.forEach { part in
      var names = part.path
      if case .has(let operand, let field) = part.kind { names = operand.path.map { $0 + [field] } }
      if let path = names.map({ ExactPath($0) }), types[path] != nil, !paths.contains(path) { paths.append(path) }
    }
    for path in paths { notes.append((path, .presence)) }
    return Comparison(kind: .opaque, paths: paths, expression: expression)
  }

  private func path(_ expression: CELExpression) -> ExactPath? {
    guard let path = expression.path.map({ ExactPath($0) }), types[path] != nil else { return nil }
    return path.names.count > 1 || path.root == "now" ? path : nil
  }

  private mutating func noted(_ kind: Comparison.Kind, _ path: ExactPath, _ new: [Note], _ expression: CELExpression) -> Comparison {
    for note in new { notes.append((path, note)) }
    return Comparison(kind: kind, paths: [path], expression: expression)
  }

  // MARK: - What is understood

  private mutating func plain(_ expression: CELExpression) -> Comparison? {
    if let path = path(expression) { return noted(.plain, path, [.flag], expression) }
    if case .has(let operand, let field) = expression.kind, let path = operand.path.map({ ExactPath($0 + [field]) }), types[path] != nil {
      return noted(.plain, path, [.presence], expression)
    }
    guard case .call(let name, nil, let parts) = expression.kind, parts.count == 2 else { return nil }
    if let limit = limit(of: parts[0], parts[1]) ?? limit(of: parts[1], parts[0]), name != "@in" {
      return noted(.plain, ExactPath(["now"]), [.number(limit)], expression)
    }
    guard let comparison = CELComparison(expression) else { return nil }
    let path = ExactPath(comparison.path)
    let found = comparison.constants.compactMap { Self.note($0.value) }
    guard types[path] != nil, path.names.count > 1, found.count == comparison.constants.count else { return nil }
    // Regions of texts are not in order.
    let isOrder = !["_==_", "_!=_", "@in"].contains(name)
    if isOrder, !found.allSatisfy({ if case .number = $0 { true } else { false } }) { return nil }
    return noted(.plain, path, found + [.presence], expression)
  }

  private static func note(_ constant: CELValue) -> Note? {
    switch constant {
    case .string(let text): .text(text)
    case .bool: .flag
    case .null: .null
    default: if case .number(let number)? = Observation(number: constant), number.isFinite { .number(number) } else { nil }
    }
  }

  /// The milliseconds of a time with which `now` is compared.
  private func limit(of side: CELExpression, _ other: CELExpression) -> Double? {
    guard side.path == ["now"], case .call("timestamp", nil, let operands) = other.kind,
      case .literal(.string(let text))? = operands.first?.kind, let instant = Instant(iso8601: text),
      CELTimestamp(text) == CELTimestamp(milliseconds: instant.milliseconds)
    else { return nil }
    return Double(instant.milliseconds)
  }

  private mutating func member(_ expression: CELExpression) -> Comparison? {
    guard case .call("@in", nil, let parts) = expression.kind, case .literal(.string(let text)) = parts[0].kind, let path = path(parts[1])
    else { return nil }
    return noted(.member(text), path, [.member], expression)
  }

  private mutating func search(_ expression: CELExpression) -> Comparison? {
    guard case .call(let name, let target?, let parts) = expression.kind, TextSearch.Kind(rawValue: name) != nil, parts.count == 1,
      case .literal(.string) = parts[0].kind, let path = path(target)
    else { return nil }
    return noted(.search, path, [.search], expression)
  }

  /// The number of elements, as if it were a member of the list; what is no list, but may have a size, is left open.
  private mutating func size(_ expression: CELExpression) -> Comparison? {
    guard case .call(let name, nil, let parts) = expression.kind, ["_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"].contains(name),
      let path = sized(parts[0]) ?? sized(parts[1]), let type = types[path],
      case .int(let count)? = parts[0].constant ?? parts[1].constant
    else { return nil }
    switch type {
    case .list: notes.append((path, .presence))
    case .dyn: for note in [Note.search, .member] { notes.append((path, note)) }
    default: return nil
    }
    let size = ExactPath(path.names + [ExactPath.size])
    notes.append((size, .number(Double(count))))
    return Comparison(kind: .size, paths: [path, size], expression: expression)
  }

  /// The path of `path.size()` and `size(path)`.
  private func sized(_ expression: CELExpression) -> ExactPath? {
    switch expression.kind {
    case .call("size", let target?, let parts) where parts.isEmpty: path(target)
    case .call("size", nil, let parts) where parts.count == 1: path(parts[0])
    default: nil
    }
  }

  private mutating func same(_ parts: [CELExpression], _ expression: CELExpression) -> Comparison? {
    guard parts.count == 2, let a = path(parts[0]), let b = path(parts[1]), a != b, let type = types[a], type == types[b],
      [.string, .int, .double].contains(type), [a, b].allSatisfy({ ["run", "args"].contains($0.root) })
    else { return nil }
    for path in [a, b] { notes.append((path, .presence)) }
    return Comparison(kind: .same, paths: [a, b], expression: expression)
  }
}
