import Core
import Foundation
import Glibc
import TestSupport
import Testing

@testable import App

@Suite struct ColourTests {
  static let cases: [(Bool, [String: String], Bool)] = [
    (true, [:], true),
    (false, [:], false),
    (true, ["NO_COLOR": "1"], false),
    (true, ["NO_COLOR": ""], true),
    (true, ["NO_COLOR": "1", "CLICOLOR_FORCE": "1"], false),
    (false, ["CLICOLOR_FORCE": "1"], true),
    (false, ["CLICOLOR_FORCE": "0"], false),
    (true, ["CLICOLOR": "0"], false),
    (true, ["TERM": "dumb"], false),
    (true, ["TERM": "xterm"], true),
  ]

  @Test(arguments: cases) func policy(_ isTerminal: Bool, _ variables: [String: String], _ expected: Bool) {
    #expect(Terminal.usesColour(isTerminal: isTerminal, Environment(variables)) == expected)
  }

  @Test func sizeComesFromTheEnvironmentWhereItIsSane() {
    #expect(Terminal.detect(Environment(["COLUMNS": "132", "LINES": "50"])).width == 132)
    #expect(Terminal.detect(Environment(["COLUMNS": "132", "LINES": "50"])).height == 50)
    #expect(Terminal.detect(Environment(["COLUMNS": "3"])).width == 20)
    for nonsense in ["0", "-1", "wide", "999999999"] { #expect(Terminal.detect(Environment(["COLUMNS": nonsense])).width >= 20) }
  }
}

@Suite struct ShownTests {
  @Test func interpolatedTextIsEscapedAndLiteralsStay() {
    let name = "a\u{1B}[31mb\nc"
    let line: Shown = "«\(name, .strong)» \(3)"
    #expect(line.plain == "«a\\u{1B}[31mb\\nc» 3")
    #expect(line.rendered(colour: false) == line.plain)
    #expect(line.rendered(colour: true) == "«\u{1B}[1ma\\u{1B}[31mb\\nc\u{1B}[0m» 3")
  }

  @Test func messagesKeepTheirLinesAndBackslashes() {
    #expect(Shown.message("unknown `a\\u{1B}`\nhint: \u{1B}[2J").map(\.plain) == ["unknown `a\\u{1B}`", "hint: \\u{1B}[2J"])
  }

  @Test func whatWasShownCanBeReadBack() {
    for text in Hostile.texts { #expect(bytesEqual(Hostile.read(Shown(text).plain), text), "\(Shown(text).plain)") }
  }

  @Test("T23 JSON on a screen is complete and acts on nothing; a program gets one line of it")
  func jsonOnAScreen() throws {
    for text in Hostile.texts {
      let json: JSON = ["vendor": .string(text)]
      for isTerminal in [true, false] {
        let output = Locked<[UInt8]>([])
        let console = Console(
          terminal: Terminal(outputIsTerminal: isTerminal), wantsJSON: true, output: .memory(output), words: .memory(Locked([])))
        #expect(console.write(CommandResult(json: json, lines: { _ in [] })) == .done)
        let printed = output.withLock { $0 }
        #expect(try JSON.parse(printed) == json)
        if isTerminal {
          let shown = String(decoding: printed, as: UTF8.self)
          #expect(
            bytesEqual(
              visible(shown.replacingOccurrences(of: "\\", with: ""), multiline: true), shown.replacingOccurrences(of: "\\", with: "")))
        } else {
          #expect(printed.count { $0 == UInt8(ascii: "\n") } == 1)
        }
      }
    }
  }

  @Test func cutPiecesJoinedAreTheText() {
    withSeeds { seed, random in
      let text = (0..<Int.random(in: 0...12, using: &random)).map { _ in Hostile.texts.randomElement(using: &random) ?? "" }.joined(
        separator: " ")
      let columns = Int.random(in: 4...40, using: &random)
      let shown = Shown(text)
      let pieces = shown.cut(to: columns)
      #expect(bytesEqual(pieces.map(\.plain).joined(), shown.plain), "SEED=\(seed)")
      #expect(pieces.allSatisfy { $0.width <= columns }, "SEED=\(seed)")
    }
  }

