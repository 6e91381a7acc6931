/// The text with everything that a terminal would act on, hide or reorder made visible: control characters, escape
/// sequences, bidirectional controls, zero-width and other invisible characters, unassigned code points.
///
/// They appear as `\u{1B}`; a backslash before `u{` is doubled, so that the result is unambiguous. Nothing is dropped.
///
/// - Parameters:
///   - text: Any text.
///   - multiline: Whether line feeds stay as they are; otherwise they appear as `\n`.
/// - Returns: A text that is safe to print.
/// - Complexity: O(n).
public func visible(_ text: String, multiline: Bool = false) -> String {
  if text.utf8.allSatisfy({ ($0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\")) || ($0 == 0x0A && multiline) }) { return text }
  var result = String.UnicodeScalarView()
  let scalars = Array(text.unicodeScalars)
  for (index, scalar) in scalars.enumerated() {
    switch scalar {
    case "\n" where multiline: result.append(scalar)
    case "\n": result.append(contentsOf: "\\n".unicodeScalars)
    case "\r": result.append(contentsOf: "\\r".unicodeScalars)
    case "\t": result.append(contentsOf: "\\t".unicodeScalars)
    case "\\":
      // Doubled where what follows would otherwise read as an escape, or is shown as one.
      let next = index + 1 < scalars.count ? scalars[index + 1] : "."
      let isAmbiguous =
        "untr\\".unicodeScalars.contains(next) || !((" "..."~").contains(next) || next == "\n" && multiline) && isInvisible(next)
      result.append(contentsOf: (isAmbiguous ? "\\\\" : "\\").unicodeScalars)
    case " "..."~": result.append(scalar)
    default:
      if isInvisible(scalar) {
        result.append(contentsOf: "\\u{\(String(scalar.value, radix: 16, uppercase: true))}".unicodeScalars)
      } else {
        result.append(scalar)
      }
    }
  }
  return String(result)
}

/// Whether a character shows nothing of itself, or changes how others are shown.
private func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.properties.generalCategory {
  case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: return true
  case .spaceSeparator: return true  // all but U+0020, which never comes here
  default: break
  }
  let properties = scalar.properties
  return properties.isDefaultIgnorableCodePoint || properties.isVariationSelector || scalar == "\u{2800}"
}

/// A JSON text in which everything that a terminal would act on, hide or reorder is written as `\uXXXX`: the same value, harmless.
///
/// - Parameter json: JSON text, whose strings hold no control characters below U+0020.
/// - Returns: JSON text.
/// - Complexity: O(n).
public func visibleJSON(_ json: String) -> String {
  if json.utf8.allSatisfy({ $0 < 0x7F }) { return json }
  var result = String.UnicodeScalarView()
  for scalar in json.unicodeScalars {
    if scalar.value < 0x7F || !isInvisible(scalar) {
      result.append(scalar)
    } else {
      // All of them stand in strings: outside, JSON is ASCII.
      for unit in UTF16.encode(scalar) ?? .init() {
        let digits = String(unit, radix: 16)
        result.append(contentsOf: "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".unicodeScalars)
      }
    }
  }
  return String(result)
}

/// The number of terminal columns that a text takes once ``visible(_:multiline:)`` has been applied.
public func displayWidth(_ text: String) -> Int {
  text.unicodeScalars.reduce(0) { $0 + width($1) }
}

private func width(_ scalar: Unicode.Scalar) -> Int {
  if scalar.value < 0x300 { return 1 }
  switch scalar.properties.generalCategory {
  case .nonspacingMark, .enclosingMark: return 0
  default: break
  }
  switch scalar.value {
  case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF, 0xA960...0xA97F,
    0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F000...0x1FAFF, 0x20000...0x3FFFD:
    // Terminals differ about some pictographs: a line that is thought too wide is only broken early.
    return 2
  default: return scalar.properties.isEmojiPresentation ? 2 : 1
  }
}
