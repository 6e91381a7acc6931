internal import Audit
internal import CEL
public import Core
internal import PolicyEngine
internal import ProcessModel

/// The live guard of a workspace: rules over all processes that only hold or forbid, read at the moment of each decision.
public struct WorkspaceGuard: Hashable, Sendable {
  /// The file of rules, as it was set.
  public let text: String
  /// Who set it.
  public let by: String
  /// The entry since which it counts.
  public let entry: Int
  /// SHA-256 of the text.
  public let digest: Digest

  init(text: String, by: String, entry: Int) {
    (self.text, self.by, self.entry) = (text, by, entry)
    digest = SHA256.hash(text)
  }

  /// Reads a guard.
  ///
  /// Processes come and go, so at the moment of a decision every name is accepted: a rule that reads what a run does not have errs, and so
  /// counts. Who sets a guard is told of names that nothing has now.
  ///
  /// - Parameters:
  ///   - text: The file of rules.
  ///   - releases: Where given, fields have to be those of one of these.
  /// - Returns: The rules.
  /// - Throws: Every problem in the file.
  static func rules(_ text: String, fieldsOf releases: [Release]? = nil) throws(Diagnostics) -> RuleSet {
    let names = Set((releases ?? []).flatMap { $0.process.fields.map(\.name) }).sorted()
    let rules = try RuleSet.load(
      Array(text.utf8), file: nil, environment: PolicyEnvironment(kind: .guard, fields: names.map { ($0, .dyn) }))
    if let rule = rules.rules.first(where: \.holdsStarts) { throw Diagnostics([Release.heldStart(rule)]) }
    return rules
  }
}

/// The guard that was compiled last: the text of a digest never means anything else.
final class GuardCache: Sendable {
  private let last = Locked<(digest: Digest, rules: RuleSet)?>(nil)

  /// The rules of a guard; nil where there is none.
  ///
  /// - Throws: ``Refusal`` where this build cannot use it: nothing is decided then.
  func rules(of guarding: WorkspaceGuard?) throws(Refusal) -> RuleSet? {
    guard let guarding else { return nil }
    if let known = last.withLock({ $0 }), known.digest == guarding.digest { return known.rules }
    do throws(Diagnostics) {
      let rules = try WorkspaceGuard.rules(guarding.text)
      last.withLock { $0 = (guarding.digest, rules) }
      return rules
    } catch {
      throw Refusal(.releaseInvalid, "the guard of the workspace cannot be used by this build: \(error.description)")
    }
  }
}

extension PermissionGate {
  /// Sets the live guard of the workspace; nil takes it away.
  ///
  /// - Returns: The outcome.
  /// - Throws: `Diagnostics` for a file with a problem; what the store throws.
  public func setGuard(_ text: String?, reason: String?, by identity: Identity) async throws -> GateOutcome {
    if let text {
      let current = try await store.read { [self] context in
        let shared = try context.shared()
        return try shared.processes.compactMap { try shared.current($0).map { try release($0.digest, in: context) } }
      }
      _ = try WorkspaceGuard.rules(text, fieldsOf: current)
    }
    return try await submit(
      Proposal(
        id: mintID(), principal: identity.principal, identity: identity, tool: BuiltinTool.setGuard.rawValue,
        arguments: text.map { ["text": .string($0)] } ?? [:], reason: reason, isScripted: identity.mode == .scripted))
  }
}
