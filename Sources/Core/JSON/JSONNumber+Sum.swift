extension JSONNumber {
  /// The most decimal digits that an exact sum may need.
  static let maximumSumDigits = 128

  /// The exact sum of two numbers; nil where it has more than 128 digits between its first and its last.
  ///
  /// - Complexity: O(digits) once both are written out with the same exponent.
  public func adding(_ other: JSONNumber) -> JSONNumber? {
    if let a = int64, let b = other.int64 {
      let (sum, overflow) = a.addingReportingOverflow(b)
      if !overflow { return JSONNumber(sum) }
    }
    let (a, b) = (decimal, other.decimal)
    if a.digits.isEmpty { return other }
    if b.digits.isEmpty { return self }
    let lowest = min(a.exponent, b.exponent)
    let width = max(a.digits.count + a.exponent, b.digits.count + b.exponent) - lowest
    guard width <= Self.maximumSumDigits else { return nil }
    let (x, y) = (Self.aligned(a, lowest, width), Self.aligned(b, lowest, width))
    if a.isNegative == b.isNegative { return JSONNumber(negative: a.isNegative, digits: Self.sum(x, y), exponent: lowest) }
    let isLess = x.lexicographicallyPrecedes(y)
    let difference = isLess ? Self.difference(y, x) : Self.difference(x, y)
    return JSONNumber(negative: isLess ? b.isNegative : a.isNegative, digits: difference, exponent: lowest)
  }

  /// The digits of a number written out to that many places above an exponent.
  private static func aligned(_ number: DecimalDigits, _ exponent: Int, _ width: Int) -> [UInt8] {
    let tail = number.exponent - exponent
    return Array(repeating: 0, count: width - number.digits.count - tail) + number.digits + Array(repeating: 0, count: tail)
  }

  private static func sum(_ a: [UInt8], _ b: [UInt8]) -> [UInt8] {
    var (digits, carry) = ([UInt8](repeating: 0, count: a.count + 1), UInt8(0))
    for place in a.indices.reversed() {
      let sum = a[place] + b[place] + carry
      (digits[place + 1], carry) = (sum % 10, sum / 10)
    }
    digits[0] = carry
    return digits
  }

  /// The difference of two numbers of the same width, the first not the smaller one.
  private static func difference(_ a: [UInt8], _ b: [UInt8]) -> [UInt8] {
    var (digits, borrow) = (a, UInt8(0))
    for place in a.indices.reversed() {
      let taken = b[place] + borrow
      borrow = a[place] < taken ? 1 : 0
      digits[place] = a[place] + 10 * borrow - taken
    }
    return digits
  }
}
