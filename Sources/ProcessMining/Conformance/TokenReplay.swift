/// How a trace plays through the net of a tree when whatever is missing is added, and counted.
///
/// Before each event, silent transitions are fired along the shortest way to a marking that allows its activity; where there is none, the
/// tokens that its transition lacks are added. An event of an activity that the tree does not know plays nothing and counts as unknown.
/// Only a guess at what went wrong, where an ``Alignment`` is the best explanation: added tokens may allow what follows. On traces that
/// do not fit, the counts depend on which silent ways are taken, so other tools count differently; whether a trace fits does not.
///
/// - SeeAlso: A. Rozinat, W. van der Aalst, "Conformance checking of processes based on monitoring real behavior", 2008,
///   doi:10.1016/j.is.2007.07.001.
public struct TokenReplay: Hashable, Sendable {
  /// Tokens put into places, the first one included.
  public internal(set) var produced = 1
  /// Tokens taken from places, the last one included.
  public internal(set) var consumed = 0
  /// Tokens that had to be added.
  public internal(set) var missing = 0
  /// Tokens left over at the end.
  public internal(set) var remaining = 0
  /// Events of activities that the tree does not know.
  public internal(set) var unknown = 0
  /// Whether some search for a silent way met its limit, so that tokens may count as missing or left over that are not.
  public internal(set) var isLimited = false

  /// Whether every event played and nothing was missing or left over.
  public var fits: Bool { missing == 0 && remaining == 0 && unknown == 0 }
  /// Half for what was not missing, half for what was not left over, 0 to 1; 1 for a replay that fits.
  public var fitness: Double {
    0.5 * (1 - Double(missing) / Double(consumed)) + 0.5 * (1 - Double(remaining) / Double(produced))
  }
}

/// Replays traces through one process tree.
public struct TokenReplayer: Sendable {
  private let net: ProcessNet
  private let limit: Int
  /// The transitions of each activity.
  private let byActivity: [[Int]]

  /// Prepares a tree.
  ///
  /// - Parameters:
  ///   - tree: The model.
  ///   - limit: How many markings one search for a silent way may visit, at least 1.
  public init(_ tree: ProcessTree, limit: Int = 10_000) {
    net = ProcessNet(tree)
    self.limit = max(1, limit)
    var byActivity = [[Int]](repeating: [], count: net.activities.count)
    for (index, transition) in net.transitions.enumerated() {
      if let activity = transition.activity { byActivity[activity].append(index) }
    }
    self.byActivity = byActivity
  }

  /// Plays one trace.
  ///
  /// - Parameter trace: Names of activities in order; may be empty.
  /// - Returns: The counts.
  /// - Complexity: O(n m p t) at worst for n events, m markings up to the limit, p places and t transitions.
  public func replay(_ trace: [String]) -> TokenReplay {
    var replay = TokenReplay()
    var tokens = [Int](repeating: 0, count: net.placeCount)
    tokens[ProcessNet.start] = 1
    for name in trace {
      guard let activity = net.numbers[name] else {
        replay.unknown += 1
        continue
      }
      let candidates = byActivity[activity]
      let isReached = silently(&tokens, &replay) { tokens in candidates.contains { lacking($0, tokens) == 0 } }
      let transition =
        isReached ? candidates.first { lacking($0, tokens) == 0 } : candidates.min { lacking($0, tokens) < lacking($1, tokens) }
      if let transition { fire(transition, &tokens, &replay) }
    }
    silently(&tokens, &replay) { tokens in tokens[ProcessNet.end] == 1 && tokens.reduce(0, +) == 1 }
    if tokens[ProcessNet.end] == 0 {
      // The end is missing: whether it can be reached beside what is left over decides what is counted.
      silently(&tokens, &replay) { $0[ProcessNet.end] > 0 }
    }
    replay.consumed += 1
    if tokens[ProcessNet.end] > 0 { tokens[ProcessNet.end] -= 1 } else { replay.missing += 1 }
    replay.remaining = tokens.reduce(0, +)
    return replay
  }

  private func lacking(_ transition: Int, _ tokens: [Int]) -> Int {
    net.transitions[transition].inputs.reduce(0) { $0 + (tokens[$1] > 0 ? 0 : 1) }
  }

  private func fire(_ index: Int, _ tokens: inout [Int], _ replay: inout TokenReplay) {
    let transition = net.transitions[index]
    replay.missing += lacking(index, tokens)
    replay.consumed += transition.inputs.count
    replay.produced += transition.outputs.count
    for place in transition.inputs { tokens[place] = max(0, tokens[place] - 1) }
    for place in transition.outputs { tokens[place] += 1 }
  }

  /// Fires the fewest silent transitions after which a goal is met; none where no way is found.
  ///
  /// - Returns: Whether the goal is met.
  @discardableResult
  private func silently(_ tokens: inout [Int], _ replay: inout TokenReplay, _ goal: ([Int]) -> Bool) -> Bool {
    if goal(tokens) { return true }
    var queue: [(tokens: [Int], parent: Int, transition: Int)] = [(tokens, -1, -1)]
    var seen: Set = [tokens]
    var head = 0
    while head < queue.count {
      let current = queue[head].tokens
      for (index, transition) in net.transitions.enumerated() where transition.activity == nil && lacking(index, current) == 0 {
        var next = current
        for place in transition.inputs { next[place] -= 1 }
        for place in transition.outputs { next[place] += 1 }
        guard seen.insert(next).inserted else { continue }
        if goal(next) {
          var way = [index]
          var node = head
          while queue[node].parent >= 0 {
            way.append(queue[node].transition)
            node = queue[node].parent
          }
          for step in way.reversed() { fire(step, &tokens, &replay) }
          return true
        }
        guard queue.count < limit else {
          replay.isLimited = true
          return false
        }
        queue.append((next, head, index))
      }
      head += 1
    }
    return false
  }
}
