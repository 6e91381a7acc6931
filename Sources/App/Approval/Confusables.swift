internal import Core

/// Words made to look like others: letters of several alphabets in one word.
enum Confusables {
  /// The first word that holds both Latin and Cyrillic, Greek, Armenian, Cherokee or full-width letters, with the first
  /// letter that does not belong; nil where there is none.
  ///
  /// - Complexity: O(n).
  static func firstMixedWord(in text: String) -> (word: String, scalar: String)? {
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return nil }
    for word in text.unicodeScalars.split(whereSeparator: {
      !$0.properties.isAlphabetic && $0.properties.generalCategory != .nonspacingMark
    }) {
      guard word.contains(where: { isLatin($0) }), let foreign = word.first(where: { isLookalike($0) }) else { continue }
      let name = foreign.properties.name ?? "a character without a name"
      return (String(word), "U+\(hex(foreign.value)) \(name)")
    }
    return nil
  }

  private static func isLatin(_ scalar: Unicode.Scalar) -> Bool {
    (scalar.value | 0x20) &- 97 < 26 || (0xC0...0x24F).contains(scalar.value)
  }

  private static func isLookalike(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x370...0x3FF, 0x400...0x52F, 0x530...0x58F, 0x13A0...0x13FF, 0x1F00...0x1FFF, 0x2C80...0x2CFF, 0xAB70...0xABBF,
      0xFF21...0xFF3A, 0xFF41...0xFF5A, 0x1D400...0x1D7FF:
      return true
    default: return false
    }
  }

  private static func hex(_ value: UInt32) -> String {
    let digits = String(value, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }
}
