internal import Core
internal import PolicyEngine
internal import ProcessModel

// What a built-in tool does to the run.
extension Judge {
  func consequences(of tool: BuiltinTool) throws(Refusal) -> [RunEvent] {
    guard let command = try command(for: tool), let process = view.release?.process else { return [] }
    let events: [RunEvent]
    do throws(RunRefusal) {
      events = try process.decide(command, in: view.run?.state, now: view.now, zones: view.zones)
    } catch {
      throw Refusal(error)
    }
    if tool == .sendBack { try checkEffects(undoneBy: events) }
    return events
  }

  /// Refuses to send work back over what happened outside, which doing it again would do twice.
  private func checkEffects(undoneBy events: [RunEvent]) throws(Refusal) {
    let undone = events.compactMap { event in if case .undone(let place) = event { place } else { nil } }
    let effect = view.run?.proposals.first { record in
      record.effect == .external && record.tool != BuiltinTool.callModel.rawValue && record.step.map(undone.contains) == true
        && [.started, .done, .inDoubt].contains(record.status)
    }
    guard let effect, let step = effect.step else { return }
    throw Refusal(
      .effectInBetween, "the step `\(step)` has called `\(effect.tool)`, which reaches outside and would be called again")
  }

  /// The run's command that a built-in tool stands for; nil for the tools of the workspace.
  func command(for tool: BuiltinTool) throws(Refusal) -> RunCommand? {
    let arguments = proposal.arguments
    let step = occurrence?.description ?? ""
    let by = proposal.principal
    func text(_ key: String) -> String { arguments[key]?.stringValue ?? "" }
    let fields = arguments["fields"]?.objectValue ?? [:]
    switch tool {
    case .startRun:
      guard let release = view.release, let run = proposal.run else {
        throw Refusal(.releaseUnknown, "there is no release of `\(visible(text("process")))`")
      }
      return .start(run: run, release: release.digest.hex, requester: by, trigger: arguments["trigger"]?.stringValue, fields: fields)
    case .completeStep:
      return .completeStep(step, by: by, fields: fields, origin: origin(of: fields), comment: arguments["comment"]?.stringValue)
    case .setFields: return .setFields(step: proposal.step == nil ? nil : step, by: by, fields: fields, origin: origin(of: fields))
    case .attachEvidence:
      guard let digest = Digest(hex: text("sha256")) else { throw Refusal(.evidenceInvalid, "`sha256` is not a digest") }
      return .attachEvidence(
        step: step, by: by, name: text("name"), digest: digest, media: text("media"), size: Int(arguments["size"]?.intValue ?? 0))
    case .comment: return .comment(step: proposal.step == nil ? nil : step, by: by, text: text("text"))
    case .askHuman: return .askHuman(step: step, by: by, question: text("question"))
    case .raiseException: return .raiseException(step: step, by: by, code: text("code"), text: text("text"))
    case .answer: return .answer(question: text("question"), by: by, text: text("text"))
    case .resolveException:
      guard let resolution = ExceptionResolution(rawValue: text("resolution")) else {
        throw Refusal(.argumentsInvalid, "unknown resolution")
      }
      return .resolveException(text("exception"), by: by, resolution: resolution, comment: arguments["comment"]?.stringValue)
    case .pauseRun: return .pause(by: by, text: text("text"))
    case .resumeRun: return .resume(by: by)
    case .claimStep: return .assign(step: step, to: by, by: by, text: nil)
    case .releaseStep: return .assign(step: step, to: nil, by: by, text: arguments["text"]?.stringValue)
    case .delegateStep: return .assign(step: step, to: text("to"), by: by, text: arguments["text"]?.stringValue)
    case .reassignStep:
      guard let performer = Performer(parsing: text("to")) else { throw Refusal(.argumentsInvalid, "`to` names no role and no person") }
      return .reassign(step: step, to: performer, by: by, text: text("text"))
    case .skipStep: return .skip(step: step, by: by, text: text("text"))
    case .sendBack: return .sendBack(step: step, to: text("to"), by: by, text: text("text"))
    case .cancelRun: return .cancel(by: by, code: arguments["code"]?.stringValue ?? "cancelled", text: text("text"))
    case .handOver: return .handOver(step: step, by: by, code: text("code"), text: text("text"))
    case .fireTimer: return .fireTimer(text("timer"))
    case .answerReviewer, .setDirectory, .changeDirectory, .makeRelease, .setMode, .confirmClock, .setGuard, .acceptTool, .stop, .resume,
      .grantAllowance, .stopAllowance, .reviewCall, .endorse, .withdrawEndorsement, .redact, .callModel:
      return nil
    }
  }

  /// Where values that an agent writes come from; nil for a person, whose word it is.
  ///
  /// Once the agent has read text from outside they are no better than that, unless somebody vouches for each of them. An endorsement
  /// does not: it can be taken back, and what was written stays.
  func origin(of fields: JSONObject) -> Origin? {
    guard agentName != nil, !fields.isEmpty else { return nil }
    let index = view.provenance()
    let isTrusted =
      index.isClean && !index.restsOnEndorsement
      || LeafReader.texts(of: .object(fields)).allSatisfy { text in
        let by = index.vouching(for: text, argument: nil)
        return by != .endorsed && by?.isTrusted == true
      }
    return Origin(proposal.principal, trusted: isTrusted)
  }
}
