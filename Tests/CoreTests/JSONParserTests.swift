import Core
import TestSupport
import Testing

@Suite("JSON parser")
struct JSONParserTests {
  static let folder = "vectors/json/test_parsing"

  @Test("T21 every text that must parse does, and every text that must be refused is", .enabled(if: Conformance.isPresent))
  func suite() throws {
    var counts: [Character: Int] = [:]
    for name in try Conformance.entries(Self.folder) {
      let bytes = try Conformance.bytes("\(Self.folder)/\(name)")
      let parsed = (try? JSON.parse(bytes)) != nil
      guard let kind = name.first, kind != "i" else { continue }
      // The suite counts duplicate keys as grammatical; here two readers must not see two values.
      let isDuplicate = name.hasPrefix("y_object_duplicated_key")
      if isDuplicate {
        #expect(!parsed, "\(name)")
        let positioned = try? PositionedJSON.parseJSON5(bytes)
        #expect(positioned == nil, "\(name)")
      } else {
        #expect(parsed == (kind == "y"), "\(name)")
      }
      counts[kind, default: 0] += 1
    }
    #expect(counts["y"] == 95)
    #expect(counts["n"] == 188)
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    var text: String
    var code: JSONError.Code
    var message: String
    var testDescription: String { text.debugDescription }
    init(_ text: String, _ code: JSONError.Code, _ message: String) { (self.text, self.code, self.message) = (text, code, message) }
  }

