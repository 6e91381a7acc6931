internal import CEL
internal import Core

/// One value that conditions read, with the type under which they read it.
///
/// A class, so that reading one from an array copies none of its parts.
final class ValueSlot: Sendable {
  /// Types whose values the index can look at without converting them.
  private enum Plain: Sendable { case string, int, double, bool, dyn, other }

  /// Nil for a name that no request has; it never has a value.
  let path: ValuePath?
  private let type: CELType
  private let plain: Plain
  private let root: ValuePath.Root?
  /// The first member, and those after it.
  private let first: String
  private let rest: [String]
  private let environment: CELEnvironment

  /// Makes the slot of a reference; the environment knows the fields of its type.
  init(_ reference: CELReference, in environment: CELEnvironment) {
    self.environment = environment
    path = ValuePath(reference.path)
    root = path?.root
    type = reference.type
    first = reference.fields.first ?? ""
    rest = Array(reference.fields.dropFirst())
    plain =
      switch type {
      case .string: .string
      case .int: .int
      case .double: .double
      case .bool: .bool
      case .dyn: .dyn
      default: .other
      }
  }

  /// Whether the value is the principal's roles.
  var isOfRoles: Bool { root == .principal && first == "roles" && rest.isEmpty }

  // MARK: - For the index

  /// The value as the index sees it.
  ///
  /// It never converts and never errs: whatever needs either is ``Observation/other``.
  func observe(_ request: Request) -> Observation {
    switch root {
    case .run: observeMember(of: request.run)
    case .args: observeMember(of: request.arguments)
    case .facts: observeMember(of: request.facts)
    case .labels: observeMember(of: request.labels)
    case .step, .tool, .principal, .requester: observePart(request)
    case .now, nil: .other
    }
  }

  @inline(__always)
  private func observeMember(of object: JSONObject) -> Observation {
    guard var value = object[first] else { return .other }
    for name in rest {
      guard let next = value[name] else { return .other }
      value = next
    }
    switch value {
    case .string(let text) where plain == .string || plain == .dyn: return .text(text)
    case .bool(let flag) where plain == .bool || plain == .dyn: return .flag(flag)
    case .number(let number) where plain == .int || plain == .dyn || plain == .double:
      if let integer = number.int64 { return integer.magnitude <= 1 << 53 ? .number(Double(integer)) : .other }
      return plain == .int ? .other : number.exactDouble.map { .number($0) } ?? .other
    default: return .other
    }
  }

  @inline(never)
  private func observePart(_ request: Request) -> Observation {
    guard rest.isEmpty else { return .other }
    let text: String? =
      switch (root, first) {
      case (.step, "id"): request.step?.id
      case (.step, "risk"): request.step?.risk
      case (.step, "performer"): request.step?.performer
      case (.tool, "name"): request.tool.name
      case (.tool, "effect"): request.tool.effect.rawValue
      case (.tool, "connector"): request.tool.connector
      case (.tool, "action"): request.tool.action.rawValue
      case (.principal, "id"): request.principal.id
      case (.principal, "kind"): request.principal.kind.rawValue
      case (.principal, "owner"): request.principal.owner
      case (.requester, "id"): request.requester?.id
      default: nil
      }
    if let text { return .text(text) }
    if root == .tool, first == "consequential" { return .flag(request.tool.isConsequential) }
    if root == .tool, first == "planned" { return .flag(request.tool.isPlanned) }
    if root == .step, first == "iteration", let step = request.step { return .number(Double(step.iteration)) }
    if root == .requester, first == "roles", let requester = request.requester { return .texts(requester.roles) }
    return .other
  }

  // MARK: - For conditions

  /// The value in a request; nil where there is none.
  ///
  /// - Throws: Where the value is not of the type that conditions were checked against.
  func value(in request: Request) throws(CELEvaluationError) -> CELValue? {
    switch root {
    case .run: return try member(of: request.run)
    case .args: return try member(of: request.arguments)
    case .facts: return try member(of: request.facts)
    case .labels: return try member(of: request.labels)
    case .now: return CELTimestamp(milliseconds: request.now.milliseconds).map { .timestamp($0) }
    case .step, .tool, .principal, .requester:
      guard let path, let value = request.value(at: path) else { return nil }
      return try typed(value)
    case nil: return nil
    }
  }

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
  private func typed(_ value: JSON) throws(CELEvaluationError) -> CELValue {
    switch (value, plain) {
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
    let name = path?.description ?? ""
    if !value.isExact(as: type) {
      throw CELEvaluationError(.invalidArgument, "`\(name)` has a number that a double would round; send it as a string")
    }
    do throws(CELBridgingError) {
      return try environment.value(value, as: type)
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
      // The fields of a declared object may be doubles, so none of its numbers may be one that a double rounds.
      let member: CELType =
        switch type {
        case .map(_, let member): member
        case .object: .double
        default: .dyn
        }
      return object.allSatisfy { $0.value.isExact(as: member) }
    }
  }
}
