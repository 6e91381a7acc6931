import Core
import ProcessMining
import Testing

@testable import App

@Suite("Lists of suggestions")
struct SuggestionListTests {
  /// A process whose choice has that many branches that no run takes, with names nobody would want on a terminal.
  static func mined(_ dead: Int) -> MinedSuggestions {
    var history = ProcessHistory(process: "p", owner: "lead", runs: 900)
    let names = (0..<dead).map { "branch-\($0)\u{1B}[31m\u{202E}\n" + String(repeating: "long ", count: 30) }
    history.choices = [.init("route", branches: ["taken"] + names)]
    history.turns = (0..<900).map { .init(choice: "route", branch: "taken", entry: Int64($0)) }
    let result = SuggestionSearch().suggestions(in: history)
    return MinedSuggestions(
      suggestions: result.suggestions.map { .tested(process: "p\u{1B}[2J", $0) }, asked: result.asked)
  }

  @Test(arguments: [0, 1, 200])
  func aListOfAnyLengthFitsTheTerminalAndObeysNothing(_ count: Int) {
    let mined = Self.mined(count)
    #expect(mined.suggestions.count == count)
    let lines = mined.lines(width: 80, limit: 1000).map(\.plain)
    #expect(lines.count >= 3 * count && (count > 0 || lines.isEmpty))
    for line in lines + mined.suggestions.flatMap({ $0.text(width: 80).split(separator: "\n").map(String.init) }) {
      #expect(!line.unicodeScalars.contains { $0.value < 0x20 || $0 == "\u{202E}" }, "\(line)")
    }
    for line in lines { #expect(displayWidth(line) <= 80, "\(line)") }
    #expect(Set(mined.suggestions.map(\.id)).count == count, "ids are different")
    #expect(mined.lines(width: 80, limit: 1).count <= lines.count)
  }

  @Test func askingInVainIsSaid() {
    #expect(
      MinedSuggestions(asked: 5).lines(width: 80, limit: 9).map(\.plain) == [
        "nothing to suggest: 5 questions asked of the log, no answer beyond chance"
      ])
  }

  @Test func anIDIsTheSameForAnEarlySignAndForTheTestedSuggestion() throws {
    var history = ProcessHistory(process: "p", owner: "lead", runs: 400)
    history.rules = [["id": "big", "hold": "pay", "approval": ["roles": ["finance"]]]]
    history.features = [Feature("run.amount", .number)]
    func call(_ number: Int) -> ProcessHistory.Call {
      .init(
        run: number, proposer: "agent:a", tool: "pay", step: nil, basis: .held(["big"]), time: Int64(number),
        features: ["run.amount": .number(Double(number % 90))], decision: .init(.approvedUnchanged, by: "user:ana", at: Int64(number) + 5),
        entry: Int64(number))
    }
    history.calls = (0..<400).map(call)
    let tested = try #require(SuggestionSearch().suggestions(in: history).suggestions.first { $0.kind == .needlessHold })
    let holds = (0..<8).map {
      DecidedHold(rule: "big", tool: "pay", outcome: .approvedUnchanged, features: ["run.amount": .number(Double($0))], entry: Int64($0))
    }
    let findings = HoldAnalysis().findings(holds: holds, features: history.features, rules: history.rules)
    guard case .suggestion(let early)? = findings.first else {
      Issue.record("expected an early sign")
      return
    }
    let named = NamedSuggestion.early(NamedFinding(process: "p", finding: findings[0]), early)
    #expect(NamedSuggestion.tested(process: "p", tested).id == named.id)
    #expect(named.json["strength"] == "early" && NamedSuggestion.tested(process: "p", tested).json["strength"] == "tested")
    // What is tested is not listed a second time; what the test does not bear out is no sign any more.
    #expect(SuggestionSearch().untested(findings, in: history, besides: [tested]).isEmpty)
    guard case .nothing(_, _, _, _, .couldBeChance(tested: 400))? = SuggestionSearch().untested(findings, in: history, besides: []).first
    else {
      Issue.record("expected nothing")
      return
    }
    history.calls = (0..<8).map(call)
    guard case .suggestion? = SuggestionSearch().untested(findings, in: history, besides: []).first else {
      Issue.record("expected the early sign to stay")
      return
    }
  }
}
