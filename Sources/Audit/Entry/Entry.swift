public import Core

/// One entry of the log, as it was committed.
public struct Entry: Sendable {
  /// Its place in the log, from 0 without gaps; it is also the index of its Merkle leaf.
  public let index: Int
  /// Log time: the wall clock, but never before an earlier entry.
  public let time: Instant
  /// What it records, with the version of its shape: `proposal.decided@1`.
  public let type: String
  /// The run that it belongs to, if any.
  public let run: String?
  /// Who caused it.
  public let principal: String
  /// The release that it happened under.
  public let release: String?
  /// Structure without confidential values, to be read without a copy of it: what a fold should use.
  public let bodyView: JSONView
  /// The content parts, sorted by name; redacted ones have no bytes.
  public let content: [Content]
  /// The evidence that it names, sorted by digest.
  public let evidence: [EvidenceReference]
  /// The Merkle leaf hash: SHA-256(0x00 ‖ envelope).
  public let leaf: Digest

  /// Structure without confidential values.
  ///
  /// - Complexity: O(1), but O(size of the body) in an entry that verification folds.
  public var body: JSONObject { JSON(bodyView).objectValue ?? JSONObject() }

  /// The bytes of a content part; `nil` when there is no such part or it was redacted.
  public func content(_ part: String) -> [UInt8]? {
    content.first { bytesEqual($0.part, part) }?.bytes
  }
}
