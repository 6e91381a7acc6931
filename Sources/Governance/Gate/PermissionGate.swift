public import Audit
public import CEL
public import Core
internal import PolicyEngine
internal import ProcessModel
internal import Storage

/// The one way to change a run or to reach the outside.
///
/// Agents, people, timers and the engine all submit proposals here. Deciding and recording are one step inside the log's single writer: a
/// verdict that is not durable does not exist.
public final class PermissionGate: Sendable {
  /// The log.
  public let store: AuditStore<GovernanceLedger>
  let releases = ReleaseCache()
  let random: RandomSource
  let watch: ClockWatch?
  let guards = GuardCache()
  /// The time zones by which schedules go, by name.
  let zones: @Sendable (String) -> CELTimeZone?

  /// A gate before a log.
  ///
  /// - Parameters:
  ///   - store: The log, opened with ``GovernanceProjections/all``.
  ///   - random: Where ids come from.
  ///   - watch: Tells whether the store's time can be believed; nil where it always is.
  ///   - zones: The time zones by which schedules go, by name; UTC alone where nothing is said.
  public init(
    store: AuditStore<GovernanceLedger>, random: RandomSource = .system, watch: ClockWatch? = nil,
    zones: @escaping @Sendable (String) -> CELTimeZone? = { $0 == "UTC" ? CELTimeZone(offset: 0) : nil }
  ) {
    self.store = store
    self.random = random
    self.watch = watch
    self.zones = zones
  }

  /// Makes the first entry of a new store, which gives its log an id; does nothing where there is one.
  ///
  /// - Returns: The id of the log.
  public func openLog(by identity: Identity) async throws -> String {
    let id = mintID(prefix: "log")
    return try await store.submit { context in
      if let log = try context.shared().log { return ([], log) }
      var body = identity.body
      body["format"] = 1
      body["log"] = .string(id)
      return ([EntryDraft(type: EntryType.storeOpened, principal: identity.principal, body: body)], id)
    }
  }

  /// A new id, for a proposal where nothing else is said.
  public func mintID(prefix: String = "p") -> String { Proposal.mintID(prefix: prefix, at: store.options.time.now(), random) }

  /// A new id for a run.
  public func mintRunID() -> String { mintID(prefix: "r") }

  /// A release of the store, by digest.
  ///
  /// - Throws: ``Refusal`` where the store has no such release, or this build cannot use it.
  public func release(_ digest: String, in context: ReadContext<GovernanceLedger>) throws -> Release {
    try releases.release(digest) { try context.evidence($0) }
  }

  // MARK: Submitting

  /// Judges a proposal and records it with its verdict and every consequence, in one entry.
  ///
  /// - Parameters:
  ///   - proposal: What is to be done. One that was submitted before is not judged again: its recorded outcome is returned.
  ///   - evidence: Bytes that the proposal names, stored with it.
  /// - Returns: The outcome, once it is durable. A refusal is an outcome, not an error.
  /// - Throws: What the store throws; nothing was recorded then, unless the store says that it does not know.
  public func submit(_ proposal: Proposal, evidence: [Evidence] = []) async throws -> GateOutcome {
    try await store.submit { [self] context in
      if let run = try proposal.run.flatMap({ try context.run($0) }), let known = run.proposal(proposal.id) {
        return ([], GateOutcome(known, run: proposal.run))
      }
      if proposal.run == nil, let known = try context.shared().proposals.last(where: { $0.id == proposal.id }) {
        return ([], GateOutcome(known, run: nil))
      }
      return try decide(proposal, evidence: evidence, in: context)
    }
  }

  /// The outcome of a new proposal, and the entries that it leads to.
  func decide(
    _ proposal: Proposal, evidence: [Evidence], in context: WriteContext<GovernanceLedger>
  ) throws -> ([EntryDraft], GateOutcome) {
    var view = try view(of: proposal, in: context)
    view.usage = try usage(for: proposal, in: view, context)
    var judgement = try bounded(
      judge(proposal, in: view, isNew: true, evidence: evidence.map(\.reference), context), proposal, context)
    if judgement.refusal == nil, let refusal = try redactionProblem(of: proposal, in: context) {
      judgement = .refused(refusal, effect: judgement.effect, step: judgement.step, digest: judgement.digest)
    }
    if let refusal = view.shared.refusal(of: proposal.identity) {
      judgement = .refused(refusal, effect: judgement.effect, step: judgement.step, digest: judgement.digest)
    }
    let expires = judgement.verdict == .hold ? Self.expiry(of: judgement.requirements, from: view.now) : nil
    var draft = try EntryDrafting.proposal(
      proposal, judgement, release: view.release, expires: expires, editorCounts: false,
      evidence: judgement.verdict == .forbid ? [] : evidence)
    if BuiltinTool(rawValue: proposal.tool)?.isOfWorkspace == true { draft.release = nil }
    // A run that does not exist can have no entry: the refusal of a proposal for it concerns all runs.
    if view.run == nil, judgement.verdict != .permit { draft.run = nil }
    var drafts = [draft]
    drafts += try withdrawals(after: judgement.events, in: view.run)
    drafts += demotions(after: proposal, judgement, in: view, context)
    let outcome = GateOutcome(proposal, judgement, entry: context.nextIndex, expires: expires)
    return (drafts, outcome)
  }

