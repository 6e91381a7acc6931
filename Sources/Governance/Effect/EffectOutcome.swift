public import Core

/// What became of an effect on the outside.
public struct EffectOutcome: Sendable {
  /// The three things that can be known.
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// It happened.
    case finished
    /// It did not happen, and the outside says so.
    case failed
    /// It began, and nobody knows.
    case inDoubt = "in-doubt"
  }

  /// What is known.
  public var kind: Kind
  /// What the tool gave back; an object for tools that teach facts.
  public var result: JSON?
  /// Why it failed or is in doubt, a short code in kebab case.
  public var code: String?
  /// Why, for people and for the agent, or how a person knows: untrusted text.
  public var message: String?

  /// What the tool's parts outside the release are, where they are not what it pins and it was not called for that.
  public var observed: ToolPin?

  /// The effect happened.
  public static func finished(_ result: JSON) -> EffectOutcome { EffectOutcome(kind: .finished, result: result) }
  /// The effect did not happen.
  public static func failed(_ code: String, _ message: String) -> EffectOutcome {
    EffectOutcome(kind: .failed, code: code, message: message)
  }
  /// Nothing happened, because the grant's deadline had passed before the call.
  public static let tooLate = failed("deadline-passed", "the time for the call was over before it began")
  /// Nothing happened, because the tool is not what was released.
  public static func changed(_ change: String, observed: ToolPin) -> EffectOutcome {
    EffectOutcome(kind: .failed, code: "tool-changed", message: change, observed: observed)
  }
  /// Nobody knows.
  public static func inDoubt(_ code: String, _ message: String) -> EffectOutcome {
    EffectOutcome(kind: .inDoubt, code: code, message: message)
  }

  /// The same outcome with a note about it.
  func noting(_ note: String) -> EffectOutcome {
    var outcome = self
    outcome.message = [message, note].compactMap { $0 }.joined(separator: "; ")
    return outcome
  }
}