  @Test func wrappingDropsOnlySpacesAtBreaks() {
    withSeeds { seed, random in
      let words = (0..<Int.random(in: 1...30, using: &random)).map { _ in
        String(repeating: ["a", "é", "日", "🙂"].randomElement(using: &random) ?? "a", count: Int.random(in: 1...15, using: &random))
      }
      let columns = Int.random(in: 2...30, using: &random)
      let lines = Shown(words.joined(separator: " ")).wrapped(to: columns)
      #expect(lines.map(\.plain).joined().filter { $0 != " " } == words.joined(), "SEED=\(seed)")
      #expect(lines.allSatisfy { $0.width <= columns }, "SEED=\(seed)")
      if words.allSatisfy({ displayWidth($0) <= columns }) {
        #expect(lines.flatMap { $0.plain.split(separator: " ") }.map(String.init) == words, "SEED=\(seed): no word is broken")
      }
    }
  }
}

@Suite struct TableTests {
  private func table(_ rows: Int, note: String = "a note of some words") -> Table {
    var table = Table([.init("Id"), .init("Amount", .trailing), .init("Note", wraps: true)])
    for row in 0..<rows { table.add(["run-\(row)", "\(row * 1000)", Shown("\(note) \(row)")]) }
    return table
  }

  @Test func noRowsAreNoLines() { #expect(table(0).lines(width: 80).isEmpty) }

  @Test func oneRowIsAligned() {
    #expect(table(1).lines(width: 80).map(\.plain) == ["Id     Amount  Note", "run-0       0  a note of some words 0"])
  }

  @Test func twoHundredRowsAreAlignedAtEightyColumns() {
    let lines = table(200).lines(width: 80).map(\.plain)
    #expect(lines.count == 201)
    #expect(lines[200] == "run-199  199000  a note of some words 199")
    #expect(lines[1] == "run-0         0  a note of some words 0")
  }

  @Test func longCellsGoOnBelowAndNothingIsLost() {
    let note = (0..<60).map { "word\($0)" }.joined(separator: " ")
    let lines = table(2, note: note).lines(width: 80).map(\.plain)
    #expect(lines.allSatisfy { displayWidth($0) <= 80 })
    for word in 0..<60 { #expect(lines.contains { $0.contains("word\(word)") }) }
    #expect(lines[2].hasPrefix("               word"))
  }

  @Test func whereColumnsDoNotFitRowsBecomeCards() {
    var table = Table((0..<12).map { .init("Column \($0)") })
    table.add((0..<12).map { "value\($0)" })
    let lines = table.lines(width: 40).map(\.plain)
    #expect(lines.count == 12)
    #expect(lines[11] == "Column 11  value11")
  }

  @Test func wideAndHostileCellsKeepTheColumnsStraight() {
    var table = Table([.init("Name"), .init("Id")])
    for text in Hostile.texts { table.add([Shown(text), "id"]) }
    let lines = table.lines(width: 120)
    let column = lines[0].plain.range(of: "Id").map { displayWidth(String(lines[0].plain[..<$0.lowerBound])) }
    for line in lines.dropFirst() {
      #expect(line.plain.utf8.allSatisfy { $0 >= 0x20 })
      if let place = line.plain.range(of: "id", options: .backwards) {
        #expect(displayWidth(String(line.plain[..<place.lowerBound])) == column, "\(line.plain)")
      }
    }
  }
}

@Suite struct TimeTextTests {
  static let cases: [(Int64, String)] = [
    (0, "now"), (999, "now"), (-4200, "4.2 s ago"), (4000, "in 4 s"), (-59_999, "59 s ago"), (-185_000, "3 min 5 s ago"),
    (-1_500_000, "25 min ago"), (3_900_000, "in 1 h 5 min"), (-7_200_000, "2 h ago"), (183_600_000, "in 2 d 3 h"),
  ]

  @Test(arguments: cases) func relative(_ difference: Int64, _ expected: String) {
    let now = Instant(milliseconds: 1_800_000_000_000)
    #expect(Instant(milliseconds: now.milliseconds + difference).relativeText(to: now) == expected)
  }

  @Test func extremesDoNotTrap() {
    for moment in [Int64.min, .min + 1, 0, .max] {
      for now in [Int64.min, 0, .max] {
        #expect(!Instant(milliseconds: moment).relativeText(to: Instant(milliseconds: now)).isEmpty)
      }
    }
  }

  @Test func absoluteIsUTCToTheSecond() {
    #expect(Instant(milliseconds: 1_800_000_000_123).absoluteText == "2027-01-15 08:00:00Z")
  }

  @Test func sizes() {
    #expect(
      [0, 1, 999, 1000, 102_400, 3_400_000, 7_000_000_000].map(sizeText) == [
        "0 bytes", "1 byte", "999 bytes", "1.0 kB", "102.4 kB", "3.4 MB", "7.0 GB",
      ])
  }
}

/// Waits until the words hold a text, at most ten seconds.
private func wait(for text: String, in words: Locked<[UInt8]>, times: Int = 1) async throws {
  for _ in 0..<1000 {
    let shown = String(decoding: words.withLock { $0 }, as: UTF8.self)
    if shown.split(separator: text, omittingEmptySubsequences: false).count > times { return }
    try await Task.sleep(for: .milliseconds(10))
  }
  Issue.record("`\(text)` was not shown")
}

@Suite struct PromptTests {
  @Test func whatWasTypedBeforeTheQuestionIsNoAnswer() async throws {
    let terminal = try PseudoTerminal()
    let words = Locked<[UInt8]>([])
    terminal.type("KX7Q\nyes\nhalf a li")
    let answer = Task { try await blocking { try Prompt(input: terminal.terminal).ask("code: ", on: console(into: words)) } }
    try await wait(for: "code: ", in: words)
    try await Task.sleep(for: .milliseconds(50))
    terminal.type("fresh\n")
    #expect(try await answer.value == "fresh")
  }

