/// What a pattern means, after parsing.
struct RegexNode: Sendable {
  indirect enum Kind: Sendable {
    case empty
    /// Any one scalar of the set. The empty set never matches.
    case scalar(ScalarSet)
    case assertion(RegexAssertion)
    case sequence([RegexNode])
    /// Earlier alternatives are preferred.
    case alternatives([RegexNode])
    /// `maximum` nil: no bound.
    case repetition(RegexNode, minimum: Int, maximum: Int?, greedy: Bool)
  }

  let kind: Kind
  /// Whether it can match without consuming a scalar.
  let canBeEmpty: Bool

  static let empty = RegexNode(kind: .empty, canBeEmpty: true)

  static func scalar(_ set: ScalarSet) -> RegexNode { RegexNode(kind: .scalar(set), canBeEmpty: false) }

  static func assertion(_ assertion: RegexAssertion) -> RegexNode { RegexNode(kind: .assertion(assertion), canBeEmpty: true) }

  static func sequence(_ nodes: [RegexNode]) -> RegexNode {
    if nodes.count == 1 { return nodes[0] }
    return nodes.isEmpty ? .empty : RegexNode(kind: .sequence(nodes), canBeEmpty: nodes.allSatisfy(\.canBeEmpty))
  }

  static func alternatives(_ nodes: [RegexNode]) -> RegexNode {
    nodes.count == 1 ? nodes[0] : RegexNode(kind: .alternatives(nodes), canBeEmpty: nodes.contains(where: \.canBeEmpty))
  }

  static func repetition(_ node: RegexNode, minimum: Int, maximum: Int?, greedy: Bool) -> RegexNode {
    RegexNode(
      kind: .repetition(node, minimum: minimum, maximum: maximum, greedy: greedy), canBeEmpty: minimum == 0 || node.canBeEmpty)
  }
}

/// A condition on the place between two scalars.
enum RegexAssertion: Sendable {
  case textStart, textEnd, lineStart, lineEnd, wordBoundary, notWordBoundary

  func holds(after previous: RegexNeighbour, before next: RegexNeighbour) -> Bool {
    switch self {
    case .textStart: previous == .edge
    case .textEnd: next == .edge
    case .lineStart: previous == .edge || previous == .newline
    case .lineEnd: next == .edge || next == .newline
    case .wordBoundary: (previous == .word) != (next == .word)
    case .notWordBoundary: (previous == .word) == (next == .word)
    }
  }
}

/// What an assertion can tell apart about the scalar on one side of it.
enum RegexNeighbour: Int, CaseIterable, Sendable {
  case edge, newline, word, other
}
