import CEL
import Core
import Foundation
import TestSupport
import Testing

@testable import App

@Suite struct PolicyTryTests {
  /// Pipes lines through the built program.
  private func piped(_ lines: String) throws -> (exit: Int32, output: [String], words: String) {
    try withTemporaryDirectory { folder in
      try lines.write(toFile: "\(folder)/in.jsonl", atomically: true, encoding: .utf8)
      let process = Process()
      process.executableURL = URL(fileURLWithPath: Session.program)
      process.arguments = ["policy", "try", "--jsonl", "-"]
      process.standardInput = FileHandle(forReadingAtPath: "\(folder)/in.jsonl")
      for name in ["out", "err"] { _ = FileManager.default.createFile(atPath: "\(folder)/\(name)", contents: nil) }
      process.standardOutput = FileHandle(forWritingAtPath: "\(folder)/out")
      process.standardError = FileHandle(forWritingAtPath: "\(folder)/err")
      try process.run()
      process.waitUntilExit()
      let output = try String(contentsOfFile: "\(folder)/out", encoding: .utf8)
      return (
        process.terminationStatus, output.split(separator: "\n").map(String.init),
        try String(contentsOfFile: "\(folder)/err", encoding: .utf8)
      )
    }
  }

  private static let core = [
    "basic", "comparisons", "conversions", "fields", "fp_math", "integer_math", "lists", "logic", "macros", "namespace", "parse",
    "plumbing", "string", "timestamps",
  ]
  private static let extensions = ["bindings_ext", "encoders_ext", "macros2", "math_ext", "optionals", "string_ext"]

  /// The cases whose expected value was garbled when the suite was converted (see the tests of the language).
  private static let garbled = ["triple_single_quoted_unescaped_punctuation", "triple_double_quoted_unescaped_punctuation"]

  @Test(.enabled(if: Conformance.isPresent, "\(Conformance.absent)"), arguments: [(core, 1089, 2), (extensions, 528, 0)])
  func theConformanceFilesGoThroughTheCommand(_ files: [String], _ count: Int, _ corrected: Int) throws {
    let cases = try files.flatMap { try Conformance.lines("cel/\($0).jsonl") }.filter { $0["needs_proto"] == false }
    #expect(cases.count == count)
    let (exit, output, words) = try piped(cases.map { $0.text() + "\n" }.joined())
    #expect(exit == 0 && words == "", "\(words)")
    #expect(output.count == count)
    var missed: [String] = []
    for (test, line) in zip(cases, output) {
      let answer = try JSON.parse(Array(line.utf8))
      let name = test["name"]?.stringValue ?? ""
      let passed: Bool
      if let expected = test["value"] {
        passed = answer["error"] == nil ? try CELValue(tagged: answer) == CELValue(tagged: expected) : false
      } else {
        passed = test["check_only"] == true ? answer["type"] != nil : answer["error"] != nil
      }
      if !passed { missed.append(name) }
      if !passed, !Self.garbled.contains(name) { Issue.record("\(name): \(test["expr"]?.text() ?? "") gave \(line)") }
    }
    print("policy try: \(count - missed.count) of \(count) as expected")
    #expect(missed.count == corrected)
  }

