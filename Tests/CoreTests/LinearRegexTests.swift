import Core
import TestSupport
import Testing

@Suite("linear regular expressions")
struct LinearRegexTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var dialect: LinearRegex.Dialect
    var pattern: String
    var text: String
    /// The text of the leftmost match, nil for none.
    var match: String?
    var testDescription: String { "\(dialect) \(pattern.debugDescription) on \(text.debugDescription)" }

    static func re2(_ pattern: String, _ text: String, _ match: String?) -> Case {
      Case(dialect: .re2, pattern: pattern, text: text, match: match)
    }
    static func ecma(_ pattern: String, _ text: String, _ match: String?) -> Case {
      Case(dialect: .ecma, pattern: pattern, text: text, match: match)
    }
  }

  static let structure: [Case] = [
    .re2("", "cows", ""), .re2("ubb", "hubba", "ubb"), .re2("foo|bar", "", nil), .re2("gr(a|e)y", "grey", "grey"),
    .re2("ba(na)*", "banana", "banana"), .re2("a+ñ+a+", "mañana", "aña"), .re2("(a|😀){2}", "🐱😀😀", "😀😀"),
    .re2("a*", "baaa", ""), .re2("a+", "baaa", "aaa"), .re2("a+?", "baaa", "a"), .re2("a??b", "aab", "ab"), .re2("a{2}", "aaa", "aa"),
    .re2("a{2,}", "aaaa", "aaaa"), .re2("a{2,}?", "aaaa", "aa"), .re2("a{0,2}", "aaa", "aa"), .re2("a{,2}", "a{,2}", "a{,2}"),
    .re2("a{", "a{", "a{"), .re2("a{x}", "a{x}", "a{x}"), .re2("a{0}b", "ab", "b"), .re2("x*", "", ""), .re2("(|a)*", "aa", ""),
    .re2("(a|)*", "aa", "aa"), .re2("(|a)+", "aa", ""), .re2("(a*)*b", "aaab", "aaab"), .re2("(?:a|ab)(?:c|bcd)(d*)", "abcd", "abcd"),
    .re2("a|ab", "ab", "a"), .re2("ab|a", "ab", "ab"), .re2("((a{0}){1000}){1000}b", "b", "b"), .re2("(?U)a+", "aaa", "a"),
    .re2("(?U)a+?", "aaa", "aaa"), .re2("(?P<n>a)(?<m>b)", "ab", "ab"), .re2("a||b", "b", ""), .re2("()", "x", ""),
    .ecma("a{2,3}?", "aaaa", "aa"), .ecma("(?<n>a)b", "ab", "ab"), .ecma("(?:)", "x", ""), .ecma("x{", "x{", "x{"), .ecma("]}", "]}", "]}"),
  ]

  static let anchors: [Case] = [
    .re2("^a", "ba", nil), .re2("^a", "ab", "a"), .re2("a$", "ab", nil), .re2("a$", "ba", "a"), .re2("^$", "", ""), .re2("^$", "a", nil),
    .re2("a$", "a\n", nil), .re2("(?m)a$", "a\n", "a"), .re2("(?m)^b", "a\nb", "b"), .re2("(?m)\\Ab", "a\nb", nil),
    .re2("(?m)a\\z", "a\n", nil), .re2("\\bfoo\\b", "a foo b", "foo"), .re2("\\bfoo\\b", "afoob", nil), .re2("\\Bo", "foo", "o"),
    .re2("\\B", "", ""), .re2("\\b", "", nil), .re2("é\\b", "é", nil), .re2("^*a", "ba", "a"), .re2("(^|,)x", "a,x", ",x"),
    .re2("x(^|y)", "xy", "xy"),
    .re2("$^", "", ""), .re2("a^b", "ab", nil), .re2("(?:^a|b)c", "xac", nil), .re2("(?:^a|b)c", "xbc", "bc"),
    .ecma("^abc$", "abc\n", nil), .ecma("(?m:^b$)", "a\rb\u{2028}", "b"), .ecma("^🐲*$", "🐲🐲", "🐲🐲"), .ecma("^.$", "🐲", "🐲"),
    .ecma("^.{2}$", "e\u{301}", "e\u{301}"),
  ]

  static let classes: [Case] = [
    .re2("[a-c]+", "xabcd", "abc"), .re2("[^a-c]+", "abxyc", "xy"), .re2("[]a]+", "a]", "a]"), .re2("[^]a]", "]ab", "b"),
    .re2("[a-]+", "-a", "-a"),
    .re2("[-a]+", "a-", "a-"), .re2("[\\w-.]+", " a-.", "a-."), .re2("\\d+", "a12", "12"), .re2("\\D", "1a", "a"),
    .re2("\\d", "\u{7C0}", nil),
    .re2("\\s", "\u{B}", nil), .re2("\\s+", "a\t\n\u{C}\r ", "\t\n\u{C}\r "), .re2("\\S", " \u{B}", "\u{B}"),
    .re2("[[:alpha:]_]+", "1aB_", "aB_"),
    .re2("[[:^digit:]]", "1a", "a"), .re2("[^[:space:]]", " x", "x"), .re2("\\pL+", "1éα", "éα"), .re2("\\PL", "é1", "1"),
    .re2("\\p{Greek}+", "aαβ", "αβ"),
    .re2("\\p{^Greek}", "αa", "a"), .re2("\\P{Latin}", "aя", "я"), .re2("\\p{Cyrillic}", "aя", "я"), .re2("[\\p{Lu}\\d]+", "aÉ1", "É1"),
    .re2("\\p{Nd}", "٣", "٣"), .re2("[^\\pL]", "a1", "1"), .re2("\\p{Any}", "\n", "\n"), .re2("\\pS", "a€", "€"),
    .re2("\\pC", "a\u{0}", "\u{0}"),
    .re2(".", "\n", nil), .re2("(?s).", "\n", "\n"), .re2(".", "\r", "\r"), .re2("[\\n]", "\n", "\n"),
    .re2("[\\x{1F600}-\\x{1F64F}]", "😀", "😀"),
    .ecma("^\\d$", "\u{7C0}", nil), .ecma("\\w", "é", nil), .ecma("\\s", "\u{FEFF}", "\u{FEFF}"), .ecma("\\s", "\u{B}", "\u{B}"),
    .ecma(".", "\u{2029}", nil),
    .ecma("\\p{Letter}cole", "l'École", "École"), .ecma("^\\p{digit}+$", "৪২", "৪২"), .ecma("\\p{Script=Greek}", "α", "α"),
    .ecma("\\p{gc=Uppercase_Letter}", "aB", "B"), .ecma("\\p{Alphabetic}", "1a", "a"), .ecma("\\p{ASCII}", "éa", "a"),
    .ecma("[]", "a", nil),
    .ecma("[^]", "\n", "\n"), .ecma("[\\b]", "\u{8}", "\u{8}"), .ecma("[^\\uD800-\\uDFFF]", "a", "a"), .ecma("[\\w-]+", "a-b", "a-b"),
  ]

  static let escapes: [Case] = [
    .re2("\\a\\f\\t\\n\\r\\v", "\u{7}\u{C}\t\n\r\u{B}", "\u{7}\u{C}\t\n\r\u{B}"), .re2("\\x41\\x{1F432}", "A🐲", "A🐲"),
    .re2("\\101", "A", "A"),
    .re2("\\0", "\u{0}", "\u{0}"), .re2("\\Qa.b\\E+", "a.bb", "a.bb"), .re2("\\Qa*", "aa*", "a*"), .re2("\\.\\-\\/", "x.-/", ".-/"),
    .re2("\\~\\@", "~@", "~@"),
    .ecma("^\\cC$", "\u{3}", "\u{3}"), .ecma("^\\cc$", "\u{3}", "\u{3}"), .ecma("\\u0041\\u{42}\\x43\\0", "ABC\u{0}", "ABC\u{0}"),
    .ecma("\\uD83D\\uDC32", "🐲", "🐲"), .ecma("[\\uD83D\\uDC30-\\uD83D\\uDC35]", "🐲", "🐲"), .ecma("\\-\\@\\/", "-@/", "-@/"),
    .ecma("\\$\\.\\*", "a$.*", "$.*"),
  ]

  static let folding: [Case] = [
    .re2("(?i)abc", "xABc", "ABc"), .re2("(?i)k", "\u{212A}", "\u{212A}"), .re2("(?i)\u{212A}", "k", "k"), .re2("(?i)ſ", "S", "S"),
    .re2("(?i)σ", "ς", "ς"),
    .re2("(?i)É", "é", "é"), .re2("(?i)ß", "SS", nil), .re2("(?i)ß", "ẞ", "ẞ"), .re2("(?i)[^a]", "A", nil), .re2("(?i)i", "İ", nil),
    .re2("(?i)ı", "I", nil),
    .re2("a(?i)b|c", "aB", "aB"), .re2("a(?i)b|c", "C", "C"), .re2("(a(?i)b)c", "aBC", nil), .re2("(?i:a)b", "Ab", "Ab"),
    .re2("(?i:a)b", "AB", nil),
    .re2("(?i-i:a)", "A", nil), .re2("(?i)[[:upper:]]", "a", "a"), .re2("(?i)\\p{Lu}", "a", "a"), .re2("(?i)ǆ", "ǅ", "ǅ"),
    .re2("(?i)𐐀", "𐐨", "𐐨"),
    .re2("(?i)[a-c]x", "BX", "BX"), .ecma("(?i:a)b", "Ab", "Ab"), .ecma("(?-i:a)", "A", nil),
  ]

  @Test(arguments: structure + anchors + classes + escapes + folding)
  func finds(_ test: Case) throws {
    let regex = try LinearRegex(test.pattern, dialect: test.dialect)
    let found = regex.firstMatch(in: test.text).map { String(decoding: Array(test.text.utf8)[$0], as: UTF8.self) }
    #expect(found.map { Array($0.utf8) } == test.match.map { Array($0.utf8) })
    #expect(regex.contains(in: test.text) == (test.match != nil))
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    var dialect: LinearRegex.Dialect
    var pattern: String
    var code: String
    var message: String
    var testDescription: String { "\(dialect) \(pattern.prefix(40).debugDescription)" }
    init(_ dialect: LinearRegex.Dialect, _ pattern: String, _ code: String, _ message: String) {
      (self.dialect, self.pattern, self.code, self.message) = (dialect, pattern, code, message)
    }
  }

  static let refusals: [Refusal] = [
    Refusal(.re2, "a(b", "regex-unclosed-group", "in the pattern at character 2: `(` is never closed"),
    Refusal(.re2, "a)b", "regex-unmatched-parenthesis", "in the pattern at character 2: `)` without an opening `(`"),
    Refusal(.re2, "[a", "regex-unclosed-class", "in the pattern at character 1: `[` is never closed"),
    Refusal(.re2, "*a", "regex-nothing-to-repeat", "in the pattern at character 1: `*` has nothing before it to repeat"),
    Refusal(.re2, "a|+", "regex-nothing-to-repeat", "in the pattern at character 3: `+` has nothing before it to repeat"),
    Refusal(.re2, "{2}", "regex-nothing-to-repeat", "in the pattern at character 1: `{` has nothing before it to repeat"),
    Refusal(.re2, "a**", "regex-repeat-syntax", "in the pattern at character 2: `**` repeats a repetition"),
    Refusal(.re2, "a{2}{3}", "regex-repeat-syntax", "in the pattern at character 2: a repetition is repeated"),
    Refusal(.re2, "a{3,2}", "regex-repeat-bounds", "in the pattern at character 2: `{3,2}` has its bounds in the wrong order"),
    Refusal(.re2, "a{1001}", "regex-repeat-bounds", "in the pattern at character 2: `{1001}` repeats more than 1000 times"),
    Refusal(.re2, "(a{1000}){1000}", "regex-too-large", "the pattern needs more than 16384 instructions"),
    Refusal(.re2, "(?=a)", "regex-lookaround", "in the pattern at character 1: lookahead and lookbehind are not supported"),
    Refusal(.re2, "(a)\\1", "regex-backreference", "in the pattern at character 4: backreferences are not supported"),
    Refusal(.re2, "\\C", "regex-escape", "in the pattern at character 1: `\\C` is not an escape in this dialect"),
    Refusal(.re2, "\\Z", "regex-escape", "in the pattern at character 1: `\\Z` is not an escape in this dialect"),
    Refusal(.re2, "a\\", "regex-escape", "in the pattern at character 2: the pattern ends in a backslash"),
    Refusal(.re2, "\\p{Grek}", "regex-property", "in the pattern at character 1: `Grek` is not a character property known here"),
    Refusal(.re2, "[[:alfa:]]", "regex-class-name", "in the pattern at character 2: `[:alfa:]` is not a class"),
    Refusal(.re2, "[b-a]", "regex-class-range", "in the pattern at character 2: `b-a` has its ends in the wrong order"),
    Refusal(.re2, "[a-\\d]", "regex-class-range", "in the pattern at character 2: `a-\\d` ends a range with a class"),
    Refusal(.re2, "(?z)a", "regex-group-syntax", "in the pattern at character 1: `(?z` is not a kind of group in this dialect"),
    Refusal(.re2, "(?P=n)", "regex-group-syntax", "in the pattern at character 1: `(?P` is not a kind of group in this dialect"),
    Refusal(.re2, "(?<a>x)(?<a>y)", "regex-group-name", "in the pattern at character 8: two groups are called `a`"),
    Refusal(
      .re2, "\\x{110000}", "regex-escape", "in the pattern at character 1: the braces need a code point in hexadecimal, at most 10FFFF"),
    Refusal(.ecma, "(?<=a)b", "regex-lookaround", "in the pattern at character 1: lookahead and lookbehind are not supported"),
    Refusal(.ecma, "(?<n>a)\\k<n>", "regex-backreference", "in the pattern at character 8: backreferences are not supported"),
    Refusal(.ecma, "\\a", "regex-escape", "in the pattern at character 1: `\\a` is not an escape in this dialect"),
    Refusal(.ecma, "(?P<n>a)", "regex-group-syntax", "in the pattern at character 1: `(?P` is not a kind of group in this dialect"),
    Refusal(.ecma, "(?i)a", "regex-group-syntax", "in the pattern at character 1: `(?i)` is not a kind of group in this dialect"),
    Refusal(.ecma, "(?#c)a", "regex-group-syntax", "in the pattern at character 1: `(?#` is not a kind of group in this dialect"),
    Refusal(.ecma, "^*", "regex-nothing-to-repeat", "in the pattern at character 1: `^` cannot be repeated"),
    Refusal(.ecma, "a{,2}", "regex-repeat-syntax", "in the pattern at character 2: a repetition needs its lower bound"),
    Refusal(.ecma, "a{1,99999999999999999999}", "regex-too-large", "the pattern needs more than 16384 instructions"),
    Refusal(.ecma, "\\u12", "regex-escape", "in the pattern at character 1: `\\u` needs four hexadecimal digits or `{…}`"),
    Refusal(.ecma, "\\pL", "regex-property", "in the pattern at character 1: `\\p` needs a name in braces, such as `\\p{Letter}`"),
    Refusal(
      .re2, String(repeating: "(", count: 300), "regex-too-deep", "in the pattern at character 201: groups are nested more than 200 deep"),
    Refusal(.re2, String(repeating: "a", count: 4097), "regex-too-long", "the pattern has more than 4096 characters"),
  ]

  @Test("T10 a pattern that cannot be searched in linear time, or passes a bound, is refused by name", arguments: refusals)
  func refuses(_ refusal: Refusal) throws {
    let error = try #require(throws: Diagnostic.self) { try LinearRegex(refusal.pattern, dialect: refusal.dialect) }
    #expect(error.code == refusal.code)
    #expect(error.message == refusal.message)
  }

  @Test func hintsNameTheNearest() throws {
    let property = try #require(throws: Diagnostic.self) { try LinearRegex("\\p{Grek}", dialect: .re2) }
    #expect(property.hint == "did you mean `Greek`?")
    let name = try #require(throws: Diagnostic.self) { try LinearRegex("[[:alfa:]]", dialect: .re2) }
    #expect(name.hint == "did you mean `[:alpha:]`?")
  }

  @Test func aPositionIsPassedOn() throws {
    let position = SourcePosition(file: "rules.json5", line: 3, column: 7, offset: 40)
    let error = try #require(throws: Diagnostic.self) { try LinearRegex("(", dialect: .re2, at: position) }
    #expect(error.position == position)
  }

  @Test func bytesThatAreNoUTF8CountAsReplacementCharacters() throws {
    let regex = try LinearRegex("^a\u{FFFD}{3}b$", dialect: .re2)
    var steps = Int.max
    let bytes: [UInt8] = [0x61, 0xE2, 0x82, 0xFF, 0x62]
    #expect(bytes.withUnsafeBufferPointer { regex.contains(in: $0, steps: &steps) } == true)
  }

  @Test func patternsAreComparedByTheirBytes() throws {
    let composed = try LinearRegex("\u{E9}", dialect: .re2)
    let decomposed = try LinearRegex("e\u{301}", dialect: .re2)
    #expect(composed != decomposed)
    #expect(try composed == LinearRegex("\u{E9}", dialect: .re2))
    #expect(try composed != LinearRegex("\u{E9}", dialect: .ecma))
    #expect(!composed.contains(in: "e\u{301}"))
  }

  // MARK: Steps

  static let bombs = ["(a*)*b", "(a|a)*c", "(a+)+$x", "(.*)*x", "(a|b)*a(a|b){12}c", "^(a?){100}a{100}$", "(x+x+)+y", "((a{0,60}){0,60})b"]

  @Test("T10 no pattern takes more steps than its own size for each scalar", arguments: bombs)
  func stepsAreLinear(_ pattern: String) throws {
    let regex = try LinearRegex(pattern, dialect: .re2)
    for unit in ["a", "ab", "x", "\u{E9}a"] {
      let text = String(repeating: unit, count: 500)
      var left = Int.max
      _ = regex.contains(in: text, steps: &left)
      let taken = Int.max - left
      #expect(taken > 0)
      #expect(taken <= (text.utf8.count + 1) * regex.stepsPerScalar, "\(pattern) on \(unit)")
    }
  }

  @Test func aTableAnswersMostPatternsInOneStepAScalar() throws {
    for pattern in Self.bombs.prefix(4) + ["^[a-z][a-z0-9_]{0,63}$", "^.{1,900}$", "^#W[0-9]{7}$", "(?i)urgent|asap"] {
      #expect(try LinearRegex(pattern, dialect: .re2).stepsPerScalar == 1, "\(pattern)")
    }
    // Its deterministic automaton would have 2^13 states, so its threads are simulated.
    #expect(try LinearRegex("(a|b)*a(a|b){12}c", dialect: .re2).stepsPerScalar > 1)
  }

  @Test func aSearchStopsWhenItsStepsRunOut() throws {
    for pattern in ["b", "(a|b)*a(a|b){12}c"] {
      let regex = try LinearRegex(pattern, dialect: .re2)
      var steps = 100
      #expect(regex.contains(in: String(repeating: "a", count: 1000), steps: &steps) == nil, "\(pattern)")
      #expect(steps <= 0)
    }
    let exact = try LinearRegex("aaab", dialect: .re2)
    var steps = 4
    #expect(exact.contains(in: "aaab", steps: &steps) == true)
    #expect(steps == 0)
  }
}
