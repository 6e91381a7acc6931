/// Code points by general category, and the binary properties that the ECMAScript dialect may name.
///
/// Everything but the scripts comes from the standard library, so it follows the Unicode version of the running program.
enum UnicodeClasses {
  /// Short name, long names, and the one-letter group of each general category.
  private static let categories: [(short: String, long: [String], category: Unicode.GeneralCategory)] = [
    ("Lu", ["Uppercase_Letter"], .uppercaseLetter), ("Ll", ["Lowercase_Letter"], .lowercaseLetter),
    ("Lt", ["Titlecase_Letter"], .titlecaseLetter), ("Lm", ["Modifier_Letter"], .modifierLetter),
    ("Lo", ["Other_Letter"], .otherLetter), ("Mn", ["Nonspacing_Mark"], .nonspacingMark), ("Mc", ["Spacing_Mark"], .spacingMark),
    ("Me", ["Enclosing_Mark"], .enclosingMark), ("Nd", ["Decimal_Number", "digit"], .decimalNumber),
    ("Nl", ["Letter_Number"], .letterNumber), ("No", ["Other_Number"], .otherNumber),
    ("Pc", ["Connector_Punctuation"], .connectorPunctuation), ("Pd", ["Dash_Punctuation"], .dashPunctuation),
    ("Ps", ["Open_Punctuation"], .openPunctuation), ("Pe", ["Close_Punctuation"], .closePunctuation),
    ("Pi", ["Initial_Punctuation"], .initialPunctuation), ("Pf", ["Final_Punctuation"], .finalPunctuation),
    ("Po", ["Other_Punctuation"], .otherPunctuation), ("Sm", ["Math_Symbol"], .mathSymbol),
    ("Sc", ["Currency_Symbol"], .currencySymbol), ("Sk", ["Modifier_Symbol"], .modifierSymbol), ("So", ["Other_Symbol"], .otherSymbol),
    ("Zs", ["Space_Separator"], .spaceSeparator), ("Zl", ["Line_Separator"], .lineSeparator),
    ("Zp", ["Paragraph_Separator"], .paragraphSeparator), ("Cc", ["Control", "cntrl"], .control), ("Cf", ["Format"], .format),
    ("Cs", ["Surrogate"], .surrogate), ("Co", ["Private_Use"], .privateUse), ("Cn", ["Unassigned"], .unassigned),
  ]

  private static let groups: [(short: String, long: [String])] = [
    ("L", ["Letter"]), ("M", ["Mark", "Combining_Mark"]), ("N", ["Number"]), ("P", ["Punctuation", "punct"]), ("S", ["Symbol"]),
    ("Z", ["Separator"]), ("C", ["Other"]),
  ]

  private static let binaryProperties: [(names: [String], test: @Sendable (Unicode.Scalar.Properties) -> Bool)] = [
    (["Alphabetic", "Alpha"], { $0.isAlphabetic }), (["Uppercase", "Upper"], { $0.isUppercase }),
    (["Lowercase", "Lower"], { $0.isLowercase }), (["White_Space", "space"], { $0.isWhitespace }), (["Emoji"], { $0.isEmoji }),
    (["Emoji_Presentation", "EPres"], { $0.isEmojiPresentation }), (["ID_Start", "IDS"], { $0.isIDStart }),
    (["ID_Continue", "IDC"], { $0.isIDContinue }), (["XID_Start", "XIDS"], { $0.isXIDStart }),
    (["XID_Continue", "XIDC"], { $0.isXIDContinue }), (["Hex_Digit", "Hex"], { $0.isHexDigit }),
    (["ASCII_Hex_Digit", "AHex"], { $0.isASCIIHexDigit }), (["Dash"], { $0.isDash }), (["Math"], { $0.isMath }),
    (["Ideographic", "Ideo"], { $0.isIdeographic }), (["Default_Ignorable_Code_Point", "DI"], { $0.isDefaultIgnorableCodePoint }),
    (["Bidi_Control", "Bidi_C"], { $0.isBidiControl }), (["Variation_Selector", "VS"], { $0.isVariationSelector }),
  ]

