internal import CEL

/// One value of a request, and for each thing that it can be the rules that it leaves possible.
struct RuleDimension: Sendable {
  /// The slot of the value.
  let slot: Int
  /// Whether the value is the principal's roles, which are at hand as texts.
  let isOfRoles: Bool
  /// Offset of the mask of the rules that ask something of the value.
  let constrained: Int
  /// The share of rules that a value rules out, on average over the values that are told apart; dearer look-ups count for less.
  private(set) var selectivity = 0.0

  /// Offsets of pairs of masks: still possible, and, `width` words later, everything asked of the value holds.
  private var strings = StringTable()
  private var otherString = 0
  private var bools: [Int] = []
  /// Ascending.
  ///
  /// Below the first, at the first, between the first and the second, and so on.
  private var thresholds: [Double] = []
  private var numbers = 0
  private var members = StringTable()
  private var noMembers = 0
  private var certainMembers = 0

  /// The most constants of a kind that are told apart; rules with further ones are left to their conditions.
  static let maximumConstants = 256

  /// Builds the masks; the bits of rules whose atoms did not fit are cleared in `isIndexed`.
  init(
    slot: Int, isOfRoles: Bool, atoms all: [(bit: Int, atom: Atom)], count: Int, words: inout [UInt64], isIndexed: inout [Bool]
  ) {
    self.slot = slot
    self.isOfRoles = isOfRoles
    var atoms: [[Atom]] = Array(repeating: [], count: count)
    var texts = StringTable()
    var limits: Set<Double> = []
    for (bit, atom) in all {
      var (newTexts, newLimits) = (texts, limits)
      for constant in atom.constants {
        if case .string(let text) = constant {
          newTexts.insert(text)
        } else if let number = Atom.number(constant) {
          newLimits.insert(number)
        }
      }
      if newTexts.count > Self.maximumConstants || newLimits.count > Self.maximumConstants {
        isIndexed[bit] = false
      } else {
        atoms[bit].append(atom)
        (texts, limits) = (newTexts, newLimits)
      }
    }
    constrained = words.appendMask(count: count) { !atoms[$0].isEmpty }
    /// A pair of masks for a value that stands for all that the constants do not tell from it.
    func addPair(_ value: CELValue) -> Int {
      let start = words.appendMask(count: count) { bit in atoms[bit].allSatisfy { $0.holds(for: value) != false } }
      _ = words.appendMask(count: count) { bit in atoms[bit].allSatisfy { $0.holds(for: value) == true } }
      return start
    }
    var ruledOut: [Double] = []
    func note(_ mask: Int) {
      let left = words[mask..<mask + (count + 63) / 64].reduce(0) { $0 + $1.nonzeroBitCount }
      ruledOut.append(1 - Double(left) / Double(max(count, 1)))
    }
    for text in texts.texts {
      let mask = addPair(.string(text))
      strings.insert(text, value: mask)
      note(mask)
    }
    var other = "?"
    while texts.value(of: other) != nil { other += "?" }
    otherString = addPair(.string(other))
    note(otherString)
    bools = [addPair(.bool(false)), addPair(.bool(true))]
    thresholds = limits.sorted()
    numbers = addPair(.double(thresholds.first.map { $0.nextDown } ?? 0))
    if !thresholds.isEmpty { ruledOut.removeLast() }
    for threshold in thresholds {
      _ = addPair(.double(threshold))
      note(addPair(.double(threshold.nextUp)))
    }
    addMembers(atoms, count, &words)
    let isBool = all.allSatisfy { $0.atom.constants.allSatisfy { if case .bool = $0 { true } else { false } } }
    if isBool { ruledOut = [0.5] }
    selectivity = ruledOut.reduce(0, +) / Double(max(ruledOut.count, 1)) * (members.count > 0 ? 0.5 : 1)
  }

  private mutating func addMembers(_ atoms: [[Atom]], _ count: Int, _ words: inout [UInt64]) {
    let first: [String?] = atoms.map { own in
      for atom in own { if case .contains(let text) = atom { return text } }
      return nil
    }
    noMembers = words.appendMask(count: count) { first[$0] == nil }
    for text in first.compactMap(\.self) where members.value(of: text) == nil {
      members.insert(text, value: words.appendMask(count: count) { first[$0]?.utf8.elementsEqual(text.utf8) ?? false })
    }
    certainMembers = words.appendMask(count: count) { bit in
      if case .contains = atoms[bit].first, atoms[bit].count == 1 { true } else { atoms[bit].isEmpty }
    }
  }

  /// Takes the rules that a value rules out from `possible`, and those about which it says nothing certain from `certain`.
  ///
  /// - Returns: Whether any rule is left.
  @inline(__always)
  func narrow(
    _ value: CELValue?, _ words: UnsafePointer<UInt64>, _ width: Int, _ possible: UnsafeMutablePointer<UInt64>,
    _ certain: UnsafeMutablePointer<UInt64>
  ) -> Bool {
    let pair: Int
    switch value {
    case .string(let text): pair = strings.value(of: text) ?? otherString
    case .bool(let flag): pair = bools[flag ? 1 : 0]
    case .int(let number) where number.magnitude <= 1 << 53: pair = place(of: Double(number), width)
    case .double(let number) where !number.isNaN: pair = place(of: number, width)
    case .list(let elements) where members.count > 0:
      return narrow(elements, words, width, possible, certain)
    default:
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

  /// The pair of masks of a number: binary search in the thresholds.
  @inline(__always)
  private func place(of number: Double, _ width: Int) -> Int {
    var (low, high) = (0, thresholds.count)
    while low < high {
      let middle = (low + high) / 2
      if thresholds[middle] < number { low = middle + 1 } else { high = middle }
    }
    let isAt = low < thresholds.count && thresholds[low] == number
    return numbers + (2 * low + (isAt ? 1 : 0)) * 2 * width
  }

  private func narrow(
    _ elements: [CELValue], _ words: UnsafePointer<UInt64>, _ width: Int, _ possible: UnsafeMutablePointer<UInt64>,
    _ certain: UnsafeMutablePointer<UInt64>
  ) -> Bool {
    let texts = elements.compactMap(\.stringValue)
    if texts.count == elements.count { return narrow(texts, words, width, possible, certain) }
    for word in 0..<width { certain[word] &= ~words[constrained + word] }
    return true
  }

  /// As for any value, for a list of texts.
  @inline(__always)
  func narrow(
    _ texts: [String], _ words: UnsafePointer<UInt64>, _ width: Int, _ possible: UnsafeMutablePointer<UInt64>,
    _ certain: UnsafeMutablePointer<UInt64>
  ) -> Bool {
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: width) { met in
      for word in 0..<width { met[word] = words[noMembers + word] }
      for text in texts {
        if let mask = members.value(of: text) { for word in 0..<width { met[word] |= words[mask + word] } }
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

extension Atom {
  /// The constants that the comparison tells from other values.
  var constants: [CELValue] {
    switch self {
    case .isOneOf(let constants): constants
    case .isNot(let constant), .isOrdered(_, let constant): [constant]
    case .contains: []
    }
  }
}
