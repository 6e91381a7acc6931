import Core
import ProcessMining
import TestSupport
import Testing

@Suite struct XESWriterTests {
  @Test func whatWasReadIsWrittenSoThatItReadsTheSame() throws {
    let text = """
      <log><extension name="A" prefix="a" uri="u:a"/><global scope="trace"><string key="concept:name" value="-"/></global>
      <classifier name="C" keys="concept:name"/><container key="c"><date key="d" value="2026-01-01T00:00:00.001Z"/></container>
      <trace><string key="concept:name" value="1"/><float key="f" value="1e-7"/>
      <event><string key="concept:name" value="a&#10;&quot;b&quot;"><id key="i" value="&lt;"/></string>
      <date key="time:timestamp" value="2026-01-01T00:00:00+01:00"/><string key="lifecycle:transition" value="Start"/>
      <list key="l"><values><int key="n" value="1"/><int key="n" value="2"/></values><string key="why" value=""/></list></event>
      <event><date key="time:timestamp" value="2026-01-01T00:00:00+01:00"/><string key="concept:name" value="c"/></event></trace></log>
      """
    let read = try XESReader.read(ByteSource(Array(text.utf8)))
    let written = try XESWriter.bytes(read)
    let again = try XESReader.read(ByteSource(written))
    #expect(try XESWriter.bytes(again) == written)
    #expect(again.header.attributes == read.header.attributes)
    #expect(again.header.classifiers == read.header.classifiers)
    #expect(again.log.activityNames == ["a\n\"b\"", "c"])
    #expect(again.log.times == read.log.times)
    #expect(again.log.lifecycles == [2, 0])
    for event in 0..<2 { #expect(again.attributes(ofEvent: event) == read.attributes(ofEvent: event)) }
    #expect(again.attributes(ofCase: 0) == [LogAttribute("f", .number(1e-7))])
  }

  @Test func randomLogsComeBackAsTheyWere() throws {
    try withSeeds(60) { seed, random in
      let letters = ["a", "é", "<", "&", "\"", "'", "\t", "\n", "\r", "漢", "\u{1F600}", " ", "]]>", "--", "&#10;"]
      func text() -> String {
        (0..<Int.random(in: 0...6, using: &random)).map { _ in letters.randomElement(using: &random) ?? "" }.joined()
      }
      var builder = EventLogBuilder()
      let names = (0..<4).map { "\($0) \(text())" }
      for _ in 0..<Int.random(in: 0...60, using: &random) {
        try builder.add(
          case: names.randomElement(using: &random) ?? "", activity: text(),
          at: Int64.random(in: -62_167_219_200_000...253_402_300_799_999, using: &random),
          resource: Bool.random(using: &random) ? text() : nil, lifecycle: Lifecycle.allCases.randomElement(using: &random) ?? .ready)
      }
      let log = builder.finish()
      let chunk = Int.random(in: 1...300, using: &random)
      let read = try XESReader.read(ByteSource(try XESWriter.bytes(AttributedLog(log)), chunk: chunk)).log
      #expect(read.caseNames.map { Array($0.utf8) } == log.caseNames.map { Array($0.utf8) }, "SEED=\(seed)")
      #expect(read.activityNames.map { Array($0.utf8) } == log.activityNames.map { Array($0.utf8) }, "SEED=\(seed)")
      #expect(read.resourceNames.map { Array($0.utf8) } == log.resourceNames.map { Array($0.utf8) }, "SEED=\(seed)")
      #expect(read.caseOffsets == log.caseOffsets, "SEED=\(seed)")
      #expect(read.activities == log.activities, "SEED=\(seed)")
      #expect(read.resources == log.resources, "SEED=\(seed)")
      #expect(read.times == log.times, "SEED=\(seed)")
      #expect(read.lifecycles == log.lifecycles, "SEED=\(seed)")
    }
  }

  @Test(arguments: ["\u{0}", "a\u{1B}[2J", "\u{FFFF}"])
  func whatXMLCannotHoldIsRefused(text: String) throws {
    var builder = EventLogBuilder()
    try builder.add(case: "c", activity: text, at: 0)
    let log = AttributedLog(builder.finish())
    let error = try #require(throws: Diagnostic.self) { try XESWriter.bytes(log) }
    #expect(error.message.hasPrefix("XML cannot hold `"))
  }

  @Test(arguments: [-62_167_219_200_001, 253_402_300_800_000] as [Int64])
  func yearsOfMoreDigitsAreRefused(time: Int64) throws {
    var builder = EventLogBuilder()
    try builder.add(case: "c", activity: "a", at: time)
    let log = AttributedLog(builder.finish())
    #expect(throws: Diagnostic.self) { try XESWriter.bytes(log) }
  }

  @Test func aLargeLogIsHandedOverInPieces() throws {
    var builder = EventLogBuilder()
    for number in 0..<20_000 { try builder.add(case: "c\(number % 100)", activity: "a", at: Int64(number)) }
    var sizes: [Int] = []
    try withoutActuallyEscaping({ (chunk: [UInt8]) in sizes.append(chunk.count) }) {
      try XESWriter.write(AttributedLog(builder.finish()), to: $0)
    }
    #expect(sizes.count > 10)
    #expect(sizes.allSatisfy { $0 < 80_000 })
  }
}
