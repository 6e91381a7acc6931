internal import Audit
public import Core
internal import ProcessModel

extension PermissionGate {
  /// Puts on record that a source or a value can be taken at its word.
  ///
  /// - Returns: The outcome; held where somebody else has to agree.
  /// - Throws: ``Refusal`` for a source of the whole workspace that no released process has; what the store throws.
  public func endorse(
    _ subject: Endorsement.Subject, in scope: Endorsement.Scope, until: Instant?, reason: String?, by identity: Identity
  ) async throws -> GateOutcome {
    if case .source(let label) = subject, scope == .workspace { try await checkSource(label) }
    var arguments = subject.json
    arguments["scope"] = .string(scope.description)
    arguments["until"] = until.map { .int($0.milliseconds) }
    return try await submit(.endorse, arguments, reason, by: identity)
  }

  /// Takes an endorsement back, at once.
  ///
  /// - Parameters:
  ///   - entry: The entry that names it.
  ///   - reason: Why, for people.
  ///   - identity: Who does it.
  /// - Returns: The outcome.
  /// - Throws: What the store throws.
  public func withdrawEndorsement(_ entry: Int, reason: String?, by identity: Identity) async throws -> GateOutcome {
    try await submit(.withdrawEndorsement, ["endorsement": .int(entry)], reason, by: identity)
  }

  private func submit(
    _ tool: BuiltinTool, _ arguments: JSONObject, _ reason: String?, by identity: Identity
  ) async throws -> GateOutcome {
    try await submit(
      Proposal(
        id: mintID(), principal: identity.principal, identity: identity, tool: tool.rawValue, arguments: arguments, reason: reason,
        isScripted: identity.mode == .scripted))
  }

  private func checkSource(_ label: String) async throws {
    let known = try await store.read { [self] context -> [String] in
      let shared = try context.shared()
      let processes = try shared.processes.compactMap { try shared.current($0).map { try release($0.digest, in: context).process } }
      return processes.flatMap { $0.tools.map { "tool:\($0.name)" } + $0.triggers.map { "form:\($0.name)" } }
    }
    if known.contains(where: { bytesEqual($0, label) }) { return }
    let hint = nearestName(to: label, in: known).map { "; did you mean `\($0)`?" } ?? ""
    throw Refusal(.argumentsInvalid, "no released process has a source `\(visible(label))`\(hint)")
  }
}
