internal import Core

/// The fewest and the most steps that evaluations of an expression take.
public struct CELCost: Hashable, Sendable {
  /// The steps that every evaluation takes, whatever the values.
  public let minimum: Int
  /// The most steps that one takes over values of the sizes that were assumed; nil where no bound is known.
  public let maximum: Int?
}

extension CELProgram {
  /// Bounds the steps of an evaluation without evaluating.
  ///
  /// - Parameter size: The size that a value which is read can have at most: the elements in it, at all depths, and the bytes of its
  ///   texts. The path is a variable and its fields. Nil where it can have any size. Not asked for numbers, truth values and times.
  /// - Returns: The bounds; the upper one is far from tight where sizes of parts are taken to be those of the whole.
  /// - Complexity: O(n) for n operations.
  public func estimatedCost(_ size: @escaping (_ path: [String]) -> Int?) -> CELCost {
    let plain = Set(references.filter { [.bool, .int, .uint, .double, .timestamp, .duration, .null].contains($0.type) }.map(\.path))
    var estimate = CostEstimate(sizes: { plain.contains($0) ? 1 : size($0) })
    return CELCost(minimum: cost, maximum: (Bound(cost) + estimate.part(expression).extra).value)
  }
}

/// A number of steps or a size that can be without bound; arithmetic that overflows is without bound.
private struct Bound {
  var value: Int?

  static let none = Bound(value: nil)

  init(value: Int?) { self.value = value }
  init(_ value: Int) { self.value = value }

  static func + (a: Bound, b: Bound) -> Bound { a.combined(b) { $0.addingReportingOverflow($1) } }
  static func * (a: Bound, b: Bound) -> Bound { a.combined(b) { $0.multipliedReportingOverflow(by: $1) } }

  /// The steps for so many bytes.
  var sixteenth: Bound { Bound(value: value.map { $0 / 16 }) }

  /// The smaller one: what has no bound is larger than what has.
  static func smaller(_ a: Bound, _ b: Bound) -> Bound { Bound(value: [a.value, b.value].compactMap(\.self).min()) }
  static func larger(_ a: Bound, _ b: Bound) -> Bound { a.combined(b) { (max($0, $1), false) } }

  private func combined(_ other: Bound, _ operation: (Int, Int) -> (partialValue: Int, overflow: Bool)) -> Bound {
    guard let value, let second = other.value else { return .none }
    let (result, overflow) = operation(value, second)
    return overflow ? .none : Bound(result)
  }
}

/// What is known of a part of an expression.
private struct Part {
  /// The size of its value: the elements in it, at all depths, and the bytes of its texts; at least 1.
  var size: Bound
  /// The steps that it takes beyond those of evaluating each operation once.
  var extra: Bound
}

/// Walks an expression and adds up; follows what the functions and nodes spend.
private struct CostEstimate {
  let sizes: (_ path: [String]) -> Int?
  /// The sizes of the variables of the macros around the part at hand, innermost last.
  private var locals: [(name: String, size: Bound)] = []

  init(sizes: @escaping (_ path: [String]) -> Int?) { self.sizes = sizes }

  mutating func part(_ expression: CELExpression) -> Part {
    let nothing = Bound(0)
    if let path = expression.path {
      if let local = locals.last(where: { $0.name == path[0] }) { return Part(size: local.size, extra: nothing) }
      return Part(size: Bound(value: sizes(path)), extra: nothing)
    }
    switch expression.kind {
    case .literal(let value): return Part(size: Bound(1 + value.textBytes), extra: nothing)
    case .identifier: return Part(size: Bound(1), extra: nothing)
    case .select(let operand, let field, _):
      let inner = part(operand)
      return Part(size: inner.size, extra: inner.extra + Bound(2 + field.utf8.count))
    case .has(let operand, let field): return Part(size: Bound(1), extra: part(operand).extra + Bound(2 + field.utf8.count))
    case .list(let elements, _): return whole(elements.map { part($0) })
    case .map(let entries):
      let parts = whole(entries.flatMap { [part($0.key), part($0.value)] })
      return Part(size: parts.size, extra: parts.extra + parts.size)
    case .bind(let name, let value, let body):
      let bound = part(value)
      let inner = scoped([(name, bound.size)]) { $0.part(body) }
      return Part(size: inner.size, extra: bound.extra + inner.extra)
    case .call(let name, let target, let arguments): return call(name, (target.map { [$0] } ?? []) + arguments)
    case .comprehension(let comprehension): return self.comprehension(comprehension)
    }
  }

  private mutating func scoped<R>(_ variables: [(String, Bound)], _ body: (inout CostEstimate) -> R) -> R {
    locals += variables
    defer { locals.removeLast(variables.count) }
    return body(&self)
  }

  /// A list or map of parts.
  private func whole(_ parts: [Part]) -> Part {
    parts.reduce(Part(size: Bound(1), extra: Bound(0))) {
      Part(size: $0.size + $1.size + Bound(1), extra: $0.extra + $1.extra)
    }
  }

