internal import Core

extension Instant {
  /// `2026-01-31 10:00:05Z`: the moment for people, in UTC, to the second.
  var absoluteText: String {
    let text = iso8601
    return "\(text.prefix(10)) \(text.dropFirst(11).prefix(8))Z"
  }

  /// `3 min ago`, `in 2 h`, `now`: the moment as seen from another one.
  func relativeText(to now: Instant) -> String {
    let (difference, overflow) = milliseconds.subtractingReportingOverflow(now.milliseconds)
    if overflow { return absoluteText }
    let distance = Duration.milliseconds(difference.magnitude > UInt64(Int64.max) ? .max : Int64(difference.magnitude)).roughText
    return difference.magnitude < 1000 ? "now" : difference < 0 ? "\(distance) ago" : "in \(distance)"
  }

  /// `2026-01-31 10:00:05Z (in 2 h)`.
  func fullText(to now: Instant) -> String { "\(absoluteText) (\(relativeText(to: now)))" }
}

extension Duration {
  /// The duration in its two largest units, rounded down: `850 ms`, `4.2 s`, `3 min`, `1 h 5 min`, `2 d 3 h`.
  var roughText: String {
    let total = max(0, milliseconds)
    func two(_ large: Int64, _ unit: String, _ small: Int64, _ smaller: String) -> String {
      small == 0 ? "\(large) \(unit)" : "\(large) \(unit) \(small) \(smaller)"
    }
    switch total {
    case ..<1000: return "\(total) ms"
    case ..<10_000: return total % 1000 < 100 ? "\(total / 1000) s" : "\(total / 1000).\(total % 1000 / 100) s"
    case ..<60_000: return "\(total / 1000) s"
    case ..<3_600_000: return total < 600_000 ? two(total / 60_000, "min", total / 1000 % 60, "s") : "\(total / 60_000) min"
    case ..<86_400_000: return two(total / 3_600_000, "h", total / 60_000 % 60, "min")
    default: return two(total / 86_400_000, "d", total / 3_600_000 % 24, "h")
    }
  }
}

/// `640 bytes`, `12.0 kB`, `3.4 MB`: a size for people, in powers of 1000.
func sizeText(_ bytes: Int) -> String {
  if bytes < 1000 { return bytes == 1 ? "1 byte" : "\(bytes) bytes" }
  var value = bytes
  var unit = 0
  while value >= 1_000_000, unit < 3 {
    value /= 1000
    unit += 1
  }
  return "\(value / 1000).\(value % 1000 / 100) \(["kB", "MB", "GB", "TB"][unit])"
}

/// `1 run`, `3 runs`.
func counted(_ count: Int, _ singular: String, _ plural: String? = nil) -> String {
  "\(count) \(count == 1 ? singular : plural ?? singular + "s")"
}
