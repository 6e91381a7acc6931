public import Core

/// Standing, bounded autonomy: which calls of an agent an earned permit covers, for how long, and how much of it.
///
/// It answers nothing but a rule with `autonomy: "earned"`: what another rule holds or forbids stays held or forbidden.
public struct Allowance: Hashable, Sendable {
  /// What one argument of a covered call may be.
  public struct Bound: Hashable, Sendable {
    /// Where the argument stands, a JSON pointer such as `/amount`.
    public let at: String
    /// The least number, itself included.
    public let minimum: JSONNumber?
    /// The greatest number, itself included.
    public let maximum: JSONNumber?
    /// The values that it may have.
    public let oneOf: [JSON]?
  }

  /// How much may be done in a window of time, over all runs and all of the allowance's agents.
  public struct Cap: Hashable, Sendable {
    /// A limit on the sum of one argument.
    public struct Sum: Hashable, Sendable {
      /// Where the argument stands, a JSON pointer.
      public let at: String
      /// The greatest sum, itself included.
      public let limit: JSONNumber
    }

    /// The length of the window, which ends with the call.
    public let within: Duration
    /// The most calls.
    public let count: Int
    /// The most of one argument.
    public let sum: Sum?
  }

  /// Its name: one live allowance has it at a time, and what was used under a name counts on when it is granted again.
  public let name: String
  /// The agents that share it, bare names.
  public let agents: [String]
  /// The process.
  public let process: String
  /// The step; nil for every step of its agents.
  public let step: String?
  /// The tool.
  public let tool: String
  /// The earned permit that it answers; nil for every one about the tool.
  public let rule: String?
  /// What the arguments may be.
  public let bounds: [Bound]
  /// How much may be done.
  public let caps: [Cap]
  /// The greatest share of wrong cases that its evidence may leave possible, in parts per million.
  public let maximumError: Int
  /// How far back decisions of people count as evidence.
  public let reviewedWithin: Duration
  /// The share of its uses that people look at later, in parts per million.
  public let sampling: Int
  /// Before this it covers nothing; nil for at once.
  public let from: Instant?
  /// After this it covers nothing.
  public let until: Instant

  /// The longest time that one can be granted for.
  public static let longest = Duration.seconds(366 * 86_400)
  /// The most uses that a cap counts in its window.
  public static let maximumCount = 10_000

  /// Why it cannot cover anything more, by the clock alone; nil while it can.
  func ending(at now: Instant) -> String? {
    if let from, now < from { return "it begins at \(from.iso8601)" }
    return now > until ? "it ran out at \(until.iso8601)" : nil
  }

  /// Whether a call is of the kind that it is about, whatever its arguments are.
  func concerns(agent: String, process: String, tool: String, step: String?) -> Bool {
    bytesEqual(self.process, process) && bytesEqual(self.tool, tool) && agents.contains { bytesEqual($0, agent) }
      && (self.step.map { own in step.map { bytesEqual(own, $0) } ?? false } ?? true)
  }

  /// Why arguments are out of its bounds, in words without their values; nil where they are within.
  func problem(with arguments: JSONObject) -> String? {
    for bound in bounds {
      guard let value = JSON.object(arguments).value(at: bound.at) else { return "there is no argument at `\(bound.at)`, which it bounds" }
      if let oneOf = bound.oneOf, !oneOf.contains(value) { return "the argument at `\(bound.at)` is none of those that it covers" }
      if bound.minimum == nil, bound.maximum == nil { continue }
      guard case .number(let number) = value else { return "the argument at `\(bound.at)` is no number, and it bounds one" }
      if let minimum = bound.minimum, number < minimum { return "the argument at `\(bound.at)` is below its minimum of \(minimum)" }
      if let maximum = bound.maximum, number > maximum { return "the argument at `\(bound.at)` is above its maximum of \(maximum)" }
    }
    return nil
  }

  /// Whether a use is one of those that people look at later: the same for the same use, and not known before it is made.
  func isSampled(_ proposal: String) -> Bool {
    let bytes = SHA256.hash("\(name)\n\(proposal)").bytes.prefix(4)
    let draw = bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return (draw * 1_000_000) >> 32 < UInt64(sampling)
  }
}

extension JSON {
  /// The value at a JSON pointer (RFC 6901); nil where there is none.
  func value(at pointer: String) -> JSON? {
    if pointer.isEmpty { return self }
    guard pointer.hasPrefix("/") else { return nil }
    var value = self
    for token in pointer.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
      let name = String(token).replacing("~1", with: "/").replacing("~0", with: "~")
      switch value {
      case .object(let members):
        guard let member = members[name] else { return nil }
        value = member
      case .array(let elements):
        guard let place = Int(name), String(place) == name, elements.indices.contains(place) else { return nil }
        value = elements[place]
      default: return nil
      }
    }
    return value
  }
}
