public import Core
internal import PolicyEngine
internal import ProcessModel

/// Whether the people of a directory can give the approvals that rules and controls ask for.
public enum ApprovalSatisfiability {
  /// One approval that some rule or control asks for.
  private struct Need {
    let subject: String
    let roles: [String]
    let count: Int
    let not: [String]
    let position: SourcePosition?
  }

  /// The holds that nobody, or not for every requester, can release.
  ///
  /// The requester never approves, and who may start a run is the requester. Of other exclusions only those count that are certain: the
  /// owner of an agent, where there is one person who can be it, and who does a step, where only one person can.
  ///
  /// - Returns: A warning `unsatisfiable-hold` for each such rule and control.
  /// - Complexity: O(needs × people²).
  public static func problems(of release: Release, directory: Directory) -> [Diagnostic] {
    let rules = release.rules.rules.compactMap { rule -> Need? in
      guard let approval = rule.approval, !approval.roles.isEmpty else { return nil }
      return Need(subject: "rule `\(rule.id)`", roles: approval.roles, count: approval.count, not: approval.not, position: rule.position)
    }
    let controls = release.process.controls.map { control in
      Need(
        subject: "control `\(control.id)`", roles: control.approval.roles, count: control.approval.count, not: control.approval.not,
        position: nil)
    }
    return (rules + controls).compactMap { problem(of: $0, release.process, directory) }
  }

  private static func problem(of need: Need, _ process: ProcessDefinition, _ directory: Directory) -> Diagnostic? {
    let requesters: [String?] = starters(of: process, directory).map { $0 } + [nil]
    let short = requesters.filter { left(need, requester: $0, process, directory).count < need.count }
    guard let first = short.first else { return nil }
    let people = left(need, requester: first, process, directory).map { "`\($0)`" }
    let wanted = "\(need.subject) needs \(need.count) of \(need.roles.map { "`\($0)`" }.joined(separator: " or "))"
    let who = people.isEmpty ? "nobody is left" : "only \(people.joined(separator: ", ")) \(people.count == 1 ? "is" : "are") left"
    let message =
      short.count == requesters.count
      ? "\(wanted), and nobody's request can get that: \(who)"
      : "\(wanted); when `\(first ?? "")` asks, \(who)"
    return Diagnostic(
      "unsatisfiable-hold", at: need.position, message, hint: "give the role to more people, or ask for fewer", severity: .warning)
  }

  /// The people who may start a run.
  private static func starters(of process: ProcessDefinition, _ directory: Directory) -> [String] {
    let roles = process.triggers.compactMap { trigger -> String? in
      if case .form(let role) = trigger.source { role } else { nil }
    }
    return directory.people.filter { person in person.roles.contains { roles.contains($0) } }.map(\.principal)
  }

  /// The people who can approve when somebody asks for the run; nil for a trigger.
  private static func left(_ need: Need, requester: String?, _ process: ProcessDefinition, _ directory: Directory) -> [String] {
    let out = need.not.flatMap { excluded($0, requester: requester, process, directory) } + (requester.map { [$0] } ?? [])
    return directory.people.filter { person in
      person.roles.contains { role in need.roles.contains { bytesEqual($0, role) } } && !out.contains { bytesEqual($0, person.principal) }
    }.map(\.principal)
  }

  private static func excluded(_ exclusion: String, requester: String?, _ process: ProcessDefinition, _ directory: Directory) -> [String] {
    if exclusion == "agent-owner" {
      let owners = process.agents.map { people(of: $0.owner, requester, directory) }
      guard let first = owners.first, owners.allSatisfy({ $0 == first }) else { return [] }
      return first
    }
    if exclusion.hasPrefix(ApprovalRequirement.stepExclusion) {
      let id = exclusion.dropFirst(ApprovalRequirement.stepExclusion.count)
      guard let step = process.steps.first(where: { $0.id == id }) else { return [] }
      let doers = people(of: step.performer, requester, directory)
      return doers.count == 1 ? doers : []
    }
    return exclusion.hasPrefix("user:") ? [exclusion] : []
  }

  /// The people who are a performer, as far as it names people.
  private static func people(of performer: Performer, _ requester: String?, _ directory: Directory) -> [String] {
    switch performer {
    case .user(let name): ["user:\(name)"]
    case .role(let role): directory.holders(of: role).map(\.principal)
    default: []
    }
  }
}
