internal import Audit
internal import Core
internal import PolicyEngine
internal import ProcessModel
internal import Storage

extension PermissionGate {
  // MARK: Uses

  /// What the allowances that could cover a call have been used for, counted in the transaction that decides.
  ///
  /// - Returns: nil where no rule of the release has to be earned, or no agent proposes: nothing is looked at then.
  func usage(for proposal: Proposal, in view: GateView, _ context: WriteContext<GovernanceLedger>) throws -> AllowanceUsage? {
    guard let release = view.release, release.rules.hasEarned, proposal.principal.hasPrefix("agent:") else { return nil }
    let agent = String(proposal.principal.dropFirst(6))
    let step = proposal.step.flatMap { view.run?.state.step(named: $0) }?.occurrence
    var usage = AllowanceUsage()
    for record in view.shared.allowances where record.problem(at: view.now) == nil {
      let allowance = record.allowance
      guard allowance.concerns(agent: agent, process: release.process.id, tool: proposal.tool, step: step?.id) else { continue }
      usage.counts[allowance.name] = try AllowanceUsage.counts(of: allowance, at: view.now, but: proposal.id, in: context.database)
    }
    if !usage.counts.isEmpty, let run = view.run { usage.model = try model(of: step, in: run, before: .max, context) }
    return usage
  }

  /// Which model was asked last on a step.
  private func model(
    of step: Occurrence?, in run: RunRecord, before entry: Int, _ context: WriteContext<GovernanceLedger>
  ) throws -> String? {
    let call = run.proposals.last { other in
      other.entry < entry && other.step == step && other.tool == BuiltinTool.callModel.rawValue && other.verdict != .forbid
    }
    guard let call, let bytes = try context.entry(at: call.entry)?.content(ContentPart.arguments) else { return nil }
    let arguments = try JSON.parse(bytes)
    return "\(arguments["model"]?.stringValue ?? "") at \(arguments["endpoint"]?.stringValue ?? "")"
  }

  // MARK: Evidence

  /// What people found about calls like those that an allowance would cover, made with the same tool, prompt and documents.
  ///
  /// - Complexity: O(n) entries read for the n newest cases, at most ``GateLimits/reviewedCases``.
  func basis(of proposal: Proposal, in view: GateView, _ context: WriteContext<GovernanceLedger>) throws -> AllowanceBasis? {
    guard let release = view.release, let allowance = try? Allowance(json: .object(proposal.arguments)) else { return nil }
    let wanted = AllowancePins(allowance, in: release, view.shared, model: nil)
    let start = view.now.milliseconds - Int64(allowance.reviewedWithin.milliseconds)
    let cases = try context.database.query(
      "SELECT entry, is_right, principal, step FROM reviewed WHERE process = ? AND tool = ? AND at > ? ORDER BY at DESC, entry DESC LIMIT ?",
      [.text(allowance.process), .text(allowance.tool), .integer(start), .int(GateLimits.reviewedCases)]
    ) { (entry: $0.int(0), isRight: $0.int(1) == 1, principal: $0.text(2), step: $0.optionalText(3)) }
    var (reviewed, wrong) = (0, 0)
    var model: String?
    var fits: [String: Bool] = [:]
    for one in cases {
      let agent = String(one.principal.dropFirst(6))
      guard allowance.concerns(agent: agent, process: allowance.process, tool: allowance.tool, step: one.step),
        let entry = try context.entry(at: one.entry), let digest = entry.release,
        let arguments = try entry.content(ContentPart.arguments).map({ try JSON.parse($0) })?.objectValue,
        allowance.problem(with: arguments) == nil
      else { continue }
      if fits[digest] == nil {
        let then = try? releases.release(digest) { try context.evidence($0) }
        fits[digest] = then.map { AllowancePins(allowance, in: $0, view.shared, model: nil) == wanted } ?? false
      }
      guard fits[digest] == true else { continue }
      if reviewed == 0, let run = try entry.run.flatMap({ try context.run($0) }) {
        model = try self.model(of: run.proposals.first { $0.entry == one.entry }?.step, in: run, before: one.entry, context)
      }
      reviewed += 1
      if !one.isRight { wrong += 1 }
    }
    return AllowanceBasis(reviewed: reviewed, wrong: wrong, pins: AllowancePins(allowance, in: release, view.shared, model: model))
  }

  // MARK: Demotion

  /// The ends of the allowances that a proposal's own decision brings about.
  func demotions(
    after proposal: Proposal, _ judgement: Judgement, in view: GateView, _ context: WriteContext<GovernanceLedger>
  ) -> [EntryDraft] {
    let ended = judgement.demotions.map { EntryDrafting.ended($0, cause: context.nextIndex, by: SystemPrincipal.engine.rawValue) }
    return judgement.verdict == .permit ? ended + demotions(afterDoing: proposal, in: view, context) : ended
  }

  /// The ends of the allowances that carrying out a proposal brings about: a release with other things in it, a call found to be wrong.
  func demotions(
    afterDoing proposal: Proposal, in view: GateView, _ context: WriteContext<GovernanceLedger>
  ) -> [EntryDraft] {
    if view.shared.allowances.isEmpty { return [] }
    let ended: [Demotion]
    switch BuiltinTool(rawValue: proposal.tool) {
    case .makeRelease:
      let digest = ReleaseManifest.digest(of: proposal.arguments["manifest"] ?? .null).hex
      guard let next = try? releases.release(digest, evidence: { try context.evidence($0) }) else { return [] }
      ended = view.shared.demotions(byRelease: next)
    case .reviewCall: ended = view.demotions(byReview: proposal)
    default: return []
    }
    return ended.map { EntryDrafting.ended($0, cause: context.nextIndex, by: proposal.principal) }
  }

  /// The ends of the allowances whose kind of call a person rejected or changed.
  func overrides(of proposal: Proposal?, _ reason: String?, in view: GateView, cause: Int, by identity: Identity) -> [EntryDraft] {
    guard let proposal else { return [] }
    return view.demotions(byOverride: proposal, reason: reason).map { EntryDrafting.ended($0, cause: cause, by: identity.principal) }
  }
}
