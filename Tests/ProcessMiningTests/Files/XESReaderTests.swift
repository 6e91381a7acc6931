import Core
import ProcessMining
import TestSupport
import Testing

@Suite struct XESReaderTests {
  private static let sample = """
    <?xml version="1.0" encoding="UTF-8"?>
    <!-- by hand -->
    <log xes.version="1849-2023" xmlns="http://www.xes-standard.org/">
      <extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
      <global scope="event"><string key="concept:name" value="?"/></global>
      <classifier name="Activity" scope="event" keys="concept:name"/>
      <string key="origin" value="a &amp; b &#x20AC;"/>
      <trace>
        <string key="concept:name" value="case 2"/>
        <int key="amount" value="-12"/>
        <event>
          <string key="concept:name" value="Prüfen"/>
          <string key="org:resource" value="Ana"/>
          <date key="time:timestamp" value="2026-01-02T10:00:00.5+02:00"/>
          <string key="lifecycle:transition" value="START"/>
          <float key="share" value="0.25"/>
        </event>
        <event>
          <date key="time:timestamp" value="2026-01-02T08:30:00Z"/>
          <string value='"A" &lt; B' key='concept:name'/>
          <boolean key="urgent" value="true"></boolean>
          <id key="identity:id" value="x-1"/>
          <list key="cost:drivers"><values><string key="d" value="1"><int key="n" value="2"/></string><string key="d" value="3"/></values></list>
        </event>
      </trace>
      <trace>
        <event>
          <string key="concept:name" value="early"/>
          <date key="time:timestamp" value="2025-12-31T23:59:59.9999-14:00"/>
        </event>
        <string key="concept:name" value="case 1"/>
      </trace>
      <trace><string key="concept:name" value="empty"/></trace>
    </log>
    """

