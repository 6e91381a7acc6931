/// Finds the condition that covers the most good cases and not one bad case, or no more than are tolerated.
///
/// The search is exhaustive over all conjunctions of at most two comparisons whose values were seen: a threshold only ever moves up to
/// the next bad case, so those next to a bad case and the outermost ones are all that can be best. Beyond ``thresholdLimit`` of them for
/// one feature and direction an even spread by rank is tried instead.
///
/// Among conditions that cover equally many, the first of this order is taken: fewer comparisons; equality before `<=` before `>=`; then
/// the bytes of the path and of the value. A condition has at least one comparison where any feature can be compared, so that it does not
/// reach beyond what was seen.
struct ConditionSearch {
  static let thresholdLimit = 64

  struct Found {
    let condition: Condition
    /// Positions of the covered cases.
    let covered: [Int]
  }

  private struct Candidate {
    let comparison: Condition.Comparison
    let covered: [UInt64]
    let text: String
  }

  private let count: Int
  private let bad: [UInt64]
  private let tolerated: Int
  private var candidates: [Candidate] = []

  /// How many conditions ``best(minimum:)`` looks at.
  private(set) var tried = 0

  /// A search among cases; `tolerated` is how many bad ones a condition may cover.
  init(cases: [[String: FeatureValue]], isGood: [Bool], features: [Feature], tolerated: Int = 0) {
    count = cases.count
    self.tolerated = tolerated
    var bad = [UInt64](repeating: 0, count: (cases.count + 63) / 64)
    for (position, good) in isGood.enumerated() where !good { bad[position / 64] |= 1 << UInt64(position % 64) }
    self.bad = bad
    for feature in features.filter({ !$0.isConfidential }).stableSorted(by: { Names.precedes($0.path, $1.path) }) {
      let values = cases.map { Self.usable($0[feature.path], feature.kind) }
      for comparison in Self.comparisons(of: feature, values, isGood) {
        var covered = [UInt64](repeating: 0, count: bad.count)
        for (position, value) in values.enumerated() where comparison.holds(value) { covered[position / 64] |= 1 << UInt64(position % 64) }
        candidates.append(Candidate(comparison: comparison, covered: covered, text: comparison.cel))
      }
    }
    candidates = candidates.stableSorted { a, b in
      guard a.comparison.comparison == b.comparison.comparison else {
        return a.comparison.comparison.rawValue < b.comparison.comparison.rawValue
      }
      return Names.precedes(a.text, b.text)
    }
  }

  /// The best condition that covers at least `minimum` good cases, and of the others no more than are tolerated; nil when there is none.
  mutating func best(minimum: Int) -> Found? {
    var best: (size: Int, comparisons: [Int])?
    func offer(_ size: Int, _ comparisons: [Int]) {
      guard size >= max(1, minimum), size > (best?.size ?? 0) else { return }
      best = (size, comparisons)
    }
    tried = 0
    if candidates.isEmpty {
      tried = 1
      let wrong = bad.reduce(0) { $0 + $1.nonzeroBitCount }
      return wrong <= tolerated && count - wrong >= max(1, minimum)
        ? Found(condition: Condition(comparisons: []), covered: Array(0..<count)) : nil
    }
    for index in candidates.indices {
      tried += 1
      if let size = goodSize(candidates[index].covered, nil) { offer(size, [index]) }
    }
    for first in candidates.indices {
      for second in candidates.indices.dropFirst(first + 1) where canJoin(candidates[first].comparison, candidates[second].comparison) {
        tried += 1
        if let size = goodSize(candidates[first].covered, candidates[second].covered) { offer(size, [first, second]) }
      }
    }
    guard let best else { return nil }
    let condition = Condition(comparisons: best.comparisons.map { candidates[$0].comparison })
    let covered = (0..<count).filter { position in
      best.comparisons.allSatisfy { candidates[$0].covered[position / 64] >> UInt64(position % 64) & 1 == 1 }
    }
    return Found(condition: condition, covered: covered)
  }

  /// How many good cases both cover; nil when they cover more bad ones than are tolerated.
  private func goodSize(_ a: [UInt64], _ b: [UInt64]?) -> Int? {
    var (size, wrong) = (0, 0)
    for word in a.indices {
      let covered = b.map { a[word] & $0[word] } ?? a[word]
      wrong += (covered & bad[word]).nonzeroBitCount
      if wrong > tolerated { return nil }
      size += covered.nonzeroBitCount
    }
    return size - wrong
  }

  /// Two comparisons of one feature make sense together only as a range.
  private func canJoin(_ a: Condition.Comparison, _ b: Condition.Comparison) -> Bool {
    a.path != b.path || (a.comparison == .atMost && b.comparison == .atLeast)
  }

  private static func usable(_ value: FeatureValue?, _ kind: Feature.Kind) -> FeatureValue? {
    switch (kind, value) {
    case (.integer, .integer), (.choice, .choice), (.flag, .flag): value
    case (.number, .number(let number)) where number.isFinite: value
    case (.number, .integer(let number)): .number(Double(number))
    default: nil
    }
  }

  private static func comparisons(of feature: Feature, _ values: [FeatureValue?], _ isGood: [Bool]) -> [Condition.Comparison] {
    switch feature.kind {
    case .choice, .flag:
      var seen: [(FeatureValue, String)] = []
      for (position, value) in values.enumerated() where isGood[position] {
        guard let value else { continue }
        let text = Condition.Comparison.literal(value)
        if !seen.contains(where: { Names.same($0.1, text) }) { seen.append((value, text)) }
      }
      return seen.map { Condition.Comparison(path: feature.path, comparison: .equal, value: $0.0) }
    case .integer, .number:
      let numbers = zip(values, isGood).compactMap { value, good -> (value: FeatureValue, good: Bool)? in value.map { ($0, good) } }
      let ascending = numbers.stableSorted { order($0.value, $1.value) }
      return thresholds(ascending).map { Condition.Comparison(path: feature.path, comparison: .atMost, value: $0) }
        + thresholds(ascending.reversed()).map { Condition.Comparison(path: feature.path, comparison: .atLeast, value: $0) }
    }
  }

  /// The values of good cases after which, going on, the next other value has a bad case or there is none.
  private static func thresholds(_ sorted: [(value: FeatureValue, good: Bool)]) -> [FeatureValue] {
    var groups: [(value: FeatureValue, good: Bool, bad: Bool)] = []
    for item in sorted {
      if let last = groups.last, last.value == item.value {
        groups[groups.count - 1].good = last.good || item.good
        groups[groups.count - 1].bad = last.bad || !item.good
      } else {
        groups.append((item.value, item.good, !item.good))
      }
    }
    // A group of bad cases alone is never an end: the value before it does as well. Groups before the next good one are skipped.
    var result: [FeatureValue] = []
    for index in groups.indices where groups[index].good {
      if index + 1 == groups.count || groups[index + 1].bad { result.append(groups[index].value) }
    }
    guard result.count > thresholdLimit else { return result }
    return (0..<thresholdLimit).map { result[$0 * (result.count - 1) / (thresholdLimit - 1)] }
  }

  private static func order(_ a: FeatureValue, _ b: FeatureValue) -> Bool {
    switch (a, b) {
    case (.integer(let a), .integer(let b)): a < b
    case (.number(let a), .number(let b)): a < b
    default: false
    }
  }
}
