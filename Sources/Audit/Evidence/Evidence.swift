import Core
import Glibc

/// Bytes that an entry names as evidence: in memory, in a file that only this process can reach, or in the store already.
public struct Evidence: Sendable {
  enum Source: Sendable {
    case stored
    case bytes([UInt8])
    case file(SpooledFile)
  }

  /// What the entry will say about it.
  public let reference: EvidenceReference
  let source: Source

  init(reference: EvidenceReference, source: Source) {
    self.reference = reference
    self.source = source
  }

  /// Evidence that lies in memory.
  ///
  /// - Throws: ``AuditError`` when it is larger than `limit`, which counts bytes.
  /// - Complexity: O(n), for the hash.
  public static func bytes(_ bytes: [UInt8], media: String, limit: Int = AuditLimits.evidenceBytes) throws(AuditError) -> Evidence {
    guard bytes.count <= limit else { throw tooLarge("this evidence", bytes.count, limit) }
    return Evidence(
      reference: EvidenceReference(digest: SHA256.hash(bytes), media: media, size: bytes.count), source: .bytes(bytes))
  }

  /// Evidence that the store holds already: an entry that names it fails when it does not.
  public static func stored(_ reference: EvidenceReference) -> Evidence { Evidence(reference: reference, source: .stored) }

  static func tooLarge(_ what: String, _ size: Int, _ limit: Int) -> AuditError {
    AuditError(.evidence, "\(what) has \(size) bytes or more, the limit is \(limit)", hint: "attach a smaller file, or raise the limit")
  }
}

/// A copy of a file that has no name any more: nobody can change it between hashing and storing.
final class SpooledFile: Sendable {
  let descriptor: Int32
  init(descriptor: Int32) { self.descriptor = descriptor }
  deinit { close(descriptor) }
}
