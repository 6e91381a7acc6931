extension RegexParser {
  /// Reads `[…]`, whose bracket, at `start`, has been consumed.
  mutating func bracketClass(from start: Int) throws(Diagnostic) -> ScalarSet {
    let negated = take("^")
    var ranges: [ClosedRange<UInt32>] = []
    var isFirst = true
    while true {
      guard let next = peek else { throw fault("regex-unclosed-class", at: start, "`[` is never closed") }
      // RE2 takes a bracket in the first place literally; ECMAScript knows the empty class.
      if next == "]", !(isFirst && dialect == .re2) {
        index += 1
        break
      }
      isFirst = false
      if dialect == .re2, next == "[", peek(1) == ":", let set = try posixClass() {
        ranges += set.ranges
        continue
      }
      let itemStart = index
      guard let low = try classScalar(into: &ranges) else { continue }
      guard peek == "-", let afterDash = peek(1), afterDash != "]" else {
        ranges.append(low...low)
        continue
      }
      index += 1
      var other: [ClosedRange<UInt32>] = []
      guard let high = try classScalar(into: &other) else {
        throw fault("regex-class-range", at: itemStart, "`\(visible(text(itemStart, index)))` ends a range with a class")
      }
      guard low <= high else {
        throw fault("regex-class-range", at: itemStart, "`\(visible(text(itemStart, index)))` has its ends in the wrong order")
      }
      ranges.append(low...high)
    }
    let set = ScalarSet(ranges)
    let folded = flags.ignoreCase ? set.caseFolded : set
    return negated ? folded.inverted : folded
  }

  /// One scalar of a class, or nil when a whole class such as `\d` was read, which is added to `ranges`.
  private mutating func classScalar(into ranges: inout [ClosedRange<UInt32>]) throws(Diagnostic) -> UInt32? {
    let start = index
    let value = scalars[index]
    index += 1
    guard value == 0x5C else { return value }
    switch try escape(inClass: true, from: start) {
    case .scalar(let value): return value
    case .set(let set):
      ranges += set.ranges
      return nil
    case .assertion, .quotation: throw fault("regex-escape", at: start, "`\(text(start, index))` cannot stand in a class")
    }
  }

  /// `[:alpha:]` or `[:^alpha:]`; nil, with nothing consumed, when it has not that form.
  private mutating func posixClass() throws(Diagnostic) -> ScalarSet? {
    let start = index
    guard let end = (start + 2..<max(start + 2, scalars.count - 1)).first(where: { scalars[$0] == 0x3A && scalars[$0 + 1] == 0x5D }) else {
      return nil
    }
    var name = text(start + 2, end)
    let negated = name.hasPrefix("^")
    if negated { name.removeFirst() }
    guard let set = Self.posixClasses.first(where: { $0.name == name })?.set else {
      throw fault(
        "regex-class-name", at: start, "`[:\(visible(name)):]` is not a class",
        hint: nearestName(to: name, in: Self.posixClasses.map(\.name)).map { "did you mean `[:\($0):]`?" })
    }
    index = end + 2
    let folded = flags.ignoreCase ? set.caseFolded : set
    return negated ? folded.inverted : folded
  }

  private static let posixClasses: [(name: String, set: ScalarSet)] = [
    ("alnum", ScalarSet([0x30...0x39, 0x41...0x5A, 0x61...0x7A])), ("alpha", .asciiLetters), ("ascii", ScalarSet([0...0x7F])),
    ("blank", ScalarSet(of: "\t ")), ("cntrl", ScalarSet([0...0x1F, 0x7F...0x7F])), ("digit", .asciiDigits),
    ("graph", ScalarSet([0x21...0x7E])), ("lower", ScalarSet([0x61...0x7A])), ("print", ScalarSet([0x20...0x7E])),
    ("punct", ScalarSet([0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E])), ("space", ScalarSet(of: "\t\n\u{B}\u{C}\r ")),
    ("upper", ScalarSet([0x41...0x5A])), ("word", .asciiWord), ("xdigit", ScalarSet([0x30...0x39, 0x41...0x46, 0x61...0x66])),
  ]
}

extension LinearRegex.Dialect {
  /// What ends a line: `.` does not match it, and `(?m)^` and `$` stand beside it.
  var newlines: ScalarSet {
    switch self {
    case .re2: ScalarSet(0x0A)
    case .ecma: ScalarSet([0x0A...0x0A, 0x0D...0x0D, 0x2028...0x2029])
    }
  }

  /// What `\s` matches.
  var space: ScalarSet {
    switch self {
    case .re2: ScalarSet(of: "\t\n\u{C}\r ")
    case .ecma:
      ScalarSet([
        0x09...0x0D, 0x20...0x20, 0xA0...0xA0, 0x1680...0x1680, 0x2000...0x200A, 0x2028...0x2029, 0x202F...0x202F, 0x205F...0x205F,
        0x3000...0x3000, 0xFEFF...0xFEFF,
      ])
    }
  }
}
