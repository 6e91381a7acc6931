public import Core

extension Suggestion {
  /// The suggestion as JSON: kind, subject, evidence, change, effect and risk.
  public var json: JSON {
    let test = evidence.test
    return [
      "kind": .string(kind.rawValue), "summary": .string(summary),
      "subject": .object(JSONObject(subject.map { ($0.kind, .string($0.name)) })),
      "evidence": [
        "meaning": .string(evidence.meaning), "count": .int(test.count), "total": .int(test.total), "share": rounded(test.share),
        "interval": test.interval.json, "limit": rounded(test.limit), "side": test.side == .above ? "above" : "below",
        "note": evidence.note.map { .string($0) } ?? .null, "support": .array(evidence.support.map { .int($0) }),
        "support_count": .int(evidence.supportCount), "against": .array(evidence.against.map { .int($0) }),
        "against_count": .int(evidence.againstCount),
      ],
      "chance": rounded(chance),
      "change": change.json,
      "effect": [
        "what": .string(effect.what), "unit": effect.unit == .milliseconds ? "ms-per-run" : "per-100-runs", "low": rounded(effect.low),
        "high": rounded(effect.high),
      ],
      "risk": .string(risk),
    ]
  }
}

extension SuggestedChange {
  /// The change as JSON: its target, its type, its parts, and the diff as text.
  public var json: JSON {
    var object: JSONObject = ["target": .string(target)]
    switch self {
    case .rule(let change):
      object["type"] = "replace-rule"
      object["rule"] = .string(change.rule)
      object["before"] = .object(change.before)
      object["after"] = .array(change.after.map { .object($0) })
    case .newRule(let rule):
      object["type"] = "add-rule"
      object["after"] = .array([.object(rule)])
    case .process(.removeBranch(let choice, let branch)):
      object["type"] = "remove-branch"
      object["choice"] = .string(choice)
      object["branch"] = .string(branch)
    case .process(.removeStep(let step)):
      object["type"] = "remove-step"
      object["step"] = .string(step)
    case .process(.requireEvidence(let step, let name)):
      object["type"] = "require-evidence"
      object["step"] = .string(step)
      object["evidence"] = .string(name)
    case .process(.checkAfter(let step, let performer)):
      object["type"] = "add-check"
      object["step"] = .string(step)
      object["performer"] = .string(performer)
    case .staffing(.strengthen(let performer, let place)):
      object["type"] = "strengthen"
      object["performer"] = .string(performer)
      object["place"] = .string(place)
    case .staffing(.receive(let from, let to)):
      object["type"] = "receive"
      object["from"] = .string(from)
      object["to"] = .string(to)
    case .staffing(.spread(let person, let rule)):
      object["type"] = "spread"
      object["person"] = .string(person)
      object["rule"] = .string(rule)
    case .document(let edit):
      object["type"] = "change-text"
      object["path"] = .string(edit.path)
      object["step"] = .string(edit.step)
      object["before"] = edit.before.map { .string($0) } ?? .null
      object["after"] = .string(edit.after)
    case .allowance(.grant(let agent, let tool, let step, let condition)):
      object["type"] = "grant-allowance"
      object["agent"] = .string(agent)
      object["tool"] = .string(tool)
      object["step"] = step.map { .string($0) } ?? .null
      object["condition"] = .string(condition.cel)
    case .allowance(.withdraw(let id)):
      object["type"] = "withdraw-allowance"
      object["allowance"] = .string(id)
    }
    object["diff"] = .string(diff)
    return .object(object)
  }
}

/// A number with six decimals, so that outputs do not depend on the last bit of a division.
private func rounded(_ value: Double) -> JSON { JSONNumber((value * 1e6).rounded() / 1e6).map(JSON.number) ?? .null }
