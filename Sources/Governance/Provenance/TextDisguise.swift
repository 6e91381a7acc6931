internal import Core

/// What a text says once the disguises are taken off that a reader, or a model, sees through.
///
/// None of this decides that a text is harmless: a disguise can only be found, never excluded.
enum TextDisguise {
  /// The text itself, and the forms that it hides: without zero-width characters and with full-width and look-alike letters made plain,
  /// percent-encoding, character references and escapes undone, `at` and `dot` between brackets, spaces or dashes as signs, letters that
  /// stand one by one put together, runs of base64 and of hexadecimal digits decoded.
  ///
  /// Only forms that differ are returned.
  static func forms(of text: String) -> [String] {
    if isUndisguised(text) { return [text] }
    var forms = [text]
    func add(_ form: String) {
      if !form.isEmpty, !forms.contains(where: { bytesEqual($0, form) }) { forms.append(form) }
    }
    let plain = plainLetters(of: text)
    add(plain)
    add(percentDecoded(plain))
    add(referencesDecoded(plain))
    add(spelledTogether(plain))
    for decoded in encodedRuns(in: plain) { add(decoded) }
    for form in forms { add(withSigns(form)) }
    return forms
  }

  /// Whether a text is ASCII and has nothing in it that any of the disguises needs, which goes for most values: then it has one form.
  ///
  /// - Complexity: O(bytes).
  private static func isUndisguised(_ text: String) -> Bool {
    var (run, singles, word) = (0, 0, 0)
    var last: (UInt8, UInt8) = (0, 0)
    for byte in text.utf8 {
      if byte >= 0x80 || needed[Int(byte)] { return false }
      let folded = byte | 0x20
      // A dot that stands alone, or between brackets.
      if byte == UInt8(ascii: "."), !FoldedText.isWord(last.1) { return false }
      // `dot`, and the `nkt` of `punkt`.
      if folded == UInt8(ascii: "t"), last == (UInt8(ascii: "d"), UInt8(ascii: "o")) || last == (UInt8(ascii: "n"), UInt8(ascii: "k")) {
        return false
      }
      last = (last.1, folded)
      run = FoldedText.isWord(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "-") ? run + 1 : 0
      if run >= 12 { return false }
      if byte <= 0x20 {
        singles = word == 1 ? singles + 1 : 0
        word = 0
        if singles >= 4 { return false }
      } else {
        word += 1
      }
    }
    return true
  }

  private static let needed: [Bool] = {
    var needed = [Bool](repeating: false, count: 128)
    for byte in "@%&\\=".utf8 { needed[Int(byte)] = true }
    return needed
  }()

  /// Lower-case letters and digits only, the words `at` and `dot` with their brackets left out: the same for `evil-corp.net`, `EVIL CORP
  /// (dot) NET` and `evilcorpnet`.
  static func squashed(_ text: String) -> [UInt8] {
    var squashed: [UInt8] = []
    squashed.reserveCapacity(text.utf8.count)
    var start = 0
    func endWord() {
      let word = squashed[start...]
      if word.count <= 5, signWords.contains(where: { word.elementsEqual($0) }) { squashed.removeSubrange(start...) }
      start = squashed.count
    }
    for byte in FoldedText(plainLetters(of: text)).bytes {
      if FoldedText.isWord(byte), byte != UInt8(ascii: "_") { squashed.append(byte) } else { endWord() }
    }
    endWord()
    return squashed
  }

  private static let signWords = ["at", "dot", "punkt"].map { Array($0.utf8) }

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
      ("ɑɡıⅼ․。．＠", "agil...@"), ("‧·∙⋅・･ꞏ｡﹒﹫", ".........@"), ("‐‑‒–—−﹣－", "--------"),
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

  /// `&#64;`, `&#x40;`, `\\u0040`, `\\x40` and `=40` as the characters that they stand for.
  private static func referencesDecoded(_ text: String) -> String {
    let bytes = Array(text.utf8)
    guard bytes.contains(where: { $0 == UInt8(ascii: "&") || $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: "=") }) else { return "" }
    var decoded: [UInt8] = []
    var place = 0
    while place < bytes.count {
      if let (scalar, length) = reference(bytes[place...]) {
        decoded += Array(String(scalar).utf8)
        place += length
      } else {
        decoded.append(bytes[place])
        place += 1
      }
    }
    return String(decoding: decoded, as: UTF8.self)
  }

  private static func reference(_ bytes: ArraySlice<UInt8>) -> (Unicode.Scalar, length: Int)? {
    func scalar(after prefix: String, radix: Int, digits: ClosedRange<Int>, end: UInt8?) -> (Unicode.Scalar, length: Int)? {
      guard bytes.starts(with: prefix.utf8) else { return nil }
      let rest = bytes.dropFirst(prefix.utf8.count)
      let run = rest.prefix(digits.upperBound).prefix { byte in
        radix == 16 ? hexValue(byte) != nil : byte &- 0x30 < 10
      }
      guard run.count >= digits.lowerBound, end == nil || rest.dropFirst(run.count).first == end,
        let value = UInt32(String(decoding: run, as: UTF8.self), radix: radix), let scalar = Unicode.Scalar(value), value >= 0x20
      else { return nil }
      return (scalar, prefix.utf8.count + run.count + (end == nil ? 0 : 1))
    }
    return scalar(after: "&#x", radix: 16, digits: 1...6, end: UInt8(ascii: ";"))
      ?? scalar(after: "&#", radix: 10, digits: 1...7, end: UInt8(ascii: ";"))
      ?? scalar(after: "\\u", radix: 16, digits: 4...4, end: nil) ?? scalar(after: "\\x", radix: 16, digits: 2...2, end: nil)
      ?? scalar(after: "=", radix: 16, digits: 2...2, end: nil)
  }

  /// At least five characters that stand one by one, put together: `d e s k @ e v i l . n e t`.
  private static func spelledTogether(_ text: String) -> String {
    let words = text.split { $0 == " " || $0 == "\n" || $0 == "\t" }
    var joined: [String] = []
    var run: [Substring] = []
    var found = false
    func end() {
      if run.count >= 5 {
        joined.append(run.joined())
        found = true
      } else {
        joined += run.map(String.init)
      }
      run = []
    }
    for word in words {
      if word.count == 1 {
        run.append(word)
      } else {
        end()
        joined.append(String(word))
      }
    }
    end()
    return found ? joined.joined(separator: " ") : ""
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

  /// Reads what a careless reader would read, unlike ``Core.Base64``: either alphabet, padding anywhere or nowhere, stray bits at the end.
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
    let words = text.utf8.split { $0 <= 0x20 || brackets.contains($0) }.flatMap(aroundSigns)
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

  /// The parts of `desk-at-evil-dot-net` and `desk_at_evil_dot_net`; other words stay whole.
  private static func aroundSigns(_ word: String.UTF8View.SubSequence) -> [String] {
    let parts = word.split { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }.map { String(Substring($0)) }
    guard parts.count > 2, parts.contains(where: { sign(of: $0) != nil }) else { return [String(Substring(word))] }
    var joined: [String] = []
    for part in parts {
      if let last = joined.last, sign(of: part) == nil, sign(of: last) == nil {
        joined[joined.count - 1] = "\(last)-\(part)"
      } else {
        joined.append(part)
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