  /// Short and long names of the categories, for hints.
  static var categoryNames: [String] { groups.flatMap { [$0.short] + $0.long } + categories.flatMap { [$0.short] + $0.long } }
  static var binaryPropertyNames: [String] { binaryProperties.flatMap(\.names) + ["Any", "ASCII", "Assigned"] }

  /// A general category or a group of them.
  static func category(named name: String, longNames: Bool) -> ScalarSet? {
    func names(_ row: (short: String, long: [String])) -> Bool { row.short == name || (longNames && row.long.contains(name)) }
    if let row = categories.first(where: { names(($0.short, $0.long)) }) { return set(row.short) { $0 == row.category } }
    if name == "LC" || (longNames && name == "Cased_Letter") {
      return set("LC") { $0 == .uppercaseLetter || $0 == .lowercaseLetter || $0 == .titlecaseLetter }
    }
    guard let group = groups.first(where: names), let initial = group.short.first else { return nil }
    let members = categories.filter { $0.short.first == initial }.map(\.category)
    return set(group.short) { members.contains($0) }
  }

  /// A binary property.
  ///
  /// The first use of a name scans planes 0 to 3 and 14.
  static func binaryProperty(named name: String) -> ScalarSet? {
    switch name {
    case "Any": return .any
    case "ASCII": return ScalarSet([0...0x7F])
    case "Assigned": return set("Assigned") { $0 != .unassigned }
    default: break
    }
    guard let property = binaryProperties.first(where: { $0.names.contains(name) }) else { return nil }
    return kept(property.names[0]) { scan(property.test) }
  }

  private static func scan(_ isMember: (Unicode.Scalar.Properties) -> Bool) -> ScalarSet {
    var ranges: [ClosedRange<UInt32>] = []
    var start: UInt32?
    for block in scanned {
      for codePoint in block {
        let isMember = Unicode.Scalar(codePoint).map { isMember($0.properties) } ?? false
        if isMember, start == nil { start = codePoint }
        if !isMember, let first = start {
          ranges.append(first...(codePoint - 1))
          start = nil
        }
      }
      if let first = start { ranges.append(first...block.upperBound) }
      start = nil
    }
    return ScalarSet(ranges)
  }

  private static func set(_ name: String, where isMember: (Unicode.GeneralCategory) -> Bool) -> ScalarSet {
    kept(name) { ScalarSet(runs.filter { isMember($0.category) }.map(\.range)) }
  }

  /// A set that is made once for each of the names above.
  private static func kept(_ name: String, _ make: () -> ScalarSet) -> ScalarSet {
    if let known = cache.withLock({ $0[name] }) { return known }
    let set = make()
    cache.withLock { $0[name] = set }
    return set
  }

  private static let cache = Locked<[String: ScalarSet]>([:])

  /// Where Unicode has assigned characters other than private use: planes 4 to 13 are empty, 15 and 16 private.
  private static let scanned: [ClosedRange<UInt32>] = [0...0x3FFFF, 0xE0000...0xE0FFF]

  /// Every code point once, in runs of one category; built on the first use.
  private static let runs: [(range: ClosedRange<UInt32>, category: Unicode.GeneralCategory)] = {
    var runs: [(range: ClosedRange<UInt32>, category: Unicode.GeneralCategory)] = []
    func append(_ range: ClosedRange<UInt32>, _ category: Unicode.GeneralCategory) {
      if let last = runs.last, last.category == category, last.range.upperBound + 1 == range.lowerBound {
        runs[runs.count - 1].range = last.range.lowerBound...range.upperBound
      } else {
        runs.append((range, category))
      }
    }
    func scan(_ block: ClosedRange<UInt32>) {
      for codePoint in block {
        append(codePoint...codePoint, Unicode.Scalar(codePoint)?.properties.generalCategory ?? .surrogate)
      }
    }
    scan(scanned[0])
    append(0x40000...0xDFFFF, .unassigned)
    scan(scanned[1])
    append(0xE1000...0xEFFFF, .unassigned)
    for plane in [UInt32(0xF0000), 0x100000] {
      append(plane...(plane + 0xFFFD), .privateUse)
      append((plane + 0xFFFE)...(plane + 0xFFFF), .unassigned)
    }
    return runs
  }()
}