  /// Refuses what would wait for people, where so much of the agent's waits for them in all its runs that nobody could look at it.
  private func bounded(
    _ judgement: Judgement, _ proposal: Proposal, _ context: WriteContext<GovernanceLedger>
  ) throws -> Judgement {
    guard judgement.verdict == .hold, proposal.principal.hasPrefix("agent:") else { return judgement }
    let held = try context.database.first(
      "SELECT count(*) FROM proposal WHERE \(GovernanceProjections.isOpen) AND status = 'held' AND principal = ?",
      [.text(proposal.principal)]
    ) { $0.int(0) }
    guard let held, held >= GateLimits.heldPerAgent else { return judgement }
    let message = "\(held) proposals of `\(proposal.principal)` wait for people already, the limit is \(GateLimits.heldPerAgent)"
    return .refused(Refusal(.rateLimit, message), effect: judgement.effect, step: judgement.step, digest: judgement.digest)
  }

  func view(of proposal: Proposal, in context: WriteContext<GovernanceLedger>) throws -> GateView {
    let shared = try context.shared()
    let run = try proposal.run.flatMap { try context.run($0) }
    var release: Release?
    if let digest = run?.state.release {
      release = try releases.release(digest) { try context.evidence($0) }
    } else if let process = proposal.arguments["process"]?.stringValue,
      [.startRun, .makeRelease, .acceptTool, .grantAllowance].contains(BuiltinTool(rawValue: proposal.tool))
    {
      if let current = shared.current(process) {
        release = try releases.release(current.digest) { try context.evidence($0) }
      } else if let manifest = proposal.arguments["manifest"], proposal.tool == BuiltinTool.makeRelease.rawValue {
        // The first release of a process: its own file says who owns it.
        release = try? releases.release(ReleaseManifest.digest(of: manifest).hex) { try context.evidence($0) }
      }
    }
    if release == nil, proposal.tool == BuiltinTool.endorse.rawValue { release = try self.release(ofScope: proposal, shared, context) }
    var view = GateView(shared: shared, run: run, release: release, now: try decisionTime(in: context))
    view.zones = zones
    // The tools of the workspace are under no guard, so that one that cannot be read can be taken away.
    if BuiltinTool(rawValue: proposal.tool)?.isOfWorkspace != true { view.guardRules = try guards.rules(of: shared.guarding) }
    if proposal.tool == BuiltinTool.grantAllowance.rawValue { view.basis = try basis(of: proposal, in: view, context) }
    return view
  }

  /// The release of the process in which an endorsement is to count; nil where it is for the whole workspace, or there is none.
  private func release(ofScope proposal: Proposal, _ shared: SharedState, _ context: WriteContext<GovernanceLedger>) throws -> Release? {
    let digest: String?
    switch proposal.arguments["scope"]?.stringValue.flatMap({ Endorsement.Scope(parsing: $0) }) {
    case .process(let name): digest = shared.current(name)?.digest
    case .run(let id): digest = try context.run(id)?.state.release
    case .workspace, nil: digest = nil
    }
    return try digest.map { try releases.release($0) { try context.evidence($0) } }
  }

  /// Judges a proposal, which is new or in the log already, and looks whether the evidence that it attaches came with it or is stored.
  func judge(
    _ proposal: Proposal, in view: GateView, isNew: Bool, evidence: [EvidenceReference], _ context: WriteContext<GovernanceLedger>
  ) throws -> Judgement {
    let judgement = Judge.judge(proposal, in: view, isNew: isNew)
    guard judgement.verdict != .forbid, proposal.tool == BuiltinTool.attachEvidence.rawValue,
      let problem = try problem(withEvidenceOf: proposal, among: evidence, context)
    else { return judgement }
    return .refused(Refusal(.evidenceInvalid, problem), effect: judgement.effect, step: judgement.step, digest: judgement.digest)
  }

