internal import Audit
public import Core
internal import PolicyEngine
internal import ProcessModel
internal import Storage

extension PermissionGate {
  /// What a person can decide on a held proposal.
  public enum PersonDecision: Sendable {
    /// Agrees.
    case approve
    /// Says no, with the reason that the proposer is told.
    case reject(reason: String)
    /// Wants other arguments: a new proposal takes the old one's place and gets its own verdict.
    case edit(arguments: JSONObject, reason: String?)
    /// Passes it alone in an emergency, where the rule has a way for that; somebody else looks at it afterwards.
    case breakGlass(reason: String)
    /// Takes it back: the proposer, or who asked for the run.
    case withdraw(reason: String)
  }

  /// Records a person's decision on a held proposal, with every consequence.
  ///
  /// Everything is checked again: the digest, the time, who the person is now. Where what the proposal was shown with has changed since,
  /// the proposal is voided and decided anew.
  /// - Parameters:
  ///   - id: The proposal.
  ///   - decision: What was decided.
  ///   - identity: The person.
  ///   - digest: The digest of what the person saw.
  ///   - signed: The statement that the person signed, for an approval that has to be.
  ///   - authority: In whose place the person decides, a principal; nil for their own, or the only one that they may take.
  ///   - considered: How long the person looked at it; nil where nobody measured.
  /// - Returns: Where the proposal stands, once that is durable.
  /// - Throws: ``Refusal`` where the person may not decide this, or cannot any more; the attempt is recorded. What the store throws.
  public func decide(
    _ id: String, _ decision: PersonDecision, by identity: Identity, digest: Digest, signed: SignedStatement? = nil,
    for authority: String? = nil, considered: Duration? = nil
  ) async throws -> DecisionOutcome {
    let fresh = mintID()
    let result: Result<DecisionOutcome, Refusal> = try await store.submit { [self] context in
      let docket = try docket(of: id, in: context)
      do {
        let (drafts, outcome) = try decide(
          id, decision, by: identity, digest: digest, signed: signed, for: authority, considered, docket, replacement: fresh, in: context)
        return (drafts, .success(outcome))
      } catch let refusal as Refusal {
        return ([EntryDrafting.refusedDecision(refusal, proposal: id, run: docket?.run?.state.id, identity: identity)], .failure(refusal))
      }
    }
    return try result.get()
  }

  /// A proposal where the log has it: in its run, or among those about the workspace.
  func docket(of id: String, in context: WriteContext<GovernanceLedger>) throws -> Docket? {
    let row = try context.database.first("SELECT run FROM proposal WHERE id = ?", [.text(id)]) { [$0.optionalText(0)] }
    guard let row else { return nil }
    return try Docket(id, run: try row[0].map { try context.run($0) }, shared: context.shared())
  }

