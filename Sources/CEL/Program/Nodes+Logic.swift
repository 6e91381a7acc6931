/// `a && b && …`: false where any operand is, whatever the others do; an error where one errs and none is false.
final class AndNode: BoolNode, @unchecked Sendable {
  private let operands: [Node]

  init(_ operands: [Node], _ offset: Int) {
    self.operands = operands
    super.init(offset)
  }

  override func bool(_ frame: inout Frame) throws(Failure) -> Bool {
    for index in operands.indices {
      let value: Bool
      do throws(Failure) {
        value = try operands[index].bool(&frame)
      } catch {
        try absorb(error, operands[(index + 1)...], unless: false, &frame)
        return false
      }
      if !value { return false }
    }
    return true
  }
}

/// `a || b || …`: true where any operand is, whatever the others do; an error where one errs and none is true.
final class OrNode: BoolNode, @unchecked Sendable {
  private let operands: [Node]

  init(_ operands: [Node], _ offset: Int) {
    self.operands = operands
    super.init(offset)
  }

  override func bool(_ frame: inout Frame) throws(Failure) -> Bool {
    for index in operands.indices {
      let value: Bool
      do throws(Failure) {
        value = try operands[index].bool(&frame)
      } catch {
        try absorb(error, operands[(index + 1)...], unless: true, &frame)
        return true
      }
      if value { return true }
    }
    return false
  }
}

/// `a && b`, the common case of ``AndNode``.
final class AndPairNode: BoolNode, @unchecked Sendable {
  private let left: Node
  private let right: Node

  init(_ left: Node, _ right: Node, _ offset: Int) {
    self.left = left
    self.right = right
    super.init(offset)
  }

  override func bool(_ frame: inout Frame) throws(Failure) -> Bool {
    let value: Bool
    do throws(Failure) {
      value = try left.bool(&frame)
    } catch {
      try absorb(error, [right], unless: false, &frame)
      return false
    }
    return value ? try right.bool(&frame) : false
  }
}

/// `a || b`, the common case of ``OrNode``.
final class OrPairNode: BoolNode, @unchecked Sendable {
  private let left: Node
  private let right: Node

  init(_ left: Node, _ right: Node, _ offset: Int) {
    self.left = left
    self.right = right
    super.init(offset)
  }

  override func bool(_ frame: inout Frame) throws(Failure) -> Bool {
    let value: Bool
    do throws(Failure) {
      value = try left.bool(&frame)
    } catch {
      try absorb(error, [right], unless: true, &frame)
      return true
    }
    return value ? true : try right.bool(&frame)
  }
}

/// Goes on after an error: returns where a later operand decides the outcome, else throws.
@inline(never)
private func absorb(_ first: Failure, _ rest: ArraySlice<Node>, unless deciding: Bool, _ frame: inout Frame) throws(Failure) {
  if first.code == .limit { throw first }
  var failure = first
  for operand in rest {
    do throws(Failure) {
      if try operand.bool(&frame) == deciding { return }
    } catch {
      if error.code == .limit { throw error }
      failure = .preferred(failure, error)
    }
  }
  throw failure
}

final class NotNode: BoolNode, @unchecked Sendable {
  private let operand: Node

  init(_ operand: Node, _ offset: Int) {
    self.operand = operand
    super.init(offset)
  }

  override func bool(_ frame: inout Frame) throws(Failure) -> Bool { try !operand.bool(&frame) }
}

/// `condition ? yes : no`.
final class ConditionalNode: Node, @unchecked Sendable {
  private let condition: Node
  private let yes: Node
  private let no: Node

  init(_ condition: Node, _ yes: Node, _ no: Node, _ offset: Int) {
    self.condition = condition
    self.yes = yes
    self.no = no
    super.init(offset)
  }

  override func value(_ frame: inout Frame) throws(Failure) -> CELValue {
    try condition.bool(&frame) ? try yes.value(&frame) : try no.value(&frame)
  }
  override func bool(_ frame: inout Frame) throws(Failure) -> Bool {
    try condition.bool(&frame) ? try yes.bool(&frame) : try no.bool(&frame)
  }
  override func int(_ frame: inout Frame) throws(Failure) -> Int64 {
    try condition.bool(&frame) ? try yes.int(&frame) : try no.int(&frame)
  }
  override func double(_ frame: inout Frame) throws(Failure) -> Double {
    try condition.bool(&frame) ? try yes.double(&frame) : try no.double(&frame)
  }
}
