internal import Core
internal import PolicyEngine
internal import ProcessModel

/// Who may decide on a proposal, and when enough people have.
struct Eligibility {
  let record: ProposalRecord
  /// Its run; nil for a proposal about the workspace.
  let run: RunRecord?
  let directory: Directory
  /// Who answers for the proposing agent.
  let owner: Performer?

  init(record: ProposalRecord, run: RunRecord?, directory: Directory, release: Release?) {
    self.record = record
    self.run = run
    self.directory = directory
    owner = record.principal.hasPrefix("agent:") ? release?.process.agent(String(record.principal.dropFirst(6)))?.owner : nil
  }

  /// Who asked for all this: of the workspace, who proposed it.
  private var requester: String { run?.state.requester ?? record.principal }

  /// Whether a person may decide on the proposal at all.
  ///
  /// - Throws: ``Refusal`` that says why not, and who may.
  func check(_ identity: Identity) throws(Refusal) {
    try checkIndependence(identity, of: "approve")
    for requirement in record.requirements where allows(requirement, identity) { return }
    let who = record.requirements.map { requirement in
      (requirement.roles.map { "role `\($0)`" } + requirement.approvers.map { "`\($0)`" }).joined(separator: " or ")
        + (requirement.not.isEmpty ? "" : ", but not \(requirement.not.joined(separator: ", "))")
    }
    throw Refusal(.notEligible, "`\(identity.principal)` may not decide this; it needs \(who.joined(separator: "; and "))")
  }

  /// Whether a person may say what became of the proposal's effect: the owner of the process, or who could have approved it.
  ///
  /// - Throws: ``Refusal`` that says why not, and who may.
  func checkMaySettle(_ identity: Identity, owner: Performer) throws(Refusal) {
    try checkIndependence(identity, of: "settle")
    if identity.holds(owner, in: directory) || record.requirements.contains(where: { allows($0, identity) }) { return }
    throw Refusal(.notEligible, "`\(identity.principal)` may not settle this; it needs the owner of the process, `\(owner)`")
  }

  /// Whether a person is known, and neither asked for the run nor proposed this.
  private func checkIndependence(_ identity: Identity, of verb: String) throws(Refusal) {
    if let problem = identity.problem(in: directory) { throw Refusal(.notEligible, problem) }
    let person = identity.principal
    if isOrWas(identity, record.principal) { throw Refusal(.notEligible, "`\(person)` proposed this and can never \(verb) it") }
    if isOrWas(identity, requester) { throw Refusal(.notEligible, "`\(person)` asked for this run and can never \(verb) it") }
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
    switch exclusion {
    case "requester": return isOrWas(identity, requester)
    case "proposer": return isOrWas(identity, record.principal)
    case "preparer": return run?.state.contributors.contains { isOrWas(identity, $0) } ?? false
    case "agent-owner":
      switch owner {
      case .user(let name): return isOrWas(identity, "user:\(name)")
      case .role(let role): return !identity.isOperator && roles.contains(role)
      default: return false
      }
    case let step where step.hasPrefix(ApprovalRequirement.stepExclusion):
      let id = step.dropFirst(ApprovalRequirement.stepExclusion.count)
      let steps = run?.state.steps ?? []
      return steps.contains { $0.occurrence.id == id && $0.completedBy.map { isOrWas(identity, $0) } ?? false }
    default: return isOrWas(identity, exclusion)
    }
  }

  /// Whether a person is, or was earlier in this run, a principal.
  ///
  /// The directory may have given the person's account another name since: what the account did counts, whatever it was called.
  private func isOrWas(_ identity: Identity, _ principal: String) -> Bool {
    if bytesEqual(identity.principal, principal) { return true }
    guard let account = identity.personalAccount else { return false }
    return (run?.proposals ?? [record]).contains { earlier in
      bytesEqual(earlier.principal, principal) && earlier.account.map { bytesEqual($0, account) } ?? false
    }
  }

  /// Whether these different people are enough: every requirement has its count of them, with a signature where it asks for one.
  func isSatisfied(by people: [Approver]) -> Bool {
    record.requirements.allSatisfy { requirement in
      let counting = people.filter { person in
        allows(requirement, person.identity) && !isOrWas(person.identity, requester)
          && (!requirement.isSigned || hasSigned(person))
      }
      return Set(counting.map { ExactString($0.identity.principal) }).count >= requirement.count
    }
  }

  /// Whether everything that a person's approval could count for asks for a signature.
  func needsSignature(of identity: Identity) -> Bool {
    record.requirements.filter { allows($0, identity) }.allSatisfy(\.isSigned)
  }

  /// Whether the key of the approval is the person's, now.
  private func hasSigned(_ person: Approver) -> Bool {
    guard let key = person.key else { return false }
    return directory.person(person.identity.principal)?.keys.contains { $0.fingerprint == key } ?? false
  }
}

/// Somebody who approves, and the fingerprint of the key that they signed with.
struct Approver {
  let identity: Identity
  var key: String?
}

extension ProposalRecord {
  /// Those who approved so far.
  var approvers: [Approver] { votes.map { Approver(identity: $0.identity, key: $0.key) } }
}
