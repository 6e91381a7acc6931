internal import Core

/// One command: what it is called, what it takes, what it says about itself, and what it does.
struct Command: Sendable {
  /// A command line to copy, and what it does.
  struct Example: Sendable {
    var line: String
    var purpose: String

    init(_ line: String, _ purpose: String) {
      self.line = line
      self.purpose = purpose
    }
  }

  /// Something that is given by its place.
  struct Positional: Sendable {
    var name: String
    var help: String
    var isRequired = true
    /// Whether it takes all that follows; only the last one may.
    var repeats = false
  }

  /// Something that is given by its name.
  struct Option: Sendable {
    /// The name without its dashes.
    var name: String
    /// One letter for it, if it has one.
    var short: Character?
    /// What stands for its value in help; nil for a switch.
    var value: String?
    /// Whether it may be given more than once.
    var repeats = false
    var help: String

    static func flag(_ name: String, short: Character? = nil, _ help: String) -> Option {
      Option(name: name, short: short, value: nil, help: help)
    }

    static func value(_ name: String, short: Character? = nil, _ value: String, repeats: Bool = false, _ help: String) -> Option {
      Option(name: name, short: short, value: value, repeats: repeats, help: help)
    }
  }

  /// Its noun and verb, or a single word.
  var path: [String]
  /// Where it runs: by the store, or where its files are.
  enum Place: Hashable, Sendable { case store, local }

  /// One line: what it does, lower case, no full stop.
  var summary: String
  /// More, for its own help; paragraphs are separated by empty lines.
  var details: String = ""
  /// At least one; shown first.
  var examples: [Example]
  var arguments: [Positional] = []
  var options: [Option] = []
  /// Where the command runs; what is said to be ``Place/store`` touches no file but through ``Front``.
  var place: @Sendable (CommandContext) -> Place = { _ in .store }
  var run: @Sendable (CommandContext) async throws -> CommandResult

  /// `run start`.
  var name: String { path.joined(separator: " ") }

  /// `remit run start PROCESS [--field NAME=VALUE ...]`.
  var usage: String {
    var parts = ["remit"] + path
    for argument in arguments {
      let name = argument.name + (argument.repeats ? " ..." : "")
      parts.append(argument.isRequired ? name : "[\(name)]")
    }
    for option in options {
      parts.append("[--\(option.name)" + (option.value.map { " \($0)" } ?? "") + (option.repeats ? " ..." : "") + "]")
    }
    return parts.joined(separator: " ")
  }

  /// The options that every command takes.
  static let globalOptions: [Option] = [
    .value("workspace", "DIR", "the workspace; otherwise REMIT_WORKSPACE, otherwise this folder"),
    .flag("json", "print the result as JSON on standard output, errors too"),
    .flag("help", short: "h", "show help"),
    .flag("version", "print the version"),
  ]
}

/// Every command, and what is said about the nouns that group them.
struct CommandTable: Sendable {
  /// The commands, in the order in which help lists them.
  var commands: [Command]

  /// The commands under a first word.
  func group(_ noun: String) -> [Command] { commands.filter { $0.path.first == noun } }

  /// The command with exactly this path.
  func command(_ path: [String]) -> Command? { commands.first { $0.path == path } }

  /// Every first word, once.
  var nouns: [String] {
    var seen: [String] = []
    for command in commands where !seen.contains(command.path[0]) { seen.append(command.path[0]) }
    return seen
  }
}