  @Test func theEndOfTheInputIsNoAnswer() async throws {
    let terminal = try PseudoTerminal()
    let words = Locked<[UInt8]>([])
    let answer = Task { try await blocking { try Prompt(input: terminal.terminal).ask("code: ", on: console(into: words)) } }
    try await wait(for: "code: ", in: words)
    try await Task.sleep(for: .milliseconds(50))
    terminal.type("\u{4}")
    #expect(try await answer.value == nil)
  }

  @Test func withoutATerminalNobodyIsAsked() throws {
    let descriptor = open("/dev/null", O_RDONLY)
    defer { close(descriptor) }
    #expect(throws: CommandError.self) { try Prompt(input: descriptor).ask("code: ", on: console(into: Locked([]))) }
  }
}

@Suite struct PagerTests {
  private let lines = (0..<50).map { Shown("line \($0)") }

  @Test func shortTextsNeedNoKey() throws {
    let words = Locked<[UInt8]>([])
    #expect(try Pager(input: -1).show(Array(lines.prefix(22)), on: console(into: words)))
    #expect(words.withLock { $0 }.filter { $0 == 0x0A }.count == 22)
  }

  @Test func longTextsWithoutATerminalAreNotCountedAsSeen() {
    #expect(throws: CommandError.self) { try Pager(input: -1).show(lines, on: console(into: Locked([]))) }
  }

  @Test func spaceGoesToTheEnd() async throws {
    let terminal = try PseudoTerminal()
    let words = Locked<[UInt8]>([])
    terminal.type("   ")  // typed ahead: shows nothing
    let seen = Task { try await blocking { try Pager(input: terminal.terminal).show(lines, on: console(into: words)) } }
    try await wait(for: "28 more lines", in: words)
    try await Task.sleep(for: .milliseconds(50))
    #expect(!String(decoding: words.withLock { $0 }, as: UTF8.self).contains("line 22\n"))
    terminal.type(" ")
    try await wait(for: "6 more lines", in: words)
    try await Task.sleep(for: .milliseconds(50))
    terminal.type("\n")
    #expect(try await seen.value)
    #expect(String(decoding: words.withLock { $0 }, as: UTF8.self).contains("line 49\n"))
  }

  @Test func leavingEarlyIsNotHavingSeen() async throws {
    let terminal = try PseudoTerminal()
    let words = Locked<[UInt8]>([])
    let seen = Task { try await blocking { try Pager(input: terminal.terminal).show(lines, on: console(into: words)) } }
    try await wait(for: "28 more lines", in: words)
    try await Task.sleep(for: .milliseconds(50))
    terminal.type("q")
    #expect(try await !seen.value)
  }
}
