/// A length of time in whole nanoseconds, within about ±292 years.
public struct CELDuration: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The length, in nanoseconds.
  public let nanoseconds: Int64

  /// A length in nanoseconds.
  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// A length in milliseconds; nil where it does not fit.
  public init?(milliseconds: Int64) {
    let (product, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
    if overflow { return nil }
    nanoseconds = product
  }

  /// Whether the first is shorter.
  public static func < (a: CELDuration, b: CELDuration) -> Bool { a.nanoseconds < b.nanoseconds }

  /// Reads `1h30m`, `-1.5s`, `250ms`; units are `h`, `m`, `s`, `ms`, `us`, `µs` and `ns`.
  ///
  /// Nil for anything else, and where it does not fit.
  public init?(_ text: String) {
    var rest = Substring(text).utf8
    var negative = false
    if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
      negative = sign == UInt8(ascii: "-")
      rest.removeFirst()
    }
    if Array(rest) == [UInt8(ascii: "0")] {
      nanoseconds = 0
      return
    }
    guard !rest.isEmpty else { return nil }
    var total: Int64 = 0
    while !rest.isEmpty {
      var whole: Int64 = 0
      var fraction: Int64 = 0
      var scale: Int64 = 1
      var digits = 0
      while let digit = rest.first, digit &- 48 < 10 {
        let (tens, overflow) = whole.multipliedReportingOverflow(by: 10)
        let (sum, overflow2) = tens.addingReportingOverflow(Int64(digit - 48))
        if overflow || overflow2 { return nil }
        whole = sum
        digits += 1
        rest.removeFirst()
      }
      if rest.first == UInt8(ascii: ".") {
        rest.removeFirst()
        while let digit = rest.first, digit &- 48 < 10 {
          if scale < 1_000_000_000_000_000 {  // later digits are far below a nanosecond
            fraction = fraction * 10 + Int64(digit - 48)
            scale *= 10
          }
          digits += 1
          rest.removeFirst()
        }
      }
      guard digits > 0, let unit = Self.takeUnit(&rest) else { return nil }
      let (nanos, overflow) = whole.multipliedReportingOverflow(by: negative ? -unit : unit)
      let part = Int64(Double(fraction) * (Double(unit) / Double(scale)))
      let (sum, overflow2) = total.addingReportingOverflow(nanos)
      let (next, overflow3) = sum.addingReportingOverflow(negative ? -part : part)
      if overflow || overflow2 || overflow3 { return nil }
      total = next
    }
    nanoseconds = total
  }

  private static func takeUnit(_ rest: inout Substring.UTF8View) -> Int64? {
    for (name, nanoseconds) in units where rest.starts(with: name.utf8) {
      rest.removeFirst(name.utf8.count)
      return nanoseconds
    }
    return nil
  }

  /// Longer names first, because `m` begins `ms`.
  private static let units: [(String, Int64)] = [
    ("ns", 1), ("us", 1000), ("µs", 1000), ("μs", 1000), ("ms", 1_000_000), ("h", 3_600_000_000_000), ("m", 60_000_000_000),
    ("s", 1_000_000_000),
  ]

  /// The length in seconds: `90s`, `-1.5s`.
  public var description: String {
    let magnitude = nanoseconds.magnitude
    let (seconds, fraction) = magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
    return (nanoseconds < 0 ? "-" : "") + "\(seconds)" + fractionText(fraction) + "s"
  }
}

/// `.5` for half a second in nanoseconds, and nothing for none.
func fractionText(_ nanoseconds: UInt64) -> String {
  if nanoseconds == 0 { return "" }
  let digits = String(nanoseconds)
  var text = String(repeating: "0", count: 9 - digits.utf8.count) + digits
  while text.utf8.last == UInt8(ascii: "0") { text.removeLast() }
  return "." + text
}
