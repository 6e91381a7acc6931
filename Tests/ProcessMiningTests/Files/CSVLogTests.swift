import Core
import ProcessMining
import TestSupport
import Testing

@Suite struct CSVLogTests {
  private static let table = """
    Order;Step;At;By;case:region;note
    o2;Check;2026-01-01 10:00:00+01:00;ana;EU;"a ""b""; c
    d"
    o1;Check;2026-01-01T08:00:00.25Z;;US;

    o2;Pay;2026-01-01T09:00:00Z;ben;EU;é
    o2;"Early";2026-01-01T08:30:00Z;;EU;
    """

  private static func mapping(_ pairs: [(name: String, value: String)] = []) throws -> CSVMapping {
    try CSVMapping(pairs: [("case", "Order"), ("activity", "Step"), ("time", "At"), ("resource", "By")] + pairs)
  }

  @Test(arguments: [1, 2, 3, 17, 1 << 18])
  func columnsAreMapped(chunk: Int) throws {
    let read = try CSVLogReader.read(ByteSource(Array(Self.table.utf8), chunk: chunk), mapping: Self.mapping())
    let log = read.log
    #expect(log.caseNames == ["o1", "o2"])
    #expect(log.activities.map { log.activityNames[Int($0)] } == ["Check", "Early", "Check", "Pay"])
    #expect(log.times[0] == 1_767_254_400_250)
    #expect(log.times[2] == log.times[3])
    #expect(log.resources.map { $0 == EventLog.noResource ? nil : log.resourceNames[Int($0)] } == [nil, nil, "ana", "ben"])
    #expect(read.attributes(ofCase: 1) == [LogAttribute("region", .text("EU"))])
    #expect(read.attributes(ofEvent: 1) == [])
    #expect(read.attributes(ofEvent: 2) == [LogAttribute("note", .text("a \"b\"; c\nd"))])
    #expect(read.outOfOrder == 1)
  }

  @Test func theUsualNamesNeedNoMap() throws {
    let text =
      "\u{FEFF}concept:name,lifecycle:transition,case:concept:name,time:timestamp\r\nA,start,c,2026-01-01T00:00:00Z\r\nA,COMPLETE,c,2026-01-01T00:00:01Z\r\n"
    let read = try CSVLogReader.read(ByteSource(Array(text.utf8)))
    #expect(read.log.lifecycles == [2, 0])
    #expect(read.attributes(ofEvent: 1) == [LogAttribute("lifecycle:transition", .text("COMPLETE"))])
  }

  @Test func aZoneCanBeSaid() throws {
    let text = Array("Order,Step,At,By\no,a,2026-01-01 00:00:00,\n".utf8)
    #expect(try CSVLogReader.read(ByteSource(text), mapping: Self.mapping([("zone", "UTC")])).log.times == [1_767_225_600_000])
    #expect(try CSVLogReader.read(ByteSource(text), mapping: Self.mapping([("zone", "+05:30")])).log.times == [1_767_205_800_000])
  }

  struct Refused: Sendable, CustomStringConvertible {
    var name: String
    var text: String
    var error: String
    var description: String { name }
  }

  private static let refused = [
    Refused(name: "nothing", text: "", error: "1:1: there is no header"),
    Refused(name: "a column that is not there", text: "Ordr,Step,At,By\n", error: "1:1: unknown column `Order`"),
    Refused(name: "a column twice", text: "Order,Step,At,By,x,x\n", error: "1:1: two columns are called `x`"),
    Refused(name: "too few cells", text: "Order,Step,At,By\no,a\n", error: "2:1: 2 cells where the header names 4 columns"),
    Refused(name: "no case", text: "Order,Step,At,By\n,a,2026-01-01T00:00:00Z,\n", error: "2:1: `Order` is empty"),
    Refused(name: "no activity", text: "Order,Step,At,By\no,,2026-01-01T00:00:00Z,\n", error: "2:1: `Step` is empty"),
    Refused(name: "no time", text: "Order,Step,At,By\n\"a\nb\",a,2026-01-01T00:00:00Z,\no,a,,\n", error: "4:1: `At`: `` is no time"),
    Refused(
      name: "no zone", text: "Order,Step,At,By\no,a,2026-01-01T00:00:00,\n", error: "2:1: a time without a zone: `2026-01-01T00:00:00`"),
    Refused(
      name: "a quote inside", text: "Order,Step,At,By\no,a\"b,2026-01-01T00:00:00Z,\n",
      error: "2:4: a quote inside a cell that does not begin with one"),
    Refused(
      name: "a quote that stays open", text: "Order,Step,At,By\no,\"a,2026-01-01T00:00:00Z,\n", error: "2:3: this quote is never closed"),
    Refused(
      name: "a case that changes",
      text: "Order,Step,At,By,case:x\no,a,2026-01-01T00:00:00Z,,1\no,a,2026-01-01T00:00:00Z,,2\n",
      error: "3:1: `case:x` is `2` here and was something else in an earlier row of this case"),
  ]

