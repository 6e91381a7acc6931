/// `a == b` or `a != b` on values of any types.
final class EqualNode: BoolNode, @unchecked Sendable {
  private let left: Node
  private let right: Node
  private let wanted: Bool

  init(_ left: Node, _ right: Node, wanted: Bool, _ offset: Int) {
    self.left = left
    self.right = right
    self.wanted = wanted
    super.init(offset)
  }

  override func bool(_ frame: inout Frame) throws(Failure) -> Bool {
    let a = try left.value(&frame)
    let b = try right.value(&frame)
    return try equal(a, b, &frame.meter) == wanted
  }
}

/// `a == 'text'` or `a != 'text'`, where `a` is a string.
final class EqualTextNode: BoolNode, @unchecked Sendable {
  private let operand: Node
  private let text: String
  private let wanted: Bool

  init(_ operand: Node, _ text: String, wanted: Bool, _ offset: Int) {
    self.operand = operand
    self.text = text
    self.wanted = wanted
    super.init(offset)
  }

  override func bool(_ frame: inout Frame) throws(Failure) -> Bool {
    sameBytes(try operand.string(&frame), text) == wanted
  }
}

// One class for each type of number, because the methods of a generic class would not be specialised for it.

/// `a < b` and the like, and `a == b`, on numbers of type `int`.
final class IntComparisonNode: BoolNode, @unchecked Sendable {
  private let left: Node
  private let right: Node
  private let operation: ScalarComparison

  init(_ left: Node, _ right: Node, _ operation: ScalarComparison, _ offset: Int) {
    self.left = left
    self.right = right
    self.operation = operation
    super.init(offset)
  }

  override func bool(_ frame: inout Frame) throws(Failure) -> Bool {
    let a = try left.int(&frame)
    return operation.holds(a, try right.int(&frame))
  }
}

/// `a < constant` and the like, on numbers of type `int`.
final class IntBoundNode: BoolNode, @unchecked Sendable {
  private let operand: Node
  private let bound: Int64
  private let operation: ScalarComparison

  init(_ operand: Node, _ bound: Int64, _ operation: ScalarComparison, _ offset: Int) {
    self.operand = operand
    self.bound = bound
    self.operation = operation
    super.init(offset)
  }

  override func bool(_ frame: inout Frame) throws(Failure) -> Bool { operation.holds(try operand.int(&frame), bound) }
}

/// `a < b` and the like, and `a == b`, on numbers of type `double`.
final class DoubleComparisonNode: BoolNode, @unchecked Sendable {
  private let left: Node
  private let right: Node
  private let operation: ScalarComparison

  init(_ left: Node, _ right: Node, _ operation: ScalarComparison, _ offset: Int) {
    self.left = left
    self.right = right
    self.operation = operation
    super.init(offset)
  }

  override func bool(_ frame: inout Frame) throws(Failure) -> Bool {
    let a = try left.double(&frame)
    return operation.holds(a, try right.double(&frame))
  }
}

/// `a < constant` and the like, on numbers of type `double`.
final class DoubleBoundNode: BoolNode, @unchecked Sendable {
  private let operand: Node
  private let bound: Double
  private let operation: ScalarComparison

  init(_ operand: Node, _ bound: Double, _ operation: ScalarComparison, _ offset: Int) {
    self.operand = operand
    self.bound = bound
    self.operation = operation
    super.init(offset)
  }

  override func bool(_ frame: inout Frame) throws(Failure) -> Bool { operation.holds(try operand.double(&frame), bound) }
}

/// `a < b` and the like, and `a == b`, on numbers of type `uint`.
final class UintComparisonNode: BoolNode, @unchecked Sendable {
  private let left: Node
  private let right: Node
  private let operation: ScalarComparison

  init(_ left: Node, _ right: Node, _ operation: ScalarComparison, _ offset: Int) {
    self.left = left
    self.right = right
    self.operation = operation
    super.init(offset)
  }

  override func bool(_ frame: inout Frame) throws(Failure) -> Bool {
    let a = try left.uint(&frame)
    return operation.holds(a, try right.uint(&frame))
  }
}

enum ScalarComparison: String {
  case less = "_<_"
  case lessOrEqual = "_<=_"
  case more = "_>_"
  case moreOrEqual = "_>=_"
  case equal = "_==_"
  case unequal = "_!=_"

  @inline(__always)
  func holds<T: Comparable>(_ a: T, _ b: T) -> Bool {
    switch self {
    case .less: a < b
    case .lessOrEqual: a <= b
    case .more: a > b
    case .moreOrEqual: a >= b
    case .equal: a == b
    case .unequal: a != b
    }
  }
}

/// `a + b` and the like on signed integers.
final class IntArithmeticNode: Node, @unchecked Sendable {
  private let left: Node
  private let right: Node
  private let operation: Arithmetic

  init(_ left: Node, _ right: Node, _ operation: Arithmetic, _ offset: Int) {
    self.left = left
    self.right = right
    self.operation = operation
    super.init(offset)
  }

  override func int(_ frame: inout Frame) throws(Failure) -> Int64 {
    let a = try left.int(&frame)
    let b = try right.int(&frame)
    do throws(Failure) { return try operation.apply(a, b) } catch { throw error.at(offset) }
  }

  override func value(_ frame: inout Frame) throws(Failure) -> CELValue { .int(try int(&frame)) }
}

/// `a + b` and the like on doubles.
final class DoubleArithmeticNode: Node, @unchecked Sendable {
  private let left: Node
  private let right: Node
  private let operation: Arithmetic

  init(_ left: Node, _ right: Node, _ operation: Arithmetic, _ offset: Int) {
    self.left = left
    self.right = right
    self.operation = operation
    super.init(offset)
  }

  override func double(_ frame: inout Frame) throws(Failure) -> Double {
    let a = try left.double(&frame)
    let b = try right.double(&frame)
    guard let result = operation.apply(a, b) else { throw noOverload(operation.rawValue, .double(a), .double(b)).at(offset) }
    return result
  }

  override func value(_ frame: inout Frame) throws(Failure) -> CELValue { .double(try double(&frame)) }
}

/// `x in ['a', 'b']` with constant texts.
final class TextMemberNode: BoolNode, @unchecked Sendable {
  private let operand: Node
  /// Whether the operand is known to be a text.
  private let isText: Bool
  private let texts: TextSet

  init(_ operand: Node, isText: Bool, _ texts: [String], _ offset: Int) {
    self.operand = operand
    self.isText = isText
    self.texts = TextSet(texts)
    super.init(offset)
  }

  override func bool(_ frame: inout Frame) throws(Failure) -> Bool {
    if isText { return texts.contains(try operand.string(&frame)) }
    // A value of another type is in no list of texts.
    guard case .string(let text) = try operand.value(&frame) else { return false }
    return texts.contains(text)
  }
}

/// `x in [1, 2]` with constant integers, where `x` is an integer.
final class IntMemberNode: BoolNode, @unchecked Sendable {
  private let operand: Node
  private let numbers: Set<Int64>

  init(_ operand: Node, _ numbers: [Int64], _ offset: Int) {
    self.operand = operand
    self.numbers = Set(numbers)
    super.init(offset)
  }

  override func bool(_ frame: inout Frame) throws(Failure) -> Bool { numbers.contains(try operand.int(&frame)) }
}
