/// How long each activity waited until somebody took it up, and how long the work itself took.
///
/// Needs a log with ``Lifecycle/ready`` or ``Lifecycle/begun`` events; without them nothing can be measured and ``steps`` is empty.
public struct StepWaits: Sendable {
  /// What one activity waited and took.
  public struct Step: Hashable, Sendable {
    /// Name of the activity.
    public let activity: String
    /// Time from ready until begun, or until completed (decided) where nobody recorded the begin.
    public let waiting: DurationSummary?
    /// Time from begun until completed.
    public let working: DurationSummary?
    /// How many times it was ready and neither completed nor withdrawn when the log ended.
    public let open: Int
    /// How many times it was withdrawn.
    public let withdrawn: Int
  }

  /// The activities with a wait, a time of work or open work, by falling total wait, then by name.
  public let steps: [Step]

  /// Pairs the events of each activity of each case: the first ready, the first begin after it, the completion that ends both.
  ///
  /// - Complexity: O(E + A log A) for E events and A activities.
  public init(_ log: EventLog) {
    let size = log.activityNames.count
    var waiting = [[Int64]](repeating: [], count: size)
    var working = [[Int64]](repeating: [], count: size)
    var open = [Int](repeating: 0, count: size)
    var withdrawn = [Int](repeating: 0, count: size)
    var ready = Marks(size)
    var begun = Marks(size)
    for index in 0..<(log.hasLifecycle ? log.caseCount : 0) {
      ready.reset()
      begun.reset()
      for event in log.events(ofCase: index) {
        let activity = Int(log.activities[event])
        let time = log.times[event]
        switch log.lifecycle(event) {
        case .ready:
          if ready.setIfAbsent(activity, time) { open[activity] += 1 }
        case .begun:
          begun.setIfAbsent(activity, time)
        case .withdrawn:
          withdrawn[activity] += 1
          if ready.remove(activity) != nil { open[activity] -= 1 }
          begun.remove(activity)
        case .completed:
          let begin = begun.remove(activity)
          if let start = ready.remove(activity) {
            open[activity] -= 1
            waiting[activity].append(max(0, (begin ?? time) - start))
          }
          if let begin { working[activity].append(time - begin) }
        }
      }
    }
    steps = (0..<size).compactMap { activity -> Step? in
      let step = Step(
        activity: log.activityNames[activity], waiting: DurationSummary(waiting[activity]), working: DurationSummary(working[activity]),
        open: open[activity], withdrawn: withdrawn[activity])
      return step.waiting == nil && step.working == nil && step.open == 0 ? nil : step
    }.stableSorted { ($0.waiting?.total ?? -1) > ($1.waiting?.total ?? -1) }
  }
}
