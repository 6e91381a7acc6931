internal import Core
internal import PolicyEngine
internal import ProcessModel

/// Who may decide on a proposal, in whose place, and when enough people have.
struct Eligibility {
  let record: ProposalRecord
  /// Its run; nil for a proposal about the workspace.
  let run: RunRecord?
  let directory: Directory
  /// When it is asked: absences and delegations have their time.
  let now: Instant
  /// Who answers for the proposing agent.
  let owner: Performer?

  init(record: ProposalRecord, run: RunRecord?, directory: Directory, release: Release?, now: Instant) {
    self.record = record
    self.run = run
    self.directory = directory
    self.now = now
    owner = record.principal.hasPrefix("agent:") ? release?.process.agent(String(record.principal.dropFirst(6)))?.owner : nil
  }

  /// Who asked for all this: of the workspace, who proposed it.
  private var requester: String { run?.state.requester ?? record.principal }

  /// In whose place a person decides on the proposal.
  ///
  /// - Parameters:
  ///   - identity: The person.
  ///   - named: Whom the person names; nil for their own place where they have one here, else the only one that they may take.
  /// - Returns: The authority, a principal: the person's own, or that of whoever delegated to them or is absent.
  /// - Throws: ``Refusal`` that says why they may not, and who may.
  @discardableResult
  func check(_ identity: Identity, for named: String? = nil) throws(Refusal) -> String {
    try checkIndependence(identity, of: "approve")
    let usable = mandates(of: identity).filter { mandate in record.requirements.contains { allows($0, identity, mandate) } }
    if let named {
      if usable.contains(where: { bytesEqual($0.authority, named) }) { return named }
      throw Refusal(.notEligible, "`\(identity.principal)` may not decide this in the place of `\(visible(named))`")
    }
    if let own = usable.first(where: { $0.source == nil }) { return own.authority }
    let others = Set(usable.map { ExactString($0.authority) }).map(\.string).sorted()
    if others.count == 1 { return others[0] }
    if others.count > 1 {
      let list = others.map { "`\($0)`" }.joined(separator: " and ")
      throw Refusal(.notEligible, "`\(identity.principal)` may decide this in the place of \(list): `--for PERSON` says whose")
    }
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
    if identity.holds(owner, in: directory) { return }
    let own = ownMandate(of: identity)
    if record.requirements.contains(where: { allows($0, identity, own) }) { return }
    throw Refusal(.notEligible, "`\(identity.principal)` may not settle this; it needs the owner of the process, `\(owner)`")
  }

  /// Whether a person is known, and neither asked for the run nor proposed this, nor stands in for somebody who did.
  private func checkIndependence(_ identity: Identity, of verb: String) throws(Refusal) {
    if let problem = identity.problem(in: directory) { throw Refusal(.notEligible, problem) }
    let person = identity.principal
    if isOrWas(identity, record.principal) { throw Refusal(.notEligible, "`\(person)` proposed this and can never \(verb) it") }
    if isOrWas(identity, requester) { throw Refusal(.notEligible, "`\(person)` asked for this run and can never \(verb) it") }
    if let mandate = mandates(of: identity).first(where: { $0.source != nil && bytesEqual($0.authority, requester) }) {
      throw Refusal(.notEligible, "`\(person)` stands in for `\(mandate.authority)`, who asked for this, and can never \(verb) it")
    }
  }

  // MARK: In whose place

  private func mandates(of identity: Identity) -> [Directory.Mandate] {
    if identity.isOperator { return [ownMandate(of: identity)] }
    return directory.mandates(of: identity.principal, process: run?.state.process, at: now)
  }

  private func ownMandate(of identity: Identity) -> Directory.Mandate {
    Directory.Mandate(authority: identity.principal, roles: identity.roles(in: directory), source: nil)
  }

  /// The mandate that an approval was given under, where it is still there.
  private func mandate(of approver: Approver) -> Directory.Mandate? {
    guard let authority = approver.authority, !bytesEqual(authority, approver.identity.principal) else {
      return ownMandate(of: approver.identity)
    }
    return mandates(of: approver.identity).first { bytesEqual($0.authority, authority) }
  }

  // MARK: What counts

  /// Whether an approval under a mandate counts towards a requirement.
  private func allows(_ requirement: ApprovalRequirement, _ identity: Identity, _ mandate: Directory.Mandate) -> Bool {
    guard
      requirement.roles.contains(where: mandate.roles.contains)
        || mandate.isWhole && requirement.approvers.contains(where: { bytesEqual($0, mandate.authority) })
    else { return false }
    // Nobody decides in the place of who proposed it, no more than they could themselves.
    if bytesEqual(mandate.authority, record.principal) || bytesEqual(mandate.authority, requester) { return false }
    return !requirement.not.contains { excludes($0, identity, mandate) }
  }

  /// Whether an exclusion concerns the person, or the one in whose place they decide.
  private func excludes(_ exclusion: String, _ identity: Identity, _ mandate: Directory.Mandate) -> Bool {
    func concerns(_ principal: String) -> Bool { isOrWas(identity, principal) || bytesEqual(mandate.authority, principal) }
    switch exclusion {
    case "requester": return concerns(requester)
    case "proposer": return concerns(record.principal)
    case "preparer": return run?.state.contributors.contains(where: concerns) ?? false
    case "agent-owner":
      switch owner {
      case .user(let name): return concerns("user:\(name)")
      case .role(let role): return !identity.isOperator && (mandate.roles.contains(role) || identity.roles(in: directory).contains(role))
      default: return false
      }
    case let step where step.hasPrefix(ApprovalRequirement.stepExclusion):
      let id = step.dropFirst(ApprovalRequirement.stepExclusion.count)
      let steps = run?.state.steps ?? []
      return steps.contains { $0.occurrence.id == id && $0.completedBy.map(concerns) ?? false }
    default: return concerns(exclusion)
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

  /// Whether these approvals are enough: every requirement has its count of them, each by another person and in another's place, with a
  /// signature where it asks for one.
  func isSatisfied(by approvers: [Approver]) -> Bool {
    record.requirements.allSatisfy { requirement in
      let counting = approvers.filter { approver in
        guard let mandate = mandate(of: approver) else { return false }
        return allows(requirement, approver.identity, mandate) && !isOrWas(approver.identity, requester)
          && (!requirement.isSigned || hasSigned(approver))
      }
      let people = Set(counting.map { ExactString($0.identity.principal) })
      let authorities = Set(counting.map { ExactString($0.authority ?? $0.identity.principal) })
      return min(people.count, authorities.count) >= requirement.count
    }
  }

  /// Whether everything that a person's approval could count for asks for a signature.
  func needsSignature(of identity: Identity, for authority: String) -> Bool {
    let mandates = mandates(of: identity).filter { bytesEqual($0.authority, authority) }
    return record.requirements.filter { need in mandates.contains { allows(need, identity, $0) } }.allSatisfy(\.isSigned)
  }

  /// Whether the key of the approval is the person's, now.
  private func hasSigned(_ person: Approver) -> Bool {
    guard let key = person.key else { return false }
    return directory.person(person.identity.principal)?.keys.contains { $0.fingerprint == key } ?? false
  }
}

/// Somebody who approves, the fingerprint of the key that they signed with, and in whose place they do.
struct Approver {
  let identity: Identity
  var key: String?
  /// A principal; nil for their own.
  var authority: String?
}

extension ProposalRecord {
  /// Those who approved so far.
  var approvers: [Approver] { votes.map { Approver(identity: $0.identity, key: $0.key, authority: $0.authority) } }
}
