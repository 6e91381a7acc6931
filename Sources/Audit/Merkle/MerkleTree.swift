public import Core

/// The hashes of RFC 6962, section 2.1: a leaf is SHA-256(0x00 ‖ entry), an inner node SHA-256(0x01 ‖ left ‖ right).
///
/// Proofs are lists of digests as in RFC 9162, sections 2.1.3 and 2.1.4: from the leaf upwards.
public enum MerkleTree {
  /// The root of the tree without leaves: SHA-256 of nothing.
  public static let emptyRoot = SHA256.hash([UInt8]())

  /// The leaf hash of an entry's bytes.
  ///
  /// - Complexity: O(n).
  public static func leaf(_ entry: [UInt8]) -> Digest {
    var hash = SHA256()
    hash.update([0])
    hash.update(entry)
    return hash.finalize()
  }

  /// The hash of an inner node.
  public static func node(_ left: Digest, _ right: Digest) -> Digest {
    withUnsafeTemporaryAllocation(byteCount: 65, alignment: 16) { block in
      block[0] = 1
      left.withBytes { UnsafeMutableRawBufferPointer(rebasing: block[1..<33]).copyMemory(from: UnsafeRawBufferPointer($0)) }
      right.withBytes { UnsafeMutableRawBufferPointer(rebasing: block[33..<65]).copyMemory(from: UnsafeRawBufferPointer($0)) }
      return SHA256.hash(UnsafeRawBufferPointer(block))
    }
  }

  /// The root over leaf hashes.
  ///
  /// - Complexity: O(n) hashes.
  public static func root(_ leaves: some Collection<Digest>) -> Digest {
    var frontier = MerkleFrontier()
    for leaf in leaves { frontier.append(leaf) }
    return frontier.root
  }

  // MARK: Making proofs

  /// The proof that a leaf belongs to the tree.
  ///
  /// - Parameters:
  ///   - index: The leaf, from 0.
  ///   - leaves: All leaf hashes of the tree.
  /// - Returns: The siblings on the path to the root, from the leaf upwards; `nil` when there is no such leaf.
  /// - Complexity: O(n) hashes.
  public static func inclusionProof(of index: Int, in leaves: some RandomAccessCollection<Digest>) -> [Digest]? {
    inclusionProof(of: index, size: leaves.count) { root(part($0, of: leaves)) }
  }

  /// The proof that the tree over the first `size` leaves is a prefix of the tree over all of them.
  ///
  /// - Returns: The proof, empty when `size` is 0 or the count of the leaves; `nil` when `size` is larger or negative.
  /// - Complexity: O(n) hashes.
  public static func consistencyProof(from size: Int, in leaves: some RandomAccessCollection<Digest>) -> [Digest]? {
    consistencyProof(from: size, to: leaves.count) { root(part($0, of: leaves)) }
  }

  private static func part<Leaves: RandomAccessCollection<Digest>>(_ range: Range<Int>, of leaves: Leaves) -> Leaves.SubSequence {
    leaves[leaves.index(leaves.startIndex, offsetBy: range.lowerBound)..<leaves.index(leaves.startIndex, offsetBy: range.upperBound)]
  }

  /// The same from the roots over ranges of leaves: PATH of RFC 6962, section 2.1.1.
  ///
  /// Each range begins at a multiple of a power of two that is not smaller than its length.
  static func inclusionProof(of index: Int, size: Int, root: (Range<Int>) throws -> Digest) rethrows -> [Digest]? {
    guard index >= 0, index < size else { return nil }
    var proof: [Digest] = []
    var part = 0..<size
    while part.count > 1 {
      let middle = part.lowerBound + splitPoint(part.count)
      if index < middle {
        proof.append(try root(middle..<part.upperBound))
        part = part.lowerBound..<middle
      } else {
        proof.append(try root(part.lowerBound..<middle))
        part = middle..<part.upperBound
      }
    }
    return proof.reversed()
  }

  /// The same from the roots over ranges of leaves: PROOF of RFC 6962, section 2.1.2.
  static func consistencyProof(from old: Int, to size: Int, root: (Range<Int>) throws -> Digest) rethrows -> [Digest]? {
    guard old >= 0, old <= size else { return nil }
    if old == 0 || old == size { return [] }
    var proof: [Digest] = []
    var part = 0..<size
    var isWhole = true
    while old != part.upperBound {
      let middle = part.lowerBound + splitPoint(part.count)
      if old <= middle {
        proof.append(try root(middle..<part.upperBound))
        part = part.lowerBound..<middle
      } else {
        proof.append(try root(part.lowerBound..<middle))
        part = middle..<part.upperBound
        isWhole = false
      }
    }
    if !isWhole { proof.append(try root(part)) }
    return proof.reversed()
  }

  /// The largest power of two below `count`, which is at least 2.
  private static func splitPoint(_ count: Int) -> Int { 1 << (Int.bitWidth - 1 - (count - 1).leadingZeroBitCount) }

