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
  private var implied: [RuleMatch] = []
  private var canonicalArguments: [UInt8] = []
  /// The built-in tool that the proposal is for.
  private let builtin: BuiltinTool?
  /// The step that it is for.
  private let occurrence: Occurrence?

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
    if isNew { try checkRates() }
    try checkArguments(tool)
    let step = try self.step(for: tool)
    try checkOpenEffects(of: tool, on: step)
    try checkBudget(step)
    if let builtin = tool.builtin { try checkAllowance(builtin) }

    var judgement = Judgement(
      verdict: .forbid, effect: tool.effect, step: step?.occurrence, toolDigest: tool.digest, digest: tool.digest,
      canonicalArguments: canonicalArguments)
    applyControls(tool, step, to: &judgement)
    applyRules(principal, tool, step, to: &judgement)
    judgement.digest = digest(tool: tool.digest, read: judgement.read)
    if judgement.verdict == .forbid { return judgement }
    // A proposal that the run would refuse is not worth a person's time, so a held one is tried too.
    if tool.builtin == .changeDirectory { _ = try view.shared.directory.applying(DirectoryChange.all(in: proposal.arguments)) }
    if let builtin = tool.builtin, builtin.effect == .state {
      let events = try consequences(of: builtin)
      if judgement.verdict == .permit { judgement.events = events }
    }
    if judgement.verdict == .hold, isNew { try checkHeld() }
    return judgement
  }

  // MARK: Who

  private func principal() throws(Refusal) -> Request.Principal {
    let id = proposal.principal
    if id.hasPrefix("user:") {
      guard let identity = proposal.identity, bytesEqual(identity.principal, id) else {
        throw Refusal(.principalUnknown, "`\(visible(id))` is not who gave the command")
      }
      if let problem = identity.problem(in: view.shared.directory) { throw Refusal(.principalUnknown, problem) }
      return try known(Request.Principal(id: id, roles: identity.roles(in: view.shared.directory)))
    }
    if id.hasPrefix("agent:") {
      guard let agent = view.release?.process.agent(String(id.dropFirst(6))) else {
        throw Refusal(.principalUnknown, "the process declares no agent `\(visible(String(id.dropFirst(6))))`")
      }
      return try known(Request.Principal(id: id, owner: agent.owner.description))
    }
    guard SystemPrincipal(rawValue: id) != nil else { throw Refusal(.principalUnknown, "there is no principal `\(visible(id))`") }
    return try known(Request.Principal(id: id))
  }

  private func known(_ principal: Request.Principal?) throws(Refusal) -> Request.Principal {
    guard let principal else { throw Refusal(.principalUnknown, "`\(visible(proposal.principal))` is not a principal") }
    return principal
  }

  // MARK: What

  private struct Tool {
    var name: String
    var effect: EffectClass
    var connector: String
    var digest: Digest
    var builtin: BuiltinTool?
    var definition: ToolDefinition?
    var validator: JSONSchema?
  }

  private var effectOfTool: EffectClass {
    if let builtin { return builtin.effect == .external ? .external : .state }
    return view.release?.process.tool(proposal.tool).flatMap { EffectClass(rawValue: $0.effect.rawValue) } ?? .external
  }

  private func tool() throws(Refusal) -> Tool {
    let name = proposal.tool
    if let problem = ToolName.problem(with: name) { throw Refusal(.toolUnknown, problem) }
    if let builtin {
      try checkMayUse(builtin)
      return Tool(
        name: name, effect: builtin.effect == .external ? .external : .state, connector: "builtin", digest: builtin.digest,
        builtin: builtin,
        validator: builtin.validator)
    }
    guard let release = view.release, let definition = release.process.tools.first(where: { bytesEqual($0.name, name) }) else {
      let known = (view.release?.process.tools.map(\.name) ?? []) + BuiltinTool.forAgents.map(\.rawValue)
      let hint = nearestName(to: name, in: known).map { "; did you mean `\($0)`?" } ?? ""
      throw Refusal(.toolUnknown, "there is no tool `\(visible(name))`\(hint)")
    }
    if let agent = agentName, let granted = release.process.agent(agent)?.tools, !granted.contains(where: { bytesEqual($0, name) }) {
      throw Refusal(.toolNotGranted, "the agent `\(agent)` may not use `\(name)`; it has: \(granted.joined(separator: ", "))")
    }
    return Tool(
      name: name, effect: EffectClass(rawValue: definition.effect.rawValue) ?? .external, connector: definition.connector.rawValue,
      digest: release.toolDigests[name] ?? SHA256.hash(name), definition: definition, validator: release.validators[name])
  }

  private var agentName: String? { proposal.principal.hasPrefix("agent:") ? String(proposal.principal.dropFirst(6)) : nil }

  /// Which kind of principal may ask for which built-in tool at all.
  private func checkMayUse(_ tool: BuiltinTool) throws(Refusal) {
    let isPerson = proposal.principal.hasPrefix("user:")
    let allowed: Bool
    switch tool {
    case .raiseException: allowed = isPerson || agentName != nil || proposal.principal == SystemPrincipal.engine.rawValue
    case .completeStep, .setFields, .attachEvidence, .comment, .askHuman: allowed = isPerson || agentName != nil
    case .startRun, .cancelRun, .answer, .resolveException, .setDirectory, .changeDirectory, .makeRelease, .setMode, .stop, .resume,
      .grantAllowance, .stopAllowance, .reviewCall:
      allowed = isPerson
    case .handOver, .callModel: allowed = proposal.principal == SystemPrincipal.agents.rawValue
    case .fireTimer: allowed = proposal.principal == SystemPrincipal.timer.rawValue
    }
    if !allowed { throw Refusal(.toolNotGranted, "`\(proposal.principal)` may not use `\(tool.rawValue)`") }
    if let agent = agentName, let granted = view.release?.process.agent(agent)?.tools, !granted.contains(tool.rawValue),
      // What an agent needs to say that it cannot go on is never taken from it.
      tool != .askHuman, tool != .raiseException, tool != .comment
    {
      throw Refusal(.toolNotGranted, "the agent `\(agent)` may not use `\(tool.rawValue)`; it has: \(granted.joined(separator: ", "))")
    }
  }

  private func checkStops() throws(Refusal) {
    switch builtin {
    case .stop, .resume, .comment, .cancelRun, .answer, .handOver, .setDirectory, .changeDirectory, .setMode, .stopAllowance, .reviewCall:
      return
    default: break
    }
    let process = view.run?.state.process ?? view.release?.process.id
    let agent = proposal.principal.hasPrefix("agent:") ? proposal.principal : proposal.arguments["agent"]?.stringValue.map { "agent:\($0)" }
    if let scope = view.shared.stop(process: process, run: proposal.run, agent: agent) {
      throw Refusal(.stopped, "work is stopped for `\(visible(scope))`; `remit resume` lifts the stop")
    }
  }

  private func checkRates() throws(Refusal) {
    guard let run = view.run, !proposal.principal.hasPrefix("user:") else { return }
    if run.proposals.count >= GateLimits.proposalsPerRun {
      throw Refusal(.rateLimit, "the run has \(run.proposals.count) proposals, the limit is \(GateLimits.proposalsPerRun)")
    }
    if agentName != nil, let step = occurrence {
      let made = run.proposals.count { $0.step == step && $0.principal == proposal.principal }
      if made >= GateLimits.proposalsPerStep {
        throw Refusal(.rateLimit, "the agent has made \(made) proposals on this step, the limit is \(GateLimits.proposalsPerStep)")
      }
    }
  }

  private func checkHeld() throws(Refusal) {
    guard let run = view.run else { return try checkHeldOfWorkspace() }
    if run.held.count < GateLimits.heldPerRun { return }
    throw Refusal(.rateLimit, "\(run.held.count) proposals of this run wait for people already, the limit is \(GateLimits.heldPerRun)")
  }

  private func checkHeldOfWorkspace() throws(Refusal) {
    let held = view.shared.proposals.count { $0.status == .held && bytesEqual($0.principal, proposal.principal) }
    if held < GateLimits.heldPerPerson { return }
    throw Refusal(
      .rateLimit, "\(held) proposals of `\(proposal.principal)` wait for people already, the limit is \(GateLimits.heldPerPerson)")
  }

  // MARK: Arguments

  /// Looks at the sizes before anything else: what is too long is refused without being kept, whatever it is about.
  private func checkSizes() throws(Refusal) {
    if (proposal.reason?.utf8.count ?? 0) > GateLimits.reasonBytes {
      throw Refusal(.argumentsTooLarge, "the reason is longer than \(GateLimits.reasonBytes) bytes")
    }
    if !JSON.object(proposal.arguments).isWithin(bytes: GateLimits.argumentBytes) {
      throw Refusal(.argumentsTooLarge, "the arguments have more than \(GateLimits.argumentBytes) bytes")
    }
  }

  private mutating func checkArguments(_ tool: Tool) throws(Refusal) {
    try checkTexts(.object(proposal.arguments))
    if let violation = tool.validator?.validate(.object(proposal.arguments)).first {
      let place = violation.at.isEmpty ? "" : "at `\(visible(violation.at))`: "
      throw Refusal(.argumentsInvalid, "the arguments do not fit `\(tool.name)`: \(place)\(violation.message)")
    }
    do throws(NotRepresentable) {
      canonicalArguments = try JSON.object(proposal.arguments).canonicalBytes()
    } catch {
      throw Refusal(.notRepresentable, error.description)
    }
    if canonicalArguments.count > GateLimits.argumentBytes {
      throw Refusal(.argumentsTooLarge, "the arguments have \(canonicalArguments.count) bytes, the limit is \(GateLimits.argumentBytes)")
    }
  }

  private func checkTexts(_ value: JSON) throws(Refusal) {
    guard let unfit = UnfitText(in: value) else { return }
    throw Refusal(unfit.code, "the text at `\(visible(unfit.place))` \(unfit.problem)")
  }

  /// The first text of a value that is too long or holds a NUL character.
  private struct UnfitText {
    /// A JSON pointer, grown from its end while the search returns, so that what fits costs nothing.
    var place: String
    var code: Refusal.Code
    var problem: String

    init?(in value: JSON) {
      switch value {
      case .string(let text):
        if text.utf8.count > GateLimits.textBytes {
          let problem = "has \(text.utf8.count) bytes, the limit is \(GateLimits.textBytes)"
          self = UnfitText(place: "", code: .argumentsTooLarge, problem: problem)
        } else if text.utf8.contains(0) {
          self = UnfitText(place: "", code: .argumentsInvalid, problem: "holds a NUL character")
        } else {
          return nil
        }
      case .array(let elements):
        for (index, element) in elements.enumerated() {
          guard let inner = UnfitText(in: element) else { continue }
          self = UnfitText(place: "/\(index)\(inner.place)", code: inner.code, problem: inner.problem)
          return
        }
        return nil
      case .object(let members):
        for (key, member) in members {
          guard let inner = UnfitText(in: .string(key)) ?? UnfitText(in: member) else { continue }
          self = UnfitText(place: "/\(key)\(inner.place)", code: inner.code, problem: inner.problem)
          return
        }
        return nil
      case .null, .bool, .number: return nil
      }
    }

    private init(place: String, code: Refusal.Code, problem: String) {
      (self.place, self.code, self.problem) = (place, code, problem)
    }
  }

  // MARK: The step

  /// The open step that the proposal belongs to, and the permit that its performer implies.
  private mutating func step(for tool: Tool) throws(Refusal) -> RunState.StepState? {
    if let builtin = tool.builtin { try checkRun(builtin) }
    guard let run = view.run else {
      if tool.definition != nil { throw Refusal(.runUnknown, "a tool is called in a run, and this proposal names none") }
      return nil
    }
    guard let name = proposal.step else {
      if agentName != nil || tool.definition != nil { throw Refusal(.stepNotOpen, "this needs the step that it is for") }
      impliedWithoutStep(tool)
      return nil
    }
    guard let step = run.state.step(named: name) else { throw noSuchStep(name, in: run) }
    if tool.builtin == .comment, !proposal.principal.hasPrefix("agent:") {
      implied.append(.implied("run:comment"))
      return step
    }
    let title = step.occurrence.description
    guard step.status.isOpen else {
      throw Refusal(.stepNotOpen, "the step `\(title)` is not open: it is \(step.closure?.rawValue ?? step.status.rawValue)")
    }
    switch tool.builtin {
    case .handOver: implied.append(.implied("system:hand-over", reason: "an agent's step may always be given to a person"))
    case .callModel: try implyModelCall(step)
    case .some(let builtin) where builtin.isOnStep:
      guard isPerformer(of: step) else {
        throw Refusal(.stepNotOpen, "the step `\(title)` is for \(performers(of: step)), not for `\(proposal.principal)`")
      }
      implied.append(.implied("step:\(step.occurrence.id)"))
    case .some: break
    case nil:
      // A connector tool needs a written permit; only whoever has the step may ask.
      let isEngine = proposal.principal == SystemPrincipal.engine.rawValue && step.performer == .tool(tool.name)
      guard isEngine || isPerformer(of: step) else {
        throw Refusal(.stepNotOpen, "the step `\(title)` is for \(performers(of: step)), not for `\(proposal.principal)`")
      }
    }
    // What reaches the outside for a step whose exception is open could happen beside what its handler does about it.
    if tool.effect == .external || tool.definition != nil, step.status == .blocked {
      throw Refusal(.stepBlocked, "the step `\(title)` waits until its exception is resolved")
    }
    return step
  }

  private func noSuchStep(_ name: String, in run: RunRecord) -> Refusal {
    let known = view.release?.process.steps.map(\.id) ?? []
    if let id = Occurrence(parsing: name)?.id, known.contains(where: { bytesEqual($0, id) }) {
      let open = run.state.openSteps.map { "`\($0.occurrence)`" }.joined(separator: ", ")
      return Refusal(.stepNotOpen, "the step `\(visible(name))` is not open" + (open.isEmpty ? "" : "; open now: \(open)"))
    }
    let hint = nearestName(to: name, in: known).map { "; did you mean `\($0)`?" } ?? ""
    return Refusal(.stepUnknown, "process `\(run.state.process)` has no step `\(visible(name))`\(hint)")
  }

  private func checkRun(_ builtin: BuiltinTool) throws(Refusal) {
    switch builtin {
    case .startRun: return
    default: if view.run == nil, !builtin.isOfWorkspace { throw Refusal(.runUnknown, "there is no run `\(visible(proposal.run ?? ""))`") }
    }
  }

  private mutating func impliedWithoutStep(_ tool: Tool) {
    switch tool.builtin {
    case .fireTimer: implied.append(.implied("system:timer", reason: "a timer fires when its time has come"))
    case .comment: implied.append(.implied("run:comment"))
    case .reviewCall: if let reason = authorityToReview { implied.append(.implied(reason)) }
    case .answer, .resolveException, .cancelRun: if let reason = authorityOverRun { implied.append(.implied(reason)) }
    default: break
    }
  }

  /// Why a person may answer questions, resolve exceptions or cancel: the process is theirs, or the step is.
  private var authorityOverRun: String? {
    guard let run = view.run, let process = view.release?.process else { return nil }
    if holds(process.owner) { return "owner:\(process.id)" }
    if proposal.tool == BuiltinTool.cancelRun.rawValue {
      return bytesEqual(run.state.requester, proposal.principal) ? "requester:\(run.state.id)" : nil
    }
    if let id = proposal.arguments["question"]?.stringValue, let question = run.state.questions.first(where: { $0.id == id }),
      let step = process.step(question.step.id), case .agent(let agent) = step.performer, let owner = process.agent(agent)?.owner,
      holds(owner)
    {
      return "agent-owner:\(agent)"
    }
    if let id = proposal.arguments["question"]?.stringValue, run.state.questions.contains(where: { $0.id == id }),
      bytesEqual(run.state.requester, proposal.principal)
    {
      return "requester:\(run.state.id)"
    }
    return nil
  }

  func holds(_ performer: Performer) -> Bool { proposal.identity?.holds(performer, in: view.shared.directory) ?? false }

  private func isPerformer(of step: RunState.StepState) -> Bool {
    if let agentName { return step.performer == .agent(agentName) && step.status == .ready }
    if proposal.principal == SystemPrincipal.engine.rawValue, case .tool = step.performer { return true }
    return ([step.performer] + step.escalatedTo).contains { holds($0) }
  }

  private func performers(of step: RunState.StepState) -> String {
    ([step.performer] + step.escalatedTo).map { "`\($0)`" }.joined(separator: " and ")
  }

  private mutating func implyModelCall(_ step: RunState.StepState) throws(Refusal) {
    guard case .agent(let name) = step.performer, proposal.arguments["agent"]?.stringValue == name else {
      throw Refusal(.stepNotOpen, "the step `\(step.occurrence)` is not an agent's")
    }
    implied.append(.implied("agent:\(name)", reason: "the process employs this agent for the step"))
  }

  /// Refuses what would begin beside an effect of the same step that is not over: a second question to the model, or a second effect
  /// outside by an agent or the engine, which could be the first one again.
  private func checkOpenEffects(of tool: Tool, on step: RunState.StepState?) throws(Refusal) {
    guard tool.effect == .external, let step, let run = view.run, !proposal.principal.hasPrefix("user:") else { return }
    let isModelCall = tool.builtin == .callModel
    let open = run.proposals.last { other in
      other.step == step.occurrence && (other.tool == BuiltinTool.callModel.rawValue) == isModelCall && other.effect == .external
        && (other.status == .started || other.status == .inDoubt)
    }
    guard let open else { return }
    let standing = open.status == .started ? "is under way with another worker" : "is in doubt: a person has to say what became of it"
    throw Refusal(.stepBusy, "the effect of `\(open.id)` on the step `\(step.occurrence)` \(standing)")
  }

  private func checkBudget(_ step: RunState.StepState?) throws(Refusal) {
    guard proposal.tool == BuiltinTool.callModel.rawValue, let step, case .agent(let name) = step.performer,
      let budget = view.release?.process.agent(name)?.budget
    else { return }
    // Calls that failed are left out: an endpoint that cannot be reached takes nothing from the agent. Its worker bounds unusable replies.
    let spent: [ProposalRecord.Status] = [.granted, .started, .done]
    let turns = view.run?.proposals.count { $0.tool == proposal.tool && $0.step == step.occurrence && spent.contains($0.status) } ?? 0
    if turns >= budget.turns {
      throw Refusal(.budgetExhausted, "the agent `\(name)` has used its \(budget.turns) turns on this step")
    }
  }

  // MARK: Controls and rules

  private func applyControls(_ tool: Tool, _ step: RunState.StepState?, to judgement: inout Judgement) {
    guard let process = view.release?.process, let state = view.run?.state else { return }
    for control in process.controls {
      switch control.before {
      case .tool(let name): if !bytesEqual(name, tool.name) { continue }
      case .step(let id): if tool.builtin != .completeStep || step?.occurrence.id != id { continue }
      }
      let rule = "control:\(control.id)"
      var basis = RuleMatch.Basis.condition
      if let when = control.when {
        do throws(ConditionFailure) {
          if try !when.holds(in: state, now: view.now) { continue }
        } catch {
          judgement.errors.append(RuleError(rule: rule, message: error.description))
          basis = .error
        }
        for (path, value) in when.readings(in: state) { judgement.read[path] = value ?? .null }
      }
      judgement.matched.append(RuleMatch(rule: rule, effect: .hold, basis: basis, clause: control.clause, reason: control.statement))
      judgement.requirements.append(
        ApprovalRequirement(
          rule: rule, roles: control.approval.roles, count: control.approval.count, not: control.approval.not,
          isSigned: control.approval.isSigned))
    }
  }

  private func applyRules(_ principal: Request.Principal, _ tool: Tool, _ step: RunState.StepState?, to judgement: inout Judgement) {
    if let builtin = tool.builtin, builtin.isOfWorkspace {
      return WorkspacePolicy(tool: builtin, proposal: proposal, view: view).apply(to: &judgement)
    }
    guard let release = view.release else {
      let process = proposal.arguments["process"]?.stringValue ?? view.run?.state.process ?? ""
      return judgement.refusal = Refusal(.releaseUnknown, "there is no release of `\(visible(process))`")
    }
    let state = view.run?.state
    let definition = step.flatMap { release.process.step($0.occurrence.id) }
    let requester = state.map { Request.Requester(id: $0.requester, roles: view.shared.directory.roles(of: $0.requester)) }
    let request = Request(
      principal: principal,
      tool: tool.definition.map { Request.Tool($0) } ?? Request.Tool(name: tool.name, effect: tool.effect, connector: tool.connector),
      arguments: proposal.arguments,
      step: step.map {
        Request.Step(
          id: $0.occurrence.id, risk: definition?.risk?.rawValue, iteration: $0.occurrence.iteration, performer: $0.performer.description)
      },
      run: state?.fieldValues ?? startFields, requester: requester, facts: state?.factValues ?? [:],
      labels: labels(tool, release),
      now: view.now, implied: implied + impliedForStart(principal, release))
    let (decision, uses) = decision(on: request, under: release, step?.occurrence, &judgement)
    for value in decision.read { judgement.read[value.path] = value.value ?? .null }
    judgement.errors += decision.errors
    let controls = judgement.matched.filter { $0.effect == .hold }
    judgement.matched = controls + decision.matched
    // A control asks for more, it never allows: without a permit or a hold of the rules nothing is carried out.
    judgement.verdict = decision.outcome == .permit && !controls.isEmpty ? .hold : decision.outcome
    if judgement.verdict == .permit { judgement.uses = uses }
    judgement.requirements = judgement.verdict == .hold ? judgement.requirements + decision.requirements : []
    if decision.outcome == .forbid {
      judgement.refusal = Refusal(.forbidden, Self.explanation(of: decision, tool: tool.name, principal: principal.id))
    }
  }

  /// The labels that the rules read, and no others: most rules read none.
  private func labels(_ tool: Tool, _ release: Release) -> JSONObject {
    var labels: JSONObject = [:]
    if release.rules.readsLabels(["run", "facts"]), let state = view.run?.state { labels = state.labels(in: release.process) }
    guard release.rules.readsLabels(ProvenanceIndex.labelGroups) else { return labels }
    let call = TracedCall(
      tool: tool.name, arguments: proposal.arguments, sinks: tool.definition?.sinks ?? [], schema: tool.definition?.arguments)
    for (group, value) in view.provenance().labels(of: call) { labels[group] = value }
    return labels
  }

  private static func explanation(of decision: Decision, tool: String, principal: String) -> String {
    if decision.isDefault { return decision.explanation }
    let rules = decision.deciding.map { match in
      "rule `\(match.rule)`" + (match.clause.map { " (\($0))" } ?? "") + (match.reason.map { ": \($0)" } ?? "")
        + (match.basis == .error ? ", whose condition could not be evaluated" : "")
    }
    return "forbidden by " + rules.joined(separator: "; ")
  }

  private var startFields: JSONObject {
    proposal.tool == BuiltinTool.startRun.rawValue ? proposal.arguments["fields"]?.objectValue ?? [:] : [:]
  }

  /// Starting a run is permitted to the role of its trigger.
  private func impliedForStart(_ principal: Request.Principal, _ release: Release) -> [RuleMatch] {
    guard proposal.tool == BuiltinTool.startRun.rawValue else { return [] }
    let named = proposal.arguments["trigger"]?.stringValue
    return release.process.triggers.compactMap { trigger in
      guard case .form(let role) = trigger.source, named == nil || named == trigger.name, principal.roles.contains(role) else { return nil }
      return .implied("trigger:\(trigger.name)")
    }
  }

  // MARK: Consequences

  private func consequences(of tool: BuiltinTool) throws(Refusal) -> [RunEvent] {
    guard let command = try command(for: tool), let process = view.release?.process else { return [] }
    do throws(RunRefusal) {
      return try process.decide(command, in: view.run?.state, now: view.now)
    } catch {
      throw Refusal(error)
    }
  }

  /// The run's command that a built-in tool stands for; nil for the tools of the workspace.
  private func command(for tool: BuiltinTool) throws(Refusal) -> RunCommand? {
    let arguments = proposal.arguments
    let step = occurrence?.description ?? ""
    let by = proposal.principal
    func text(_ key: String) -> String { arguments[key]?.stringValue ?? "" }
    let fields = arguments["fields"]?.objectValue ?? [:]
    switch tool {
    case .startRun:
      guard let release = view.release, let run = proposal.run else {
        throw Refusal(.releaseUnknown, "there is no release of `\(visible(text("process")))`")
      }
      return .start(run: run, release: release.digest.hex, requester: by, trigger: arguments["trigger"]?.stringValue, fields: fields)
    case .completeStep:
      return .completeStep(step, by: by, fields: fields, origin: origin(of: fields), comment: arguments["comment"]?.stringValue)
    case .setFields: return .setFields(step: proposal.step == nil ? nil : step, by: by, fields: fields, origin: origin(of: fields))
    case .attachEvidence:
      guard let digest = Digest(hex: text("sha256")) else { throw Refusal(.evidenceInvalid, "`sha256` is not a digest") }
      return .attachEvidence(
        step: step, by: by, name: text("name"), digest: digest, media: text("media"), size: Int(arguments["size"]?.intValue ?? 0))
    case .comment: return .comment(step: proposal.step == nil ? nil : step, by: by, text: text("text"))
    case .askHuman: return .askHuman(step: step, by: by, question: text("question"))
    case .raiseException: return .raiseException(step: step, by: by, code: text("code"), text: text("text"))
    case .answer: return .answer(question: text("question"), by: by, text: text("text"))
    case .resolveException:
      guard let resolution = ExceptionResolution(rawValue: text("resolution")) else {
        throw Refusal(.argumentsInvalid, "unknown resolution")
      }
      return .resolveException(text("exception"), by: by, resolution: resolution, comment: arguments["comment"]?.stringValue)
    case .cancelRun: return .cancel(by: by, code: arguments["code"]?.stringValue ?? "cancelled", text: text("text"))
    case .handOver: return .handOver(step: step, by: by, code: text("code"), text: text("text"))
    case .fireTimer: return .fireTimer(text("timer"))
    case .setDirectory, .changeDirectory, .makeRelease, .setMode, .stop, .resume, .grantAllowance, .stopAllowance, .reviewCall, .callModel:
      return nil
    }
  }

  /// Where values that an agent writes come from; nil for a person, whose word it is.
  ///
  /// Once the agent has read text from outside they are no better than that, unless somebody vouches for each of them.
  private func origin(of fields: JSONObject) -> Origin? {
    guard agentName != nil, !fields.isEmpty else { return nil }
    let index = view.provenance()
    let isTrusted =
      index.isClean || LeafReader.texts(of: .object(fields)).allSatisfy { index.vouching(for: $0, argument: nil)?.isTrusted == true }
    return Origin(proposal.principal, trusted: isTrusted)
  }

  // MARK: The digest

  /// What an approval is bound to: who, the tool's definition, the exact arguments, run, step, release, the evidence of the run, and the
  /// values that the matching rules read.
  private func digest(tool: Digest?, read: JSONObject) -> Digest {
    let out = CanonicalWriter(capacity: 1024)
    out.raw("{\"arguments\":\"")
    out.hex(SHA256.hash(canonicalArguments))
    if let tool {
      out.raw("\",\"definition\":\"")
      out.hex(tool)
    }
    out.raw("\"")
    if let evidence = view.run?.state.evidence, !evidence.isEmpty {
      out.raw(",\"evidence\":[\"")
      for (place, piece) in evidence.enumerated() {
        if place > 0 { out.raw("\",\"") }
        out.hex(piece.digest)
      }
      out.raw("\"]")
    }
    out.raw(",\"principal\":")
    out.string(proposal.principal)
    if !read.isEmpty {
      out.raw(",\"read\":")
      do { try out.object(read, rounding: true) } catch {}  // rounding never throws
    }
    if let release = view.release {
      out.raw(",\"release\":\"")
      out.hex(release.digest)
      out.raw("\"")
    }
    if let run = proposal.run {
      out.raw(",\"run\":")
      out.string(run)
    }
    if let occurrence {
      out.raw(",\"step\":")
      out.string(occurrence.description)
    }
    out.raw(",\"tool\":")
    out.string(proposal.tool)
    out.raw("}")
    return SHA256.hash(out.written)
  }
}

