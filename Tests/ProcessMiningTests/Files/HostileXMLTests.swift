import Core
import ProcessMining
import TestSupport
import Testing

/// Threat 33, the half of XML: a file that wants to open others, to grow, or to be endless.
@Suite struct HostileXMLTests {
  struct Refused: Sendable, CustomStringConvertible {
    var name: String
    var bytes: [UInt8]
    var code: String
    var place: String
    var description: String { name }

    init(_ name: String, _ text: String, _ code: String, _ place: String) { self.init(name, Array(text.utf8), code, place) }

    init(_ name: String, _ bytes: [UInt8], _ code: String, _ place: String) {
      (self.name, self.bytes, self.code, self.place) = (name, bytes, code, place)
    }
  }

  private static let laughs =
    "<?xml version=\"1.0\"?>\n<!DOCTYPE lolz [<!ENTITY lol \"lol\">"
    + (1...9).map { "<!ENTITY lol\($0) \"\(String(repeating: "&lol\($0 - 1);", count: 10))\">" }.joined() + "]><log>&lol9;</log>"

  private static let refused = [
    Refused("external entity", "<!DOCTYPE log [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>\n<log>&x;</log>", "xml-doctype", "1:1"),
    Refused("external document type", "<!DOCTYPE log SYSTEM \"http://127.0.0.1/log.dtd\"><log/>", "xml-doctype", "1:1"),
    Refused("billion laughs", laughs, "xml-doctype", "2:1"),
    Refused("parameter entity", "<log>\n <!ENTITY % p SYSTEM 'x'></log>", "xml-doctype", "2:2"),
    Refused("document type in small letters", "<!doctype log><log/>", "xml-doctype", "1:1"),
    Refused("unknown entity", "<log><string key='a' value='é&nbsp;'/></log>", "xml-entity", "1:30"),
    Refused("half a reference", "<log><string key='a' value='x & y'/></log>", "xml-entity", "1:31"),
    Refused("reference to nothing", "<log><string key='a' value='&#0;'/></log>", "xml-entity", "1:29"),
    Refused("reference to a control character", "<log><string key='a' value='&#x1B;'/></log>", "xml-entity", "1:29"),
    Refused("reference to a surrogate", "<log><string key='a' value='&#xD800;'/></log>", "xml-entity", "1:29"),
    Refused("reference beyond Unicode", "<log><string key='a' value='&#x110000;'/></log>", "xml-entity", "1:29"),
    Refused("reference with a sign", "<log><string key='a' value='&#+65;'/></log>", "xml-entity", "1:29"),
    Refused("control character", "<log><string key='a' value='\u{1B}[2J'/></log>", "xml-character", "1:29"),
    Refused("NUL", "<log><string key='a' value='\u{0}'/></log>", "xml-character", "1:29"),
    Refused("noncharacter", "<log><string key='a' value='\u{FFFE}'/></log>", "xml-encoding", "1:29"),
    Refused("overlong", Array("<log><string key='a' value='".utf8) + [0xC0, 0xAF] + Array("'/></log>".utf8), "xml-encoding", "1:29"),
    Refused(
      "surrogate", Array("<log><string key='a' value='".utf8) + [0xED, 0xA0, 0x80] + Array("'/></log>".utf8), "xml-encoding", "1:29"),
    Refused("Latin-1 inside", Array("<log><string key='a' value='M".utf8) + [0xFC] + Array("ller'/></log>".utf8), "xml-encoding", "1:30"),
    Refused("UTF-16", [0xFF, 0xFE] + "<log/>".utf8.flatMap { [$0, 0] }, "xml-encoding", "1:1"),
    Refused("UTF-16 without a mark", "<log/>".utf8.flatMap { [0, $0] }, "xml-encoding", "1:1"),
    Refused("another encoding", "<?xml version='1.0' encoding='ISO-8859-1'?><log/>", "xml-encoding", "1:6"),
    Refused("XML 1.1", "<?xml version='1.1'?><log/>", "xml-version", "1:6"),
    Refused("declaration in the middle", "<log/><?xml version='1.0'?>", "xml-syntax", "1:7"),
    Refused("a quote that is never closed", "<log><string key=\"a/></log>", "xml-syntax", "1:22"),
    Refused("no quotes", "<log><string key=a value=b/></log>", "xml-syntax", "1:18"),
    Refused("no space", "<log><string key='a'value='b'/></log>", "xml-syntax", "1:21"),
    Refused("one attribute twice", "<log><string key='a' key='b' value='c'/></log>", "xml-duplicate-attribute", "1:22"),
    Refused("crossed", "<log><trace></log></trace>", "xml-syntax", "1:13"),
    Refused("longer end", "<log></logs>", "xml-syntax", "1:6"),
    Refused("an end alone", "</log>", "xml-syntax", "1:1"),
    Refused("a comment inside a comment", "<log><!-- a -- b --></log>", "xml-syntax", "1:13"),
    Refused("a comment that never ends", "<log><!-- a", "xml-truncated", "1:12"),
    Refused("a name of digits", "<1og/>", "xml-syntax", "1:2"),
    Refused("a name with a symbol", "<log\u{D7}/>", "xml-syntax", "1:5"),
    Refused("CDATA", "<log><![CDATA[x]]></log>", "xes-syntax", "1:15"),
    Refused("end of a CDATA section", "<log>a ]]> b</log>", "xml-syntax", "1:8"),
    Refused("deep", String(repeating: "<list key='a'>", count: 100).replacingFirst("<list", with: "<log><list"), "xml-limit", "1:888"),
    Refused("many attributes", "<log \((0..<100).map { "a\($0)='' " }.joined())/>", "xml-limit", "1:444"),
    Refused("a long name", "<\(String(repeating: "a", count: 1000))/>", "xml-limit", "1:2"),
  ]

