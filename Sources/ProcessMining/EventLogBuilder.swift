/// Makes an ``EventLog`` from events that arrive in any order.
public struct EventLogBuilder: Sendable {
  private var caseTable = NameTable()
  private var activityTable = NameTable()
  private var resourceTable = NameTable()
  private var cases: [UInt32] = []
  private var activities: [UInt32] = []
  private var times: [Int64] = []
  private var resources: [UInt32] = []
  private var lifecycles: [UInt8] = []
  private var onlyCompletions = true

  /// An empty log to add to.
  public init() {}

  /// Makes room for so many more events.
  public mutating func reserve(events: Int) {
    let total = cases.count + max(0, events)
    cases.reserveCapacity(total)
    activities.reserveCapacity(total)
    times.reserveCapacity(total)
    resources.reserveCapacity(total)
    lifecycles.reserveCapacity(total)
  }

  /// Adds one event.
  ///
  /// Names are told apart byte for byte, and any text is a name, the empty one included.
  ///
  /// - Parameters:
  ///   - name: The case (a run) that the event belongs to.
  ///   - activity: What was done.
  ///   - time: Unix time in milliseconds, UTC.
  ///   - resource: Who did it, if that is known.
  ///   - lifecycle: Where in its life the work was.
  /// - Throws: ``EventLogError``. Nothing was added.
  /// - Complexity: O(length of the names), amortized.
  public mutating func add(
    case name: String, activity: String, at time: Int64, resource: String? = nil, lifecycle: Lifecycle = .completed
  ) throws(EventLogError) {
    guard -EventLog.timeLimit <= time, time <= EventLog.timeLimit else { throw .timeOutOfRange(time) }
    guard cases.count < UInt32.max - 1 else { throw .tooManyEvents }
    cases.append(caseTable.intern(name))
    activities.append(activityTable.intern(activity))
    times.append(time)
    resources.append(resource.map { resourceTable.intern($0) } ?? EventLog.noResource)
    lifecycles.append(lifecycle.rawValue)
    if lifecycle != .completed { onlyCompletions = false }
  }

  /// The number of a case by its name; a new one is one more than the last.
  mutating func caseNumber(_ name: UnsafeBufferPointer<UInt8>) -> UInt32 { caseTable.intern(name) }

  /// The number of an activity by its name.
  mutating func activityNumber(_ name: UnsafeBufferPointer<UInt8>) -> UInt32 { activityTable.intern(name) }

  /// The number of a resource by its name.
  mutating func resourceNumber(_ name: UnsafeBufferPointer<UInt8>) -> UInt32 { resourceTable.intern(name) }

  /// How many events there are so far.
  var count: Int { cases.count }

  /// Bytes of all names so far.
  var nameBytes: Int { caseTable.byteCount + activityTable.byteCount + resourceTable.byteCount }

  /// Adds an event by numbers; the case may be named after its events.
  ///
  /// - Throws: ``EventLogError``. Nothing was added.
  @inline(__always)
  mutating func add(
    caseNumber: UInt32, activity: UInt32, at time: Int64, resource: UInt32, lifecycle: Lifecycle
  ) throws(EventLogError) {
    guard -EventLog.timeLimit <= time, time <= EventLog.timeLimit else { throw .timeOutOfRange(time) }
    guard cases.count < UInt32.max - 1 else { throw .tooManyEvents }
    cases.append(caseNumber)
    activities.append(activity)
    times.append(time)
    resources.append(resource)
    lifecycles.append(lifecycle.rawValue)
    if lifecycle != .completed { onlyCompletions = false }
  }

  /// The log of everything that was added.
  ///
  /// The builder stays as it is and can go on.
  ///
  /// - Complexity: O(E + C log C) for E events in C cases when each case arrives in order of time, else O(E log E) at worst.
  public func finish() -> EventLog { finishInOrder().log }

  /// The log, the number in arrival of each of its events, and that of each of its cases.
  func finishInOrder() -> (log: EventLog, events: [UInt32], cases: [Int]) {
    let names = caseTable.strings()
    let caseCount = names.count
    var sizes = [Int](repeating: 0, count: caseCount)
    var starts = [Int64](repeating: .max, count: caseCount)
    for event in 0..<cases.count {
      let owner = Int(cases[event])
      sizes[owner] += 1
      starts[owner] = min(starts[owner], times[event])
    }
    let order = (0..<caseCount).sorted { a, b in
      starts[a] != starts[b] ? starts[a] < starts[b] : Names.precedes(names[a], names[b])
    }
    var offsets: [UInt32] = [0]
    offsets.reserveCapacity(caseCount + 1)
    var cursor = [Int](repeating: 0, count: caseCount)
    for owner in order {
      cursor[owner] = Int(offsets[offsets.count - 1])
      offsets.append(UInt32(cursor[owner] + sizes[owner]))
    }
    var permutation = [UInt32](repeating: 0, count: cases.count)
    for event in 0..<cases.count {
      let owner = Int(cases[event])
      permutation[cursor[owner]] = UInt32(event)
      cursor[owner] += 1
    }
    for index in 0..<caseCount { orderByTime(&permutation, Int(offsets[index])..<Int(offsets[index + 1])) }

    let (activityNames, activityNumbers) = Self.inByteOrder(activityTable.strings())
    let (resourceNames, resourceNumbers) = Self.inByteOrder(resourceTable.strings())
    let log = EventLog(
      caseNames: order.map { names[$0] }, caseOffsets: offsets, activityNames: activityNames, resourceNames: resourceNames,
      activities: permutation.map { activityNumbers[Int(activities[Int($0)])] }, times: permutation.map { times[Int($0)] },
      resources: permutation.map {
        let resource = resources[Int($0)]
        return resource == EventLog.noResource ? resource : resourceNumbers[Int(resource)]
      },
      lifecycles: onlyCompletions ? [] : permutation.map { lifecycles[Int($0)] })
    return (log, permutation, order)
  }

  /// Orders one case by time; equal times keep the order of arrival, which is the order of the event numbers.
  private func orderByTime(_ permutation: inout [UInt32], _ range: Range<Int>) {
    var sorted = true
    for position in range.dropFirst() where times[Int(permutation[position - 1])] > times[Int(permutation[position])] {
      sorted = false
      break
    }
    guard !sorted else { return }
    permutation[range].sort { a, b in
      let (first, second) = (times[Int(a)], times[Int(b)])
      return first != second ? first < second : a < b
    }
  }

  /// The names in byte order, and the new number of each old one.
  private static func inByteOrder(_ names: [String]) -> (names: [String], numbers: [UInt32]) {
    let order = names.indices.sorted { Names.precedes(names[$0], names[$1]) }
    var numbers = [UInt32](repeating: 0, count: names.count)
    for (new, old) in order.enumerated() { numbers[old] = UInt32(new) }
    return (order.map { names[$0] }, numbers)
  }
}
