@_spi(JSONParser) import Core
import TestSupport
import Testing

/// A view of canonical text answers as a view of the tree does, and is had for the same bytes.
@Suite struct JSONViewTests {
  static let texts = [
    "", "a", "at", "é", "e\u{301}", "\u{1F600}", "\u{E000}", "\"\\/\u{8}\n\u{1}", "a key of more than fifteen bytes", "\u{212A}",
  ]

  static func value(_ depth: Int, _ random: inout SeededGenerator) -> JSON {
    switch Int.random(in: 0..<(depth > 0 ? 9 : 7), using: &random) {
    case 0: return .null
    case 1: return .bool(Bool.random(using: &random))
    case 2: return .int(Int64.random(in: -9_007_199_254_740_992...9_007_199_254_740_992, using: &random))
    case 3: return .int(Int.random(in: -3...12, using: &random))
    case 4: return JSONNumber(Double(Int.random(in: -99999...99999, using: &random)) * 1e15).map(JSON.number) ?? .null
    case 5: return .string(SHA256.hash(texts.randomElement(using: &random) ?? "").hex)
    case 6: return .string(texts.randomElement(using: &random) ?? "")
    case 7: return .array((0..<Int.random(in: 0...4, using: &random)).map { _ in value(depth - 1, &random) })
    default:
      return .object(
        JSONObject(
          (0..<Int.random(in: 0...6, using: &random)).map { _ in
            ((texts.randomElement(using: &random) ?? "") + (texts.randomElement(using: &random) ?? ""), value(depth - 1, &random))
          }))
    }
  }

  /// Whether a view gives what the value holds, all the way down.
  static func agrees(_ view: JSONView, _ json: JSON) -> Bool {
    guard JSON(view) == json, view.stringValue.map({ ExactString($0) }) == json.stringValue.map({ ExactString($0) }),
      view.boolValue == json.boolValue, view.intValue == json.intValue, view.digestValue == json.stringValue.flatMap({ Digest(hex: $0) }),
      view["not there"] == nil, view.elements?.count == json.arrayValue?.count, view.members?.count == json.objectValue?.count
    else { return false }
    for (element, value) in zip(view.elements.map { Array($0) } ?? [], json.arrayValue ?? []) where !agrees(element, value) { return false }
    guard var members = view.members, let object = json.objectValue else { return view.members == nil && json.objectValue == nil }
    for (key, value) in object {
      guard let member = view[key], agrees(member, value) else { return false }
    }
    let keys = object.keys.sorted { CanonicalWriter.precedes($0, $1) }
    for key in keys {
      guard let next = members.nextKey, bytesEqual(next, key), members.next(key + "x") == nil, members.next(key) != nil else {
        return false
      }
    }
    return members.nextKey == nil && members.next("") == nil
  }

  @Test func textAnswersAsItsTreeDoes() throws {
    try withSeeds(400) { seed, random in
      let json = Self.value(4, &random)
      let view = try JSONView.parse(try json.canonicalBytes())
      #expect(Self.agrees(view, json), "SEED=\(seed)")
      let sorted = try JSON.parse(try json.canonicalBytes())
      #expect(Self.agrees(JSONView(sorted), sorted), "SEED=\(seed)")
    }
  }

  static func outcome(_ read: () throws(JSONError) -> JSON) -> Result<JSON, JSONError> {
    do throws(JSONError) { return .success(try read()) } catch { return .failure(error) }
  }

  @Test func whateverTheBytesBothGiveTheSameValueOrTheSameRefusal() throws {
    var (read, refused) = (0, 0)
    func compare(_ bytes: [UInt8], _ note: String) {
      let wanted = Self.outcome { () throws(JSONError) in try JSON.parse(bytes) }
      #expect(Self.outcome { () throws(JSONError) in JSON(try JSONView.parse(bytes)) } == wanted, "\(note)")
      if case .success = wanted { read += 1 } else { refused += 1 }
    }
    try withSeeds(400) { seed, random in
      let bytes = try Self.value(4, &random).canonicalBytes()
      for _ in 0..<40 {
        var changed = bytes
        let place = Int.random(in: 0..<changed.count, using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0: changed[place] = UInt8.random(in: 0...255, using: &random)
        case 1: changed[place] = Array("0123456789.eE+-\\\"/ ,:[]{}btu".utf8).randomElement(using: &random) ?? 0
        case 2: changed.remove(at: place)
        case 3: changed.removeLast(changed.count - place)
        default: changed.insert(changed[Int.random(in: 0..<changed.count, using: &random)], at: place)
        }
        compare(changed, "SEED=\(seed) \(String(decoding: changed, as: UTF8.self))")
      }
    }
    for depth in 126...130 {
      for inner in ["", "1", "[]", "{}"] {
        compare(Array((String(repeating: "[", count: depth) + inner + String(repeating: "]", count: depth)).utf8), "\(depth) \(inner)")
      }
    }
    #expect(read > 500 && refused > 5000)
  }
}
