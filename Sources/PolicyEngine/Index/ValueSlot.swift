internal import CEL
internal import Core

/// One value that conditions read, with the type under which they read it.
struct ValueSlot: Sendable {
  /// Nil for a name that no request has; it never has a value.
  let path: ValuePath?
  let type: CELType
  /// The first member, for the look-ups in run, args, facts and labels.
  private let first: String
  private let rest: [String]

  init(_ reference: CELReference) {
    path = ValuePath(reference.path)
    type = reference.type
    first = reference.fields.first ?? ""
    rest = Array(reference.fields.dropFirst())
  }

  /// Whether the value is the principal's roles.
  var isOfRoles: Bool { path?.root == .principal && first == "roles" && rest.isEmpty }

  /// The value in a request; nil where there is none.
  ///
  /// - Throws: Where the value is not of the type that conditions were checked against.
  @inline(__always)
  func value(in request: Request) throws(CELEvaluationError) -> CELValue? {
    guard let path else { return nil }
    switch path.root {
    case .run: return try member(of: request.run)
    case .args: return try member(of: request.arguments)
    case .facts: return try member(of: request.facts)
    case .labels: return try member(of: request.labels)
    case .now: return CELTimestamp(milliseconds: request.now.milliseconds).map { .timestamp($0) }
    case .principal where rest.isEmpty && first == "id": return .string(request.principal.id)
    case .principal where rest.isEmpty && first == "kind": return .string(request.principal.kind.rawValue)
    case .principal where rest.isEmpty && first == "roles": return .list(request.principal.roles.map { .string($0) })
    case .step where rest.isEmpty && first == "risk": return request.step?.risk.map { .string($0) }
    case .step where rest.isEmpty && first == "id": return (request.step?.id).map { .string($0) }
    case .step, .tool, .principal, .requester:
      return try request.value(at: path).map { value throws(CELEvaluationError) in try typed(value) }
    }
  }

  @inline(__always)
  private func member(of object: JSONObject) throws(CELEvaluationError) -> CELValue? {
    if first.isEmpty { return try typed(.object(object)) }
    guard var value = object[first] else { return nil }
    for name in rest {
      guard let object = value.objectValue else {
        throw CELEvaluationError(.noSuchOverload, "a JSON \(value.typeName) has no field `\(name)`")
      }
      guard let next = object[name] else { return nil }
      value = next
    }
    return try typed(value)
  }

  /// The value as the declared type; texts and numbers, which are nearly all, without a detour.
  @inline(__always)
  private func typed(_ value: JSON) throws(CELEvaluationError) -> CELValue {
    switch (value, type) {
    case (.string(let text), .string), (.string(let text), .dyn): return .string(text)
    case (.bool(let flag), .bool), (.bool(let flag), .dyn): return .bool(flag)
    case (.number(let number), .int), (.number(let number), .dyn):
      if let integer = number.int64 { return .int(integer) }
    case (.number(let number), .double):
      if let double = number.exactDouble { return .double(double) }
    default: break
    }
    return try converted(value)
  }

  @inline(never)
  private func converted(_ value: JSON) throws(CELEvaluationError) -> CELValue {
    let name = path.map(\.description) ?? ""
    if !value.isExact(as: type) {
      throw CELEvaluationError(.invalidArgument, "`\(name)` has a number that a double would round; send it as a string")
    }
    do throws(CELBridgingError) {
      return try CELValue(json: value, as: type)
    } catch {
      throw CELEvaluationError(.invalidArgument, "`\(name)`: \(error.message)")
    }
  }
}

extension JSON {
  /// Whether conditions would see every number of the value as it is, and not a rounded one.
  fileprivate func isExact(as type: CELType) -> Bool {
    switch self {
    case .null, .bool, .string: return true
    case .number(let number): return (type != .double && number.int64 != nil) || number.exactDouble != nil
    case .array(let elements):
      let element: CELType = if case .list(let element) = type { element } else { .dyn }
      return elements.allSatisfy { $0.isExact(as: element) }
    case .object(let object):
      let member: CELType = if case .map(_, let member) = type { member } else { .dyn }
      return object.allSatisfy { $0.value.isExact(as: member) }
    }
  }
}

/// What evaluations read the values of a request from; each value is looked up at most once.
final class RequestValues: CELActivation {
  private enum Cell {
    case unread
    case value(CELValue?)
    case failure(CELEvaluationError)
  }

  private let request: Request
  private let slots: [ValueSlot]
  private var cells: [Cell]

  init(_ request: Request, slots: [ValueSlot]) {
    self.request = request
    self.slots = slots
    cells = Array(repeating: .unread, count: slots.count)
  }

  func value(_ slot: Int) throws(CELEvaluationError) -> CELValue? {
    switch cells[slot] {
    case .value(let value): return value
    case .failure(let error): throw error
    case .unread:
      do throws(CELEvaluationError) {
        let value = try slots[slot].value(in: request)
        cells[slot] = .value(value)
        return value
      } catch {
        cells[slot] = .failure(error)
        throw error
      }
    }
  }
}
