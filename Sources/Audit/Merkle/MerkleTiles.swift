import Core
import Storage

/// The stored nodes of the log's Merkle tree: the roots over 256 leaves, over 256 of these, and so on.
///
/// With them a proof takes at most 256 rows for each eighth level of the tree, as with the tiles of C2SP tlog-tiles; the leaves themselves
/// lie with the entries. They follow from these, and verification derives them again.
struct MerkleTiles {
  /// One stored node.
  struct Place: Hashable, Sendable {
    /// 1 for the roots over 256 leaves.
    let level: Int
    /// Which of its level, from 0.
    let number: Int
  }

  /// How many levels of the tree one tile spans.
  static let height = 8

  let database: ReadOnlyConnection

  /// The root over a range of leaves that begins at a multiple of a power of two not smaller than its length.
  ///
  /// - Complexity: O(log n) rows for n leaves.
  func root(of range: Range<Int>) throws -> Digest {
    var peaks: [(hash: Digest, height: Int)] = []
    var place = range.lowerBound
    while place < range.upperBound {
      let level = level(at: place, end: range.upperBound)
      let height = level * Self.height
      let end = end(of: level, from: place, in: range.upperBound)
      for hash in try nodes(level, place >> height..<end >> height) {
        var (hash, height) = (hash, height)
        while let last = peaks.last, last.height == height {
          (hash, height) = (MerkleTree.node(last.hash, hash), height + 1)
          peaks.removeLast()
        }
        peaks.append((hash, height))
      }
      place = end
    }
    guard var root = peaks.popLast()?.hash else { return MerkleTree.emptyRoot }
    while let left = peaks.popLast() { root = MerkleTree.node(left.hash, root) }
    return root
  }

  /// The highest level of which a tile begins at a leaf and ends with or before `end`.
  private func level(at place: Int, end: Int) -> Int {
    var level = 0
    while level < 7, place % (1 << ((level + 1) * Self.height)) == 0, place + 1 << ((level + 1) * Self.height) <= end { level += 1 }
    return level
  }

  /// Where the tiles of a level end: before a higher one begins, or with the last that is complete.
  private func end(of level: Int, from place: Int, in limit: Int) -> Int {
    let width = 1 << (level * Self.height)
    let parent = width << Self.height
    return min(place - place % parent + parent, limit - (limit - place) % width)
  }

  /// The nodes of a level, all of them.
  private func nodes(_ level: Int, _ range: Range<Int>) throws -> [Digest] {
    let bounds = [SQLValue.int(range.lowerBound), .int(range.upperBound)]
    let rows =
      level == 0
      ? try database.query(#"SELECT leaf FROM entry WHERE "index" >= ? AND "index" < ? ORDER BY "index""#, bounds) { Digest($0.bytes(0)) }
      : try database.query(
        "SELECT root FROM tile WHERE level = ? AND number >= ? AND number < ? ORDER BY number", [.int(level)] + bounds
      ) { Digest($0.bytes(0)) }
    let found = rows.compactMap(\.self)
    guard found.count == range.count else {
      throw AuditError(.damaged, "nodes of the log's Merkle tree are missing", hint: "run `remit audit verify`")
    }
    return found
  }

  // MARK: Writing

  /// Writes the tiles that a store of an older format does not have yet.
  ///
  /// - Complexity: O(n) for n entries, once.
  static func fill(_ connection: Connection) throws {
    guard try areMissing(connection) else { return }
    try connection.transaction {
      // Another process may have been faster: look again under the lock.
      guard try areMissing(connection) else { return }
      var frontier = MerkleFrontier()
      try connection.forEach(#"SELECT leaf FROM entry ORDER BY "index""#) { row in
        guard let leaf = Digest(row.bytes(0)) else { throw AuditError(.damaged, "a stored leaf hash does not have 32 bytes") }
        try frontier.append(leaf) { try insert($0, $1, connection) }
      }
    }
  }

  private static func areMissing(_ connection: Connection) throws -> Bool {
    try connection.first(#"SELECT max("index") >= 255 AND NOT EXISTS (SELECT 1 FROM tile) FROM entry"#) { $0.int(0) == 1 } ?? false
  }

  /// Writes one tile.
  static func insert(_ place: Place, _ root: Digest, _ connection: Connection) throws {
    try connection.run(
      "INSERT INTO tile (level, number, root) VALUES (?, ?, ?)", .int(place.level), .int(place.number), .blob(root.bytes))
  }

  /// All that are stored.
  static func all(_ connection: Connection) throws -> [Place: Digest] {
    var tiles: [Place: Digest] = [:]
    try connection.forEach("SELECT level, number, root FROM tile") { row in
      tiles[Place(level: row.int(0), number: row.int(1))] = Digest(row.bytes(2))
    }
    return tiles
  }
}
