internal import Core
internal import Governance
internal import PolicyEngine
internal import ProcessModel

extension GateOutcome {
  /// The exit code of a command that made one proposal.
  var exitCode: ExitCode {
    switch verdict {
    case .permit: .done
    case .hold: .pending
    case .forbid: refusal?.exitCode ?? .refused
    }
  }

  /// The outcome for programs.
  var json: JSONObject {
    var object: JSONObject = [
      "proposal": .string(proposal), "verdict": .string(verdict.rawValue), "effect": .string(effect.rawValue), "entry": .int(entry),
      "digest": .string(digest.hex),
    ]
    object["run"] = run.map { .string($0) }
    object["rules"] = .array(
      matched.map { match in
        var rule: JSONObject = ["rule": .string(match.rule), "effect": .string(match.effect.rawValue)]
        rule["clause"] = match.clause.map { .string($0) }
        rule["reason"] = match.reason.map { .string($0) }
        return .object(rule)
      })
    object["errors"] = .array(errors.map { ["rule": .string($0.rule), "message": .string($0.message)] })
    if let refusal { object["refusal"] = ["code": .string(refusal.code), "message": .string(refusal.message)] }
    if !requirements.isEmpty {
      object["requirements"] = .array(
        requirements.map {
          [
            "rule": .string($0.rule), "roles": .array($0.roles.map { .string($0) }), "count": .int($0.count),
            "not": .array($0.not.map { .string($0) }), "signed": .bool($0.isSigned), "stage": .int($0.stage),
          ]
        })
    }
    object["expires"] = expires.map { .string($0.iso8601) }
    return object
  }

  /// The verdict with its reasons, line by line.
  func lines(of what: String, now: Instant) -> [Shown] {
    var lines: [Shown] = []
    switch verdict {
    case .permit: lines.append("\("done", .good)  \(what)")
    case .hold:
      lines.append("\("held", .caution)  \(what): proposal \(proposal, .strong) waits for approval")
      for need in requirements {
        let who = (need.roles + need.approvers).joined(separator: " or ")
        lines.append("      \(counted(need.count, "approval")) from \(who) (rule \(need.rule))")
      }
      if let expires { lines.append("      until \(expires.fullText(to: now))") }
    case .forbid: lines.append("\("refused", .bad)  \(what): \(Shown.sentence(refusal?.message ?? "no rule permits it"))")
    }
    for match in matched where match.effect == verdict && verdict == .hold {
      let clause = match.clause.map { " (\($0))" } ?? ""
      lines.append("      \(match.effect.rawValue) by rule \(match.rule, .strong)\(clause)\(match.reason.map { ": \($0)" } ?? "")")
    }
    for error in errors { lines.append("      rule \(error.rule, .strong) erred: \(Shown.sentence(error.message))") }
    return lines
  }
}

extension Refusal {
  /// The exit code of a command that was refused.
  var exitCode: ExitCode {
    switch code {
    case Code.runUnknown.rawValue, Code.stepUnknown.rawValue, Code.proposalUnknown.rawValue, Code.releaseUnknown.rawValue,
      Code.toolUnknown.rawValue, Code.allowanceUnknown.rawValue, Code.endorsementUnknown.rawValue:
      .notFound
    case Code.notHeld.rawValue, Code.digestMismatch.rawValue, Code.expired.rawValue, Code.changed.rawValue, Code.notGranted.rawValue,
      Code.notInDoubt.rawValue:
      .conflict
    case Code.notEligible.rawValue, Code.principalUnknown.rawValue, Code.serviceOnly.rawValue: .identity
    default: .refused
    }
  }
}
