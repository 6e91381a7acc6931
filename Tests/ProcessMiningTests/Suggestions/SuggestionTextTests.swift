import Core
import Testing

@testable import ProcessMining

@Suite struct SuggestionTextTests {
  /// A choice of two branches, one of which nobody takes; names as they come.
  static func deadPath(_ branch: String) -> ProcessHistory {
    var history = ProcessHistory(process: "p", owner: "lead", runs: 300)
    history.choices = [.init("route", branches: ["a", branch])]
    history.turns = (0..<300).map { .init(choice: "route", branch: "a", entry: Int64(1000 - $0)) }
    return history
  }

  @Test func aSuggestionShowsWhatSpeaksForItAndWhatToChange() throws {
    let suggestion = try #require(SuggestionSearch().suggestions(in: Self.deadPath("b")).suggestions.first)
    #expect(
      suggestion.text() == """
        dead path: choice `route`, branch `b`: 0 of 300 (0.0 %) of the runs that came to
        the choice took this branch

        sample    0 of 300, 0.0 %
        interval  0.0 % to 1.3 %, with 95 % confidence
        limit     3.0 %: a share below it is worth a change
        chance    0.0215 % that a log without problems looks like this, all questions
                  counted
        evidence  #701, #702, #703, #704, #705, #706, #707, #708, #709, #710 … and 290
                  more
        against   none
        effect    0.0 to 1.3 in 100 runs: runs that would have to go another way
        risk      the branch may be there for something rare; its condition, and what is
                  to happen then, need another place

        change of the process:
        - choice route: branch b

        """)
  }

  @Test func theSuggestionIsWholeInJSON() throws {
    let suggestion = try #require(SuggestionSearch().suggestions(in: Self.deadPath("b")).suggestions.first)
    let json = suggestion.json
    #expect(json["kind"]?.stringValue == "dead-path")
    #expect(json["subject"] == ["choice": "route", "branch": "b"])
    #expect(json["evidence"]?["count"] == 0 && json["evidence"]?["total"] == 300)
    #expect(json["evidence"]?["support"]?.arrayValue?.count == Suggestion.Evidence.limit)
    #expect(json["evidence"]?["support_count"] == 300)
    #expect(
      json["change"] == [
        "target": "process", "type": "remove-branch", "choice": "route", "branch": "b", "diff": "- choice route: branch b",
      ])
  }

  @Test func hostileNamesAreShownAndNotObeyed() throws {
    let suggestion = try #require(SuggestionSearch().suggestions(in: Self.deadPath("b\u{1B}[31m\u{202E}\nx")).suggestions.first)
    #expect(!suggestion.text().unicodeScalars.contains { $0 == "\u{1B}" || $0 == "\u{202E}" })
    #expect(suggestion.text().contains("\n- choice route: branch b"))
    #expect(!suggestion.summary.unicodeScalars.contains { $0.value < 0x20 })
  }

  @Test(arguments: [0, 1, 29])
  func tooLittleIsNotAskedAbout(_ runs: Int) {
    var history = Self.deadPath("b")
    history.runs = runs
    history.turns = Array(history.turns.prefix(runs))
    let result = SuggestionSearch().suggestions(in: history)
    #expect(result.suggestions.isEmpty && result.asked == 0)
  }

  @Test func whatAControlCountsOnStays() {
    var history = Self.deadPath("b")
    history.choices = [.init("route", branches: ["a", "b"], controlled: ["b"])]
    #expect(SuggestionSearch().suggestions(in: history).suggestions.isEmpty)
  }
}
