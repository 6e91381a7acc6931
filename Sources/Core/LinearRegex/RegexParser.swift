/// Parses a pattern of either dialect.
///
/// One pass, no backtracking; nesting is bounded by ``LinearRegex/maximumNesting``.
struct RegexParser {
  struct Flags {
    var ignoreCase = false
    var dotMatchesNewline = false
    var multiline = false
    var swapGreed = false
  }

  let dialect: LinearRegex.Dialect
  let scalars: [UInt32]
  var index = 0
  var flags = Flags()
  var groupNames: Set<String> = []
  private var depth = 0
  private let position: SourcePosition?

  init(_ pattern: String, dialect: LinearRegex.Dialect, position: SourcePosition?) {
    self.dialect = dialect
    self.position = position
    scalars = pattern.unicodeScalars.map(\.value)
  }

  mutating func parse() throws(Diagnostic) -> RegexNode {
    let node = try alternatives()
    if index < scalars.count { throw fault("regex-unmatched-parenthesis", at: index, "`)` without an opening `(`") }
    return node
  }

  // MARK: Structure

  private mutating func alternatives() throws(Diagnostic) -> RegexNode {
    var nodes: [RegexNode] = []
    repeat { nodes.append(try sequence()) } while take("|")
    return .alternatives(nodes)
  }

  private mutating func sequence() throws(Diagnostic) -> RegexNode {
    var nodes: [RegexNode] = []
    while let next = peek, next != "|", next != ")" {
      let start = index
      guard let (atom, mayRepeat) = try atom() else { continue }
      nodes.append(try repeated(atom, from: start, mayRepeat: mayRepeat))
    }
    return .sequence(nodes)
  }

  /// nil when the text had an effect but is no part of the pattern: `(?i)`, an empty `\Q\E`.
  private mutating func atom() throws(Diagnostic) -> (node: RegexNode, mayRepeat: Bool)? {
    let start = index
    guard let next = peek else { return nil }
    switch next {
    case "(": return try group().map { ($0, true) }
    case "[":
      index += 1
      return (.scalar(try bracketClass(from: start)), true)
    case ".":
      index += 1
      return (.scalar(flags.dotMatchesNewline ? .any : dialect.newlines.inverted), true)
    case "^":
      index += 1
      return (.assertion(flags.multiline ? .lineStart : .textStart), dialect == .re2)
    case "$":
      index += 1
      return (.assertion(flags.multiline ? .lineEnd : .textEnd), dialect == .re2)
    case "*", "+", "?": throw fault("regex-nothing-to-repeat", at: start, "`\(next)` has nothing before it to repeat")
    case "{":
      if try bounds() != nil { throw fault("regex-nothing-to-repeat", at: start, "`{` has nothing before it to repeat") }
      index += 1
      return (literal(0x7B), true)
    case "\\":
      index += 1
      switch try escape(inClass: false, from: start) {
      case .scalar(let value): return (literal(value), true)
      case .set(let set): return (.scalar(set), true)
      case .assertion(let assertion): return (.assertion(assertion), dialect == .re2)
      case .quotation(let values):
        guard let last = values.last else { return nil }
        // A quantifier after `\E` belongs to the last scalar.
        let head = values.dropLast().map { literal($0) }
        return (.sequence(head + [try repeated(literal(last), from: start, mayRepeat: true)]), false)
      }
    default:
      index += 1
      return (literal(next.value), true)
    }
  }

  func literal(_ value: UInt32) -> RegexNode {
    let set = ScalarSet(value)
    return .scalar(flags.ignoreCase ? set.caseFolded : set)
  }

  // MARK: Groups

  private mutating func group() throws(Diagnostic) -> RegexNode? {
    let start = index
    index += 1
    let outer = flags
    if take("?") {
      if take("=") || take("!") || (peek == "<" && (peek(1) == "=" || peek(1) == "!")) {
        throw fault(
          "regex-lookaround", at: start, "lookahead and lookbehind are not supported",
          hint: "state the condition in a second pattern, for example with `allOf` or `&&`")
      }
      switch peek {
      case "P" where dialect == .re2 && peek(1) == "<":
        index += 2
        try groupName(from: start)
      case "<":
        index += 1
        try groupName(from: start)
      default:
        if try !groupFlags(from: start) { return nil }
      }
    }
    depth += 1
    if depth > LinearRegex.maximumNesting {
      throw fault("regex-too-deep", at: start, "groups are nested more than \(LinearRegex.maximumNesting) deep")
    }
    let body = try alternatives()
    guard take(")") else { throw fault("regex-unclosed-group", at: start, "`(` is never closed") }
    depth -= 1
    flags = outer
    return body
  }

  private mutating func groupName(from start: Int) throws(Diagnostic) {
    var name = ""
    while let next = peek, next != ">" {
      let isLetter = next.properties.isXIDContinue || next == "$" && dialect == .ecma
      guard isLetter, !(name.isEmpty && next.properties.numericType != nil) else {
        throw fault("regex-group-name", at: index, "`\(visible(String(next)))` cannot stand in a group's name")
      }
      name.unicodeScalars.append(next)
      index += 1
    }
    guard take(">"), !name.isEmpty else { throw fault("regex-group-name", at: start, "the group has no name") }
    guard groupNames.insert(name).inserted else { throw fault("regex-group-name", at: start, "two groups are called `\(name)`") }
  }

