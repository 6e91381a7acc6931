public import Core

extension DurationSummary {
  /// The summary as JSON; all members in milliseconds but `count`.
  public var json: JSON {
    [
      "count": .int(count), "total_ms": .int(total), "mean_ms": .int(mean), "median_ms": .int(median), "p90_ms": .int(p90),
      "min_ms": .int(minimum), "max_ms": .int(maximum),
    ]
  }
}

extension WilsonInterval {
  /// The interval as JSON: `lower` and `upper`, rounded to six decimals.
  public var json: JSON { ["lower": ratio(lower), "upper": ratio(upper)] }
}

/// A share with six decimals, so that outputs do not depend on the last bit of a division.
func ratio(_ value: Double) -> JSON { JSONNumber((value * 1e6).rounded() / 1e6).map(JSON.number) ?? .null }

extension DirectlyFollowsGraph {
  /// The graph as JSON: `cases`, `events`, `activities`, `arcs` (by name).
  public var json: JSON {
    [
      "cases": .int(cases), "events": .int(events),
      "activities": .array(
        nodes.map { ["activity": .string($0.activity), "count": .int($0.count), "starts": .int($0.starts), "ends": .int($0.ends)] }),
      "arcs": .array(
        arcs.map { arc in
          [
            "from": .string(nodes[arc.from].activity), "to": .string(nodes[arc.to].activity), "count": .int(arc.count),
            "duration": arc.duration?.json ?? .null,
          ]
        }),
    ]
  }
}

extension Variants {
  /// The variants as JSON: `cases` and `variants`.
  public var json: JSON {
    [
      "cases": .int(cases),
      "variants": .array(
        variants.map { variant in
          [
            "activities": .array(variant.activities.map { .string($0) }), "count": .int(variant.count), "share": ratio(variant.share),
            "examples": .array(variant.examples.map { .string($0) }), "throughput": variant.throughput.json,
          ]
        }),
    ]
  }
}

extension HandOffs {
  /// The hand-offs as JSON: `hand_offs` and `unattributed`.
  public var json: JSON {
    [
      "hand_offs": .array(
        handOffs.map { handOff in
          [
            "from": .string(handOff.from), "to": .string(handOff.to), "waiting": handOff.waiting.json,
            "measured_to_begin": .int(handOff.measuredToBegin),
          ]
        }),
      "unattributed": .int(unattributed),
    ]
  }
}

extension Bottlenecks {
  /// The ranking as JSON: `basis` (`step-waits` or `arcs`) and `places`.
  public var json: JSON {
    [
      "basis": basis == .stepWaits ? "step-waits" : "arcs",
      "places": .array(
        places.map { place in
          [
            "activity": .string(place.activity), "after": place.after.map { .string($0) } ?? .null, "share": ratio(place.share),
            "time": place.time.json, "open": .int(place.open),
          ]
        }),
    ]
  }
}

extension HoldSuggestion {
  /// The suggestion as JSON, evidence and change included.
  public var json: JSON {
    [
      "kind": "needless-hold", "summary": .string(summary), "rule": .string(rule), "tool": .string(tool),
      "step": step.map { .string($0) } ?? .null, "decided": .int(decided), "approved_unchanged": .int(approvedUnchanged),
      "error": error.json,
      "condition": .string(condition.cel), "covered": .int(covered), "error_under_condition": errorUnderCondition.json,
      "conditions_tried": .int(conditionsTried), "still_held_by_others": .int(stillHeldByOthers),
      "support": .array(support.map { .int($0) }),
      "counter_examples": .array(counterExamples.map { ["entry": .int($0.entry), "outcome": .string($0.outcome.rawValue)] }),
      "change": [
        "rule": .string(change.rule), "before": .object(change.before), "after": .array(change.after.map { .object($0) }),
        "diff": .string(change.diff),
      ],
    ]
  }
}

extension HoldFinding {
  /// The finding as JSON: a suggestion, or `kind: "nothing"` with the reason.
  public var json: JSON {
    switch self {
    case .suggestion(let suggestion): suggestion.json
    case .nothing(let rule, let tool, let step, let decided, let reason):
      [
        "kind": "nothing", "rule": .string(rule), "tool": .string(tool), "step": step.map { .string($0) } ?? .null,
        "decided": .int(decided),
        "reason": .string("\(reason)"),
      ]
    }
  }
}
