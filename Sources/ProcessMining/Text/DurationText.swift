/// A duration for people: its two largest units, such as `2 d 3 h`, `4 min 5 s`, `350 ms`.
///
/// Rounded down.
public func durationText(milliseconds: Int64) -> String {
  let sign = milliseconds < 0 ? "-" : ""
  let value = milliseconds.magnitude
  let units: [(size: UInt64, name: String)] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1000, "s")]
  guard let first = units.firstIndex(where: { value >= $0.size }) else { return "\(sign)\(value) ms" }
  let head = "\(sign)\(value / units[first].size) \(units[first].name)"
  guard first + 1 < units.count, value / units[first].size < 100 else { return head }
  let rest = value % units[first].size / units[first + 1].size
  return rest == 0 ? head : "\(head) \(rest) \(units[first + 1].name)"
}

/// A share of 0 to 1 as a percentage with one decimal, such as `12.5 %`; rounded to the nearest.
func percentText(_ share: Double) -> String {
  let tenths = Int((share * 1000).rounded())
  return "\(tenths / 10).\(tenths % 10) %"
}