  private func decide(
    _ id: String, _ decision: PersonDecision, by identity: Identity, digest: Digest, signed: SignedStatement?, for authority: String?,
    _ considered: Duration?, _ docket: Docket?, replacement: String, in context: WriteContext<GovernanceLedger>
  ) throws -> ([EntryDraft], DecisionOutcome) {
    if let refusal = try context.shared().refusal(of: identity) { throw refusal }
    guard let (record, run) = docket.map({ ($0.record, $0.run) }) else {
      throw Refusal(.proposalUnknown, "there is no proposal `\(visible(id))` that waits for people")
    }
    guard record.status == .held else { throw Refusal(.notHeld, "the proposal is \(record.status.rawValue) and waits for nobody") }
    guard record.digest == digest else {
      throw Refusal(
        .digestMismatch, "this is not the proposal that you saw: its digest is \(record.digest.hex.prefix(12))…; look at it again")
    }
    var step = Deciding(record: record, run: run, identity: identity, signed: signed, considered: considered)
    if let expires = record.expires, try decisionTime(in: context) > expires, try !clockDoubt(in: context).isSuspect {
      return ([step.draft(.expire)], step.outcome(.expired))
    }
    // What was redacted can still be rejected.
    let found = Result { try self.original(record, run: run, in: context) }
    let bare = Proposal(id: record.id, principal: record.principal, tool: record.tool, arguments: [:], run: run?.state.id)
    var view = try view(of: (try? found.get())?.proposal ?? bare, in: context)
    let (shared, release) = (view.shared, view.release)
    let eligibility = Eligibility(record: record, run: run, directory: shared.directory, release: release, now: view.now)
    switch decision {
    case .approve:
      step.authority = try eligibility.check(identity, for: authority)
      try checkSignature(signed, of: step, eligibility, shared)
    case .breakGlass:
      try eligibility.checkBreakGlass(identity)
      step.isBreakGlass = true
    case .reject, .edit: step.authority = try eligibility.check(identity, for: authority, isEarly: true)
    case .withdraw(let reason):
      try eligibility.checkMayWithdraw(identity)
      return ([step.draft(.withdraw, reason: reason)], step.outcome(.withdrawn))
    }
    if record.isProbe { return probed(step, decision) }
    if case .reject(let reason) = decision {
      let overridden = try? found.get().proposal
      let ended = overrides(of: overridden, reason, in: view, cause: context.nextIndex, by: identity)
      return ([step.draft(.reject, reason: reason)] + ended, step.outcome(.rejected))
    }

    // The proposal is judged again as if it were made now; its own place in the queue must not count against it.
    view.run?.proposals.removeAll { $0.id == record.id }
    let original = try found.get()
    var proposal = original.proposal
    if case .edit(let arguments, let reason) = decision {
      proposal.arguments = arguments
      if run == nil {
        // A change of the workspace is whose who wrote it: another person has to agree to what the editor made of it.
        proposal.principal = identity.principal
        proposal.identity = identity
      } else {
        proposal.editor = identity
      }
      proposal.reason = reason ?? proposal.reason
      if run == nil { view = try self.view(of: proposal, in: context) }
    }
    let judgement = try judge(proposal, in: view, isNew: false, evidence: original.evidence, context)
    if let refusal = judgement.refusal, refusal.isPassing { throw refusal }
    proposal.replaces = record.id
    switch decision {
    case .edit where judgement.verdict == .forbid:
      // The proposal as it was still waits; the attempt is recorded.
      throw judgement.refusal ?? Refusal(.forbidden, "the rules forbid what it was changed to")
    case .edit(_, let reason):
      proposal.id = replacement
      let (drafts, outcome) = try self.replacement(proposal, judgement, in: view, context)
      let ended = overrides(of: original.proposal, reason, in: view, cause: context.nextIndex, by: identity)
      return ([step.draft(.supersede, reason: reason)] + drafts + ended, step.outcome(.superseded(outcome)))
    case .approve where !judgement.stands(record), .breakGlass where !judgement.stands(record):
      proposal.id = replacement
      let (drafts, outcome) = try self.replacement(proposal, judgement, in: view, context)
      let reason = judgement.refusal?.message ?? "what it was shown with has changed"
      return ([step.draft(.void, reason: reason)] + drafts, step.outcome(.voided(outcome)))
    case .breakGlass(let reason): return try approve(step, proposal, eligibility, reason: reason, in: view, context)
    default: return try approve(step, proposal, eligibility, in: view, context)
    }
  }

  /// What was decided on a probe: that is recorded, with what it was, and nothing else follows.
  private func probed(_ step: Deciding, _ decision: PersonDecision) -> ([EntryDraft], DecisionOutcome) {
    switch decision {
    case .reject(let reason): return ([step.draft(.reject, reason: reason)], step.outcome(.probe(isCaught: true)))
    case .edit(_, let reason):
      let reason = reason ?? "its arguments were changed"
      return ([step.draft(.reject, reason: reason)], step.outcome(.probe(isCaught: true)))
    case .approve, .breakGlass, .withdraw:
      let void = step.draft(.void, reason: "it was a probe, which is never carried out")
      return ([step.draft(.approve), void], step.outcome(.probe(isCaught: false)))
    }
  }

