/// A JSON number with its exact decimal value: what was written, not the nearest double.
///
/// `1`, `1.0` and `10e-1` are the same number. There is one zero: `-0` is `0`.
public struct JSONNumber: Hashable, Sendable, CustomStringConvertible {
  /// Integers that fit in 64 bits are always stored as such, so that equal numbers have equal storage.
  @usableFromInline
  enum Storage: Hashable, Sendable {
    case int(Int64)
    indirect case decimal(DecimalDigits)
  }

  /// ± `digits` × 10^`exponent`, with no zero at either end of the digits.
  @usableFromInline
  struct DecimalDigits: Hashable, Sendable {
    var isNegative: Bool
    /// Values 0 to 9, most significant first.
    var digits: [UInt8]
    var exponent: Int
  }

  @usableFromInline let storage: Storage

  /// An integer.
  @inlinable
  public init(_ value: Int64) { storage = .int(value) }

  /// An integer.
  @inlinable
  public init(_ value: Int) { storage = .int(Int64(value)) }

  /// An integer.
  public init(_ value: UInt64) {
    if let small = Int64(exactly: value) {
      self.init(small)
    } else {
      self.init(negative: false, digits: String(value).utf8.map { $0 - 48 }, exponent: 0)
    }
  }

  /// The shortest decimal that reads back as this double; nil for an infinity or a NaN.
  public init?(_ value: Double) {
    guard value.isFinite else { return nil }
    if let small = Int64(exactly: value), abs(small) <= 1 << 53 {
      self.init(small)
    } else {
      self.init(decimal: value.description)
    }
  }

  /// Reads `-12.5e3` and the like; nil when the text is not a decimal number.
  ///
  /// It may be larger than a double can be.
  public init?(decimal text: String) {
    var negative = false
    var digits: [UInt8] = []
    var exponent = 0
    var seenPoint = false
    var seenDigit = false
    var rest = Substring(text).utf8
    if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { negative = rest.removeFirst() == UInt8(ascii: "-") }
    while let byte = rest.first {
      if byte &- 48 < 10 {
        seenDigit = true
        digits.append(byte - 48)
        if seenPoint { exponent -= 1 }
      } else if byte == UInt8(ascii: "."), !seenPoint {
        seenPoint = true
      } else {
        break
      }
      rest.removeFirst()
    }
    guard seenDigit else { return nil }
    if let mark = rest.first {
      guard mark | 0x20 == UInt8(ascii: "e"), let power = Int(Substring(rest.dropFirst())), power.magnitude < 1 << 40 else { return nil }
      exponent += power
    }
    self.init(negative: negative, digits: digits, exponent: exponent)
  }

  /// Normalises ± digits × 10^exponent.
  init(negative: Bool, digits: [UInt8], exponent: Int) {
    guard let first = digits.firstIndex(where: { $0 != 0 }), let last = digits.lastIndex(where: { $0 != 0 }) else {
      storage = .int(0)
      return
    }
    let significant = Array(digits[first...last])
    let exponent = exponent + digits.count - 1 - last
    if exponent >= 0, significant.count + exponent <= 19 {
      var magnitude: UInt64 = 0
      for digit in significant { magnitude = magnitude &* 10 &+ UInt64(digit) }
      for _ in 0..<exponent { magnitude = magnitude &* 10 }  // 19 digits fit in 64 bits without a sign
      if magnitude <= UInt64(Int64.max) {
        storage = .int(negative ? -Int64(magnitude) : Int64(magnitude))
        return
      }
      if negative, magnitude == UInt64(Int64.max) + 1 {
        storage = .int(.min)
        return
      }
    }
    storage = .decimal(DecimalDigits(isNegative: negative, digits: significant, exponent: exponent))
  }

  /// The number as a 64-bit integer, where it is one.
  @inlinable
  public var int64: Int64? { if case .int(let value) = storage { value } else { nil } }

  /// Whether the number has no fractional part.
  public var isInteger: Bool {
    switch storage {
    case .int: true
    case .decimal(let value): value.exponent >= 0
    }
  }

  /// The nearest double, ties to even; an infinity where the number is larger than any double.
  public var double: Double {
    switch storage {
    case .int(let value): Double(value)
    case .decimal(let value): value.double
    }
  }

  /// The exact value in decimal notation, with an exponent only where it is much shorter.
  public var text: String {
    switch storage {
    case .int(let value): String(value)
    case .decimal(let value): value.text
    }
  }

  /// The exact value in decimal notation.
  public var description: String { text }

  /// Whether this number is an integer multiple of another, in exact arithmetic; false for a divisor of zero.
  ///
  /// - Complexity: O(n · m) for n and m decimal digits once both are written out with the same exponent.
  public func isMultiple(of divisor: JSONNumber) -> Bool {
    if case .int(let a) = storage, case .int(let b) = divisor.storage { return b != 0 && (b == -1 || a % b == 0) }
    let (a, b) = (decimal, divisor.decimal)
    if b.digits.isEmpty { return false }
    if a.digits.isEmpty { return true }
    let lowest = min(a.exponent, b.exponent)
    // Beyond this neither operand came from a JSON text: doubles end at 10^308.
    guard a.exponent - lowest < 4096, b.exponent - lowest < 4096 else { return false }
    let dividend = a.digits + Array(repeating: 0, count: a.exponent - lowest)
    let modulus = b.digits + Array(repeating: 0, count: b.exponent - lowest)
    return remainderIsZero(dividend, modulus)
  }

