/// Where the cases of a log lose their time, worst first.
public struct Bottlenecks: Sendable {
  /// What the ranking is made of.
  public enum Basis: Hashable, Sendable {
    /// Time from ready until begun (or decided), step by step: pure waiting.
    case stepWaits
    /// Time from one completion to the next, arc by arc: waiting and work together, all that a log of completions can tell.
    case arcs
  }

  /// One place where time goes.
  public struct Place: Hashable, Sendable {
    /// The activity that waited, or the later one of an arc.
    public let activity: String
    /// The earlier activity of an arc.
    public let after: String?
    /// The time that went by here.
    public let time: DurationSummary
    /// Its part of the time of all places, 0 to 1.
    public let share: Double
    /// How much is waiting here now (only known with step waits).
    public let open: Int
  }

  /// What was ranked.
  public let basis: Basis
  /// The places, by falling total time, then by names.
  public let places: [Place]

  /// Ranks the step waits of a log that records them, else its arcs.
  ///
  /// - Complexity: That of ``StepWaits`` or ``DirectlyFollowsGraph``.
  public init(_ log: EventLog) {
    let waits = StepWaits(log).steps.compactMap { step in step.waiting.map { (step, $0) } }
    if waits.isEmpty {
      basis = .arcs
      let graph = DirectlyFollowsGraph(log)
      let arcs = graph.arcs.compactMap { arc in arc.duration.map { (arc, $0) } }
      let total = arcs.reduce(0.0) { $0 + Double($1.1.total) }
      places = arcs.map { arc, time in
        Place(
          activity: graph.nodes[arc.to].activity, after: graph.nodes[arc.from].activity, time: time,
          share: total > 0 ? Double(time.total) / total : 0, open: 0)
      }.stableSorted { $0.time.total > $1.time.total }
    } else {
      basis = .stepWaits
      let total = waits.reduce(0.0) { $0 + Double($1.1.total) }
      places = waits.map { step, time in
        Place(activity: step.activity, after: nil, time: time, share: total > 0 ? Double(time.total) / total : 0, open: step.open)
      }
    }
  }
}
