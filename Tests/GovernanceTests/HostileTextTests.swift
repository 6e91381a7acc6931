import Audit
import Core
import Governance
import PolicyEngine
import ProcessModel
import TestSupport
import Testing

@Suite("Hostile text")
struct HostileTextTests {
  @Test("T33 the published naughty strings pass through every text field and come back byte for byte", .enabled(if: Conformance.isPresent))
  func naughty() async throws {
    let strings = try #require(try JSON.parse(try Conformance.bytes("vectors/naughty/blns.json")).arrayValue?.compactMap(\.stringValue))
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.start()
      for (index, text) in strings.enumerated() where !text.isEmpty && !text.utf8.contains(0) {
        let target = index % 20 == 0 ? try await bench.start() : run
        var proposal = bench.person("ana", "comment", ["text": .string(text)], run: target)
        proposal.reason = text
        let outcome = try await bench.gate.submit(proposal)
        #expect(outcome.verdict == .permit, "\(visible(text)): \(outcome.refusal?.message ?? "")")
        let stored = try await bench.state(target).state.comments.last?.text ?? ""
        #expect(bytesEqual(stored, text))
        // As names of things that do not exist: refused, recorded, nothing broken.
        for refused in [
          bench.person("ana", text, [:], run: target), bench.person("ana", "comment", ["text": "x"], run: text),
          bench.agent("comment", ["text": "x"], run: target, step: text), bench.agent("comment", [text: "x"], run: target),
        ] {
          #expect(try await bench.gate.submit(refused).verdict == .forbid, "\(visible(text))")
        }
      }
      try await bench.expectVerified()
    }
  }
}
