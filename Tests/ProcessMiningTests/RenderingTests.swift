import Core
import Foundation
import FoundationXML
import TestSupport
import Testing

@testable import ProcessMining

@Suite struct RenderingTests {
  /// Lines wider than the terminal, or with a byte that a terminal would act on.
  static func badLines(_ text: String, width: Int = 80) -> [String] {
    text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init).filter { line in
      displayWidth(line) > width
        || line.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F || $0.properties.generalCategory == .format }
    }
  }

  static func everything(_ log: EventLog) -> [String] {
    [DirectlyFollowsGraph(log).text(), Variants(log).text(), HandOffs(log).text(), Bottlenecks(log).text()]
  }

  /// What an XML parser makes of a text.
  final class Reader: NSObject, XMLParserDelegate {
    var text = ""
    var elements: [String] = []
    var attributes: [String] = []
    func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }
    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?, attributes: [String: String] = [:]
    ) {
      elements.append(name)
      self.attributes += attributes.keys.sorted()
    }

    static func read(_ svg: String) -> Reader? {
      let reader = Reader()
      let parser = XMLParser(data: Data(svg.utf8))
      parser.delegate = reader
      return parser.parse() ? reader : nil
    }
  }

  static func expectSelfContained(_ svg: String) throws {
    let reader = try #require(Reader.read(svg))
    #expect(Set(reader.elements).isSubset(of: ["svg", "title", "desc", "style", "g", "rect", "path", "text"]))
    #expect(!reader.attributes.contains { $0.contains("href") || $0.hasPrefix("on") || $0 == "src" })
    #expect(!svg.contains("url(") && !svg.contains("@import") && !svg.contains("nan") && !svg.contains("inf,"))
    #expect(svg.components(separatedBy: "://").count == 2, "only the name of the SVG namespace")
  }

  @Test func zeroOneAndTwoHundred() throws {
    let empty = try Samples.log(traces: [])
    #expect(DirectlyFollowsGraph(empty).text() == "0 cases, 0 events, 0 activities, 0 arcs\n")
    #expect(Variants(empty).text() == "0 cases, 0 variants\n")
    #expect(Bottlenecks(empty).text() == "no waiting time in this log\n")
    #expect(HandOffs(empty).text() == "0 hand-offs between different people or agents\n")
    let one = DirectlyFollowsGraph(try Samples.log(traces: ["a"])).text()
    #expect(one.hasPrefix("1 case, 1 event, 1 activity, 0 arcs\n"))
    var builder = EventLogBuilder()
    for number in 0..<201 {
      try builder.add(case: "c", activity: "step \(number)", at: Int64(number) * 1000, resource: "user:u\(number % 20)")
    }
    let log = builder.finish()
    #expect(DirectlyFollowsGraph(log).text().contains("… and 161 more activities\n"))
    #expect(DirectlyFollowsGraph(log).text().hasSuffix("… and 160 more arcs\n"))
    #expect(Variants(log).text().contains("→ … 171 more"))
    for text in Self.everything(log) { #expect(Self.badLines(text).isEmpty) }
    for text in Self.everything(log) { #expect(text.hasSuffix("\n")) }
  }

  @Test func aTableIsAlignedAndWrapped() {
    var table = TextTable([.text("name"), .number("count")])
    table.add(["short", "1"])
    table.add(["a name that is far too long", "1000"])
    table.add(["日本語の名前です", "20"])
    #expect(
      table.text(width: 20) == """
        name           count
        -------------  -----
        short              1
        a name that     1000
        is far too
        long
        日本語の名前      20
        です

        """)
  }

  @Test func aTableWithoutRoomIsCards() {
    var table = TextTable([.text("name"), .number("count"), .number("median"), .number("total")])
    table.add(["a long name of it", "1", "2 h", "1000"])
    table.add(["b", "20", "3 h", ""])
    #expect(
      table.text(width: 20) == """
        name    a long name
                of it
        count   1
        median  2 h
        total   1000

        name    b
        count   20
        median  3 h
        total

        """)
  }

  @Test(.enabled(if: Conformance.isPresent, "\(Conformance.absent)"))
  func hostileNamesAreShownAndObeyedNowhere() throws {
    let names = try JSON.parse(Conformance.bytes("vectors/naughty/blns.json")).arrayValue?.compactMap(\.stringValue) ?? []
    #expect(names.count > 500)
    let esc = [
      "\u{1B}]52;c;AAAA\u{7}", "\u{1B}[2J", "a\rb", "\u{FFFE}\u{FFFF}\u{0}", "]]>", "<!--", "\u{202E}txt",
      String(repeating: "W", count: 300),
    ]
    for (number, name) in (names + esc).enumerated() {
      var builder = EventLogBuilder()
      for step in 0..<3 {
        try builder.add(case: name, activity: step == 1 ? "plain" : name, at: Int64(step), resource: step == 1 ? "user:a" : name)
      }
      let log = builder.finish()
      for text in Self.everything(log) { #expect(Self.badLines(text).isEmpty, "name \(number)") }
      let svg = ProcessMap(DirectlyFollowsGraph(log), options: .init(title: name)).svg()
      let reader = try #require(Reader.read(svg), "name \(number)")
      let shown = Array(reader.text.utf8)
      #expect(shown.contains(Array(visible(name).utf8)), "name \(number): a title or tooltip holds all of it")
    }
    // All of them in one picture and one table.
    var builder = EventLogBuilder()
    for (number, name) in (names + esc).enumerated() { try builder.add(case: "c\(number % 40)", activity: name, at: Int64(number)) }
    let log = builder.finish()
    try Self.expectSelfContained(
      ProcessMap(DirectlyFollowsGraph(log)).svg().replacing("https://", with: "").replacing("http://www.w3.org", with: "://").replacing(
        "http://", with: ""))
    for text in Self.everything(log) { #expect(Self.badLines(text).isEmpty) }
  }

  @Test func mapsAreSelfContained() throws {
    for log in [try Samples.log(traces: []), try Samples.log(traces: ["a"]), try Samples.linear(), try Samples.loops(), try Samples.wide()]
    {
      let graph = DirectlyFollowsGraph(log)
      try Self.expectSelfContained(ProcessMap(graph).svg())
      #expect(ProcessMap(graph).svg().contains("prefers-color-scheme:dark"))
    }
  }

  @Test func aLargeMapSaysWhatItLeavesOut() throws {
    let map = ProcessMap(DirectlyFollowsGraph(try Samples.wide()), options: .init(maximumActivities: 20, maximumArcs: 30))
    #expect(map.shown.count == 20)
    #expect(map.arrows.count >= 30)
    #expect(map.svg().contains("Shown: 20 of 26 activities, \(map.arrows.count) of \(map.arrowCount) arrows"))
    // Every activity that is shown is still on a way from the start, as far as the full picture has one.
    let reached = Set(map.arrows.map(\.to))
    for node in map.shown { #expect(reached.contains(.activity(node))) }
  }

  @Test func boxesAndLabelsOfAMapDoNotOverlap() throws {
    for log in [try Samples.linear(), try Samples.loops(), try Samples.wide()] {
      let graph = DirectlyFollowsGraph(log)
      var edges: [LayeredLayout.Edge] = []
      for arc in graph.arcs where arc.from != arc.to {
        edges.append(.init(from: arc.from, to: arc.to, weight: Double(arc.count), labelWidth: 80, labelHeight: 17))
      }
      let layout = LayeredLayout(vertices: graph.nodes.map { _ in .init(left: 60, right: 90, height: 44) }, edges: edges)
      var boxes = layout.centres.map { (left: $0.x - 60, right: $0.x + 90, top: $0.y - 22, bottom: $0.y + 22) }
      boxes += layout.routes.map { (left: $0.label.x - 40, right: $0.label.x + 40, top: $0.label.y - 8, bottom: $0.label.y + 8) }
      for (number, a) in boxes.enumerated() {
        #expect(a.left >= -0.001 && a.right <= layout.width + 0.001 && a.top >= -0.001 && a.bottom <= layout.height + 0.001)
        for b in boxes.dropFirst(number + 1) {
          #expect(a.right <= b.left + 0.001 || b.right <= a.left + 0.001 || a.bottom <= b.top + 0.001 || b.bottom <= a.top + 0.001)
        }
      }
      #expect(layout.routes.allSatisfy { zip($0.points, $0.points.dropFirst()).allSatisfy { $0.y <= $1.y } })
    }
  }

  @Test func mostEdgesPointDown() throws {
    // A cycle through start and end of a chain turns only its closing edge.
    let edges = (0..<9).map { LayeredLayout.Edge(from: $0, to: $0 + 1, weight: 10, labelWidth: 10, labelHeight: 10) }
    let back = LayeredLayout.Edge(from: 9, to: 0, weight: 3, labelWidth: 10, labelHeight: 10)
    let layout = LayeredLayout(vertices: (0..<10).map { _ in .init(left: 10, right: 10, height: 10) }, edges: edges + [back])
    #expect(layout.routes.map(\.pointsUp) == Array(repeating: false, count: 9) + [true])
  }

  @Test func durationsForPeople() {
    let table: [(Int64, String)] = [
      (0, "0 ms"), (999, "999 ms"), (1000, "1 s"), (61_000, "1 min 1 s"), (3_600_000, "1 h"), (7_260_000, "2 h 1 min"),
      (90_000_000, "1 d 1 h"),
      (864_000_000_000, "10000 d"), (-1500, "-1 s"),
    ]
    for (milliseconds, text) in table { #expect(durationText(milliseconds: milliseconds) == text) }
  }

  @Test func jsonHasAStableShape() throws {
    let log = try Samples.log(traces: ["ab"])
    #expect(
      DirectlyFollowsGraph(log).json.text()
        == #"{"cases": 1, "events": 2, "activities": [{"activity": "a", "count": 1, "starts": 1, "ends": 0}, "#
        + #"{"activity": "b", "count": 1, "starts": 0, "ends": 1}], "#
        + #""arcs": [{"from": "a", "to": "b", "count": 1, "duration": {"count": 1, "total_ms": 60000, "mean_ms": 60000, "#
        + #""median_ms": 60000, "p90_ms": 60000, "min_ms": 60000, "max_ms": 60000}}]}"#)
    #expect(Variants(log).json["variants"]?.arrayValue?.count == 1)
    #expect(HandOffs(log).json.text() == #"{"hand_offs": [], "unattributed": 1}"#)
    #expect(Bottlenecks(log).json["basis"] == "arcs")
  }
}
