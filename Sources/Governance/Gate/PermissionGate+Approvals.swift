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
  /// - Returns: Where the proposal stands, once that is durable.
  /// - Throws: ``Refusal`` where the person may not decide this, or cannot any more; the attempt is recorded. What the store throws.
  public func decide(_ id: String, _ decision: PersonDecision, by identity: Identity, digest: Digest) async throws -> DecisionOutcome {
    let fresh = mintID()
    let result: Result<DecisionOutcome, Refusal> = try await store.submit { [self] context in
      let run = try runOfProposal(id, in: context)
      do {
        let (drafts, outcome) = try decide(id, decision, by: identity, digest: digest, run: run, replacement: fresh, in: context)
        return (drafts, .success(outcome))
      } catch let refusal as Refusal {
        return ([EntryDrafting.refusedDecision(refusal, proposal: id, run: run?.state.id, identity: identity)], .failure(refusal))
      }
    }
    return try result.get()
  }

  private func runOfProposal(_ id: String, in context: WriteContext<GovernanceLedger>) throws -> RunRecord? {
    let run = try context.database.first("SELECT run FROM proposal WHERE id = ?", [.text(id)]) { $0.optionalText(0) }
    return try run.flatMap { $0 }.flatMap { try context.run($0) }
  }

  private func decide(
    _ id: String, _ decision: PersonDecision, by identity: Identity, digest: Digest, run: RunRecord?, replacement: String,
    in context: WriteContext<GovernanceLedger>
  ) throws -> ([EntryDraft], DecisionOutcome) {
    guard let run, let record = run.proposal(id) else {
      throw Refusal(.proposalUnknown, "there is no proposal `\(visible(id))` that waits for people")
    }
    let shared = try context.shared()
    let step = Deciding(record: record, run: run, identity: identity, now: context.now)
    guard record.status == .held else { throw Refusal(.notHeld, "the proposal is \(record.status.rawValue) and waits for nobody") }
    guard record.digest == digest else {
      throw Refusal(
        .digestMismatch, "this is not the proposal that you saw: its digest is \(record.digest.hex.prefix(12))…; look at it again")
    }
    if let expires = record.expires, context.now > expires {
      return ([step.draft(.expire)], step.outcome(.expired))
    }
    let eligibility = Eligibility(record: record, run: run, directory: shared.directory, owner: try ownerOfAgent(record, run, context))
    try eligibility.check(identity)

    switch decision {
    case .reject(let reason): return ([step.draft(.reject, reason: reason)], step.outcome(.rejected))
    case .edit(let arguments, let reason):
      var proposal = try original(record, run: run, in: context)
      proposal.id = replacement
      proposal.arguments = arguments
      proposal.replaces = record.id
      proposal.editor = identity
      proposal.reason = reason ?? proposal.reason
      var later = run
      if let place = later.place(of: record.id) { later.proposals[place].status = .superseded }
      let (drafts, outcome) = try decideAgain(proposal, run: later, editorCounts: true, in: context, after: 1)
      return ([step.draft(.supersede, reason: reason)] + drafts, step.outcome(.superseded(outcome)))
    case .approve: return try approve(step, eligibility, run: run, replacement: replacement, in: context)
    }
  }

  private func approve(
    _ step: Deciding, _ eligibility: Eligibility, run: RunRecord, replacement: String, in context: WriteContext<GovernanceLedger>
  ) throws -> ([EntryDraft], DecisionOutcome) {
    let record = step.record
    if record.votes.contains(where: { bytesEqual($0.principal, step.identity.principal) }) {
      throw Refusal(.notEligible, "`\(step.identity.principal)` has approved this already; another person has to")
    }
    // The proposal is judged again as if it were made now; its own place in the queue must not count against it.
    var others = run
    others.proposals.removeAll { $0.id == record.id }
    var proposal = try original(record, run: run, in: context)
    let judgement = Judge.judge(proposal, in: try view(of: proposal, run: others, in: context))
    if judgement.digest != record.digest || judgement.verdict == .forbid {
      proposal.id = replacement
      proposal.replaces = record.id
      let (drafts, outcome) = try decideAgain(proposal, run: others, editorCounts: false, in: context, after: 1)
      let reason = judgement.refusal?.message ?? "what it was shown with has changed"
      return ([step.draft(.void, reason: reason)] + drafts, step.outcome(.voided(outcome)))
    }
    let approvers =
      record.votes.map { Identity(principal: $0.principal, account: "", mode: $0.mode, isOperator: $0.isOperator) } + [step.identity]
    guard eligibility.isSatisfied(by: approvers) else {
      return ([step.draft(.approve)], step.outcome(.pending))
    }
    var events: [RunEvent] = []
    if record.effect == .state {
      events = try Judge.consequences(of: proposal, in: try view(of: proposal, run: others, in: context))
    }
    let drafts = [step.draft(.approve, isComplete: true, events: events)] + (try withdrawals(after: events, in: others))
    return (drafts, step.outcome(.approved, events: events))
  }

  /// A new proposal in the place of one that the same transaction ends.
  private func decideAgain(
    _ proposal: Proposal, run: RunRecord, editorCounts: Bool, in context: WriteContext<GovernanceLedger>, after drafts: Int
  ) throws -> ([EntryDraft], GateOutcome) {
    let view = try view(of: proposal, run: run, in: context)
    var judgement = Judge.judge(proposal, in: view)
    var counts = false
    if editorCounts, judgement.verdict == .hold, let editor = proposal.editor {
      // The editor's approval counts once where they may approve, and is enough only where one person is.
      let record = ProposalRecord(proposal, judgement, run: run, release: view.release?.digest.hex, now: context.now)
      let eligibility = Eligibility(
        record: record, run: run, directory: view.shared.directory, owner: try ownerOfAgent(record, run, context))
      counts = (try? eligibility.check(editor)) != nil
      if counts, eligibility.isSatisfied(by: [editor]) {
        judgement.verdict = .permit
        judgement.matched.append(
          .implied("editor:\(editor.principal)", reason: "the person who edited it is the one who has to approve it"))
        judgement.requirements = []
        if judgement.effect == .state { judgement.events = try Judge.consequences(of: proposal, in: view) }
      }
    }
    let expires = judgement.verdict == .hold ? Self.expiry(of: judgement.requirements, from: context.now) : nil
    let draft = try EntryDrafting.proposal(
      proposal, judgement, release: view.release, expires: expires, editorCounts: counts && judgement.verdict == .hold, evidence: [])
    let outcome = GateOutcome(proposal, judgement, entry: context.nextIndex + drafts, expires: expires)
    return ([draft] + (try withdrawals(after: judgement.events, in: run)), outcome)
  }

  func view(of proposal: Proposal, run: RunRecord, in context: WriteContext<GovernanceLedger>) throws -> GateView {
    GateView(
      shared: try context.shared(), run: run, release: try releases.release(run.state.release) { try context.evidence($0) },
      now: context.now)
  }

  /// The proposal as its entry has it.
  ///
  /// - Throws: ``Refusal`` where its arguments were redacted.
  func original(_ record: ProposalRecord, run: RunRecord, in context: WriteContext<GovernanceLedger>) throws -> Proposal {
    guard let entry = try context.entry(at: record.entry), let bytes = entry.content(ContentPart.arguments),
      let arguments = try JSON.parse(bytes).objectValue
    else { throw Refusal(.proposalUnknown, "the arguments of this proposal are not there any more") }
    var proposal = Proposal(
      id: record.id, principal: record.principal, tool: record.tool, arguments: arguments, run: run.state.id,
      step: record.step?.description,
      reason: entry.content(ContentPart.reason).map { String(decoding: $0, as: UTF8.self) }, call: record.call,
      isScripted: entry.body["scripted"]?.boolValue == true)
    proposal.identity = entry.body["identity"]?.objectValue.flatMap { Identity(body: $0) }
    proposal.replaces = record.replaces
    return proposal
  }

  private func ownerOfAgent(_ record: ProposalRecord, _ run: RunRecord, _ context: WriteContext<GovernanceLedger>) throws -> Performer? {
    guard record.principal.hasPrefix("agent:") else { return nil }
    let release = try releases.release(run.state.release) { try context.evidence($0) }
    return release.process.agent(String(record.principal.dropFirst(6)))?.owner
  }

  // MARK: Time

  /// Ends what nobody decided in time, and fires the timers whose time has come.
  ///
  /// - Returns: How many proposals expired and how many timers fired.
  public func passTime() async throws -> (expired: Int, fired: Int) {
    let now = store.options.time.now()
    let due = try await store.read { context in
      let held = try context.database.query(
        "SELECT id, run FROM proposal WHERE \(GovernanceProjections.isOpen) AND status = 'held' AND expires < ? ORDER BY expires LIMIT 1000",
        [.integer(now.milliseconds)]
      ) { ($0.text(0), $0.text(1)) }
      let timers = try context.database.query(
        "SELECT run, id FROM timer WHERE at <= ? ORDER BY at LIMIT 1000", [.integer(now.milliseconds)]
      ) {
        ($0.text(0), $0.text(1))
      }
      return (held: held, timers: timers)
    }
    var expired = 0
    for (id, run) in due.held {
      expired += try await store.submit { context in
        guard let record = try context.run(run)?.proposal(id), record.status == .held, let expires = record.expires, context.now > expires
        else {
          return ([], 0)
        }
        return ([EntryDrafting.decision(.expire, on: record, run: run, by: SystemPrincipal.timer.rawValue, identity: nil)], 1)
      }
    }
    var fired = 0
    for (run, timer) in due.timers {
      let outcome = try await submit(
        Proposal(
          id: mintID(), principal: SystemPrincipal.timer.rawValue, tool: BuiltinTool.fireTimer.rawValue,
          arguments: ["timer": .string(timer)], run: run))
      if outcome.verdict == .permit { fired += 1 }
    }
    return (expired, fired)
  }
}

