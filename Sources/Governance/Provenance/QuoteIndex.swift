/// Finds what a text quotes of others: pieces of a fixed number of letters and digits in a row.
struct QuoteIndex: Sendable {
  private let length: Int
  private var pieces: Set<UInt64> = []

  init(length: Int) { self.length = length }

  /// Adds all pieces of a squashed text.
  ///
  /// - Complexity: O(bytes).
  mutating func add(_ squashed: [UInt8]) {
    _ = Self.eachPiece(of: squashed, length) { hash, _ in
      pieces.insert(hash)
      return false
    }
  }

  /// Whether this holds a piece of a squashed text that another one does not hold.
  ///
  /// Two pieces are taken for one once in 10^10 for a million of them.
  ///
  /// - Complexity: O(bytes).
  func holdsPiece(of squashed: [UInt8], notIn other: QuoteIndex) -> Bool {
    if pieces.isEmpty { return false }
    return Self.eachPiece(of: squashed, length) { hash, _ in pieces.contains(hash) && !other.pieces.contains(hash) }
  }

  /// Hands over the hash of each piece of a squashed text, and where the piece begins, until `found` says so.
  ///
  /// Rolling hashes (Rabin and Karp, 1987, doi:10.1147/rd.312.0249), modulo 2^64 with a last mixing step.
  static func eachPiece(of bytes: [UInt8], _ length: Int, _ found: (UInt64, Int) -> Bool) -> Bool {
    guard bytes.count >= length else { return false }
    let base: UInt64 = 0x100_0000_01B3
    let top = (1..<length).reduce(into: UInt64(1)) { power, _ in power &*= base }
    var hash: UInt64 = 0
    for place in bytes.indices {
      if place >= length { hash &-= top &* UInt64(bytes[place - length]) }
      hash = hash &* base &+ UInt64(bytes[place])
      if place >= length - 1, found((hash ^ (hash >> 31)) &* 0x9E37_79B9_7F4A_7C15, place - length + 1) { return true }
    }
    return false
  }
}
