/// The distinct sequences of activities that cases went through, most frequent first.
public struct Variants: Sendable {
  /// One sequence and the cases that went through it.
  public struct Variant: Hashable, Sendable {
    /// Names of the activities in order.
    public let activities: [String]
    /// How many cases went this way.
    public let count: Int
    /// Their share of all cases with at least one completion, 0 to 1.
    public let share: Double
    /// Names of the first few of these cases, in case order.
    public let examples: [String]
    /// Time from the first to the last completion of a case.
    public let throughput: DurationSummary
  }

  /// How many cases have at least one completion; the counts of the variants sum up to it.
  public let cases: Int
  /// The variants, by falling count, then by their activities.
  public let variants: [Variant]

  /// Groups the cases of a log by the sequence of their completions.
  ///
  /// - Parameters:
  ///   - log: Events of any lifecycle. Cases without a completion have no variant.
  ///   - examples: How many cases to name for each variant.
  /// - Complexity: O(E + C + V log V) expected for E events, C cases and V variants.
  public init(_ log: EventLog, examples: Int = 3) {
    let log = log.completions()
    var groups: [(first: Int, cases: [Int])] = []
    var slots = [Int](repeating: -1, count: 256)
    var total = 0
    log.activities.withUnsafeBufferPointer { activities in
      for index in 0..<log.caseCount {
        let range = log.events(ofCase: index)
        guard !range.isEmpty else { continue }
        total += 1
        let sequence = UnsafeBufferPointer(rebasing: activities[range])
        var slot = Self.hash(sequence) & (slots.count - 1)
        while slots[slot] >= 0, !Self.same(sequence, activities, log.events(ofCase: groups[slots[slot]].first)) {
          slot = (slot + 1) & (slots.count - 1)
        }
        if slots[slot] >= 0 {
          groups[slots[slot]].cases.append(index)
          continue
        }
        slots[slot] = groups.count
        groups.append((index, [index]))
        guard groups.count * 2 > slots.count else { continue }
        slots = [Int](repeating: -1, count: slots.count * 2)
        for (number, group) in groups.enumerated() {
          var slot = Self.hash(UnsafeBufferPointer(rebasing: activities[log.events(ofCase: group.first)])) & (slots.count - 1)
          while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
          slots[slot] = number
        }
      }
    }
    groups.sort { a, b in
      guard a.cases.count == b.cases.count else { return a.cases.count > b.cases.count }
      return log.activities[log.events(ofCase: a.first)].lexicographicallyPrecedes(log.activities[log.events(ofCase: b.first)])
    }
    cases = total
    variants = groups.compactMap { group in
      let spans = group.cases.map { index -> Int64 in
        let range = log.events(ofCase: index)
        return log.times[range.upperBound - 1] - log.times[range.lowerBound]
      }
      guard let throughput = DurationSummary(spans) else { return nil }
      return Variant(
        activities: log.activities[log.events(ofCase: group.first)].map { log.activityNames[Int($0)] }, count: group.cases.count,
        share: Double(group.cases.count) / Double(total), examples: group.cases.prefix(max(0, examples)).map { log.caseNames[$0] },
        throughput: throughput)
    }
  }

  private static func hash(_ sequence: UnsafeBufferPointer<UInt32>) -> Int {
    var hasher = Hasher()
    hasher.combine(bytes: UnsafeRawBufferPointer(sequence))
    return hasher.finalize() & Int.max
  }

  private static func same(_ sequence: UnsafeBufferPointer<UInt32>, _ all: UnsafeBufferPointer<UInt32>, _ range: Range<Int>) -> Bool {
    guard sequence.count == range.count else { return false }
    for offset in 0..<sequence.count where sequence[offset] != all[range.lowerBound + offset] { return false }
    return true
  }
}
