import Core
import Foundation
import Testing

@testable import App

private let table = CommandTable(commands: [
  Command(
    path: ["run", "start"], summary: "start a run", examples: [.init("remit run start p --field a=1", "with a field")],
    arguments: [.init(name: "PROCESS", help: "which")],
    options: [
      .value("field", "NAME=VALUE", repeats: true, "a field"), .value("reason", short: "m", "TEXT", "why"), .flag("all", short: "a", "all"),
      .value("limit", "N", "how many"),
    ],
    run: { context in
      let pairs = try context.arguments.pairs("field").map { JSON.string("\($0.name)=\($0.value)") }
      let limit = try context.arguments.integer("limit", in: 1...100)
      let process = try context.arguments.required("PROCESS")
      return CommandResult(
        json: [
          "process": .string(process), "fields": .array(pairs),
          "reason": context.arguments.option("reason").map { .string($0) } ?? .null, "all": .bool(context.arguments.flag("all")),
          "limit": limit.map { .int($0) } ?? .null, "workspace": .string(context.workspacePath),
        ])
    }),
  Command(
    path: ["run", "show"], summary: "show runs", examples: [.init("remit run show r1", "one")],
    arguments: [.init(name: "RUN", help: "which", isRequired: false, repeats: true)],
    run: { context in CommandResult(json: .array(context.arguments.rest("RUN").map { .string($0) })) }),
  Command(
    path: ["inbox"], summary: "what waits", examples: [.init("remit inbox", "all")],
    run: { _ in throw CommandError(.pending, "waits", "it `waits`", hint: "wait") }),
])

