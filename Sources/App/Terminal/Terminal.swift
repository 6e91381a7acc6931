internal import Glibc

/// What the process writes to: its size, and who reads it.
struct Terminal: Hashable, Sendable {
  /// Columns of a line; at least 20.
  var width = 80
  /// Lines of the screen.
  var height = 24
  /// Whether a person can type at standard input.
  var inputIsTerminal = false
  /// Whether standard output is a screen.
  var outputIsTerminal = false
  /// Whether standard error is a screen.
  var wordsAreTerminal = false
  /// Whether results are coloured.
  var colour = false
  /// Whether words are coloured.
  var wordsColour = false

  /// Looks at the three standard descriptors and at `COLUMNS`, `LINES`, `TERM`, `NO_COLOR`, `CLICOLOR` and `CLICOLOR_FORCE`.
  static func detect(_ environment: Environment) -> Terminal {
    var terminal = Terminal()
    terminal.inputIsTerminal = isatty(STDIN_FILENO) == 1
    terminal.outputIsTerminal = isatty(STDOUT_FILENO) == 1
    terminal.wordsAreTerminal = isatty(STDERR_FILENO) == 1
    var size = winsize()
    let found = [STDOUT_FILENO, STDERR_FILENO, STDIN_FILENO].contains { ioctl($0, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 }
    terminal.width = max(20, positive(environment["COLUMNS"]) ?? (found ? Int(size.ws_col) : 80))
    terminal.height = max(5, positive(environment["LINES"]) ?? (found && size.ws_row > 0 ? Int(size.ws_row) : 24))
    terminal.colour = usesColour(isTerminal: terminal.outputIsTerminal, environment)
    terminal.wordsColour = usesColour(isTerminal: terminal.wordsAreTerminal, environment)
    return terminal
  }

  /// Colour only on a terminal, unless `CLICOLOR_FORCE` asks for it; never with `NO_COLOR`, `CLICOLOR=0` or a dumb terminal.
  static func usesColour(isTerminal: Bool, _ environment: Environment) -> Bool {
    if environment["NO_COLOR"].map({ !$0.isEmpty }) ?? false { return false }
    if let force = environment["CLICOLOR_FORCE"], !force.isEmpty, force != "0" { return true }
    if environment["CLICOLOR"] == "0" || environment["TERM"] == "dumb" { return false }
    return isTerminal
  }

  private static func positive(_ text: String?) -> Int? { text.flatMap { Int($0) }.flatMap { (1...10_000).contains($0) ? $0 : nil } }
}
