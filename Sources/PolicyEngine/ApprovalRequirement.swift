/// What has to happen before a held request may be carried out.
///
/// Several requirements join: each must be met on its own.
public struct ApprovalRequirement: Hashable, Sendable {
  /// Who may never approve, whatever roles they have.
  ///
  /// The proposing agent is excluded always; a rule does not have to say so.
  public static let exclusions = ["requester", "proposer", "preparer", "agent-owner"]
  /// The prefix of an exclusion of whoever completed a step: `step:collect`.
  public static let stepExclusion = "step:"

  /// The id of the rule that asks.
  public let rule: String
  /// Roles, bare names: an approver has at least one of them, or is one of ``approvers``.
  public let roles: [String]
  /// Principals who may approve without one of the roles, such as the owner of an agent that has no allowance.
  public let approvers: [String]
  /// How many different people have to approve; at least 1.
  public let count: Int
  /// Who may not approve: one of ``exclusions``, or ``stepExclusion`` and a step's id.
  public let not: [String]
  /// How long the request stays open, where the rule limits it.
  public let within: Duration?
  /// Whether only an approval counts that the person signed with a key of theirs.
  public let isSigned: Bool

  /// Makes a requirement from its parts.
  public init(
    rule: String, roles: [String], approvers: [String] = [], count: Int = 1, not: [String] = [], within: Duration? = nil,
    isSigned: Bool = false
  ) {
    self.rule = rule
    self.roles = roles
    self.approvers = approvers
    self.count = count
    self.not = not
    self.within = within
    self.isSigned = isSigned
  }
}
