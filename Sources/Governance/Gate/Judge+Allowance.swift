internal import Core
internal import PolicyEngine
internal import ProcessModel

/// Looks for an allowance that covers one call.
struct AllowanceSearch {
  let view: GateView
  let proposal: Proposal
  let release: Release
  let step: Occurrence?
  /// The allowances that this call ends.
  private(set) var demotions: [Demotion] = []

  init(view: GateView, proposal: Proposal, release: Release, step: Occurrence?) {
    (self.view, self.proposal, self.release, self.step) = (view, proposal, release, step)
  }

  /// Whether a live allowance covers the call under an earned permit.
  ///
  /// - Returns: What the rule set is told, and the use that the entry states where the call is covered.
  mutating func answer(_ rule: Rule) -> (answer: AllowanceAnswer, use: AllowanceUse?) {
    guard proposal.principal.hasPrefix("agent:"), let usage = view.usage else {
      return (.uncovered("people decide on this one"), nil)
    }
    let agent = String(proposal.principal.dropFirst(6))
    var reason: String?
    // The newest one first; where none covers the call, its reason is the one that is told.
    for record in view.shared.allowances.reversed() {
      let allowance = record.allowance
      guard allowance.concerns(agent: agent, process: release.process.id, tool: proposal.tool, step: step?.id) else { continue }
      do throws(Uncovered) {
        return (.covered, try use(of: record, for: rule, usage))
      } catch {
        if reason == nil { reason = "the allowance `\(allowance.name)` does not cover it: \(error.reason)" }
      }
    }
    return (.uncovered(reason ?? "`\(agent)` has no allowance for this"), nil)
  }

  private mutating func use(of record: AllowanceRecord, for rule: Rule, _ usage: AllowanceUsage) throws(Uncovered) -> AllowanceUse {
    let allowance = record.allowance
    if let problem = record.problem(at: view.now) { throw Uncovered(problem) }
    if let only = allowance.rule, !bytesEqual(only, rule.id) { throw Uncovered("it is for the rule `\(only)`") }
    if let problem = allowance.problem(with: proposal.arguments) { throw Uncovered(problem) }
    // A run that goes on under an older release is not covered, and says nothing about the allowance.
    if let change = record.basis.pins.ofRelease.change(to: AllowancePins(allowance, in: release, view.shared, model: nil)) {
      throw Uncovered(change)
    }
    let pinned = record.basis.pins.model
    if usage.knowsModel, usage.model != pinned {
      throw demote(allowance, .changed, "the model is not the one that it was earned with")
    }
    let sinks = (release.process.tool(proposal.tool)?.sinks ?? []).map { "/\($0)" }
    let targets = sinks.isEmpty ? [] : view.targetOrigins(of: proposal.tool, arguments: proposal.arguments)
    let unknown = targets.first { target in
      !target.isVouched && sinks.contains { target.pointer == $0 || target.pointer.hasPrefix("\($0)/") }
    }
    if let target = unknown {
      throw demote(allowance, .labelViolation, "nothing vouches for the target at `\(visible(target.pointer))`")
    }
    let amounts = try usage.amounts(of: proposal.arguments, under: allowance)
    return AllowanceUse(name: allowance.name, amounts: amounts, isSampled: allowance.isSampled(proposal.id))
  }
}

extension AllowanceSearch {
  /// Ends an allowance, whatever becomes of the call.
  private mutating func demote(_ allowance: Allowance, _ why: AllowanceRecord.Ending, _ text: String) -> Uncovered {
    demotions.append(Demotion(name: allowance.name, why: why, text: text))
    return Uncovered(text)
  }
}

extension Judge {
  /// What the rules say, with the allowances that earned permits find.
  func decision(
    on request: Request, under release: Release, _ step: Occurrence?, _ judgement: inout Judgement
  ) -> (Decision, uses: [AllowanceUse]) {
    var uses: [AllowanceUse] = []
    var demotions: [Demotion] = []
    let decision = release.rules.authorize(request, guard: view.guardRules) { rule in
      var search = AllowanceSearch(view: view, proposal: proposal, release: release, step: step)
      let (answer, use) = search.answer(rule)
      if let use, !uses.contains(use) { uses.append(use) }
      for demotion in search.demotions where !demotions.contains(demotion) { demotions.append(demotion) }
      return answer
    }
    if !demotions.isEmpty { judgement.demotions = demotions }
    return (decision, uses)
  }

