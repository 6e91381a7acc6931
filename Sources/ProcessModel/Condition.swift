public import CEL
public import Core

/// A CEL expression over a run, type-checked when the process was loaded: a condition, or the value of an argument.
///
/// It may read `run` (the fields), `facts`, `requester.id` (a principal such as `user:ana`), inside `each` also `item`, and `now` (a timestamp).
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

  /// The values of the run that the expression names, by path, as conditions write it; nil where the run has none.
  ///
  /// `now` is left out: it is never the same twice.
  public func readings(in state: RunState) -> [(path: String, value: JSON?)] {
    slots.compactMap { slot in slot.name.map { ($0, slot.value(in: state)) } }
  }

  /// Whether every field and fact that the expression names may be believed; one without a value may.
  func isTrusted(in state: RunState) -> Bool {
    slots.allSatisfy { slot in
      switch slot.source {
      case .field(let name): state.field(name)?.origin.trusted ?? true
      case .fact(let name): state.fact(name)?.origin.trusted ?? true
      case .requester, .now: true
      // Whoever wrote the list wrote the item; nothing keeps who that was.
      case .item: false
      }
    }
  }

  /// The moment that the expression gives.
  ///
  /// - Throws: ``ConditionFailure`` when the expression has no value, or one that is no moment.
  func moment(in state: RunState, now: Instant) throws(ConditionFailure) -> Instant {
    do throws(CELEvaluationError) {
      let value = try program.evaluate(RunActivation(slots: slots, state: state, now: now))
      if case .timestamp(let moment) = value {
        return Instant(milliseconds: moment.seconds * 1000 + Int64(moment.nanoseconds / 1_000_000))
      }
    } catch {
      throw ConditionFailure(source: source, message: error.message)
    }
    throw ConditionFailure(source: source, message: "it is no moment")
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
    case item
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
    case ("requester", "id"): (source, path) = (.requester, [])
    case ("item", _): (source, path) = (.item, reference.fields)
    case ("now", nil): (source, path) = (.now, [])
    default: return nil
    }
  }

  /// What is read, as an expression names it: `run.amount`; nil for the time.
  var name: String? {
    let root: String
    switch source {
    case .field(let name): root = "run.\(name)"
    case .fact(let name): root = "facts.\(name)"
    case .requester: root = "requester.id"
    case .item: root = "item"
    case .now: return nil
    }
    return ([root] + path).joined(separator: ".")
  }

  /// The value that is read; nil where the run has none, and for the time.
  func value(in state: RunState) -> JSON? {
    let whole: JSON?
    switch source {
    case .field(let name): whole = state.value(of: name)
    case .fact(let name): whole = state.fact(name)?.value
    case .requester: whole = .string(state.requester)
    case .item: whole = state.item
    case .now: return nil
    }
    return path.reduce(whole) { value, name in value?[name] }
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
    if case .now = source.source { return CELTimestamp(milliseconds: now.milliseconds).map(CELValue.timestamp) }
    guard let value = source.value(in: state) else { return nil }
    do {
      return try CELValue(json: value, as: source.type)
    } catch {
      throw CELEvaluationError(.invalidArgument, "the value of `\(source.path.last ?? "it")` does not fit its type")
    }
  }
}
