internal import Core

/// One line for a terminal.
///
/// Whatever is put into it is made visible first: control characters, escape sequences, bidirectional and zero-width characters
/// of users, tools and models never reach a terminal as themselves.
///
/// Only the program's own literals stay as they are, so text can be printed in no other way than safely:
///
///     console.print("\(run.id, .strong)  \(field.value)")
struct Shown: Hashable, Sendable, ExpressibleByStringInterpolation {
  /// How a piece of text is meant; a terminal with colours shows it, one without does not need to.
  enum Tone: String, Hashable, Sendable { case plain, strong, faint, good, caution, bad, accent }

  /// A piece of text of one tone, already safe to print.
  struct Span: Hashable, Sendable {
    var text: String
    var tone: Tone
  }

  private(set) var spans: [Span] = []

  init(spans: [Span]) { self.spans = spans }

  /// Any text, on one line: line feeds appear as `\n`.
  init(_ text: String, _ tone: Tone = .plain) { append(visible(text), tone) }

  init(stringLiteral value: String) { append(value, .plain) }

  init(stringInterpolation: StringInterpolation) { self = stringInterpolation.shown }

  /// A text whose author has already made the users' parts visible, such as a diagnostic: what is still unsafe is escaped,
  /// backslashes are left alone.
  ///
  /// A line feed begins a new line.
  static func message(_ text: String, _ tone: Tone = .plain) -> [Shown] {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      var result = Shown(spans: [])
      var safe = ""
      for scalar in line.unicodeScalars {
        safe += scalar == "\\" ? "\\" : visible(String(scalar))
      }
      result.append(safe, tone)
      return result
    }
  }

  /// The same on one line.
  static func sentence(_ text: String, _ tone: Tone = .plain) -> Shown { message(text, tone).joined(separator: " ") }

  /// The line without its tones.
  var plain: String { spans.map(\.text).joined() }

  /// The columns that it takes.
  var width: Int { spans.reduce(0) { $0 + displayWidth($1.text) } }

  var isEmpty: Bool { spans.allSatisfy(\.text.isEmpty) }

  /// The same text in one tone.
  func toned(_ tone: Tone) -> Shown { Shown(spans: spans.map { Span(text: $0.text, tone: tone) }) }

  mutating func append(_ other: Shown) {
    for span in other.spans { append(span.text, span.tone) }
  }

  private mutating func append(_ safe: String, _ tone: Tone) {
    if safe.isEmpty { return }
    if let last = spans.indices.last, spans[last].tone == tone {
      spans[last].text += safe
    } else {
      spans.append(Span(text: safe, tone: tone))
    }
  }

  static func + (a: Shown, b: Shown) -> Shown {
    var sum = a
    sum.append(b)
    return sum
  }

  /// That many spaces, or none.
  static func spaces(_ count: Int) -> Shown { Shown(spans: [Span(text: String(repeating: " ", count: max(0, count)), tone: .plain)]) }

  /// A line of that many columns.
  static func rule(_ columns: Int) -> Shown { Shown(spans: [Span(text: String(repeating: "─", count: max(0, columns)), tone: .faint)]) }

  /// The line as bytes for a terminal, with or without its tones.
  func rendered(colour: Bool) -> String {
    if !colour { return plain }
    return spans.map { span in span.tone == .plain ? span.text : "\u{1B}[\(span.tone.code)m\(span.text)\u{1B}[0m" }.joined()
  }

  struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var shown = Shown(spans: [])

    init(literalCapacity: Int, interpolationCount: Int) {}

    mutating func appendLiteral(_ literal: String) { shown.append(literal, .plain) }
    mutating func appendInterpolation(_ text: String, _ tone: Tone = .plain) { shown.append(visible(text), tone) }
    mutating func appendInterpolation(_ number: Int, _ tone: Tone = .plain) { shown.append(String(number), tone) }
    mutating func appendInterpolation(_ other: Shown) { shown.append(other) }
    mutating func appendInterpolation(_ other: Shown, _ tone: Tone) { shown.append(other.toned(tone)) }
  }
}

extension Shown.Tone {
  /// The parameters of the SGR sequence; the eight basic colours, which every theme defines.
  fileprivate var code: String {
    switch self {
    case .plain: "0"
    case .strong: "1"
    case .faint: "2"
    case .good: "32"
    case .caution: "33"
    case .bad: "31"
    case .accent: "36"
    }
  }
}

extension Sequence<Shown> {
  /// The lines one after the other, with something between them.
  func joined(separator: Shown) -> Shown {
    var result = Shown(spans: [])
    for (index, line) in enumerated() {
      if index > 0 { result.append(separator) }
      result.append(line)
    }
    return result
  }
}
