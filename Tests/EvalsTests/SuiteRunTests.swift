import AgentRuntime
import Core
import Evals
import LLM
import TestSupport
import Testing

@Suite("suites of agents")
struct SuiteRunTests {
  @Test func aTrialGoesThroughTheGateAndSaysWhatBecameOfEachCall() async throws {
    try await withTemporaryDirectory { folder in
      let suite = try Claims.loaded()
      let results = try await SuiteRun(try Claims.runner(suite), repeats: 1).run(into: "\(folder)/r.jsonl")
      #expect(results.trials.map(\.outcome) == ["completed", "held", "completed"])
      #expect(results.trials.map(\.turns) == [2, 2, 2])
      let large = results.trials[1]
      #expect(large.answer == ["risk": "high"])
      #expect(
        large.calls.map { "\($0.tool) \($0.verdict)" }.sorted() == [
          "complete_step hold", "crm.lookup permit", "crm.lookup unusable", "mail.send forbid",
        ])
      #expect(large.calls.first { $0.tool == "mail.send" }?.rules == ["no-mail-about-much"])
      #expect(large.replies.count == 2 && large.inputTokens > 0)
      #expect(large.cost == Int64(large.inputTokens + 2 * large.outputTokens))
      let report = try SuiteReport(results, suite: suite)
      func mean(_ metric: Metric) -> Double? { report.averages.first { $0.metric == metric }?.mean }
      #expect(mean(.agreement) == 2.0 / 3 && mean(.ruleViolations) == 1.0 / 3 && mean(.schemaViolations) == 1.0 / 3)
      #expect(mean(.forbiddenAttempts) == 1.0 / 3 && mean(.turns) == 2)
      #expect(report.isGood && report.disagreements.map(\.sample) == ["wrong"])
    }
  }

  @Test func aStepThatAnExceptionEndedWasNotCompleted() async throws {
    try await withTemporaryDirectory { folder in
      let script = ScriptedModel(turns: [.call("raise_exception", ["code": "unclear", "text": "what is this?"])])
      let handler = #"on: [{ exception: "*", of: "classify", then: [], after: "end", id: "stop" }]"#
      let ending = Claims.process.dropLast(1) + "  \(handler),\n}"
      let model = AgentModel(client: script, model: "script", endpoint: AgentModel.scriptedEndpoint)
      let suite = try Claims.loaded(samples: String(Claims.samples.split(separator: "\n")[0]))
      let results = try await SuiteRun(try Claims.runner(suite, model, process: String(ending)), repeats: 1).run(into: "\(folder)/r.jsonl")
      #expect(results.trials.map(\.outcome) == ["ended"])
      #expect(try SuiteReport(results, suite: suite).averages.first { $0.metric == .agreement }?.mean == 0)
    }
  }

  @Test func aRunThatWasInterruptedGoesOnWithWhatIsMissing() async throws {
    try await withTemporaryDirectory { folder in
      let suite = try Claims.loaded()
      let path = "\(folder)/r.jsonl"
      let whole = try await SuiteRun(try Claims.runner(suite), repeats: 2).run(into: "\(folder)/whole.jsonl")
      // The fourth question is the second one of the second trial.
      let failing = SuiteRun(try Claims.runner(suite, Claims.model(failingAt: 4)), repeats: 2)
      await #expect(throws: SampleFailure.self) { try await failing.run(into: path) }
      var bytes = try RegularFile.read(path, maximumBytes: 1 << 20)
      #expect(try SuiteResults(path: path).trials.count == 1)
      // And a kill in the middle of a line.
      bytes += Array(#"{"sample": "lar"#.utf8)
      try RegularFile.writeAtomically(bytes, to: path)
      #expect(try SuiteResults(path: path).droppedBytes == 15)
      let asked = Locked(0)
      let rest = try await SuiteRun(try Claims.runner(suite, Claims.model(asked)), repeats: 2).run(into: path)
      #expect(asked.withLock { $0 } == 10 && rest.missing == 0)
      #expect(try RegularFile.read(path, maximumBytes: 1 << 20) == RegularFile.read("\(folder)/whole.jsonl", maximumBytes: 1 << 20))
      #expect(try SuiteResults(path: path).trials == whole.trials)
    }
  }

  @Test func resultsOfSomethingElseAreNotGoneOnWith() async throws {
    try await withTemporaryDirectory { folder in
      let suite = try Claims.loaded()
      _ = try await SuiteRun(try Claims.runner(suite), repeats: 1).run(into: "\(folder)/r.jsonl")
      let other = SuiteRun(try Claims.runner(suite, prompt: "Look closely.\n{{fields}}"), repeats: 1)
      let error = await #expect(throws: Diagnostics.self) { try await other.run(into: "\(folder)/r.jsonl") }
      #expect(error?.all.first?.code == "other-results" && error?.description.contains("prompt_digest") == true)
      #expect(try SuiteResults(path: "\(folder)/r.jsonl").trials.count == 3)
    }
  }

  @Test func recordedRepliesAnswerExactlyAndNothingElse() async throws {
    try await withTemporaryDirectory { folder in
      let suite = try Claims.loaded()
      let replies = "\(folder)/replies.jsonl"
      let live = try await SuiteRun(try Claims.runner(suite), repeats: 2).run(into: "\(folder)/live.jsonl", recording: replies)
      let recording = try ReplyRecording(path: replies)
      let again = SuiteRun(try Claims.runner(suite, recording.model), repeats: 2, recorded: recording)
      #expect(try await again.run(into: "\(folder)/again.jsonl").trials == live.trials)
      let changed = SuiteRun(
        try Claims.runner(suite, recording.model, prompt: "Look closely.\n{{fields}}"), repeats: 1, recorded: recording)
      let failure = await #expect(throws: SampleFailure.self) { try await changed.run(into: "\(folder)/changed.jsonl") }
      #expect(failure?.description.contains("changed since the recording was made") == true)
    }
  }

  @Test(arguments: [
    (#"{"id": "x", "fields": {"who": "Acme"}}"#, "does not come to the agent's step"),
    (#"{"id": "x", "fields": {"who": "Acme", "amount": 5}, "before": {"file": {"nota": "?"}}}"#, "`file`"),
    (#"{"id": "x", "fields": {"who": "Acme", "amount": 5}, "requester": "zoe"}"#, "does not come to the agent's step"),
  ])
  func aSampleThatDoesNotFitTheProcessIsNamed(line: String, words: String) async throws {
    try await withTemporaryDirectory { folder in
      let run = SuiteRun(try Claims.runner(try Claims.loaded(samples: line)), repeats: 1)
      let failure = await #expect(throws: SampleFailure.self) { try await run.run(into: "\(folder)/r.jsonl") }
      #expect(failure?.description.contains(words) == true, "\(failure?.description ?? "")")
    }
  }

  @Test func everyProblemOfASuiteIsSaidWithItsPlace() throws {
    let samples = """
      {"id": "a", "fields": {}, "expect": {"field": {}}}
      {"id": "a", "fields": [], "colour": 1}
      {"id": "b"
      {"id": "", "tools": {"x": 1}, "time": "soon"}
      """
    let suite = #"{ suite: "s", title: "t", process: "claims", stepp: "x", repeat: 0, never: [1], thresholds: { agrement: { min: 1 } } }"#
    let error = #expect(throws: Diagnostics.self) { try Claims.loaded(suite: suite, samples: samples) }
    let text = error?.description ?? ""
    for words in [
      "suite.json5:1:46", "`stepp`", "`step`, a text", "`repeat`", "never", "`agrement`", "samples.jsonl:1", "samples.jsonl:2", "twice",
      "`colour`", "samples.jsonl:3", "samples.jsonl:4", "`tools.x`", "`time`",
    ] { #expect(text.contains(words), "\(words) in\n\(text)") }
    #expect(throws: Diagnostics.self) { try Claims.loaded(samples: "\n\n") }
    #expect(throws: Diagnostics.self) { try AgentSuite(folder: "/nonexistent") }
  }

  @Test func brokenResultsAreRefusedWithTheLine() async throws {
    try await withTemporaryDirectory { folder in
      let path = "\(folder)/r.jsonl"
      _ = try await SuiteRun(try Claims.runner(try Claims.loaded()), repeats: 1).run(into: path)
      let text = String(decoding: try RegularFile.read(path, maximumBytes: 1 << 20), as: UTF8.self)
      let lines = text.split(separator: "\n").map(String.init)
      func problem(_ lines: [String]) -> String {
        do throws(Diagnostics) {
          _ = try SuiteResults(Array((lines.joined(separator: "\n") + "\n").utf8), file: "r.jsonl")
          return ""
        } catch { return error.description }
      }
      #expect(problem(lines) == "")
      #expect(problem([lines[0], lines[1], lines[1]]).contains("r.jsonl:3"))
      #expect(problem([lines[0], "{", lines[1]]).contains("r.jsonl:2"))
      #expect(problem([lines[0], lines[1].replacing(#""turns": 2"#, with: #""turns": -2"#)]).contains("no trial"))
      #expect(problem([lines[1]]).contains("no header"))
      #expect(throws: Diagnostics.self) { try SuiteResults(Array(lines[0].utf8), file: "r.jsonl") }
    }
  }

  @Test func resultsAreScoredAgainByCorrectedDecisions() async throws {
    try await withTemporaryDirectory { folder in
      let results = try await SuiteRun(try Claims.runner(try Claims.loaded()), repeats: 1).run(into: "\(folder)/r.jsonl")
      let either = Claims.samples.replacing(#"{"risk": "high"}}}"#, with: #"{"risk": {"any": ["high", "low"]}}}}"#)
      let corrected = try Claims.loaded(samples: either)
      #expect(try SuiteReport(results, suite: corrected).averages.first { $0.metric == .agreement }?.mean == 1)
      let fewer = try Claims.loaded(samples: String(Claims.samples.split(separator: "\n")[0]))
      let error = #expect(throws: Diagnostics.self) { try SuiteReport(results, suite: fewer) }
      #expect(error?.all.first?.code == "sample-missing")
    }
  }
}
