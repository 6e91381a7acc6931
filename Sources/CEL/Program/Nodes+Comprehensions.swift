/// `cel.bind(name, value, body)`.
final class BindNode: Node, @unchecked Sendable {
  private let bound: Node
  private let index: Int
  private let body: Node

  init(_ bound: Node, _ index: Int, _ body: Node, _ offset: Int) {
    self.bound = bound
    self.index = index
    self.body = body
    super.init(offset)
  }

  override func value(_ frame: inout Frame) throws(Failure) -> CELValue {
    frame.locals[index] = try bound.value(&frame)
    return try body.value(&frame)
  }

  override func bool(_ frame: inout Frame) throws(Failure) -> Bool {
    frame.locals[index] = try bound.value(&frame)
    return try body.bool(&frame)
  }
}

/// What the comprehensions share: a range whose elements go through the variables.
struct Loop: Sendable {
  let range: Node
  /// The place of the first variable in the frame.
  let index: Int
  let hasTwoVariables: Bool
  /// The steps that one element costs.
  let cost: Int

  /// Calls the body once for each element, with the variables set, until it answers that it needs no more.
  @inline(__always)
  func forEach(_ frame: inout Frame, _ body: (inout Frame) throws(Failure) -> Bool) throws(Failure) {
    let container = try range.value(&frame)
    switch container {
    case .list(let list):
      for (place, element) in list.enumerated() {
        try frame.meter.spend(cost)
        if hasTwoVariables {
          frame.locals[index] = .int(Int64(place))
          frame.locals[index + 1] = element
        } else {
          frame.locals[index] = element
        }
        if try !body(&frame) { return }
      }
    case .map(let map):
      for (key, value) in map.entries {
        try frame.meter.spend(cost)
        frame.locals[index] = key.value
        if hasTwoVariables { frame.locals[index + 1] = value }
        if try !body(&frame) { return }
      }
    default:
      throw Failure(.noSuchOverload, "a value of type `\(container.type.runtimeName)` is neither a list nor a map", offset: range.offset)
    }
  }
}

/// `all` and `exists`.
final class QuantifierNode: BoolNode, @unchecked Sendable {
  private let loop: Loop
  private let body: Node
  /// The outcome that one element is enough for: false for `all`, true for `exists`.
  private let deciding: Bool

  init(_ loop: Loop, _ body: Node, deciding: Bool, _ offset: Int) {
    self.loop = loop
    self.body = body
    self.deciding = deciding
    super.init(offset)
  }

  override func bool(_ frame: inout Frame) throws(Failure) -> Bool {
    var failure: Failure?
    var outcome = !deciding
    try loop.forEach(&frame) { frame throws(Failure) in
      do throws(Failure) {
        if try body.bool(&frame) == deciding { outcome = deciding }
      } catch {
        if error.code == .limit { throw error }
        failure = failure.map { .preferred($0, error) } ?? error
      }
      return outcome != deciding
    }
    if outcome != deciding, let failure { throw failure }
    return outcome
  }
}

/// `exists_one`.
final class ExistsOneNode: BoolNode, @unchecked Sendable {
  private let loop: Loop
  private let body: Node

  init(_ loop: Loop, _ body: Node, _ offset: Int) {
    self.loop = loop
    self.body = body
    super.init(offset)
  }

  override func bool(_ frame: inout Frame) throws(Failure) -> Bool {
    var count = 0
    try loop.forEach(&frame) { frame throws(Failure) in
      if try body.bool(&frame) { count += 1 }
      return true
    }
    return count == 1
  }
}

/// `map`, `filter` and `transformList`.
final class TransformListNode: Node, @unchecked Sendable {
  private let loop: Loop
  private let filter: Node?
  /// What is collected; the element itself where nil.
  private let body: Node?

  init(_ loop: Loop, filter: Node?, _ body: Node?, _ offset: Int) {
    self.loop = loop
    self.filter = filter
    self.body = body
    super.init(offset)
  }

  override func value(_ frame: inout Frame) throws(Failure) -> CELValue {
    var values: [CELValue] = []
    try loop.forEach(&frame) { frame throws(Failure) in
      if let filter, try !filter.bool(&frame) { return true }
      values.append(try body?.value(&frame) ?? frame.locals[loop.index])
      return true
    }
    return .list(values)
  }
}

/// `transformMap` and `transformMapEntry`.
final class TransformMapNode: Node, @unchecked Sendable {
  private let loop: Loop
  private let filter: Node?
  private let body: Node
  private let yieldsEntries: Bool

  init(_ loop: Loop, filter: Node?, _ body: Node, yieldsEntries: Bool, _ offset: Int) {
    self.loop = loop
    self.filter = filter
    self.body = body
    self.yieldsEntries = yieldsEntries
    super.init(offset)
  }

  override func value(_ frame: inout Frame) throws(Failure) -> CELValue {
    var map = CELMap()
    try loop.forEach(&frame) { frame throws(Failure) in
      if let filter, try !filter.bool(&frame) { return true }
      let key = frame.locals[loop.index]
      let value = try body.value(&frame)
      guard yieldsEntries else {
        try insert(key, value, into: &map, offset)
        return true
      }
      guard case .map(let entries) = value else { throw body.mismatch(.map(.dyn, .dyn)) }
      for (key, value) in entries.entries {
        try frame.meter.spend(1)
        try insert(key.value, value, into: &map, body.offset)
      }
      return true
    }
    return .map(map)
  }
}

/// `optMap` and `optFlatMap`.
final class OptionalMapNode: Node, @unchecked Sendable {
  private let operand: Node
  private let index: Int
  private let body: Node
  private let isFlat: Bool

  init(_ operand: Node, _ index: Int, _ body: Node, isFlat: Bool, _ offset: Int) {
    self.operand = operand
    self.index = index
    self.body = body
    self.isFlat = isFlat
    super.init(offset)
  }

  override func value(_ frame: inout Frame) throws(Failure) -> CELValue {
    guard case .optional(let wrapped) = try operand.value(&frame) else { throw operand.mismatch(.optional(.dyn)) }
    guard let wrapped else { return .optional(nil) }
    frame.locals[index] = wrapped
    let result = try body.value(&frame)
    if !isFlat { return .optional(result) }
    guard case .optional = result else { throw body.mismatch(.optional(.dyn)) }
    return result
  }
}
