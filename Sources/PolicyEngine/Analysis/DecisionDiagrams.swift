/// Functions of finitely many choices as ordered decision diagrams: each node asks for one choice, of two or more, in a fixed order.
///
/// Equal functions are the same number, because nodes are kept once and none asks for what does not matter. So whether two sets of rules
/// ever differ is one comparison, however many requests there are.
///
/// - SeeAlso: R. E. Bryant, "Graph-based algorithms for Boolean function manipulation", IEEE Transactions on Computers 1986,
///   doi:10.1109/TC.1986.1676819; here with more than two choices and more than two answers.
final class DecisionDiagrams {
  /// A function; negative for one that always has the same answer.
  typealias Diagram = Int

  /// Asks for one choice.
  struct Node: Hashable {
    /// Which choice; deeper nodes have higher levels.
    let level: Int
    /// For each way to choose the function that is left.
    let children: [Diagram]
  }

  /// More work was needed than is allowed.
  struct TooManyCases: Error {}

  private struct Pair: Hashable {
    let first: Diagram
    let second: Diagram
  }

  private var nodes: [Node] = []
  private var places: [Node: Diagram] = [:]
  private var cases = 0
  private let limit: Int

  /// Makes a table of diagrams that may look at so many cases.
  init(limit: Int) { self.limit = limit }

  /// Counts cases that are looked at.
  func count(_ more: Int = 1) throws(TooManyCases) {
    cases += more
    if cases > limit { throw TooManyCases() }
  }

  // MARK: - Building

  /// The function that always has an answer.
  static func leaf(_ answer: Int) -> Diagram { ~answer }

  /// The answer of a function that has only one.
  static func answer(of diagram: Diagram) -> Int? { diagram < 0 ? ~diagram : nil }

  subscript(diagram: Diagram) -> Node { nodes[diagram] }

  /// The function that makes a choice and goes on with one of these.
  func node(_ level: Int, _ children: [Diagram]) throws(TooManyCases) -> Diagram {
    guard let first = children.first, !children.allSatisfy({ $0 == first }) else { return children.first ?? Self.leaf(0) }
    let node = Node(level: level, children: children)
    if let known = places[node] { return known }
    nodes.append(node)
    places[node] = nodes.count - 1
    return nodes.count - 1
  }

  /// 1 where the choice is one of these, else 0.
  func literal(_ level: Int, of size: Int, _ chosen: (Int) -> Bool) throws(TooManyCases) -> Diagram {
    try node(level, (0..<size).map { Self.leaf(chosen($0) ? 1 : 0) })
  }

  // MARK: - Working with functions

  /// The function with other answers.
  func map(_ diagram: Diagram, _ change: (Int) -> Int) throws(TooManyCases) -> Diagram {
    var known: [Diagram: Diagram] = [:]
    func walk(_ diagram: Diagram) throws(TooManyCases) -> Diagram {
      if let answer = Self.answer(of: diagram) { return Self.leaf(change(answer)) }
      if let done = known[diagram] { return done }
      try count(nodes[diagram].children.count)
      var children: [Diagram] = []
      for child in nodes[diagram].children { children.append(try walk(child)) }
      let result = try node(nodes[diagram].level, children)
      known[diagram] = result
      return result
    }
    return try walk(diagram)
  }

  /// The function whose answer follows from those of two.
  ///
  /// A deciding answer is the answer of both together, whatever the other one is; a neutral one leaves that of the other one.
  ///
  /// - Complexity: O(n · m) for n and m nodes.
  func combine(
    _ a: Diagram, _ b: Diagram, deciding: Int? = nil, neutral: Int? = nil, _ both: (Int, Int) -> Int
  ) throws(TooManyCases) -> Diagram {
    var known: [Pair: Diagram] = [:]
    func walk(_ a: Diagram, _ b: Diagram) throws(TooManyCases) -> Diagram {
      let (x, y) = (Self.answer(of: a), Self.answer(of: b))
      if let x, let y { return Self.leaf(both(x, y)) }
      if let deciding, x == deciding || y == deciding { return Self.leaf(deciding) }
      if let neutral {
        if x == neutral { return b }
        if y == neutral { return a }
      }
      if let done = known[Pair(first: a, second: b)] { return done }
      let (levelA, levelB) = (x == nil ? nodes[a].level : .max, y == nil ? nodes[b].level : .max)
      let level = min(levelA, levelB)
      let size = levelA == level ? nodes[a].children.count : nodes[b].children.count
      try count(size)
      var children: [Diagram] = []
      children.reserveCapacity(size)
      for place in 0..<size {
        children.append(
          try walk(levelA == level ? nodes[a].children[place] : a, levelB == level ? nodes[b].children[place] : b))
      }
      let result = try node(level, children)
      known[Pair(first: a, second: b)] = result
      return result
    }
    return try walk(a, b)
  }

  /// Whether a function has an answer for some choices.
  func has(_ answer: Int, in diagram: Diagram) -> Bool { contains(diagram) { Self.answer(of: $0) == answer } }

  /// Whether a function depends on one of these choices.
  func depends(_ diagram: Diagram, on isMeant: (Int) -> Bool) -> Bool {
    contains(diagram) { $0 >= 0 && isMeant(nodes[$0].level) }
  }

  private func contains(_ diagram: Diagram, _ isMeant: (Diagram) -> Bool) -> Bool {
    var seen: Set<Diagram> = [diagram]
    var pending = [diagram]
    while let next = pending.popLast() {
      if isMeant(next) { return true }
      if next >= 0 { for child in nodes[next].children where seen.insert(child).inserted { pending.append(child) } }
    }
    return false
  }
}