  /// Why a person may say whether a call was right: the process is theirs, or allowances are; never who asked for the run.
  var authorityToReview: String? {
    guard let run = view.run, let process = view.release?.process, !bytesEqual(run.state.requester, proposal.principal) else { return nil }
    if holds(process.owner) { return "owner:\(process.id)" }
    switch view.shared.directory.governs[.allowances] {
    case .role(let role): return holds(.role(role)) ? "workspace:allowances" : nil
    case .user(let user): return holds(.user(user)) ? "workspace:allowances" : nil
    case .owner, nil: return nil
    }
  }

  /// Refuses what makes no sense about an allowance, before anybody is asked.
  func checkAllowance(_ tool: BuiltinTool) throws(Refusal) {
    switch tool {
    case .grantAllowance: try checkGrant()
    case .stopAllowance:
      let name = proposal.arguments["allowance"]?.stringValue ?? ""
      guard view.shared.openAllowance(name) != nil else {
        throw Refusal(.allowanceUnknown, "there is no allowance `\(visible(name))` that has not ended")
      }
    case .reviewCall: try checkReview()
    default: return
    }
  }

  private func checkGrant() throws(Refusal) {
    let allowance = try Allowance(json: .object(proposal.arguments))
    func invalid(_ message: String) -> Refusal { Refusal(.allowanceInvalid, message) }
    guard let release = view.release else {
      throw Refusal(.releaseUnknown, "there is no release of `\(visible(allowance.process))`")
    }
    if view.shared.openAllowance(allowance.name) != nil {
      throw invalid("there is an allowance `\(visible(allowance.name))` already; `remit allowance stop` ends it")
    }
    if view.shared.allowances.count(where: { $0.end == nil }) >= GateLimits.allowances {
      throw Refusal(.rateLimit, "there are \(GateLimits.allowances) allowances that have not ended, which is the limit")
    }
    if view.now > allowance.until { throw invalid("`until` is over already") }
    if allowance.until > view.now + Allowance.longest { throw invalid("`until` is more than 366 days away") }
    let rules = release.rules.rules.filter { $0.isEarned && $0.tools.contains { $0.matches(allowance.tool) } }
    if rules.isEmpty { throw invalid("no rule of `\(release.process.id)` about `\(visible(allowance.tool))` has to be earned") }
    if let rule = allowance.rule, !rules.contains(where: { bytesEqual($0.id, rule) }) {
      throw invalid("`\(visible(rule))` is no rule about `\(allowance.tool)` that has to be earned")
    }
    if let step = allowance.step, release.process.step(step) == nil {
      throw Refusal(.stepUnknown, "process `\(release.process.id)` has no step `\(visible(step))`")
    }
    for agent in allowance.agents {
      guard let known = release.process.agent(agent) else {
        throw Refusal(.principalUnknown, "the process declares no agent `\(visible(agent))`")
      }
      guard known.tools.contains(where: { bytesEqual($0, allowance.tool) }) else {
        throw Refusal(.toolNotGranted, "the agent `\(agent)` may not use `\(visible(allowance.tool))`")
      }
    }
    let basis = view.basis ?? AllowanceBasis(reviewed: 0, wrong: 0, pins: AllowancePins(allowance, in: release, view.shared, model: nil))
    if basis.bound > allowance.maximumError {
      let sample = "\(basis.wrong) of \(basis.reviewed) reviewed cases were wrong"
      throw Refusal(
        .notEarned,
        "\(sample), so up to \(AllowanceBasis.percent(basis.bound)) may be (95 % confidence); the allowance asks for \(AllowanceBasis.percent(allowance.maximumError))"
      )
    }
  }

  private func checkReview() throws(Refusal) {
    let id = proposal.arguments["proposal"]?.stringValue ?? ""
    guard let record = view.run?.proposal(id), !record.uses.isEmpty else {
      throw Refusal(.proposalUnknown, "the run has no call `\(visible(id))` that an allowance covered")
    }
    if record.judged != nil { throw Refusal(.notHeld, "`\(id)` was reviewed already") }
  }
}