  static let refusals = [
    Refusal("", .syntax, "1:1: expected a value, found end of the text"),
    Refusal(#"{"a":1,"a":2}"#, .duplicateKey, "1:8: the key `a` appears twice in one object"),
    Refusal("{\"caf\u{E9}\":1,\"caf\\u00e9\":2}", .duplicateKey, "1:11: the key `café` appears twice in one object"),
    Refusal(#"["\ud800"]"#, .loneSurrogate, "1:3: this escape is half of a surrogate pair"),
    Refusal(#"["\udc00\ud800"]"#, .loneSurrogate, "1:3: this escape is half of a surrogate pair"),
    Refusal("[1,\n 2,]", .syntax, "2:4: a comma before the end of an array is not allowed"),
    Refusal("{a:1}", .syntax, "1:2: expected a key in double quotes, found `a`"),
    Refusal("1 x", .trailing, "1:3: unexpected `x` after the end of the value"),
    Refusal("[1e400]", .number, "1:2: this number is larger than any that can be computed with; send it as a string"),
    Refusal("[NaN]", .number, "1:2: Infinity and NaN are not allowed; a number must be finite"),
    Refusal("[-Infinity]", .number, "1:2: Infinity and NaN are not allowed; a number must be finite"),
    Refusal("{\"a\":[1,2", .syntax, "1:10: the array that begins at 1:6 has no end"),
    Refusal("\u{FEFF}1", .syntax, "1:1: expected a value, found `\\u{FEFF}`"),
    Refusal("[\"a\u{1}\"]", .syntax, "1:4: a string must not hold the control character U+0001; write it as an escape"),
    Refusal("// c\n1", .syntax, "1:1: expected a value, found `/`"),
  ]

  @Test(arguments: refusals)
  func aRefusalSaysWhatAndWhere(_ refusal: Refusal) throws {
    let error = try #require(throws: JSONError.self) { try JSON.parse(refusal.text) }
    #expect(error.code == refusal.code)
    #expect(error.description == refusal.message)
  }

  @Test("T21 nesting is bounded, whatever its depth")
  func depth() throws {
    let allowed = String(repeating: "[", count: 128) + String(repeating: "]", count: 128)
    #expect((try? JSON.parse(allowed)) != nil)
    for depth in [129, 100_000] {
      let error = try #require(throws: JSONError.self) { try JSON.parse(String(repeating: "[", count: depth)) }
      #expect(error.code == .depth)
    }
  }

  @Test func bytesThatAreNotUTF8AreRefusedAtTheirPlace() throws {
    let error = try #require(throws: JSONError.self) { try JSON.parse([0x22, 0x61, 0xFF, 0x22]) }
    #expect(error.code == .invalidUTF8)
    #expect(error.position.offset == 2)
  }

  @Test func stringsAreTheSameOnlyByteForByte() throws {
    let composed = try JSON.parse("\"caf\u{E9}\"")
    let decomposed = try JSON.parse("\"cafe\u{301}\"")
    #expect(composed != decomposed)
    let both = try JSON.parse("{\"caf\u{E9}\":1,\"cafe\u{301}\":2}")
    #expect(both["caf\u{E9}"] == 1)
    #expect(both["cafe\u{301}"] == 2)
  }

  @Test("T21 a million random edits of a text never crash the parser, and what it accepts it reads back from its own text")
  func edits() throws {
    let seedText = Array(#"{"a":[1,-2.5e3,"x\u00e9\n",true,null],"b":{"c":{}}, "d":"é" }"#.utf8)
    try withSeeds(200) { seed, random in
      for _ in 0..<100 {
        var bytes = seedText
        for _ in 0..<Int.random(in: 1...4, using: &random) {
          let place = Int.random(in: 0..<bytes.count, using: &random)
          switch Int.random(in: 0..<3, using: &random) {
          case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
          case 1: bytes.remove(at: place)
          default: bytes.insert(bytes[Int.random(in: 0..<bytes.count, using: &random)], at: place)
          }
        }
        if let value = try? JSON.parse(bytes) {
          let again = try JSON.parse(value.text())
          #expect(again == value, "SEED=\(seed)")
          let positioned = try PositionedJSON.parseJSON5(bytes)
          #expect(positioned.json == value, "SEED=\(seed)")
        }
      }
    }
  }
}

@Suite("JSON5 and positions")
struct PositionedJSONTests {
  @Test func whatPeopleWriteIsRead() throws {
    let text = """
      // a comment
      { bare: 'single "quotes"', /* inner */ $d_1: [1, +2, .5, 5., 0xFF, -0x10,],
        "line": 'one \\
      two', esc: '\\x41\\v\\0', }
      """
    let value = try PositionedJSON.parseJSON5(Array(text.utf8), file: "f.json5")
    #expect(value["bare"]?.stringValue == "single \"quotes\"")
    #expect(value["$d_1"]?.json == [1, 2, 0.5, 5, 255, -16])
    #expect(value["line"]?.stringValue == "one two")
    #expect(value["esc"]?.stringValue == "A\u{B}\0")
    let line = try #require(value["line"])
    #expect(line.position.description == "f.json5:3:11")
    #expect(value.objectValue?[1].keyPosition.description == "f.json5:2:40")
  }

  @Test func aPlaceInsideAStringMapsThroughItsEscapes() throws {
    let text = "{ when: 'a\\n\\u00e9\\\nb\\x41\\ud83d\\ude00z' }"
    let value = try #require(try PositionedJSON.parseJSON5(Array(text.utf8))["when"])
    let content = try #require(value.stringValue)
    #expect(content == "a\n\u{E9}bA\u{1F600}z")
    let expected: [(Character, String)] = [
      ("a", "1:10"), ("\n", "1:11"), ("\u{E9}", "1:13"), ("b", "2:1"), ("A", "2:2"), ("\u{1F600}", "2:6"), ("z", "2:18"),
    ]
    for (character, place) in expected {
      let index = try #require(content.firstIndex(of: character))
      let offset = content.utf8.distance(from: content.utf8.startIndex, to: index)
      #expect(value.position(inString: offset).description == place, "\(character)")
    }
  }

  static let refusals: [(String, String)] = [
    ("{ a: 1 b: 2 }", "p:1:8: expected `,` or `}`, found `b`"),
    ("{ a-b: 1 }", "p:1:3: put the key `a-…` in quotes: a bare key has only letters, digits, `_` and `$`"),
    ("{ a: 'x", "p:1:6: this string has no end"),
    ("{ a: Infinity }", "p:1:6: Infinity and NaN are not allowed; a number must be finite"),
    ("{ a: 1, 'a': 2 }", "p:1:9: the key `a` appears twice in one object"),
    ("/* x", "p:1:1: this comment has no end; close it with `*/`"),
    ("{ a: 0x1FFFFFFFFFFFFFFFF }", "p:1:6: this number does not fit in 64 bits"),
    ("{ a: '\\q' }", "p:1:7: unknown escape: `q` after a backslash"),
    ("", "p:1:1: expected a value, found end of the text"),
  ]

  @Test(arguments: refusals)
  func aRefusalSaysWhatAndWhere(_ text: String, _ message: String) throws {
    let error = try #require(throws: JSONError.self) { try PositionedJSON.parseJSON5(Array(text.utf8), file: "p") }
    #expect(error.description == message)
  }
}
