internal import Core
internal import PolicyEngine
internal import ProcessModel

/// Who may decide on a proposal, and when enough people have.
struct Eligibility {
  let record: ProposalRecord
  let run: RunRecord
  let directory: Directory
  /// Who answers for the proposing agent.
  let owner: Performer?

  /// Whether a person may decide on the proposal at all.
  ///
  /// - Throws: ``Refusal`` that says why not, and who may.
  func check(_ identity: Identity) throws(Refusal) {
    if !identity.isOperator, directory.person(identity.principal) == nil {
      throw Refusal(.notEligible, "`\(visible(identity.principal))` is not in the directory of this workspace")
    }
    let person = identity.principal
    if bytesEqual(person, run.state.requester) {
      throw Refusal(.notEligible, "`\(person)` asked for this run and can never approve it")
    }
    if bytesEqual(person, record.principal) { throw Refusal(.notEligible, "`\(person)` proposed this and can never approve it") }
    for requirement in record.requirements where allows(requirement, identity) { return }
    let who = record.requirements.map { requirement in
      (requirement.roles.map { "role `\($0)`" } + requirement.approvers.map { "`\($0)`" }).joined(separator: " or ")
        + (requirement.not.isEmpty ? "" : ", but not \(requirement.not.joined(separator: ", "))")
    }
    throw Refusal(.notEligible, "`\(person)` may not decide this; it needs \(who.joined(separator: "; and "))")
  }

  /// Whether a person's approval counts towards a requirement.
  func allows(_ requirement: ApprovalRequirement, _ identity: Identity) -> Bool {
    let roles = identity.roles(in: directory)
    guard requirement.roles.contains(where: roles.contains) || requirement.approvers.contains(where: { bytesEqual($0, identity.principal) })
    else {
      return false
    }
    return !requirement.not.contains { excludes($0, identity, roles) }
  }

  private func excludes(_ exclusion: String, _ identity: Identity, _ roles: [String]) -> Bool {
    let person = identity.principal
    switch exclusion {
    case "requester": return bytesEqual(person, run.state.requester)
    case "proposer": return bytesEqual(person, record.principal)
    case "preparer": return run.state.contributors.contains { bytesEqual($0, person) }
    case "agent-owner":
      switch owner {
      case .user(let name): return bytesEqual(person, "user:\(name)")
      case .role(let role): return !identity.isOperator && roles.contains(role)
      default: return false
      }
    case let step where step.hasPrefix(ApprovalRequirement.stepExclusion):
      let id = step.dropFirst(ApprovalRequirement.stepExclusion.count)
      return run.state.steps.contains { $0.occurrence.id == id && $0.completedBy.map { bytesEqual($0, person) } ?? false }
    default: return bytesEqual(exclusion, person)
    }
  }

  /// Whether these different people are enough: every requirement has its count of them.
  func isSatisfied(by people: [Identity]) -> Bool {
    record.requirements.allSatisfy { requirement in
      Set(people.filter { allows(requirement, $0) && !bytesEqual($0.principal, run.state.requester) }.map { ExactString($0.principal) })
        .count
        >= requirement.count
    }
  }
}
