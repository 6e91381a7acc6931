enum Arithmetic: String {
  case add = "_+_"
  case subtract = "_-_"
  case multiply = "_*_"
  case divide = "_/_"
  case remainder = "_%_"

  @inline(__always)
  func apply<T: FixedWidthInteger>(_ a: T, _ b: T) throws(Failure) -> T {
    let outcome: (partialValue: T, overflow: Bool)
    switch self {
    case .add: outcome = a.addingReportingOverflow(b)
    case .subtract: outcome = a.subtractingReportingOverflow(b)
    case .multiply: outcome = a.multipliedReportingOverflow(by: b)
    case .divide:
      if b == 0 { throw Failure(.divisionByZero, "division by zero") }
      outcome = a.dividedReportingOverflow(by: b)
    case .remainder:
      if b == 0 { throw Failure(.divisionByZero, "remainder of a division by zero") }
      outcome = a.remainderReportingOverflow(dividingBy: b)
    }
    if outcome.overflow { throw overflow() }
    return outcome.partialValue
  }

  @inline(never)
  func overflow() -> Failure { Failure(.overflow, "the result of `\(displayName(rawValue))` does not fit its type") }

  /// Doubles have no remainder operator.
  func apply(_ a: Double, _ b: Double) -> Double? {
    switch self {
    case .add: a + b
    case .subtract: a - b
    case .multiply: a * b
    case .divide: a / b
    case .remainder: nil
    }
  }

  /// The operation on values of any types.
  func apply(_ a: CELValue, _ b: CELValue, _ meter: inout Meter) throws(Failure) -> CELValue {
    switch (a, b) {
    case (.int(let x), .int(let y)): return .int(try apply(x, y))
    case (.uint(let x), .uint(let y)): return .uint(try apply(x, y))
    case (.double(let x), .double(let y)):
      if let result = apply(x, y) { return .double(result) }
    case (.string(let x), .string(let y)) where self == .add:
      try meter.spend(bytes: x.utf8.count + y.utf8.count)
      return .string(x + y)
    case (.bytes(let x), .bytes(let y)) where self == .add:
      try meter.spend(bytes: x.count + y.count)
      return .bytes(x + y)
    case (.list(let x), .list(let y)) where self == .add:
      try meter.spend(x.count + y.count)
      return .list(x + y)
    case (.timestamp(let x), .duration(let y)) where self == .add, (.duration(let y), .timestamp(let x)) where self == .add:
      guard let sum = x.adding(nanoseconds: y.nanoseconds) else { throw overflow() }
      return .timestamp(sum)
    case (.timestamp(let x), .duration(let y)) where self == .subtract:
      let (negated, isLeast) = Int64(0).subtractingReportingOverflow(y.nanoseconds)
      guard !isLeast, let difference = x.adding(nanoseconds: negated) else { throw overflow() }
      return .timestamp(difference)
    case (.timestamp(let x), .timestamp(let y)) where self == .subtract:
      guard let length = x.since(y) else { throw overflow() }
      return .duration(length)
    case (.duration(let x), .duration(let y)) where self == .add || self == .subtract:
      return .duration(CELDuration(nanoseconds: try apply(x.nanoseconds, y.nanoseconds)))
    default: break
    }
    throw noOverload(rawValue, a, b)
  }
}

func negate(_ value: CELValue) throws(Failure) -> CELValue {
  switch value {
  case .int(let x):
    if x == .min { throw Arithmetic.subtract.overflow() }
    return .int(-x)
  case .double(let x): return .double(-x)
  default: throw noOverload("-_", value)
  }
}
