internal import Audit
internal import Core
internal import PolicyEngine
internal import ProcessModel

extension PermissionGate {
  /// Plants a probe beside a proposal that waits.
  ///
  /// The probe is judged as the proposal was; where the rules would not hold it in the same way, something else is tried to be wrong in it.
  ///
  /// - Parameters:
  ///   - id: The proposal that it is a copy of.
  ///   - identity: Who plants it: the owner of the process or the operator, who do not learn its id.
  ///   - seed: Chooses what is wrong.
  /// - Returns: Whether one could be planted.
  /// - Throws: ``Refusal`` for who may not; what the store throws.
  public func plantProbe(beside id: String, by identity: Identity, seed: UInt64) async throws -> Bool {
    let fresh = mintID()
    let result: Result<Bool, Refusal> = try await store.submit { [self] context in
      do {
        guard let draft = try probe(beside: id, as: fresh, by: identity, seed: seed, in: context) else { return ([], .success(false)) }
        return ([draft], .success(true))
      } catch let refusal as Refusal {
        return ([], .failure(refusal))
      }
    }
    return try result.get()
  }

  private func probe(
    beside id: String, as fresh: String, by identity: Identity, seed: UInt64, in context: WriteContext<GovernanceLedger>
  ) throws -> EntryDraft? {
    guard let docket = try docket(of: id, in: context), let run = docket.run, docket.record.status == .held, !docket.record.isProbe else {
      return nil
    }
    let record = docket.record
    let original = try original(record, run: run, in: context).proposal
    let view = try view(of: original, in: context)
    guard let process = view.release?.process else { return nil }
    if let refusal = view.shared.refusal(of: identity) { throw refusal }
    guard identity.holds(process.owner, in: view.shared.directory) || identity.isOperator(in: view.shared.directory) else {
      throw Refusal(.notEligible, "probes are planted by the owner of the process, `\(process.owner)`, or the operator")
    }
    var random = SeededGenerator(seed: seed)
    for _ in 0..<8 {
      let spoiled = Probe.spoiled(original.arguments, sinks: process.tool(original.tool)?.sinks ?? [], &random)
      guard let (arguments, pointer) = spoiled else { return nil }
      var proposal = Proposal(
        id: Probe.id(like: original.id, fresh: fresh), principal: original.principal, tool: original.tool, arguments: arguments,
        run: original.run, step: original.step, reason: original.reason, call: original.call, isScripted: original.isScripted)
      proposal.identity = original.identity
      let judgement = Judge.judge(proposal, in: view, isNew: false)
      guard judgement.verdict == .hold, judgement.requirements == record.requirements else { continue }
      return try EntryDrafting.proposal(
        proposal, judgement, release: view.release, expires: Self.expiry(of: judgement.requirements, from: context.now),
        editorCounts: false, evidence: [], probe: Probe(original: record.id, changed: pointer, by: identity.principal))
    }
    return nil
  }
}
