/// Events as columns of integers in case order: what every analysis of this module reads.
///
/// Case `c` owns the events `caseOffsets[c]..<caseOffsets[c + 1]`, ordered by time; events at the same millisecond keep the order in
/// which they were added. Cases stand in order of their first event, then of their names. Activity and resource numbers follow the byte
/// order of the names, so a table by number is a table by name. The columns know nothing of where the events came from: ``EventLogBuilder``
/// makes them from Remit's own log, from a file, or from a test.
public struct EventLog: Sendable {
  /// The number in ``resources`` for an event without a resource.
  public static let noResource = UInt32.max

  /// The largest distance of an event from 1970, in milliseconds either way (about 285,000 years): differences and sums stay exact.
  public static let timeLimit: Int64 = 1 << 53

  /// Names of the cases, in case order.
  public let caseNames: [String]
  /// Where each case begins, and the number of events at the end: one more than there are cases.
  public let caseOffsets: [UInt32]
  /// Names by activity number, in byte order.
  public let activityNames: [String]
  /// Names by resource number, in byte order.
  public let resourceNames: [String]
  /// Activity number of each event.
  public let activities: [UInt32]
  /// Time of each event in Unix milliseconds, UTC.
  public let times: [Int64]
  /// Resource number of each event, or ``noResource``.
  public let resources: [UInt32]
  /// ``Lifecycle`` raw value of each event; empty when every event is a completion.
  public let lifecycles: [UInt8]

  /// How many cases there are, those without an event included.
  public var caseCount: Int { caseNames.count }
  /// How many events there are.
  public var eventCount: Int { activities.count }
  /// Whether the log tells more than completions.
  public var hasLifecycle: Bool { !lifecycles.isEmpty }

  /// The events of one case as a range into the columns.
  ///
  /// - Parameter index: 0 up to ``caseCount``; anything else is a programming error.
  /// - Returns: The positions, ascending in time; empty for a case without an event.
  public func events(ofCase index: Int) -> Range<Int> { Int(caseOffsets[index])..<Int(caseOffsets[index + 1]) }

  /// The log with nothing but its completions; the same log when it holds nothing else.
  ///
  /// Cases and names stay, so numbers mean the same in both.
  ///
  /// - Complexity: O(events), or O(1) when there is nothing to drop.
  public func completions() -> EventLog {
    guard hasLifecycle else { return self }
    var offsets: [UInt32] = [0]
    offsets.reserveCapacity(caseOffsets.count)
    var kept: [Int] = []
    for index in 0..<caseCount {
      for event in events(ofCase: index) where lifecycles[event] == Lifecycle.completed.rawValue { kept.append(event) }
      offsets.append(UInt32(kept.count))
    }
    return EventLog(
      caseNames: caseNames, caseOffsets: offsets, activityNames: activityNames, resourceNames: resourceNames,
      activities: kept.map { activities[$0] }, times: kept.map { times[$0] }, resources: kept.map { resources[$0] }, lifecycles: [])
  }

  init(
    caseNames: [String], caseOffsets: [UInt32], activityNames: [String], resourceNames: [String], activities: [UInt32], times: [Int64],
    resources: [UInt32], lifecycles: [UInt8]
  ) {
    self.caseNames = caseNames
    self.caseOffsets = caseOffsets
    self.activityNames = activityNames
    self.resourceNames = resourceNames
    self.activities = activities
    self.times = times
    self.resources = resources
    self.lifecycles = lifecycles
  }
}
