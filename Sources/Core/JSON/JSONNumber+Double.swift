extension JSONNumber {
  /// The nearest double, where it stands for this number alone: its shortest decimal is this number.
  ///
  /// Nil where rounding loses something.
  ///
  /// Two numbers that both have an exact double compare as their doubles do; two that do not may be different and round to the same one.
  public var exactDouble: Double? {
    switch storage {
    case .int(let value) where value.magnitude <= 1 << 53: return Double(value)
    // Up to 15 digits survive the way to a double and back (C's DBL_DIG), within the range of normal doubles.
    case .decimal(let value) where value.digits.count <= 15 && abs(value.exponent) <= 280: return double
    default:
      let value = double
      return JSONNumber(value) == self ? value : nil
    }
  }
}
