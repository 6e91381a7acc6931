internal import Core

/// What a text says once the disguises are taken off that a reader, or a model, sees through.
///
/// None of this decides that a text is harmless: a disguise can only be found, never excluded.
enum TextDisguise {
  /// The text itself, and the forms that it hides: without zero-width characters and with full-width and look-alike letters made plain,
  /// percent-encoding undone, ` at ` and ` dot ` in any brackets as signs, runs of base64 and of hexadecimal digits decoded.
  ///
  /// Only forms that differ are returned.
  static func forms(of text: String) -> [String] {
    var forms = [text]
    func add(_ form: String) {
      if !form.isEmpty, !forms.contains(where: { bytesEqual($0, form) }) { forms.append(form) }
    }
    let plain = plainLetters(of: text)
    add(plain)
    add(percentDecoded(plain))
    for decoded in encodedRuns(in: plain) { add(decoded) }
    for form in forms { add(withSigns(form)) }
    return forms
  }

  /// Lower-case letters and digits only, the words `at` and `dot` with their brackets left out: the same for `evil-corp.net`, `EVIL CORP
  /// (dot) NET` and `evilcorpnet`.
  static func squashed(_ text: String) -> [UInt8] {
    var squashed: [UInt8] = []
    for word in FoldedText(plainLetters(of: text)).bytes.split(whereSeparator: { !FoldedText.isWord($0) || $0 == UInt8(ascii: "_") }) {
      if word.elementsEqual("at".utf8) || word.elementsEqual("dot".utf8) || word.elementsEqual("punkt".utf8) { continue }
      squashed += word
    }
    return squashed
  }

  /// Everything that a text says, squashed: its forms, and each of them backwards.
  static func squashedForms(of text: String) -> [[UInt8]] {
    forms(of: text).map(squashed).flatMap { [$0, $0.reversed()] }
  }

  /// Whether letters of two scripts stand in one word, which no honest address does.
  static func mixesScripts(_ text: String) -> Bool {
    var latin = false
    var other = false
    for scalar in text.unicodeScalars where scalar.properties.isAlphabetic {
      if scalar.value < 0x250 { latin = true } else { other = true }
    }
    return latin && other
  }

  private static func plainLetters(of text: String) -> String {
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text }
    var plain = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0xFF01...0xFF5E: plain.append(Unicode.Scalar(UInt8(scalar.value - 0xFF01 + 0x21)))
      case 0x1D400...0x1D6A3: plain.append(mathematicalLetter(scalar.value))
      default:
        if let letter = lookAlikes[scalar] {
          plain.append(letter)
        } else if !scalar.properties.isDefaultIgnorableCodePoint {
          plain.append(scalar)
        }
      }
    }
    return String(plain)
  }

  /// The mathematical alphabets repeat A to Z and a to z.
  private static func mathematicalLetter(_ value: UInt32) -> Unicode.Scalar {
    let place = (value - 0x1D400) % 52
    return Unicode.Scalar(UInt8(place < 26 ? 0x41 + place : 0x61 + place - 26))
  }

  /// Letters that no eye tells from Latin ones; of Unicode's confusables those that can make up a whole host name.
  private static let lookAlikes: [Unicode.Scalar: Unicode.Scalar] = {
    let pairs: [(String, String)] = [
      ("аеорсухіјѕһԁԛԝӏ", "aeopcyxijshdqwl"), ("АВЕКМНОРСТУХІЈЅ", "ABEKMHOPCTYXIJS"), ("αινορυχ", "aivopux"),
      ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX"),
      ("ɑɡıⅼ․。．＠", "agil...@"),
    ]
    var table: [Unicode.Scalar: Unicode.Scalar] = [:]
    for (odd, plain) in pairs { for (from, to) in zip(odd.unicodeScalars, plain.unicodeScalars) { table[from] = to } }
    return table
  }()

  private static func percentDecoded(_ text: String) -> String {
    let bytes = Array(text.utf8)
    guard bytes.contains(UInt8(ascii: "%")) else { return text }
    var decoded: [UInt8] = []
    var place = 0
    while place < bytes.count {
      if bytes[place] == UInt8(ascii: "%"), place + 2 < bytes.count, let high = hexValue(bytes[place + 1]),
        let low = hexValue(bytes[place + 2])
      {
        decoded.append(high << 4 | low)
        place += 3
      } else {
        decoded.append(bytes[place])
        place += 1
      }
    }
    return String(decoding: decoded, as: UTF8.self)
  }

  /// What runs of at least twelve base64 or hexadecimal characters stand for, where that is text.
  private static func encodedRuns(in text: String) -> [String] {
    text.utf8.split { byte in
      !(FoldedText.isWord(byte) && byte < 0x80) && byte != UInt8(ascii: "+") && byte != UInt8(ascii: "/") && byte != UInt8(ascii: "=")
        && byte != UInt8(ascii: "-")
    }.filter { $0.count >= 12 }.flatMap { run in [hexDecoded(Array(run)), base64Decoded(Array(run))] }
      .compactMap { bytes in
        guard let bytes, bytes.count >= 4, bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7F || $0 == 0x0A }) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
      }
  }

  private static func hexDecoded(_ run: [UInt8]) -> [UInt8]? {
    guard run.count.isMultiple(of: 2) else { return nil }
    var decoded: [UInt8] = []
    for place in stride(from: 0, to: run.count, by: 2) {
      guard let high = hexValue(run[place]), let low = hexValue(run[place + 1]) else { return nil }
      decoded.append(high << 4 | low)
    }
    return decoded
  }

  private static func hexValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
  }

  private static func base64Decoded(_ run: [UInt8]) -> [UInt8]? {
    var decoded: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    for byte in run {
      let value: UInt32
      switch byte {
      case 0x41...0x5A: value = UInt32(byte) - 0x41
      case 0x61...0x7A: value = UInt32(byte) - 0x61 + 26
      case 0x30...0x39: value = UInt32(byte) - 0x30 + 52
      case UInt8(ascii: "+"), UInt8(ascii: "-"): value = 62
      case UInt8(ascii: "/"), UInt8(ascii: "_"): value = 63
      case UInt8(ascii: "="): continue
      default: return nil
      }
      bits = bits << 6 | value
      count += 6
      if count >= 8 {
        count -= 8
        decoded.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
      }
    }
    return decoded
  }

  /// `eve at evil dot net`, `eve [at] evil (dot) net` and `eve AT evil DOT net` as `eve@evil.net`.
  private static func withSigns(_ text: String) -> String {
    let words = text.utf8.split { $0 <= 0x20 || brackets.contains($0) }.map { String(Substring($0)) }
    guard words.contains(where: { sign(of: $0) != nil }) else { return "" }
    var joined = ""
    var glue = true
    for word in words {
      if let sign = sign(of: word) {
        joined += sign
        glue = true
      } else {
        joined += (glue || joined.isEmpty ? "" : " ") + word
        glue = false
      }
    }
    return joined
  }

  private static let brackets = Set("[](){}<>".utf8)

  private static func sign(of word: String) -> String? {
    guard word.utf8.count <= 5 else { return nil }
    return switch word.lowercased() {
    case "at", "@": "@"
    case "dot", "punkt", ".": "."
    default: nil
    }
  }
}