  /// Refuses an approval without a signature that has to have one, and a signature over anything but this approval.
  private func checkSignature(
    _ signed: SignedStatement?, of step: Deciding, _ eligibility: Eligibility, _ shared: SharedState
  ) throws(Refusal) {
    guard let signed else {
      guard eligibility.needsSignature(of: step.identity, for: step.authority) else { return }
      throw Refusal(.signatureRequired, "the rule asks for a signed approval: `remit approve \(step.record.id) --sign`")
    }
    let expected = ApprovalStatement(
      step.record, log: shared.log ?? "", run: step.run?.state.id, by: step.identity.principal, for: step.authority)
    guard signed.statement == expected else {
      throw Refusal(.signatureInvalid, "what was signed is not the statement of this approval")
    }
    guard let person = shared.directory.person(step.identity.principal), person.keys.contains(signed.key) else {
      throw Refusal(.signatureInvalid, "`\(step.identity.principal)` has no such key in the directory: \(signed.key.fingerprint)")
    }
  }

  /// What a person signs who approves a proposal that waits.
  ///
  /// - Throws: ``Refusal`` where nothing waits under that id; what the store throws.
  public func statement(of id: String, by identity: Identity, for authority: String? = nil) async throws -> ApprovalStatement {
    let now = store.options.time.now()
    return try await store.read { [self] context in
      let row = try context.database.first("SELECT run FROM proposal WHERE id = ?", [.text(id)]) { [$0.optionalText(0)] }
      let shared = try context.shared()
      guard let row, let docket = Docket(id, run: try row[0].map { try context.run($0) }, shared: shared),
        docket.record.status == .held
      else {
        throw Refusal(.proposalUnknown, "there is no proposal `\(visible(id))` that waits for people")
      }
      let release = try docket.run.map { try self.release($0.state.release, in: context) }
      let eligibility = Eligibility(record: docket.record, run: docket.run, directory: shared.directory, release: release, now: now)
      // Who may not decide is told so when they try; the statement is what they would have to sign.
      let place = (try? eligibility.check(identity, for: authority)) ?? authority ?? identity.principal
      return ApprovalStatement(
        docket.record, log: shared.log ?? "", run: docket.run?.state.id, by: identity.principal, for: place)
    }
  }

  /// Counts an approval; the last one that is needed carries the proposal out, or grants it.
  private func approve(
    _ step: Deciding, _ proposal: Proposal, _ eligibility: Eligibility, reason: String? = nil, in view: GateView,
    _ context: WriteContext<GovernanceLedger>
  ) throws -> ([EntryDraft], DecisionOutcome) {
    let record = step.record
    let approver = Approver(
      identity: step.identity, key: step.signed?.key.fingerprint, authority: step.authority, isBreakGlass: step.isBreakGlass)
    let (before, after) = (eligibility.progress(), eligibility.progress(record.approvers + [approver]))
    guard after.counts(record.votes.count) else {
      throw Refusal(.notEligible, eligibility.whyIdle(approver))
    }
    if let refusal = try redactionProblem(of: proposal, in: context) { throw refusal }
    guard after.isComplete else {
      return ([step.draft(.approve, reason: reason, opens: after.stages(openedSince: before))], step.outcome(.pending))
    }
    let events = record.effect == .state ? try Judge.consequences(of: proposal, in: view) : []
    var draft = step.draft(.approve, isComplete: true, reason: reason, events: events)
    try EntryDrafting.addWorkspaceConsequence(of: proposal, basis: view.basis, to: &draft.body, &draft.content)
    return (
      [draft] + (try withdrawals(after: events, in: view.run)) + demotions(afterDoing: proposal, in: view, context)
        + RedactionRecord.drafts(of: proposal),
      step.outcome(.approved, events: events)
    )
  }

