public import Core
internal import PolicyEngine
internal import ProcessModel

/// Whether the people of a directory can give the approvals that rules and controls ask for: enough holders of the roles, apart from those
/// who may not approve.
public struct ApprovalSatisfiability {
  /// People whom some rule or control asks for.
  private struct Group {
    let roles: [String]
    let count: Int
    let not: [String]
  }

  /// One or several groups that a rule or control asks for together: nobody counts for two of them.
  private struct Need {
    let subject: String
    let groups: [Group]
    let position: SourcePosition?
    /// The steps whose own performers propose what is held; empty where others may.
    var steps: [String] = []

    var count: Int { groups.reduce(0) { $0 + $1.count } }

    var text: String {
      let parts = groups.map { "\($0.count) of \($0.roles.map { "`\($0)`" }.joined(separator: " or "))" }
      return "\(subject) needs \(parts.joined(separator: " and "))"
    }
  }

  /// Who asked for the run and who proposes, as far as they are people who are known.
  private struct Situation: Equatable {
    var requester: String?
    var proposer: String?

    /// When it is so, after what is needed; empty for any time.
    var text: String {
      let parts = [requester.map { "`\($0)` asks for the run" }, proposer.map { "`\($0)` proposes" }].compactMap(\.self)
      return parts.isEmpty ? "" : "; when \(parts.joined(separator: " and "))"
    }
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
    return first(needs(of: process, rules)) { check.problem(of: $0) }
  }

  /// The same of rules that hold in a process and are not among its own.
  static func problems(of process: ProcessDefinition, held rules: [Rule], directory: Directory) -> [Diagnostic] {
    if directory.people.isEmpty { return [] }
    let check = ApprovalSatisfiability(process: process, directory: directory)
    return first(needs(of: rules)) { check.problem(of: $0) }
  }

  /// The holds that cannot be released for some time, because people are absent.
  ///
  /// Looked at is each moment from `now` at which an absence or a delegation begins or ends. Who is absent does not decide, whoever stands
  /// in does; as when approvals are counted, each is by another person and in another's place.
  ///
  /// - Parameters:
  ///   - release: Whose rules and controls ask for approvals.
  ///   - directory: People with their absences and delegations.
  ///   - now: The first moment.
  ///   - ahead: How far to look.
  /// - Returns: A warning `unsatisfiable-hold` for each rule and control, with the first such time.
  /// - Complexity: O(needs × people³ × moments).
  public static func gaps(in release: Release, directory: Directory, from now: Instant, ahead: Duration) -> [Diagnostic] {
    if directory.absences.isEmpty { return [] }
    let check = ApprovalSatisfiability(process: release.process, directory: directory)
    let moments = directory.absences.flatMap { [$0.from, $0.until] } + directory.delegations.flatMap { [$0.since, $0.until] }
    let looked = [now] + Set(moments).filter { now < $0 && $0 < now + ahead }.sorted()
    return first(needs(of: release.process, release.rules)) { check.gap(of: $0, at: looked) }
  }

  /// The first thing that is wrong with each rule and control: what a choice of groups lacks, larger ones lack too.
  private static func first(_ needs: [Need], _ check: (Need) -> Diagnostic?) -> [Diagnostic] {
    var subjects: [String] = []
    return needs.compactMap { need in
      if subjects.contains(need.subject) { return nil }
      guard let problem = check(need) else { return nil }
      subjects.append(need.subject)
      return problem
    }
  }

  private static func needs(of process: ProcessDefinition, _ rules: RuleSet) -> [Need] {
    let byControls = process.controls.map { control in
      let approval = control.approval
      return Need(
        subject: "control `\(control.id)`", groups: [Group(roles: approval.roles, count: approval.count, not: approval.not)], position: nil)
    }
    let missing = (rules.missing?.needs ?? []).map { Group(roles: $0.roles, count: $0.count, not: $0.not) }
    let byMissing = together(missing).map { Need(subject: "`missing`", groups: $0, position: nil) }
    return needs(of: rules.rules) + byMissing + byControls
  }

  private static func needs(of rules: [Rule]) -> [Need] {
    rules.flatMap { rule -> [Need] in
      let groups = (rule.approval?.needs ?? []).filter { !$0.roles.isEmpty }.map { Group(roles: $0.roles, count: $0.count, not: $0.not) }
      let steps = rule.isAboutPerformers ? rule.steps : []
      return together(groups).map { Need(subject: "rule `\(rule.id)`", groups: $0, position: rule.position, steps: steps) }
    }
  }

