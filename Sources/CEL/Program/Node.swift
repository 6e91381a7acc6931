/// A compiled operation.
///
/// Its operands are compiled operations too; the syntax tree is gone.
///
/// Every node can give its value boxed; nodes whose type is known give it unboxed, and an operation over a known type asks for
/// that, so that a scalar comparison neither boxes nor allocates.
///
/// Unchecked, because a class with subclasses cannot be shown to be immutable: every stored property of every subclass is a
/// constant of a sendable type.
class Node: @unchecked Sendable {
  /// Where the operation stands in the source.
  final let offset: Int

  init(_ offset: Int) { self.offset = offset }

  func value(_ frame: inout Frame) throws(Failure) -> CELValue { preconditionFailure("every node gives a value") }

  func bool(_ frame: inout Frame) throws(Failure) -> Bool {
    guard case .bool(let value) = try value(&frame) else { throw mismatch(.bool) }
    return value
  }

  func int(_ frame: inout Frame) throws(Failure) -> Int64 {
    guard case .int(let value) = try value(&frame) else { throw mismatch(.int) }
    return value
  }

  func uint(_ frame: inout Frame) throws(Failure) -> UInt64 {
    guard case .uint(let value) = try value(&frame) else { throw mismatch(.uint) }
    return value
  }

  func double(_ frame: inout Frame) throws(Failure) -> Double {
    guard case .double(let value) = try value(&frame) else { throw mismatch(.double) }
    return value
  }

  func string(_ frame: inout Frame) throws(Failure) -> String {
    guard case .string(let value) = try value(&frame) else { throw mismatch(.string) }
    return value
  }

  /// The value, where it is the same in every evaluation.
  var constant: CELValue? { nil }

  @inline(never)
  final func mismatch(_ wanted: CELType) -> Failure { Failure(.noSuchOverload, "the value is not of type \(wanted)", offset: offset) }
}

/// A node whose value is a truth value.
class BoolNode: Node, @unchecked Sendable {
  final override func value(_ frame: inout Frame) throws(Failure) -> CELValue { .bool(try bool(&frame)) }
}

final class ConstantNode: Node, @unchecked Sendable {
  private let stored: CELValue

  init(_ value: CELValue, _ offset: Int) {
    stored = value
    super.init(offset)
  }

  override func value(_ frame: inout Frame) throws(Failure) -> CELValue { stored }

  override func bool(_ frame: inout Frame) throws(Failure) -> Bool {
    guard case .bool(let value) = stored else { throw mismatch(.bool) }
    return value
  }

  override func int(_ frame: inout Frame) throws(Failure) -> Int64 {
    guard case .int(let value) = stored else { throw mismatch(.int) }
    return value
  }

  override func double(_ frame: inout Frame) throws(Failure) -> Double {
    guard case .double(let value) = stored else { throw mismatch(.double) }
    return value
  }

  override var constant: CELValue? { stored }
}

/// Reads a reference from the activation; what is in a place already is read without a copy.
final class ReferenceNode: Node, @unchecked Sendable {
  private let reference: CELReference
  private let slot: Int

  init(_ reference: CELReference, _ offset: Int) {
    self.reference = reference
    slot = reference.slot
    super.init(offset)
  }

  override func value(_ frame: inout Frame) throws(Failure) -> CELValue {
    guard let value = try frame.value(slot) else { throw missing() }
    return value
  }

  /// Whether the activation has a value.
  func isPresent(_ frame: inout Frame) throws(Failure) -> Bool {
    if slot < frame.slots.count, case .value = frame.slots[slot] { return true }
    return try frame.activation.value(slot) != nil
  }

  override func bool(_ frame: inout Frame) throws(Failure) -> Bool {
    if slot < frame.slots.count, case .value(.bool(let value)) = frame.slots[slot] { return value }
    guard case .bool(let value) = try slowValue(&frame) else { throw mismatch(.bool) }
    return value
  }

  override func int(_ frame: inout Frame) throws(Failure) -> Int64 {
    if slot < frame.slots.count, case .value(.int(let value)) = frame.slots[slot] { return value }
    guard case .int(let value) = try slowValue(&frame) else { throw mismatch(.int) }
    return value
  }

  override func double(_ frame: inout Frame) throws(Failure) -> Double {
    if slot < frame.slots.count, case .value(.double(let value)) = frame.slots[slot] { return value }
    guard case .double(let value) = try slowValue(&frame) else { throw mismatch(.double) }
    return value
  }

  override func string(_ frame: inout Frame) throws(Failure) -> String {
    if slot < frame.slots.count, case .value(.string(let value)) = frame.slots[slot] { return value }
    guard case .string(let value) = try slowValue(&frame) else { throw mismatch(.string) }
    return value
  }

  @inline(never)
  private func slowValue(_ frame: inout Frame) throws(Failure) -> CELValue {
    guard let value = try frame.activation.value(slot) else { throw missing() }
    return value
  }

  @inline(never)
  private func missing() -> Failure {
    var failure = Failure(.noValue, "`\(reference)` has no value", offset: offset)
    failure.subject = reference.description
    return failure
  }
}

/// Reads a variable of a comprehension.
final class LocalNode: Node, @unchecked Sendable {
  private let index: Int

  init(_ index: Int, _ offset: Int) {
    self.index = index
    super.init(offset)
  }

  override func value(_ frame: inout Frame) throws(Failure) -> CELValue { frame.locals[index] }

  override func bool(_ frame: inout Frame) throws(Failure) -> Bool {
    guard case .bool(let value) = frame.locals[index] else { throw mismatch(.bool) }
    return value
  }

  override func int(_ frame: inout Frame) throws(Failure) -> Int64 {
    guard case .int(let value) = frame.locals[index] else { throw mismatch(.int) }
    return value
  }

  override func double(_ frame: inout Frame) throws(Failure) -> Double {
    guard case .double(let value) = frame.locals[index] else { throw mismatch(.double) }
    return value
  }

  override func string(_ frame: inout Frame) throws(Failure) -> String {
    guard case .string(let value) = frame.locals[index] else { throw mismatch(.string) }
    return value
  }
}

/// Always errs: what an unchecked environment makes of an expression that cannot be evaluated.
final class FailureNode: Node, @unchecked Sendable {
  private let failure: Failure

  init(_ failure: Failure, _ offset: Int) {
    self.failure = failure.at(offset)
    super.init(offset)
  }

  override func value(_ frame: inout Frame) throws(Failure) -> CELValue { throw failure }
}
