internal import Audit
internal import Core
internal import Governance
internal import PolicyEngine
internal import ProcessModel

/// Works on one tool step: computes the arguments, proposes the call, and carries it out once the gate allows it.
struct ToolStepWorker: Sendable {
  let gate: PermissionGate
  let runner: ToolRunner

  private struct View: Sendable {
    var run: RunRecord
    var release: Release
    var step: RunState.StepState
    var tool: ToolDefinition
  }

  /// Works on a step until it is done or cannot go on.
  ///
  /// - Throws: What the store throws.
  func work(on occurrence: Occurrence, in run: String) async throws -> StepOutcome {
    let gate = gate
    while true {
      let seen = try await gate.store.read { context -> View? in
        guard let record = try context.run(run), record.state.status == .running, let step = record.state.step(occurrence),
          step.status.isOpen,
          case .tool(let name) = step.performer
        else { return nil }
        let release = try gate.release(record.state.release, in: context)
        return release.process.tool(name).map { View(run: record, release: release, step: step, tool: $0) }
      }
      guard let view = seen else { return .completed }
      if view.step.status == .blocked { return .waiting("an exception at the step is open") }
      if let outcome = try await move(view) { return outcome }
    }
  }

  /// Makes the next move.
  ///
  /// - Returns: nil where another look is due.
  private func move(_ view: View) async throws -> StepOutcome? {
    let occurrence = view.step.occurrence
    let roots = view.run.proposals.filter {
      $0.step == occurrence && $0.principal == SystemPrincipal.engine.rawValue && $0.tool == view.tool.name && $0.replaces == nil
    }
    // Each attempt of a step makes one call; a replaced proposal belongs to the attempt of the one that it replaces.
    guard let root = roots.last, roots.count >= view.step.attempt else { return try await propose(view) }
    let record = view.run.replacement(of: root.id) ?? root
    switch record.status {
    case .held: return .held([record.id])
    case .granted: return try await carryOut(record, view)
    case .started: return .parked("the effect of \(record.id) is under way")
    case .inDoubt:
      guard view.tool.isIdempotent else { return .parked("the effect of \(record.id) is in doubt: a person has to say what happened") }
      return try await carryOut(record, view)
    case .done, .failed: return .parked("the call of \(record.id) is over, but its step is not")
    case .forbidden: return try await raise(view, "forbidden", "the rules forbid the call")
    case .rejected: return try await raise(view, "rejected", "a person rejected the call")
    case .expired: return try await raise(view, "expired", "nobody decided on the call in time")
    case .withdrawn, .superseded, .voided: return try await raise(view, "withdrawn", "the call was withdrawn")
    }
  }

  private func propose(_ view: View) async throws -> StepOutcome? {
    let arguments: JSONObject
    do throws(ConditionFailure) {
      arguments =
        try view.release.process.arguments(ofToolStep: view.step.occurrence.id, in: view.run.state, now: gate.store.options.time.now())
        ?? [:]
    } catch {
      return try await raise(view, "arguments", "the arguments cannot be computed: \(error.description)")
    }
    let outcome = try await gate.submit(
      Proposal(
        id: gate.mintID(), principal: SystemPrincipal.engine.rawValue, tool: view.tool.name, arguments: arguments, run: view.run.state.id,
        step: view.step.occurrence.description))
    if let refusal = outcome.refusal, refusal.isPassing { return .parked(refusal.message) }
    if outcome.verdict == .forbid {
      return try await raise(view, "forbidden", outcome.refusal?.message ?? "the rules forbid the call")
    }
    return nil
  }

  private func carryOut(_ record: ProposalRecord, _ view: View) async throws -> StepOutcome? {
    do {
      let outcome = try await runner.run(record.id, in: view.run.state.id)
      if outcome.kind == .inDoubt { return .parked("the effect of \(record.id) is in doubt: \(outcome.message ?? "its outcome was lost")") }
      return nil
    } catch let refusal as Refusal {
      if refusal.code == Refusal.Code.changed.rawValue { return nil }
      return .parked(refusal.message)
    }
  }

  private func raise(_ view: View, _ code: String, _ text: String) async throws -> StepOutcome? {
    let outcome = try await gate.submit(
      Proposal(
        id: gate.mintID(), principal: SystemPrincipal.engine.rawValue, tool: BuiltinTool.raiseException.rawValue,
        arguments: ["code": .string(code), "text": .string(text)], run: view.run.state.id, step: view.step.occurrence.description))
    return outcome.verdict == .permit ? nil : .parked(outcome.refusal?.message ?? text)
  }
}
