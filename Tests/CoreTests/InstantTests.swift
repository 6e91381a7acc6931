import Core
import TestSupport
import Testing

@Suite("Time")
struct InstantTests {
  static let instants: [(String, Int64?)] = [
    ("1970-01-01T00:00:00Z", 0), ("2024-02-29T12:00:00.5+02:00", 1_709_200_800_500), ("1969-12-31T23:59:59.999Z", -1),
    ("2024-05-15T15:00:00-05:00", 1_715_803_200_000), ("0001-01-01T00:00:00Z", -62_135_596_800_000), ("2023-02-29T00:00:00Z", nil),
    ("2023-01-01T24:00:00Z", nil), ("2023-01-01T05:11:60Z", nil), ("2023-13-01T00:00:00Z", nil), ("2023-01-01 00:00:00Z", nil),
    ("2023-01-01T00:00:00", nil), ("2023-01-01T00:00:00Zx", nil), ("2023-01-01T00:00:00.Z", nil),
  ]

  @Test(arguments: instants)
  func reads(_ text: String, _ expected: Int64?) {
    #expect(Instant(iso8601: text)?.milliseconds == expected)
  }

  @Test func everyInstantReadsBack() {
    withSeeds(500) { seed, random in
      let instant = Instant(milliseconds: Int64.random(in: -62_135_596_800_000...253_402_300_799_999, using: &random))
      #expect(Instant(iso8601: instant.iso8601) == instant, "SEED=\(seed) \(instant)")
    }
  }

  static let durations: [(String, Int64?)] = [
    ("P2D", 172_800_000), ("PT1H30M", 5_400_000), ("P1W", 604_800_000), ("PT0.5S", 500), ("P1DT12H", 129_600_000), ("PT0S", 0),
    ("P1M", nil),
    ("P1Y", nil), ("P", nil), ("PT", nil), ("P1DT", nil), ("-P1D", nil), ("PT1M1H", nil), ("P1H", nil), ("PD", nil), ("P99999999999D", nil),
    ("PT1.5H", nil),
  ]

  @Test(arguments: durations)
  func readsDurations(_ text: String, _ expected: Int64?) {
    let duration = Duration(iso8601: text)
    #expect(duration?.milliseconds == expected)
    if let duration { #expect(Duration(iso8601: duration.iso8601) == duration) }
  }
}

@Suite("Names and visible text")
struct TextTests {
  static let near: [(String, String?)] = [
    ("amuont", "amount"), ("vendr", "vendor"), ("xyz", nil), ("Amount", "amount"), ("amounts", "amount"),
  ]

  @Test(arguments: near)
  func theNearestNameIsFound(_ name: String, _ expected: String?) {
    #expect(nearestName(to: name, in: ["amount", "vendor", "iban"]) == expected)
  }

  static let shown: [(String, String)] = [
    ("plain", "plain"), ("\u{1B}[2J", "\\u{1B}[2J"), ("a\u{202E}b", "a\\u{202E}b"), ("a\u{200B}b", "a\\u{200B}b"), ("a\rb\n", "a\\rb\\n"),
    ("\\u{1B}", "\\\\u{1B}"), ("caf\u{E9}", "caf\u{E9}"), ("a\u{A0}b", "a\\u{A0}b"), ("\u{0}", "\\u{0}"), ("\u{9B}31m", "\\u{9B}31m"),
    ("C:\\dir", "C:\\dir"), ("C:\\new", "C:\\\\new"), ("\u{E0041}", "\\u{E0041}"), ("\u{2028}", "\\u{2028}"),
  ]

  @Test("T23 what a terminal would act on, hide or reorder is made visible", arguments: shown)
  func visibleText(_ text: String, _ expected: String) {
    #expect(visible(text) == expected)
  }

  @Test("T23 the published naughty strings hold nothing that a terminal would act on", .enabled(if: Conformance.isPresent))
  func naughty() throws {
    let strings = try #require(try JSON.parse(try Conformance.bytes("vectors/naughty/blns.json")).arrayValue)
    for text in strings.compactMap(\.stringValue) {
      let shown = visible(text)
      #expect(shown.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F && !(0x80...0x9F).contains($0.value) })
    }
    #expect(strings.count > 400)
  }

  @Test("T23 JSON on a terminal is the same value and acts on nothing", .enabled(if: Conformance.isPresent))
  func visibleJSONIsTheSameValue() throws {
    let strings = try #require(try JSON.parse(try Conformance.bytes("vectors/naughty/blns.json")).arrayValue)
    for value in strings + Self.shown.map({ .string($0.0) }) + [.object(["a\u{202E}b": "\u{7F}\u{E0041}"])] {
      let shown = visibleJSON(value.text(pretty: true))
      #expect(try JSON.parse(Array(shown.utf8)) == value)
      #expect(
        visible(shown, multiline: true).unicodeScalars.filter { $0 != "\\" }.elementsEqual(shown.unicodeScalars.filter { $0 != "\\" }))
    }
  }

  @Test func widthsCountColumns() {
    #expect(displayWidth("abc") == 3)
    #expect(displayWidth("漢字") == 4)
    #expect(displayWidth("🚀🛸⌚☔🪐") == 10)
    #expect(displayWidth("e\u{301}") == 1)
  }
}

@Suite("Regular files")
struct RegularFileTests {
  @Test func aFileReadsBackAndLimitsHold() throws {
    try withTemporaryDirectory { folder in
      try RegularFile.writeAtomically([1, 2, 3], to: "\(folder)/a")
      let bytes = try RegularFile.read("\(folder)/a", maximumBytes: 3)
      #expect(bytes == [1, 2, 3])
      let error = try #require(throws: FileError.self) { try RegularFile.read("\(folder)/a", maximumBytes: 2) }
      #expect(error.code == .tooLarge)
    }
  }
}
