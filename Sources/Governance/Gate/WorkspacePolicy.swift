internal import Core
internal import PolicyEngine
internal import ProcessModel

/// What the gate says about the tools of the workspace, which no release covers.
///
/// The directory says who has to approve what (``Directory/governs``). Where it says nothing, the operator of a single-operator store may
/// do everything, a release is permitted to the owner of its process, and everyone may stop work. Autonomy is never given by one person
/// alone: where the directory says nothing, the owner of the process has to agree. So does the owner where somebody who is not the operator
/// says that something can be taken at its word.
struct WorkspacePolicy {
  let tool: BuiltinTool
  let proposal: Proposal
  let view: GateView

  /// Writes verdict, matches and requirements into a judgement.
  func apply(to judgement: inout Judgement) {
    if tool == .stop { return permit(.implied("workspace:stop", reason: "anyone may stop work"), &judgement) }
    if tool == .setMode { return applyToMode(&judgement) }
    if tool == .confirmClock {
      guard view.shared.clock.suspicion != nil else { return judgement.refusal = Refusal(.changed, "nobody doubts the clock") }
      return permit(.implied("workspace:clock", reason: "a person has looked at the clock"), &judgement)
    }
    if tool == .changeDirectory, isOwnTime {
      return permit(.implied("person:self", reason: "everyone says when they are away, and who decides meanwhile"), &judgement)
    }
    if tool == .stopAllowance { return permit(.implied("workspace:allowance-stop", reason: "anyone may end an autonomy"), &judgement) }
    if tool == .withdrawEndorsement {
      return permit(.implied("workspace:label-withdraw", reason: "anyone may take trust back"), &judgement)
    }
    if let topic = tool.topic, let approver = view.shared.directory.governs[topic] { return hold(topic, for: approver, &judgement) }
    // Nobody removes content alone, whoever they are.
    if tool == .redact { return hold(.content, roles: view.shared.directory.roles.map(\.name), people: [], &judgement) }
    if tool == .grantAllowance { return hold(.allowances, for: .owner, &judgement) }
    if proposal.identity?.isOperator == true { return permit(.implied("workspace:operator"), &judgement) }
    if tool == .makeRelease || tool == .acceptTool, let process = view.release?.process, holds(process.owner) {
      return permit(.implied("owner:\(process.id)"), &judgement)
    }
    if tool == .endorse, view.release != nil { return hold(.labels, for: .owner, &judgement) }
    let others = tool == .makeRelease || tool == .acceptTool ? " or the owner of the process" : ""
    // With several people there is no operator: the directory has to say who agrees.
    let remedy = tool.topic.map { "; `governs.\($0.rawValue)` in `organisation.json5` names who else may agree to it" } ?? ""
    judgement.refusal = Refusal(.forbidden, "`\(tool.rawValue)` is for the operator of this workspace\(others)\(remedy)")
  }

  /// Anyone who may write may give up what writing to the file lets them do; nobody alone may take it back.
  private func applyToMode(_ judgement: inout Judgement) {
    let isTeam = proposal.arguments["mode"] == .string(WorkspaceMode.team.rawValue)
    guard isTeam != view.shared.isTeam else { return judgement.refusal = Refusal(.changed, "the workspace is in that mode already") }
    if isTeam { return permit(.implied("workspace:team", reason: "a service keeps the store for several people"), &judgement) }
    if let approver = view.shared.directory.governs[.mode] { return hold(.mode, for: approver, &judgement) }
    hold(.mode, roles: view.shared.directory.roles.map(\.name), people: [], &judgement)
  }

  /// Whether all changes are absences and delegations of the proposer's own.
  private var isOwnTime: Bool {
    let directory = view.shared.directory
    guard let changes = try? DirectoryChange.all(in: proposal.arguments) else { return false }
    return changes.allSatisfy { $0.giver(in: directory).map { bytesEqual("user:\($0)", proposal.principal) } ?? false }
  }

  /// The people whom a change of the directory is about: they do not decide on it.
  private var concerned: [String] {
    let old = view.shared.directory
    switch tool {
    case .changeDirectory:
      let changes = (try? DirectoryChange.all(in: proposal.arguments)) ?? []
      return Set(changes.flatMap { $0.people(in: old) }).sorted()
    case .setDirectory:
      guard let new = Directory(json: proposal.arguments["directory"] ?? .null) else { return [] }
      let ids = Set((old.people + new.people).map(\.id)).sorted()
      return ids.filter { old.person("user:\($0)") != new.person("user:\($0)") }
    default: return []
    }
  }

  private func holds(_ performer: Performer) -> Bool { proposal.identity?.holds(performer, in: view.shared.directory) ?? false }

  private func permit(_ match: RuleMatch, _ judgement: inout Judgement) {
    judgement.verdict = .permit
    judgement.matched = [match]
  }

  /// Whoever proposes, another person has to agree.
  private func hold(_ topic: WorkspaceTopic, for approver: Directory.Approver, _ judgement: inout Judgement) {
    var (roles, people) = ([String](), [String]())
    switch approver {
    case .role(let role): roles = [role]
    case .user(let user): people = ["user:\(user)"]
    case .owner:
      switch view.release?.process.owner {
      case .role(let role): roles = [role]
      case .user(let user): people = ["user:\(user)"]
      default: return judgement.refusal = Refusal(.releaseUnknown, "there is no release of the process that this is about")
      }
    }
    hold(topic, roles: roles, people: people, &judgement)
  }

  private func hold(_ topic: WorkspaceTopic, roles: [String], people: [String], _ judgement: inout Judgement) {
    let rule = "workspace:\(topic.rawValue)"
    if let basis = view.basis {
      judgement.basis = basis
      // Whoever approves is shown the evidence, and approves on just this evidence.
      judgement.read = [
        "evidence.reviewed": .int(basis.reviewed), "evidence.wrong": .int(basis.wrong), "evidence.upper_bound_ppm": .int(basis.bound),
      ]
    }
    // Whoever approves a change of the directory approves it of the records as they are now.
    if tool == .changeDirectory {
      for id in concerned { judgement.read["directory.\(id)"] = view.shared.directory.person("user:\(id)")?.json ?? .null }
    }
    judgement.verdict = .hold
    judgement.matched = [RuleMatch(rule: rule, effect: .hold, basis: .implied, reason: topic.statement)]
    let excluded = ["proposer"] + concerned.map { "user:\($0)" }
    judgement.requirements = [ApprovalRequirement(rule: rule, roles: roles, approvers: people, not: excluded)]
  }
}

extension BuiltinTool {
  /// What a tool of the workspace changes; nil for those that nobody has to approve, and for the tools of runs.
  fileprivate var topic: WorkspaceTopic? {
    switch self {
    case .setDirectory, .changeDirectory: .directory
    case .makeRelease, .acceptTool: .releases
    case .resume: .stops
    case .grantAllowance: .allowances
    case .setGuard: .guarding
    case .endorse: .labels
    case .setMode: .mode
    case .redact: .content
    default: nil
    }
  }
}

extension WorkspaceTopic {
  /// Why it is held, for people.
  fileprivate var statement: String {
    switch self {
    case .directory: "people and roles change with the agreement of another person"
    case .releases: "a process changes with the agreement of another person"
    case .stops: "work that was stopped goes on with the agreement of another person"
    case .mode: "the store's file is opened directly again with the agreement of another person"
    case .guarding: "what guards every process changes with the agreement of another person"
    case .content: "content is removed from the log with the agreement of another person"
    case .labels: "what is taken at its word changes with the agreement of another person"
    case .allowances: "an agent gets autonomy with the agreement of another person"
    }
  }
}