  /// Only `expr` and `bindings`, as a person would write them.
  @Test func everyLineIsAnsweredOnItsOwn() throws {
    let (exit, output, words) = try piped(
      """
      {"expr": "x + 1", "bindings": {"x": {"int": "1"}}}
      {"expr": "1 / 0"}

      {"expr": "1 +", "bindings": {}}
      {"expr": "nobody || true"}
      not json
      {"bindings": {}}
      {"expr": "x", "bindings": {"x": {"int": 1.5}}}
      {"expr": "x.y", "bindings": {"x": {"value": {"map": [[{"string": "y"}, {"list": [{"null": null}]}]]}}}}
      {"expr": "[timestamp('2026-01-01T10:00:00Z').getHours('Europe/Berlin'), 1u, b'a', type(1), optional.of(1), duration('90s')]"}
      {"expr": "1.0 / 0.0"}
      """)
    #expect(exit == 1)
    #expect(words == "3 lines could not be read as requests\n")
    let expected = [
      #"{"int": "2"}"#, #"{"error": "division by zero"}"#, nil, #"{"bool": true}"#, nil, nil, nil, #"{"list": [{"null": null}]}"#,
      #"{"list": [{"int": "11"}, {"uint": "1"}, {"bytes": "YQ=="}, {"type": "int"}, {"optional": {"int": "1"}}, {"duration": "90s"}]}"#,
      #"{"double": "Infinity"}"#,
    ]
    #expect(output.count == expected.count)
    for (line, wanted) in zip(output, expected) {
      if let wanted { #expect(line == wanted) } else { #expect(line.hasPrefix(#"{"error": ""#)) }
    }
    #expect(output[4].hasPrefix(#"{"error": "line 6"#), "the line with the text that is no JSON is named: \(output[4])")
    #expect(output[5] == #"{"error": "line 7: an object with `expr`, a text, is needed"}"#)
    #expect(output[6].contains("line 8: binding `x`"))
  }

  @Test func oneExpressionShowsItsTypeValueAndCost() async throws {
    try await withTemporaryDirectory { folder in
      let file = "\(folder)/values.json"
      try "{ run: { amount: 24000, papers: ['contract'] } }".write(toFile: file, atomically: true, encoding: .utf8)
      func run(_ words: String...) async -> Transcript {
        await transcript(["policy", "try"] + words + ["--with", file], commands: .remit)
      }
      let shown = await run("run.amount <= 10000.0")
      #expect(shown.exit == 0)
      #expect(shown.output.hasPrefix("value  false\ntype   bool\ncost   3 steps of 100000; 3 to "), "\(shown.output)")
      let json = try await run("run.papers.map(p, p + '!')", "--json").json()
      #expect(json["type"] == "list(string)")
      #expect(json["json"] == ["contract!"])
      #expect(json["value"] == ["list": [["string": "contract!"]]])
      let cost = try #require(json["cost"])
      #expect(cost["limit"] == 100_000)
      let (steps, minimum, maximum) = (cost["steps"]?.intValue ?? 0, cost["minimum"]?.intValue ?? 0, cost["maximum"]?.intValue ?? 0)
      #expect(minimum > 3 && steps >= minimum && maximum > 200 * 3, "\(cost.text())")
    }
  }

  static let mistakes: [(expression: String, exit: ExitCode, code: String)] = [
    ("run.amount <=", .usage, "cel-syntax"), ("amount > 1", .usage, "unknown-name"), ("run.amont > 1", .failed, "no-value"),
    ("1 / (run.amount - run.amount)", .failed, "division-by-zero"), ("'a' < 1", .usage, "cel-no-overload"),
  ]

  @Test(arguments: mistakes) func aMistakeIsShownWithItsPlace(_ expression: String, _ exit: ExitCode, _ code: String) async throws {
    try await withTemporaryDirectory { folder in
      let file = "\(folder)/values.json"
      try #"{"run": {"amount": 24000}}"#.write(toFile: file, atomically: true, encoding: .utf8)
      let shown = await transcript(["policy", "try", expression, "--with", file], commands: .remit)
      #expect(shown.exit == exit.rawValue && shown.output == "")
      #expect(shown.words.hasPrefix("  \(expression)\n") && shown.words.contains("^\n"), "\(shown.words)")
      let json = try await transcript(["policy", "try", expression, "--with", file, "--json"], commands: .remit).json()
      #expect(json["error"]?["code"]?.stringValue == code, "\(json.text())")
    }
  }

  @Test func whatDoesNotBelongTogetherIsRefused() async {
    for words in [[], ["1", "--jsonl", "-"], ["--jsonl", "-", "--with", "x"], ["1", "--with", "Package.swift"]] {
      #expect(await transcript(["policy", "try"] + words, commands: .remit).exit != 0, "\(words)")
    }
  }
}
