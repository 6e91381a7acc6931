internal import Core
internal import ProcessModel

extension SharedState {
  /// The allowances that a new release of their process ends, as it has another tool, prompt or document than they were earned with.
  func demotions(byRelease release: Release) -> [Demotion] {
    allowances.compactMap { record in
      guard record.end == nil, bytesEqual(record.allowance.process, release.process.id) else { return nil }
      let next = AllowancePins(record.allowance, in: release, self, model: nil)
      return record.basis.pins.ofRelease.change(to: next).map { Demotion(name: record.allowance.name, why: .changed, text: $0) }
    }
  }
}

extension GateView {
  /// The allowances that are in question because a person rejected or changed a call that is within their bounds.
  func demotions(byOverride proposal: Proposal, reason: String?) -> [Demotion] {
    guard proposal.principal.hasPrefix("agent:"), let process = release?.process.id else { return [] }
    let agent = String(proposal.principal.dropFirst(6))
    let step = proposal.step.flatMap { Occurrence(parsing: $0) }?.id
    return shared.allowances.compactMap { record in
      guard record.problem(at: now) == nil,
        record.allowance.concerns(agent: agent, process: process, tool: proposal.tool, step: step),
        record.allowance.problem(with: proposal.arguments) == nil
      else { return nil }
      return Demotion(name: record.allowance.name, why: .overridden, text: reason ?? "a person changed the call `\(proposal.id)`")
    }
  }

  /// The allowances that covered a call which a person found to be wrong.
  func demotions(byReview review: Proposal) -> [Demotion] {
    guard review.arguments["verdict"]?.stringValue == "wrong", let id = review.arguments["proposal"]?.stringValue else { return [] }
    let uses = run?.proposal(id)?.uses ?? []
    return uses.filter { shared.openAllowance($0.name) != nil }.map { use in
      Demotion(name: use.name, why: .badOutcome, text: review.arguments["text"]?.stringValue ?? "the call `\(id)` was wrong")
    }
  }
}
