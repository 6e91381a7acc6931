internal import Core

/// What a client says first: a command line, the screen that it is for, and how the client names the workspace's folder.
struct Hello: Sendable {
  static let version = 1

  var arguments: [String]
  var workspace: String
  var terminal: Terminal

  init(arguments: [String], workspace: String, terminal: Terminal) {
    self.arguments = arguments
    self.workspace = workspace
    self.terminal = terminal
  }

  var json: JSON {
    [
      "hello": .int(Self.version), "arguments": .array(arguments.map { .string($0) }), "workspace": .string(workspace),
      "terminal": [
        "width": .int(terminal.width), "height": .int(terminal.height), "input": .bool(terminal.inputIsTerminal),
        "output": .bool(terminal.outputIsTerminal), "words": .bool(terminal.wordsAreTerminal), "colour": .bool(terminal.colour),
        "words_colour": .bool(terminal.wordsColour),
      ],
    ]
  }

  /// Reads what ``json`` writes.
  ///
  /// - Throws: ``CommandError`` for anything else.
  init(_ json: JSON) throws {
    guard json["hello"]?.intValue == Int64(Self.version) else {
      throw CommandError(.failed, "other-version", "the service speaks version \(Self.version) of its language, the client another one")
    }
    guard let arguments = json["arguments"]?.arrayValue, let workspace = json["workspace"]?.stringValue, let screen = json["terminal"]
    else { throw CommandError(.failed, "not-understood", "the first frame is no command") }
    func flag(_ name: String) -> Bool { screen[name]?.boolValue == true }
    func size(_ name: String, _ range: ClosedRange<Int64>, _ usual: Int) -> Int {
      screen[name]?.intValue.flatMap { range.contains($0) ? Int($0) : nil } ?? usual
    }
    self.arguments = arguments.compactMap(\.stringValue)
    self.workspace = workspace
    guard self.arguments.count == arguments.count else { throw CommandError(.failed, "not-understood", "the first frame is no command") }
    terminal = Terminal(
      width: size("width", 20...10_000, 80), height: size("height", 5...10_000, 24), inputIsTerminal: flag("input"),
      outputIsTerminal: flag("output"), wordsAreTerminal: flag("words"), colour: flag("colour"), wordsColour: flag("words_colour"))
  }
}
