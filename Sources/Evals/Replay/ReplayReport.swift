public import Core
internal import PolicyEngine

/// What rules say of a whole recording, and of the calls that are known to be right.
public struct ReplayReport: Sendable {
  /// How many of some calls the rules stop.
  public struct Share: Hashable, Sendable {
    /// How many calls there are.
    public let total: Int
    /// How many are refused.
    public let refused: Int
    /// How many are held.
    public let held: Int
    /// How many do not run by themselves.
    public var stopped: Int { refused + held }

    init(_ verdicts: some Sequence<ReplayVerdict>) {
      var counts = (total: 0, refused: 0, held: 0)
      for verdict in verdicts {
        counts.total += 1
        switch verdict.outcome {
        case .forbid: counts.refused += 1
        case .hold: counts.held += 1
        case .permit: break
        }
      }
      (total, refused, held) = counts
    }

    /// The share as JSON.
    public var json: JSON { ["total": .int(total), "stopped": .int(stopped), "refused": .int(refused), "held": .int(held)] }
  }

  /// The name of the rules.
  public let policy: String
  /// One verdict for each recorded call, in order.
  public let verdicts: [ReplayVerdict]
  /// One verdict for each consequential call that is known to be right.
  public let groundTruth: [ReplayVerdict]

  /// How many runs were replayed, those without a call included.
  public let runs: Int

  /// A report over verdicts.
  ///
  /// - Parameters:
  ///   - policy: The name of the rules.
  ///   - verdicts: One for each recorded call, in order.
  ///   - groundTruth: Those of calls that are known to be right; only the consequential ones are kept.
  ///   - runs: How many runs there were; nil counts those that have a verdict.
  public init(policy: String, verdicts: [ReplayVerdict], groundTruth: [ReplayVerdict] = [], runs: Int? = nil) {
    self.policy = policy
    self.runs = runs ?? Set(verdicts.map { ExactString($0.run) }).count
    self.verdicts = verdicts
    self.groundTruth = groundTruth.filter(\.isConsequential)
  }

  /// The calls of one strength of label.
  public func labelled(_ strength: String) -> [ReplayVerdict] { verdicts.filter { $0.label?.strength == strength } }

  /// The consequential calls that nobody found fault with.
  public var unlabelled: [ReplayVerdict] { verdicts.filter { $0.isConsequential && $0.label == nil } }

  /// The report as JSON: `proposals`, `strong`, `ground_truth` and more; every verdict is in `decisions`.
  public var json: JSON {
    let strong = labelled("strong")
    var strongObject = Share(strong).json.objectValue ?? JSONObject()
    strongObject["missed"] = .array(strong.filter { !$0.isStopped }.map(\.json))
    var truthObject = Share(groundTruth).json.objectValue ?? JSONObject()
    truthObject["stopped_calls"] = .array(groundTruth.filter(\.isStopped).map(\.json))
    return [
      "policy": .string(policy), "runs": .int(runs), "proposals": .int(verdicts.count),
      "consequential": .int(verdicts.count { $0.isConsequential }),
      "verdicts": .object(
        JSONObject(Outcome.allCases.map { outcome in (outcome.rawValue, .int(verdicts.count { $0.outcome == outcome })) })),
      "rule_errors": .int(verdicts.count { !$0.errors.isEmpty }),
      "strong": .object(strongObject), "disputed": Share(labelled("disputed")).json, "unlabelled": Share(unlabelled).json,
      "ground_truth": .object(truthObject), "decisions": .array(verdicts.map(\.json)),
    ]
  }
}