  /// The number as digits and exponent; zero has no digits.
  var decimal: DecimalDigits {
    switch storage {
    case .decimal(let value): value
    case .int(let value):
      DecimalDigits(isNegative: value < 0, digits: value == 0 ? [] : String(value.magnitude).utf8.map { $0 - 48 }, exponent: 0)
    }
  }
}

extension JSONNumber: Comparable {
  /// Whether the first number is less than the second, in exact arithmetic.
  public static func < (a: JSONNumber, b: JSONNumber) -> Bool {
    if case .int(let x) = a.storage, case .int(let y) = b.storage { return x < y }
    // Rounding keeps order, so different doubles settle it.
    let (p, q) = (a.double, b.double)
    if p != q { return p < q }
    let (x, y) = (a.decimal, b.decimal)
    let (xSign, ySign) = (x.sign, y.sign)
    if xSign != ySign { return xSign < ySign }
    return xSign >= 0 ? x.magnitudeIsLess(than: y) : y.magnitudeIsLess(than: x)
  }
}

extension JSONNumber.DecimalDigits {
  var sign: Int { digits.isEmpty ? 0 : isNegative ? -1 : 1 }

  func magnitudeIsLess(than other: Self) -> Bool {
    let (a, b) = (digits.count + exponent, other.digits.count + other.exponent)
    if a != b { return a < b }
    for index in 0..<max(digits.count, other.digits.count) {
      let (x, y) = (index < digits.count ? digits[index] : 0, index < other.digits.count ? other.digits[index] : 0)
      if x != y { return x < y }
    }
    return false
  }

  var double: Double {
    // Both factors are exact doubles here, so one rounding remains and the result is correctly rounded.
    if digits.count <= 15, abs(exponent) <= 22 {
      var magnitude: UInt64 = 0
      for digit in digits { magnitude = magnitude &* 10 &+ UInt64(digit) }
      let scale = powersOfTen[abs(exponent)]
      let value = exponent < 0 ? Double(magnitude) / scale : Double(magnitude) * scale
      return isNegative ? -value : value
    }
    let text = String(decoding: digits.map { $0 + 48 }, as: UTF8.self)
    let power = max(-1 << 30, min(1 << 30, exponent))
    let magnitude = Double("\(text)e\(power)") ?? (digits.count + power > 0 ? .infinity : 0)
    return isNegative ? -magnitude : magnitude
  }

  var text: String {
    let sign = isNegative ? "-" : ""
    let plain = String(decoding: digits.map { $0 + 48 }, as: UTF8.self)
    let point = digits.count + exponent
    if exponent >= 0, point <= 40 { return sign + plain + String(repeating: "0", count: exponent) }
    if exponent < 0, point > 0 { return sign + plain.prefix(point) + "." + plain.dropFirst(point) }
    if exponent < 0, point > -7 { return sign + "0." + String(repeating: "0", count: -point) + plain }
    return sign + plain.prefix(1) + (plain.count > 1 ? "." + plain.dropFirst() : "") + "e\(point - 1)"
  }
}

private let powersOfTen: [Double] = [
  1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
]

/// Long division in decimal; both operands are most significant digit first, the modulus has no leading zero.
private func remainderIsZero(_ dividend: [UInt8], _ modulus: [UInt8]) -> Bool {
  if modulus.count <= 18 {
    var divisor: UInt64 = 0
    for digit in modulus { divisor = divisor &* 10 &+ UInt64(digit) }
    var remainder: UInt64 = 0
    for digit in dividend {
      let product = remainder.multipliedFullWidth(by: 10)
      let (low, carry) = product.low.addingReportingOverflow(UInt64(digit))
      remainder = divisor.dividingFullWidth((product.high + (carry ? 1 : 0), low)).remainder
    }
    return remainder == 0
  }
  var remainder: [UInt8] = []
  func isSmaller() -> Bool {
    remainder.count != modulus.count ? remainder.count < modulus.count : remainder.lexicographicallyPrecedes(modulus)
  }
  for digit in dividend {
    if !(remainder.isEmpty && digit == 0) { remainder.append(digit) }
    while !isSmaller() {
      var borrow = 0
      for index in stride(from: remainder.count - 1, through: 0, by: -1) {
        let place = index - (remainder.count - modulus.count)
        var difference = Int(remainder[index]) - borrow - (place >= 0 ? Int(modulus[place]) : 0)
        borrow = difference < 0 ? 1 : 0
        if difference < 0 { difference += 10 }
        remainder[index] = UInt8(difference)
      }
      remainder.removeFirst(remainder.firstIndex { $0 != 0 } ?? remainder.count)
    }
  }
  return remainder.isEmpty
}
