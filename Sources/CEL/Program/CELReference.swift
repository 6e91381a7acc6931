internal import Synchronization

/// Something outside the expression that it reads: `run.amount`.
///
/// A reference goes from a declared variable through constant fields as far as it can, so that an activation need only supply
/// what is read.
public struct CELReference: Hashable, Sendable, CustomStringConvertible {
  /// The index by which an activation is asked for the value; the same for equal references in all programs that share a table.
  public let slot: Int
  /// The declared variable: `run`.
  public let variable: String
  /// The fields that are read of it, outermost first: `["amount"]`.
  ///
  /// Empty where the variable itself is read.
  public let fields: [String]
  /// The declared type of the value.
  public let type: CELType

  /// The variable and the fields.
  public var path: [String] { [variable] + fields }

  /// The path as people write it: `run.amount`.
  public var description: String { path.joined(separator: ".") }
}

/// The references of all programs that were compiled with it, numbered from 0.
///
/// An activation that serves many programs keeps one place per slot and fills it at most once.
public final class CELReferenceTable: Sendable {
  private struct Key: Hashable {
    var variable: String
    var fields: [String]
    var type: CELType
  }

  private struct State {
    var references: [CELReference] = []
    var slots: [Key: Int] = [:]
  }

  private let state = Mutex(State())

  /// An empty table.
  public init() {}

  /// The references, in the order of their slots.
  public var all: [CELReference] { state.withLock(\.references) }

  /// The number of references, one more than the last slot.
  public var count: Int { state.withLock(\.references.count) }

  /// The reference in a slot.
  public subscript(slot: Int) -> CELReference { state.withLock { $0.references[slot] } }

  /// The reference for a path, new or old.
  func intern(variable: String, fields: [String], type: CELType) -> CELReference {
    state.withLock { state in
      let key = Key(variable: variable, fields: fields, type: type)
      if let slot = state.slots[key] { return state.references[slot] }
      let reference = CELReference(slot: state.references.count, variable: variable, fields: fields, type: type)
      state.references.append(reference)
      state.slots[key] = reference.slot
      return reference
    }
  }
}
