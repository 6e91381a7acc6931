import Core
import ProcessModel
import TestSupport
import Testing

/// Files that are almost right: the loader refuses them with a place, or what it loads can be run.
@Suite("Loader, changed files")
struct LoaderFuzzTests {
  static let replacements: [JSON] = [
    .null, true, 0, -1, 1.5, "", "x", "run.vendor", "role:clerk", "*", "P2D", [], [[]], [:], ["step": "x", "role": "clerk"],
    .string(String(repeating: "a", count: 300)), "caf\u{E9}\u{202E}\u{0}",
  ]

  @Test(arguments: ["vendor-onboarding", "access-request", "invoice-routing", "monthly-close"])
  func everyChangeIsRefusedWithAPlaceOrCanBeRun(_ name: String) throws {
    let file = try PositionedJSON.parseJSON5(ExampleTests.file("Policies/\(name)/process.json5"), file: nil).json
    withSeeds(120) { seed, random in
      var changed = file
      for _ in 0..<Int.random(in: 1...3, using: &random) { changed = change(changed, &random) }
      let text = Array(changed.text(pretty: true).utf8)
      let first = outcome(text)
      #expect(outcome(text).problems == first.problems, "SEED=\(seed): loading is deterministic")
      for problem in first.problems {
        #expect(problem.position != nil, "SEED=\(seed): \(problem)")
        #expect(!problem.message.isEmpty && !problem.message.utf8.contains { $0 < 0x20 }, "SEED=\(seed): \(problem)")
      }
      guard let process = first.process else {
        #expect(first.problems.contains { $0.severity == .error }, "SEED=\(seed)")
        return
      }
      #expect(!process.outline().isEmpty)
      let start = RunCommand.start(run: "r", release: "x", requester: "user:rita", trigger: nil, fields: [:])
      do throws(RunRefusal) { _ = try process.decide(start, in: nil, now: Instant(milliseconds: 0)) } catch {
        #expect([.fieldMissing, .triggerUnknown].contains(error.code), "SEED=\(seed): \(error)")
      }
    }
  }

  private func outcome(_ text: [UInt8]) -> (process: ProcessDefinition?, problems: [Diagnostic]) {
    do throws(Diagnostics) {
      let loaded = try ProcessDefinition.load(text, file: "p.json5")
      return (loaded.process, loaded.warnings)
    } catch {
      return (nil, error.all)
    }
  }

  /// The value with one random place changed: replaced, removed, doubled or renamed.
  private func change(_ value: JSON, _ random: inout SeededGenerator) -> JSON {
    let isHere = Int.random(in: 0..<8, using: &random) == 0
    switch value {
    case .array(var elements) where !elements.isEmpty && !isHere:
      let place = Int.random(in: 0..<elements.count, using: &random)
      switch Int.random(in: 0..<10, using: &random) {
      case 0: elements.remove(at: place)
      case 1: elements.insert(elements[place], at: place)
      default: elements[place] = change(elements[place], &random)
      }
      return .array(elements)
    case .object(let object) where !object.isEmpty && !isHere:
      var members = object.map { ($0.key, $0.value) }
      let place = Int.random(in: 0..<members.count, using: &random)
      switch Int.random(in: 0..<12, using: &random) {
      case 0: members.remove(at: place)
      case 1: members[place].0 += "x"
      default: members[place].1 = change(members[place].1, &random)
      }
      return .object(JSONObject(members))
    default: return Self.replacements[Int.random(in: 0..<Self.replacements.count, using: &random)]
    }
  }
}
