import Core
import Foundation
import TestSupport
import Testing

@testable import ProcessMining

/// Planted problems are found, and where nothing is planted nothing is found.
///
/// `REMIT_PLANTED_LOGS=200` makes as many histories of each kind, and prints the figures.
@Suite struct SuggestionSearchTests {
  static let count = ProcessInfo.processInfo.environment["REMIT_PLANTED_LOGS"].flatMap { Int($0) }

  @Test(arguments: Suggestion.Kind.allCases)
  func aPlantedProblemIsFound(_ kind: Suggestion.Kind) throws {
    let count = Self.count ?? 5
    var found = 0
    var besides: [String: Int] = [:]
    for seed in 1...UInt64(count) {
      let planted = PlantedHistory(seed: seed, problem: kind)
      let expected = try #require(planted.expected)
      let suggestions = SuggestionSearch().suggestions(in: planted.history).suggestions
      if suggestions.contains(where: { $0.kind == expected.kind && $0.subject == expected.subject }) { found += 1 }
      for other in suggestions where other.kind != expected.kind || other.subject != expected.subject {
        besides["\(other.kind.rawValue) \(other.subject.map(\.name))", default: 0] += 1
      }
    }
    if Self.count != nil { print("\(kind.rawValue): \(found) of \(count) found; besides: \(besides.sorted { $0.key < $1.key })") }
    // Of a few, one may be missed; of many, one in ten.
    #expect(found * 10 >= count * (count < 50 ? 8 : 9), "\(kind.rawValue): \(found) of \(count)")
  }

  /// What each kind would change, by its target and the beginnings of its lines.
  static let changes: [(kind: Suggestion.Kind, target: String, lines: [String])] = [
    (.needlessHold, "rules", ["- { id: \"large\", hold", "+ { id: \"large\", hold", "+ { id: \"large-unattended\", permit: \"erp.pay\""]),
    (.missingHold, "rules", ["+ { id: \"erp-book-settle-reviewed\", hold: \"erp.book\", by: \"agent:*\", step: \"settle\", "]),
    (.deadPath, "process", ["- choice route: branch "]), (.bottleneck, "staffing", ["+ role:"]),
    (.slowHandOff, "staffing", ["+ role:manager: somebody named for what comes from role:"]),
    (.reworkLoop, "process", ["+ after step intake: a check by role:manager"]),
    (.missingEvidence, "process", ["+ step intake: evidence: [{ name: \"contract\" }]"]), (.unusedStep, "process", ["- step notify"]),
    (.skippedStep, "process", ["- step archive"]),
    (
      .driftedDocument, "documents",
      ["- policy.md, step intake: done by role:clerk", "+ policy.md, step intake: done by role:assistant"]
    ),
    (.allowanceToGrant, "allowances", ["+ allowance: agent:sender may call mail.send at step notify-customer when "]),
    (.allowanceToWithdraw, "allowances", ["- allowance al-1"]),
    (.overloadedReviewer, "staffing", ["- user:", "+ everybody who may decide"]),
    (.repeatedRejection, "documents", ["+ Prompts/write-draft, step write: people reject such calls: "]),
  ]

  @Test(arguments: changes)
  func eachKindSaysWhatToChange(_ row: (kind: Suggestion.Kind, target: String, lines: [String])) throws {
    let planted = PlantedHistory(seed: 4, problem: row.kind)
    let expected = try #require(planted.expected)
    let found = SuggestionSearch().suggestions(in: planted.history).suggestions
    let suggestion = try #require(found.first { $0.kind == expected.kind && $0.subject == expected.subject })
    let lines = suggestion.change.diff.split(separator: "\n").map(String.init)
    #expect(suggestion.change.target == row.target)
    #expect(lines.count == row.lines.count && zip(lines, row.lines).allSatisfy { $0.hasPrefix($1) }, "\(lines)")
    #expect(suggestion.json["change"]?["diff"]?.stringValue == suggestion.change.diff)
    #expect(suggestion.effect.low <= suggestion.effect.high && suggestion.effect.high > 0, "\(suggestion.effect)")
    #expect(suggestion.evidence.supportCount > 0 && suggestion.chance <= SuggestionSearch().falseAlarms)
    for line in suggestion.text(width: 80).split(separator: "\n\nchange of")[0].split(separator: "\n") {
      #expect(displayWidth(String(line)) <= 80, "\(line)")
    }
  }

  @Test func theSameHistoryInAnyOrderGivesTheSameSuggestions() {
    withSeeds(3) { seed, random in
      var history = PlantedHistory(seed: seed, problem: .overloadedReviewer).history
      let before = SuggestionSearch().suggestions(in: history).suggestions.map { $0.json.text() }
      history.calls.shuffle(using: &random)
      history.visits.shuffle(using: &random)
      history.returns.shuffle(using: &random)
      history.turns.shuffle(using: &random)
      #expect(SuggestionSearch().suggestions(in: history).suggestions.map { $0.json.text() } == before, "SEED=\(seed)")
      #expect(!before.isEmpty)
    }
  }

  @Test func aCleanHistoryYieldsNothing() {
    let count = Self.count ?? 30
    var noisy: [String] = []
    for seed in 1...UInt64(count) {
      let planted = PlantedHistory(seed: 1_000_000 + seed, problem: nil)
      let result = SuggestionSearch().suggestions(in: planted.history)
      #expect(result.asked > 10, "too little was asked for the silence to mean anything")
      if let first = result.suggestions.first { noisy.append("\(seed): \(first.summary)") }
    }
    if Self.count != nil { print("clean: \(noisy.count) of \(count) with any suggestion \(noisy)") }
    #expect(noisy.count * 20 <= count, "\(noisy)")
  }
}
