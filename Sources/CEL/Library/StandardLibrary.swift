/// The functions that every environment has, and those of the libraries that it asks for.
enum StandardLibrary {
  static func functions(_ libraries: CELLibraries) -> [String: Function] {
    var all = operators + conversions + texts + times
    if libraries.contains(.strings) { all += stringExtensions }
    if libraries.contains(.math) { all += mathExtensions }
    if libraries.contains(.optionals) { all += optionalExtensions }
    if libraries.contains(.encoders) { all += encoderExtensions }
    var byName: [String: Function] = [:]
    for function in all {
      let earlier = byName[function.name]?.overloads ?? []
      byName[function.name] = Function(function.name, earlier + function.overloads, function.body)
    }
    return byName
  }

  /// The names of types, which are values of type `type`.
  static let typeNames: [String: CELType] = [
    "bool": .bool, "int": .int, "uint": .uint, "double": .double, "string": .string, "bytes": .bytes, "null_type": .null, "type": .type,
    "list": .list(.dyn), "map": .map(.dyn, .dyn), "optional_type": .optional(.dyn), "google.protobuf.Timestamp": .timestamp,
    "google.protobuf.Duration": .duration,
  ]

  static let a = CELType.parameter("A")
  static let b = CELType.parameter("B")

  /// The operators.
  ///
  /// `&&`, `||` and `? :` evaluate only what they need, so the compiler knows them.
  static let operators: [Function] = [
    arithmetic(
      .add,
      [
        [.int, .int, .int], [.uint, .uint, .uint], [.double, .double, .double], [.string, .string, .string], [.bytes, .bytes, .bytes],
        [.list(a), .list(a), .list(a)], [.timestamp, .duration, .timestamp], [.duration, .timestamp, .timestamp],
        [.duration, .duration, .duration],
      ]),
    arithmetic(
      .subtract,
      [
        [.int, .int, .int], [.uint, .uint, .uint], [.double, .double, .double], [.timestamp, .timestamp, .duration],
        [.timestamp, .duration, .timestamp], [.duration, .duration, .duration],
      ]),
    arithmetic(.multiply, [[.int, .int, .int], [.uint, .uint, .uint], [.double, .double, .double]]),
    arithmetic(.divide, [[.int, .int, .int], [.uint, .uint, .uint], [.double, .double, .double]]),
    arithmetic(.remainder, [[.int, .int, .int], [.uint, .uint, .uint]]),
    Function("-_", [Overload([.int], .int), Overload([.double], .double)], .unary { x, _ throws(Failure) in try negate(x) }),
    Function(
      "!_", [Overload([.bool], .bool)],
      .unary { x, _ throws(Failure) in
        guard case .bool(let value) = x else { throw noOverload("!_", x) }
        return .bool(!value)
      }),
    Function("_==_", [Overload([a, a], .bool)], .binary { x, y, meter throws(Failure) in .bool(try equal(x, y, &meter)) }),
    Function("_!=_", [Overload([a, a], .bool)], .binary { x, y, meter throws(Failure) in .bool(try !equal(x, y, &meter)) }),
    comparison(.less), comparison(.lessOrEqual), comparison(.more), comparison(.moreOrEqual),
    Function(
      "@in", [Overload([a, .list(a)], .bool), Overload([a, .map(a, b)], .bool)],
      .binary { x, y, meter throws(Failure) in .bool(try isMember(x, of: y, &meter)) }),
    Function(
      "_[_]",
      [
        Overload([.list(a), .int], a), Overload([.map(a, b), a], b), Overload([.optional(.list(a)), .int], .optional(a)),
        Overload([.optional(.map(a, b)), a], .optional(b)),
      ],
      .binary { x, y, meter throws(Failure) in
        guard let value = try element(y, of: x, &meter) else { throw noElement(x) }
        return value
      }),
    Function(
      "_[?_]",
      [
        Overload([.list(a), .int], .optional(a)), Overload([.map(a, b), a], .optional(b)),
        Overload([.optional(.list(a)), .int], .optional(a)), Overload([.optional(.map(a, b)), a], .optional(b)),
      ],
      .binary { x, y, meter throws(Failure) in
        let value = try element(y, of: x, &meter)
        if case .optional = x { return value ?? .optional(nil) }
        return .optional(value)
      }),
  ]

  @inline(never)
  static func noElement(_ container: CELValue) -> Failure {
    if case .list = container { return Failure(.noSuchKey, "the list index is out of range") }
    return Failure(.noSuchKey, "the map has no such key")
  }

  private static func arithmetic(_ operation: Arithmetic, _ signatures: [[CELType]]) -> Function {
    Function(
      operation.rawValue, signatures.map { Overload([$0[0], $0[1]], $0[2]) },
      .binary { x, y, meter throws(Failure) in try operation.apply(x, y, &meter) })
  }

  private static func comparison(_ comparison: Comparison) -> Function {
    let types: [CELType] = [.bool, .int, .uint, .double, .string, .bytes, .timestamp, .duration]
    return Function(
      comparison.rawValue, types.map { Overload([$0, $0], .bool) },
      .binary { x, y, meter throws(Failure) in
        if case .string(let text) = x { try meter.spend(bytes: text.utf8.count) }
        guard let order = order(x, y) else { throw noOverload(comparison.rawValue, x, y) }
        return .bool(comparison.holds(order))
      })
  }
}
