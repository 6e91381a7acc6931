internal import Core
internal import PolicyEngine
internal import ProcessModel

// What people do with steps beside completing them, and who may.
extension Judge {
  /// The permit that whoever may do a step, or owns the process, has for taking it, giving it away, going past it or sending work back.
  mutating func implyWork(_ tool: BuiltinTool, on step: RunState.StepState) throws(Refusal) {
    if tool == .delegateStep { try checkDelegate(step) }
    if tool == .reassignStep { try checkNewPerformer(of: step) }
    if let reason = authorityOverWork(tool, on: step) { implied.append(.implied(reason)) }
  }

  private func authorityOverWork(_ tool: BuiltinTool, on step: RunState.StepState) -> String? {
    let isOwner = view.release.map { holds($0.process.owner) } ?? false
    let (own, owner) = ("step:\(step.occurrence.id)", isOwner ? view.release.map { "owner:\($0.process.id)" } : nil)
    switch tool {
    case .claimStep: return ([step.performer] + step.escalatedTo).contains(where: holds) ? own : nil
    case .skipStep:
      guard let skip = view.release?.process.step(step.occurrence.id)?.skip else { return owner }
      return holds(skip) ? "skip:\(skip)" : nil
    case .reassignStep: return owner
    default: return isPerformer(of: step) ? own : owner
    }
  }

  /// Refuses to give a step to somebody who may not do it: that is the owner's to change, by reassigning it.
  private func checkDelegate(_ step: RunState.StepState) throws(Refusal) {
    let person = proposal.arguments["to"]?.stringValue ?? ""
    guard view.shared.directory.person(person) != nil else { throw unknownPerson(person) }
    let roles = view.shared.directory.roles(of: person)
    let may = ([step.performer] + step.escalatedTo).contains { performer in
      switch performer {
      case .role(let role): roles.contains(role)
      case .user: bytesEqual(performer.description, person)
      case .agent, .tool: false
      }
    }
    if may { return }
    let performers = ([step.performer] + step.escalatedTo).map { "`\($0)`" }.joined(separator: " and ")
    throw Refusal(
      .notEligible, "the step `\(step.occurrence)` is for \(performers), which `\(visible(person))` is not; its owner can reassign it")
  }

  /// Refuses to give a step to nobody, and to give oneself what one may not do: who may do what is the directory's to say.
  private func checkNewPerformer(of step: RunState.StepState) throws(Refusal) {
    let text = proposal.arguments["to"]?.stringValue ?? ""
    let directory = view.shared.directory
    let performer = Performer(parsing: text)
    if performer.map(holds) == true, !([step.performer] + step.escalatedTo).contains(where: holds) {
      throw Refusal(.notEligible, "the step `\(step.occurrence)` is not yours, and nobody gives themselves a step that is not theirs")
    }
    switch performer {
    case .user: if directory.person(text) == nil { throw unknownPerson(text) }
    case .role(let role):
      guard directory.roles.contains(where: { bytesEqual($0.name, role) }) else {
        let hint = nearestName(to: role, in: directory.roles.map(\.name)).map { "; did you mean `role:\($0)`?" } ?? ""
        throw Refusal(.argumentsInvalid, "there is no role `\(visible(role))`\(hint)")
      }
      if directory.holders(of: role).isEmpty { throw Refusal(.notEligible, "nobody holds the role `\(role)`") }
    default: throw Refusal(.argumentsInvalid, "`to` names no role and no person")
    }
  }

  private func unknownPerson(_ person: String) -> Refusal {
    let hint = nearestName(to: person, in: view.shared.directory.people.map(\.principal)).map { "; did you mean `\($0)`?" } ?? ""
    return Refusal(.argumentsInvalid, "there is no person `\(visible(person))` in the directory\(hint)")
  }
}

extension BuiltinTool {
  /// Whether the tool is about who does an open step, or whether it is done at all.
  var isAboutWork: Bool {
    switch self {
    case .claimStep, .releaseStep, .delegateStep, .reassignStep, .skipStep, .sendBack: true
    default: false
    }
  }
}
