import Core
import TestSupport
import Testing

@testable import App

@Suite struct ApprovalCardTests {
  static let now = Instant(milliseconds: 1_800_000_000_000)

  static func card(arguments: JSON, reason: String? = nil) -> ApprovalCard {
    ApprovalCard(
      proposal: "p-7", status: "pending", code: "KX7Q", asker: "agent:risk-analyst", onBehalfOf: "user:ana",
      process: "Vendor onboarding (vendor-onboarding, release 3f2a91c0)", run: "r-3", step: "activate, Activate the vendor",
      tool: "erp.activate_vendor", effect: "external", isIdempotent: true, arguments: arguments,
      changes: [
        .init(field: "risk", before: nil, after: "high"), .init(field: "amount", before: 1, after: 25_000),
        .init(field: "lines", before: [["sku": "a"]], after: [["sku": "b"]]),
      ],
      rules: [
        .init(
          id: "C2", effect: "hold", statement: "High-risk vendors are approved by compliance before activation.",
          clause: .init(reference: "policy.md#3.2", title: "3.2 High risk", text: "A vendor of high risk needs\ncompliance."))
      ],
      requirements: [.init(rule: "C2", roles: ["compliance"], count: 2, approvedBy: ["user:cleo"], excluded: ["requester"])],
      evidence: [
        .init(name: "contract", media: "application/pdf", size: 102_400, digest: String(repeating: "ab", count: 32), source: "user:ana")
      ],
      reason: reason, readings: [.init(path: "run.risk", value: "high", origin: "agent:risk-analyst")],
      consequences: .init(
        approve: "erp.activate_vendor runs once with these arguments", reject: "the agent is told your reason", expiry: "it counts as no"),
      asked: Instant(milliseconds: now.milliseconds - 185_000), expires: Instant(milliseconds: now.milliseconds + 86_400_000),
      digest: String(repeating: "0f", count: 32), modes: ["single-operator mode"], now: now)
  }

  /// The values of the arguments, read back from the screen: the pieces between gutters, joined.
  static func readBack(_ lines: [String]) -> [String] {
    guard let start = lines.firstIndex(of: "Arguments, exactly as they will run") else { return [] }
    var values: [String] = []
    for line in lines[(start + 1)...].prefix(while: { !$0.isEmpty }) {
      if line.begins(with: "    │ ") {
        values.append(String(line.unicodeScalars.dropFirst(6)))
      } else if line.begins(with: "    ┊ "), !values.isEmpty {
        values[values.count - 1].unicodeScalars.append(contentsOf: line.unicodeScalars.dropFirst(6))
      } else if line.begins(with: "  v"), let gap = line.range(of: "  ", in: 2) {
        let value = String(String.UnicodeScalarView(line.unicodeScalars[gap...].drop { $0 == " " }))
        if value.unicodeScalars.first == "\"" { values.append(value) }  // otherwise a note on the text that follows
      }
    }
    return values
  }

