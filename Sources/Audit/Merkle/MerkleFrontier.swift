public import Core

/// What a Merkle tree needs to grow: the roots of its complete subtrees, largest first (one per set bit of its size).
public struct MerkleFrontier: Hashable, Sendable {
  /// The number of leaves.
  public private(set) var size: Int
  /// The roots of the complete subtrees, from the leftmost and largest to the smallest.
  public private(set) var peaks: [Digest]

  /// The tree without leaves.
  public init() {
    size = 0
    peaks = []
  }

  /// A tree from its stored form; `nil` when the number of peaks does not fit the size.
  public init?(size: Int, peaks: [Digest]) {
    guard size >= 0, peaks.count == size.nonzeroBitCount else { return nil }
    self.size = size
    self.peaks = peaks
  }

  /// A tree from its stored form, 32 bytes a peak; `nil` when the number of bytes does not fit the size.
  public init?(size: Int, bytes: [UInt8]) {
    guard bytes.count % 32 == 0 else { return nil }
    self.init(size: size, peaks: stride(from: 0, to: bytes.count, by: 32).compactMap { Digest(bytes[$0..<($0 + 32)]) })
  }

  /// Adds a leaf hash.
  ///
  /// - Complexity: O(1) hashes on average, O(log n) at most.
  public mutating func append(_ leaf: Digest) { append(leaf) { _, _ in } }

  /// Adds a leaf hash, and says which tiles it completes; see ``MerkleTiles``.
  mutating func append(_ leaf: Digest, tile: (MerkleTiles.Place, Digest) throws -> Void) rethrows {
    var hash = leaf
    var height = 0
    while size >> height & 1 == 1 {
      hash = MerkleTree.node(peaks.removeLast(), hash)
      height += 1
      if height % MerkleTiles.height == 0 {
        try tile(MerkleTiles.Place(level: height / MerkleTiles.height, number: size >> height), hash)
      }
    }
    peaks.append(hash)
    size += 1
  }

  /// The root of the tree.
  ///
  /// - Complexity: O(log n) hashes.
  public var root: Digest {
    guard var hash = peaks.last else { return MerkleTree.emptyRoot }
    for peak in peaks.dropLast().reversed() { hash = MerkleTree.node(peak, hash) }
    return hash
  }

  /// The peaks as bytes, 32 each.
  public var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(32 * peaks.count)
    for peak in peaks { peak.withBytes { bytes.append(contentsOf: $0) } }
    return bytes
  }
}
