internal import Core
internal import Governance
internal import PolicyEngine
internal import ProcessModel

/// Whether the directory of a moment lets people approve a proposal, by what the entries of a bundle say alone.
///
/// What the gate asks beyond that (who prepared a run, who answers for an agent, which stage it is) rests on more than a bundle has.
struct BundleStanding {
  let record: ProposalRecord
  /// Its run before the moment; nil for a proposal about the workspace.
  let run: RunRecord?
  let directory: Directory
  let now: Instant

  /// Whether an approval counts for anything that is asked.
  func mayGive(_ vote: ProposalRecord.Vote) -> Bool { record.requirements.contains { counts(vote, for: $0) || passes(vote, $0) } }

  /// Whether the approvals are enough: any requirements of a rule together have as many people as they ask for, in as many places.
  var isEnough: Bool {
    let rules = record.requirements.filter { rule in !record.votes.contains { passes($0, rule) } }
    let byRule = Dictionary(grouping: rules) { ExactString($0.rule) }
    return byRule.values.allSatisfy { own in
      (1..<(1 << min(own.count, 16))).allSatisfy { set in hasEnough(own.enumerated().filter { set >> $0.offset & 1 == 1 }.map(\.element)) }
    }
  }

  private func hasEnough(_ some: [ApprovalRequirement]) -> Bool {
    let votes = record.votes.filter { vote in some.contains { counts(vote, for: $0) } }
    let (people, places) = (Set(votes.map { ExactString($0.principal) }), Set(votes.map { ExactString($0.authority) }))
    return min(people.count, places.count) >= some.reduce(0) { $0 + $1.count }
  }

  private func counts(_ vote: ProposalRecord.Vote, for rule: ApprovalRequirement) -> Bool {
    var wanted = Set(rule.roles.map { ExactString("role:\($0)") } + rule.approvers.map { ExactString($0) })
    for note in record.notes {
      guard case .escalated(let escalated, rule.stage, _, let to) = note.kind, bytesEqual(escalated, rule.rule) else { continue }
      wanted.formUnion(to.map { ExactString($0) })
    }
    return (!rule.isSigned || hasSigned(vote)) && stands(vote, rule, wanted)
  }

  /// Whether it is an approval in an emergency, for which the rule has a way.
  private func passes(_ vote: ProposalRecord.Vote, _ rule: ApprovalRequirement) -> Bool {
    guard vote.isBreakGlass, let glass = rule.course.breakGlass else { return false }
    return stands(vote, rule, Set(glass.roles.map { ExactString("role:\($0)") }))
  }

  /// Whether somebody has what is wanted, and neither asked for it, nor proposed it, nor is excluded.
  private func stands(_ vote: ProposalRecord.Vote, _ rule: ApprovalRequirement, _ wanted: Set<ExactString>) -> Bool {
    let never = rule.not + [record.principal] + (run.map { [$0.state.requester] } ?? [])
    return !wanted.isDisjoint(with: held(by: vote))
      && !never.contains { bytesEqual($0, vote.principal) || bytesEqual($0, vote.authority) }
  }

  /// The roles that somebody approves with, and in whose whole place.
  private func held(by vote: ProposalRecord.Vote) -> Set<ExactString> {
    let isOwn = bytesEqual(vote.principal, vote.authority)
    var (roles, isWhole) = ([String](), true)
    if vote.isOperator {
      roles = isOwn ? directory.roles.map(\.name) : []
    } else {
      let mandates = directory.mandates(of: vote.principal, process: run?.state.process, at: now)
      guard let mandate = mandates.first(where: { ($0.source == nil) == isOwn && bytesEqual($0.authority, vote.authority) }) else {
        return []
      }
      (roles, isWhole) = (mandate.roles, mandate.isWhole)
    }
    return Set(roles.map { ExactString("role:\($0)") } + (isWhole ? [ExactString(vote.authority)] : []))
  }

  private func hasSigned(_ vote: ProposalRecord.Vote) -> Bool {
    guard let key = vote.key else { return false }
    return directory.person(vote.principal)?.keys.contains { $0.fingerprint == key } ?? false
  }
}