  /// The entry of a proposal that takes the place of one that the entry before it ends.
  private func replacement(
    _ proposal: Proposal, _ judgement: Judgement, in view: GateView, _ context: WriteContext<GovernanceLedger>
  ) throws -> ([EntryDraft], GateOutcome) {
    var judgement = judgement
    var counts = false
    var opens: [ApprovalProgress.Opened] = []
    if judgement.verdict == .hold, let editor = proposal.editor {
      // The editor's approval counts where they may approve, and is enough only where one person is and no signature is asked for.
      let record = ProposalRecord(
        proposal, judgement, entry: context.nextIndex + 1, release: view.run == nil ? nil : view.release?.digest.hex, now: view.now)
      let eligibility = Eligibility(
        record: record, run: view.run, directory: view.shared.directory, release: view.release, now: view.now)
      // An edit counts in the editor's own place alone.
      let isOwn = (try? eligibility.check(editor)).map { bytesEqual($0, editor.principal) } ?? false
      let (before, after) = (eligibility.progress(), eligibility.progress([Approver(identity: editor)]))
      counts = isOwn && after.counts(0)
      if counts { opens = after.stages(openedSince: before) }
      if counts, after.isComplete {
        judgement.verdict = .permit
        judgement.matched.append(
          .implied("editor:\(editor.principal)", reason: "the person who edited it is the one who has to approve it"))
        if judgement.effect == .state { judgement.events = try Judge.consequences(of: proposal, in: view) }
      }
    }
    let expires = judgement.requirements.isEmpty ? nil : Self.expiry(of: judgement.requirements, from: view.now)
    let draft = try EntryDrafting.proposal(
      proposal, judgement, release: view.run == nil ? nil : view.release, expires: expires, editorCounts: counts, opens: opens,
      evidence: [])
    let outcome = GateOutcome(proposal, judgement, entry: context.nextIndex + 1, expires: expires)
    return ([draft] + (try withdrawals(after: judgement.events, in: view.run)), outcome)
  }

  /// The proposal as its entry has it, and the evidence that came with it.
  ///
  /// - Throws: ``Refusal`` where its arguments were redacted.
  func original(
    _ record: ProposalRecord, run: RunRecord?, in context: WriteContext<GovernanceLedger>
  ) throws -> (proposal: Proposal, evidence: [EvidenceReference]) {
    guard let entry = try context.entry(at: record.entry), let bytes = entry.content(ContentPart.arguments),
      let arguments = try JSON.parse(bytes).objectValue
    else { throw Refusal(.proposalUnknown, "the arguments of this proposal are not there any more") }
    var proposal = Proposal(
      id: record.id, principal: record.principal, tool: record.tool, arguments: arguments, run: run?.state.id,
      step: record.step?.description,
      reason: entry.content(ContentPart.reason).map { String(decoding: $0, as: UTF8.self) }, call: record.call,
      isScripted: entry.body["scripted"]?.boolValue == true)
    proposal.identity = entry.body["identity"]?.objectValue.flatMap { Identity(body: $0) }
    proposal.replaces = record.replaces
    return (proposal, entry.evidence)
  }
}

/// One person's decision while it is made.
private struct Deciding {
  let record: ProposalRecord
  let run: RunRecord?
  let identity: Identity
  let signed: SignedStatement?
  /// How long they looked at it.
  let considered: Duration?
  /// In whose place they decide, a principal.
  var authority: String
  /// Whether they pass it alone, in an emergency.
  var isBreakGlass = false

  init(record: ProposalRecord, run: RunRecord?, identity: Identity, signed: SignedStatement?, considered: Duration?) {
    (self.record, self.run, self.identity, self.signed, self.considered) = (record, run, identity, signed, considered)
    authority = identity.principal
  }

  func draft(
    _ decision: ApprovalDecision, isComplete: Bool = false, reason: String? = nil, events: [RunEvent] = [],
    opens: [ApprovalProgress.Opened] = []
  ) -> EntryDraft {
    let isPersonal = decision != .expire && decision != .void
    return EntryDrafting.decision(
      decision, on: record, run: run?.state.id, by: isPersonal ? identity.principal : SystemPrincipal.engine.rawValue,
      identity: isPersonal ? identity : nil, authority: isPersonal ? authority : nil, isComplete: isComplete, reason: reason,
      events: events, signed: decision == .approve ? signed : nil, isBreakGlass: isBreakGlass && decision == .approve, opens: opens,
      considered: isPersonal ? considered : nil)
  }

  func outcome(_ standing: DecisionOutcome.Standing, events: [RunEvent] = []) -> DecisionOutcome {
    DecisionOutcome(
      proposal: record.id, run: run?.state.id, standing: standing, events: events, hasOutsideEffect: record.effect != .state)
  }
}
