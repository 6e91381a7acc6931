/// What the type parameters of the calls in one expression stand for.
///
/// - SeeAlso: the checker of the reference implementation, https://github.com/google/cel-go/blob/master/checker/types.go,
///   whose rules for `dyn` and for which of two types is the more general these are.
struct TypeSubstitution {
  private var bindings: [String: CELType] = [:]
  private var fresh = 0

  /// A parameter that stands for nothing yet.
  mutating func freshParameter() -> CELType {
    fresh += 1
    return .parameter("#\(fresh)")
  }

  /// Replaces a signature's parameters by fresh ones.
  mutating func instantiate(_ overload: Overload) -> (parameters: [CELType], result: CELType) {
    var names: [String: CELType] = [:]
    func rename(_ type: CELType, _ substitution: inout TypeSubstitution) -> CELType {
      switch type {
      case .parameter(let name):
        if let known = names[name] { return known }
        let parameter = substitution.freshParameter()
        names[name] = parameter
        return parameter
      case .list(let element): return .list(rename(element, &substitution))
      case .map(let key, let value): return .map(rename(key, &substitution), rename(value, &substitution))
      case .optional(let wrapped): return .optional(rename(wrapped, &substitution))
      default: return type
      }
    }
    let parameters = overload.parameters.map { rename($0, &self) }
    return (parameters, rename(overload.result, &self))
  }

  /// The type with every parameter replaced by what it stands for; those that stand for nothing become `dyn` if asked.
  func resolve(_ type: CELType, toDynamic: Bool = false) -> CELType {
    switch type {
    case .parameter(let name):
      if let bound = bindings[name] { return resolve(bound, toDynamic: toDynamic) }
      return toDynamic ? .dyn : type
    case .list(let element): return .list(resolve(element, toDynamic: toDynamic))
    case .map(let key, let value): return .map(resolve(key, toDynamic: toDynamic), resolve(value, toDynamic: toDynamic))
    case .optional(let wrapped): return .optional(resolve(wrapped, toDynamic: toDynamic))
    default: return type
    }
  }

  /// Whether values of the first types can go where the second are wanted.
  ///
  /// Keeps what that makes of the parameters if so.
  mutating func assign(_ types: [CELType], to wanted: [CELType]) -> Bool {
    let before = bindings
    for (type, wanted) in zip(types, wanted) where !isAssignable(type, wanted) {
      bindings = before
      return false
    }
    return true
  }

  /// The one type for both, the more general of the two where they agree, else nil.
  mutating func join(_ a: CELType, _ b: CELType) -> CELType? { assign([a], to: [b]) ? Self.mostGeneral(a, b) : nil }

  private mutating func isAssignable(_ type: CELType, _ wanted: CELType) -> Bool {
    if case .parameter = wanted {
      let (isValid, hasBinding) = bind(wanted, to: type)
      if isValid { return true }
      if hasBinding { return false }
    }
    if case .parameter = type { return bind(type, to: wanted).isValid }
    if type.isDynamic || wanted.isDynamic { return true }
    switch (type, wanted) {
    case (.null, _): return wanted.acceptsNull
    case (_, .null): return type.acceptsNull
    case (.list(let a), .list(let b)), (.optional(let a), .optional(let b)): return isAssignable(a, b)
    case (.map(let a, let x), .map(let b, let y)): return isAssignable(a, b) && isAssignable(x, y)
    default: return type == wanted
    }
  }

  private mutating func bind(_ parameter: CELType, to type: CELType) -> (isValid: Bool, hasBinding: Bool) {
    if parameter == type { return (true, true) }
    guard case .parameter(let name) = parameter else { return (false, false) }
    if let bound = bindings[name] {
      if type == bound { return (true, true) }
      guard isAssignable(type, bound) else { return (false, true) }
      let general = Self.mostGeneral(type, bound)
      if !occurs(parameter, in: general) { bindings[name] = general }
      return (true, true)
    }
    guard !occurs(parameter, in: type) else { return (false, false) }
    bindings[name] = type
    return (true, false)
  }

  private func occurs(_ parameter: CELType, in type: CELType) -> Bool {
    if parameter == type { return true }
    switch type {
    case .parameter(let name): return bindings[name].map { occurs(parameter, in: $0) } ?? false
    case .list(let element), .optional(let element): return occurs(parameter, in: element)
    case .map(let key, let value): return occurs(parameter, in: key) || occurs(parameter, in: value)
    default: return false
    }
  }

  private static func mostGeneral(_ a: CELType, _ b: CELType) -> CELType { isAtLeastAsGeneral(a, b) ? a : b }

  private static func isAtLeastAsGeneral(_ a: CELType, _ b: CELType) -> Bool {
    switch (a, b) {
    case (.dyn, _), (.error, _), (.parameter, _): true
    case (_, .dyn), (_, .error), (_, .parameter): false
    case (_, .null): a.acceptsNull
    case (.list(let x), .list(let y)), (.optional(let x), .optional(let y)): isAtLeastAsGeneral(x, y)
    case (.map(let x, let v), .map(let y, let w)): isAtLeastAsGeneral(x, y) && isAtLeastAsGeneral(v, w)
    default: a == b
    }
  }
}

extension CELType {
  /// Whether `null` can stand for a value of the type.
  fileprivate var acceptsNull: Bool {
    switch self {
    case .null, .object, .timestamp, .duration, .optional: true
    default: false
    }
  }
}
