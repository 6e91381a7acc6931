public import Core

/// An allowance as the log has it: who granted it, on what evidence, and whether it still covers anything.
public struct AllowanceRecord: Hashable, Sendable {
  /// Why an allowance ended before its time.
  public enum Ending: String, Hashable, Sendable, CaseIterable {
    /// A person stopped it.
    case stopped
    /// A person rejected or changed a call of its kind.
    case overridden
    /// A call that it covered was found to be wrong, or its effect failed.
    case badOutcome = "bad-outcome"
    /// A call of its kind had a target that nobody vouches for.
    case labelViolation = "label-violation"
    /// A document, the tool's definition, the prompt or the model is another one now.
    case changed
  }

  /// What it covers.
  public let allowance: Allowance
  /// The evidence when it was granted.
  public let basis: AllowanceBasis
  /// Who asked for it.
  public let proposer: String
  /// Who agreed; nil where only the proposer's edit is on record.
  public let approver: String?
  /// The entry that granted it.
  public let entry: Int
  /// When it was granted, in log time.
  public let granted: Instant
  /// How it ended; nil while it has not.
  public internal(set) var end: End?

  /// The end of an allowance.
  public struct End: Hashable, Sendable {
    /// What kind of end it is.
    public let why: Ending
    /// The words that go with it; nil where there are none or they were redacted.
    public let text: String?
    /// When, in log time.
    public let time: Instant
    /// Who or what ended it.
    public let by: String
    /// The entry that ended it.
    public let entry: Int
  }

  /// Where it stands: `live`, `pending` before its time, `expired`, or how it ended.
  public func status(at now: Instant) -> String {
    if let end { return end.why.rawValue }
    if let from = allowance.from, now < from { return "pending" }
    return now > allowance.until ? "expired" : "live"
  }

  /// Why it covers nothing now, in words; nil while it is live.
  func problem(at now: Instant) -> String? {
    if let end { return "it ended at \(end.time.iso8601): \(end.why.rawValue)" + (end.text.map { ": \($0)" } ?? "") }
    return allowance.ending(at: now)
  }
}

/// The evidence that an allowance rests on, counted by the gate and never taken from whoever asks.
public struct AllowanceBasis: Hashable, Sendable {
  /// How many cases people have looked at.
  public let reviewed: Int
  /// How many of them were wrong.
  public let wrong: Int
  /// What the evidence and the allowance depend on: tool definition, prompts, documents and model, by name.
  public let pins: AllowancePins

  /// The greatest share of wrong cases that this leaves possible with 95 % confidence, in parts per million.
  public var bound: Int { ErrorBound.upper(wrong: wrong, of: reviewed) }

  /// Parts per million as a percentage, exactly.
  public static func percent(_ partsPerMillion: Int) -> String {
    let (whole, rest) = (partsPerMillion / 10_000, partsPerMillion % 10_000)
    if rest == 0 { return "\(whole) %" }
    let digits = String(String(10_000 + rest).dropFirst())
    return "\(whole).\(digits.prefix(4 - digits.reversed().prefix { $0 == "0" }.count)) %"
  }
}

/// One use of an allowance, as the entry of the call states it.
public struct AllowanceUse: Hashable, Sendable {
  /// The allowance.
  public let name: String
  /// The arguments that its caps sum, by pointer, in the order of the caps.
  public let amounts: [Amount]
  /// Whether people are to look at it later.
  public let isSampled: Bool

  /// One argument that is summed.
  public struct Amount: Hashable, Sendable {
    /// Where it stands.
    public let at: String
    /// Its value.
    public let value: JSONNumber
  }

  /// The sums as text, by pointer.
  var amountsJSON: JSONObject { JSONObject(amounts.map { ($0.at, .string($0.value.text)) }) }

  var json: JSON {
    var object: JSONObject = ["name": .string(name)]
    if !amounts.isEmpty { object["amounts"] = .object(amountsJSON) }
    if isSampled { object["sampled"] = true }
    return .object(object)
  }

  init(name: String, amounts: [Amount], isSampled: Bool) {
    (self.name, self.amounts, self.isSampled) = (name, amounts, isSampled)
  }

  /// Reads what ``json`` writes.
  init(json: JSON) throws {
    guard let object = json.objectValue else { throw GovernanceLedger.Misfit("not a use of an allowance") }
    name = try object.text("name")
    amounts = try Self.amounts(object["amounts"]?.objectValue ?? [:])
    isSampled = object["sampled"]?.boolValue == true
  }

  static func amounts(_ object: JSONObject) throws -> [Amount] {
    try object.map { at, value in
      guard let number = value.stringValue.flatMap({ JSONNumber(decimal: $0) }) else { throw GovernanceLedger.Misfit("not an amount") }
      return Amount(at: at, value: number)
    }
  }
}
