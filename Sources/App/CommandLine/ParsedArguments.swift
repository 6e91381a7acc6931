internal import Core

/// What was given on the command line, checked against the command's declaration.
struct ParsedArguments: Sendable {
  private(set) var positionals: [String: [String]] = [:]
  private(set) var options: [String: [String]] = [:]
  /// Names that the command declares; asking for any other one is a mistake in the program.
  private let declared: Set<String>

  init(_ command: Command) {
    declared = Set((command.options + Command.globalOptions).map(\.name) + command.arguments.map(\.name))
  }

  mutating func add(option name: String, _ value: String) { options[name, default: []].append(value) }
  mutating func add(positional name: String, _ value: String) { positionals[name, default: []].append(value) }

  private func check(_ name: String) { assert(declared.contains(name), "the command does not declare `\(name)`") }

  /// Whether a switch was given.
  func flag(_ name: String) -> Bool {
    check(name)
    return options[name] != nil
  }

  /// The value of an option, if it was given.
  func option(_ name: String) -> String? {
    check(name)
    return options[name]?.first
  }

  /// Whether the command has such an option and it was given.
  func has(_ name: String) -> Bool { options[name] != nil }

  /// Everything that was given by place or by name, and of `NAME=VALUE` also the value.
  var values: [String] {
    let given = positionals.values.flatMap { $0 } + options.values.flatMap { $0 }
    return given
      + given.compactMap { text in
        text.utf8.firstIndex(of: UInt8(ascii: "=")).map { String(text[text.utf8.index(after: $0)...]) }
      }
  }

  /// The values of an option that may be repeated, in the order in which they were given.
  func all(_ name: String) -> [String] {
    check(name)
    return options[name] ?? []
  }

  /// A positional argument; required ones are always there.
  func argument(_ name: String) -> String? {
    check(name)
    return positionals[name]?.first
  }

  /// A required positional argument.
  func required(_ name: String) throws -> String {
    guard let value = argument(name) else { throw CommandError.usage("\(name) is missing") }
    return value
  }

  /// A repeated positional argument.
  func rest(_ name: String) -> [String] {
    check(name)
    return positionals[name] ?? []
  }

  /// A whole number within bounds.
  func integer(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
    guard let text = option(name) else { return nil }
    guard let value = Int(text), range.contains(value) else {
      throw CommandError.usage("`--\(name) \(visible(text))`: a whole number from \(range.lowerBound) to \(range.upperBound) is needed")
    }
    return value
  }

  /// `NAME=VALUE` pairs of a repeated option; the same name twice is refused.
  func pairs(_ name: String) throws -> [(name: String, value: String)] {
    var pairs: [(name: String, value: String)] = []
    for text in all(name) {
      guard let equals = text.utf8.firstIndex(of: UInt8(ascii: "=")), equals > text.startIndex else {
        throw CommandError.usage("`--\(name) \(visible(text))`: NAME=VALUE is needed")
      }
      let key = String(text[..<equals])
      if pairs.contains(where: { bytesEqual($0.name, key) }) { throw CommandError.usage("`--\(name) \(visible(key))=…` was given twice") }
      pairs.append((key, String(text[text.utf8.index(after: equals)...])))
    }
    return pairs
  }
}