/// One person's decision while it is made.
private struct Deciding {
  let record: ProposalRecord
  let run: RunRecord
  let identity: Identity
  let now: Instant

  func draft(_ decision: ApprovalDecision, isComplete: Bool = false, reason: String? = nil, events: [RunEvent] = []) -> EntryDraft {
    let isPersonal = decision == .approve || decision == .reject || decision == .supersede
    return EntryDrafting.decision(
      decision, on: record, run: run.state.id, by: isPersonal ? identity.principal : SystemPrincipal.engine.rawValue,
      identity: isPersonal ? identity : nil, isComplete: isComplete, reason: reason, events: events)
  }

  func outcome(_ standing: DecisionOutcome.Standing, events: [RunEvent] = []) -> DecisionOutcome {
    DecisionOutcome(
      proposal: record.id, run: run.state.id, standing: standing, events: events, hasOutsideEffect: record.effect != .state)
  }
}

extension Identity {
  /// Reads what ``body`` writes.
  init?(body: JSONObject) {
    guard let by = body["by"]?.stringValue, let mode = body["mode"]?.stringValue.flatMap({ Mode(rawValue: $0) }) else { return nil }
    self.init(principal: by, account: body["account"]?.stringValue ?? "", mode: mode, isOperator: body["operator"]?.boolValue == true)
  }
}
