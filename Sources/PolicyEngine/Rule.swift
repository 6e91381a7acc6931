public import Core

/// One rule of a file, as it was checked: whom and what it is about, under which condition, and what it says then.
public struct Rule: Sendable {
  /// What an earned permit or a hold asks for.
  public struct Approval: Hashable, Sendable {
    /// One group of people who have to agree.
    public struct Need: Hashable, Sendable {
      /// The stage that it is part of, from 1; those of a stage are decided in any order.
      public let stage: Int
      /// Roles, bare names; an approver has one of them.
      ///
      /// Empty only for an earned permit without stages: then the agent's owner approves.
      public let roles: [String]
      /// How many different people have to approve; at least 1.
      public let count: Int
      /// Who may not approve; see ``ApprovalRequirement/not``.
      public let not: [String]
      /// Whether only a signed approval counts.
      public let isSigned: Bool
    }

    /// Who has to agree, at least one, in the order of the stages.
    public let needs: [Need]
    /// What happens while it waits.
    public let course: ApprovalCourse

    /// Whether nobody is named, so that the agent's owner is asked.
    var asksOwner: Bool { needs.allSatisfy(\.roles.isEmpty) }
  }

  /// The id, unique in its file.
  public let id: String
  /// What the rule says when it matches.
  public let effect: Outcome
  /// The tools that it is about; one of the patterns has to fit.
  public let tools: [ToolPattern]
  /// The principals that it is about; one of the patterns has to fit.
  ///
  /// Empty for everyone.
  public let principals: [PrincipalPattern]
  /// The ids of the steps that it is about.
  ///
  /// Empty for any step and for none.
  public let steps: [String]
  /// The condition as it is written, where there is one.
  public let condition: String?
  /// What a hold, or an earned permit without an allowance, asks for.
  public let approval: Approval?
  /// Whether the permit holds only within a live allowance.
  public let isEarned: Bool
  /// The clause that the rule enforces.
  public let clause: String?
  /// The text that people are shown as the reason.
  public let reason: String?
  /// Where the rule stands in its file.
  public let position: SourcePosition

  /// Whether the rule is about this tool, this principal and this step, whatever its condition says.
  public func concerns(tool: Request.Tool, principal: Request.Principal, step: Request.Step?) -> Bool {
    tools.contains { $0.matches(tool.name) } && concerns(principal) && concerns(step)
  }

  func concerns(_ principal: Request.Principal) -> Bool { principals.isEmpty || principals.contains { $0.matches(principal) } }

  func concerns(_ step: Request.Step?) -> Bool {
    if steps.isEmpty { return true }
    guard let step else { return false }
    return steps.contains { bytesEqual($0, step.id) }
  }

  /// What the rule says where it counts for that reason; `why` is why an earned permit, or a rule without its fact, holds, beside the
  /// reason that the rule itself gives.
  func match(_ basis: RuleMatch.Basis = .condition, why: String? = nil) -> RuleMatch {
    let reasons = [reason, why].compactMap(\.self)
    return RuleMatch(
      rule: id, effect: basis == .noAllowance || basis == .missingFact ? .hold : effect, basis: basis, clause: clause,
      reason: reasons.isEmpty ? nil : reasons.joined(separator: "; "))
  }
}
