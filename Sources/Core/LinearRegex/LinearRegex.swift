/// A regular expression that is searched in time linear in the text, whatever the pattern.
///
/// There is no backtracking and therefore no pattern that a text can make slow: backreferences and lookaround, which need it, are
/// refused when the pattern is compiled. The text is UTF-8 and is read by Unicode scalar; nothing is normalised.
///
/// Bounds, each with its own error when a pattern passes it: ``maximumPatternLength``, ``maximumNesting``, ``maximumProgramSize``,
/// and ``maximumRE2Repetition``. A compiled pattern is immutable and may be searched from any thread.
///
/// - SeeAlso: R. Cox, "Regular expression matching: the virtual machine approach", 2009, https://swtch.com/~rsc/regexp/regexp2.html.
public struct LinearRegex: Sendable {
  /// Which syntax a pattern is written in.
  public enum Dialect: Hashable, Sendable {
    /// RE2, which the Common Expression Language names: `(?i)` and the flags `m`, `s`, `U`, `\A`, `\z`, `\pL`, `\p{Greek}`,
    /// `[[:alpha:]]`, `\Q…\E`, counted repetition up to ``LinearRegex/maximumRE2Repetition``. No `\C`.
    case re2
    /// ECMAScript with the flag `u`, which JSON Schema names: `\d`, `\w` and `\b` are ASCII, `\p{Letter}`, `\p{Script=Greek}`,
    /// `\cX`, `\uXXXX`, `\u{…}`. Backslashes before any ASCII punctuation, and lone `]`, `{` and `}`, are taken literally.
    case ecma
  }

  /// In Unicode scalars.
  public static let maximumPatternLength = 4096
  /// Groups within groups.
  public static let maximumNesting = 200
  /// Instructions of the compiled pattern.
  ///
  /// A search takes at most that many steps for each scalar of the text.
  public static let maximumProgramSize = 16_384
  /// The largest bound of a counted repetition in the dialect ``Dialect/re2``.
  public static let maximumRE2Repetition = 1000

  /// As written.
  public let pattern: String
  /// The syntax that ``pattern`` is written in.
  public let dialect: Dialect
  let program: RegexProgram

  /// Compiles a pattern.
  ///
  /// - Parameters:
  ///   - pattern: Matched anywhere in a text; anchors say otherwise.
  ///   - dialect: The syntax that it is written in.
  ///   - position: Where the pattern stands in a file, for the error.
  /// - Throws: ``Diagnostic`` with a code that starts with `regex-`; its message names the character of the pattern.
  /// - Complexity: O(``maximumProgramSize``), about a millisecond at worst; the first pattern that names a Unicode property
  ///   reads the character tables, which takes some milliseconds more.
  public init(_ pattern: String, dialect: Dialect, at position: SourcePosition? = nil) throws(Diagnostic) {
    guard pattern.unicodeScalars.count <= Self.maximumPatternLength else {
      throw Diagnostic("regex-too-long", at: position, "the pattern has more than \(Self.maximumPatternLength) characters")
    }
    var parser = RegexParser(pattern, dialect: dialect, position: position)
    program = try RegexProgram(parser.parse(), dialect: dialect, position: position)
    self.pattern = pattern
    self.dialect = dialect
  }

  /// How many steps one scalar of a text can cost at most: 1 when the pattern has a transition table.
  public var stepsPerScalar: Int { program.table == nil ? program.instructions.count + 1 : 1 }

  /// Whether some part of the text matches.
  ///
  /// - Complexity: O(n · ``stepsPerScalar``) for n scalars.
  public func contains(in text: String) -> Bool {
    var steps = Int.max
    return contains(in: text, steps: &steps) ?? false
  }

  /// Whether some part of the text matches, within a budget.
  ///
  /// - Parameters:
  ///   - utf8: The text. Bytes that are not well-formed UTF-8 count as U+FFFD each.
  ///   - steps: How many steps may still be taken; lowered by those taken.
  /// - Returns: nil when the steps ran out first.
  public func contains(in utf8: UnsafeBufferPointer<UInt8>, steps: inout Int) -> Bool? {
    program.contains(in: utf8, steps: &steps)
  }

  /// Whether some part of the text matches, within a budget.
  ///
  /// - Parameters:
  ///   - text: The text.
  ///   - steps: How many steps may still be taken; lowered by those taken.
  /// - Returns: nil when the steps ran out first.
  public func contains(in text: String, steps: inout Int) -> Bool? {
    var text = text
    return text.withUTF8 { program.contains(in: $0, steps: &steps) }
  }

  /// The leftmost match, as UTF-8 offsets; of those that start there the one that the pattern prefers (earlier alternatives, more
  /// repetitions, or fewer for lazy ones).
  ///
  /// - Complexity: O(n · m) for n scalars and m instructions.
  public func firstMatch(in text: String) -> Range<Int>? {
    var text = text
    return text.withUTF8 { utf8 in
      var steps = Int.max
      var end = 0
      guard let start = program.firstMatch(in: utf8, steps: &steps, anyMatch: false, end: &end), start >= 0 else { return nil }
      return start..<end
    }
  }
}

extension LinearRegex: Hashable, CustomStringConvertible {
  /// Patterns are equal when they have the same bytes in the same dialect.
  public static func == (a: LinearRegex, b: LinearRegex) -> Bool {
    a.dialect == b.dialect && a.pattern.utf8.elementsEqual(b.pattern.utf8)
  }

  /// Feeds the bytes of the pattern and the dialect.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(dialect)
    hasher.combine(Array(pattern.utf8))
  }

  /// The pattern as written.
  public var description: String { pattern }
}