  /// Reads what follows `(?`: false for `(?flags)`, which is complete; true when a group's body follows.
  private mutating func groupFlags(from start: Int) throws(Diagnostic) -> Bool {
    var isOn = true
    var seen = false
    while let next = peek {
      index += 1
      switch next {
      case ":": return true
      case ")" where dialect == .re2 && seen: return false
      case "-" where isOn: isOn = false
      case "i":
        flags.ignoreCase = isOn
        seen = true
      case "s":
        flags.dotMatchesNewline = isOn
        seen = true
      case "m":
        flags.multiline = isOn
        seen = true
      case "U" where dialect == .re2:
        flags.swapGreed = isOn
        seen = true
      default:
        throw fault("regex-group-syntax", at: start, "`(?\(visible(text(start + 2, index)))` is not a kind of group in this dialect")
      }
    }
    throw fault("regex-unclosed-group", at: start, "`(` is never closed")
  }

  // MARK: Repetition

  private mutating func repeated(_ atom: RegexNode, from start: Int, mayRepeat: Bool) throws(Diagnostic) -> RegexNode {
    let operatorStart = index
    let range: (minimum: Int, maximum: Int?)
    switch peek {
    case "*":
      index += 1
      range = (0, nil)
    case "+":
      index += 1
      range = (1, nil)
    case "?":
      index += 1
      range = (0, 1)
    case "{":
      guard let bounds = try bounds() else {
        if dialect == .ecma, peek(1) == "," {
          throw fault("regex-repeat-syntax", at: index, "a repetition needs its lower bound", hint: "write `{0,…}`, or `\\{` for the brace")
        }
        return atom
      }
      range = bounds
    default: return atom
    }
    guard mayRepeat else {
      throw fault("regex-nothing-to-repeat", at: start, "`\(visible(text(start, operatorStart)))` cannot be repeated")
    }
    let greedy = take("?") == flags.swapGreed
    if let next = peek, next == "*" || next == "+" || next == "?" {
      throw fault(
        "regex-repeat-syntax", at: operatorStart, "`\(text(operatorStart, index + 1))` repeats a repetition",
        hint: "put the inner one in `(?:…)`")
    }
    if peek == "{", try isBounds() {
      throw fault("regex-repeat-syntax", at: operatorStart, "a repetition is repeated", hint: "put the inner one in `(?:…)`")
    }
    return .repetition(atom, minimum: range.minimum, maximum: range.maximum, greedy: greedy)
  }

  private func isBounds() throws(Diagnostic) -> Bool {
    var ahead = self
    return try ahead.bounds() != nil
  }

  /// `{n}`, `{n,}` or `{n,m}`; nil, with nothing consumed, when the brace is something else.
  private mutating func bounds() throws(Diagnostic) -> (minimum: Int, maximum: Int?)? {
    let start = index
    index += 1
    guard let minimum = number() else {
      index = start
      return nil
    }
    var maximum: Int? = minimum
    if take(",") { maximum = peek == "}" ? nil : number() ?? -1 }
    guard maximum != -1, take("}") else {
      index = start
      return nil
    }
    if let maximum, maximum < minimum {
      throw fault("regex-repeat-bounds", at: start, "`\(text(start, index))` has its bounds in the wrong order")
    }
    if dialect == .re2, max(minimum, maximum ?? 0) > LinearRegex.maximumRE2Repetition {
      throw fault("regex-repeat-bounds", at: start, "`\(text(start, index))` repeats more than \(LinearRegex.maximumRE2Repetition) times")
    }
    return (minimum, maximum)
  }

  /// Saturates far above every bound on the program's size.
  private mutating func number() -> Int? {
    let start = index
    var value = 0
    while let next = peek, ("0"..."9").contains(next) {
      value = min(value * 10 + Int(next.value - 0x30), 1 << 32)
      index += 1
    }
    return index == start ? nil : value
  }

  // MARK: Input

  func peek(_ ahead: Int) -> Unicode.Scalar? {
    index + ahead < scalars.count ? Unicode.Scalar(scalars[index + ahead]) : nil
  }

  var peek: Unicode.Scalar? { peek(0) }

  mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    guard peek == scalar else { return false }
    index += 1
    return true
  }

  func text(_ start: Int, _ end: Int) -> String {
    var text = ""
    for value in scalars[min(start, scalars.count)..<min(end, scalars.count)] {
      if let scalar = Unicode.Scalar(value) { text.unicodeScalars.append(scalar) }
    }
    return text
  }

  /// An error about the pattern, at the scalar with the given index.
  func fault(_ code: String, at index: Int, _ message: String, hint: String? = nil) -> Diagnostic {
    Diagnostic(code, at: position, "in the pattern at character \(index + 1): \(message)", hint: hint)
  }
}
