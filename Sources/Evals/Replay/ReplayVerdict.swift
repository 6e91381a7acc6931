public import Core
public import PolicyEngine

/// What the rules say of one recorded call.
public struct ReplayVerdict: Sendable {
  /// Why a call was refused before the rules were asked.
  public enum Refusal: String, Hashable, Sendable {
    /// The catalogue has no such tool.
    case unknownTool = "unknown-tool"
    /// The arguments are no object.
    case malformedArguments = "malformed-arguments"
    /// The arguments do not fit the tool's schema.
    case schema
    /// A number would be rounded: it has to be sent as a text.
    case notRepresentable = "not-representable"
  }

  /// Id of the run.
  public let run: String
  /// Number of the call in its run.
  public let index: Int64
  /// Name of the tool.
  public let tool: String
  /// Whether the call changes something outside.
  public let isConsequential: Bool
  /// Whether it ran at the time.
  public let wasExecuted: Bool
  /// The verdict.
  public let outcome: Outcome
  /// Why the call did not get as far as the rules, if so.
  public let refusal: Refusal?
  /// The rules that decide, in file order; empty where none matched.
  public let deciding: [RuleMatch]
  /// The rules whose conditions could not be evaluated.
  public let errors: [RuleError]
  /// Why, in words, one thought a line.
  public let explanation: String
  /// Facts of the call that could not be found.
  public let missingFacts: [String]
  /// What the gate said at the time, where there was one.
  public let recordedOutcome: Outcome?
  /// What people say of the call.
  public let label: RecordedProposal.Label?

  /// Whether the call would not have run by itself: it is refused or held.
  public var isStopped: Bool { outcome != .permit }

  /// The verdict as JSON.
  public var json: JSON {
    var object: JSONObject = [
      "run": .string(run), "i": .int(index), "tool": .string(tool), "consequential": .bool(isConsequential),
      "verdict": .string(outcome.rawValue),
    ]
    if let refusal { object["refused_as"] = .string(refusal.rawValue) }
    object["by"] = .array(
      deciding.map { match in
        var rule: JSONObject = ["rule": .string(match.rule), "effect": .string(match.effect.rawValue)]
        if match.basis != .condition { rule["basis"] = .string(match.basis.rawValue) }
        if let clause = match.clause { rule["clause"] = .string(clause) }
        if let reason = match.reason { rule["reason"] = .string(reason) }
        return .object(rule)
      })
    if !errors.isEmpty { object["errors"] = .array(errors.map { ["rule": .string($0.rule), "message": .string($0.message)] }) }
    object["reason"] = .string(explanation)
    if !missingFacts.isEmpty { object["missing_facts"] = .array(missingFacts.map { .string($0) }) }
    if let recordedOutcome { object["recorded"] = .string(recordedOutcome.rawValue) }
    if let label {
      object["label"] = ["strength": .string(label.strength), "violations": .array(label.violations.map { .string($0) })]
    }
    return .object(object)
  }
}
