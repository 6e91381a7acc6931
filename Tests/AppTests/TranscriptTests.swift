import Core
import Foundation
import TestSupport
import Testing

@testable import App

/// Sessions with the built program, as a person types them, compared line by line with what is written in `Tests/Transcripts`.
///
/// In a transcript `$ ` begins a command, `! ` a line of standard error, `? ` an exit code other than 0. Ids, digests, times and the
/// account are replaced by names (`<run 1>`), which commands may use. `RECORD=1` writes the files anew.
@Suite struct TranscriptTests {
  @Test(arguments: ["first-run", "approval", "mistakes"]) func session(_ name: String) async throws {
    let path = "\(Session.folder)/\(name).txt"
    let expected = try String(contentsOfFile: path, encoding: .utf8)
    let actual = try withTemporaryDirectory { folder in
      var session = try Session(folder)
      return try session.play(expected)
    }
    if ProcessInfo.processInfo.environment["RECORD"] != nil {
      try actual.write(toFile: path, atomically: true, encoding: .utf8)
      return
    }
    let (want, got) = (
      expected.split(separator: "\n", omittingEmptySubsequences: false), actual.split(separator: "\n", omittingEmptySubsequences: false)
    )
    for (line, (a, b)) in zip(want, got).enumerated() where Self.shape(a) != Self.shape(b) {
      Issue.record("\(name).txt:\(line + 1)\nexpected: \(a)\ngot:      \(b)")
      break
    }
    #expect(want.count == got.count)
  }

  /// A line without the widths of its columns, which follow from how long things took.
  private static func shape(_ line: Substring) -> String {
    var result = ""
    for character in line where !((character == " " || character == "-") && result.last == character) { result.append(character) }
    return result
  }
}

/// The built program, run in a workspace of its own.
struct Session {
  static let folder = #filePath.split(separator: "/").dropLast(2).map { "/" + $0 }.joined() + "/Transcripts"
  static let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
  /// The program lies where the tests were built.
  static let program = Bundle.main.bundlePath.hasSuffix(".xctest") ? Bundle.main.bundlePath + "/../remit" : besideTests

  private static var besideTests: String {
    let executable = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    // The runner may be the tests themselves or the toolchain's helper, which is given the tests' path.
    let candidates = [executable] + CommandLine.arguments
    for candidate in candidates {
      let folder = candidate.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
      if FileManager.default.isExecutableFile(atPath: "\(folder)/remit") { return "\(folder)/remit" }
    }
    return "\(root)/.build/debug/remit"
  }

  let workspace: String
  private var names: [(text: String, name: String)] = []
  private var digests: [(proposal: String, digest: String)] = []

  init(_ workspace: String) throws {
    self.workspace = workspace
    for folder in ["Policies", "Prompts", "Evals"] {
      try FileManager.default.copyItem(atPath: "\(Self.root)/\(folder)", toPath: "\(workspace)/\(folder)")
    }
    try #"{ models: { default: { script: "analyst" } } }"#.write(toFile: "\(workspace)/remit.json5", atomically: true, encoding: .utf8)
    try "%PDF-1.4\nA contract.\n".write(toFile: "\(workspace)/contract.pdf", atomically: true, encoding: .utf8)
  }

  /// Plays the commands of a transcript and writes it again with what they print now.
  mutating func play(_ transcript: String) throws -> String {
    var lines: [String] = []
    for line in transcript.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("# ") { lines.append(String(line)) }
      guard line.hasPrefix("$ ") else { continue }
      lines += ["", String(line)]
      let result = try run(shellWords(try resolved(String(line.dropFirst(2)))))
      lines += normal(result.output).map { $0.isEmpty ? "" : "  \($0)" }
      lines += normal(result.words).map { "! \($0)" }
      if result.exit != 0 { lines.append("? \(result.exit)") }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Runs the program without a terminal.
  func run(_ words: [String]) throws -> Transcript {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Self.program)
    process.arguments = Array(words.dropFirst())
    process.currentDirectoryURL = URL(fileURLWithPath: workspace)
    process.environment = ["PATH": "/usr/bin:/bin", "COLUMNS": "120", "HOME": workspace]
    if words.dropFirst().first == "demo" {
      process.environment?["REMIT_WORKSPACE"] = words.contains("--json") ? "\(workspace)/demo" : workspace
    } else if FileManager.default.fileExists(atPath: "\(workspace)/demo") {
      process.environment?["REMIT_WORKSPACE"] = "\(workspace)/demo"
    }
    process.standardInput = FileHandle.nullDevice
    let (output, words) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = words
    try process.run()
    let collected = Locked<[UInt8]>([])
    let reader = Thread { collected.withLock { $0 = Array(words.fileHandleForReading.readDataToEndOfFile()) } }
    reader.start()
    let bytes = Array(output.fileHandleForReading.readDataToEndOfFile())
    process.waitUntilExit()
    while !reader.isFinished { usleep(1000) }
    return Transcript(
      exit: process.terminationStatus, output: String(decoding: bytes, as: UTF8.self),
      words: String(decoding: collected.withLock { $0 }, as: UTF8.self))
  }