  // MARK: Checking proofs

  /// Whether `proof` shows that `leaf` is the leaf at `index` of the tree with `size` leaves and this root.
  ///
  /// - Complexity: O(log `size`) hashes.
  public static func verifyInclusion(index: UInt64, size: UInt64, leaf: Digest, proof: [Digest], root: Digest) -> Bool {
    guard index < size else { return false }
    return subtreeRoot(index: index, start: 0, end: size, leaf: leaf, proof: proof) == root
  }

  /// Whether `proof` shows that the tree with `oldSize` leaves and `oldRoot` is a prefix of the one with `newSize` and `newRoot`.
  ///
  /// The empty tree is a prefix of all trees, which shows nothing: it is accepted only beside itself.
  /// - Complexity: O(log `newSize`) hashes.
  public static func verifyConsistency(oldSize: UInt64, newSize: UInt64, oldRoot: Digest, newRoot: Digest, proof: [Digest]) -> Bool {
    guard oldSize <= newSize else { return false }
    if oldSize == newSize { return proof.isEmpty && oldRoot == newRoot && (oldSize > 0 || oldRoot == emptyRoot) }
    if oldSize == 0 { return false }
    return verifySubtreeConsistency(start: 0, end: oldSize, size: newSize, subtreeRoot: oldRoot, root: newRoot, proof: proof)
  }

  /// Whether `proof` shows that `leaf` is the leaf at `index` of the subtree over the leaves `start..<end`.
  ///
  /// - Complexity: O(log(`end` − `start`)) hashes.
  public static func verifySubtreeInclusion(
    index: UInt64, start: UInt64, end: UInt64, leaf: Digest, proof: [Digest], root: Digest
  ) -> Bool {
    guard isSubtree(start, end), start <= index, index < end else { return false }
    return subtreeRoot(index: index, start: start, end: end, leaf: leaf, proof: proof) == root
  }

  /// Whether `proof` shows that the subtree over the leaves `start..<end` is part of the tree with `size` leaves.
  ///
  /// An empty subtree needs no proof, only the root of nothing.
  /// - Complexity: O(log `size`) hashes.
  public static func verifySubtreeConsistency(
    start: UInt64, end: UInt64, size: UInt64, subtreeRoot: Digest, root: Digest, proof: [Digest]
  ) -> Bool {
    if start == end { return end <= size && proof.isEmpty && subtreeRoot == emptyRoot }
    guard isSubtree(start, end), end <= size else { return false }
    if start == 0, end == size { return proof.isEmpty && subtreeRoot == root }
    var first = start
    var last = end - 1
    var top = size - 1
    if end == size {
      while first != last { (first, last, top) = (first >> 1, last >> 1, top >> 1) }
    } else {
      while first != last, last & 1 == 1 { (first, last, top) = (first >> 1, last >> 1, top >> 1) }
    }
    var rest = proof[...]
    var oldHash: Digest
    var newHash: Digest
    if first == last {
      (oldHash, newHash) = (subtreeRoot, subtreeRoot)
    } else {
      guard let seed = rest.popFirst() else { return false }
      (oldHash, newHash) = (seed, seed)
    }
    for sibling in rest {
      if top == 0 { return false }
      if last & 1 == 1 || last == top {
        if first < last { oldHash = node(sibling, oldHash) }
        newHash = node(sibling, newHash)
        while last & 1 == 0, last != 0 { (first, last, top) = (first >> 1, last >> 1, top >> 1) }
      } else {
        newHash = node(newHash, sibling)
      }
      (first, last, top) = (first >> 1, last >> 1, top >> 1)
    }
    return top == 0 && oldHash == subtreeRoot && newHash == root
  }

  /// Whether `start..<end` is a subtree: not empty, and beginning at a multiple of the power of two that holds its length.
  static func isSubtree(_ start: UInt64, _ end: UInt64) -> Bool {
    guard start < end else { return false }
    let bits = 64 - (end - start - 1).leadingZeroBitCount
    return bits == 64 ? start == 0 : start & ((1 << UInt64(bits)) - 1) == 0
  }

  /// The root that `proof` leads to from a leaf of `start..<end`; `nil` when the proof is too short or too long.
  private static func subtreeRoot(index: UInt64, start: UInt64, end: UInt64, leaf: Digest, proof: [Digest]) -> Digest? {
    var place = index - start
    var last = end - start - 1
    var hash = leaf
    for sibling in proof {
      if last == 0 { return nil }
      if place & 1 == 1 || place == last {
        hash = node(sibling, hash)
        while place & 1 == 0, place != 0 { (place, last) = (place >> 1, last >> 1) }
      } else {
        hash = node(hash, sibling)
      }
      (place, last) = (place >> 1, last >> 1)
    }
    return last == 0 ? hash : nil
  }
}
