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
  static let kinds: [Suggestion.Kind] = [.needlessHold, .missingHold, .deadPath, .bottleneck, .slowHandOff]

  @Test(arguments: kinds)
  func aPlantedProblemIsFound(_ kind: Suggestion.Kind) throws {
    let count = Self.count ?? 10
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
    #expect(found * 10 >= count * 9, "\(kind.rawValue): \(found) of \(count)")
  }

  @Test func aCleanHistoryYieldsNothing() {
    let count = Self.count ?? 40
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
