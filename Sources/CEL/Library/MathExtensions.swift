extension StandardLibrary {
  /// The functions of the `math` library.
  ///
  /// - SeeAlso: https://github.com/google/cel-go/blob/master/ext/README.md#math
  static let mathExtensions: [Function] = [
    extreme("math.greatest", .more),
    extreme("math.least", .less),
    rounding("math.ceil") { $0.rounded(.up) },
    rounding("math.floor") { $0.rounded(.down) },
    rounding("math.round") { $0.rounded(.toNearestOrAwayFromZero) },
    rounding("math.trunc") { $0.rounded(.towardZero) },
    rounding("math.sqrt") { $0.squareRoot() },
    test("math.isNaN") { $0.isNaN },
    test("math.isInf") { $0.isInfinite },
    test("math.isFinite") { $0.isFinite },
    Function(
      "math.abs", numbers.map { Overload([$0], $0) },
      .unary { x, _ throws(Failure) in
        switch x {
        case .int(let value):
          if value == .min { throw Failure(.overflow, "the result of `math.abs` does not fit its type") }
          return .int(abs(value))
        case .uint: return x
        case .double(let value): return .double(abs(value))
        default: throw noOverload("math.abs", x)
        }
      }),
    Function(
      "math.sign", numbers.map { Overload([$0], $0) },
      .unary { x, _ throws(Failure) in
        switch x {
        case .int(let value): return .int(value.signum())
        case .uint(let value): return .uint(value == 0 ? 0 : 1)
        case .double(let value): return .double(value > 0 ? 1 : value < 0 ? -1 : value.isNaN ? value : 0)
        default: throw noOverload("math.sign", x)
        }
      }),
    bits("math.bitAnd", { $0 & $1 }, { $0 & $1 }),
    bits("math.bitOr", { $0 | $1 }, { $0 | $1 }),
    bits("math.bitXor", { $0 ^ $1 }, { $0 ^ $1 }),
    Function(
      "math.bitNot", [Overload([.int], .int), Overload([.uint], .uint)],
      .unary { x, _ throws(Failure) in
        switch x {
        case .int(let value): return .int(~value)
        case .uint(let value): return .uint(~value)
        default: throw noOverload("math.bitNot", x)
        }
      }),
    // Smart shifts give 0 where all bits are shifted out; to the right no sign comes in, also for `int`.
    shift("math.bitShiftLeft") { $0 << $1 },
    shift("math.bitShiftRight") { $0 >> $1 },
  ]

  private static let numbers: [CELType] = [.int, .uint, .double]

  /// The greatest or least of numbers of any types, or of a list of them; of equal ones the first.
  private static func extreme(_ name: String, _ better: Order) -> Function {
    var overloads = numbers.flatMap { [Overload([$0], $0), Overload([.list($0)], $0)] }
    for first in numbers {
      for second in numbers { overloads.append(Overload([first, second], first == second ? first : .dyn)) }
    }
    for count in 3...16 { overloads.append(Overload(Array(repeating: .dyn, count: count), .dyn)) }
    return Function(
      name, overloads,
      .any { arguments, meter throws(Failure) in
        var candidates = arguments
        if arguments.count == 1, case .list(let list) = arguments[0] {
          if list.isEmpty { throw Failure(.invalidArgument, "`\(name)` needs at least one number") }
          candidates = list
        }
        try meter.spend(candidates.count)
        var best = candidates[0]
        for candidate in candidates {
          switch (best, candidate) {
          case (.int, .int), (.int, .uint), (.int, .double), (.uint, .int), (.uint, .uint), (.uint, .double), (.double, .int),
            (.double, .uint), (.double, .double):
            if order(candidate, best) == better { best = candidate }
          default: throw noOverload(name, candidate)
          }
        }
        return best
      })
  }

  private static func rounding(_ name: String, _ body: @escaping @Sendable (Double) -> Double) -> Function {
    let parameters: [CELType] = name == "math.sqrt" ? numbers : [.double]
    return Function(
      name, parameters.map { Overload([$0], .double) },
      .unary { x, _ throws(Failure) in
        switch x {
        case .double(let value): return .double(body(value))
        case .int(let value) where parameters.count > 1: return .double(body(Double(value)))
        case .uint(let value) where parameters.count > 1: return .double(body(Double(value)))
        default: throw noOverload(name, x)
        }
      })
  }

  private static func test(_ name: String, _ body: @escaping @Sendable (Double) -> Bool) -> Function {
    Function(
      name, [Overload([.double], .bool)],
      .unary { x, _ throws(Failure) in
        guard case .double(let value) = x else { throw noOverload(name, x) }
        return .bool(body(value))
      })
  }

  private static func bits(
    _ name: String, _ signed: @escaping @Sendable (Int64, Int64) -> Int64, _ unsigned: @escaping @Sendable (UInt64, UInt64) -> UInt64
  ) -> Function {
    Function(
      name, [Overload([.int, .int], .int), Overload([.uint, .uint], .uint)],
      .binary { x, y, _ throws(Failure) in
        switch (x, y) {
        case (.int(let a), .int(let b)): return .int(signed(a, b))
        case (.uint(let a), .uint(let b)): return .uint(unsigned(a, b))
        default: throw noOverload(name, x, y)
        }
      })
  }

  private static func shift(_ name: String, _ body: @escaping @Sendable (UInt64, Int64) -> UInt64) -> Function {
    Function(
      name, [Overload([.int, .int], .int), Overload([.uint, .int], .uint)],
      .binary { x, y, _ throws(Failure) in
        guard case .int(let distance) = y else { throw noOverload(name, x, y) }
        if distance < 0 { throw Failure(.invalidArgument, "`\(name)` needs a distance that is not negative") }
        switch x {
        case .int(let value): return .int(Int64(bitPattern: body(UInt64(bitPattern: value), distance)))
        case .uint(let value): return .uint(body(value, distance))
        default: throw noOverload(name, x, y)
        }
      })
  }
}
