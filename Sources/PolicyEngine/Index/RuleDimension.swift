internal import Core

/// One value of a request, and for each thing that it can be the rules that it leaves possible.
///
/// Plain numbers: places of masks and tables in the words of its bucket, so that going through the dimensions counts no references. A pair
/// of masks is the rules that are still possible and, `width` words later, those of which everything asked of the value holds.
struct RuleDimension: Sendable {
  /// The slot of the value.
  let slot: Int
  /// Whether the value is the principal's roles, which are at hand as texts.
  let isOfRoles: Bool
  /// The mask of the rules that ask something of the value.
  private(set) var constrained = 0
  /// The share of rules that a value rules out, on average over the values that are told apart; dearer look-ups count for less.
  private(set) var selectivity = 0.0

  /// From texts to pairs.
  private var texts = TextIndex()
  private var otherText = 0
  private var flags = (no: 0, yes: 0)
  /// Ascending, as bit patterns.
  private var thresholds = 0
  private var thresholdCount = 0
  /// Pairs: below the first threshold, at the first, between the first and the second, and so on.
  private var numbers = 0
  /// From members of a list of texts to the mask of the rules that ask for it first.
  private var members = TextIndex()
  private var noMembers = 0
  /// The rules of which everything asked holds when the list has the member that they ask for first.
  private var certainMembers = 0

  /// The most constants of a kind that are told apart; rules with further ones are left to their conditions.
  static let maximumConstants = 256

  /// Builds the masks; the bits of rules whose atoms did not fit are cleared in `isIndexed`.
  ///
  /// - Complexity: O(atoms · constants), and the words of twice as many masks as there are constants.
  init(
    slot: Int, isOfRoles: Bool, atoms all: [(bit: Int, atom: Atom)], width: Int, words: inout [UInt64], isIndexed: inout [Bool]
  ) {
    self.slot = slot
    self.isOfRoles = isOfRoles
    var constants = Constants()
    var atoms: [(bit: Int, atom: Atom)] = []
    for (bit, atom) in all {
      if constants.add(atom) { atoms.append((bit, atom)) } else { isIndexed[bit] = false }
    }
    constrained = words.appendMask(width, atoms.map(\.bit))
    var ruledOut: [Double] = []
    func addPair(_ value: Observation) -> Int {
      let start = words.appendMask(2 * width, [])
      for word in 0..<width {
        words[start + word] = .max
        words[start + width + word] = .max
      }
      for (bit, atom) in atoms {
        let holds = atom.holds(for: value)
        if holds == false { words[start + bit / 64] &= ~(1 << UInt64(bit % 64)) }
        if holds != true { words[start + width + bit / 64] &= ~(1 << UInt64(bit % 64)) }
      }
      let left = words[start..<start + width].reduce(0) { $0 + $1.nonzeroBitCount }
      ruledOut.append(Double(64 * width - left) / Double(64 * width))
      return start
    }
    texts = TextIndex(constants.texts.map { ($0, addPair(.text($0))) }, in: &words)
    otherText = addPair(.text(constants.otherText))
    let textCount = ruledOut.count
    flags = (addPair(.flag(false)), addPair(.flag(true)))
    let limits = constants.numbers.sorted()
    numbers = addPair(.number(limits.first?.nextDown ?? 0))
    for limit in limits {
      _ = addPair(.number(limit))
      _ = addPair(.number(limit.nextUp))
    }
    thresholds = words.count
    thresholdCount = limits.count
    words.append(contentsOf: limits.map(\.bitPattern))
    // Only the kinds of value that some rule asks for say something about how much a look-up rules out.
    let perKind = [
      constants.texts.isEmpty ? [] : ruledOut[..<textCount], constants.hasFlags ? ruledOut[textCount..<textCount + 2] : [],
      limits.isEmpty ? [] : ruledOut[(textCount + 2)...],
    ].map { $0.isEmpty ? 0 : $0.reduce(0, +) / Double($0.count) }
    selectivity = max(perKind.max() ?? 0, addMembers(atoms, width, &words))
  }

