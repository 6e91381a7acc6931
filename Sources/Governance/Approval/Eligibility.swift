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

  /// How far the approvals are.
  func progress(_ approvers: [Approver]? = nil) -> ApprovalProgress {
    var progress = ApprovalProgress(
      record.requirements, approvers ?? record.approvers, passes: passes, counts: counts)
    for place in progress.needs.indices {
      let requirement = progress.needs[place].requirement
      progress.needs[place].escalatedTo = record.escalatedTo(requirement.rule, stage: requirement.stage)
    }
    return progress
  }

  /// In whose place a person decides on the proposal.
  ///
  /// - Parameters:
  ///   - identity: The person.
  ///   - named: Whom the person names; nil for their own place where they have one here, else the only one that they may take.
  ///   - isEarly: Whether the person may speak before their stage has come, as to reject.
  /// - Returns: The authority, a principal: the person's own, or that of whoever delegated to them or is absent.
  /// - Throws: ``Refusal`` that says why they may not, and who may.
  @discardableResult
  func check(_ identity: Identity, for named: String? = nil, isEarly: Bool = false) throws(Refusal) -> String {
    try checkIndependence(identity, of: "approve")
    let waiting = progress().needs.filter { $0.standing == .open || isEarly && $0.standing == .later }.map(\.requirement)
    let usable = mandates(of: identity).filter { mandate in waiting.contains { allows($0, identity, mandate) } }
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
    let isLater = mandates(of: identity).contains { mandate in
      record.requirements.contains { need in !waiting.contains(need) && allows(need, identity, mandate) }
    }
    let who = waiting.map { requirement in
      (requirement.roles.map { "role `\($0)`" } + requirement.approvers.map { "`\($0)`" }).joined(separator: " or ")
        + (requirement.not.isEmpty ? "" : ", but not \(requirement.not.joined(separator: ", "))")
    }
    let now = isLater ? "not at this stage; it waits for" : "it needs"
    throw Refusal(.notEligible, "`\(identity.principal)` may not decide this; \(now) \(who.joined(separator: "; and "))")
  }

  /// Checks that a person may pass the proposal alone, in an emergency.
  ///
  /// - Throws: ``Refusal`` that says why they may not.
  func checkBreakGlass(_ identity: Identity) throws(Refusal) {
    try checkIndependence(identity, of: "approve")
    let glass = record.requirements.filter { $0.course.breakGlass != nil }
    if glass.isEmpty { throw Refusal(.notEligible, "no rule that holds this has a way for emergencies (`break_glass`)") }
    if glass.contains(where: { passes($0, Approver(identity: identity, isBreakGlass: true)) }) { return }
    let roles = glass.flatMap { $0.course.breakGlass?.roles ?? [] }.map { "`\($0)`" }
    throw Refusal(
      .notEligible, "`\(identity.principal)` may not pass this in an emergency; it needs the role \(roles.joined(separator: " or "))")
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

  /// Checks that a person may take the proposal back: it is their own, or an agent's in a run that they asked for.
  ///
  /// - Throws: ``Refusal`` that says why not.
  func checkMayWithdraw(_ identity: Identity) throws(Refusal) {
    if let problem = identity.problem(in: directory) { throw Refusal(.notEligible, problem) }
    if isOrWas(identity, record.principal) { return }
    if record.principal.hasPrefix("agent:"), isOrWas(identity, requester) { return }
    let instead =
      isOrWas(identity, requester)
      ? "it is a step of the process, which ends with the run: `remit run cancel \(run?.state.id ?? "")`"
      : "only who proposed this can withdraw it, and for an agent who asked for the run; others reject it"
    throw Refusal(.notEligible, instead)
  }

  /// Checks that a person may give more time for a decision: who may decide, or who owns the process.
  ///
  /// - Throws: ``Refusal`` that says why not.
  func checkMayExtend(_ identity: Identity, processOwner: Performer?) throws(Refusal) {
    try checkIndependence(identity, of: "extend")
    if let processOwner, identity.holds(processOwner, in: directory) { return }
    try check(identity, isEarly: true)
  }

  /// Checks that a person may answer a reviewer: who asked for the run, prepared it, or answers for the agent or the process.
  ///
  /// - Throws: ``Refusal`` that says why not.
  func checkMayAnswer(_ identity: Identity, processOwner: Performer?) throws(Refusal) {
    if let problem = identity.problem(in: directory) { throw Refusal(.notEligible, problem) }
    let people = [record.principal, requester] + (run?.state.contributors ?? [])
    if people.contains(where: { isOrWas(identity, $0) }) { return }
    if [owner, processOwner].contains(where: { $0.map { identity.holds($0, in: directory) } ?? false }) { return }
    throw Refusal(
      .notEligible,
      "`\(identity.principal)` may not answer for `\(record.principal)`: who asked for the run, worked on it, or owns agent or process may")
  }

  /// Checks that a person may look at what was passed in an emergency: a reviewer of the rule, who neither did it nor asked for it.
  ///
  /// - Throws: ``Refusal`` that says why not.
  func checkMayReview(_ identity: Identity) throws(Refusal) {
    try checkIndependence(identity, of: "review")
    let person = identity.principal
    let passed = record.votes.contains { glass in
      glass.isBreakGlass
        && (isOrWas(identity, glass.principal) || glass.identity.isSamePerson(as: identity))
    }
    if passed {
      throw Refusal(.notEligible, "`\(person)` passed this in an emergency; another person looks at it")
    }
    if record.reviewers.contains(where: identity.roles(in: directory).contains) { return }
    let roles = record.reviewers.map { "`\($0)`" }.joined(separator: " or ")
    throw Refusal(.notEligible, "`\(person)` may not review this; it needs the role \(roles)")
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
    guard isAsked(mandate, by: requirement) else { return false }
    // Nobody decides in the place of who proposed it, no more than they could themselves.
    if bytesEqual(mandate.authority, record.principal) || bytesEqual(mandate.authority, requester) { return false }
    return !requirement.not.contains { excludes($0, identity, mandate) }
  }

  /// Whether a person of the directory could approve what a requirement asks for, in their own place.
  func couldCount(_ person: Directory.Person, towards requirement: ApprovalRequirement) -> Bool {
    person.identities.allSatisfy { allows(requirement, $0, ownMandate(of: $0)) } && !isExcluded(person, from: requirement)
  }

  /// Whether a person of the directory can never approve for a requirement, whoever asks them.
  func isExcluded(_ person: Directory.Person, from requirement: ApprovalRequirement) -> Bool {
    person.identities.contains { identity in
      isOrWas(identity, requester) || isOrWas(identity, record.principal)
        || requirement.not.contains { excludes($0, identity, ownMandate(of: identity)) }
    }
  }

  /// Whether a requirement asks whose mandate it is, by itself or because nobody else decided.
  private func isAsked(_ mandate: Directory.Mandate, by requirement: ApprovalRequirement) -> Bool {
    if requirement.roles.contains(where: mandate.roles.contains) { return true }
    let also = record.escalatedTo(requirement.rule, stage: requirement.stage)
    if mandate.roles.contains(where: { also.contains("role:\($0)") }) { return true }
    return mandate.isWhole && (requirement.approvers + also).contains { bytesEqual($0, mandate.authority) }
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
      return steps.contains { $0.occurrence.id == id && ($0.completers + ($0.closedBy.map { [$0] } ?? [])).contains(where: concerns) }
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

  /// Whether these approvals are enough: every requirement has its count of them, stage after stage, each by another person and in
  /// another's place, with a signature where it asks for one.
  func isSatisfied(by approvers: [Approver]) -> Bool { progress(approvers).isComplete }

  /// Why one more approval would count towards nothing.
  func whyIdle(_ approver: Approver) -> String {
    let counting = record.approvers.enumerated().filter { progress().counts($0.offset) }.map(\.element)
    let person = approver.identity.principal
    if counting.contains(where: { $0.identity.isSamePerson(as: approver.identity) }) {
      return "`\(person)` has approved this already; another person has to"
    }
    let authority = approver.authority ?? person
    if counting.contains(where: { bytesEqual($0.authority ?? $0.identity.principal, authority) }) {
      return "this was approved in the place of `\(authority)` already; another person has to"
    }
    return "an approval by `\(person)` would not count towards what it waits for now"
  }

  /// Whether an approval counts towards a requirement, with the roles that people have now.
  private func counts(_ requirement: ApprovalRequirement, _ approver: Approver) -> Bool {
    guard let mandate = mandate(of: approver) else { return false }
    return allows(requirement, approver.identity, mandate) && !isOrWas(approver.identity, requester)
      && (!requirement.isSigned || hasSigned(approver))
  }

  /// Whether an approval passes all of a requirement's rule, in an emergency.
  private func passes(_ requirement: ApprovalRequirement, _ approver: Approver) -> Bool {
    guard approver.isBreakGlass, let glass = requirement.course.breakGlass else { return false }
    let own = ownMandate(of: approver.identity)
    return glass.roles.contains(where: own.roles.contains) && !isOrWas(approver.identity, requester)
      && !isOrWas(approver.identity, record.principal)
      && !record.requirements.contains { need in
        bytesEqual(need.rule, requirement.rule) && need.not.contains { excludes($0, approver.identity, own) }
      }
  }

  /// Whether everything that a person's approval could count for asks for a signature.
  func needsSignature(of identity: Identity, for authority: String) -> Bool {
    let mandates = mandates(of: identity).filter { bytesEqual($0.authority, authority) }
    let open = progress().needs.filter { $0.standing == .open }.map(\.requirement)
    return open.filter { need in mandates.contains { allows(need, identity, $0) } }.allSatisfy(\.isSigned)
  }

  /// Whether the key of the approval is the person's, now.
  private func hasSigned(_ person: Approver) -> Bool {
    guard let key = person.key else { return false }
    return directory.person(person.identity.principal)?.keys.contains { $0.fingerprint == key } ?? false
  }
}

extension Directory.Person {
  /// The person as each of their accounts would come.
  fileprivate var identities: [Identity] {
    (accounts.isEmpty ? [""] : accounts).map { Identity(principal: principal, account: $0, mode: .socket) }
  }
}

/// Somebody who approves, the fingerprint of the key that they signed with, and in whose place they do.
struct Approver {
  let identity: Identity
  var key: String?
  /// A principal; nil for their own.
  var authority: String?
  /// Whether it passes the proposal in an emergency, without those who would have to agree.
  var isBreakGlass = false
}

extension ProposalRecord {
  /// Those who approved so far.
  var approvers: [Approver] {
    votes.map { Approver(identity: $0.identity, key: $0.key, authority: $0.authority, isBreakGlass: $0.isBreakGlass) }
  }
}