  /// Why evidence cannot be attached, in words; nil where its bytes came with the proposal, or lie in the store as what it is said to be.
  private func problem(
    withEvidenceOf proposal: Proposal, among evidence: [EvidenceReference], _ context: WriteContext<GovernanceLedger>
  ) throws -> String? {
    let (media, size) = (proposal.arguments["media"]?.stringValue ?? "", proposal.arguments["size"]?.intValue ?? 0)
    guard let digest = proposal.arguments["sha256"]?.stringValue.flatMap({ Digest(hex: $0) }) else { return "`sha256` is not a digest" }
    if evidence.contains(EvidenceReference(digest: digest, media: media, size: Int(size))) { return nil }
    let stored = try context.database.first("SELECT media, size FROM evidence WHERE sha256 = ?", [.blob(digest.bytes)]) {
      (media: $0.text(0), size: $0.integer(1))
    }
    guard let stored else { return "the store holds no evidence with SHA-256 \(digest.hex)" }
    if bytesEqual(stored.media, media), stored.size == size { return nil }
    let (found, said) = ("`\(visible(stored.media))` of \(stored.size) bytes", "`\(visible(media))` of \(size)")
    return "the evidence \(digest.hex.prefix(12))… is \(found), not \(said)"
  }

  static func expiry(of requirements: [ApprovalRequirement], from now: Instant) -> Instant {
    now + (requirements.compactMap(\.within).min() ?? .milliseconds(GateLimits.decisionMilliseconds))
  }

  /// Ends what waits for people or for execution and can never be carried out any more, each by an entry of its own that says why.
  func withdrawals(after events: [RunEvent], in run: RunRecord?) throws -> [EntryDraft] {
    guard let run, !events.isEmpty, (run.proposals + run.probes).contains(where: { $0.status == .held || $0.status == .granted }) else {
      return []
    }
    var state = run.state
    for event in events { _ = state.apply(event) }
    return (run.proposals + run.probes).compactMap { record in
      guard record.status == .held || record.status == .granted, let (decision, reason) = Self.end(of: record, from: run.state, to: state)
      else { return nil }
      return EntryDrafting.decision(
        decision, on: record, run: state.id, by: SystemPrincipal.engine.rawValue, identity: nil, reason: reason)
    }
  }

  /// What a change of its run means for a proposal that waits; nil where it goes on waiting.
  ///
  /// A proposal is for the attempt of the step in which it was made, and for whoever had the step then. A blocked step is over, passed or
  /// tried again before anyone works on it: what was proposed on it before can wait for nothing.
  private static func end(of record: ProposalRecord, from old: RunState, to new: RunState) -> (ApprovalDecision, reason: String)? {
    if new.status != .running { return (.withdraw, "its step or run is over") }
    guard let occurrence = record.step else { return nil }
    guard let step = new.step(occurrence), step.status.isOpen else { return (.withdraw, "its step or run is over") }
    let before = old.step(occurrence)
    if let before, step.attempt != before.attempt {
      return (.void, "the step `\(occurrence)` is tried again: this was proposed in attempt \(before.attempt)")
    }
    if step.status == .blocked { return (.void, "an exception stopped the step `\(occurrence)`") }
    if let before, step.performer != before.performer, !record.principal.hasPrefix("user:") {
      return (.void, "the step `\(occurrence)` was given to `\(step.performer)`")
    }
    return nil
  }
}

extension GateOutcome {
  init(_ proposal: Proposal, _ judgement: Judgement, entry: Int, expires: Instant?) {
    self.init(
      proposal: proposal.id, run: proposal.run, entry: entry, verdict: judgement.verdict, refusal: judgement.refusal,
      matched: judgement.matched, errors: judgement.errors, requirements: judgement.requirements, digest: judgement.digest,
      expires: expires, effect: judgement.effect, events: judgement.events)
  }

  /// The outcome of a proposal that was recorded before.
  init(_ record: ProposalRecord, run: String?) {
    let verdict: Outcome =
      switch record.status {
      case .held: .hold
      case .granted, .started, .done, .failed, .inDoubt: .permit
      case .forbidden, .rejected, .expired, .withdrawn, .superseded, .voided: .forbid
      }
    self.init(
      proposal: record.id, run: run, entry: record.entry, verdict: verdict,
      refusal: verdict == .forbid ? Refusal(.notHeld, "this proposal was submitted before; it is \(record.status.rawValue)") : nil,
      matched: [],
      errors: [], requirements: record.requirements, digest: record.digest, expires: record.expires, effect: record.effect, events: [])
  }
}
