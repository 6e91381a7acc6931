/// Finds optimal alignments of traces and one process tree by A*, at standard costs.
///
/// Moves of both sides and silent ones cost 0, a move of the log or of the model alone 1. What is left to pay from a state is bounded from
/// below without solving equations. With r events left, u of which show activities that the marking's future does not hold, and m
/// activities at the least ahead of the model: the u events can only be moves of the log, and at most r − u activities of the model can
/// meet an event, so u + max(0, m − (r − u)) is never too much (admissible). Firing never adds to the future of a marking, and lowers m
/// by no more than the activity fired; so the bound falls by no more than a move costs (consistent), and the first visit of a state that
/// is settled is its cheapest.
///
/// - SeeAlso: A. Adriansyah, "Aligning observed and modeled behavior", 2014, doi:10.6100/IR770080 (chapter 4, A* over the synchronous
///   product).
public struct Aligner {
  /// How many states a search may hold where nothing else is said.
  public static let defaultLimit = 1_000_000

  /// How many activities the shortest way through the tree shows.
  public var shortestLength: Int { store.net.shortestLength }

  private let limit: Int
  private var store: MarkingStore

  /// Prepares a tree.
  ///
  /// - Parameters:
  ///   - tree: The model.
  ///   - limit: How many states one search may hold before it gives up, at least 1: the bound on its memory.
  public init(_ tree: ProcessTree, limit: Int = Aligner.defaultLimit) {
    self.limit = max(1, limit)
    store = MarkingStore(ProcessNet(tree))
  }

  /// The best alignment of one trace; the same for the same trace, whatever was asked before.
  ///
  /// - Parameter trace: Names of activities in order; may be empty, and may show what the tree does not know.
  /// - Returns: The alignment, or how far the search came within its limit.
  /// - Complexity: O(s (b + a)) for s states, at most the limit, with b ways on each and a activities; s is exponential at worst.
  public mutating func align(_ trace: [String]) -> AlignmentOutcome {
    if store.count > limit { store = MarkingStore(store.net) }
    var search = Search(trace.map { store.net.numbers[$0] ?? -1 }, store)
    defer { store = search.store }
    guard let last = search.run(limit: limit) else { return .gaveUp(lowerBound: search.bound) }
    var moves: [Alignment.Move] = []
    var node = last
    while search.nodes[node].parent >= 0 {
      let (to, from) = (search.nodes[node], search.nodes[search.nodes[node].parent])
      switch (to.position > from.position, to.activity) {
      case (true, -1): moves.append(.log(trace[from.position]))
      case (true, _): moves.append(.both(trace[from.position]))
      case (false, -1): break
      case (false, let activity): moves.append(.model(store.net.activities[activity]))
      }
      node = search.nodes[node].parent
    }
    let cost = search.nodes[last].cost
    let worst = trace.count + shortestLength
    let fitness = cost == 0 ? 1 : 1 - Double(cost) / Double(worst)
    return .optimal(Alignment(moves: moves.reversed(), cost: cost, fitness: fitness))
  }
}

/// One search over pairs of a position in the trace and a marking.
private struct Search {
  /// A pair, with the cheapest way to it so far.
  struct Node {
    let position: Int
    let marking: Int
    var cost: Int
    var parent: Int
    /// Number of the activity that the model did to come here; -1 where it did none that a log shows.
    var activity: Int
    var isSettled = false
  }

  private struct Pair: Hashable {
    let position: Int
    let marking: Int
  }

  let trace: [Int]
  var store: MarkingStore
  var nodes: [Node] = []
  /// The lowest total that is still possible.
  var bound = 0
  private var numbers: [Pair: Int] = [:]
  /// Open nodes by their total, and the cost they had when they were put there: the deepest come out first.
  private var buckets: [[(node: Int, cost: Int)]] = []
  /// By number of a future: how many events from each position on it does not hold.
  private var foreign: [Int: [Int]] = [:]

  init(_ trace: [Int], _ store: MarkingStore) {
    self.trace = trace
    self.store = store
  }

  /// The node at the end of the cheapest way; nil when there would be more states than the limit.
  mutating func run(limit: Int) -> Int? {
    guard visit(0, store.start, cost: 0, parent: -1, activity: -1, limit) else { return nil }
    while bound < buckets.count {
      guard let (index, cost) = buckets[bound].popLast() else {
        bound += 1
        continue
      }
      let node = nodes[index]
      if node.isSettled || cost > node.cost { continue }
      nodes[index].isSettled = true
      if node.position == trace.count && node.marking == store.end { return index }
      let event = node.position < trace.count ? trace[node.position] : nil
      if event != nil {
        guard visit(node.position + 1, node.marking, cost: node.cost + 1, parent: index, activity: -1, limit) else { return nil }
      }
      for step in store.steps(from: node.marking) {
        let cost = step.activity == nil ? node.cost : node.cost + 1
        guard visit(node.position, step.marking, cost: cost, parent: index, activity: step.activity ?? -1, limit) else { return nil }
        guard let activity = step.activity, activity == event else { continue }
        guard visit(node.position + 1, step.marking, cost: node.cost, parent: index, activity: activity, limit) else { return nil }
      }
    }
    return nil
  }

  /// Notes a way to a pair; false where the pair is new and one too many.
  private mutating func visit(_ position: Int, _ marking: Int, cost: Int, parent: Int, activity: Int, _ limit: Int) -> Bool {
    let pair = Pair(position: position, marking: marking)
    let index = numbers[pair] ?? nodes.count
    if index == nodes.count {
      guard nodes.count < limit else { return false }
      numbers[pair] = index
      nodes.append(Node(position: position, marking: marking, cost: cost, parent: parent, activity: activity))
    } else {
      guard cost < nodes[index].cost else { return true }
      (nodes[index].cost, nodes[index].parent, nodes[index].activity) = (cost, parent, activity)
    }
    let total = cost + remaining(position, marking)
    while buckets.count <= total { buckets.append([]) }
    if nodes.count == 1 { bound = total }
    buckets[total].append((index, cost))
    return true
  }

  private mutating func remaining(_ position: Int, _ marking: Int) -> Int {
    let future = store.futureNumbers[marking]
    let lost = foreign[future]?[position] ?? count(foreignTo: future)[position]
    return lost + max(0, store.potentials[marking] - (trace.count - position - lost))
  }

  private mutating func count(foreignTo future: Int) -> [Int] {
    var counts = [Int](repeating: 0, count: trace.count + 1)
    for position in trace.indices.reversed() {
      let isHeld = trace[position] >= 0 && store.futures[future][trace[position]]
      counts[position] = counts[position + 1] + (isHeld ? 0 : 1)
    }
    foreign[future] = counts
    return counts
  }
}
