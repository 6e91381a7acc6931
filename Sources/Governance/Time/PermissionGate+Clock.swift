internal import Audit
internal import Core
internal import PolicyEngine

extension PermissionGate {
  /// The time by which the gate decides: log time, or the wall clock where a person confirmed that entries were made by a wrong one.
  func decisionTime(in context: WriteContext<GovernanceLedger>) throws -> Instant {
    try context.shared().clock.isBehindLog ? store.options.time.now() : context.now
  }

  /// Whether the wall clock is not believed, with the entry that says so where none does yet.
  func clockDoubt(in context: WriteContext<GovernanceLedger>) throws -> (isSuspect: Bool, drafts: [EntryDraft]) {
    guard let watch else { return (false, []) }
    let record = try context.shared().clock
    if record.suspicion != nil { return (true, []) }
    let problem = try watch.problem {
      if record.isBehindLog { return record.confirmed }
      return context.nextIndex > 0 ? try context.entry(at: context.nextIndex - 1)?.time : nil
    }
    guard let problem else { return (false, []) }
    let draft = EntryDraft(
      type: EntryType.clockSuspected, principal: SystemPrincipal.timer.rawValue,
      body: ["wall": .int(watch.wall.milliseconds)], content: [Content(ContentPart.reason, Array(problem.utf8))])
    return (true, [draft])
  }

  /// Looks at the clock, and records where it cannot be believed.
  ///
  /// - Returns: Whether it can.
  public func checkClock() async throws -> Bool {
    if watch == nil { return true }
    return try await store.submit { [self] context in
      let doubt = try clockDoubt(in: context)
      return (doubt.drafts, !doubt.isSuspect)
    }
  }

  /// Says that the wall clock is right as it is now: what depends on time goes on.
  ///
  /// - Returns: The outcome; refused where nobody doubts the clock.
  public func confirmClock(reason: String?, by identity: Identity) async throws -> GateOutcome {
    _ = try await checkClock()
    let outcome = try await submit(
      Proposal(
        id: mintID(), principal: identity.principal, identity: identity, tool: BuiltinTool.confirmClock.rawValue,
        arguments: ["at": .int((watch?.wall ?? store.options.time.now()).milliseconds)], reason: reason,
        isScripted: identity.mode == .scripted))
    if outcome.verdict == .permit { watch?.confirm() }
    return outcome
  }

  static let clockSuspect = Refusal(
    .clockSuspect, "the wall clock cannot be believed: nothing is carried out until a person has looked (`remit clock`)")
}
