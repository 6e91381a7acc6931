/// How often, and how long after, one activity directly follows another in the same case.
///
/// Only completions count. Activities that never completed are left out.
///
/// - SeeAlso: W. van der Aalst, T. Weijters, L. Maruster, "Workflow mining: discovering process models from event logs", IEEE TKDE 16(9),
///   2004, doi:10.1109/TKDE.2004.47 (the log-based relation a > b).
public struct DirectlyFollowsGraph: Sendable {
  /// One activity of the graph.
  public struct Node: Hashable, Sendable {
    /// Name of the activity.
    public let activity: String
    /// How many times it was completed.
    public let count: Int
    /// How many cases began with it.
    public let starts: Int
    /// How many cases ended with it.
    public let ends: Int
  }

  /// One activity directly followed by another, or by itself.
  public struct Arc: Hashable, Sendable {
    /// Index of the earlier activity in ``DirectlyFollowsGraph/nodes``.
    public let from: Int
    /// Index of the later activity.
    public let to: Int
    /// How many times the one followed the other.
    public let count: Int
    /// Time from the one completion to the next; nil when the graph was made without durations.
    public let duration: DurationSummary?
  }

  /// How many cases have at least one completion.
  public let cases: Int
  /// How many completions there are.
  public let events: Int
  /// Activities in byte order of their names.
  public let nodes: [Node]
  /// Arcs in order of their earlier, then of their later activity.
  ///
  /// Their counts sum up to ``events`` - ``cases``.
  public let arcs: [Arc]

  /// Counts the arcs of a log.
  ///
  /// - Parameters:
  ///   - log: Events of any lifecycle.
  ///   - durations: Whether to sum up the time that each arc took as well.
  /// - Complexity: O(E + A²) time for E events and up to 1024 activities A, O(E + P log P) expected for P distinct pairs above that;
  ///   with durations also 8 bytes for each event.
  public init(_ log: EventLog, durations: Bool = true) {
    let log = log.completions()
    let size = log.activityNames.count
    var counts = [Int](repeating: 0, count: size)
    var starts = [Int](repeating: 0, count: size)
    var ends = [Int](repeating: 0, count: size)
    var cases = 0
    for index in 0..<log.caseCount {
      let range = log.events(ofCase: index)
      guard let first = range.first, let last = range.last else { continue }
      cases += 1
      starts[Int(log.activities[first])] += 1
      ends[Int(log.activities[last])] += 1
    }
    var pairs = PairCounter(activities: size)
    pairs.count(log)
    let found = pairs.pairs()
    // An activity is completed once for each arc into it and once for each case that it begins.
    for pair in found { counts[Int(pair.to)] += pair.count }
    for activity in 0..<size { counts[activity] += starts[activity] }

    var position = [Int](repeating: -1, count: size)
    var nodes: [Node] = []
    for activity in 0..<size where counts[activity] > 0 {
      position[activity] = nodes.count
      nodes.append(
        Node(activity: log.activityNames[activity], count: counts[activity], starts: starts[activity], ends: ends[activity]))
    }
    let summaries = durations ? pairs.durations(log, of: found) : []
    self.cases = cases
    self.events = log.eventCount
    self.nodes = nodes
    self.arcs = found.enumerated().map { index, pair in
      Arc(
        from: position[Int(pair.from)], to: position[Int(pair.to)], count: pair.count,
        duration: durations ? summaries[index] : nil)
    }
  }

  /// A graph of given nodes and arcs, for those who mine elsewhere and only want it drawn or printed.
  ///
  /// - Parameters:
  ///   - cases: How many cases there were.
  ///   - events: How many completions there were.
  ///   - nodes: Activities; their order decides ties.
  ///   - arcs: Arcs whose ends are indices of `nodes`; anything else is a programming error.
  public init(cases: Int, events: Int, nodes: [Node], arcs: [Arc]) {
    precondition(
      arcs.allSatisfy { nodes.indices.contains($0.from) && nodes.indices.contains($0.to) }, "an arc joins two nodes of the graph")
    self.cases = cases
    self.events = events
    self.nodes = nodes
    self.arcs = arcs
  }
}

extension DirectlyFollowsGraph.Node {
  /// A node from its parts.
  public init(_ activity: String, count: Int, starts: Int = 0, ends: Int = 0) {
    self.init(activity: activity, count: count, starts: starts, ends: ends)
  }
}

extension DirectlyFollowsGraph.Arc {
  /// An arc from its parts.
  public init(from: Int, to: Int, count: Int, durations: [Int64]) {
    self.init(from: from, to: to, count: count, duration: DurationSummary(durations))
  }
}
