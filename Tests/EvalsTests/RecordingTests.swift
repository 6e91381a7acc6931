import Core
import Evals
import Foundation
import PolicyEngine
import TestSupport
import Testing

@Suite struct RecordingTests {
  static func write(_ text: String, to path: String) throws { try text.write(toFile: path, atomically: true, encoding: .utf8) }

  /// All runs of a text, or the problem with it.
  static func read(_ text: String) throws -> [RecordedRuns.Run] {
    try withTemporaryDirectory { folder in
      try write(text, to: "\(folder)/runs.jsonl")
      let reader = try RecordedRuns(path: "\(folder)/runs.jsonl")
      var runs: [RecordedRuns.Run] = []
      while let run = try reader.next() { runs.append(run) }
      return runs
    }
  }

  @Test func bothFormsAreRead() throws {
    let runs = try Self.read(
      """
      {"id": "r1", "model": "m", "proposals": [{"i": 4, "tool": "pay", "args": {"amount": 1.10}, "consequential": true, "executed": false, \
      "output": "Error: no", "label_strength": "strong", "policy_violations": ["too much"]}, {"tool": "look", "args": null, "raw_arguments": "{}", \
      "output": "{\\"a\\": 1}"}]}

      {"id": "r2", "proposals": []}
      """)
    #expect(runs.map(\.id) == ["r1", "r2"])
    let first = try #require(runs[0].proposals.first)
    #expect(first.index == 4 && first.principal.id == "agent:m" && first.isConsequential && !first.wasExecuted)
    #expect(first.output == "Error: no")
    #expect(first.label == RecordedProposal.Label(strength: "strong", violations: ["too much"]))
    let second = runs[0].proposals[1]
    #expect(second.index == 1 && second.wasExecuted && second.output == ["a": 1])

    let tasks = try Self.read(
      #"{"id": "0", "actions": [{"i": 0, "tool": "pay", "args": {}, "consequential": true, "output": {"ok": true}, "error": null}]}"#)
    #expect(tasks[0].proposals.map(\.wasExecuted) == [true])
    #expect(try Self.read("").isEmpty)
  }

  struct Bad: Sendable {
    var text: String
    var line: Int
    var words: String
  }

  static let bad = [
    Bad(text: "{\"id\": \"a\", \"proposals\": []}\n{\"id\": ", line: 2, words: "found end of the text"),
    Bad(text: "\n\n[1]", line: 3, words: "needs either `proposals`"),
    Bad(text: "{\"proposals\": []}", line: 1, words: "`id` is missing"),
    Bad(text: "{\"id\": \"a\", \"proposals\": {}}", line: 1, words: "`proposals` is no array"),
    Bad(text: "{\"id\": \"a\", \"proposals\": [{\"args\": {}}]}", line: 1, words: "`proposals[0].tool` is missing"),
    Bad(
      text: "{\"id\": \"a\", \"actions\": [{\"tool\": \"t\", \"consequential\": 1}]}", line: 1,
      words: "`actions[0].consequential` is neither"),
    Bad(text: "{\"id\": \"a\", \"proposals\": []}\n{\"id\": \"b\", \"actions\": []}", line: 2, words: "those before it are `runs`"),
    Bad(text: "{\"id\": \"a\", \"id\": \"b\", \"proposals\": []}", line: 1, words: "id"),
  ]

  @Test(arguments: bad)
  func badLinesAreReportedWhereTheyAre(_ test: Bad) throws {
    do {
      _ = try Self.read(test.text)
      Issue.record("expected an error")
    } catch let error as Diagnostic {
      #expect(error.position?.line == test.line)
      #expect(error.message.contains(test.words), "\(error.message)")
      #expect("\(error)".contains("runs.jsonl:\(test.line):"))
    }
  }

  @Test func longLinesAndManyLinesAreReadWhole() throws {
    try withTemporaryDirectory { folder in
      let long = String(repeating: "x", count: 900_000)
      var text = ""
      for number in 0..<300 { text += "{\"n\": \(number), \"s\": \"\(number == 7 ? long : "y")\"}\n" }
      try Self.write(text, to: "\(folder)/lines")
      let lines = try JSONLines(path: "\(folder)/lines")
      var seen: [JSON] = []
      while let value = try lines.next() { seen.append(value) }
      #expect(seen.compactMap { $0["n"]?.intValue } == (0..<300).map { Int64($0) })
      #expect(seen[7]["s"]?.stringValue?.count == 900_000)
      #expect(lines.line == 300)
    }
  }

  @Test func whatIsNoRegularFileIsRefused() throws {
    try withTemporaryDirectory { folder in
      #expect(throws: Diagnostic.self) { try RecordedRuns(path: "\(folder)/none.jsonl") }
      #expect(throws: Diagnostic.self) { try RecordedRuns(path: folder) }
      try FileManager.default.createSymbolicLink(atPath: "\(folder)/link", withDestinationPath: "/etc/passwd")
      #expect(throws: Diagnostic.self) { try RecordedRuns(path: "\(folder)/link") }
    }
  }

  @Test func cataloguesAreChecked() throws {
    try withTemporaryDirectory { folder in
      let path = "\(folder)/tools.jsonl"
      func problem(_ text: String) -> String? {
        do {
          try Self.write(text, to: path)
          _ = try ToolCatalogue(path: path)
          return nil
        } catch { return "\(error)".replacing(folder, with: "") }
      }
      let good = #"{"name": "pay", "description": "Pays.", "parameters": {"type": "object"}, "consequential": true}"#
      #expect(problem(good) == nil)
      #expect(problem("\(good)\n\(good)") == "/tools.jsonl:2:1: there are two tools `pay`")
      #expect(problem(#"{"name": "pay"}"#) == "/tools.jsonl:1:1: the tool `pay` has no `parameters`")
      #expect(problem(#"{"parameters": {}}"#) == "/tools.jsonl:1:1: `name` is missing or no string")
      #expect(problem(#"{"name": "p y", "parameters": {}}"#)?.contains("U+0020") == true)
      #expect(
        problem(#"{"name": "pay", "parameters": {"type": "objekt"}}"#)?.hasPrefix("/tools.jsonl:1:1: `parameters` of `pay`: ") == true)
    }
  }
}
