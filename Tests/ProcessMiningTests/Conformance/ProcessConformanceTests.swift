import Core
import ProcessModel
import TestSupport
import Testing

@testable import ProcessMining

/// Runs beside the process that they began under.
@Suite struct ProcessConformanceTests {
  /// A process with every kind of block; its normal course is written beside each case below.
  static let source = """
    { process: "p", title: "P", owner: "role:r", purpose: "Test.",
      triggers: [{ form: "f", role: "r", fields: ["ok", "n"] }], fields: { ok: { type: "boolean" }, n: { type: "integer" } },
      steps: [
        { step: "ask", title: "Ask", role: "r" },
        { step: "extra", title: "Extra", role: "r", when: "run.n > 3" },
        { choose: [{ when: "run.ok", then: [{ step: "pay", title: "Pay", role: "r" }] },
                   { otherwise: [{ step: "refuse", title: "Refuse", role: "r" }] }], id: "which" },
        { parallel: [[{ step: "left", title: "Left", role: "r" }], [{ step: "right", title: "Right", role: "r" }]], id: "both" },
        { repeat: [{ step: "again", title: "Again", role: "r", form: ["n"] }], until: "run.n > 1", max: 3, id: "round" },
      ],
      on: [{ exception: "*", of: "ask", then: [{ step: "mend", title: "Mend", role: "r" }] }] }
    """

  static func definition() throws -> ProcessDefinition {
    try ProcessDefinition.load(Array(source.utf8), file: "p.json5").process
  }

  private func conformance(_ runs: [[String]], limit: Int = Aligner.defaultLimit) throws -> ProcessConformance {
    var builder = EventLogBuilder()
    for (place, steps) in runs.enumerated() {
      for (time, step) in steps.enumerated() { try builder.add(case: "r-\(place)", activity: step, at: Int64(place * 100 + time)) }
    }
    return ProcessConformance(builder.finish(), try Self.definition(), release: "0123456789abcdef", running: 2, cancelled: 1, limit: limit)
  }

  @Test(arguments: [
    ("ask pay left right again", []), ("ask extra refuse right left again again", []),
    ("ask pay left again", ["missing right"]), ("ask pay left right again ask", ["misplaced ask"]),
    ("mend pay left right again", ["handled mend", "missing ask"]), ("ask pay left right again lunch", ["unknown lunch"]),
  ]) func whatWasOtherwiseIsNamed(steps: String, expected: [String]) throws {
    let found = try conformance([steps.split(separator: " ").map(String.init)])
    #expect(found.deviations.map { "\($0.kind.rawValue) \($0.activity)" }.sorted() == expected)
    #expect(found.alignments.fitting == (expected.isEmpty ? 1 : 0))
  }

  @Test func runsAreCountedOnceAndTheMostFrequentStandsFirst() throws {
    let good = ["ask", "pay", "left", "right", "again"]
    let found = try conformance([good, good, ["ask", "ask", "ask"] + good.dropFirst(), good + ["lunch"], ["lunch"] + good])
    #expect(found.deviations.map(\.activity) == ["lunch", "ask"])
    #expect(found.deviations.map(\.runs) == [2, 1])
    #expect(found.deviations.first?.examples.sorted() == ["r-3", "r-4"])
    #expect(found.json["fitting"] == 2 && found.json["compared"] == 5 && found.json["running"] == 2)
    let text = found.text(width: 80)
    #expect(text.contains("2 of 5 completed runs kept to the process: 40.0 %"), "\(text)")
    #expect(text.contains("not compared: 2 runs going on, 1 cancelled"), "\(text)")
    #expect(found.text(width: 80, limit: 1).contains("… and 1 more deviation\n"))
  }

  @Test func aSearchThatGaveUpIsSaidAndNotCounted() throws {
    let found = try conformance([["ask", "right", "left", "lunch", "pay"]], limit: 1)
    #expect(found.alignments.gaveUp == 1 && found.alignments.aligned == 0)
    #expect(found.text().contains("1 more run so far from the process that the search gave up"))
    #expect(found.json["variants"]?.arrayValue?.first?["cost"] == .null)
  }

  @Test func hostileNamesAreShownAndNotObeyed() throws {
    let text = try conformance([["ask", "pay", "left", "right", "again", "\u{1b}[31mred\u{202e}"]]).text(width: 80)
    #expect(!text.unicodeScalars.contains { $0.value == 0x1b || $0.value == 0x202e }, "\(text)")
  }
}
