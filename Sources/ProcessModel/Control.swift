/// A statement that must hold: the gate enforces it, the checker proves it, the auditor reads it.
public struct Control: Sendable {
  /// What a control stands before.
  public enum Target: Hashable, Sendable, CustomStringConvertible {
    /// Every call of a tool.
    case tool(String)
    /// The completion of a step, and going past it.
    case step(String)

    /// `tool:erp.activate_vendor` or `step:activate`.
    public var description: String {
      switch self {
      case .tool(let name): "tool:\(name)"
      case .step(let id): "step:\(id)"
      }
    }
  }

  /// Approval by people who hold one of the roles.
  public struct Approval: Hashable, Sendable {
    /// The roles, any of which may approve.
    public let roles: [String]
    /// How many different people.
    public let count: Int
    /// Who may not: `requester`, `proposer`, `agent-owner`, `preparer` (who set a field, attached evidence or completed a step),
    /// `step:<id>` (who completed or skipped that step), or a principal.
    public let not: [String]
    /// Whether only an approval counts that the person signed with a key of theirs.
    public let isSigned: Bool
  }

  /// The id that rules, the log and the auditor use.
  public let id: String
  /// What must hold, in a sentence.
  public let statement: String
  /// The clause that it comes from, such as `policy.md#3.2`.
  public let clause: String?
  /// What it stands before.
  public let before: Target
  /// When it applies; `nil` for always.
  public let when: Condition?
  /// What must have happened first.
  public let approval: Approval
}
