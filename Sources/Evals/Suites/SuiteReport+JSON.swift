public import Core

extension SuiteReport {
  /// The report as JSON: provenance, `trials`, `missing`, `measures`, `ok`, and every trial in which the agent and the person differ.
  public var json: JSON {
    var object = results.header.json.objectValue ?? [:]
    object["trials"] = .int(results.trials.count)
    object["missing"] = .int(results.missing)
    object["measures"] = .object(
      JSONObject(
        averages.map { average in
          var measure: JSONObject = [
            "mean": number(average.mean), "lower": number(average.interval.lower), "upper": number(average.interval.upper),
            "samples": .int(average.samples),
          ]
          measure["threshold"] = average.threshold?.json
          if average.threshold != nil { measure["ok"] = .bool(average.isMet) }
          return (average.metric.rawValue, .object(measure))
        }))
    object["unmeasured"] = .array(unmeasured.map { .string($0.metric.rawValue) })
    object["disagreements"] = .array(disagreements.map(\.json))
    object["ok"] = .bool(isGood)
    return .object(object)
  }
}

extension SuiteComparison {
  /// The comparison as JSON, with the verdict in words.
  public var json: JSON {
    var object: JSONObject = [
      "compared": .int(compared), "unmatched": .int(unmatched), "changed": .array(changed.map { .string($0) }),
      "differs_in": .array(provenance.map { .string($0) }), "verdict": .string(verdict), "worse": .bool(isWorse),
      "measures": .object(
        JSONObject(
          differences.map { difference in
            (
              difference.metric.rawValue,
              [
                "before": number(difference.before), "after": number(difference.after), "samples": .int(difference.samples),
                "lower": number(difference.interval.lower), "upper": number(difference.interval.upper),
                "clear": .bool(difference.isClear),
              ]
            )
          })),
    ]
    object["agreement"] = agreement.map {
      [
        "both": .int($0.both), "neither": .int($0.neither), "only_before": .array($0.onlyBefore.map { .string($0) }),
        "only_after": .array($0.onlyAfter.map { .string($0) }), "p": number($0.p),
      ]
    }
    return .object(object)
  }
}

private func number(_ value: Double) -> JSON { JSONNumber(value).map(JSON.number) ?? .null }
