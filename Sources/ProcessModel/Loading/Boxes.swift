internal import CEL
internal import Core

/// A set of small numbers.
struct Bits: Hashable {
  private(set) var words: [UInt64]

  /// The numbers, each less than `count`.
  init(_ members: [Int], of count: Int) {
    words = [UInt64](repeating: 0, count: (count + 63) / 64)
    for member in members { words[member / 64] |= 1 << UInt64(member % 64) }
  }

  var isEmpty: Bool { words.allSatisfy { $0 == 0 } }
  func contains(_ member: Int) -> Bool { words[member / 64] & (1 << UInt64(member % 64)) != 0 }

  /// The least number in both; `nil` where there is none.
  func firstCommon(_ other: Bits) -> Int? {
    for place in words.indices where words[place] & other.words[place] != 0 {
      return place * 64 + (words[place] & other.words[place]).trailingZeroBitCount
    }
    return nil
  }

  func intersection(_ other: Bits) -> Bits {
    var result = self
    for place in words.indices { result.words[place] &= other.words[place] }
    return result
  }
}

/// The rules of a table as boxes of kinds of values.
struct Boxes {
  let columns: [TableAnalysis.Column]
  let count: Int
  private(set) var work = 0
  private(set) var isExhausted = false
  private let workLeft: Int
  /// For each column and rule the kinds of values that meet its cell.
  private let kinds: [[Bits]]

  init(columns: [TableAnalysis.Column], count: Int, workLeft: Int) {
    self.columns = columns
    self.count = count
    self.workLeft = workLeft
    kinds = columns.map { column in
      (0..<count).map { rule in Bits(column.meets.indices.filter { column.meets[$0].contains(rule) }, of: column.meets.count) }
    }
  }

  /// The first input whose cell in a rule no value meets.
  func emptyColumn(of rule: Int) -> Int? { columns.indices.first { kinds[$0][rule].isEmpty } }

  /// A case in which two rules apply; `nil` where there is none.
  func meeting(_ a: Int, _ b: Int) -> [Int]? {
    var place: [Int] = []
    for column in kinds {
      guard let kind = column[a].firstCommon(column[b]) else { return nil }
      place.append(kind)
    }
    return place
  }

  /// A case in which none of some rules applies, within the box of one rule or anywhere; `nil` where there is none.
  mutating func gap(_ rules: Bits, within box: Int?) -> [Int]? {
    var covered: Set<Node> = []
    return gap(rules, 0, box, &covered)
  }

  private struct Node: Hashable {
    let column: Int
    let rules: Bits
  }

  private mutating func gap(_ rules: Bits, _ column: Int, _ box: Int?, _ covered: inout Set<Node>) -> [Int]? {
    if column == columns.count { return rules.isEmpty ? [] : nil }
    let node = Node(column: column, rules: rules)
    if covered.contains(node) { return nil }
    work += 1
    guard work <= workLeft else {
      isExhausted = true
      return nil
    }
    for (kind, meets) in columns[column].meets.enumerated() {
      if let box, !meets.contains(box) { continue }
      if let rest = gap(rules.intersection(meets), column + 1, box, &covered) { return [kind] + rest }
      if isExhausted { return nil }
    }
    covered.insert(node)
    return nil
  }

  /// A case as people read it.
  func words(_ kinds: [Int]) -> String {
    let values = zip(columns, kinds).map { ($0.name, $0.values[$1]) }
    return CaseActivation(values: [:], named: values).words
  }
}
