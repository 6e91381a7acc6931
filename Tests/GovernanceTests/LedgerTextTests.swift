import Core
import TestSupport
import Testing

@testable import Audit
@testable import Governance

/// Verification folds entries whose bodies are canonical text, the service such as are trees: both give the same state or the same refusal.
@Suite struct LedgerTextTests {
  /// An entry with another body.
  static func entry(_ entry: Entry, _ body: JSONView) -> Entry {
    Entry(
      index: entry.index, time: entry.time, type: entry.type, run: entry.run, principal: entry.principal, release: entry.release,
      bodyView: body, content: entry.content, evidence: entry.evidence, leaf: entry.leaf)
  }

  /// What folding an entry into a run gives, in words.
  static func outcome(_ entry: Entry, _ run: RunRecord?) -> String {
    var run = run
    do {
      try GovernanceLedger.apply(entry, to: &run)
      var words = ""
      dump(run, to: &words)
      return words
    } catch {
      return "refused: \(error)"
    }
  }

  /// The body, without each of its members in turn and with other values in their places, two levels down.
  static func variants(of body: JSONObject, _ levels: Int = 2) -> [JSONObject] {
    var all = [body]
    for (key, value) in body {
      for other: JSON? in [nil, .null, true, 0, "x", [], [:]] {
        var changed = body
        changed[key] = other
        all.append(changed)
      }
      guard levels > 1 else { continue }
      for inner in value.objectValue.map({ variants(of: $0, levels - 1) }) ?? [] {
        var changed = body
        changed[key] = .object(inner)
        all.append(changed)
      }
    }
    return all
  }

  @Test func aBodyFoldsAlikeAsTextAndAsTree() async throws {
    try await withTemporaryDirectory { folder in
      let bench = try await Workbench(folder)
      try await bench.prepare()
      let run = try await bench.assessed(amount: 500)
      let held = try await bench.proposePayment(run)
      _ = try await bench.gate.decide(held.proposal, .approve, by: Workbench.person("ben"), digest: held.digest)
      _ = try await bench.runner.run(held.proposal, in: run)
      let history = try await bench.gate.store.read { try $0.history(of: run) }
      #expect(Set(history.map(\.type)).count == 4)
      var (taken, refused) = (0, 0)
      var state: RunRecord?
      for entry in history {
        for body in Self.variants(of: entry.body) {
          let tree = Self.outcome(Self.entry(entry, JSONView(.object(body))), state)
          let text = Self.outcome(Self.entry(entry, try JSONView.parse(try JSON.object(body).canonicalBytes())), state)
          #expect(text == tree, "\(entry.type) \(JSON.object(body).text())")
          if tree.hasPrefix("refused") { refused += 1 } else { taken += 1 }
        }
        try GovernanceLedger.apply(entry, to: &state)
      }
      #expect(taken > 100 && refused > 100, "\(taken) \(refused)")
    }
  }
}
