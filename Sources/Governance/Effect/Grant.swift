public import Audit
public import Core
internal import PolicyEngine
public import ProcessModel
internal import Storage

/// The single-use capability to carry out one decided proposal.
///
/// Only the gate makes one, after it has recorded that the effect begins; whoever has it can use it once, and neither copy nor keep it.
public struct Grant: ~Copyable, Sendable {
  /// The grant's id.
  public let id: String
  /// The proposal that was decided.
  public let proposal: String
  /// The run that it belongs to.
  public let run: String
  /// The step that it belongs to.
  public let step: Occurrence?
  /// The tool.
  public let tool: String
  /// The tool's definition; nil for `model.call`.
  public let definition: ToolDefinition?
  /// The exact arguments that were decided on.
  public let arguments: JSONObject
  /// What a connector gives the outside so that a repeated call can be recognised.
  public let idempotencyKey: String
  /// Which attempt this is, from 1.
  public let attempt: Int
  /// By when the connector must be back.
  public let deadline: Instant
  /// The programs of the release, by path, for tools that run one.
  public let programs: [String: [UInt8]]

  fileprivate init(_ parts: GrantParts) {
    id = parts.id
    proposal = parts.proposal.id
    run = parts.run
    step = parts.step
    tool = parts.proposal.tool
    definition = parts.definition
    arguments = parts.proposal.arguments
    idempotencyKey = parts.proposal.id
    attempt = parts.attempt
    deadline = parts.deadline
    programs = parts.programs
  }
}

/// What a grant will hold, while the entry that it depends on is not durable yet.
private struct GrantParts: Sendable {
  var id: String
  var proposal: Proposal
  var run: String
  var step: Occurrence?
  var definition: ToolDefinition?
  var attempt: Int
  var deadline: Instant
  var programs: [String: [UInt8]]
}

extension PermissionGate {
  /// The time that a model call may take where its caller says nothing else.
  public static let modelCallTime = Duration.seconds(120)

  /// Records that a granted effect begins, and makes the grant for it.
  ///
  /// Everything that the decision depended on is checked again: stops, the digest (tool definition, arguments, run, step, release,
  /// evidence, the values that rules read), the rules, and whether those who approved still may. Where something has changed the proposal is
  /// voided and decided anew.
  /// - Parameters:
  ///   - id: A proposal that was permitted or approved, or one in doubt whose tool declares idempotency.
  ///   - run: Its run.
  ///   - time: The longest that the effect may take; the tool's own timeout where it is nil.
  /// - Returns: The grant, once the entry that it depends on is durable.
  /// - Throws: ``Refusal`` where it cannot begin: used already, stopped, changed, withdrawn. What the store throws. Nothing has begun then.
  public func begin(_ id: String, in run: String, time: Duration? = nil) async throws -> Grant {
    let grantID = Proposal.mintID(prefix: "g", random)
    let fresh = mintID()
    let result: Result<GrantParts, Refusal> = try await store.submit { [self] context in
      guard let record = try context.run(run), let proposed = record.proposal(id) else {
        return ([], .failure(Refusal(.proposalUnknown, "there is no proposal `\(visible(id))` in run `\(visible(run))`")))
      }
      do {
        let (drafts, parts) = try begin(proposed, run: record, grant: grantID, replacement: fresh, time: time, in: context)
        return (drafts, parts)
      } catch let refusal as Refusal {
        return ([], .failure(refusal))
      }
    }
    return Grant(try result.get())
  }

