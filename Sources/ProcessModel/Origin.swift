/// Where a value came from, and whether text in it may be believed.
///
/// The label travels with the value into rules and prompts: a value that is not trusted is data, never an instruction.
public struct Origin: Hashable, Sendable, CustomStringConvertible {
  /// The source: `user:ana`, `agent:risk-analyst`, `tool:crm.lookup`, `form:vendor-request`, `document:policy.md`.
  public let label: String
  /// False where an outsider could have written the value.
  public let trusted: Bool

  /// Makes a label.
  public init(_ label: String, trusted: Bool = true) {
    self.label = label
    self.trusted = trusted
  }

  /// The label, with `(untrusted)` where that is so.
  public var description: String { trusted ? label : "\(label) (untrusted)" }
}
