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
    let groups = Grouping(log)
    let order = groups.ranked(log)
    // The spans of each variant side by side, in case order.
    var starts = [Int](repeating: 0, count: groups.first.count)
    var total = 0
    for group in order {
      starts[group] = total
      total += groups.counts[group]
    }
    var cursor = starts
    var spans = [Int64](repeating: 0, count: total)
    var members = [UInt32](repeating: 0, count: total)
    for index in 0..<log.caseCount where groups.variant[index] != Grouping.none {
      let group = Int(groups.variant[index])
      let range = log.events(ofCase: index)
      spans[cursor[group]] = log.times[range.upperBound - 1] - log.times[range.lowerBound]
      members[cursor[group]] = UInt32(index)
      cursor[group] += 1
    }
    cases = total
    let shown = max(0, examples)
    variants = spans.withUnsafeMutableBufferPointer { spans in
      order.compactMap { group -> Variant? in
        let range = starts[group]..<(starts[group] + groups.counts[group])
        guard let throughput = DurationSummary(reordering: UnsafeMutableBufferPointer(rebasing: spans[range])) else { return nil }
        return Variant(
          activities: log.activities[log.events(ofCase: groups.first[group])].map { log.activityNames[Int($0)] },
          count: groups.counts[group], share: Double(groups.counts[group]) / Double(total),
          examples: members[range].prefix(shown).map { log.caseNames[Int($0)] }, throughput: throughput)
      }
    }
  }

  /// The cases of a log by their sequence of activities.
  private struct Grouping {
    /// The number for a case without events.
    static let none = UInt32.max

    /// Number of the variant of each case, in order of first appearance.
    var variant: [UInt32]
    /// First case of each variant.
    var first: [Int] = []
    /// How many cases each variant has.
    var counts: [Int] = []

    init(_ log: EventLog) {
      variant = Array(repeating: Self.none, count: log.caseCount)
      var hashes: [UInt64] = []
      // Number of the variant + 1 by hash; 0 is free.
      var slots = [UInt32](repeating: 0, count: 1024)
      // Seeded per process, so that crafted logs cannot make it slow; the seed never shows in what comes out.
      let seed = UInt64(bitPattern: Int64(Hasher().finalize())) | 1
      log.activities.withUnsafeBufferPointer { activities in
        log.caseOffsets.withUnsafeBufferPointer { offsets in
          for index in 0..<(offsets.count - 1) {
            let (start, end) = (Int(offsets[index]), Int(offsets[index + 1]))
            guard start < end else { continue }
            let hash = Self.hash(activities, start, end, seed)
            var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
            while slots[slot] != 0 {
              let known = Int(slots[slot]) - 1
              if hashes[known] == hash, Self.same(activities, start, end, offsets, first[known]) { break }
              slot = (slot + 1) & (slots.count - 1)
            }
            if slots[slot] != 0 {
              variant[index] = slots[slot] - 1
              counts[Int(slots[slot]) - 1] += 1
              continue
            }
            variant[index] = UInt32(first.count)
            first.append(index)
            counts.append(1)
            hashes.append(hash)
            slots[slot] = UInt32(first.count)
            if first.count * 2 > slots.count { slots = Self.rehashed(hashes, slots.count * 2) }
          }
        }
      }
    }

    /// The variants by falling count, then by their activities.
    func ranked(_ log: EventLog) -> [Int] {
      log.activities.withUnsafeBufferPointer { activities in
        log.caseOffsets.withUnsafeBufferPointer { offsets in
          counts.withUnsafeBufferPointer { counts in
            first.withUnsafeBufferPointer { first in
              (0..<counts.count).sorted { a, b in
                if counts[a] != counts[b] { return counts[a] > counts[b] }
                let (x, y) = (Int(offsets[first[a]]), Int(offsets[first[b]]))
                let (lengthX, lengthY) = (Int(offsets[first[a] + 1]) - x, Int(offsets[first[b] + 1]) - y)
                for offset in 0..<min(lengthX, lengthY) where activities[x + offset] != activities[y + offset] {
                  return activities[x + offset] < activities[y + offset]
                }
                return lengthX < lengthY
              }
            }
          }
        }
      }
    }

    @inline(__always)
    private static func hash(_ activities: UnsafeBufferPointer<UInt32>, _ start: Int, _ end: Int, _ seed: UInt64) -> UInt64 {
      var hash = seed
      for event in start..<end {
        hash = (hash ^ UInt64(activities[event])) &* 0x9E37_79B9_7F4A_7C15
        hash ^= hash >> 32
      }
      return hash ^ seed &* UInt64(end - start)
    }

    @inline(__always)
    private static func same(
      _ activities: UnsafeBufferPointer<UInt32>, _ start: Int, _ end: Int, _ offsets: UnsafeBufferPointer<UInt32>, _ other: Int
    ) -> Bool {
      let base = Int(offsets[other])
      guard Int(offsets[other + 1]) - base == end - start else { return false }
      for offset in 0..<(end - start) where activities[start + offset] != activities[base + offset] { return false }
      return true
    }

    private static func rehashed(_ hashes: [UInt64], _ size: Int) -> [UInt32] {
      var slots = [UInt32](repeating: 0, count: size)
      for (number, hash) in hashes.enumerated() {
        var slot = Int(truncatingIfNeeded: hash) & (size - 1)
        while slots[slot] != 0 { slot = (slot + 1) & (size - 1) }
        slots[slot] = UInt32(number + 1)
      }
      return slots
    }
  }
}
