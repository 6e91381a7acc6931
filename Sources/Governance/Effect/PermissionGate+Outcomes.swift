public import Audit
internal import Core
internal import PolicyEngine
internal import ProcessModel
internal import Storage

extension PermissionGate {
  /// Records what became of an effect, with every consequence.
  ///
  /// A tool says what became of the attempt that its grant was for. A person says what became of an effect in doubt: the owner of the
  /// process, or whoever could have approved it, but never who asked or proposed; the attempt of anyone else is recorded.
  ///
  /// An effect outside that happened, and whose result the run cannot take, is in doubt: nothing may call it again before a person has
  /// looked.
  /// - Parameters:
  ///   - proposal: The proposal whose effect began.
  ///   - run: Its run.
  ///   - grant: The grant that was used; nil when a person says what happened.
  ///   - outcome: What is known.
  ///   - identity: The person who says so, for an effect in doubt.
  ///   - isScripted: Whether a scripted model made it.
  ///   - evidence: Bytes that belong to the outcome, such as a model's reply.
  /// - Returns: What was recorded.
  /// - Throws: ``Refusal`` where the effect did not begin, is settled already or was begun again since, or the person may not say so; what
  ///   the store throws.
  @discardableResult
  public func settle(
    _ proposal: String, in run: String, grant: String?, outcome: EffectOutcome, by identity: Identity? = nil, isScripted: Bool = false,
    evidence: [Evidence] = []
  ) async throws -> EffectOutcome {
    let result: Result<EffectOutcome, Refusal> = try await store.submit { [self] context in
      guard let record = try context.run(run), let proposed = record.proposal(proposal) else {
        return ([], .failure(Refusal(.proposalUnknown, "there is no proposal `\(visible(proposal))` in run `\(visible(run))`")))
      }
      do {
        let release = try releases.release(record.state.release) { try context.evidence($0) }
        if let identity {
          if let refusal = try context.shared().refusal(of: identity) { throw refusal }
          try checkMaySettle(proposed, identity, run: record, directory: try context.shared().directory, release: release, now: context.now)
        } else {
          try checkMaySettle(proposed, grant: grant)
        }
        let (events, recorded) = try consequences(
          of: outcome, proposed, run: record.state, release: release, now: context.now, by: identity)
        let draft = EntryDrafting.settled(
          proposed, run: run, grant: grant, outcome: recorded, by: identity?.principal ?? SystemPrincipal.engine.rawValue,
          identity: identity, isScripted: isScripted, events: events, evidence: evidence)
        let suspension = Self.suspension(of: proposed, by: outcome, in: try context.shared(), release, cause: context.nextIndex)
        return ([draft] + (try withdrawals(after: events, in: record)) + suspension, .success(recorded))
      } catch let refusal as Refusal {
        let attempt = identity.map { EntryDrafting.refusedDecision(refusal, proposal: proposal, run: run, identity: $0) }
        return (attempt.map { [$0] } ?? [], .failure(refusal))
      }
    }
    return try result.get()
  }

  private func checkMaySettle(_ record: ProposalRecord, grant: String?) throws(Refusal) {
    guard record.status == .started || record.status == .inDoubt else {
      throw Refusal(.notGranted, "the effect is \(record.status.rawValue): nothing is open about it")
    }
    guard let grant, record.grant == grant else {
      throw Refusal(.notGranted, "the effect was begun again since: this is the outcome of an earlier attempt")
    }
  }

  private func checkMaySettle(
    _ record: ProposalRecord, _ identity: Identity, run: RunRecord, directory: Directory, release: Release, now: Instant
  ) throws(Refusal) {
    guard record.status == .inDoubt else {
      throw Refusal(.notInDoubt, "the proposal is \(record.status.rawValue): there is no doubt about it")
    }
    try Eligibility(record: record, run: run, directory: directory, release: release, now: now).checkMaySettle(
      identity, owner: release.process.owner)
  }

  /// The entry that suspends a tool which a connector found to be another one than was released; none where it is suspended already.
  private static func suspension(
    of record: ProposalRecord, by outcome: EffectOutcome, in shared: SharedState, _ release: Release, cause: Int
  ) -> [EntryDraft] {
    guard let observed = outcome.observed, shared.suspension(of: record.tool, in: release.digest.hex) == nil else { return [] }
    return [
      EntryDrafting.suspended(
        record.tool, release: release.digest.hex, observed: observed, cause: cause, text: outcome.message ?? "it has changed")
    ]
  }

  // MARK: Consequences

  /// What an outcome means for the run: facts learned, a tool step finished or failed.
  ///
  /// - Returns: The events, and the outcome as it is recorded: with a note where the run does not take it.
  /// - Throws: ``Refusal`` where a person says that it happened, and the run cannot take the result.
  private func consequences(
    of outcome: EffectOutcome, _ record: ProposalRecord, run: RunState, release: Release, now: Instant, by identity: Identity?
  ) throws(Refusal) -> (events: [RunEvent], outcome: EffectOutcome) {
    guard let tool = release.process.tool(record.tool), run.status == .running else { return ([], outcome) }
    let origin = Origin(identity?.principal ?? "tool:\(tool.name)", trusted: !tool.readsUntrusted)
    guard let command = Self.command(for: outcome, of: record, facts: tool.facts, origin: origin) else { return ([], outcome) }
    do throws(RunRefusal) {
      return (try release.process.decide(command, in: run, now: now, zones: zones), outcome)
    } catch {
      let isOpen = record.step.flatMap { run.step($0) }?.status.isOpen ?? false
      guard outcome.kind == .finished, isOpen else { return ([], outcome.noting(error.message)) }
      let problem = "the run cannot take its result: \(error.message)"
      if identity != nil { throw Refusal(code: error.code.rawValue, message: problem) }
      if record.effect == .external {
        return ([], EffectOutcome(kind: .inDoubt, result: outcome.result, code: "result-invalid", message: "it happened, but \(problem)"))
      }
      let failure = Self.command(for: .failed("result-invalid", problem), of: record, facts: [], origin: origin)
      guard let failure, let events = try? release.process.decide(failure, in: run, now: now, zones: zones) else {
        return ([], outcome.noting(problem))
      }
      return (events, outcome)
    }
  }

  /// The run's command that an outcome stands for; nil where the run learns nothing from it.
  private static func command(
    for outcome: EffectOutcome, of record: ProposalRecord, facts: [FactDefinition], origin: Origin
  ) -> RunCommand? {
    let engine = SystemPrincipal.engine.rawValue
    let step = record.step?.description
    let toolStep = record.principal == engine ? step : nil
    switch outcome.kind {
    case .inDoubt: return nil
    case .failed:
      let (code, text) = (outcome.code ?? "tool-failed", outcome.message ?? "the tool failed")
      return toolStep.map { .finishToolStep($0, by: engine, result: .failed(code: code, text: text)) }
    case .finished:
      let result = outcome.result?.objectValue ?? [:]
      let learned = JSONObject(facts.compactMap { fact in result[fact.name].map { (fact.name, $0) } })
      if let toolStep { return .finishToolStep(toolStep, by: engine, result: .succeeded(facts: learned, origin: origin)) }
      return learned.isEmpty ? nil : .learn(step: step, tool: record.tool, facts: learned, origin: origin)
    }
  }

  // MARK: Lost effects

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