  private func begin(
    _ record: ProposalRecord, run: RunRecord, grant: String, replacement: String, time: Duration?,
    in context: WriteContext<GovernanceLedger>
  ) throws -> ([EntryDraft], Result<GrantParts, Refusal>) {
    let release = try releases.release(run.state.release) { try context.evidence($0) }
    let definition = release.process.tool(record.tool)
    let mayRetry = record.status == .inDoubt && definition?.isIdempotent == true
    guard record.status == .granted || mayRetry else {
      throw Refusal(.notGranted, "the proposal is \(record.status.rawValue); it is carried out once")
    }
    var proposal = try original(record, run: run, in: context)
    if let person = record.principal.hasPrefix("user:") ? proposal.identity : nil, !person.isOperator {
      proposal.identity = Identity(principal: person.principal, account: person.account, mode: person.mode)
    }
    var others = run
    others.proposals.removeAll { $0.id == record.id }
    let view = try view(of: proposal, run: others, in: context)
    let judgement = Judge.judge(proposal, in: view)
    if judgement.refusal?.code == Refusal.Code.stopped.rawValue, let refusal = judgement.refusal { throw refusal }
    if let reason = changed(record, judgement, run: run, shared: view.shared, release: release) {
      proposal.id = replacement
      proposal.replaces = record.id
      let void = EntryDrafting.decision(
        .void, on: record, run: run.state.id, by: SystemPrincipal.engine.rawValue, identity: nil, reason: reason)
      let expires = judgement.verdict == .hold ? Self.expiry(of: judgement.requirements, from: context.now) : nil
      let again = try EntryDrafting.proposal(proposal, judgement, release: release, expires: expires, editorCounts: false, evidence: [])
      return (
        [void, again], .failure(Refusal(.changed, "\(reason); it was decided anew as `\(replacement)`: \(judgement.verdict.rawValue)"))
      )
    }
    let deadline = context.now + (time ?? definition?.timeout ?? Self.modelCallTime)
    let draft = EntryDrafting.started(record, run: run.state.id, grant: grant, worker: WorkerIdentity.current, deadline: deadline)
    let parts = GrantParts(
      id: grant, proposal: proposal, run: run.state.id, step: record.step, definition: definition, attempt: record.attempts + 1,
      deadline: deadline, programs: release.programs)
    return ([draft], .success(parts))
  }

  /// What has changed since the decision, in words; nil where it still stands.
  private func changed(_ record: ProposalRecord, _ judgement: Judgement, run: RunRecord, shared: SharedState, release: Release) -> String? {
    if judgement.verdict == .forbid { return judgement.refusal?.message ?? "the rules forbid it now" }
    if judgement.digest != record.digest { return "what it was decided on has changed" }
    if record.votes.isEmpty { return judgement.verdict == .permit ? nil : "it needs an approval now" }
    let owner = record.principal.hasPrefix("agent:") ? release.process.agent(String(record.principal.dropFirst(6)))?.owner : nil
    let eligibility = Eligibility(record: record, run: run, directory: shared.directory, owner: owner)
    let approvers = record.votes.map { Identity(principal: $0.principal, account: "", mode: $0.mode, isOperator: $0.isOperator) }
    return eligibility.isSatisfied(by: approvers) ? nil : "someone who approved it may not approve it any more"
  }

  // MARK: Outcomes

  /// Records what became of an effect, with every consequence.
  ///
  /// - Parameters:
  ///   - proposal: The proposal whose effect began.
  ///   - run: Its run.
  ///   - grant: The grant that was used; nil when a person says what happened.
  ///   - outcome: What is known.
  ///   - identity: The person who says so, for an effect in doubt.
  ///   - isScripted: Whether a scripted model made it.
  ///   - evidence: Bytes that belong to the outcome, such as a model's reply.
  /// - Returns: What followed.
  /// - Throws: ``Refusal`` where the effect did not begin or is settled already; what the store throws.
  @discardableResult
  public func settle(
    _ proposal: String, in run: String, grant: String?, outcome: EffectOutcome, by identity: Identity? = nil, isScripted: Bool = false,
    evidence: [Evidence] = []
  ) async throws -> [RunEvent] {
    let result: Result<[RunEvent], Refusal> = try await store.submit { [self] context in
      guard let record = try context.run(run), let proposed = record.proposal(proposal) else {
        return ([], .failure(Refusal(.proposalUnknown, "there is no proposal `\(visible(proposal))` in run `\(visible(run))`")))
      }
      guard proposed.status == .started || proposed.status == .inDoubt else {
        return ([], .failure(Refusal(.notGranted, "the effect is \(proposed.status.rawValue): nothing is open about it")))
      }
      let release = try releases.release(record.state.release) { try context.evidence($0) }
      let (events, note) = consequences(of: outcome, proposed, run: record.state, release: release, now: context.now)
      var recorded = outcome
      if let note, note != outcome.message { recorded.message = [outcome.message, note].compactMap { $0 }.joined(separator: "; ") }
      let principal = identity?.principal ?? SystemPrincipal.engine.rawValue
      let draft = EntryDrafting.settled(
        proposed, run: run, grant: grant, outcome: recorded, by: principal, identity: identity, isScripted: isScripted, events: events,
        evidence: evidence)
      return ([draft] + (try withdrawals(after: events, in: record)), .success(events))
    }
    return try result.get()
  }

