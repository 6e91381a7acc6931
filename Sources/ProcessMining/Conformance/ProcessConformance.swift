public import ProcessModel

/// How the runs of one release kept to their process.
public struct ProcessConformance: Sendable {
  /// One thing that runs did otherwise.
  public struct Deviation: Hashable, Sendable {
    /// What happened to the activity.
    public enum Kind: String, Hashable, Sendable {
      /// The process demands it here, and it was not done.
      case missing
      /// It was done once more than the process says, or at another place.
      case misplaced
      /// It was done as a handler of the process says, which takes over when something is late or goes wrong.
      case handled
      /// The process does not have it.
      case unknown
    }

    /// What happened.
    public let kind: Kind
    /// The activity: the id of a step.
    public let activity: String
    /// In how many runs, each counted once.
    public let runs: Int
    /// Some of these runs.
    public let examples: [String]
  }

  /// The process.
  public let process: String
  /// The digest of the release.
  public let release: String
  /// The completed runs aligned with the normal course of the process.
  public let alignments: LogConformance
  /// What was otherwise, by falling number of runs, then by name.
  public let deviations: [Deviation]
  /// How many runs go on: they are compared once they are completed.
  public let running: Int
  /// How many were cancelled: they are not compared.
  public let cancelled: Int

  /// Between which shares of runs that keep to the process the true one may well lie.
  public var interval: WilsonInterval { WilsonInterval(successes: alignments.fitting, trials: alignments.aligned) }

  /// Aligns the runs of a release.
  ///
  /// - Parameters:
  ///   - log: The completions of the steps of the runs that are completed.
  ///   - definition: The process as it was released.
  ///   - release: Its digest.
  ///   - running: How many runs go on.
  ///   - cancelled: How many were cancelled.
  ///   - limit: How many states the search for the alignment of one variant may hold.
  public init(
    _ log: EventLog, _ definition: ProcessDefinition, release: String, running: Int, cancelled: Int, limit: Int = Aligner.defaultLimit
  ) {
    process = definition.id
    (self.release, self.running, self.cancelled) = (release, running, cancelled)
    alignments = LogConformance(Variants(log), ProcessTree(definition), limit: limit)
    let normal = Set(definition.root.steps.map(\.id))
    let handled = Set(definition.handlers.compactMap(\.body).flatMap(\.steps).map(\.id))
    var found: [Alignment.Move: (runs: Int, examples: [String])] = [:]
    for row in alignments.rows {
      for move in Set(row.outcome.alignment?.moves ?? []) where !move.isOfBoth {
        found[move, default: (0, [])].runs += row.variant.count
        found[move]?.examples += row.variant.examples
      }
    }
    deviations = found.compactMap { move, runs in
      let kind: Deviation.Kind
      let activity: String
      switch move {
      case .both: return nil
      case .model(let name): (kind, activity) = (.missing, name)
      case .log(let name):
        (kind, activity) = (normal.contains(name) ? .misplaced : handled.contains(name) ? .handled : .unknown, name)
      }
      return Deviation(kind: kind, activity: activity, runs: runs.runs, examples: Array(runs.examples.prefix(3)))
    }
    .sorted { ($1.runs, $0.activity, $0.kind.rawValue) < ($0.runs, $1.activity, $1.kind.rawValue) }
  }
}

extension Alignment.Move {
  fileprivate var isOfBoth: Bool { if case .both = self { true } else { false } }
}

extension ProcessConformance.Deviation {
  /// What happened, in words.
  public var summary: String {
    switch kind {
    case .missing: "`\(activity)` was not done"
    case .misplaced: "`\(activity)` was done once more, or out of order"
    case .handled: "`\(activity)` was done, as a handler says"
    case .unknown: "`\(activity)` was done, which the process does not have"
    }
  }
}