@Suite struct ArgumentParserTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var arguments: [String]
    var expected: JSON
    var testDescription: String { arguments.joined(separator: " ") }

    init(_ line: String, _ expected: JSON) {
      arguments = line.split(separator: " ", omittingEmptySubsequences: true).map(String.init)
      self.expected = expected
    }
  }

  static func started(
    _ process: String = "p", fields: [String] = [], reason: String? = nil, all: Bool = false, limit: Int? = nil, workspace: String = "."
  ) -> JSON {
    [
      "process": .string(process), "fields": .array(fields.map { .string($0) }), "reason": reason.map { .string($0) } ?? .null,
      "all": .bool(all), "limit": limit.map { .int($0) } ?? .null, "workspace": .string(workspace),
    ]
  }

  static let accepted = [
    Case("run start p --json", started()),
    Case("--json run start p", started()),
    Case("run --json start p", started()),
    Case("run start p --json --field a=1 --field b=2=3", started(fields: ["a=1", "b=2=3"])),
    Case("run start --field=a=1 p --json", started(fields: ["a=1"])),
    Case("run start p --json -m why", started(reason: "why")),
    Case("run start p --json --reason=--all", started(reason: "--all")),
    Case("run start p --json --reason -x", started(reason: "-x")),
    Case("run start p --json --reason=", started(reason: "")),
    Case("run start p --json -a --limit 100", started(all: true, limit: 100)),
    Case("run start --json -- --all", started("--all")),
    Case("run start --json -", started("-")),
    Case("run start p --json --workspace /tmp/w", started(workspace: "/tmp/w")),
    Case("--workspace=/tmp/w --json run start p", started(workspace: "/tmp/w")),
    Case("run show --json", []),
    Case("run show --json a b c", ["a", "b", "c"]),
  ]

  @Test(arguments: accepted) func understands(_ test: Case) async throws {
    let result = await transcript(test.arguments, commands: table)
    #expect(result.exit == 0)
    #expect(try result.json() == test.expected)
    #expect(result.words == "")
  }

  static let refused: [(String, String, String?)] = [
    ("rnu", "unknown command `rnu`", "did you mean `remit run`?"),
    ("frobnicate", "unknown command `frobnicate`", "see `remit --help`"),
    ("run", "`remit run` needs one of: start, show", "see `remit run --help`"),
    ("run strat", "unknown command `remit run strat`", "did you mean `remit run start`?"),
    ("run zzzzzz", "unknown command `remit run zzzzzz`", "`remit run` takes one of: start, show"),
    ("run strat --field a=1", "unknown command `remit run strat`", "did you mean `remit run start`?"),
    ("run start", "PROCESS is missing", "usage: remit run start PROCESS [--field NAME=VALUE ...] [--reason TEXT] [--all] [--limit N]"),
    ("run start p q", "`q` is one argument too many", nil),
    ("run start p --feild a=1", "unknown option `--feild` for `remit run start`", "did you mean `--field`?"),
    ("run start p --frobnicate", "unknown option `--frobnicate` for `remit run start`", "see `remit run start --help`"),
    ("run start p -z", "unknown option `-z` for `remit run start`", nil),
    ("run start p --all=yes", "`--all` takes no value", nil),
    ("run start p --reason", "`--reason` needs a value", nil),
    ("run start p --reason --all", "`--reason` needs a value", nil),
    ("run start p --reason a --reason b", "`--reason` was given twice", nil),
    ("run start p --field a", "`--field a`: NAME=VALUE is needed", nil),
    ("run start p --field =a", "`--field =a`: NAME=VALUE is needed", nil),
    ("run start p --field a=1 --field a=2", "`--field a=…` was given twice", nil),
    ("run start p --limit 0", "`--limit 0`: a whole number from 1 to 100 is needed", nil),
    ("run start p --limit ten", "`--limit ten`: a whole number from 1 to 100 is needed", nil),
    ("--limit 3 run start p", "`--limit` must stand after its command", "see `remit --help`"),
    ("--wrkspace x inbox", "unknown option `--wrkspace`", "did you mean `--workspace`?"),
    ("help frob", "unknown command `frob`", "see `remit --help`"),
    ("--json", "a command is needed", "see `remit --help`"),
  ]

  @Test(arguments: refused) func refuses(_ line: String, _ message: String, _ hint: String?) async throws {
    let arguments = line.split(separator: " ").map(String.init)
    let result = await transcript(arguments + (arguments.contains("--") ? [] : ["--json"]), commands: table)
    #expect(result.exit == 2)
    let error = try #require(try result.json()["error"])
    #expect(error["code"] == "usage")
    #expect(error["message"]?.stringValue == message)
    if let hint { #expect(error["hint"]?.stringValue == hint) }
  }

  @Test func errorsAreWordsOnStandardErrorWithoutJSON() async {
    let result = await transcript(["inbox"], commands: table)
    #expect(result == Transcript(exit: 8, output: "", words: "remit: it `waits`\nhint: wait\n"))
  }

  @Test func errorsAreObjectsOnStandardOutputWithJSON() async {
    let result = await transcript(["inbox", "--json"], commands: table)
    #expect(
      result == Transcript(exit: 8, output: #"{"error": {"code": "waits", "message": "it `waits`", "hint": "wait"}}"# + "\n", words: ""))
  }

  @Test func workspaceComesFromTheOptionThenTheEnvironmentThenTheFolder() async throws {
    let variables = ["REMIT_WORKSPACE": "/tmp/env"]
    let named = await transcript(["run", "start", "p", "--json", "--workspace", "/tmp/named"], commands: table, environment: variables)
    let inherited = await transcript(["run", "start", "p", "--json"], commands: table, environment: variables)
    let empty = await transcript(["run", "start", "p", "--json"], commands: table, environment: ["REMIT_WORKSPACE": ""])
    #expect(try [named, inherited, empty].map { try $0.json()["workspace"] } == ["/tmp/named", "/tmp/env", "."])
  }

  @Test(arguments: [
    ["--help"], ["-h"], ["help"], [], ["run", "--help"], ["help", "run"], ["run", "start", "-h"], ["help", "run", "start"],
  ])
  func helpAtEveryLevelShowsExamplesFirst(_ arguments: [String]) async throws {
    let result = await transcript(arguments, commands: table)
    #expect(result.exit == 0)
    #expect(result.words == "")
    let examples = try #require(result.output.range(of: "Examples"))
    for later in ["Usage", "Commands", "Options"] {
      if let place = result.output.range(of: later) { #expect(examples.lowerBound < place.lowerBound) }
    }
    #expect(result.output.split(separator: "\n").allSatisfy { displayWidth(String($0)) <= 80 })
  }

  @Test func hostileArgumentsAreShownEscaped() async {
    for text in Hostile.texts where !text.isEmpty {
      for line in [[text], ["run", text], ["run", "start", "p", "--" + text], ["run", "start", "p", "q" + text]] {
        let result = await transcript(line, commands: table)
        #expect(result.words.utf8.allSatisfy { $0 >= 0x20 || $0 == 0x0A })
        #expect(!result.words.unicodeScalars.contains { (0x7F...0x9F).contains($0.value) || (0x202A...0x202E).contains($0.value) })
      }
    }
  }

  @Test func versionIsPrinted() async {
    #expect(await transcript(["--version"], commands: table) == Transcript(exit: 0, output: "remit \(RemitCommand.version)\n", words: ""))
  }
}

/// What holds for the real commands.
@Suite struct CommandTableTests {
  @Test func everyCommandIsDeclaredWell() {
    var paths: Set<[String]> = []
    for command in CommandTable.remit.commands {
      #expect(paths.insert(command.path).inserted, "\(command.name) is there once")
      #expect((1...2).contains(command.path.count))
      #expect(!command.examples.isEmpty, "\(command.name) has an example")
      #expect(command.summary.first?.isLowercase ?? false && !command.summary.hasSuffix("."), "\(command.name): \(command.summary)")
      #expect(command.arguments.dropLast().allSatisfy { !$0.repeats }, "\(command.name): only the last argument repeats")
      let names = (command.options + Command.globalOptions).map(\.name)
      #expect(Set(names).count == names.count, "\(command.name) declares each option once")
      let letters = (command.options + Command.globalOptions).compactMap(\.short)
      #expect(Set(letters).count == letters.count, "\(command.name) declares each letter once")
    }
  }

  @Test func everyExampleIsACommandLineOfItsCommand() throws {
    for command in CommandTable.remit.commands {
      for example in command.examples {
        var words = Self.shellWords(example.line)
        #expect(words.removeFirst() == "remit")
        guard case .command(let found, _) = try ArgumentParser(commands: .remit).parse(words) else {
          Issue.record("\(example.line) is no command")
          continue
        }
        #expect(found.path == command.path, "\(example.line)")
      }
    }
  }

  @Test func everyHelpFitsEightyColumns() async {
    for command in CommandTable.remit.commands {
      let result = await transcript(command.path + ["--help"], commands: .remit)
      #expect(result.exit == 0)
      for line in result.output.split(separator: "\n") { #expect(displayWidth(String(line)) <= 80, "\(line)") }
    }
  }

  /// Words as a shell splits them, with single and double quotes.
  static func shellWords(_ line: String) -> [String] {
    var words: [String] = []
    var word: String?
    var quote: Character?
    for character in line {
      if let open = quote {
        if character == open { quote = nil } else { word?.append(character) }
      } else if character == "'" || character == "\"" {
        quote = character
        word = word ?? ""
      } else if character == " " {
        if let done = word { words.append(done) }
        word = nil
      } else {
        word = (word ?? "") + String(character)
      }
    }
    if let done = word { words.append(done) }
    return words
  }
}