  /// - Returns: The share of rules that a list rules out, halved, because looking at a list is dearer.
  private mutating func addMembers(_ atoms: [(bit: Int, atom: Atom)], _ width: Int, _ words: inout [UInt64]) -> Double {
    var first: [Int: ExactString] = [:]
    var counts: [Int: Int] = [:]
    for (bit, atom) in atoms {
      counts[bit, default: 0] += 1
      if case .contains(let text) = atom, first[bit] == nil { first[bit] = ExactString(text) }
    }
    var bits: [ExactString: [Int]] = [:]
    for bit in first.keys.sorted() { if let text = first[bit] { bits[text, default: []].append(bit) } }
    members = TextIndex(bits.keys.sorted().map { ($0.string, words.appendMask(width, bits[$0] ?? [])) }, in: &words)
    noMembers = words.appendMask(width, [])
    for word in 0..<width { words[noMembers + word] = .max }
    for bit in first.keys { words[noMembers + bit / 64] &= ~(1 << UInt64(bit % 64)) }
    certainMembers = words.appendMask(width, [])
    for word in 0..<width { words[certainMembers + word] = ~words[constrained + word] }
    for bit in first.keys where counts[bit] == 1 { words[certainMembers + bit / 64] |= 1 << UInt64(bit % 64) }
    return Double(first.count) / Double(64 * width) * 0.5
  }

  /// Takes the rules that a value rules out from `possible`, and those about which it says nothing certain from `certain`.
  ///
  /// - Returns: Whether any rule is left.
  @inline(__always)
  func narrow(
    _ value: Observation, _ words: UnsafePointer<UInt64>, _ width: Int, _ possible: UnsafeMutablePointer<UInt64>,
    _ certain: UnsafeMutablePointer<UInt64>
  ) -> Bool {
    let pair: Int
    switch value {
    case .text(let text): pair = texts.value(of: text, in: words) ?? otherText
    case .flag(let flag): pair = flag ? flags.yes : flags.no
    case .number(let number): pair = numbers + place(of: number, words) * 2 * width
    case .texts(let list): return narrow(list, words, width, possible, certain)
    case .other:
      for word in 0..<width { certain[word] &= ~words[constrained + word] }
      return true
    }
    var left: UInt64 = 0
    for word in 0..<width {
      possible[word] &= words[pair + word]
      certain[word] &= words[pair + width + word]
      left |= possible[word]
    }
    return left != 0
  }

  /// The number of the range in which a number lies: binary search in the thresholds.
  @inline(__always)
  private func place(of number: Double, _ words: UnsafePointer<UInt64>) -> Int {
    var (low, high) = (0, thresholdCount)
    while low < high {
      let middle = (low + high) / 2
      if Double(bitPattern: words[thresholds + middle]) < number { low = middle + 1 } else { high = middle }
    }
    let isAt = low < thresholdCount && Double(bitPattern: words[thresholds + low]) == number
    return 2 * low + (isAt ? 1 : 0)
  }

  /// As for any value, for a list of texts.
  @inline(__always)
  func narrow(
    _ list: [String], _ words: UnsafePointer<UInt64>, _ width: Int, _ possible: UnsafeMutablePointer<UInt64>,
    _ certain: UnsafeMutablePointer<UInt64>
  ) -> Bool {
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: width) { met in
      for word in 0..<width { met[word] = words[noMembers + word] }
      for text in list {
        if let mask = members.value(of: text, in: words) { for word in 0..<width { met[word] |= words[mask + word] } }
      }
      var left: UInt64 = 0
      for word in 0..<width {
        possible[word] &= met[word]
        certain[word] &= met[word] & words[certainMembers + word]
        left |= possible[word]
      }
      return left != 0
    }
  }
}

/// The constants that the atoms about one value compare it with.
private struct Constants {
  private(set) var texts: [String] = []
  private(set) var numbers: Set<Double> = []
  private(set) var hasFlags = false
  private var known: Set<ExactString> = []

  /// Takes an atom's constants, all or, where they do not fit, none.
  mutating func add(_ atom: Atom) -> Bool {
    switch atom {
    case .text(let constants, _):
      let new = Set(constants.map { ExactString($0) }).subtracting(known)
      if known.count + new.count > RuleDimension.maximumConstants { return false }
      known.formUnion(new)
      texts.append(contentsOf: new.sorted().map(\.string))
    case .number(let constants, _):
      let all = numbers.union(constants)
      if all.count > RuleDimension.maximumConstants { return false }
      numbers = all
    case .order(_, let constant):
      if numbers.count >= RuleDimension.maximumConstants, !numbers.contains(constant) { return false }
      numbers.insert(constant)
    case .flag: hasFlags = true
    case .contains: break
    }
    return true
  }

  /// A text that is none of the constants.
  var otherText: String {
    var text = "?"
    while known.contains(ExactString(text)) { text += "?" }
    return text
  }
}
