import Core
import TestSupport
import Testing

/// Compares the engine with a matcher that is too simple to be wrong and too slow to be used.
@Suite("linear regular expressions against a naive matcher")
struct LinearRegexDifferentialTests {
  indirect enum Tree {
    case scalar(Unicode.Scalar)
    case anyOf([Unicode.Scalar], negated: Bool)
    case any
    case start, end, boundary, notBoundary
    case sequence([Tree])
    case alternatives([Tree])
    case repetition(Tree, Int, Int?, lazy: Bool)

    var pattern: String {
      switch self {
      case .scalar(let scalar): String(scalar)
      case .anyOf(let scalars, let negated): "[" + (negated ? "^" : "") + scalars.map(String.init).joined() + "]"
      case .any: "."
      case .start: "^"
      case .end: "$"
      case .boundary: "\\b"
      case .notBoundary: "\\B"
      case .sequence(let trees): "(?:" + trees.map(\.pattern).joined() + ")"
      case .alternatives(let trees): "(?:" + trees.map(\.pattern).joined(separator: "|") + ")"
      case .repetition(let tree, let minimum, let maximum, let lazy):
        "(?:\(tree.pattern))" + Self.suffix(minimum, maximum) + (lazy ? "?" : "")
      }
    }

    static func suffix(_ minimum: Int, _ maximum: Int?) -> String {
      switch (minimum, maximum) {
      case (0, nil): "*"
      case (1, nil): "+"
      case (0, 1): "?"
      case (_, nil): "{\(minimum),}"
      case (_, let maximum?): minimum == maximum ? "{\(minimum)}" : "{\(minimum),\(maximum)}"
      }
    }

    /// Every place where a match that begins at `start` can end, preferred ones first.
    func ends(_ text: [Unicode.Scalar], from start: Int) -> [Int] {
      func isWord(_ index: Int) -> Bool {
        text.indices.contains(index) && text[index].isASCII && (text[index].properties.isAlphabetic || text[index] == "_")
      }
      let all: [Int] =
        switch self {
        case .scalar(let scalar): start < text.count && text[start] == scalar ? [start + 1] : []
        case .anyOf(let scalars, let negated): start < text.count && scalars.contains(text[start]) != negated ? [start + 1] : []
        case .any: start < text.count && text[start] != "\n" ? [start + 1] : []
        case .start: start == 0 ? [start] : []
        case .end: start == text.count ? [start] : []
        case .boundary: isWord(start - 1) != isWord(start) ? [start] : []
        case .notBoundary: isWord(start - 1) == isWord(start) ? [start] : []
        case .sequence(let trees): trees.reduce([start]) { ends, tree in ends.flatMap { tree.ends(text, from: $0) } }
        case .alternatives(let trees): trees.flatMap { $0.ends(text, from: start) }
        case .repetition(let tree, let minimum, let maximum, let lazy):
          Self.repeated(tree, minimum, maximum, lazy, text, start)
        }
      var seen: Set<Int> = []
      return all.filter { seen.insert($0).inserted }
    }

    private static func repeated(_ tree: Tree, _ minimum: Int, _ maximum: Int?, _ lazy: Bool, _ text: [Unicode.Scalar], _ start: Int)
      -> [Int]
    {
      if maximum == 0 { return [start] }
      let rest = maximum.map { $0 - 1 }
      let more = tree.ends(text, from: start).flatMap { end in
        minimum > 0
          ? repeated(tree, minimum - 1, rest, lazy, text, end) : end == start ? [end] : repeated(tree, 0, rest, lazy, text, end)
      }
      if minimum > 0 { return more }
      return lazy ? [start] + more : more + [start]
    }

    var canBeEmpty: Bool {
      switch self {
      case .scalar, .anyOf, .any: false
      case .start, .end, .boundary, .notBoundary: true
      case .sequence(let trees): trees.allSatisfy(\.canBeEmpty)
      case .alternatives(let trees): trees.contains(where: \.canBeEmpty)
      case .repetition(let tree, let minimum, _, _): minimum == 0 || tree.canBeEmpty
      }
    }

    /// Whether engines agree on what such a pattern prefers: they do unless something that can be empty is repeated.
    var hasSettledPreference: Bool {
      switch self {
      case .scalar, .anyOf, .any, .start, .end, .boundary, .notBoundary: true
      case .sequence(let trees), .alternatives(let trees): trees.allSatisfy(\.hasSettledPreference)
      case .repetition(let tree, _, _, _): !tree.canBeEmpty && tree.hasSettledPreference
      }
    }
  }

  static func tree(_ depth: Int, _ alphabet: [Unicode.Scalar], _ random: inout SeededGenerator) -> Tree {
    func pick() -> Unicode.Scalar { alphabet[Int.random(in: 0..<alphabet.count, using: &random)] }
    switch Int.random(in: 0..<(depth > 0 ? 14 : 7), using: &random) {
    case 0...2: return .scalar(pick())
    case 3: return .anyOf([pick(), pick()], negated: Bool.random(using: &random))
    case 4: return .any
    case 5: return [.start, .end][Int.random(in: 0...1, using: &random)]
    case 6: return [.boundary, .notBoundary][Int.random(in: 0...1, using: &random)]
    case 7...9: return .sequence((0..<Int.random(in: 0...3, using: &random)).map { _ in tree(depth - 1, alphabet, &random) })
    case 10, 11: return .alternatives((0..<Int.random(in: 2...3, using: &random)).map { _ in tree(depth - 1, alphabet, &random) })
    default:
      let minimum = Int.random(in: 0...2, using: &random)
      let maximum = Bool.random(using: &random) ? nil : minimum + Int.random(in: 0...2, using: &random)
      return .repetition(tree(depth - 1, alphabet, &random), minimum, maximum, lazy: Bool.random(using: &random))
    }
  }

  @Test func theEngineAgreesWithTheNaiveMatcher() throws {
    let alphabets: [[Unicode.Scalar]] = [["a", "b"], ["a", "b", "c", " "], ["a", "\u{E9}", "\u{1F432}", "-"]]
    var matches = 0
    var misses = 0
    try withSeeds(400) { seed, random in
      let alphabet = alphabets[Int.random(in: 0..<alphabets.count, using: &random)]
      let tree = Self.tree(3, alphabet, &random)
      let dialect: LinearRegex.Dialect = Bool.random(using: &random) ? .re2 : .ecma
      let pattern = tree.pattern
      let regex = try LinearRegex(pattern, dialect: dialect)
      for _ in 0..<12 {
        let text = (0..<Int.random(in: 0...7, using: &random)).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)] }
        var string = ""
        string.unicodeScalars.append(contentsOf: text)
        let ends = (0...text.count).lazy.map { (start: $0, ends: tree.ends(text, from: $0)) }.first { !$0.ends.isEmpty }
        let offset = { (index: Int) in text[..<index].reduce(0) { $0 + String($1).utf8.count } }
        let found = regex.firstMatch(in: string)
        let place = "seed \(seed): \(dialect) \(pattern.debugDescription) on \(string.debugDescription)"
        #expect(regex.contains(in: string) == (ends != nil), "\(place)")
        #expect(found?.lowerBound == ends.map { offset($0.start) }, "\(place)")
        if let ends, let found {
          #expect(ends.ends.contains { offset($0) == found.upperBound }, "\(place)")
          if tree.hasSettledPreference { #expect(found.upperBound == offset(ends.ends[0]), "\(place)") }
        }
        if ends == nil { misses += 1 } else { matches += 1 }
      }
    }
    #expect(matches > 10 && misses > 1, "the property saw both kinds")
  }
}