/// The components of the service that may propose.
public enum SystemPrincipal: String, Sendable, CaseIterable {
  /// Calls the tools of tool steps.
  case engine = "system:engine"
  /// Calls models for agents and gives up in their name.
  case agents = "system:agents"
  /// Fires timers and ends what nobody decided in time.
  case timer = "system:timer"
}

extension RunState {
  /// The fields that have a value, for conditions.
  var fieldValues: JSONObject { JSONObject(fields.compactMap { field in field.value.map { (field.name, $0) } }) }

  /// The facts that have a value, for conditions.
  var factValues: JSONObject { JSONObject(facts.compactMap { fact in fact.value.map { (fact.name, $0) } }) }

  /// Where each field and fact came from, and how far it may travel: `labels.run.vendor.origin`, `labels.facts.vendor_status.trusted`,
  /// `labels.run.iban.sensitivity`.
  func labels(in process: ProcessDefinition) -> JSONObject {
    func label(_ origin: Origin, _ sensitivity: Sensitivity?) -> JSON {
      [
        "origin": .string(origin.label), "trusted": .bool(origin.trusted),
        "sensitivity": .string((sensitivity ?? .restricted).rawValue),
      ]
    }
    var object: JSONObject = [:]
    if !fields.isEmpty {
      object["run"] = .object(JSONObject(fields.map { ($0.name, label($0.origin, process.field($0.name)?.sensitivity)) }))
    }
    if !facts.isEmpty {
      object["facts"] = .object(
        JSONObject(
          facts.map { fact in
            let tool = fact.tool.flatMap { process.tool($0) }
            return (fact.name, label(fact.origin, tool?.sensitivity(of: fact.name)))
          }))
    }
    return object
  }
}
