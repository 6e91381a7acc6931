public import Audit
internal import Core

extension PermissionGate {
  /// Records that a copy of the store was put in its place, by the account that owns the file.
  ///
  /// Where entries were lost, everything is stopped: the log does not know any more what was done, and would do it again. A person looks,
  /// and lifts the stop.
  /// - Parameters:
  ///   - restored: What was done.
  ///   - account: The account of the operating system.
  ///   - uid: Its number.
  /// - Throws: What the store throws.
  public func recordRestored(_ restored: RestoredStore, account: String, uid: UInt32) async throws {
    var body: JSONObject = [
      "account": .string(account), "discarded": .int(restored.discarded), "mode": .string(Identity.Mode.singleOperator.rawValue),
      "root": .string(restored.head.root.hex), "size": .int(restored.head.size), "uid": .int(Int(uid)),
    ]
    if restored.discarded > 0 { body["scope"] = "all" }
    try await store.append([EntryDraft(type: EntryType.storeRestored, principal: SystemPrincipal.engine.rawValue, body: body)])
  }

  /// Records that a copy of the store is made, by an account that may read and write the file.
  ///
  /// - Parameters:
  ///   - path: Where it is put.
  ///   - account: The account of the operating system.
  ///   - uid: Its number.
  /// - Throws: What the store throws.
  public func recordCopy(to path: String, account: String, uid: UInt32) async throws {
    try await store.submit { context in
      let body: JSONObject = [
        "account": .string(account), "mode": .string(Identity.Mode.singleOperator.rawValue), "size": .int(context.nextIndex),
        "uid": .int(Int(uid)),
      ]
      let draft = EntryDraft(
        type: EntryType.storeCopied, principal: SystemPrincipal.engine.rawValue, body: body,
        content: [Content(ContentPart.path, Array(path.utf8))])
      return ([draft], ())
    }
  }
}

extension SharedState {
  /// Stops what a restored store says is stopped.
  mutating func noteRestored(_ entry: Entry) throws {
    guard entry.bodyView["size"]?.intValue == Int64(entry.index) else { throw GovernanceLedger.Misfit("a restored store of another size") }
    guard entry.bodyView["scope"] != nil else { return }
    let scope = try entry.body.text("scope")
    if !stops.contains(scope) { stops.append(scope) }
  }
}
