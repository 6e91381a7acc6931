internal import Core
internal import Glibc

/// The one place that writes: results to standard output, words to standard error.
final class Console: Sendable {
  let terminal: Terminal
  /// Whether standard output carries JSON and nothing else.
  let wantsJSON: Bool
  private let output: Sink
  private let words: Sink
  /// The first `errno` of a failed write of results.
  private let failure = Locked<Int32?>(nil)

  init(terminal: Terminal, wantsJSON: Bool, output: Sink, words: Sink) {
    self.terminal = terminal
    self.wantsJSON = wantsJSON
    self.output = output
    self.words = words
  }

  /// Prints lines of a result; with `--json`, where the result is printed as a whole, they become words.
  func print(_ lines: [Shown]) {
    if wantsJSON { return say(lines) }
    send(lines.map { $0.rendered(colour: terminal.colour) + "\n" }.joined())
  }

  /// Prints one line of a result.
  func print(_ line: Shown) { print([line]) }

  /// Writes data to standard output as it is, such as an export.
  func write(data: [UInt8]) { send(data) }

  /// Says something beside the result; on a screen, long lines are broken between words.
  func say(_ lines: [Shown]) {
    let lines = terminal.wordsAreTerminal ? lines.flatMap { $0.wrapped(to: terminal.width) } : lines
    let text = lines.map { $0.rendered(colour: terminal.wordsColour) + "\n" }.joined()
    _ = words.write(Array(text.utf8))
  }

  /// Says one line beside the result.
  func say(_ line: Shown) { say([line]) }

  /// Writes to the screen of words without a line feed, for prompts and progress.
  ///
  /// The text is the program's own.
  func control(_ text: StaticString, _ shown: Shown = "") {
    _ = words.write(Array("\(text)\(shown.rendered(colour: terminal.wordsColour))".utf8))
  }

  /// Prints a command's result: as JSON or as lines, with its notes.
  func write(_ result: CommandResult) -> ExitCode {
    if wantsJSON {
      if let json = result.json { send(json) }
    } else {
      print(result.lines(terminal.width))
      say(result.notes)
    }
    return result.exit
  }

  /// Prints an error: as JSON on standard output, or as words on standard error.
  func write(_ error: CommandError) -> ExitCode {
    if wantsJSON {
      send(error.json)
    } else {
      var lines = Shown.message(error.message)
      if let first = lines.first { lines[0] = "\("remit:", .bad) \(first)" }
      say(lines)
      if let hint = error.hint { say(Shown.message("hint: \(hint)", .faint)) }
    }
    return error.exit
  }

  /// The process's exit status: 141 where the reader of the results went away, 1 where they could not be written.
  func exitStatus(_ code: ExitCode) -> Int32 {
    guard let errno = failure.withLock({ $0 }) else { return code.rawValue }
    if errno == EPIPE { return 141 }
    say("remit: the result could not be written: \(String(cString: strerror(errno)))")
    return code == .done ? ExitCode.failed.rawValue : code.rawValue
  }

  /// Whether nobody reads the results any more.
  var isClosed: Bool { failure.withLock { $0 != nil } }

  /// A terminal gets a value to read, in lines and without anything that it would act on; a program gets it on one line.
  private func send(_ json: JSON) {
    send((terminal.outputIsTerminal ? visibleJSON(json.text(pretty: true)) : json.text()) + "\n")
  }

  private func send(_ text: String) { send(Array(text.utf8)) }

  private func send(_ bytes: [UInt8]) {
    if isClosed || bytes.isEmpty { return }
    if let errno = output.write(bytes) { failure.withLock { $0 = errno } }
  }
}
