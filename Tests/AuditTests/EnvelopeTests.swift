@_spi(JSONParser) import Core
import TestSupport
import Testing

@testable import Audit

@Suite struct EnvelopeTests {
  static let texts = [
    "", "a", "é", "e\u{301}", "\u{1F600}", "\u{E000}", "\u{FFFF}", "\"\\/\u{8}\u{c}\n\r\t\u{1}\u{1f}\u{7f}", "\u{2028}", "key", "kez", "ke",
  ]

  static func value(_ depth: Int, _ random: inout SeededGenerator) -> JSON {
    switch Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &random) {
    case 0: return .null
    case 1: return .bool(Bool.random(using: &random))
    case 2: return .int(Int64.random(in: -9_007_199_254_740_992...9_007_199_254_740_992, using: &random))
    case 3: return .int(Int.random(in: -3...12, using: &random))
    case 4: return JSONNumber(Double(Int.random(in: -99999...99999, using: &random)) / 1000).map(JSON.number) ?? .null
    case 5: return .string(texts.randomElement(using: &random) ?? "")
    case 6: return .array((0..<Int.random(in: 0...4, using: &random)).map { _ in value(depth - 1, &random) })
    default: return .object(object(depth - 1, &random))
    }
  }

  static func object(_ depth: Int, _ random: inout SeededGenerator) -> JSONObject {
    JSONObject(
      (0..<Int.random(in: 0...6, using: &random)).map { _ in
        ((texts.randomElement(using: &random) ?? "") + (texts.randomElement(using: &random) ?? ""), value(depth, &random))
      })
  }

  @Test func theReaderAcceptsWhatIsCanonicalAndNothingElse() throws {
    var names = NameTable()
    let nodes = NodeBuffer()
    func read(_ bytes: [UInt8]) -> JSON? {
      bytes.withUnsafeBytes { buffer in
        var reader = CanonicalReader(buffer, nodes.room(for: buffer.count))
        guard let value = try? reader.tree(&names), reader.isAtEnd else { return JSON?.none }
        return .some(value)
      }
    }
    var (accepted, refused) = (0, 0)
    try withSeeds(400) { seed, random in
      let json = Self.value(4, &random)
      let bytes = try json.canonicalBytes()
      #expect(read(bytes) == json, "SEED=\(seed)")
      // Change, drop or add a byte: the reader must agree with a parser for any JSON and the writer.
      for _ in 0..<40 {
        var changed = bytes
        let place = Int.random(in: 0..<changed.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: changed[place] = UInt8.random(in: 0...255, using: &random)
        case 1: changed[place] = Array("0123456789.eE+-\\\"/ ,:[]{}btu".utf8).randomElement(using: &random) ?? 0
        case 2: changed.remove(at: place)
        default: changed.insert(changed[Int.random(in: 0..<changed.count, using: &random)], at: place)
        }
        var wanted: JSON?
        if let value = try? JSON.parse(changed), (try? value.canonicalBytes()) == changed { wanted = .some(value) }
        #expect(read(changed) == wanted, "SEED=\(seed) \(String(decoding: changed, as: UTF8.self))")
        if wanted == nil { refused += 1 } else { accepted += 1 }
      }
    }
    #expect(accepted > 500 && refused > 5000)
  }

  @Test func numbersThatWouldBeRoundedAreRefused() throws {
    let json = try JSON.parse("[9007199254740993]")
    #expect(throws: NotRepresentable.self) { try CanonicalWriter().value(json) }
  }

  static func envelope(_ random: inout SeededGenerator) -> Envelope {
    func text() -> String { "x" + (texts.randomElement(using: &random) ?? "") }
    var envelope = Envelope(
      index: Int.random(in: 0...1_000_000, using: &random), time: Int64.random(in: -5...9_000_000_000_000, using: &random), type: "a.b@1",
      run: Bool.random(using: &random) ? text() : nil, principal: text(), release: Bool.random(using: &random) ? text() : nil,
      body: JSONView(.object(object(3, &random))), commitments: [], evidence: [])
    if Bool.random(using: &random) { envelope.commitments = [("fields", SHA256.hash("1")), ("reason", SHA256.hash("2"))] }
    if Bool.random(using: &random) {
      envelope.evidence = [EvidenceReference(digest: SHA256.hash("3"), media: text(), size: Int.random(in: 0...999, using: &random))]
    }
    return envelope
  }

  @Test func envelopesAreReadBackAndAnyOtherBytesAreRefused() throws {
    var decoder = EnvelopeDecoder()
    try withSeeds(200) { seed, random in
      let envelope = Self.envelope(&random)
      let writer = CanonicalWriter()
      try envelope.write(to: writer)
      let bytes = writer.bytes
      let asJSON = try JSON.parse(bytes)
      #expect(try asJSON.canonicalBytes() == bytes, "the envelope is canonical JSON; SEED=\(seed)")
      let back = try bytes.withUnsafeBytes { try decoder.decode($0) }
      #expect(back.index == envelope.index && back.time == envelope.time && back.type == envelope.type, "SEED=\(seed)")
      #expect(back.run.map { ExactString($0) } == envelope.run.map { ExactString($0) }, "SEED=\(seed)")
      #expect(JSON(back.body) == JSON(envelope.body) && back.evidence == envelope.evidence, "SEED=\(seed)")
      #expect(back.commitments.map(\.digest) == envelope.commitments.map(\.digest), "SEED=\(seed)")
      var padded = bytes
      padded.insert(UInt8(ascii: " "), at: 1)
      #expect(throws: AuditError.self, "SEED=\(seed)") { try padded.withUnsafeBytes { _ = try decoder.decode($0) } }
    }
  }

  @Test func aBodyThatStaysTextIsReadAsOneThatBecomesATree() throws {
    var decoder = EnvelopeDecoder()
    func read(_ decode: () throws -> Envelope) -> [String] {
      do {
        let read = try decode()
        return [
          "\(read.index)", "\(read.time)", read.type, read.run ?? "none", read.principal, read.release ?? "none", JSON(read.body).text(),
          "\(read.commitments)", "\(read.evidence)",
        ]
      } catch {
        return ["\(error)"]
      }
    }
    var (accepted, refused) = (0, 0)
    try withSeeds(200) { seed, random in
      let writer = CanonicalWriter()
      try Self.envelope(&random).write(to: writer)
      for round in 0..<40 {
        var bytes = writer.bytes
        if round > 0 { bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= UInt8(1 << Int.random(in: 0..<8, using: &random)) }
        let tree = read { try bytes.withUnsafeBytes { try decoder.decode($0) } }
        let text = read { try bytes.withUnsafeBytes { try decoder.decode($0, isTree: false) } }
        #expect(text == tree, "SEED=\(seed) \(String(decoding: bytes, as: UTF8.self))")
        if tree.count > 1 { accepted += 1 } else { refused += 1 }
      }
    }
    #expect(accepted > 500 && refused > 2000)
  }

  @Test func aBodyThatIsHeldStaysAsItIsWhileOthersAreRead() throws {
    var decoder = EnvelopeDecoder()
    var held: [(view: JSONView, body: JSON)] = []
    try withSeeds(100) { seed, random in
      let envelope = Self.envelope(&random)
      let writer = CanonicalWriter()
      try envelope.write(to: writer)
      let view = try writer.bytes.withUnsafeBytes { try decoder.decode($0, isTree: false) }.body
      #expect(JSON(view) == JSON(envelope.body), "SEED=\(seed)")
      if Bool.random(using: &random) { held.append((view, JSON(envelope.body))) }
    }
    #expect(held.allSatisfy { JSON($0.view) == $0.body })
  }

  static let refused = [
    "", "{}", "[]", "nonsense",
    #"{"body":{},"index":0,"principal":"a","time":1}"#,
    #"{"body":{},"extra":1,"index":0,"principal":"a","time":1,"type":"t@1"}"#,
    #"{"body":{},"index":00,"principal":"a","time":1,"type":"t@1"}"#,
    #"{"body":{},"index":-0,"principal":"a","time":1,"type":"t@1"}"#,
    #"{"body":{},"index":1.0,"principal":"a","time":1,"type":"t@1"}"#,
    #"{"body":{},"index":-1,"principal":"a","time":1,"type":"t@1"}"#,
    #"{"index":0,"body":{},"principal":"a","time":1,"type":"t@1"}"#,
    #"{"body":{},"commitments":{},"index":0,"principal":"a","time":1,"type":"t@1"}"#,
    #"{"body":{},"commitments":{"a":"00"},"index":0,"principal":"a","time":1,"type":"t@1"}"#,
    #"{"body":{"b":1,"a":2},"index":0,"principal":"a","time":1,"type":"t@1"}"#,
    #"{"body":{"a":"\u0041"},"index":0,"principal":"a","time":1,"type":"t@1"}"#,
  ]

  @Test(arguments: refused)
  func otherFormsAreRefused(_ text: String) {
    var decoder = EnvelopeDecoder()
    #expect(throws: AuditError.self) { try Array(text.utf8).withUnsafeBytes { _ = try decoder.decode($0) } }
  }
}
