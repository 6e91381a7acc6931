internal import Audit
internal import Core
internal import Governance
internal import PolicyEngine
internal import ProcessModel

/// Works on one tool step: computes the arguments, proposes the call, and carries it out once the gate allows it.
///
/// Each attempt of a step makes one call, whose id follows from run, step and attempt: however many workers are at the step, and wherever
/// one of them was interrupted, the gate takes one call and grants it once.
struct ToolStepWorker: Sendable {
  let gate: PermissionGate
  let runner: ToolRunner

  private struct View: Sendable {
    var run: RunRecord
    var release: Release
    var step: RunState.StepState
    var tool: ToolDefinition
    /// What stops work on the run.
    var stop: String?
    /// Why calls of the step were refused, by proposal.
    var refusals: [String: (code: String, text: String)] = [:]

    /// The engine's proposals of a tool on the step, of all attempts.
    func proposals(of tool: String) -> [ProposalRecord] {
      run.proposals.filter { $0.step == step.occurrence && $0.principal == SystemPrincipal.engine.rawValue && $0.tool == tool }
    }

    /// The calls of the step.
    var calls: [ProposalRecord] { proposals(of: tool.name) }

    /// The call of any attempt whose effect is under way or in doubt: before that is settled the step is not tried again.
    var unsettled: ProposalRecord? { calls.last { $0.status == .started || $0.status == .inDoubt } }

    /// This attempt's call, or the latest one that took its place.
    var call: ProposalRecord? { run.proposal(callID).map { run.replacement(of: $0.id) ?? $0 } }

    /// The id of this attempt's call; another one after a refusal that passes.
    var callID: String { id("call", round: refusals.count { Refusal.Code(rawValue: $0.value.code)?.isPassing == true }) }

    /// The id of the exception that ends this attempt; another one after a refusal.
    var exceptionID: String {
      id("exception", round: proposals(of: BuiltinTool.raiseException.rawValue).count { $0.status == .forbidden })
    }

    private func id(_ what: String, round: Int) -> String {
      Proposal.id(of: run.state.id, step.occurrence.description, "\(step.attempt)", what, "\(round)")
    }
  }

  /// Works on a step until it is done or cannot go on.
  ///
  /// - Throws: What the store throws.
  func work(on occurrence: Occurrence, in run: String) async throws -> StepOutcome {
    while true {
      guard let view = try await look(at: occurrence, in: run) else { return .completed }
      if let outcome = try await move(view) { return outcome }
    }
  }

  private func look(at occurrence: Occurrence, in run: String) async throws -> View? {
    let gate = gate
    return try await gate.store.read { context in
      guard let record = try context.run(run), record.state.status == .running, let step = record.state.step(occurrence),
        step.status.isOpen, case .tool(let name) = step.performer
      else { return nil }
      let release = try gate.release(record.state.release, in: context)
      guard let tool = release.process.tool(name) else { return nil }
      var view = View(run: record, release: release, step: step, tool: tool)
      view.stop = try context.shared().stop(process: record.state.process, run: run, agent: nil)
      for call in view.calls where call.status == .forbidden {
        guard let entry = try context.entry(at: call.entry) else { continue }
        let text = entry.content(ContentPart.refusal).map { String(decoding: $0, as: UTF8.self) }
        view.refusals[call.id] = (entry.body["refusal"]?.stringValue ?? "", text ?? "the rules forbid the call")
      }
      return view
    }
  }

  /// Makes the next move.
  ///
  /// - Returns: nil where another look is due.
  private func move(_ view: View) async throws -> StepOutcome? {
    if let scope = view.stop { return .parked("work is stopped for \(scope)") }
    if view.run.state.pause != nil { return .parked("the run is paused") }
    if view.step.status == .blocked { return .waiting("an exception at the step is open") }
    guard let record = view.unsettled ?? view.call else { return try await propose(view) }
    switch record.status {
    case .held: return .held([record.id])
    case .granted: return try await carryOut(record, view)
    case .started: return .busy("another worker carries out \(record.id)")
    case .inDoubt:
      guard view.tool.isIdempotent else { return .parked("the effect of \(record.id) is in doubt: a person has to say what happened") }
      return try await carryOut(record, view)
    case .done, .failed: return .parked("the call of \(record.id) is over, but its step is not")
    case .forbidden: return try await raise(view, "forbidden", view.refusals[record.id]?.text ?? "the rules forbid the call")
    case .rejected: return try await raise(view, "rejected", "a person rejected the call")
    case .expired: return try await raise(view, "expired", "nobody decided on the call in time")
    case .withdrawn, .superseded, .voided: return try await raise(view, "withdrawn", "the call was withdrawn")
    }
  }

  private func propose(_ view: View) async throws -> StepOutcome? {
    let arguments: JSONObject
    do throws(ConditionFailure) {
      arguments =
        try view.release.process.arguments(ofToolStep: view.step.occurrence, in: view.run.state, now: gate.store.options.time.now())
        ?? [:]
    } catch {
      return try await raise(view, "arguments", "the arguments cannot be computed: \(error.description)")
    }
    let outcome = try await gate.submit(
      Proposal(
        id: view.callID, principal: SystemPrincipal.engine.rawValue, tool: view.tool.name, arguments: arguments, run: view.run.state.id,
        step: view.step.occurrence.description))
    // Any other refusal is dealt with at the next look.
    guard let refusal = outcome.refusal, refusal.isPassing else { return nil }
    return try await gate.outcome(of: refusal, step: view.step.occurrence, in: view.run.state.id)
  }

  private func carryOut(_ record: ProposalRecord, _ view: View) async throws -> StepOutcome? {
    do {
      let outcome = try await runner.run(record.id, in: view.run.state.id)
      if outcome.kind == .inDoubt { return .parked("the effect of \(record.id) is in doubt: \(outcome.message ?? "its outcome was lost")") }
      return nil
    } catch let refusal as Refusal {
      return try await gate.outcome(of: refusal, on: (record.id, record.status), step: view.step.occurrence, in: view.run.state.id)
    }
  }

  private func raise(_ view: View, _ code: String, _ text: String) async throws -> StepOutcome? {
    let outcome = try await gate.submit(
      Proposal(
        id: view.exceptionID, principal: SystemPrincipal.engine.rawValue, tool: BuiltinTool.raiseException.rawValue,
        arguments: ["code": .string(code), "text": .string(text)], run: view.run.state.id, step: view.step.occurrence.description))
    // Without events another worker has raised it, and goes on from there.
    return outcome.verdict == .permit && !outcome.events.isEmpty ? nil : .parked(outcome.refusal?.message ?? text)
  }
}
