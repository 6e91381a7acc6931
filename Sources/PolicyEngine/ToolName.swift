internal import Core

/// The names that tools may have: 1 to 128 bytes of `A`–`Z`, `a`–`z`, `0`–`9`, `_`, `.` and `-`, compared byte for byte.
///
/// Nothing is folded, trimmed or normalised, so a name that merely looks like another one names another tool or none.
public enum ToolName {
  /// The most bytes that a name has.
  public static let maximumBytes = 128

  /// What is wrong with a name, for people, or nil for a good one.
  ///
  /// The offending character is named by its code point.
  public static func problem(with name: String) -> String? { problem(with: name, subject: "a tool name") }

  static func problem(with name: String, subject: String) -> String? {
    if name.isEmpty { return "\(subject) is empty" }
    for scalar in name.unicodeScalars where !isAllowed(scalar) {
      return "\(subject) has `\(visible(String(scalar)))` (\(codePoint(scalar))) in it; only A-Z, a-z, 0-9, `_`, `.` and `-` can be used"
    }
    if name.utf8.count > maximumBytes { return "\(subject) has \(name.utf8.count) bytes; at most \(maximumBytes) can be used" }
    return nil
  }

  /// Pairs of different names that a reader could take for one another, in order: by case, by `0` and `O`, by `1`, `l`, `I`,
  /// by `rn` and `m`, `vv` and `w`, and by `-`, `_` and `.`.
  ///
  /// - Complexity: O(n log n) for n names.
  public static func lookAlikes(in names: some Sequence<String>) -> [(String, String)] {
    var first: [String: String] = [:]
    var pairs: [(String, String)] = []
    for name in Set(names).sorted() {
      let shape = skeleton(name)
      if let other = first[shape] { pairs.append((other, name)) } else { first[shape] = name }
    }
    return pairs
  }

  /// The name with everything that is easily confused made the same.
  static func skeleton(_ name: String) -> String {
    var bytes: [UInt8] = []
    for byte in name.utf8 {
      let lower = byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
      switch lower {
      case UInt8(ascii: "0"): bytes.append(UInt8(ascii: "o"))
      case UInt8(ascii: "1"), UInt8(ascii: "i"): bytes.append(UInt8(ascii: "l"))
      case UInt8(ascii: "5"): bytes.append(UInt8(ascii: "s"))
      case UInt8(ascii: "_"), UInt8(ascii: "."): bytes.append(UInt8(ascii: "-"))
      case UInt8(ascii: "n") where bytes.last == UInt8(ascii: "r"): bytes[bytes.count - 1] = UInt8(ascii: "m")
      case UInt8(ascii: "v") where bytes.last == UInt8(ascii: "v"): bytes[bytes.count - 1] = UInt8(ascii: "w")
      default: bytes.append(lower)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "A"..."Z", "a"..."z", "0"..."9", "_", ".", "-": true
    default: false
    }
  }

  private static func codePoint(_ scalar: Unicode.Scalar) -> String {
    let hex = String(scalar.value, radix: 16, uppercase: true)
    return "U+" + String(repeating: "0", count: max(0, 4 - hex.count)) + hex
  }
}
