internal import Audit
internal import Core

extension PermissionGate {
  /// Proposes who opens the store for writing from now on.
  ///
  /// - Returns: The outcome: several people may be relied upon at once, going back needs another person.
  public func setMode(_ mode: WorkspaceMode, reason: String? = nil, by identity: Identity) async throws -> GateOutcome {
    try await submit(
      Proposal(
        id: mintID(), principal: identity.principal, identity: identity, tool: BuiltinTool.setMode.rawValue,
        arguments: ["mode": .string(mode.rawValue)], reason: reason, isScripted: identity.mode == .scripted))
  }

  /// Records that an account that may not give commands tried to, at most once a minute for each account and 60 times in all, so that
  /// nobody can make the log grow.
  ///
  /// - Parameters:
  ///   - uid: The number of the account, as the kernel says it.
  ///   - account: Its name.
  ///   - mode: How it came.
  ///   - code: Why it was refused, in kebab case.
  /// - Throws: What the store throws.
  public func recordRefusedAccess(uid: UInt32, account: String, by mode: Identity.Mode, code: String) async throws {
    try await store.submit { context in
      guard try context.shared().records(refusedAccessOf: uid, at: context.now) else { return ([], ()) }
      return ([EntryDrafting.refusedAccess(uid: uid, account: account, by: mode, code: code)], ())
    }
  }
}

extension SharedState {
  /// The refusal of what comes by way of the file where a service keeps the store; nil for anything else.
  func refusal(of identity: Identity?) -> Refusal? {
    guard isTeam, identity?.mode == .singleOperator else { return nil }
    return Refusal(.serviceOnly, "`remit serve` keeps this store for several people; its file was opened directly")
  }

  /// How many refusals of access are recorded in ``refusalSpan``.
  private static var maximumRefusals: Int { 60 }
  private static var refusalSpan: Duration { .seconds(60) }

  /// Whether another refusal of an account is recorded.
  fileprivate func records(refusedAccessOf uid: UInt32, at now: Instant) -> Bool {
    let recent = refusedAccess.filter { $0.time + Self.refusalSpan > now }
    return recent.count < Self.maximumRefusals && !recent.contains { $0.uid == uid }
  }

  /// Keeps the latest refusals of access.
  mutating func noteRefusedAccess(_ entry: Entry) throws {
    guard let uid = entry.body["uid"]?.intValue.flatMap({ UInt32(exactly: $0) }) else { throw GovernanceLedger.Misfit("`uid` is missing") }
    refusedAccess = refusedAccess.suffix(Self.maximumRefusals - 1) + [AccessRefusal(uid: uid, time: entry.time)]
  }
}