  @Test(arguments: refused)
  func whatIsWrongIsRefusedWithItsPlace(_ test: Refused) throws {
    for chunk in [1, 1 << 18] {
      let error = try #require(throws: Diagnostic.self) {
        try CSVLogReader.read(ByteSource(Array(test.text.utf8), chunk: chunk), mapping: Self.mapping())
      }
      #expect(error.description.split(separator: "\n").first.map(String.init) == test.error, "chunks of \(chunk)")
    }
  }

  @Test func mixedEncodingsAreRefused() throws {
    let latin = Array("Order,Step,At,By\no,a,2026-01-01T00:00:00Z,é\no,M".utf8) + [0xFC] + Array("ller,2026-01-01T00:00:00Z,\n".utf8)
    let error = try #require(throws: Diagnostic.self) { try CSVLogReader.read(ByteSource(latin), mapping: Self.mapping()) }
    #expect(error.position?.line == 3)
    let wide: [UInt8] = "Order,Step".utf8.flatMap { [$0, 0 as UInt8] }
    #expect(throws: Diagnostic.self) { try CSVLogReader.read(ByteSource(wide), mapping: Self.mapping()) }
  }

  @Test func anEndlessRowIsGivenUp() throws {
    var given = 0
    let source = ByteSource {
      given += 1
      return given == 1 ? Array("Order,Step,At,By\no,\"".utf8) : [UInt8](repeating: 0x0A, count: 1 << 16)
    }
    let error = try #require(throws: Diagnostic.self) { try CSVLogReader.read(source, mapping: Self.mapping()) }
    #expect(error.code == "csv-limit")
    #expect(error.position?.line == 2)
    #expect(given < 80)
  }

  @Test(
    arguments: [
      [("cases", "x")], [("zone", "2")], [("zone", "+25:00")], [("separator", "x")], [("case", "x"), ("activity", "x")],
    ] as [[(String, String)]])
  func mapsThatMeanNothingAreRefused(pairs: [(String, String)]) throws {
    #expect(throws: Diagnostic.self) { try CSVMapping(pairs: pairs.map { (name: $0.0, value: $0.1) }) }
  }

  @Test func randomLogsComeBackAsTheyWere() throws {
    try withSeeds(60) { seed, random in
      let letters = ["a", "é", ",", "\"", ";", "\t", "\n", "\r", "漢", "\u{1B}", " ", "=", "'"]
      func text() -> String {
        (0..<Int.random(in: 0...5, using: &random)).map { _ in letters.randomElement(using: &random) ?? "" }.joined()
      }
      var builder = EventLogBuilder()
      let names = (0..<4).map { "\($0)\(text())" }
      for _ in 0..<Int.random(in: 0...60, using: &random) {
        try builder.add(
          case: names.randomElement(using: &random) ?? "", activity: "a\(text())",
          at: Int64.random(in: 0...2_000_000_000_000, using: &random),
          resource: Bool.random(using: &random) ? "r\(text())" : nil, lifecycle: Lifecycle.allCases.randomElement(using: &random) ?? .ready)
      }
      let log = builder.finish()
      var bytes: [UInt8] = []
      try withoutActuallyEscaping({ (chunk: [UInt8]) in bytes += chunk }) { try CSVLogWriter.write(AttributedLog(log), to: $0) }
      let read = try CSVLogReader.read(ByteSource(bytes, chunk: Int.random(in: 1...300, using: &random))).log
      #expect(read.caseNames.map { Array($0.utf8) } == log.caseNames.map { Array($0.utf8) }, "SEED=\(seed)")
      #expect(read.activityNames.map { Array($0.utf8) } == log.activityNames.map { Array($0.utf8) }, "SEED=\(seed)")
      #expect(read.resourceNames.map { Array($0.utf8) } == log.resourceNames.map { Array($0.utf8) }, "SEED=\(seed)")
      #expect(read.activities == log.activities, "SEED=\(seed)")
      #expect(read.resources == log.resources, "SEED=\(seed)")
      #expect(read.times == log.times, "SEED=\(seed)")
      #expect(read.lifecycles == log.lifecycles, "SEED=\(seed)")
    }
  }

  @Test func attributesOfXESBecomeColumns() throws {
    let log = try XESReader.read(
      ByteSource(
        Array(
          """
          <log><trace><string key="concept:name" value="c"/><int key="n" value="7"/><event><string key="concept:name" value="a"/>
          <date key="time:timestamp" value="2026-01-01T00:00:00Z"/><boolean key="b" value="1"/></event><event>
          <string key="concept:name" value="a"/><date key="time:timestamp" value="2026-01-01T00:00:00Z"/><float key="f" value="0.5"/>
          </event></trace></log>
          """.utf8)))
    var bytes: [UInt8] = []
    try withoutActuallyEscaping({ (chunk: [UInt8]) in bytes += chunk }) { try CSVLogWriter.write(log, to: $0) }
    #expect(
      String(decoding: bytes, as: UTF8.self) == """
        case:concept:name,concept:name,time:timestamp,case:n,b,f
        c,a,2026-01-01T00:00:00.000+00:00,7,true,
        c,a,2026-01-01T00:00:00.000+00:00,7,,0.5

        """)
  }
}
