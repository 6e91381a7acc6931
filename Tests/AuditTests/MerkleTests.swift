import Audit
import Core
import TestSupport
import Testing

@Suite struct MerkleTests {
  static func leaves(_ count: Int) -> [Digest] {
    (0..<count).map { index in MerkleTree.leaf([0, 8, 16].map { UInt8(truncatingIfNeeded: index >> $0) }) }
  }

  @Test func rootsOfSmallTreesAreWhatTheDefinitionSays() {
    let leaves = Self.leaves(5)
    func node(_ a: Digest, _ b: Digest) -> Digest { SHA256.hash([1] + a.bytes + b.bytes) }
    #expect(MerkleTree.root([]) == SHA256.hash(""))
    #expect(MerkleTree.leaf([7]) == SHA256.hash([0, 7]))
    #expect(MerkleTree.root(leaves[..<1]) == leaves[0])
    #expect(MerkleTree.root(leaves[..<2]) == node(leaves[0], leaves[1]))
    #expect(MerkleTree.root(leaves[..<3]) == node(node(leaves[0], leaves[1]), leaves[2]))
    #expect(MerkleTree.root(leaves) == node(node(node(leaves[0], leaves[1]), node(leaves[2], leaves[3])), leaves[4]))
  }

  @Test func aFrontierSurvivesItsStoredForm() throws {
    var frontier = MerkleFrontier()
    for leaf in Self.leaves(70) {
      frontier.append(leaf)
      #expect(MerkleFrontier(size: frontier.size, bytes: frontier.bytes) == frontier)
      #expect(MerkleFrontier(size: frontier.size, bytes: frontier.bytes + frontier.bytes) == nil)
      #expect(MerkleFrontier(size: frontier.size, bytes: frontier.bytes.dropLast()) == nil)
    }
    #expect(frontier.root == MerkleTree.root(Self.leaves(70)))
  }

  @Test func everyProofOfEveryTreeHolds() throws {
    for size in 1...33 {
      let leaves = Self.leaves(size)
      let root = MerkleTree.root(leaves)
      for index in 0..<size {
        let proof = try #require(MerkleTree.inclusionProof(of: index, in: leaves))
        #expect(MerkleTree.verifyInclusion(index: UInt64(index), size: UInt64(size), leaf: leaves[index], proof: proof, root: root))
        let other = UInt64((index + 1) % size)
        #expect(size == 1 || !MerkleTree.verifyInclusion(index: other, size: UInt64(size), leaf: leaves[index], proof: proof, root: root))
        #expect(
          !MerkleTree.verifyInclusion(index: UInt64(index), size: UInt64(size), leaf: leaves[index], proof: proof + [root], root: root))
      }
      #expect(MerkleTree.consistencyProof(from: 0, in: leaves) == [])
      #expect(MerkleTree.consistencyProof(from: size + 1, in: leaves) == nil)
      for old in 1...size {
        let proof = try #require(MerkleTree.consistencyProof(from: old, in: leaves))
        let oldRoot = MerkleTree.root(leaves[..<old])
        #expect(
          MerkleTree.verifyConsistency(oldSize: UInt64(old), newSize: UInt64(size), oldRoot: oldRoot, newRoot: root, proof: proof),
          "\(old) of \(size)")
      }
    }
  }

  // MARK: Published vectors

  static func files(_ kind: String) throws -> [String] {
    let base = "vectors/merkle/testdata/\(kind)"
    var files: [String] = []
    func walk(_ folder: String) throws {
      for name in try Conformance.entries(folder) {
        if name.hasSuffix(".json") { files.append("\(folder)/\(name)") } else { try walk("\(folder)/\(name)") }
      }
    }
    try walk(base)
    return files
  }

  /// A vector's proof; nil where an element is not a digest at all.
  static func proof(_ vector: JSON) -> [Digest]? {
    var proof: [Digest] = []
    for element in vector["proof"]?.arrayValue ?? [] {
      guard let digest = digest(element) else { return nil }
      proof.append(digest)
    }
    return proof
  }

  static func digest(_ value: JSON?) -> Digest? {
    guard let text = value?.stringValue else { return nil }
    // Through a checkpoint, whose third line is a digest in base64.
    return try? Checkpoint(parsing: "vector\n0\n\(text)\n").root
  }

  /// A root; some vectors hold a text where no root would be right.
  static func root(_ value: JSON?) -> Digest { digest(value) ?? SHA256.hash(value?.stringValue ?? "") }

  static func number(_ vector: JSON, _ key: String) -> UInt64 { vector[key]?.numberValue.flatMap { UInt64($0.text) } ?? 0 }

  static func check(_ kind: String, _ holds: (JSON, [Digest]) -> Bool) throws -> Int {
    let files = try files(kind)
    for file in files {
      let vector = try JSON.parse(Conformance.bytes(file))
      let wanted = vector["wantErr"]?.boolValue != true
      let found = proof(vector).map { holds(vector, $0) } ?? false
      #expect(found == wanted, "\(file)")
    }
    return files.count
  }

  @Test("T14 forged Merkle proofs are refused", .enabled(if: Conformance.isPresent, "\(Conformance.absent)"))
  func publishedVectors() throws {
    let inclusion = try Self.check("inclusion") { vector, proof in
      guard let leaf = Self.digest(vector["leafHash"]), let root = Self.digest(vector["root"]) else { return false }
      return MerkleTree.verifyInclusion(
        index: Self.number(vector, "leafIdx"), size: Self.number(vector, "treeSize"), leaf: leaf, proof: proof, root: root)
    }
    let consistency = try Self.check("consistency") { vector, proof in
      let (old, new) = (Self.root(vector["root1"]), Self.root(vector["root2"]))
      return MerkleTree.verifyConsistency(
        oldSize: Self.number(vector, "size1"), newSize: Self.number(vector, "size2"), oldRoot: old, newRoot: new, proof: proof)
    }
    let subtreeInclusion = try Self.check("subtreeinclusion") { vector, proof in
      guard let leaf = Self.digest(vector["leafHash"]), let root = Self.digest(vector["root"]) else { return false }
      return MerkleTree.verifySubtreeInclusion(
        index: Self.number(vector, "leafIdx"), start: Self.number(vector, "start"), end: Self.number(vector, "end"), leaf: leaf,
        proof: proof,
        root: root)
    }
    let subtreeConsistency = try Self.check("subtreeconsistency") { vector, proof in
      let (old, new) = (Self.root(vector["root1"]), Self.root(vector["root2"]))
      return MerkleTree.verifySubtreeConsistency(
        start: Self.number(vector, "start"), end: Self.number(vector, "end"), size: Self.number(vector, "size"), subtreeRoot: old,
        root: new,
        proof: proof)
    }
    #expect([inclusion, consistency, subtreeInclusion, subtreeConsistency] == [98, 98, 204, 118])
  }

  @Test func checkpointsAreThreeLines() throws {
    let checkpoint = Checkpoint(origin: "example.com/log", size: 15, root: MerkleTree.root(Self.leaves(15)))
    #expect(try Checkpoint(parsing: checkpoint.text) == checkpoint)
    #expect(try Checkpoint(parsing: checkpoint.text + "extra\n\n— name sig\n") == checkpoint)
    for wrong in [
      "", "a\n1\n", "\n1\n\(MerkleTree.emptyRoot)\n", "a b\n1\nAAAA\n", "a\n01\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
    ] {
      #expect(throws: AuditError.self) { try Checkpoint(parsing: wrong) }
    }
    #expect(
      Checkpoint(origin: "a", size: 0, root: MerkleTree.emptyRoot).text == "a\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")
  }
}
