public import Core

/// One case of a suite: what a run is like when the agent's step opens, what its tools answer, and what a person decided.
public struct EvalSample: Hashable, Sendable {
  /// How a run comes to the agent's step.
  public struct Setting: Hashable, Sendable {
    /// Who asks, such as `dora`; nil takes the first person who may.
    public var requester: String?
    /// The name of the form or event that starts the run; nil where there is only one.
    public var trigger: String?
    /// The values that the run is started with.
    public var fields = JSONObject()
    /// The values that people set in the steps before, by step.
    public var before = JSONObject()
    /// What tools answer, by name; null is a tool that fails.
    public var tools = JSONObject()
    /// When all this happens.
    public var time: Instant?

    /// A setting in which nothing is said.
    public init() {}

    /// The setting with another one's values in the place of its own.
    func overlaid(with other: Setting) -> Setting {
      func merged(_ a: JSONObject, _ b: JSONObject) -> JSONObject {
        var merged = a
        for (key, value) in b { merged[key] = value }
        return merged
      }
      var result = self
      result.requester = other.requester ?? requester
      result.trigger = other.trigger ?? trigger
      result.fields = merged(fields, other.fields)
      result.before = merged(before, other.before)
      result.tools = merged(tools, other.tools)
      result.time = other.time ?? time
      return result
    }
  }

  /// What a person decided in the same case.
  public struct Expectation: Hashable, Sendable {
    /// The values of the step's form.
    ///
    /// Only those named are compared. An array under `any` lists several that are right.
    public var fields = JSONObject()
    /// Where work on the step is to end, such as `completed` or `held`; nil where that does not matter.
    public var outcome: String?

    /// An expectation of values, and of an end.
    public init(fields: JSONObject = JSONObject(), outcome: String? = nil) {
      self.fields = fields
      self.outcome = outcome
    }

    /// The expectation as JSON.
    public var json: JSON {
      var object: JSONObject = [:]
      if !fields.isEmpty { object["fields"] = .object(fields) }
      object["outcome"] = outcome.map { .string($0) }
      return .object(object)
    }

    /// An expectation from its ``json``; nil for anything else.
    public init?(json: JSON) {
      guard let object = json.objectValue, object.allSatisfy({ ["fields", "outcome"].contains($0.key) }),
        object["fields"].map({ $0.objectValue != nil }) ?? true, object["outcome"].map({ $0.stringValue != nil }) ?? true
      else { return nil }
      self.init(fields: object["fields"]?.objectValue ?? [:], outcome: object["outcome"]?.stringValue)
    }

    /// Whether there is anything to compare with.
    var isEmpty: Bool { fields.isEmpty && outcome == nil }
  }

  /// Its name, unique in the suite.
  public let id: String
  /// How its run comes to the step, with what the suite says for all.
  public let setting: Setting
  /// What a person decided.
  public let expectation: Expectation
  /// The digest of its line, canonically written.
  public let digest: Digest

  /// A sample with these parts.
  public init(id: String, setting: Setting, expectation: Expectation, digest: Digest) {
    self.id = id
    self.setting = setting
    self.expectation = expectation
    self.digest = digest
  }
}

extension EvalSample.Setting {
  /// The names of the members that say something about a setting.
  static let keys = ["requester", "trigger", "fields", "before", "tools", "time"]

  /// Reads the members of an object that are about the setting.
  ///
  /// - Parameters:
  ///   - object: The suite, or a sample.
  ///   - problem: Told of each member of the wrong kind.
  init(_ object: JSONObject, problem: (String) -> Void) {
    self.init()
    func members(_ key: String) -> JSONObject {
      guard let value = object[key] else { return [:] }
      if value.objectValue == nil { problem("`\(key)` is a JSON \(value.typeName), not an object") }
      return value.objectValue ?? [:]
    }
    func text(_ key: String) -> String? {
      if let value = object[key], value.stringValue == nil { problem("`\(key)` is a JSON \(value.typeName), not a string") }
      return object[key]?.stringValue
    }
    requester = text("requester")
    trigger = text("trigger")
    fields = members("fields")
    before = members("before")
    tools = members("tools")
    for (key, value) in before where value.objectValue == nil { problem("`before.\(visible(key))` is no object of values") }
    for (key, value) in tools where value.objectValue == nil && !value.isNull {
      problem("`tools.\(visible(key))` is neither what the tool answers (an object) nor null")
    }
    if let words = text("time") {
      time = Instant(iso8601: words)
      if time == nil { problem("`time` is no moment such as 2026-03-02T09:00:00Z") }
    }
  }
}