  // MARK: Names for what differs

  /// A command line with the real ids in place of their names.
  private func resolved(_ line: String) throws -> String {
    var line = line
    for (text, name) in names { line = line.replacingOccurrences(of: "<digest of \(name)>", with: digest(of: text)) }
    for (text, name) in names { line = line.replacingOccurrences(of: "<\(name)>", with: text) }
    return line
  }

  private func digest(of proposal: String) -> String {
    let shown = try? run(["remit", "approval", "show", proposal, "--json"]).json()
    return shown?["digest"]?.stringValue ?? "unknown"
  }

  private mutating func normal(_ text: String) -> [String] {
    var text = text.hasSuffix("\n") ? String(text.dropLast()) : text
    if text.isEmpty { return [] }
    for match in text.matches(of: /\b([rp])-[0-9a-z]{16,19}\b/) where !names.contains(where: { $0.text == match.0 }) {
      let kind = match.1 == "r" ? "run" : "proposal"
      names.append((String(match.0), "\(kind) \(names.count { $0.name.hasPrefix(kind) } + 1)"))
    }
    for (id, name) in names { text = text.replacingOccurrences(of: id, with: "<\(name)>") }
    text = text.replacingOccurrences(of: workspace, with: "<workspace>")
    text = text.replacingOccurrences(of: "user:\(Account.current)", with: "user:<me>")
    text = text.replacing(/\b[0-9a-f]{64}\b/, with: "<digest>").replacing(/\b[0-9a-f]{32}\b/, with: "<digest>")
    text = text.replacing(/\b[0-9a-f]{12,16}\b(…?)/, with: "<digest>").replacing(/log-[0-9a-z]{16,19}/, with: "<log>")
    text = text.replacing(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ/, with: "<time>").replacing(
      /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/, with: "<time>")
    text = text.replacing(/\b(now|(\d+(\.\d)? (ms|s|min|h|d) ?)+ago)\b/, with: "<ago>").replacing(
      /\bin (\d+ (d|h|min|s) ?)+/, with: "in <a while> "
    ).replacing("<a while> )", with: "<a while>)").replacing(/due in <a while> $/, with: "due in <a while>")
    text = text.replacing(/\b\d+ entries, \d+ pieces/, with: "<n> entries, <m> pieces").replacing(
      /"root": "[^"]*"/, with: "\"root\": \"<root>\"")
    text = text.replacing(/─{20,}/, with: "────").replacing(/\ \ +\d+(\.\d)? (s|ms|min)\b/, with: "  <t>")
    text = text.replacing(/(?m)^( +code +)[2-9a-z]{4}$/) { "\($0.1)<code>" }
    text = text.replacing(/(?m)^(agents|verifying|replaying|reading the log)(: \d+)?, .*\n?/, with: "").replacing(
      /(?m)^(verifying|replaying|reading the log): .*…\n?/, with: "")
    while text.hasSuffix("\n") { text.removeLast() }
    if text.isEmpty { return [] }
    return text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      // Columns are as wide as what stands in them, which differs; how tables are aligned is tested elsewhere.
      let indent = line.prefix { $0 == " " }
      return String(indent) + String(line.dropFirst(indent.count)).replacing(/\ {2,}/, with: "  ").replacing(/\ +$/, with: "")
    }
  }

  private func shellWords(_ line: String) -> [String] { CommandTableTests.shellWords(line) }
}
