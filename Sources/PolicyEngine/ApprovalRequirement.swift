/// What has to happen before a held request may be carried out.
///
/// Several requirements join: each must be met on its own. Those of one rule may stand in stages: nobody decides for a stage before the
/// earlier ones are complete, and nobody counts twice for one rule.
public struct ApprovalRequirement: Hashable, Sendable {
  /// Who may never approve, whatever roles they have.
  ///
  /// The proposing agent is excluded always; a rule does not have to say so.
  public static let exclusions = ["requester", "proposer", "preparer", "agent-owner"]
  /// The prefix of an exclusion of whoever completed a step: `step:collect`.
  public static let stepExclusion = "step:"

  /// The id of the rule that asks.
  public let rule: String
  /// The stage of the rule that this is part of, from 1.
  public let stage: Int
  /// Roles, bare names: an approver has at least one of them, or is one of ``approvers``.
  public let roles: [String]
  /// Principals who may approve without one of the roles, such as the owner of an agent that has no allowance.
  public let approvers: [String]
  /// How many different people have to approve; at least 1.
  public let count: Int
  /// Who may not approve: one of ``exclusions``, or ``stepExclusion`` and a step's id.
  public let not: [String]
  /// Whether only an approval counts that the person signed with a key of theirs.
  public let isSigned: Bool
  /// What happens while the request waits.
  public let course: ApprovalCourse

  /// Makes a requirement from its parts.
  public init(
    rule: String, stage: Int = 1, roles: [String], approvers: [String] = [], count: Int = 1, not: [String] = [], isSigned: Bool = false,
    course: ApprovalCourse = ApprovalCourse()
  ) {
    self.rule = rule
    self.stage = stage
    self.roles = roles
    self.approvers = approvers
    self.count = count
    self.not = not
    self.isSigned = isSigned
    self.course = course
  }

  /// How long the request stays open, where the rule limits it.
  public var within: Duration? { course.within }

  /// Who is asked, for people: `2 of finance or user:kim`.
  public var text: String {
    let who = (roles + approvers).joined(separator: " or ")
    return (count == 1 ? who : "\(count) of \(who)") + (isSigned ? ", signed" : "")
  }
}
