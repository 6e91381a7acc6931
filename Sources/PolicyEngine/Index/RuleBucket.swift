internal import Core

/// The rules that can be about one tool, in file order, with bitmap indexes that leave out those that cannot match a request.
///
/// Every rule of the bucket is one bit. Whom and which steps a rule is about is decided exactly; of its condition, the comparisons of one
/// value with constants are (see ``Atom``). Each looked-up value yields two sets of rules: those that are still possible, and those for
/// which everything that was asked of the value holds. What is still possible in the end is evaluated: only the rest of the condition where
/// all atoms are known to hold, the whole of it otherwise.
///
/// Everything lies in one array of words and is reached by offsets: deciding neither allocates nor counts references here.
///
/// - SeeAlso: P. O'Neil, D. Quass, "Improved query performance with variant indexes", SIGMOD 1997, doi:10.1145/253260.253268 (bitmap
///   indexes); the work for a request grows with the number of rules divided by 64.
final class RuleBucket: Sendable {
  /// Places in the rule set, ascending; bit `i` of a mask is the rule at `rules[i]`.
  let rules: [Int32]
  /// The number of words of a mask.
  let width: Int

  private let words: [UInt64]
  private let dimensions: [RuleDimension]
  private let anyone: Int
  private let byKind: (user: Int, agent: Int, system: Int)
  private let byID: TextIndex
  private let byRole: TextIndex
  private let anyStep: Int
  private let byStep: TextIndex
  /// The rules of whose atoms none was left to the condition.
  private let indexed: Int

  /// The most dimensions that a bucket has; further values are left to the conditions.
  static let maximumDimensions = 64

  /// Indexes rules.
  ///
  /// - Parameters:
  ///   - places: The rules' places in the rule set, ascending.
  ///   - all: All rules of the set.
  ///   - conditions: For each of all rules what the index understands of its condition.
  ///   - slots: The values that conditions read.
  init(places: [Int], rules all: [Rule], conditions: [RuleCondition?], slots: [ValueSlot]) {
    rules = places.map { Int32($0) }
    let width = (places.count + 63) / 64
    self.width = width
    let own = places.map { all[$0] }
    var words: [UInt64] = []
    func mask(_ isMember: (Rule) -> Bool) -> Int { words.appendMask(width, own.indices.filter { isMember(own[$0]) }) }
    func table(_ names: (Rule) -> [String]) -> TextIndex {
      var bits: [ExactString: [Int]] = [:]
      for (bit, rule) in own.enumerated() { for name in names(rule) { bits[ExactString(name), default: []].append(bit) } }
      return TextIndex(bits.keys.sorted().map { ($0.string, words.appendMask(width, bits[$0] ?? [])) }, in: &words)
    }
    anyone = mask { $0.principals.isEmpty || $0.principals.contains(.any) }
    byKind = (
      mask { $0.principals.contains(.kind(.user)) }, mask { $0.principals.contains(.kind(.agent)) },
      mask { $0.principals.contains(.kind(.system)) }
    )
    byID = table { $0.principals.compactMap { if case .exact(let id) = $0 { id } else { nil } } }
    byRole = table { $0.principals.compactMap { if case .role(let role) = $0 { role } else { nil } } }
    anyStep = mask { $0.steps.isEmpty }
    byStep = table { $0.steps }
    var isIndexed = places.map { _ in true }
    var bySlot: [Int: [(bit: Int, atom: Atom)]] = [:]
    for (bit, place) in places.enumerated() {
      for (slot, atom) in conditions[place]?.atoms ?? [] { bySlot[slot, default: []].append((bit, atom)) }
    }
    let ranked = bySlot.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }
    for (_, atoms) in ranked.dropFirst(Self.maximumDimensions) { for (bit, _) in atoms { isIndexed[bit] = false } }
    dimensions = ranked.prefix(Self.maximumDimensions).map { slot, atoms in
      RuleDimension(slot: slot, isOfRoles: slots[slot].isOfRoles, atoms: atoms, width: width, words: &words, isIndexed: &isIndexed)
    }.sorted { ($1.selectivity, $0.slot) < ($0.selectivity, $1.slot) }
    indexed = words.appendMask(width, isIndexed.indices.filter { isIndexed[$0] })
    self.words = words
  }

  /// Writes the rules that can match a request, and of these the ones whose atoms all hold for certain, into two masks of ``width`` words.
  ///
  /// - Returns: Whether any rule is left.
  func select(
    _ request: Request, _ slots: UnsafeBufferPointer<ValueSlot>, possible: UnsafeMutablePointer<UInt64>,
    certain: UnsafeMutablePointer<UInt64>
  ) -> Bool {
    words.withUnsafeBufferPointer { buffer in
      guard let words = buffer.baseAddress, isConcerned(request, words, possible) else { return false }
      for word in 0..<width { certain[word] = words[indexed + word] }
      return dimensions.withUnsafeBufferPointer { dimensions in
        for dimension in dimensions {
          var concerned: UInt64 = 0
          for word in 0..<width { concerned |= possible[word] & words[dimension.constrained + word] }
          if concerned == 0 { continue }
          let isLeft =
            dimension.isOfRoles
            ? dimension.narrow(request.principal.roles, words, width, possible, certain)
            : dimension.narrow(slots[dimension.slot].observe(request), words, width, possible, certain)
          if !isLeft { return false }
        }
        return true
      }
    }
  }

  /// Writes the rules that are about the principal and the step.
  @inline(__always)
  private func isConcerned(_ request: Request, _ words: UnsafePointer<UInt64>, _ possible: UnsafeMutablePointer<UInt64>) -> Bool {
    let kind =
      switch request.principal.kind {
      case .user: byKind.user
      case .agent: byKind.agent
      case .system: byKind.system
      }
    for word in 0..<width { possible[word] = words[anyone + word] | words[kind + word] }
    if !byID.isEmpty, let mask = byID.value(of: request.principal.id, in: words) {
      for word in 0..<width { possible[word] |= words[mask + word] }
    }
    if !byRole.isEmpty {
      for role in request.principal.roles {
        if let mask = byRole.value(of: role, in: words) { for word in 0..<width { possible[word] |= words[mask + word] } }
      }
    }
    var left: UInt64 = 0
    if !byStep.isEmpty, let step = request.step, let mask = byStep.value(of: step.id, in: words) {
      for word in 0..<width {
        possible[word] &= words[anyStep + word] | words[mask + word]
        left |= possible[word]
      }
    } else {
      for word in 0..<width {
        possible[word] &= words[anyStep + word]
        left |= possible[word]
      }
    }
    return left != 0
  }
}

extension [UInt64] {
  /// Appends a mask with these bits and answers where it begins.
  mutating func appendMask(_ width: Int, _ bits: [Int]) -> Int {
    let start = count
    append(contentsOf: repeatElement(0, count: width))
    for bit in bits { self[start + bit / 64] |= 1 << UInt64(bit % 64) }
    return start
  }
}
