public import Core

/// Results in the JSON form of the eval logs of Inspect (`inspect_ai`, log version 2), for its viewer and its analysis functions.
///
/// A trial is a sample with an epoch; the calls, their verdicts and digests are metadata. What the model was told is not in the results,
/// so that `input` says only which sample it was, and there are no messages.
public enum InspectLog {
  /// The version of the log's form.
  public static let version: Int64 = 2

  /// Writes the log of some results.
  ///
  /// - Parameters:
  ///   - results: The results.
  ///   - report: What they come to.
  ///   - created: When the log is made; results do not say when they were.
  /// - Returns: The log.
  public static func json(_ results: SuiteResults, _ report: SuiteReport, created: Instant) -> JSON {
    let header = results.header
    let id = SHA256.hash(header.json.text()).hex
    let time = JSON.string(created.iso8601.hasSuffix("Z") ? created.iso8601.dropLast() + "+00:00" : created.iso8601)
    let model = "\(header.endpoint == "scripted" ? "scripted" : "remit")/\(header.model)"
    var order: [String] = []
    for trial in results.trials where trial.repetition == 1 { order.append(trial.sample) }
    let usage = usage(results.trials)
    let spec: JSONObject = [
      "eval_id": .string(String(id.prefix(22))), "run_id": .string(String(id.prefix(22))), "created": time,
      "task": .string("remit/\(header.suite)"), "task_id": .string(String(id.suffix(22))), "task_version": 0, "task_args": [:],
      "dataset": [
        "name": .string(header.suite), "samples": .int(header.samples), "sample_ids": .array(order.map { .string($0) }), "shuffled": false,
      ],
      "model": .string(model), "model_args": [:], "config": ["epochs": .int(header.repeats)], "packages": [:],
      "metadata": header.json,
    ]
    let scores = report.averages.map { average -> JSON in
      let metrics: JSONObject = [
        "mean": ["name": "mean", "value": number(average.mean)],
        "ci_lower": ["name": "ci_lower", "value": number(average.interval.lower)],
        "ci_upper": ["name": "ci_upper", "value": number(average.interval.upper)],
      ]
      let name = JSON.string(average.metric.rawValue)
      return ["name": name, "scorer": name, "params": [:], "metrics": .object(metrics)]
    }
    return [
      "version": .int(version), "status": .string(results.missing == 0 ? "success" : "cancelled"), "eval": .object(spec),
      "plan": ["name": "plan", "steps": [["solver": "remit_agent", "params": ["process": .string(header.process)]]], "config": [:]],
      "results": [
        "total_samples": .int(header.samples * header.repeats), "completed_samples": .int(results.trials.count), "scores": .array(scores),
      ],
      "stats": ["started_at": time, "completed_at": time, "model_usage": .object(JSONObject([(model, usage)]))],
      "samples": .array(results.trials.map { sample($0, header, model: model) }),
    ]
  }

  private static func sample(_ trial: TrialRecord, _ header: ResultsHeader, model: String) -> JSON {
    let answer = trial.answer.map { JSON.object($0).text() } ?? ""
    let scores = TrialScores(trial, expectation: trial.expectation, never: header.never)
    var all: [(String, JSON)] = []
    for metric in Metric.allCases {
      guard let value = scores[metric] else { continue }
      var score: JSONObject = ["value": number(value)]
      if metric == .agreement { (score["answer"], score["explanation"]) = (.string(answer), .string(trial.detail ?? trial.outcome)) }
      all.append((metric.rawValue, .object(score)))
    }
    return [
      "id": .string(trial.sample), "epoch": .int(trial.repetition), "input": .string("sample `\(trial.sample)` of `\(header.suite)`"),
      "target": .string(trial.expectation.isEmpty ? "" : trial.expectation.json.text()), "messages": [],
      "output": [
        "model": .string(model),
        "choices": [["message": ["role": "assistant", "content": .string(answer), "source": "generate"], "stop_reason": "stop"]],
        "usage": usage([trial]), "time": number(Double(trial.latency.milliseconds) / 1000),
      ],
      "scores": .object(JSONObject(all)), "metadata": trial.json, "store": [:], "events": [],
      "model_usage": .object(JSONObject([(model, usage([trial]))])),
      "attachments": [:],
    ]
  }

  private static func usage(_ trials: [TrialRecord]) -> JSON {
    let input = trials.map(\.inputTokens).reduce(0, +)
    let output = trials.map(\.outputTokens).reduce(0, +)
    return ["input_tokens": .int(input), "output_tokens": .int(output), "total_tokens": .int(input + output)]
  }

  private static func number(_ value: Double) -> JSON { JSONNumber(value).map(JSON.number) ?? .null }
}
