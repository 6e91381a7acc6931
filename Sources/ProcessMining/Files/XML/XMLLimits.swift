/// How large the parts of an XML file may be; every limit has an error that states it.
public struct XMLLimits: Hashable, Sendable {
  /// Elements inside one another.
  public var depth: Int
  /// Attributes of one element; at least 1.
  public var attributes: Int
  /// Bytes of a tag, a comment or a stretch of text with the white space before it; at least 64.
  public var tokenBytes: Int
  /// Bytes of the name of an element or of an attribute.
  public var nameBytes: Int

  /// Makes limits; those of the defaults fit every file that a program writes.
  public init(depth: Int = 64, attributes: Int = 64, tokenBytes: Int = 1 << 20, nameBytes: Int = 256) {
    self.depth = depth
    self.attributes = max(1, attributes)
    self.tokenBytes = max(64, tokenBytes)
    self.nameBytes = nameBytes
  }
}
