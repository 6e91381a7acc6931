extension StandardLibrary {
  /// The functions of the `optionals` library; `.?`, `[?…]`, `optMap` and `optFlatMap` are syntax.
  ///
  /// - SeeAlso: https://github.com/google/cel-spec/wiki/proposal-246
  static let optionalExtensions: [Function] = [
    Function("optional.of", [Overload([a], .optional(a))], .unary { x, _ throws(Failure) in .optional(x) }),
    Function("optional.none", [Overload([], .optional(a))], .any { _, _ throws(Failure) in .optional(nil) }),
    Function(
      "optional.ofNonZeroValue", [Overload([a], .optional(a))], .unary { x, _ throws(Failure) in .optional(isZero(x) ? nil : .some(x)) }),
    Function(
      "hasValue", [Overload([.optional(a)], .bool, isMember: true)],
      .unary { x, _ throws(Failure) in
        guard case .optional(let wrapped) = x else { throw noOverload("hasValue", x) }
        return .bool(wrapped != nil)
      }),
    Function(
      "value", [Overload([.optional(a)], a, isMember: true)],
      .unary { x, _ throws(Failure) in
        guard case .optional(let wrapped) = x else { throw noOverload("value", x) }
        guard let wrapped else { throw Failure(.noValue, "the optional has no value") }
        return wrapped
      }),
    // The compiler makes these a node that evaluates the other only where it is needed.
    Function(
      "or", [Overload([.optional(a), .optional(a)], .optional(a), isMember: true)],
      .binary { x, y, _ throws(Failure) in throw noOverload("or", x, y) }),
    Function(
      "orValue", [Overload([.optional(a), a], a, isMember: true)], .binary { x, y, _ throws(Failure) in throw noOverload("orValue", x, y) }),
    Function("optional.unwrap", [Overload([.list(.optional(a))], .list(a))], .unary { x, meter throws(Failure) in try unwrap(x, &meter) }),
    Function(
      "unwrapOpt", [Overload([.list(.optional(a))], .list(a), isMember: true)], .unary { x, meter throws(Failure) in try unwrap(x, &meter) }
    ),
  ]

  /// The values of the optionals that have one.
  private static func unwrap(_ value: CELValue, _ meter: inout Meter) throws(Failure) -> CELValue {
    guard case .list(let elements) = value else { throw noOverload("optional.unwrap", value) }
    try meter.spend(elements.count)
    var values: [CELValue] = []
    for element in elements {
      guard case .optional(let wrapped) = element else { throw noOverload("optional.unwrap", element) }
      if let wrapped { values.append(wrapped) }
    }
    return .list(values)
  }

  /// Whether a value is what its type begins with: null, false, 0, nothing, or the start of 1970.
  private static func isZero(_ value: CELValue) -> Bool {
    switch value {
    case .null: true
    case .bool(let truth): !truth
    case .int(let number): number == 0
    case .uint(let number): number == 0
    case .double(let number): number == 0
    case .string(let text): text.isEmpty
    case .bytes(let bytes): bytes.isEmpty
    case .timestamp(let time): time.seconds == 0 && time.nanoseconds == 0
    case .duration(let length): length.nanoseconds == 0
    case .list(let list): list.isEmpty
    case .map(let map): map.isEmpty
    case .optional(let wrapped): wrapped == nil
    case .type: false
    }
  }
}
