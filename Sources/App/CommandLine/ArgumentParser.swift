internal import Core

/// Reads a command line against a table of commands.
struct ArgumentParser {
  /// What help is wanted about.
  enum Topic: Hashable, Sendable {
    case everything
    case noun(String)
    case command([String])
  }

  /// What a command line asks for.
  enum Request: Sendable {
    case version
    case help(Topic)
    case command(Command, ParsedArguments)
  }

  var commands: CommandTable

  /// Whether `--json` stands before any `--`: then errors of parsing are JSON too.
  static func asksForJSON(_ arguments: [String]) -> Bool { arguments.prefix { $0 != "--" }.contains("--json") }

  /// Reads the arguments after the program's name.
  ///
  /// Options and arguments may be mixed; `--` ends the options; `--name=value` and `--name value` are the same, and a value
  /// that begins with `--` needs the first form.
  ///
  /// - Throws: ``CommandError`` with exit code 2, naming the nearest command or option.
  func parse(_ arguments: [String]) throws -> Request {
    if arguments.isEmpty { return .help(.everything) }
    var words: [String] = []
    var given: [(option: String, spelled: String, value: String?)] = []
    var index = 0
    var onlyWords = false
    while index < arguments.count {
      let argument = arguments[index]
      index += 1
      if onlyWords || argument == "-" || !argument.hasPrefix("-") {
        words.append(argument)
      } else if argument == "--" {
        onlyWords = true
      } else {
        let (name, inline) = split(argument)
        guard let option = try declaration(name, spelled: argument, words: words) else { continue }
        if option.value == nil {
          if inline != nil { throw CommandError.usage("`--\(option.name)` takes no value") }
          given.append((option.name, name, nil))
        } else if let inline {
          given.append((option.name, name, inline))
        } else {
          guard index < arguments.count, !arguments[index].hasPrefix("--") else {
            throw CommandError.usage(
              "`\(visible(name))` needs a value",
              hint: "write `\(visible(name)) \(option.value ?? "VALUE")`, or `\(visible(name))=…` for one that begins with `--`")
          }
          given.append((option.name, name, arguments[index]))
          index += 1
        }
      }
    }
    return try request(words, given)
  }

  /// `--name=value` in its parts.
  private func split(_ argument: String) -> (name: String, value: String?) {
    guard argument.hasPrefix("--"), let equals = argument.utf8.firstIndex(of: UInt8(ascii: "=")) else { return (argument, nil) }
    return (String(argument[..<equals]), String(argument[argument.utf8.index(after: equals)...]))
  }

  /// The option that a spelling stands for, given the words so far.
  private func declaration(_ name: String, spelled: String, words: [String]) throws -> Command.Option? {
    let command = self.command(in: words)?.command
    let known = (command?.options ?? []) + Command.globalOptions
    let match = known.first { option in
      name == "--\(option.name)" || option.short.map { name == "-\($0)" } ?? false
    }
    if let match { return match }
    let shown = visible(name)
    if command == nil, !words.isEmpty || commands.commands.contains(where: { $0.options.contains { "--\($0.name)" == name } }) {
      // The command itself may be the mistake; an option that some command has only stands in the wrong place.
      if !words.isEmpty { try refuse(words) }
      throw CommandError.usage("`\(shown)` must stand after its command", hint: "see `remit --help`")
    }
    let nearest = nearestName(to: name, in: known.map { "--\($0.name)" })
    let help = command.map { "remit \($0.name) --help" } ?? "remit --help"
    throw CommandError.usage(
      "unknown option `\(shown)`" + (command.map { " for `remit \($0.name)`" } ?? ""),
      hint: nearest.map { "did you mean `\($0)`?" } ?? "see `\(help)`")
  }

  /// The command that the words begin with, and how many of them it takes.
  private func command(in words: [String]) -> (command: Command, length: Int)? {
    for length in [2, 1] where words.count >= length {
      if let command = commands.command(Array(words.prefix(length))) { return (command, length) }
    }
    return nil
  }

  /// Says why the words begin with no command.
  private func refuse(_ words: [String]) throws {
    guard let noun = words.first else { return }
    let verbs = commands.group(noun).filter { $0.path.count > 1 }.map { $0.path[1] }
    if verbs.isEmpty {
      let nearest = nearestName(to: noun, in: commands.nouns)
      throw CommandError.usage(
        "unknown command `\(visible(noun))`", hint: nearest.map { "did you mean `remit \($0)`?" } ?? "see `remit --help`")
    }
    let listed = verbs.joined(separator: ", ")
    guard words.count > 1 else {
      throw CommandError.usage("`remit \(noun)` needs one of: \(listed)", hint: "see `remit \(noun) --help`")
    }
    let nearest = nearestName(to: words[1], in: verbs)
    throw CommandError.usage(
      "unknown command `remit \(noun) \(visible(words[1]))`",
      hint: nearest.map { "did you mean `remit \(noun) \($0)`?" } ?? "`remit \(noun)` takes one of: \(listed)")
  }

  private func request(_ words: [String], _ given: [(option: String, spelled: String, value: String?)]) throws -> Request {
    var words = words
    var wantsHelp = given.contains { $0.option == "help" }
    if words.first == "help" {
      wantsHelp = true
      words.removeFirst()
    }
    let found = command(in: words)
    if wantsHelp {
      if let found { return .help(.command(found.command.path)) }
      guard let noun = words.first else { return .help(.everything) }
      if words.count == 1, !commands.group(noun).isEmpty { return .help(.noun(noun)) }
      try refuse(words)
    }
    if given.contains(where: { $0.option == "version" }) { return .version }
    guard let (command, length) = found else {
      if words.isEmpty { throw CommandError.usage("a command is needed", hint: "see `remit --help`") }
      try refuse(words)
      return .help(.everything)
    }
    var parsed = ParsedArguments(command)
    try assign(Array(words.dropFirst(length)), of: command, to: &parsed)
    for (name, spelled, value) in given {
      let repeats = command.options.first { $0.name == name }?.repeats ?? false
      if !repeats, value != nil, parsed.all(name).isEmpty == false {
        throw CommandError.usage("`\(visible(spelled))` was given twice")
      }
      parsed.add(option: name, value ?? "")
    }
    return .command(command, parsed)
  }

  private func assign(_ values: [String], of command: Command, to parsed: inout ParsedArguments) throws {
    var rest = values[...]
    for positional in command.arguments {
      if positional.repeats {
        for value in rest { parsed.add(positional: positional.name, value) }
        if rest.isEmpty, positional.isRequired { throw missing(positional, command) }
        rest = []
      } else if let value = rest.popFirst() {
        parsed.add(positional: positional.name, value)
      } else if positional.isRequired {
        throw missing(positional, command)
      }
    }
    if let extra = rest.first {
      throw CommandError.usage("`\(visible(extra))` is one argument too many", hint: "usage: \(command.usage)")
    }
  }

  private func missing(_ positional: Command.Positional, _ command: Command) -> CommandError {
    .usage("\(positional.name) is missing", hint: "usage: \(command.usage)")
  }
}
