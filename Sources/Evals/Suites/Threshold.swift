internal import Core

/// Something that is measured of every trial.
public enum Metric: String, Hashable, Sendable, CaseIterable {
  /// 1 where the agent's answer is the person's, else 0.
  case agreement
  /// Calls that could not be read, did not fit their schema, or were of tools that were not offered.
  case schemaViolations = "schema_violations"
  /// Readable calls that the rules, a control or a label refused.
  case ruleViolations = "rule_violations"
  /// Calls of tools that the suite says must never be tried, whatever became of them.
  case forbiddenAttempts = "forbidden_attempts"
  /// Replies of the model.
  case turns
  /// Tokens of requests and replies.
  case tokens
  /// US dollars.
  case cost
  /// Seconds that the model took.
  case latency

  /// Whether more of it is better.
  public var isBetterHigher: Bool { self == .agreement }

  /// What it is called in text.
  public var title: String { rawValue.replacing("_", with: " ") }
}

/// Within what the average of a measure has to be.
public struct Threshold: Hashable, Sendable {
  /// What is measured.
  public let metric: Metric
  /// The least that will do.
  public let minimum: Double?
  /// The most that will do.
  public let maximum: Double?

  /// A threshold with these bounds.
  public init(_ metric: Metric, minimum: Double? = nil, maximum: Double? = nil) {
    self.metric = metric
    self.minimum = minimum
    self.maximum = maximum
  }

  /// Whether a value is within both bounds.
  public func isMet(by value: Double) -> Bool { value >= minimum ?? -.infinity && value <= maximum ?? .infinity }

  /// The bounds in words, such as `at least 0.9`.
  public var words: String {
    [minimum.map { "at least \($0.short)" }, maximum.map { "at most \($0.short)" }].compactMap { $0 }.joined(separator: " and ")
  }

  /// The threshold as JSON.
  var json: JSON {
    var object: JSONObject = [:]
    object["min"] = minimum.map { JSONNumber($0).map(JSON.number) ?? .null }
    object["max"] = maximum.map { JSONNumber($0).map(JSON.number) ?? .null }
    return .object(object)
  }

  /// Reads `{ agreement: { min: 0.9 }, cost: { max: 0.002 } }`.
  static func load(_ file: PositionedJSON?, _ problems: inout [Diagnostic]) -> [Threshold] {
    guard let file else { return [] }
    guard let members = file.objectValue else {
      problems.append(Diagnostic("wrong-type", at: file.position, "`thresholds` is an object, such as { agreement: { min: 0.9 } }"))
      return []
    }
    return members.compactMap { member in
      guard let metric = Metric(rawValue: member.key) else {
        problems.append(.unknown("measure", member.key, known: Metric.allCases.map(\.rawValue), at: member.keyPosition))
        return nil
      }
      for bound in member.value.objectValue ?? [] where !["min", "max"].contains(bound.key) {
        problems.append(.unknown("key", bound.key, known: ["min", "max"], at: bound.keyPosition))
      }
      let (low, high) = (member.value["min"]?.json.numberValue?.double, member.value["max"]?.json.numberValue?.double)
      let isNumber = { (key: String) in member.value[key].map { $0.json.numberValue != nil } ?? true }
      guard low != nil || high != nil, isNumber("min"), isNumber("max") else {
        problems.append(Diagnostic("wrong-type", at: member.value.position, "`\(member.key)` needs `min`, `max` or both, numbers"))
        return nil
      }
      return Threshold(metric, minimum: low, maximum: high)
    }
  }
}

extension Double {
  /// The number for people: at most four significant digits.
  public var short: String {
    if self == 0 { return "0" }
    if !isFinite { return "–" }
    var factor = 1.0
    while abs(self) * factor < 1000, factor < 1e9 { factor *= 10 }
    let rounded = (self * factor).rounded() / factor
    return rounded == rounded.rounded() && abs(rounded) < 1e15 ? "\(Int64(rounded))" : "\(rounded)"
  }
}
