internal import Audit
internal import CEL
public import Core
public import PolicyEngine
internal import ProcessModel

/// The live guard of a workspace: rules over all processes that only hold or forbid, read at the moment of each decision.
public struct WorkspaceGuard: Hashable, Sendable {
  /// What the ids of its rules begin with in decisions, so that nobody takes them for rules of a process.
  public static let prefix = RuleSet.guardPrefix

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
  ///   - directory: Where given, roles and people have to be those of this.
  ///   - file: How the file is called in messages.
  /// - Returns: The rules.
  /// - Throws: Every problem in the file.
  static func rules(
    _ text: String, fieldsOf releases: [Release]? = nil, directory: Directory? = nil, file: String? = nil
  ) throws(Diagnostics) -> RuleSet {
    let names = Set((releases ?? []).flatMap { $0.process.fields.map(\.name) }).sorted()
    let rules = try RuleSet.load(
      Array(text.utf8), file: file,
      environment: PolicyEnvironment(
        kind: .guard, fields: names.map { ($0, .dyn) }, users: directory?.people.map(\.id), roles: directory?.roles.map(\.name)))
    if let rule = rules.rules.first(where: \.holdsStarts) { throw Diagnostics([Release.heldStart(rule)]) }
    return rules
  }
}

extension WorkspaceGuard {
  /// The ids of the rules of this guard that are about a tool of a process; none where this build cannot read it.
  public func rules(about release: Release) -> [String] {
    (try? Self.rules(text)).map { concerned($0, release).map(\.id) } ?? []
  }

  /// What a process has to know of this guard before it runs under it: rules that err on each call that they are about, because they read
  /// a field that the process does not have, and holds that nobody can release.
  public func warnings(about release: Release, directory: Directory?) -> [Diagnostic] {
    func warning(_ code: String, _ message: String) -> Diagnostic {
      Diagnostic(code, at: nil, "the guard of the workspace (entry \(entry)): \(message)", severity: .warning)
    }
    let rules: RuleSet
    do throws(Diagnostics) { rules = try Self.rules(text) } catch {
      return [warning("guard-invalid", "nothing can be decided under it: \(error.description)")]
    }
    let concerned = concerned(rules, release)
    var warnings: [Diagnostic] = []
    do throws(Diagnostics) { _ = try Self.rules(text, fieldsOf: [release]) } catch {
      for problem in error.all where problem.severity == .error {
        let rule = rules.rules.last { rule in problem.position.map { $0.offset >= rule.position.offset } ?? false }
        guard let rule, concerned.contains(where: { $0.id == rule.id }) else { continue }
        let outcome = rule.effect == .hold ? "holds" : "forbids"
        warnings.append(
          warning("guard-errs", "rule `\(rule.id)`: \(problem.message); so it errs in this process, and \(outcome) all that it is about"))
      }
    }
    let unsatisfiable = directory.map { ApprovalSatisfiability.problems(of: release.process, held: concerned, directory: $0) } ?? []
    return warnings + unsatisfiable.map { warning("unsatisfiable-hold", $0.message) }
  }

  private func concerned(_ rules: RuleSet, _ release: Release) -> [Rule] {
    let tools = release.process.tools.map(\.name) + BuiltinTool.allCases.filter { !$0.isOfWorkspace }.map(\.rawValue)
    return rules.rules.filter { rule in tools.contains { tool in rule.tools.contains { $0.matches(tool) } } }
  }
}

/// The guard that was compiled last: the text of a digest never means anything else.
public final class GuardCache: Sendable {
  private let last = Locked<(digest: Digest, rules: RuleSet)?>(nil)

  /// A cache that holds nothing.
  public init() {}

  /// The rules of a guard; nil where there is none.
  ///
  /// - Throws: ``Refusal`` where this build cannot use it: nothing is decided then.
  public func rules(of guarding: WorkspaceGuard?) throws(Refusal) -> RuleSet? {
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
  /// The rules of a workspace's guard; nil where none is set.
  ///
  /// - Throws: ``Refusal`` where this build cannot use it.
  public func guardRules(of shared: SharedState) throws(Refusal) -> RuleSet? { try guards.rules(of: shared.guarding) }

  /// Sets the live guard of the workspace; nil takes it away.
  ///
  /// - Parameters:
  ///   - text: The file of rules.
  ///   - file: How the file is called in messages.
  ///   - reason: Why, for people.
  ///   - identity: Who sets it.
  /// - Returns: The outcome.
  /// - Throws: `Diagnostics` for a file with a problem, among them names of fields, people and roles that nothing has; what the store throws.
  public func setGuard(_ text: String?, file: String? = nil, reason: String?, by identity: Identity) async throws -> GateOutcome {
    if let text {
      let (current, directory) = try await store.read { [self] context in
        let shared = try context.shared()
        return (try shared.processes.compactMap { try shared.current($0).map { try release($0.digest, in: context) } }, shared.directory)
      }
      _ = try WorkspaceGuard.rules(text, fieldsOf: current, directory: directory, file: file)
    }
    return try await submit(
      Proposal(
        id: mintID(), principal: identity.principal, identity: identity, tool: BuiltinTool.setGuard.rawValue,
        arguments: text.map { ["text": .string($0)] } ?? [:], reason: reason, isScripted: identity.mode == .scripted))
  }
}
