public import Audit
internal import Core
public import Governance
public import ProcessMining
internal import ProcessModel

extension LogEvents {
  /// The runs of one release, as conformance compares them with it.
  public struct ReleaseRuns: Sendable {
    /// The digest of the release.
    public let release: String
    /// The completions of steps in the completed runs, by the steps' ids.
    public let log: EventLog
    /// How many runs go on.
    public let running: Int
    /// How many were cancelled.
    public let cancelled: Int
  }

  /// The runs of a process by the release that each runs under, the release that was first run under first.
  ///
  /// - Parameters:
  ///   - context: The view of the log.
  ///   - process: The process.
  /// - Returns: The releases with their runs; none where the process has no run.
  /// - Throws: What the store throws; ``GovernanceLedger/Misfit`` for a log that cannot be folded.
  /// - Complexity: O(n) for n entries; memory for the open runs and the columns.
  public static func runsByRelease(_ context: ReadContext<GovernanceLedger>, process: String) throws -> [ReleaseRuns] {
    var groups: [(release: String, builder: EventLogBuilder, running: Int, cancelled: Int)] = []
    var open: [String: [(step: String, by: String, time: Int64)]] = [:]
    try walk(context, process: process) { entry, events, _, run in
      guard let id = entry.run, let release = run?.state.release else { return }
      func group() -> Int {
        if let place = groups.firstIndex(where: { $0.release == release }) { return place }
        groups.append((release, EventLogBuilder(), 0, 0))
        return groups.count - 1
      }
      for event in events {
        switch event {
        case .runStarted:
          open[id] = []
          groups[group()].running += 1
        case .stepCompleted(let step, let by): open[id]?.append((step.id, by, entry.time.milliseconds))
        case .runCompleted:
          let place = group()
          groups[place].running -= 1
          for done in open.removeValue(forKey: id) ?? [] {
            try groups[place].builder.add(case: id, activity: done.step, at: done.time, resource: done.by)
          }
        case .runCancelled:
          let place = group()
          groups[place].running -= 1
          groups[place].cancelled += 1
          open[id] = nil
        default: break
        }
      }
    }
    return groups.map { ReleaseRuns(release: $0.release, log: $0.builder.finish(), running: $0.running, cancelled: $0.cancelled) }
  }
}