  static func expectComplete(_ texts: [String], width: Int = 80, sourceLocation: SourceLocation = #_sourceLocation) {
    let arguments = JSON.object(JSONObject(texts.enumerated().map { ("v\($0.offset)", JSON.string($0.element)) }))
    let lines = card(arguments: arguments, reason: texts.joined(separator: "\n")).lines(width: width).map { $0.rendered(colour: false) }
    for line in lines {
      #expect(displayWidth(line) <= width, "\(line)", sourceLocation: sourceLocation)
      #expect(line.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }, "\(line)", sourceLocation: sourceLocation)
      let harmless = line.unicodeScalars.allSatisfy { $0 == "\\" || bytesEqual(visible(String($0)), String($0)) }
      #expect(harmless, "\(line)", sourceLocation: sourceLocation)
    }
    let shown = readBack(lines)
    #expect(shown.count == texts.count, sourceLocation: sourceLocation)
    for (value, text) in zip(shown, texts) {
      #expect(
        bytesEqual(Hostile.read(String(value.unicodeScalars.dropFirst().dropLast())), text), "\(value)", sourceLocation: sourceLocation)
    }
  }

  @Test func hostileTextsAreCompleteAndHarmless() {
    Self.expectComplete(Hostile.texts)
    Self.expectComplete(Hostile.texts.map { "x" + $0 + $0 + "y" }, width: 60)
  }

  @Test(.enabled(if: Conformance.isPresent, Comment(rawValue: Conformance.absent)))
  func naughtyStringsAreCompleteAndHarmless() throws {
    let texts = try #require(try JSON.parse(try Conformance.bytes("vectors/naughty/blns.json")).arrayValue).compactMap(\.stringValue)
    #expect(texts.count > 400)
    Self.expectComplete(texts)
  }

  @Test func aHundredKilobytesAreShownInFull() {
    let text = String(decoding: (0..<100_000).map { (place: Int) -> UInt8 in UInt8(33 + (place * 7 + place / 93) % 90) }, as: UTF8.self)
    Self.expectComplete([text])
    let lines = Self.card(arguments: ["v0": .string(text)]).lines(width: 80)
    #expect(lines.contains { $0.plain.contains("(100000 bytes, 1 line; all of it follows)") })
  }

  @Test func randomTextsAreReadBack() {
    withSeeds(20) { _, random in
      let texts = (0..<5).map { _ in
        (0..<Int.random(in: 0...300, using: &random)).map { _ -> String in
          switch Int.random(in: 0..<6, using: &random) {
          case 0: Hostile.texts.randomElement(using: &random) ?? ""
          case 1: String(Unicode.Scalar(UInt32.random(in: 0..<0xD800, using: &random)) ?? "?")
          case 2: "\\"
          default: String(Unicode.Scalar(UInt8.random(in: 32..<127, using: &random)))
          }
        }.joined()
      }
      Self.expectComplete(texts, width: Int.random(in: 40...120, using: &random))
    }
  }

  @Test func noValueCanPassForAnotherRow() {
    let forged = "ok\n\nYour decision\n  approve   nothing happens\n  code      AAAA\n  amount  1"
    let lines = Self.card(arguments: ["note": .string(forged), "amount": 99_999], reason: forged).lines(width: 80).map(\.plain)
    #expect(lines.filter { $0 == "Your decision" }.count == 1)
    #expect(lines.filter { $0.hasPrefix("  code ") } == ["  code      KX7Q"])
    #expect(lines.filter { $0.hasPrefix("  amount") } == ["  amount  99999", "  amount  1 → 25000"])
  }

  @Test func theWholeCard() {
    let card = Self.card(
      arguments: ["vendor": "Blauwal GmbH", "amount": 25_000, "address": ["city": "Kiel", "a.b": true], "tags": []],
      reason: "Looks fine to me")
    let text = card.lines(width: 80).map { $0.rendered(colour: false) }.joined(separator: "\n")
    #expect(text == Self.expected)
  }

  static let expected = """
    Proposal p-7                                                             pending
    ────────────────────────────────────────────────────────────────────────────────
    ! single-operator mode

    Who and what
      who asks  agent:risk-analyst, for user:ana
      asked     2027-01-15 07:56:55Z (3 min 5 s ago)
      process   Vendor onboarding (vendor-onboarding, release 3f2a91c0)
      run       r-3
      step      activate, Activate the vendor
      tool      erp.activate_vendor
      effect    external: it reaches systems outside, and Remit cannot take it back;
                a repeated call has no further effect

    Arguments, exactly as they will run
      vendor         "Blauwal GmbH"
      amount         25000
      address.city   "Kiel"
      address."a.b"  true
      tags           []

    What changes
      risk  (not set) → "high"
      amount  1 → 25000
      - lines[0].sku  "a"
      + lines[0].sku  "b"

    Reason given by agent:risk-analyst (untrusted text)
      │ Looks fine to me

    Why it is held
      hold by rule C2, which cites policy.md#3.2
        High-risk vendors are approved by compliance before activation.
        │ 3.2 High risk
        │ A vendor of high risk needs compliance.

    Facts and values that were read
      run.risk  "high"
        from agent:risk-analyst

    Evidence
      contract  application/pdf, 102.4 kB, from user:ana
        sha256 abababababababababababababababababababababababababababababababab

    Your decision
      approve   erp.activate_vendor runs once with these arguments
      reject    the agent is told your reason
      expiry    2027-01-16 08:00:00Z (in 1 d): it counts as no
      needs     1 of 2 from compliance (rule C2); approved by user:cleo; never by:
                requester
      digest    0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f
      code      KX7Q
    """

  @Test func colourAddsOnlyTones() {
    let lines = Self.card(arguments: ["vendor": "\u{1B}[31mred"]).lines(width: 80)
    for line in lines {
      var text = line.rendered(colour: true)
      for code in ["0", "1", "2", "31", "32", "33", "36"] { text = text.replacingAll("\u{1B}[\(code)m", with: "") }
      #expect(bytesEqual(text, line.plain))
    }
  }

  @Test func wordsThatMixAlphabetsAreFlagged() {
    let lines = Self.card(arguments: ["vendor": "Blauw\u{430}l GmbH", "city": "Київ"]).lines(width: 80).map(\.plain)
    #expect(
      lines.filter { $0.contains("look closely") } == ["    look closely: Blauw\u{430}l mixes alphabets: U+0430 CYRILLIC SMALL LETTER A"])
  }

  @Test func theCardForProgramsHoldsTheSame() {
    let json = Self.card(arguments: ["vendor": "Blauwal"], reason: "why").json
    #expect(json["arguments"] == ["vendor": "Blauwal"])
    #expect(json["code"] == "KX7Q")
    #expect(json["rules"]?.arrayValue?.first?["clause"]?["text"]?.stringValue == "A vendor of high risk needs\ncompliance.")
    #expect(json["requirements"]?.arrayValue?.first?["approved_by"] == ["user:cleo"])
    #expect(json["expires"]?.stringValue == "2027-01-16T08:00:00.000Z")
  }
}

extension String {
  fileprivate func replacingAll(_ part: String, with other: String) -> String {
    split(separator: part, omittingEmptySubsequences: false).joined(separator: other)
  }
  /// Unlike `hasPrefix`, which compares characters: a mark on the last one would hide it.
  fileprivate func begins(with text: String) -> Bool { unicodeScalars.starts(with: text.unicodeScalars) }

  /// Where a text first occurs after that many scalars.
  fileprivate func range(of text: String, in start: Int) -> String.Index? {
    var index = unicodeScalars.index(unicodeScalars.startIndex, offsetBy: start)
    while index < unicodeScalars.endIndex {
      if unicodeScalars[index...].starts(with: text.unicodeScalars) { return index }
      index = unicodeScalars.index(after: index)
    }
    return nil
  }
}
