internal import CEL
internal import Core
internal import PolicyEngine
internal import ProcessModel

/// The gate's decision as a pure function of a proposal and a ``GateView``.
///
/// The order is that of the checks' cost and certainty: who and what, the arguments, the step; then controls and rules, which are all
/// evaluated and all reported.
struct Judge {
  let view: GateView
  let proposal: Proposal
  /// Whether the proposal is made now, and so counts towards the limits on proposals; one that is in the log has been counted.
  let isNew: Bool
  /// Extra permits for the tools of the workspace, which no release covers.
  var implied: [RuleMatch] = []
  var canonicalArguments: [UInt8] = []
  /// The built-in tool that the proposal is for.
  let builtin: BuiltinTool?
  /// The step that it is for.
  let occurrence: Occurrence?

  init(view: GateView, proposal: Proposal, isNew: Bool) {
    self.view = view
    self.proposal = proposal
    self.isNew = isNew
    builtin = BuiltinTool(rawValue: proposal.tool)
    occurrence = proposal.step.flatMap { view.run?.state.step(named: $0)?.occurrence ?? Occurrence(parsing: $0) }
  }

  /// Judges the proposal.
  ///
  /// - Complexity: O(arguments + rules about the tool + consequences).
  static func judge(_ proposal: Proposal, in view: GateView, isNew: Bool = true) -> Judgement {
    var judge = Judge(view: view, proposal: proposal, isNew: isNew)
    return judge.judgement()
  }

  /// The consequences of a proposal of a built-in tool that was approved; empty for tools with an outside effect.
  ///
  /// - Throws: ``Refusal`` where the run does not take it.
  static func consequences(of proposal: Proposal, in view: GateView) throws(Refusal) -> [RunEvent] {
    guard let builtin = BuiltinTool(rawValue: proposal.tool) else { return [] }
    return try Judge(view: view, proposal: proposal, isNew: false).consequences(of: builtin)
  }

  private mutating func judgement() -> Judgement {
    do throws(Refusal) {
      return try permittedOrHeld()
    } catch {
      return .refused(error, effect: effectOfTool, step: occurrence, digest: digest(tool: nil, read: [:]))
    }
  }

  private mutating func permittedOrHeld() throws(Refusal) -> Judgement {
    try checkSizes()
    let principal = try self.principal()
    let tool = try self.tool()
    try checkStops()
    try checkPause()
    try checkSuspension(tool)
    if isNew { try checkRates() }
    try checkArguments(tool)
    let step = try self.step(for: tool)
    try checkOpenEffects(of: tool, on: step)
    try checkBudget(step)
    if let builtin = tool.builtin {
      try checkAllowance(builtin)
      try checkEndorsement(builtin)
    }

    var judgement = Judgement(
      verdict: .forbid, effect: tool.effect, step: step?.occurrence, toolDigest: tool.digest, digest: tool.digest,
      canonicalArguments: canonicalArguments)
    applyControls(tool, step, to: &judgement)
    applyRules(principal, tool, step, to: &judgement)
    judgement.digest = digest(tool: tool.digest, read: judgement.read)
    if judgement.verdict == .forbid { return judgement }
    if tool.builtin == .answerReviewer { judgement.answer = try reviewerQuestion() }
    // A proposal that the run would refuse is not worth a person's time, so a held one is tried too.
    if tool.builtin == .changeDirectory { _ = try view.shared.directory.applying(DirectoryChange.all(in: proposal.arguments)) }
    if tool.builtin == .setGuard { try checkGuard() }
    if tool.builtin == .acceptTool { try checkAcceptance() }
    if let builtin = tool.builtin, builtin.effect == .state {
      let events = try consequences(of: builtin)
      if judgement.verdict == .permit { judgement.events = events }
    }
    if judgement.verdict == .hold, isNew { try checkHeld() }
    return judgement
  }
}
