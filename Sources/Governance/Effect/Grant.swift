internal import Audit
public import Core
internal import PolicyEngine
public import ProcessModel

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
  /// What the tool's parts outside the release have to be; nil where it has none.
  public let pin: ToolPin?

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
    pin = parts.pin
  }

  /// The time that is left for the call.
  ///
  /// - Returns: nil where the deadline has passed: then nothing may begin, for others may have taken the effect for lost by now.
  public borrowing func timeLeft(at now: Instant) -> Duration? { now < deadline ? deadline - now : nil }
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
  var pin: ToolPin?
}

extension PermissionGate {
  /// The time that a model call may take where its caller says nothing else.
  public static let modelCallTime = Duration.seconds(120)

  /// Records that a granted effect begins, and makes the grant for it.
  ///
  /// Everything that the decision depended on is checked again: stops, the digest (tool definition, arguments, run, step, release,
  /// evidence, the values that rules and controls read), the rules, what has to be approved, whether those who approved still may, and
  /// whether their approval still counts. Where something has changed the proposal is voided and decided anew, unless its effect is in
  /// doubt: then a person has to say first what became of it.
  /// - Parameters:
  ///   - id: A proposal that was permitted or approved, or one in doubt whose tool declares idempotency.
  ///   - run: Its run.
  ///   - time: The longest that the effect may take; the tool's own timeout where it is nil.
  /// - Returns: The grant, once the entry that it depends on is durable.
  /// - Throws: ``Refusal`` where it cannot begin: used already, stopped, changed, withdrawn, or another effect of the step is not over.
  ///   What the store throws. Nothing has begun then.
  public func begin(_ id: String, in run: String, time: Duration? = nil) async throws -> Grant {
    let grantID = mintID(prefix: "g")
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
    let doubt = try clockDoubt(in: context)
    if doubt.isSuspect { return (doubt.drafts, .failure(Self.clockSuspect)) }
    let now = try decisionTime(in: context)
    let release = try releases.release(run.state.release) { try context.evidence($0) }
    let definition = release.process.tool(record.tool)
    let mayRetry = record.status == .inDoubt && definition?.isIdempotent == true
    guard record.status == .granted || mayRetry else {
      let standing = record.status == .started ? "another worker carries it out" : "the proposal is \(record.status.rawValue)"
      throw Refusal(.notGranted, "\(standing); it is carried out once")
    }
    var proposal = try original(record, run: run, in: context).proposal
    var others = run
    others.proposals.removeAll { $0.id == record.id }
    let shared = try context.shared()
    var view = GateView(shared: shared, run: others, release: release, now: now)
    view.zones = zones
    view.guardRules = try guards.rules(of: shared.guarding)
    // What people approved rests on them, and on no allowance.
    if record.votes.isEmpty { view.usage = try usage(for: proposal, in: view, context) }
    let judgement = Judge.judge(proposal, in: view, isNew: false)
    if let refusal = judgement.refusal, refusal.isPassing { throw refusal }
    let eligibility = Eligibility(record: record, run: run, directory: shared.directory, release: release, now: now)
    if let reason = changed(record, judgement, eligibility, now: now) {
      // What began cannot be taken back or decided anew before somebody knows what became of it.
      if record.status == .inDoubt { throw Refusal(.notGranted, "\(reason): a person has to say what became of the first attempt") }
      proposal.id = replacement
      proposal.replaces = record.id
      let void = EntryDrafting.decision(
        .void, on: record, run: run.state.id, by: SystemPrincipal.engine.rawValue, identity: nil, reason: reason)
      let expires = judgement.verdict == .hold ? Self.expiry(of: judgement.requirements, from: now) : nil
      let again = try EntryDrafting.proposal(proposal, judgement, release: release, expires: expires, editorCounts: false, evidence: [])
      let ended = judgement.demotions.map { EntryDrafting.ended($0, cause: context.nextIndex, by: SystemPrincipal.engine.rawValue) }
      let refusal = Refusal(.changed, "\(reason); it was decided anew as `\(replacement)`: \(judgement.verdict.rawValue)")
      return ([void, again] + ended, .failure(refusal))
    }
    let deadline = now + (time ?? definition?.timeout ?? Self.modelCallTime)
    let draft = EntryDrafting.started(record, run: run.state.id, grant: grant, worker: WorkerIdentity.current, deadline: deadline)
    let parts = GrantParts(
      id: grant, proposal: proposal, run: run.state.id, step: record.step, definition: definition, attempt: record.attempts + 1,
      deadline: deadline, programs: release.programs, pin: shared.pin(of: record.tool, in: release))
    return ([draft], .success(parts))
  }

  /// What has changed since the decision, in words; nil where it still stands.
  private func changed(_ record: ProposalRecord, _ judgement: Judgement, _ eligibility: Eligibility, now: Instant) -> String? {
    if judgement.verdict == .forbid { return judgement.refusal?.message ?? "the rules forbid it now" }
    if judgement.digest != record.digest { return "what it was decided on has changed" }
    if record.votes.isEmpty { return judgement.verdict == .permit ? nil : "it needs an approval now" }
    if !judgement.stands(record) { return "it needs other approvals now" }
    if let expires = record.expires, now > expires { return "the time in which its approval counts is over" }
    return eligibility.isSatisfied(by: record.approvers) ? nil : "someone who approved it may not approve it any more"
  }
}
