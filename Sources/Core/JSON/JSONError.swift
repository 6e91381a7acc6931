/// A text that is not the JSON it should be.
public struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What kind of problem it is.
  public enum Code: String, Sendable {
    /// The text does not follow the grammar.
    case syntax
    /// An object has two members with the same key.
    case duplicateKey = "duplicate-key"
    /// Arrays and objects are nested too deeply.
    case depth
    /// An escape names half of a surrogate pair.
    case loneSurrogate = "lone-surrogate"
    /// The bytes are not UTF-8.
    case invalidUTF8 = "invalid-utf8"
    /// A number is infinite, not a number, or larger than any double.
    case number
    /// Something follows the value.
    case trailing
  }

  /// What kind of problem it is.
  public var code: Code
  /// Where it is.
  public var position: SourcePosition
  /// What is wrong.
  public var message: String

  /// The problem as a diagnostic.
  public var diagnostic: Diagnostic { Diagnostic("json-\(code.rawValue)", at: position, message) }

  /// `file:line:column: message`.
  public var description: String { "\(position): \(message)" }
}
