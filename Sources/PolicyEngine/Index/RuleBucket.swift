internal import CEL
internal import Core

/// The rules that can be about one tool, in file order, with bitmap indexes that leave out those that cannot match a request.
///
/// Every rule of the bucket is one bit. Whom and which steps a rule is about is decided exactly; of its condition, the comparisons of one
/// value with constants are (see ``Atom``). Each looked-up value yields two sets of rules: those that are still possible, and those for
/// which everything that was asked of the value holds. What is still possible in the end is evaluated, unless all of it is known to hold.
///
/// - SeeAlso: P. O'Neil, D. Quass, "Improved query performance with variant indexes", SIGMOD 1997, doi:10.1145/253260.253268 (bitmap
///   indexes); the work for a request grows with the number of rules divided by 64.
struct RuleBucket: Sendable {
  /// Places in the rule set, ascending; bit `i` of a mask is the rule at `rules[i]`.
  let rules: [Int32]
  /// The number of words of a mask.
  let width: Int
  /// Masks, one after the other; the others are offsets into it.
  private var words: [UInt64] = []

  private var anyone = 0
  private var byKind: [Int] = []
  private var byID = StringTable()
  private var byRole = StringTable()
  private var anyStep = 0
  private var byStep = StringTable()
  /// The rules whose conditions ask nothing that the index does not know.
  private var indexed = 0
  private(set) var dimensions: [RuleDimension] = []

  /// The most dimensions that a bucket has; further values are left to the conditions.
  static let maximumDimensions = 64

  /// Indexes rules.
  ///
  /// - Parameters:
  ///   - places: The rules' places in the rule set, ascending.
  ///   - all: All rules of the set.
  ///   - conditions: For each of all rules what the index understands of its condition, by slot.
  ///   - slots: The values that conditions read.
  init(places: [Int], rules all: [Rule], conditions: [IndexedCondition], slots: [ValueSlot]) {
    rules = places.map(Int32.init)
    width = (places.count + 63) / 64
    let own = places.map { all[$0] }
    anyone = addMask { own[$0].principals.isEmpty || own[$0].principals.contains(.any) }
    byKind = PrincipalKind.allCases.map { kind in addMask { own[$0].principals.contains(.kind(kind)) } }
    for rule in own {
      for pattern in rule.principals {
        switch pattern {
        case .exact(let id): addMask(for: id, in: \.byID) { own[$0].principals.contains(pattern) }
        case .role(let role): addMask(for: role, in: \.byRole) { own[$0].principals.contains(pattern) }
        case .kind, .any: break
        }
      }
    }
    anyStep = addMask { own[$0].steps.isEmpty }
    for rule in own {
      for step in rule.steps { addMask(for: step, in: \.byStep) { own[$0].steps.contains { bytesEqual($0, step) } } }
    }
    addDimensions(places.map { conditions[$0] }, slots)
  }

  private mutating func addDimensions(_ conditions: [IndexedCondition], _ values: [ValueSlot]) {
    var bySlot: [Int: [(bit: Int, atom: Atom)]] = [:]
    for (bit, condition) in conditions.enumerated() {
      for (slot, atom) in condition.atoms { bySlot[slot, default: []].append((bit, atom)) }
    }
    let slots = bySlot.keys.sorted { a, b in
      let (x, y) = (bySlot[a]?.count ?? 0, bySlot[b]?.count ?? 0)
      return x != y ? x > y : a < b
    }
    var isIndexed = conditions.map(\.isComplete)
    for slot in slots.dropFirst(Self.maximumDimensions) { for (bit, _) in bySlot[slot] ?? [] { isIndexed[bit] = false } }
    for slot in slots.prefix(Self.maximumDimensions) {
      dimensions.append(
        RuleDimension(
          slot: slot, isOfRoles: values[slot].isOfRoles, atoms: bySlot[slot] ?? [], count: rules.count, words: &words, isIndexed: &isIndexed
        ))
    }
    dimensions.sort { $0.selectivity != $1.selectivity ? $0.selectivity > $1.selectivity : $0.slot < $1.slot }
    indexed = addMask { isIndexed[$0] }
  }

  private mutating func addMask(_ isMember: (Int) -> Bool) -> Int { words.appendMask(count: rules.count, isMember) }

  private mutating func addMask(for text: String, in table: WritableKeyPath<RuleBucket, StringTable>, _ isMember: (Int) -> Bool) {
    if self[keyPath: table].value(of: text) == nil { self[keyPath: table].insert(text, value: addMask(isMember)) }
  }

  /// Writes the rules that can match a request, and of these the ones that do for certain, into two masks of ``width`` words.
  ///
  /// - Parameter value: The value of a slot, nil when it is absent, of the wrong type or not known.
  /// - Returns: Whether any rule is left.
  @inline(__always)
  func select(
    _ request: Request, possible: UnsafeMutablePointer<UInt64>, certain: UnsafeMutablePointer<UInt64>, value: (Int) -> CELValue?
  ) -> Bool {
    let principal = request.principal
    let step = request.step
    let isLeft = words.withUnsafeBufferPointer { buffer -> Bool in
      guard let words = buffer.baseAddress else { return false }
      for word in 0..<width {
        possible[word] = words[anyone + word] | words[byKind[principal.kind.place] + word]
        certain[word] = words[indexed + word]
      }
      if byID.count > 0, let mask = byID.value(of: principal.id) { for word in 0..<width { possible[word] |= words[mask + word] } }
      if byRole.count > 0 {
        for role in principal.roles {
          if let mask = byRole.value(of: role) { for word in 0..<width { possible[word] |= words[mask + word] } }
        }
      }
      let atStep = step.flatMap { byStep.count > 0 ? byStep.value(of: $0.id) : nil }
      var left: UInt64 = 0
      for word in 0..<width {
        possible[word] &= words[anyStep + word] | (atStep.map { words[$0 + word] } ?? 0)
        left |= possible[word]
      }
      if left == 0 { return false }
      for dimension in dimensions {
        var concerned: UInt64 = 0
        for word in 0..<width { concerned |= possible[word] & words[dimension.constrained + word] }
        if concerned == 0 { continue }
        let isLeft =
          dimension.isOfRoles
          ? dimension.narrow(principal.roles, words, width, possible, certain)
          : dimension.narrow(value(dimension.slot), words, width, possible, certain)
        if !isLeft { return false }
      }
      return true
    }
    return isLeft
  }
}

/// What the index understands of one rule's condition.
struct IndexedCondition: Sendable {
  var atoms: [(slot: Int, atom: Atom)] = []
  /// Whether the atoms are all that the condition asks.
  var isComplete = true
}

extension PrincipalKind {
  @inline(__always)
  var place: Int {
    switch self {
    case .user: 0
    case .agent: 1
    case .system: 2
    }
  }
}

extension [UInt64] {
  /// Appends a mask and answers where it begins.
  mutating func appendMask(count: Int, _ isMember: (Int) -> Bool) -> Int {
    let start = self.count
    append(contentsOf: repeatElement(0, count: (count + 63) / 64))
    for bit in 0..<count where isMember(bit) { self[start + bit / 64] |= 1 << UInt64(bit % 64) }
    return start
  }
}