  /// Every choice of groups, the smallest first; of very many, each alone and all together.
  ///
  /// There is somebody for each place of all groups exactly where each choice of them has as many people as places.
  ///
  /// - SeeAlso: P. Hall, "On representatives of subsets", 1935, doi:10.1112/jlms/s1-10.37.26.
  private static func together(_ groups: [Group]) -> [[Group]] {
    if groups.count > 8 { return groups.map { [$0] } + [groups] }
    let choices = (1..<(1 << groups.count)).map { bits in groups.indices.filter { bits >> $0 & 1 == 1 }.map { groups[$0] } }
    return choices.sorted { $0.count < $1.count }
  }

  private func problem(of need: Need) -> Diagnostic? {
    let situations = situations(of: need)
    let short = situations.filter { left(need, $0).count < need.count }
    guard let first = short.first else { return nil }
    let isHopeless = short.count == situations.count
    let who = Self.text(left(need, first))
    return Diagnostic(
      "unsatisfiable-hold", at: need.position,
      isHopeless ? "\(need.text), and nobody can ever release it: \(who)" : "\(need.text)\(first.text), \(who)",
      hint: "give the role to more people, or ask for fewer", severity: isHopeless ? .error : .warning)
  }

  private func gap(of need: Need, at moments: [Instant]) -> Diagnostic? {
    // What cannot be released with everybody there is said elsewhere.
    let situations = situations(of: need).filter { left(need, $0).count >= need.count }
    func short(_ moment: Instant) -> [Situation] { situations.filter { left(need, $0, at: moment).count < need.count } }
    guard let place = moments.firstIndex(where: { !short($0).isEmpty }), let first = short(moments[place]).first else { return nil }
    let end = moments[place...].first { short($0).isEmpty }
    let time = "from \(moments[place].iso8601)" + (end.map { " until \($0.iso8601)" } ?? "")
    let isForAll = short(moments[place]).count == situations.count
    return Diagnostic(
      "unsatisfiable-hold", at: need.position,
      "\(need.text)\(isForAll ? "" : first.text); \(time) people are absent, and \(Self.text(left(need, first, at: moments[place])))",
      hint: "name a deputy: `remit person absent ID --until DATE --deputy OTHER`", severity: .warning)
  }

  private static func text(_ people: [String]) -> String {
    if people.isEmpty { return "nobody is left" }
    return "only \(people.map { "`\($0)`" }.joined(separator: ", ")) \(people.count == 1 ? "is" : "are") left"
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

  /// The people who can approve, at most as many as can at the same time; with everybody there and nobody standing in where no moment is
  /// given.
  private func left(_ need: Need, _ situation: Situation, at moment: Instant? = nil) -> [String] {
    let outOfAll = [situation.requester, situation.proposer].compactMap(\.self)
    let outOf = need.groups.map { $0.not.flatMap { excluded($0) } + outOfAll }
    func fits(_ principal: String, _ roles: [String]) -> Bool {
      zip(need.groups, outOf).contains { group, out in
        !out.contains { bytesEqual($0, principal) } && roles.contains { role in group.roles.contains { bytesEqual($0, role) } }
      }
    }
    func places(of person: Directory.Person) -> [String] {
      let own = Directory.Mandate(authority: person.principal, roles: person.roles, source: nil)
      let mandates = moment.map { directory.mandates(of: person.principal, process: process.id, at: $0) } ?? [own]
      if mandates.contains(where: { $0.source != nil && $0.authority == situation.requester }) { return [] }
      // Who may not decide themselves may not do so in another's place.
      return mandates.filter { fits($0.authority, $0.roles) && !isOutOfAll(person.principal) }.map(\.authority)
    }
    func isOutOfAll(_ principal: String) -> Bool { outOf.allSatisfy { out in out.contains { bytesEqual($0, principal) } } }
    let present = directory.people.filter { person in
      !isOutOfAll(person.principal)
        && !directory.absences.contains { absence in
          guard let moment, bytesEqual(absence.person, person.id) else { return false }
          return absence.from <= moment && moment < absence.until
        }
    }
    return Self.matched(present.map { ($0.principal, places(of: $0)) })
  }

  /// As many people as can each decide in another's place.
  ///
  /// - SeeAlso: H. W. Kuhn, "The Hungarian method for the assignment problem", 1955; here its unweighted form, by augmenting paths.
  private static func matched(_ people: [(principal: String, places: [String])]) -> [String] {
    var taken: [String: Int] = [:]
    func find(_ person: Int, _ seen: inout Set<String>) -> Bool {
      for place in people[person].places where seen.insert(place).inserted {
        if taken[place].map({ find($0, &seen) }) ?? true {
          taken[place] = person
          return true
        }
      }
      return false
    }
    for person in people.indices {
      var seen: Set<String> = []
      _ = find(person, &seen)
    }
    return Set(taken.values).sorted().map { people[$0].principal }
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
