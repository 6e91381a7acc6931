import Core
import Storage
import TestSupport
import Testing

@testable import Audit

@Suite("Stored nodes of the Merkle tree")
struct MerkleTilesTests {
  /// A log of leaves without entries around them.
  private static func makeTree(_ count: Int, tiles: Bool = true) throws -> Connection {
    let connection = try Connection(path: "", mode: .memory)
    try connection.migrate(LogSchema.migrations, application: LogSchema.application)
    try connection.transaction {
      var frontier = MerkleFrontier()
      for (index, leaf) in MerkleTests.leaves(count).enumerated() {
        try connection.run(
          #"INSERT INTO entry ("index", time, type, envelope, leaf) VALUES (?, 0, 'a@1', X'', ?)"#, .int(index), .blob(leaf.bytes))
        try frontier.append(leaf) { if tiles { try MerkleTiles.insert($0, $1, connection) } }
      }
    }
    return connection
  }

  @Test("proofs from stored nodes are those from all leaves", arguments: [1, 255, 256, 257, 511, 512, 1000, 66_000])
  func proofs(_ count: Int) throws {
    let connection = try Self.makeTree(count)
    defer { connection.close() }
    let leaves = MerkleTests.leaves(count)
    let tiles = MerkleTiles(database: ReadOnlyConnection(connection))
    #expect(try tiles.root(of: 0..<count) == MerkleTree.root(leaves))
    var random = SeededGenerator(seed: UInt64(count))
    let indices = [0, count / 2, count - 1] + (0..<6).map { _ in Int.random(in: 0..<count, using: &random) }
    for index in indices {
      let proof = try MerkleTree.inclusionProof(of: index, size: count) { try tiles.root(of: $0) }
      #expect(proof == MerkleTree.inclusionProof(of: index, in: leaves), "\(index)")
      let consistency = try MerkleTree.consistencyProof(from: index + 1, to: count) { try tiles.root(of: $0) }
      #expect(consistency == MerkleTree.consistencyProof(from: index + 1, in: leaves), "\(index + 1)")
    }
  }

  @Test func aStoreOfTheFirstFormatGetsThemWhenItIsOpened() throws {
    let connection = try Self.makeTree(700, tiles: false)
    let other = try Self.makeTree(700)
    defer {
      connection.close()
      other.close()
    }
    try MerkleTiles.fill(connection)
    #expect(try MerkleTiles.all(connection) == MerkleTiles.all(other))
    #expect(try MerkleTiles.all(connection).count == 2)
  }

  @Test("a stored node that is not that of the entries is found")
  func changedNodes() async throws {
    try await withTemporaryDirectory { directory in
      let origin = "\(directory)/origin.sqlite"
      try await makeLog(origin, entries: 520)
      #expect(try await verify(origin).ok)
      for sql in [
        "UPDATE tile SET root = zeroblob(32) WHERE number = 1", "DELETE FROM tile WHERE number = 0",
        "INSERT INTO tile VALUES (1, 2, zeroblob(32))", "UPDATE tile SET level = 2 WHERE number = 1",
      ] {
        let path = "\(directory)/changed.sqlite"
        try VerifyTests.copy(origin, path)
        try tamper(path) { try $0.execute(sql) }
        let report = try await verify(path)
        #expect(!report.ok && report.problems.allSatisfy { $0.kind == .head }, "\(sql): \(report.problems)")
      }
    }
  }
}
