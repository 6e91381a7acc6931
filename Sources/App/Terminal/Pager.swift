internal import Core
internal import Glibc

/// Shows text a screen at a time and knows whether the person went to its end.
struct Pager {
  /// The descriptor that the person types at.
  var input: Int32 = STDIN_FILENO

  /// Shows the lines on the screen of words; space or Enter goes on, `q` stops.
  ///
  /// - Returns: Whether the last line was shown.
  /// - Throws: ``CommandError`` where the text is longer than the screen and nobody can be asked to go on.
  func show(_ lines: [Shown], on console: Console) throws -> Bool {
    let page = max(1, console.terminal.height - 2)
    var start = 0
    while start < lines.count {
      let end = min(start + page, lines.count)
      console.say(Array(lines[start..<end]))
      start = end
      if start == lines.count { return true }
      let left = lines.count - start
      guard try waitForKey("-- \(counted(left, "more line")); space or Enter goes on, q stops --", on: console) else { return false }
    }
    return true
  }

  /// Waits for one key without its echo; what was typed before is discarded.
  private func waitForKey(_ question: Shown, on console: Console) throws -> Bool {
    var saved = termios()
    guard tcgetattr(input, &saved) == 0 else {
      throw CommandError(.failed, "no-terminal", "this is longer than the screen, and standard input is not a terminal to page with")
    }
    var raw = saved
    raw.c_lflag &= ~tcflag_t(ICANON | ECHO)
    console.control("", question.toned(.accent))
    tcsetattr(input, TCSAFLUSH, &raw)
    defer {
      tcsetattr(input, TCSADRAIN, &saved)
      console.control("\r\u{1B}[K")
    }
    Prompt(input: input).discardTypedAhead()
    while true {
      var byte: UInt8 = 0
      let count = read(input, &byte, 1)
      if count < 0, errno == EINTR { continue }
      if count <= 0 { return false }
      switch byte {
      case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"): return true
      case UInt8(ascii: "q"), UInt8(ascii: "Q"), 4, 27: return false
      default: continue
      }
    }
  }
}
