/// How long work waits when it passes from one resource to another.
public struct HandOffs: Sendable {
  /// Work passed from one resource to another one.
  public struct HandOff: Hashable, Sendable {
    /// Who completed the earlier piece of work.
    public let from: String
    /// Who did the next one.
    public let to: String
    /// Time from the earlier completion until the later work was begun, or was completed where nobody recorded the begin.
    public let waiting: DurationSummary
    /// How many of the waits end at a recorded begin; the others include the work itself.
    public let measuredToBegin: Int
  }

  /// The hand-offs, by falling total of their waits, then by names.
  public let handOffs: [HandOff]
  /// How many neighbouring completions were left out since one of the two names no resource.
  public let unattributed: Int

  /// Finds the neighbouring completions of each case that two different resources did.
  ///
  /// - Complexity: O(E + H log H) expected for E events and H hand-offs.
  public init(_ log: EventLog) {
    struct Waits {
      var durations: [Int64] = []
      var begins = 0
    }
    var waits: [UInt64: Waits] = [:]
    var unattributed = 0
    func pass(from earlier: Int, to later: Int, _ begin: Int64?) {
      let (from, to) = (log.resources[earlier], log.resources[later])
      guard from != EventLog.noResource, to != EventLog.noResource else {
        unattributed += 1
        return
      }
      guard from != to else { return }
      let key = UInt64(from) << 32 | UInt64(to)
      waits[key, default: Waits()].durations.append(max(0, (begin ?? log.times[later]) - log.times[earlier]))
      if begin != nil { waits[key]?.begins += 1 }
    }
    var begun = Marks(log.activityNames.count)
    for index in 0..<log.caseCount {
      begun.reset()
      var previous = -1
      for event in log.events(ofCase: index) {
        let activity = Int(log.activities[event])
        switch log.lifecycle(event) {
        case .ready: break
        case .begun: begun.setIfAbsent(activity, log.times[event])
        case .withdrawn: begun.remove(activity)
        case .completed:
          let begin = begun.remove(activity)
          if previous >= 0 { pass(from: previous, to: event, begin) }
          previous = event
        }
      }
    }
    self.unattributed = unattributed
    handOffs = waits.keys.sorted().compactMap { key -> HandOff? in
      guard let found = waits[key], let waiting = DurationSummary(found.durations) else { return nil }
      return HandOff(
        from: log.resourceNames[Int(key >> 32)], to: log.resourceNames[Int(key & 0xFFFF_FFFF)], waiting: waiting,
        measuredToBegin: found.begins)
    }.stableSorted { $0.waiting.total > $1.waiting.total }
  }
}
