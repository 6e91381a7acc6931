public import Core

extension Allowance {
  /// The allowance as the arguments of `allowance.grant`; ``init(json:)`` reads it back.
  public var json: JSON {
    var object: JSONObject = [
      "agents": .array(agents.map { .string($0) }), "caps": .array(caps.map(\.json)), "maximum_error_ppm": .int(maximumError),
      "name": .string(name), "process": .string(process), "reviewed_within": .string(reviewedWithin.iso8601),
      "sampling_ppm": .int(sampling), "tool": .string(tool), "until": .string(until.iso8601),
    ]
    object["step"] = step.map { .string($0) }
    object["rule"] = rule.map { .string($0) }
    object["from"] = from.map { .string($0.iso8601) }
    if !bounds.isEmpty { object["bounds"] = .array(bounds.map(\.json)) }
    return .object(object)
  }

  /// Reads the arguments of `allowance.grant`.
  ///
  /// - Throws: ``Refusal`` that names the member that cannot be used.
  public init(json: JSON) throws(Refusal) {
    let reader = AllowanceReader(json: json)
    name = try reader.text("name")
    agents = reader.texts("agents")
    process = try reader.text("process")
    step = json["step"]?.stringValue
    tool = try reader.text("tool")
    rule = json["rule"]?.stringValue
    bounds = try Self.bounds(json["bounds"]?.arrayValue ?? [])
    caps = try Self.caps(json["caps"]?.arrayValue ?? [])
    maximumError = try reader.integer("maximum_error_ppm")
    reviewedWithin = try reader.duration("reviewed_within")
    sampling = try reader.integer("sampling_ppm")
    from = try json["from"].map { _ throws(Refusal) in try reader.instant("from") }
    until = try reader.instant("until")
    if agents.isEmpty { throw Refusal(.allowanceInvalid, "`agents` names nobody") }
    if caps.isEmpty { throw Refusal(.allowanceInvalid, "`caps` is empty: an allowance says how much may be done") }
    if let from, until <= from { throw Refusal(.allowanceInvalid, "`until` is not after `from`") }
  }

  private static func bounds(_ members: [JSON]) throws(Refusal) -> [Bound] {
    var bounds: [Bound] = []
    for member in members {
      let at = try AllowanceReader(json: member).pointer("at")
      let bound = Bound(
        at: at, minimum: member["minimum"]?.numberValue, maximum: member["maximum"]?.numberValue, oneOf: member["one_of"]?.arrayValue)
      if bound.minimum == nil, bound.maximum == nil, bound.oneOf == nil {
        throw Refusal(.allowanceInvalid, "the bound at `\(visible(at))` has no `minimum`, `maximum` or `one_of`")
      }
      if let minimum = bound.minimum, let maximum = bound.maximum, maximum < minimum {
        throw Refusal(.allowanceInvalid, "the bound at `\(visible(at))` has a maximum below its minimum")
      }
      bounds.append(bound)
    }
    return bounds
  }

  private static func caps(_ members: [JSON]) throws(Refusal) -> [Cap] {
    var caps: [Cap] = []
    for member in members {
      let reader = AllowanceReader(json: member)
      var sum: Cap.Sum?
      if let limit = member["sum"] {
        guard let number = limit["limit"]?.numberValue, number >= JSONNumber(0) else {
          throw Refusal(.allowanceInvalid, "the `limit` of a sum is a number that is not negative")
        }
        sum = Cap.Sum(at: try AllowanceReader(json: limit).pointer("at"), limit: number)
      }
      caps.append(Cap(within: try reader.duration("within"), count: try reader.integer("count"), sum: sum))
    }
    return caps
  }
}

extension Allowance.Bound {
  fileprivate var json: JSON {
    var object: JSONObject = ["at": .string(at)]
    object["minimum"] = minimum.map { .number($0) }
    object["maximum"] = maximum.map { .number($0) }
    object["one_of"] = oneOf.map { .array($0) }
    return .object(object)
  }
}

extension Allowance.Cap {
  var json: JSON {
    var object: JSONObject = ["count": .int(count), "within": .string(within.iso8601)]
    object["sum"] = sum.map { ["at": .string($0.at), "limit": .number($0.limit)] }
    return .object(object)
  }
}

/// Reads the members of an object whose types its schema has checked.
private struct AllowanceReader {
  let json: JSON

  func text(_ key: String) throws(Refusal) -> String {
    guard let text = json[key]?.stringValue, !text.isEmpty else { throw Refusal(.allowanceInvalid, "`\(key)` is missing") }
    return text
  }

  func texts(_ key: String) -> [String] { (json[key]?.arrayValue ?? []).compactMap(\.stringValue) }

  func integer(_ key: String) throws(Refusal) -> Int {
    guard let number = json[key]?.intValue else { throw Refusal(.allowanceInvalid, "`\(key)` is missing") }
    return Int(number)
  }

  func pointer(_ key: String) throws(Refusal) -> String {
    let text = try text(key)
    if text.hasPrefix("/") { return text }
    throw Refusal(.allowanceInvalid, "`\(visible(text))` is no JSON pointer, such as `/amount`")
  }

  func duration(_ key: String) throws(Refusal) -> Duration {
    let text = try text(key)
    guard let duration = Duration(iso8601: text), duration > .zero, duration <= Allowance.longest else {
      throw Refusal(.allowanceInvalid, "`\(key)` is a time such as `PT24H` or `P90D`, at most 366 days, not `\(visible(text))`")
    }
    return duration
  }

  func instant(_ key: String) throws(Refusal) -> Instant {
    let text = try text(key)
    if let instant = Instant(iso8601: text) { return instant }
    throw Refusal(.allowanceInvalid, "`\(key)` is a moment such as `2027-01-31T00:00:00Z`, not `\(visible(text))`")
  }
}
