internal import Core
internal import Glibc

/// Asks a person at the terminal for one line.
///
/// Everything that was typed or pasted before the question was on the screen is discarded first, so that neither an Enter of a
/// moment ago nor a paste answers a question that nobody has read.
struct Prompt {
  /// The descriptor that the person types at.
  var input: Int32 = STDIN_FILENO
  /// The longest line that is accepted, in bytes.
  var maximumBytes = 4096

  /// Shows a question and reads the answer.
  ///
  /// - Parameters:
  ///   - question: What is asked; it stays on the line with the cursor.
  ///   - console: Where it is shown (with the words, on standard error).
  /// - Returns: The line without its line feed; nil at the end of the input, for instance after Ctrl-D.
  /// - Throws: ``CommandError`` where the input is no terminal: then nobody can be asked.
  func ask(_ question: Shown, on console: Console) throws -> String? {
    guard isatty(input) == 1 else {
      throw CommandError(.failed, "no-terminal", "this needs an answer, and standard input is not a terminal")
    }
    console.control("", question)
    discardTypedAhead()
    return readLine()
  }

  /// Drops what waits in the terminal's queue, whole lines and half ones alike.
  func discardTypedAhead() {
    tcflush(input, TCIFLUSH)
    var chunk = [UInt8](repeating: 0, count: 4096)
    var wait = pollfd(fd: input, events: Int16(POLLIN), revents: 0)
    while poll(&wait, 1, 0) > 0, wait.revents & Int16(POLLIN) != 0 {
      if read(input, &chunk, chunk.count) <= 0 { break }
    }
    tcflush(input, TCIFLUSH)
  }

  private func readLine() -> String? {
    var line: [UInt8] = []
    var byte: UInt8 = 0
    while true {
      let count = read(input, &byte, 1)
      if count < 0, errno == EINTR { continue }
      if count <= 0 { return line.isEmpty ? nil : String(decoding: line, as: UTF8.self) }
      if byte == 0x0A { return String(decoding: line, as: UTF8.self) }
      if line.count < maximumBytes { line.append(byte) }
    }
  }
}