  private mutating func comprehension(_ comprehension: CELExpression.Comprehension) -> Part {
    let range = part(comprehension.range)
    let variables = comprehension.variables
    let whole = scoped(variables.map { ($0, range.size) }) { $0.inside(comprehension) }
    if comprehension.form == .optMap || comprehension.form == .optFlatMap {
      return Part(size: whole.size, extra: range.extra + whole.extra)
    }
    // The elements together are no larger than the range: many small ones, or one large one, are the worst. Within many macros the body
    // is not looked at twice, as that would take twice as long for each.
    var small = whole
    if locals.count < Self.maximumLocals { small = scoped(variables.map { ($0, Bound(1)) }) { $0.inside(comprehension) } }
    let each = [comprehension.filter, comprehension.body].compactMap { $0?.operations }.reduce(1, +)
    let extra = range.extra + range.size * (Bound(each) + small.extra) + whole.extra
    switch comprehension.form {
    case .filter: return Part(size: range.size, extra: extra)
    case .map: return Part(size: Bound(1) + range.size * (small.size + Bound(1)) + whole.size, extra: extra)
    case .transformMap, .transformMapEntry:
      // Keys are looked up as they are inserted, and belong to the result.
      let entries = range.size * (small.size + Bound(3)) + range.size + whole.size
      return Part(size: Bound(1) + entries, extra: extra + entries + entries)
    default: return Part(size: Bound(1), extra: extra)
    }
  }

  private static let maximumLocals = 8

  /// The filter and the body of a macro, for one element.
  private mutating func inside(_ comprehension: CELExpression.Comprehension) -> Part {
    let (filter, body) = (comprehension.filter.map { part($0) }, comprehension.body.map { part($0) })
    return Part(size: body?.size ?? Bound(1), extra: (filter?.extra ?? Bound(0)) + (body?.extra ?? Bound(0)))
  }

  private mutating func call(_ name: String, _ operands: [CELExpression]) -> Part {
    let parts = operands.map { part($0) }
    let inner = parts.map(\.extra).reduce(Bound(0), +)
    let all = parts.map(\.size).reduce(Bound(1), +)
    let linear = all + all + all + all
    func size(_ place: Int) -> Bound { place < parts.count ? parts[place].size : Bound(1) }
    switch name {
    case "_&&_", "_||_", "!_", "-_", "_-_", "_*_", "_/_", "_%_", "hasValue", "optional.none": return Part(size: Bound(1), extra: inner)
    case "_?_:_": return Part(size: .larger(size(1), size(2)), extra: inner)
    case "_==_", "_!=_":
      let shorter = Bound.smaller(size(0), size(1))
      return Part(size: Bound(1), extra: inner + shorter + shorter + Bound(1))
    case "_[_]", "_[?_]": return Part(size: size(0), extra: inner + size(1) + Bound(1))
    case "matches":
      let pattern = operands.last?.constant == nil ? LinearRegex.maximumProgramSize + 1 : 1
      // A pattern whose table would be too large visits instructions: how many there are is not known here.
      return Part(size: Bound(1), extra: inner + Bound(pattern) * (size(0) + Bound(1)))
    case "replace":
      let result = (size(0) + Bound(1)) * (size(2) + Bound(1))
      return Part(size: result, extra: inner + linear + result)
    case "split": return Part(size: size(0) + size(0) + Bound(2), extra: inner + linear)
    case "join":
      let result = size(0) * (size(1) + Bound(1))
      return Part(size: result, extra: inner + linear + result)
    case "format": return Part(size: .none, extra: .none)
    default: break
    }
    if Self.textFunctions.contains(name) {
      return Part(size: Bound(1), extra: inner + size(0).sixteenth + Bound(2))
    }
    if name == "@in" { return Part(size: Bound(1), extra: inner + size(0).sixteenth + size(1) + Bound(2)) }
    if Self.scalarFunctions.contains(name) || Self.scalarPrefixes.contains(where: { name.hasPrefix($0) }) {
      // A time zone that is known only at evaluation is charged with 1000 steps.
      return Part(size: Bound(1), extra: inner + linear + Bound(name.hasPrefix("get") && operands.count > 1 ? 1000 : 0))
    }
    if Self.copyingFunctions.contains(name) { return Part(size: linear + Bound(64), extra: inner + linear) }
    return Part(size: .none, extra: .none)
  }

  /// What answers a number, a truth value, a time or a type, and takes steps for what it is given.
  private static let scalarFunctions: Set<String> = [
    "indexOf", "lastIndexOf", "int", "uint", "double", "bool", "timestamp", "duration", "type",
  ]
  /// What reads the bytes of its first operand once.
  private static let textFunctions: Set<String> = [
    "_<_", "_<=_", "_>_", "_>=_", "size", "contains", "startsWith", "endsWith",
  ]
  private static let scalarPrefixes = ["math.", "get"]
  /// What answers at most some times what it is given.
  private static let copyingFunctions: Set<String> = [
    "_+_", "string", "bytes", "dyn", "charAt", "lowerAscii", "upperAscii", "reverse", "trim", "substring", "strings.quote",
    "base64.encode", "base64.decode", "optional.of", "optional.ofNonZeroValue", "value", "or", "orValue", "optional.unwrap", "unwrapOpt",
  ]
}

extension CELExpression {
  /// The steps of evaluating each operation of the expression once, or somewhat more.
  fileprivate var operations: Int {
    var sum = 0
    forEach { sum += 1 + $0.textBytes >> 4 }
    return sum
  }
}

extension CELValue {
  fileprivate var textBytes: Int {
    switch self {
    case .string(let text): text.utf8.count
    case .bytes(let bytes): bytes.count
    default: 0
    }
  }

  /// The elements in the value, at all depths, and the bytes of its texts; at least 1.
  public var size: Int {
    switch self {
    case .list(let elements): elements.reduce(1) { $0 + 1 + $1.size }
    case .map(let map): map.entries.reduce(1) { $0 + 2 + $1.key.value.size + $1.value.size }
    case .optional(let value): 1 + (value?.size ?? 0)
    default: 1 + textBytes
    }
  }
}