  /// What an outcome means for the run: facts learned, a tool step finished or failed.
  private func consequences(
    of outcome: EffectOutcome, _ record: ProposalRecord, run: RunState, release: Release, now: Instant
  ) -> (events: [RunEvent], note: String?) {
    guard let tool = release.process.tool(record.tool), run.status == .running else { return ([], nil) }
    let origin = Origin("tool:\(tool.name)", trusted: !tool.readsUntrusted)
    var facts: JSONObject = [:]
    if outcome.kind == .finished, let result = outcome.result?.objectValue {
      for fact in tool.facts { if let value = result[fact.name] { facts[fact.name] = value } }
    }
    let isToolStep = record.principal == SystemPrincipal.engine.rawValue && record.step != nil
    func decided(_ command: RunCommand) -> Result<[RunEvent], RunRefusal> {
      do throws(RunRefusal) { return .success(try release.process.decide(command, in: run, now: now)) } catch { return .failure(error) }
    }
    func failed(_ code: String, _ text: String) -> ([RunEvent], String?) {
      guard isToolStep, let step = record.step else { return ([], text) }
      let by = SystemPrincipal.engine.rawValue
      switch decided(.finishToolStep(step.description, by: by, result: .failed(code: code, text: text))) {
      case .success(let events): return (events, nil)
      case .failure(let refusal): return ([], refusal.message)
      }
    }
    switch outcome.kind {
    case .inDoubt: return ([], nil)
    case .failed: return failed(outcome.code ?? "tool-failed", outcome.message ?? "the tool failed")
    case .finished:
      let command: RunCommand
      if isToolStep, let step = record.step {
        command = .finishToolStep(step.description, by: SystemPrincipal.engine.rawValue, result: .succeeded(facts: facts, origin: origin))
      } else if !facts.isEmpty {
        command = .learn(step: record.step?.description, tool: tool.name, facts: facts, origin: origin)
      } else {
        return ([], nil)
      }
      switch decided(command) {
      case .success(let events): return (events, nil)
      case .failure(let refusal): return failed("result-invalid", "its result cannot be used: \(refusal.message)")
      }
    }
  }

  /// Marks effects as in doubt whose process is gone, or whose deadline is long over.
  ///
  /// - Returns: The proposals that are in doubt now.
  public func recoverLostEffects() async throws -> [String] {
    let started = try await store.read { context in
      try context.database.query("SELECT id, run FROM proposal WHERE \(GovernanceProjections.isOpen) AND status = 'started' ORDER BY entry")
      { ($0.text(0), $0.text(1)) }
    }
    var lost: [String] = []
    for (id, run) in started {
      let isLost = try await store.submit { context in
        guard let record = try context.run(run)?.proposal(id), record.status == .started, let worker = record.worker else {
          return ([], false)
        }
        if WorkerIdentity.isAlive(worker), let deadline = record.deadline, context.now < deadline + .seconds(60) { return ([], false) }
        // Asking a model again does no harm outside: the call is lost, not in doubt.
        let isModelCall = record.tool == BuiltinTool.callModel.rawValue
        let outcome: EffectOutcome =
          isModelCall
          ? .failed("lost", "the process that made the call is gone")
          : .inDoubt("lost", "the process that carried it out is gone; nobody knows whether it happened")
        let draft = EntryDrafting.settled(
          record, run: run, grant: nil, outcome: outcome, by: SystemPrincipal.engine.rawValue, identity: nil, isScripted: false, events: [],
          evidence: [])
        return ([draft], !isModelCall)
      }
      if isLost { lost.append(id) }
    }
    return lost
  }
}
