internal import Core
internal import PolicyEngine
internal import ProcessModel

// What is proposed: the tool, who may use it at all, and how much of it.
extension Judge {
  struct Tool {
    var name: String
    var effect: EffectClass
    var connector: String
    var digest: Digest
    var builtin: BuiltinTool?
    var definition: ToolDefinition?
    var validator: JSONSchema?
  }

  var effectOfTool: EffectClass {
    if let builtin { return builtin.effect == .external ? .external : .state }
    return view.release?.process.tool(proposal.tool).flatMap { EffectClass(rawValue: $0.effect.rawValue) } ?? .external
  }

  func tool() throws(Refusal) -> Tool {
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
      digest: view.shared.definitionDigest(of: name, in: release), definition: definition, validator: release.validators[name])
  }

  var agentName: String? { proposal.principal.hasPrefix("agent:") ? String(proposal.principal.dropFirst(6)) : nil }

  /// Which kind of principal may ask for which built-in tool at all.
  func checkMayUse(_ tool: BuiltinTool) throws(Refusal) {
    let isPerson = proposal.principal.hasPrefix("user:")
    let allowed: Bool
    switch tool {
    case .raiseException: allowed = isPerson || agentName != nil || proposal.principal == SystemPrincipal.engine.rawValue
    case .completeStep, .setFields, .attachEvidence, .comment, .askHuman: allowed = isPerson || agentName != nil
    case .answerReviewer: allowed = agentName != nil
    case .startRun: allowed = isPerson || isCalendar
    case .cancelRun, .pauseRun, .resumeRun, .claimStep, .releaseStep, .delegateStep, .reassignStep, .skipStep, .sendBack,
      .answer, .resolveException, .setDirectory, .changeDirectory, .makeRelease, .setMode, .confirmClock, .setGuard, .acceptTool, .stop,
      .resume, .grantAllowance, .stopAllowance, .reviewCall, .endorse, .withdrawEndorsement, .redact:
      allowed = isPerson
    case .handOver, .callModel: allowed = proposal.principal == SystemPrincipal.agents.rawValue
    case .fireTimer: allowed = proposal.principal == SystemPrincipal.timer.rawValue
    }
    if !allowed { throw Refusal(.toolNotGranted, "`\(proposal.principal)` may not use `\(tool.rawValue)`") }
    if let agent = agentName, let granted = view.release?.process.agent(agent)?.tools, !granted.contains(tool.rawValue),
      // What an agent needs to say that it cannot go on is never taken from it.
      tool != .askHuman, tool != .raiseException, tool != .comment, tool != .answerReviewer
    {
      throw Refusal(.toolNotGranted, "the agent `\(agent)` may not use `\(tool.rawValue)`; it has: \(granted.joined(separator: ", "))")
    }
  }

  /// Refuses what a paused run does not take.
  func checkPause() throws(Refusal) {
    switch builtin {
    case .resumeRun, .cancelRun, .comment, .answer, .reviewCall, .answerReviewer: return
    default: break
    }
    if let run = view.run?.state, run.standing == "paused" {
      throw Refusal(.runPaused, "the run `\(run.id)` is paused; `remit run resume` lets it go on")
    }
  }

  /// Refuses a guard that could not be used: nothing could be decided under it.
  func checkGuard() throws(Refusal) {
    guard let text = proposal.arguments["text"]?.stringValue else { return }
    do throws(Diagnostics) {
      _ = try WorkspaceGuard.rules(text)
    } catch {
      throw Refusal(.argumentsInvalid, "these rules cannot be a guard: \(error.description)")
    }
  }

  func checkStops() throws(Refusal) {
    switch builtin {
    case .stop, .resume, .comment, .cancelRun, .pauseRun, .resumeRun, .claimStep, .releaseStep, .delegateStep, .reassignStep, .answer,
      .handOver, .setDirectory, .changeDirectory, .setMode, .confirmClock, .setGuard, .acceptTool, .stopAllowance, .reviewCall, .endorse,
      .withdrawEndorsement, .redact:
      return
    default: break
    }
    let process = view.run?.state.process ?? view.release?.process.id
    let agent = proposal.principal.hasPrefix("agent:") ? proposal.principal : proposal.arguments["agent"]?.stringValue.map { "agent:\($0)" }
    if let scope = view.shared.stop(process: process, run: proposal.run, agent: agent) {
      throw Refusal(.stopped, "work is stopped for `\(visible(scope))`; `remit resume` lifts the stop")
    }
  }

  func checkRates() throws(Refusal) {
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

  func checkHeld() throws(Refusal) {
    guard let run = view.run else { return try checkHeldOfWorkspace() }
    if run.held.count < GateLimits.heldPerRun { return }
    throw Refusal(.rateLimit, "\(run.held.count) proposals of this run wait for people already, the limit is \(GateLimits.heldPerRun)")
  }

  func checkHeldOfWorkspace() throws(Refusal) {
    let held = view.shared.proposals.count { $0.status == .held && bytesEqual($0.principal, proposal.principal) }
    if held < GateLimits.heldPerPerson { return }
    throw Refusal(
      .rateLimit, "\(held) proposals of `\(proposal.principal)` wait for people already, the limit is \(GateLimits.heldPerPerson)")
  }
}