  @Test(arguments: refused)
  func threat33HostileXMLIsRefused(_ test: Refused) throws {
    for chunk in [1, 3, 1 << 18] {
      let error = try #require(throws: Diagnostic.self) { try XESReader.read(ByteSource(test.bytes, chunk: chunk)) }
      #expect(error.code == test.code, "chunks of \(chunk)")
      #expect(error.position?.description == test.place, "chunks of \(chunk): \(error)")
    }
  }

  /// Ten gigabytes in one value: the reader gives up after the limit and has asked for no more.
  @Test(arguments: ["<log><string key='a' value='", "<log><!--", "<log>", "<log ", "<", "<log><![CDATA[", "<?xml "])
  func threat33AnEndlessPartIsGivenUp(beginning: String) throws {
    var given = 0
    let source = ByteSource {
      given += 1
      return given == 1 ? Array(beginning.utf8) : [UInt8](repeating: UInt8(ascii: beginning == "<log " ? " " : "x"), count: 1 << 16)
    }
    let error = try #require(throws: Diagnostic.self) { try XESReader.read(source) }
    #expect(error.code == "xml-limit")
    #expect(given < 80, "\(given) chunks of 64 KiB for a limit of 1 MiB")
  }

  /// Any change of a byte is either read or refused with a place inside the file: nothing crashes, nothing hangs.
  @Test func threat33DamagedFilesAreReadOrRefused() throws {
    let sound = Array(
      """
      <?xml version="1.0"?><!-- c --><log a="b"><trace><string key="concept:name" value="c&amp;ü"/>
      <event><string key="concept:name" value="a"/><date key="time:timestamp" value="2026-01-01T00:00:00.000+00:00"/>
      <int key="n" value="1"/><list key="l"><values><id key="i" value="x"/></values></list></event></trace></log>
      """.utf8)
    _ = try XESReader.read(ByteSource(sound))
    try withSeeds(400) { seed, random in
      var bytes = sound
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.remove(at: place)
        case 2: bytes.insert("<>&\"'/=!?;\u{0}".utf8.randomElement(using: &random) ?? 0, at: place)
        default: bytes.removeLast(Int.random(in: 0...min(20, bytes.count - 1), using: &random))
        }
        if bytes.isEmpty { bytes = [0x20] }
      }
      let chunk = Int.random(in: 1...64, using: &random)
      do {
        let read = try XESReader.read(ByteSource(bytes, chunk: chunk))
        #expect(read.log.eventCount <= 1, "SEED=\(seed)")
      } catch let error as Diagnostic {
        #expect((0...bytes.count).contains(error.position?.offset ?? -1), "SEED=\(seed)")
      }
    }
  }
}

extension String {
  fileprivate func replacingFirst(_ text: String, with other: String) -> String {
    guard hasPrefix(text) else { return self }
    return other + dropFirst(text.count)
  }
}
