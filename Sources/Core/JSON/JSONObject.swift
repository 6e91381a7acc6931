/// The members of a JSON object: unique keys by their bytes, in the order in which they were written.
public struct JSONObject: Sendable, ExpressibleByDictionaryLiteral {
  /// One member.
  public typealias Element = (key: String, value: JSON)

  private var members: [Element] = []
  /// From key to place, kept only where a linear search would be slow.
  private var index: [ExactString: Int]?
  private static let indexedFrom = 17

  /// An object without members.
  public init() {}

  /// Makes an object from members; of two with the same key the later one wins, in the earlier one's place.
  public init(_ members: some Sequence<(String, JSON)>) {
    for (key, value) in members { self[key] = value }
  }

  /// Makes an object from a literal.
  public init(dictionaryLiteral elements: (String, JSON)...) { self.init(elements) }

  /// Takes members whose keys the caller found to be unique.
  @_spi(JSONParser)
  public init(unchecked members: [Element]) {
    self.members = members
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
      switch (place(of: key), newValue) {
      case (let place?, let value?): members[place].value = value
      case (let place?, nil):
        members.remove(at: place)
        if index != nil { reindex() }
      case (nil, let value?):
        members.append((key, value))
        if index != nil {
          index?[ExactString(key)] = members.count - 1
        } else if members.count >= Self.indexedFrom {
          reindex()
        }
      case (nil, nil): break
      }
    }
  }

  private func place(of key: String) -> Int? {
    if let index { return index[ExactString(key)] }
    return members.withUnsafeBufferPointer { members in
      for place in members.indices where bytesEqual(members[place].key, key) { return place }
      return nil
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
