/// A set of texts that is made once and asked often.
///
/// The hash needs no seed: the texts stand in the expression, so that whoever chooses the text to look for cannot make more of
/// them collide, and a text longer than all of them is not hashed at all.
struct TextSet: Sendable {
  private let texts: [String]
  private let longest: Int
  /// Places in ``texts`` by hash, -1 where empty (at least half); after a collision the next place is tried.
  private let table: [Int32]
  private static let linearUpTo = 6

  init(_ texts: [String]) {
    self.texts = texts
    longest = texts.map(\.utf8.count).max() ?? 0
    guard texts.count > Self.linearUpTo else {
      table = []
      return
    }
    var size = 16
    while size < texts.count * 2 { size *= 2 }
    var table = Array(repeating: Int32(-1), count: size)
    for (index, text) in texts.enumerated() {
      var place = Int(truncatingIfNeeded: Self.hash(text)) & (size - 1)
      while table[place] >= 0 { place = (place + 1) & (size - 1) }
      table[place] = Int32(index)
    }
    self.table = table
  }

  /// Whether the text is one of the set, byte for byte.
  ///
  /// - Complexity: O(n) for the n bytes of the longest text in the set.
  func contains(_ text: String) -> Bool {
    if text.utf8.count > longest { return false }
    if table.isEmpty {
      for member in texts where sameBytes(member, text) { return true }
      return false
    }
    var place = Int(truncatingIfNeeded: Self.hash(text)) & (table.count - 1)
    while table[place] >= 0 {
      if sameBytes(texts[Int(table[place])], text) { return true }
      place = (place + 1) & (table.count - 1)
    }
    return false
  }

  /// FNV-1a, with its high bits folded in.
  private static func hash(_ text: String) -> UInt64 {
    withBytes(text) { bytes in
      var hash: UInt64 = 0xCBF2_9CE4_8422_2325
      for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
      return hash ^ hash >> 32
    }
  }
}
