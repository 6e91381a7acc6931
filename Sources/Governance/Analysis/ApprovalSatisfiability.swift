internal import Core
internal import PolicyEngine
internal import ProcessModel

/// Whether the people of a directory can give the approvals that rules and controls ask for: enough holders of the roles, apart from those
/// who may not approve.
struct ApprovalSatisfiability {
  /// One approval that some rule or control asks for.
  private struct Need {
    let subject: String
    let roles: [String]
    let count: Int
    let not: [String]
    let position: SourcePosition?
    /// The steps whose own performers propose what is held; empty where others may.
    var steps: [String] = []
  }

  /// Who asked for the run and who proposes, as far as they are people who are known.
  private struct Situation: Equatable {
    var requester: String?
    var proposer: String?
  }

  private let process: ProcessDefinition
  private let directory: Directory

  /// The holds that nobody can release, as errors, and those that cannot be released when certain people ask, as warnings.
  ///
  /// Whoever asked for the run or made the proposal never approves. Of other exclusions only those count that are certain: the owner of an
  /// agent, where there is one person who can be it, and who does a step, where only one person can. Nothing is said of a directory
  /// without people.
  ///
  /// - Returns: A problem `unsatisfiable-hold` for each such rule and control.
  /// - Complexity: O(needs × people³).
  static func problems(of process: ProcessDefinition, rules: RuleSet, directory: Directory) -> [Diagnostic] {
    if directory.people.isEmpty { return [] }
    let check = ApprovalSatisfiability(process: process, directory: directory)
    let byRules = rules.rules.compactMap { rule -> Need? in
      guard let approval = rule.approval, !approval.roles.isEmpty else { return nil }
      return Need(
        subject: "rule `\(rule.id)`", roles: approval.roles, count: approval.count, not: approval.not, position: rule.position,
        steps: rule.isAboutPerformers ? rule.steps : [])
    }
    let byControls = process.controls.map { control in
      Need(
        subject: "control `\(control.id)`", roles: control.approval.roles, count: control.approval.count, not: control.approval.not,
        position: nil)
    }
    return (byRules + byControls).compactMap { check.problem(of: $0) }
  }

  private func problem(of need: Need) -> Diagnostic? {
    let situations = situations(of: need)
    let short = situations.filter { left(need, $0).count < need.count }
    guard let first = short.first else { return nil }
    let people = left(need, first).map { "`\($0)`" }
    let who = people.isEmpty ? "nobody is left" : "only \(people.joined(separator: ", ")) \(people.count == 1 ? "is" : "are") left"
    let isHopeless = short.count == situations.count
    let wanted = "\(need.subject) needs \(need.count) of \(need.roles.map { "`\($0)`" }.joined(separator: " or "))"
    let when = [first.requester.map { "`\($0)` asks for the run" }, first.proposer.map { "`\($0)` proposes" }].compactMap(\.self)
    return Diagnostic(
      "unsatisfiable-hold", at: need.position,
      isHopeless ? "\(wanted), and nobody can ever release it: \(who)" : "\(wanted); when \(when.joined(separator: " and ")), \(who)",
      hint: "give the role to more people, or ask for fewer", severity: isHopeless ? .error : .warning)
  }

  // MARK: - Who is involved

  private func situations(of need: Need) -> [Situation] {
    let proposers: [String?] = need.steps.isEmpty ? [nil] : need.steps.flatMap { self.proposers(of: $0) }
    let requesters: [String?] = starters.map { $0 } + (hasOtherTriggers || starters.isEmpty ? [nil] : [])
    return requesters.flatMap { requester in proposers.map { Situation(requester: requester, proposer: $0) } }
  }

  /// The people who may start a run.
  private var starters: [String] {
    let roles = process.triggers.compactMap { trigger -> String? in
      if case .form(let role) = trigger.source { role } else { nil }
    }
    return directory.people.filter { person in person.roles.contains { roles.contains($0) } }.map(\.principal)
  }

  private var hasOtherTriggers: Bool {
    process.triggers.contains { trigger in if case .form = trigger.source { false } else { true } }
  }

  private func proposers(of step: String) -> [String?] {
    guard let performer = process.steps.first(where: { bytesEqual($0.id, step) })?.performer else { return [nil] }
    let people = people(of: performer)
    return people.isEmpty ? [nil] : people
  }

  /// The people who can approve.
  private func left(_ need: Need, _ situation: Situation) -> [String] {
    let out = need.not.flatMap { excluded($0) } + [situation.requester, situation.proposer].compactMap(\.self)
    return directory.people.filter { person in
      person.roles.contains { role in need.roles.contains { bytesEqual($0, role) } } && !out.contains { bytesEqual($0, person.principal) }
    }.map(\.principal)
  }

  private func excluded(_ exclusion: String) -> [String] {
    if exclusion == "agent-owner" {
      let owners = process.agents.map { people(of: $0.owner) }
      guard let first = owners.first, owners.allSatisfy({ $0 == first }) else { return [] }
      return first
    }
    if exclusion.hasPrefix(ApprovalRequirement.stepExclusion) {
      let id = String(exclusion.dropFirst(ApprovalRequirement.stepExclusion.count))
      let doers = proposers(of: id).compactMap(\.self)
      return doers.count == 1 ? doers : []
    }
    return exclusion.hasPrefix("user:") ? [exclusion] : []
  }

  /// The people who are a performer, as far as it names people.
  private func people(of performer: Performer) -> [String] {
    switch performer {
    case .user(let name): ["user:\(name)"]
    case .role(let role): directory.holders(of: role).map(\.principal)
    case .agent, .tool: []
    }
  }
}

extension Rule {
  /// Whether what the rule is about is proposed by who does the step.
  fileprivate var isAboutPerformers: Bool {
    tools.allSatisfy { pattern in
      if case .exact(let name) = pattern { BuiltinTool(rawValue: name)?.isOnStep ?? false } else { false }
    }
  }
}
