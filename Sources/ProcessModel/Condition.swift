public import CEL
public import Core

/// A CEL expression over a run, type-checked when the process was loaded: a condition, or the value of an argument.
///
/// It may read `run` (the fields), `facts`, `requester` (a principal such as `user:ana`) and `now` (a timestamp).
public struct Condition: Sendable {
  /// The expression as it was written.
  public let source: String
  /// The compiled expression.
  public let program: CELProgram
  let slots: [RunSlot]

  /// Whether the condition holds.
  ///
  /// - Throws: ``ConditionFailure`` when the expression has no value, for instance because it reads a field that is not set.
  public func holds(in state: RunState, now: Instant) throws(ConditionFailure) -> Bool {
    do throws(CELEvaluationError) {
      return try program.evaluateBool(RunActivation(slots: slots, state: state, now: now))
    } catch {
      throw ConditionFailure(source: source, message: error.message)
    }
  }

  /// The value of the expression as JSON.
  ///
  /// - Throws: ``ConditionFailure`` when the expression has no value, or one that JSON cannot say.
  public func value(in state: RunState, now: Instant) throws(ConditionFailure) -> JSON {
    do {
      return try program.evaluate(RunActivation(slots: slots, state: state, now: now)).json()
    } catch let error as CELEvaluationError {
      throw ConditionFailure(source: source, message: error.message)
    } catch {
      throw ConditionFailure(source: source, message: "\(error)")
    }
  }
}

/// Why a condition has no value.
public struct ConditionFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// The expression as it was written.
  public let source: String
  /// What went wrong; names only what stands in the expression, never a value of the run.
  public let message: String

  /// The expression and what went wrong.
  public var description: String { "`\(source)`: \(message)" }
}

/// What one reference of an expression reads from a run.
struct RunSlot: Sendable {
  enum Source: Sendable {
    case field(String)
    case fact(String)
    case requester
    case now
  }

  let slot: Int
  let source: Source
  /// What is read inside the value, outermost first.
  let path: [String]
  let type: CELType

  init?(_ reference: CELReference) {
    slot = reference.slot
    type = reference.type
    switch (reference.variable, reference.fields.first) {
    case ("run", let name?): (source, path) = (.field(name), Array(reference.fields.dropFirst()))
    case ("facts", let name?): (source, path) = (.fact(name), Array(reference.fields.dropFirst()))
    case ("requester", nil): (source, path) = (.requester, [])
    case ("now", nil): (source, path) = (.now, [])
    default: return nil
    }
  }
}

/// Reads the values of an expression from a run.
final class RunActivation: CELActivation {
  private let slots: [RunSlot]
  private let state: RunState
  private let now: Instant

  init(slots: [RunSlot], state: RunState, now: Instant) {
    self.slots = slots
    self.state = state
    self.now = now
  }

  func value(_ slot: Int) throws(CELEvaluationError) -> CELValue? {
    guard let source = slots.first(where: { $0.slot == slot }) else { return nil }
    let found: JSON?
    switch source.source {
    case .field(let name): found = state.value(of: name)
    case .fact(let name): found = state.fact(name)?.value
    case .requester: return .string(state.requester)
    case .now: return CELTimestamp(milliseconds: now.milliseconds).map(CELValue.timestamp)
    }
    guard var value = found else { return nil }
    for name in source.path {
      guard let next = value[name] else { return nil }
      value = next
    }
    do {
      return try CELValue(json: value, as: source.type)
    } catch {
      throw CELEvaluationError(.invalidArgument, "the value of `\(source.path.last ?? "it")` does not fit its type")
    }
  }
}
