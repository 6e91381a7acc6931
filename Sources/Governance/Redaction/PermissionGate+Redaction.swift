internal import Audit
internal import Core
internal import ProcessModel
internal import Storage

extension PermissionGate {
  /// Proposes to remove content of runs that are over from the log; another person has to agree, and then it is gone.
  ///
  /// - Parameters:
  ///   - targets: What is removed.
  ///   - rule: The rule that says so, such as a clause of a policy.
  ///   - reason: Why, for people.
  ///   - identity: Who proposes it.
  /// - Returns: The outcome.
  /// - Throws: What the store throws.
  public func redact(
    _ targets: [RedactionRecord.Target], rule: String, reason: String?, by identity: Identity
  ) async throws -> GateOutcome {
    try await submit(
      Proposal(
        id: mintID(), principal: identity.principal, identity: identity, tool: BuiltinTool.redact.rawValue,
        arguments: ["rule": .string(rule), "targets": .array(targets.map(\.json))], reason: reason,
        isScripted: identity.mode == .scripted))
  }

  /// Why what a proposal wants to remove cannot be removed; nil where it can, and for other proposals.
  func redactionProblem(of proposal: Proposal, in context: WriteContext<GovernanceLedger>) throws -> Refusal? {
    guard proposal.tool == BuiltinTool.redact.rawValue else { return nil }
    let targets = (proposal.arguments["targets"]?.arrayValue ?? []).compactMap { RedactionRecord.Target(JSONView($0)) }
    guard Set(targets).count == targets.count else { return Refusal(.argumentsInvalid, "a part is named twice") }
    for target in targets {
      let name = "the part `\(visible(target.part.string))` of entry \(target.entry)"
      guard let entry = try context.entry(at: target.entry), let part = entry.content.first(where: { $0.part == target.part.string }) else {
        return Refusal(.argumentsInvalid, "there is no \(name.dropFirst(4))")
      }
      if part.bytes == nil { return Refusal(.changed, "\(name) was removed already") }
      if RedactionRecord.kept.contains(part.part) {
        return Refusal(.forbidden, "\(name) proves who approved what, and stays as long as the log")
      }
      guard let id = entry.run, let run = try context.run(id) else {
        return Refusal(.forbidden, "\(name) belongs to no run: people, releases and rules stay as long as the log")
      }
      if run.state.status == .running || run.proposals.contains(where: { $0.status.isOpen }) {
        return Refusal(.forbidden, "the run `\(id)` is not over, and needs what it knows; `remit run cancel` ends it")
      }
    }
    return nil
  }
}
