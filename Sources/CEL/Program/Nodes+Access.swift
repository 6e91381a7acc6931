final class SelectNode: Node, @unchecked Sendable {
  private let operand: Node
  private let field: String

  init(_ operand: Node, _ field: String, _ offset: Int) {
    self.operand = operand
    self.field = field
    super.init(offset)
  }

  override func value(_ frame: inout Frame) throws(Failure) -> CELValue {
    let container = try operand.value(&frame)
    let found: CELValue?
    do throws(Failure) { found = try selectField(field, of: container) } catch { throw error.at(offset) }
    guard let found else { throw Failure(.noSuchKey, "the map has no field `\(field)`", offset: offset) }
    return found
  }
}

/// `operand.?field`.
final class OptionalSelectNode: Node, @unchecked Sendable {
  private let operand: Node
  private let field: String

  init(_ operand: Node, _ field: String, _ offset: Int) {
    self.operand = operand
    self.field = field
    super.init(offset)
  }

  override func value(_ frame: inout Frame) throws(Failure) -> CELValue {
    let container = try operand.value(&frame)
    do throws(Failure) {
      let found = try selectField(field, of: container)
      if case .optional = container { return found ?? .optional(nil) }
      return .optional(found)
    } catch { throw error.at(offset) }
  }
}

/// `run.?field`, where the activation is asked for the field alone.
final class OptionalReferenceNode: Node, @unchecked Sendable {
  private let slot: Int

  init(_ reference: CELReference, _ offset: Int) {
    slot = reference.slot
    super.init(offset)
  }

  override func value(_ frame: inout Frame) throws(Failure) -> CELValue { .optional(try frame.value(slot)) }
}

/// `has(operand.field)`.
final class HasNode: BoolNode, @unchecked Sendable {
  private let operand: Node
  private let field: String

  init(_ operand: Node, _ field: String, _ offset: Int) {
    self.operand = operand
    self.field = field
    super.init(offset)
  }

  override func bool(_ frame: inout Frame) throws(Failure) -> Bool {
    let container = try operand.value(&frame)
    do throws(Failure) { return try hasField(field, of: container) } catch { throw error.at(offset) }
  }
}

/// `has(run.field)`, where the activation is asked for the field alone.
final class PresenceNode: BoolNode, @unchecked Sendable {
  private let reference: ReferenceNode
  /// What the field is of, where that may be missing itself.
  private let parent: ReferenceNode?

  init(_ reference: ReferenceNode, within parent: ReferenceNode?, _ offset: Int) {
    self.reference = reference
    self.parent = parent
    super.init(offset)
  }

  override func bool(_ frame: inout Frame) throws(Failure) -> Bool {
    if try reference.isPresent(&frame) { return true }
    if let parent { _ = try parent.value(&frame) }
    return false
  }
}

final class ListNode: Node, @unchecked Sendable {
  private let elements: [Node]
  private let optional: Set<Int>

  init(_ elements: [Node], optional: Set<Int>, _ offset: Int) {
    self.elements = elements
    self.optional = optional
    super.init(offset)
  }

  override func value(_ frame: inout Frame) throws(Failure) -> CELValue {
    var values: [CELValue] = []
    values.reserveCapacity(elements.count)
    for (place, element) in elements.enumerated() {
      let value = try element.value(&frame)
      if optional.isEmpty || !optional.contains(place) {
        values.append(value)
      } else if let present = try present(value, element.offset) {
        values.append(present)
      }
    }
    return .list(values)
  }
}

final class MapNode: Node, @unchecked Sendable {
  struct Entry: Sendable {
    let key: Node
    let value: Node
    let isOptional: Bool
  }

  private let entries: [Entry]

  init(_ entries: [Entry], _ offset: Int) {
    self.entries = entries
    super.init(offset)
  }

  override func value(_ frame: inout Frame) throws(Failure) -> CELValue {
    var map = CELMap()
    for entry in entries {
      let keyValue = try entry.key.value(&frame)
      var value = try entry.value.value(&frame)
      if entry.isOptional {
        guard let present = try present(value, entry.value.offset) else { continue }
        value = present
      }
      try insert(keyValue, value, into: &map, entry.key.offset)
    }
    return .map(map)
  }
}

/// The value in an optional; nil for none.
private func present(_ value: CELValue, _ offset: Int) throws(Failure) -> CELValue? {
  guard case .optional(let wrapped) = value else { throw Failure(.noSuchOverload, "`?` needs an optional here", offset: offset) }
  return wrapped
}

/// Adds an entry to a map that is being made.
func insert(_ keyValue: CELValue, _ value: CELValue, into map: inout CELMap, _ offset: Int) throws(Failure) {
  if case .double = keyValue { throw badKey(keyValue, offset) }
  guard let key = CELMap.Key(keyValue) else { throw badKey(keyValue, offset) }
  if map.contains(key) { throw Failure(.duplicateKey, "the map has the same key twice", offset: offset) }
  map[key] = value
}

private func badKey(_ value: CELValue, _ offset: Int) -> Failure {
  Failure(.noSuchOverload, "a value of type `\(value.type.runtimeName)` cannot be a map key", offset: offset)
}