  @Test func aLogIsReadWithAllItsAttributes() throws {
    let read = try XESReader.read(ByteSource(Array(Self.sample.utf8)))
    let log = read.log
    // By time: case 1 began on 1 January at 13:59:59.999 UTC.
    #expect(log.caseNames == ["case 1", "case 2", "empty"])
    #expect(log.caseOffsets == [0, 1, 3, 3])
    #expect(log.activities.map { log.activityNames[Int($0)] } == ["early", "Prüfen", "\"A\" < B"])
    #expect(
      log.times.map { Instant(milliseconds: $0).iso8601 } == [
        "2026-01-01T13:59:59.999Z", "2026-01-02T08:00:00.500Z", "2026-01-02T08:30:00.000Z",
      ])
    #expect(log.resources == [EventLog.noResource, 0, EventLog.noResource])
    #expect(log.resourceNames == ["Ana"])
    #expect(log.lifecycles == [0, 2, 0])
    #expect(read.attributes(ofCase: 0) == [])
    #expect(read.attributes(ofCase: 1) == [LogAttribute("amount", .integer(-12))])
    #expect(
      read.attributes(ofEvent: 1) == [LogAttribute("lifecycle:transition", .text("START")), LogAttribute("share", .number(0.25))])
    let drivers = [LogAttribute("d", .text("1"), attributes: [LogAttribute("n", .integer(2))]), LogAttribute("d", .text("3"))]
    #expect(
      read.attributes(ofEvent: 2) == [
        LogAttribute("urgent", .flag(true)), LogAttribute("identity:id", .id("x-1")), LogAttribute("cost:drivers", .list(drivers)),
      ])
    #expect(read.header.attributes == [LogAttribute("origin", .text("a & b €"))])
    #expect(read.header.eventDefaults == [LogAttribute("concept:name", .text("?"))])
    #expect(read.header.extensions.map(\.prefix) == ["concept"])
    #expect(read.header.classifiers.map(\.keys) == ["concept:name"])
    #expect(read.outOfOrder == 0)
  }

  /// The window that a scanner looks at begins and ends anywhere.
  @Test(arguments: [1, 2, 3, 7, 64, 1000])
  func chunksOfAnySizeGiveTheSame(size: Int) throws {
    let whole = try XESReader.read(ByteSource(Array(Self.sample.utf8)))
    let parts = try XESReader.read(ByteSource(Array(Self.sample.utf8), chunk: size))
    #expect(try XESWriter.bytes(parts) == XESWriter.bytes(whole))
  }

  @Test func equalTimesKeepTheOrderOfTheFileAndOthersAreSorted() throws {
    let read = try Self.read(
      Self.trace("c", Self.event("b", "00:00:02"), Self.event("x", "00:00:01"), Self.event("a", "00:00:02"), Self.event("y", "00:00:01")))
    #expect(read.log.activities.map { read.log.activityNames[Int($0)] } == ["x", "y", "b", "a"])
    #expect(read.outOfOrder == 2)
  }

  @Test func zonesOfAllKindsMeetInOneTime() throws {
    let times = ["2026-03-01T12:00:00Z", "2026-03-01T14:00:00+02:00", "2026-03-01T06:30:00.000000-05:30", "2026-03-02T02:00:00.0+14:00"]
    let events = times.map { "<event><string key='concept:name' value='a'/><date key='time:timestamp' value='\($0)'/></event>" }
    let read = try Self.read(Self.trace("c", events.joined()))
    #expect(Set(read.log.times) == [1_772_366_400_000])
  }

  struct Refused: Sendable, CustomStringConvertible {
    var name: String
    var text: String
    var error: String
    var description: String { name }
  }

  private static let refused = [
    Refused(name: "nothing", text: "", error: "1:1: there is no XML element"),
    Refused(name: "no log", text: "<bpmn/>", error: "1:1: this is no XES log: its outermost element is `<bpmn>`, not `<log>`"),
    Refused(
      name: "an event without a name",
      text: "<log>\n <trace>\n  <string key='concept:name' value='c'/>\n  <event>\n  </event></trace></log>",
      error: "4:3: this event has no `concept:name`"),
    Refused(
      name: "an event without a time",
      text: "<log><trace><string key='concept:name' value='c'/>\n<event><string key='concept:name' value='é'/></event></trace></log>",
      error: "2:1: this event has no `time:timestamp`"),
    Refused(name: "a trace without a name", text: "<log>\n\n  <trace></trace></log>", error: "3:3: this trace has no `concept:name`"),
    Refused(
      name: "a time without a zone",
      text: "<log><trace><event><date key='time:timestamp' value='2026-01-01T00:00:00'/></event></trace></log>",
      error: "1:54: a time without a zone"),
    Refused(
      name: "a day that does not exist",
      text: "<log><trace><event><date key='time:timestamp' value='2026-02-29T00:00:00Z'/></event></trace></log>",
      error: "1:54: this is no time"),
    Refused(
      name: "two traces of one name",
      text: "<log><trace><string key='concept:name' value='c'/></trace>\n<trace><string key='concept:name' value='c'/></trace></log>",
      error: "2:8: another trace has the name `c`"),
    Refused(
      name: "one key twice", text: "<log><trace><int key='n' value='1'/>\n<int key='n' value='2'/></trace></log>",
      error: "2:1: `n` stands twice here"),
    Refused(
      name: "two names",
      text: "<log><trace><event><string key='concept:name' value='a'/><string key='concept:name' value='b'/></event></trace></log>",
      error: "1:58: `concept:name` stands twice here"),
    Refused(
      name: "a number as a name", text: "<log><trace><int key='concept:name' value='1'/>", error: "1:13: `concept:name` is not a `<string>`"
    ),
    Refused(name: "no integer", text: "<log><int key='n' value='1.5'/>", error: "1:26: this is no integer of at most 64 bits"),
    Refused(
      name: "too large", text: "<log><int key='n' value='9223372036854775808'/>", error: "1:26: this is no integer of at most 64 bits"),
    Refused(name: "no number", text: "<log><float key='n' value='0x1p3'/>", error: "1:28: this is no number"),
    Refused(name: "no flag", text: "<log><boolean key='n' value='yes'/>", error: "1:30: this is neither `true` nor `false`"),
    Refused(name: "no key", text: "<log><string value='a'/>", error: "1:6: an attribute without a `key`"),
    Refused(name: "no value", text: "<log><string key='a'/>", error: "1:6: an attribute without a `value`"),
    Refused(name: "an event outside", text: "<log>\n<event/></log>", error: "2:1: an event outside of a trace"),
    Refused(
      name: "a trace inside", text: "<log><trace><trace/></trace></log>", error: "1:13: `<trace>` cannot stand inside a trace or an event"),
    Refused(name: "unknown", text: "<log><ns:string key='a' value='b'/></log>", error: "1:6: `<ns:string>` is no part of a log"),
    Refused(name: "a field", text: "<log><trace id='1'/></log>", error: "1:6: a trace or an event has no `id` in its tag"),
    Refused(name: "text", text: "<log>\n  hello</log>", error: "1:6: text between two elements"),
    Refused(
      name: "truncated in a tag", text: "<log><trace><string key='conc", error: "1:30: the file ends in the middle of a tag or a text"),
    Refused(name: "truncated after a tag", text: "<log><trace>\n", error: "2:1: the file ends before `</trace>`"),
    Refused(name: "something behind", text: "<log/>\n<log/>", error: "2:1: a second outermost element"),
    Refused(name: "text behind", text: "<log/>x", error: "1:7: text outside of the outermost element"),
  ]

  @Test(arguments: refused)
  func whatIsWrongIsRefusedWithItsPlace(_ test: Refused) throws {
    for chunk in [1, 5, 1 << 18] {
      let error = try #require(throws: Diagnostic.self) { try XESReader.read(ByteSource(Array(test.text.utf8), chunk: chunk)) }
      #expect(error.description.split(separator: "\n").first.map(String.init) == test.error, "chunks of \(chunk)")
    }
  }

  @Test func limitsAreStated() throws {
    let events = Self.trace("c", Self.event("a", "00:00:01"), Self.event("b", "00:00:02"))
    #expect(throws: Diagnostic.self) { try Self.read(events, FileLimits(events: 1)) }
    #expect(throws: Diagnostic.self) { try Self.read(events, FileLimits(textBytes: 2)) }
    let keys = Self.trace("c", "<int key='x' value='1'/><int key='y' value='1'/>")
    #expect(try Self.read(keys, FileLimits(columns: 2)).caseColumns.count == 2)
    #expect(throws: Diagnostic.self) { try Self.read(keys, FileLimits(columns: 1)) }
    let nested = "<list key='l'><values><int key='a' value='1'/><int key='b' value='1'/></values></list>"
    #expect(throws: Diagnostic.self) { try Self.read(nested, FileLimits(nested: 2)) }
    #expect(try Self.read(nested, FileLimits(nested: 3)).header.attributes.count == 1)
  }

  @Test func oneTraceMayBeVeryLong() throws {
    var sent = 0
    let count = 200_000
    let source = ByteSource {
      defer { sent += 1 }
      if sent == 0 { return Array("<log><trace><string key='concept:name' value='c'/>".utf8) }
      if sent > 200 { return sent == 201 ? Array("</trace></log>".utf8) : [] }
      let base = (sent - 1) * (count / 200)
      return Array((0..<(count / 200)).map { Self.event("activity \(base + $0)", "00:00:00") }.joined().utf8)
    }
    let log = try XESReader.read(source).log
    #expect(log.eventCount == count)
    #expect(log.activityNames.count == count)
    #expect(log.caseCount == 1)
  }

  @Test func whatTheSourceThrowsComesThrough() throws {
    struct Broken: Error {}
    #expect(throws: Broken.self) { try XESReader.read(ByteSource { throw Broken() }) }
  }

  static func read(_ content: String, _ limits: FileLimits = FileLimits()) throws -> AttributedLog {
    try XESReader.read(ByteSource(Array("<log>\(content)</log>".utf8)), limits: limits)
  }

  static func trace(_ name: String, _ content: String...) -> String {
    "<trace><string key='concept:name' value='\(name)'/>\(content.joined())</trace>"
  }

  static func event(_ name: String, _ time: String) -> String {
    "<event><string key='concept:name' value='\(name)'/><date key='time:timestamp' value='2026-01-01T\(time)Z'/></event>"
  }
}
