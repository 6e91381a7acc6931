/// One way in which a value does not follow a schema.
public struct SchemaViolation: Hashable, Sendable, CustomStringConvertible {
  /// Where in the value, as a JSON pointer (RFC 6901); empty for the value as a whole.
  ///
  /// A missing member is reported at the object that lacks it, an unknown one at itself. Names longer than 128 bytes are cut.
  public var at: String
  /// The keyword that is not followed; `false schema` where the schema `false` stands, `limit` where checking was given up.
  public var keyword: String
  /// For a person or a model: lower case, no full stop, no part of the value but member names.
  public var message: String

  /// Makes a violation from its parts.
  public init(at: String, keyword: String, message: String) {
    self.at = at
    self.keyword = keyword
    self.message = message
  }

  /// The message.
  public var description: String { message }
}
