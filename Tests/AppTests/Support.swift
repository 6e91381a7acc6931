import Core

@testable import App

/// What a command line printed, run inside the test's process.
struct Transcript: Equatable {
  var exit: Int32
  var output: String
  var words: String

  /// The output as JSON.
  func json() throws -> JSON { try JSON.parse(Array(output.utf8)) }
}

func transcript(
  _ arguments: [String], commands: CommandTable, environment: [String: String] = [:], terminal: Terminal = Terminal()
) async -> Transcript {
  let (output, words) = (Locked<[UInt8]>([]), Locked<[UInt8]>([]))
  let exit = await RemitCommand.run(
    arguments, environment: Environment(environment), terminal: terminal, output: .memory(output), words: .memory(words),
    commands: commands)
  return Transcript(
    exit: exit, output: String(decoding: output.withLock { $0 }, as: UTF8.self),
    words: String(decoding: words.withLock { $0 }, as: UTF8.self))
}

func console(width: Int = 80, height: Int = 24, into words: Locked<[UInt8]>, output: Locked<[UInt8]> = Locked([])) -> Console {
  Console(
    terminal: Terminal(width: width, height: height), wantsJSON: false, output: .memory(output), words: .memory(words))
}

/// Texts that try to act on a terminal, to hide, or to reorder what is shown.
enum Hostile {
  static let texts: [String] = [
    "\u{1B}[2J\u{1B}[H", "\u{1B}]0;title\u{07}", "\u{1B}]8;;https://evil.example\u{07}click\u{1B}]8;;\u{07}",
    "\u{1B}]52;c;cm0gLXJmIC8=\u{07}", "\u{9B}31m", "\u{1B}P+q\u{1B}\\", "\u{1B}[8m hidden \u{1B}[28m", "\u{1B}[1A\u{1B}[2Koverwritten",
    "pay 100\rpay 999", "a\u{8}\u{8}b", "one\ttwo", "\u{0}nul", "\u{7F}del", "\u{202E}gnp.exe", "\u{2066}isolated\u{2069}",
    "zero\u{200B}width\u{200D}joiner\u{FEFF}", "soft\u{AD}hyphen", "\u{2028}line\u{2029}paragraph", "tag\u{E0041}s", "blank\u{2800}",
    "no\u{A0}break", "\\u{1B} already escaped", "back\\slash \\n", "\\\u{1B}[0m", "line\nfeed", "cr\r\nlf", "e\u{301}\u{302}\u{303}",
    "日本語テキスト", "👩‍👩‍👧‍👦 family", "\u{FE0F}", "\u{E000} private", "",
  ]

  /// Undoes `visible`: what a careful reader concludes from the screen.
  static func read(_ shown: String) -> String {
    var result = String.UnicodeScalarView()
    let scalars = Array(shown.unicodeScalars)
    var index = 0
    while index < scalars.count {
      guard scalars[index] == "\\", index + 1 < scalars.count else {
        result.append(scalars[index])
        index += 1
        continue
      }
      switch scalars[index + 1] {
      case "n": result.append("\n")
      case "r": result.append("\r")
      case "t": result.append("\t")
      case "\\": result.append("\\")
      case "u":
        let digits = scalars[(index + 3)...].prefix { $0 != "}" }
        if let scalar = UInt32(String(String.UnicodeScalarView(digits)), radix: 16).flatMap(Unicode.Scalar.init) { result.append(scalar) }
        index += 2 + digits.count
      default:
        result.append("\\")
        index -= 1
      }
      index += 2
    }
    return String(result)
  }
}
