public import Core

/// Evidence that an entry names: bytes known by their SHA-256.
public struct EvidenceReference: Hashable, Sendable {
  /// The SHA-256 of the bytes.
  public var digest: Digest
  /// The media type, such as `application/pdf`.
  public var media: String
  /// The size, in bytes.
  public var size: Int

  /// Makes a reference.
  public init(digest: Digest, media: String, size: Int) {
    self.digest = digest
    self.media = media
    self.size = size
  }
}
