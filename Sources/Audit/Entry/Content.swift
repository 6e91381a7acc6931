/// One content part of an entry: bytes that the envelope covers by a salted commitment, so that they can be redacted later.
public struct Content: Hashable, Sendable {
  /// The name of the part, such as `fields` or `reason`; unique in its entry.
  public var part: String
  /// The bytes; `nil` when they were redacted.
  public var bytes: [UInt8]?

  /// Makes a part.
  public init(_ part: String, _ bytes: [UInt8]) {
    self.part = part
    self.bytes = bytes
  }

  init(redacted part: String) {
    self.part = part
    bytes = nil
  }
}
