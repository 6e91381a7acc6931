/// The members of a JSON object: unique keys by their bytes, in the order in which they were written.
public struct JSONObject: Sendable, ExpressibleByDictionaryLiteral {
  /// One member.
  public typealias Element = (key: String, value: JSON)

  private var members: [Element] = []
  /// From key to place, kept only where a linear search would be slow.
  private var index: [ExactString: Int]?
  private static let indexedFrom = 17
  /// Whether the members are known to lie in the order of RFC 8785, so that nobody has to sort or search them.
  private(set) var isKnownSorted = true

  /// An object without members.
  public init() {}

  /// Makes an object from members; of two with the same key the later one wins, in the earlier one's place.
  public init(_ members: some Sequence<(String, JSON)>) {
    self.members.reserveCapacity(members.underestimatedCount)
    for (key, value) in members { put(key, value) }
  }

  /// Makes an object from a literal.
  public init(dictionaryLiteral elements: (String, JSON)...) { self.init(elements) }

  /// Makes an empty object with room for so many members.
  public init(capacity: Int) { members.reserveCapacity(capacity) }

  /// Takes members whose keys the caller found to be unique, and sorted as RFC 8785 has it where it says so.
  @_spi(JSONParser)
  public init(unchecked members: [Element], isSorted: Bool = false) {
    self.members = members
    isKnownSorted = isSorted
    assert(!isSorted || zip(members, members.dropFirst()).allSatisfy { CanonicalWriter.precedes($0.key, $1.key) }, "not sorted")
    if members.count >= Self.indexedFrom { reindex() }
  }

  /// The keys, in order.
  public var keys: [String] { members.map(\.key) }

  /// The value of a key, or nil.
  ///
  /// Assigning nil removes the member.
  ///
  /// - Complexity: O(1) for large objects, at most 16 comparisons for small ones; O(n) to remove.
  public subscript(key: String) -> JSON? {
    get { place(of: key).map { members[$0].value } }
    set {
      if let newValue { return put(key, newValue) }
      guard let place = place(of: key) else { return }
      members.remove(at: place)
      if index != nil { reindex() }
    }
  }

  private mutating func put(_ key: String, _ value: JSON) {
    if !isKnownSorted || !(members.last.map { CanonicalWriter.precedes($0.key, key) } ?? true) {
      if let place = place(of: key) {
        members[place].value = value
        return
      }
      isKnownSorted = false
    }
    members.append((key, value))
    if index != nil {
      index?[ExactString(key)] = members.count - 1
    } else if members.count >= Self.indexedFrom {
      reindex()
    }
  }

  private func place(of key: String) -> Int? {
    if let index { return index[ExactString(key)] }
    var key = key
    return key.withUTF8 { wanted in
      members.withUnsafeBufferPointer { members in
        for place in members.indices where members[place].key.utf8.count == wanted.count {
          let isSame = members[place].key.utf8.withContiguousStorageIfAvailable { $0.elementsEqual(wanted) }
          if isSame ?? members[place].key.utf8.elementsEqual(wanted) { return place }
        }
        return nil
      }
    }
  }

  private mutating func reindex() {
    index =
      members.count < Self.indexedFrom
      ? nil : Dictionary(members.enumerated().map { (ExactString($1.key), $0) }, uniquingKeysWith: { first, _ in first })
  }
}

extension JSONObject: RandomAccessCollection {
  /// The place of the first member.
  public var startIndex: Int { 0 }
  /// The place after the last member.
  public var endIndex: Int { members.count }
  /// The member at a place.
  public subscript(position: Int) -> Element { members[position] }
}

extension JSONObject: Hashable {
  /// Whether both have the same keys with equal values, in any order.
  public static func == (a: JSONObject, b: JSONObject) -> Bool {
    a.count == b.count && a.allSatisfy { key, value in b[key] == value }
  }

  /// Feeds all members to the hasher, independent of their order.
  public func hash(into hasher: inout Hasher) {
    var sum = 0
    for (key, value) in members {
      var member = Hasher()
      member.combine(ExactString(key))
      member.combine(value)
      sum &+= member.finalize()
    }
    hasher.combine(sum)
  }
}
