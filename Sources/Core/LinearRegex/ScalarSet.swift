/// A set of code points: sorted, disjoint, non-adjacent closed ranges.
///
/// Surrogate code points may be members (patterns name them) though no well-formed text holds one.
struct ScalarSet: Hashable, Sendable {
  static let lastCodePoint: UInt32 = 0x10FFFF
  static let any = ScalarSet(normalized: [0...lastCodePoint])
  static let empty = ScalarSet(normalized: [])

  let ranges: [ClosedRange<UInt32>]

  private init(normalized ranges: [ClosedRange<UInt32>]) { self.ranges = ranges }

  /// Sorts and merges, in O(n log n).
  init(_ ranges: [ClosedRange<UInt32>]) {
    var merged: [ClosedRange<UInt32>] = []
    for range in ranges.sorted(by: { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }) {
      if let last = merged.last, range.lowerBound <= last.upperBound || range.lowerBound - last.upperBound == 1 {
        merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
      } else {
        merged.append(range)
      }
    }
    self.ranges = merged
  }

  init(_ codePoint: UInt32) { ranges = [codePoint...codePoint] }

  /// The code points of an ASCII string.
  init(of ascii: StaticString) {
    self.init(ascii.withUTF8Buffer { $0.map { UInt32($0)...UInt32($0) } })
  }

  var isEmpty: Bool { ranges.isEmpty }

  /// The only member, if there is exactly one.
  var single: UInt32? {
    guard let first = ranges.first, ranges.count == 1, first.lowerBound == first.upperBound else { return nil }
    return first.lowerBound
  }

  /// O(log n).
  func contains(_ codePoint: UInt32) -> Bool {
    var low = 0
    var high = ranges.count
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound < codePoint { low = middle + 1 } else { high = middle }
    }
    return low < ranges.count && ranges[low].contains(codePoint)
  }

  func union(_ other: ScalarSet) -> ScalarSet { ScalarSet(ranges + other.ranges) }

  /// Every code point that is not a member.
  var inverted: ScalarSet {
    var gaps: [ClosedRange<UInt32>] = []
    var next: UInt32 = 0
    for range in ranges {
      if range.lowerBound > next { gaps.append(next...(range.lowerBound - 1)) }
      next = range.upperBound + 1
    }
    if next <= Self.lastCodePoint { gaps.append(next...Self.lastCodePoint) }
    return ScalarSet(normalized: gaps)
  }

  /// With every code point that differs from a member by simple case folding only.
  var caseFolded: ScalarSet {
    var added: [ClosedRange<UInt32>] = []
    if let last = ranges.last, last.upperBound < 0x80 {
      for range in ranges {
        for codePoint in range where Self.asciiLetters.contains(codePoint) {
          added.append((codePoint ^ 0x20)...(codePoint ^ 0x20))
          if codePoint | 0x20 == 0x6B { added.append(0x212A...0x212A) }  // KELVIN SIGN
          if codePoint | 0x20 == 0x73 { added.append(0x17F...0x17F) }  // LATIN SMALL LETTER LONG S
        }
      }
    } else {
      for orbit in SimpleCaseFolding.orbits where orbit.contains(where: contains) {
        added += orbit.map { $0...$0 }
      }
    }
    return added.isEmpty ? self : ScalarSet(ranges + added)
  }

  static let asciiDigits = ScalarSet([0x30...0x39])
  static let asciiLetters = ScalarSet([0x41...0x5A, 0x61...0x7A])
  static let asciiWord = ScalarSet([0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
}
