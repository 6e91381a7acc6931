extension CELValue {
  /// The language's `==`: numbers by value whatever their type, texts by their bytes, lists and maps by their parts.
  ///
  /// A NaN equals nothing, and values of different types are unequal.
  ///
  /// - Complexity: O(n) for n parts and bytes.
  public func isEqual(to other: CELValue) -> Bool {
    var meter = Meter(limit: .max)
    return (try? equal(self, other, &meter)) ?? false
  }
}

/// `a == b`, spending a step for each part.
func equal(_ a: CELValue, _ b: CELValue, _ meter: inout Meter) throws(Failure) -> Bool {
  switch (a, b) {
  case (.null, .null): return true
  case (.bool(let x), .bool(let y)): return x == y
  case (.int(let x), .int(let y)): return x == y
  case (.uint(let x), .uint(let y)): return x == y
  case (.double(let x), .double(let y)): return x == y
  case (.int, .uint), (.int, .double), (.uint, .int), (.uint, .double), (.double, .int), (.double, .uint): return order(a, b) == .same
  case (.string(let x), .string(let y)):
    try meter.spend(bytes: min(x.utf8.count, y.utf8.count))
    return sameBytes(x, y)
  case (.bytes(let x), .bytes(let y)):
    try meter.spend(bytes: min(x.count, y.count))
    return x == y
  case (.timestamp(let x), .timestamp(let y)): return x == y
  case (.duration(let x), .duration(let y)): return x == y
  case (.type(let x), .type(let y)): return x == y
  case (.list(let x), .list(let y)):
    guard x.count == y.count else { return false }
    for (left, right) in zip(x, y) {
      try meter.spend(1)
      if try !equal(left, right, &meter) { return false }
    }
    return true
  case (.map(let x), .map(let y)):
    guard x.count == y.count else { return false }
    for (key, left) in x.entries {
      try meter.spend(key)
      guard let right = y[key], try equal(left, right, &meter) else { return false }
    }
    return true
  case (.optional(let x), .optional(let y)):
    guard let x, let y else { return x == nil && y == nil }
    return try equal(x, y, &meter)
  default: return false
  }
}

/// How one value stands to another.
enum Order {
  case less, same, more
  /// One of the two is a NaN.
  case unordered
}

enum Comparison: String {
  case less = "_<_"
  case lessOrEqual = "_<=_"
  case more = "_>_"
  case moreOrEqual = "_>=_"

  @inline(__always)
  func holds<T: Comparable>(_ a: T, _ b: T) -> Bool {
    switch self {
    case .less: a < b
    case .lessOrEqual: a <= b
    case .more: a > b
    case .moreOrEqual: a >= b
    }
  }

  func holds(_ order: Order) -> Bool {
    switch self {
    case .less: order == .less
    case .lessOrEqual: order == .less || order == .same
    case .more: order == .more
    case .moreOrEqual: order == .more || order == .same
    }
  }
}

/// How two values stand to one another; nil for types that have no order between them.
func order(_ a: CELValue, _ b: CELValue) -> Order? {
  switch (a, b) {
  case (.int(let x), .int(let y)): return order(of: x, y)
  case (.uint(let x), .uint(let y)): return order(of: x, y)
  case (.double(let x), .double(let y)): return order(of: x, y)
  case (.int(let x), .uint(let y)): return x < 0 ? .less : order(of: UInt64(x), y)
  case (.uint(let x), .int(let y)): return y < 0 ? .more : order(of: x, UInt64(y))
  // An integer beyond 2^53 is rounded to the nearest double first, as the conformance tests of the language want it.
  case (.int(let x), .double(let y)): return order(of: Double(x), y)
  case (.double(let x), .int(let y)): return order(of: x, Double(y))
  case (.uint(let x), .double(let y)): return order(of: Double(x), y)
  case (.double(let x), .uint(let y)): return order(of: x, Double(y))
  case (.string(let x), .string(let y)): return sameBytes(x, y) ? .same : bytesPrecede(x, y) ? .less : .more
  case (.bytes(let x), .bytes(let y)): return x == y ? .same : x.lexicographicallyPrecedes(y) ? .less : .more
  case (.bool(let x), .bool(let y)): return x == y ? .same : y ? .less : .more
  case (.timestamp(let x), .timestamp(let y)): return order(of: x, y)
  case (.duration(let x), .duration(let y)): return order(of: x, y)
  default: return nil
  }
}

private func order<T: Comparable>(of a: T, _ b: T) -> Order { a < b ? .less : a == b ? .same : a > b ? .more : .unordered }
