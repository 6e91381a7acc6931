public import Core
internal import PolicyEngine

/// A folder of recorded tasks and attacks on them: `tools.jsonl`, `user_tasks.jsonl` and `scenarios.jsonl`.
///
/// A task is a request with the calls that solve it; a scenario is a task during which text from outside asked for other calls, which were
/// made as well. Every call has the output that it really had. The form is that of AgentDojo (Debenedetti et al., arXiv 2406.13352) as
/// recorded proposals.
///
/// What a file says about where a value comes from, or which text was injected, is not read: those are the answers.
public struct AttackSuite: Sendable {
  /// One call with what it returned.
  struct Call: Sendable {
    var tool: String
    var arguments: JSONObject
    var output: JSON
    /// The place of this call among those that the attack asked for; nil for the task's own.
    ///
    /// For counting only: no verdict may depend on it.
    var attack: Int?
  }

  /// A request with its calls.
  struct Task: Sendable {
    var id: String
    var prompt: String
    var calls: [Call]

    /// The tools that the task needs: the plan.
    var plan: Set<ExactString> { Set(calls.map { ExactString($0.tool) }) }
  }

  /// An attack during a task.
  struct Scenario: Sendable {
    var id: String
    var task: String
    var prompt: String
    var calls: [Call]
    /// The smallest sets of the attack's calls that make it succeed.
    var successes: [[Int]]
    /// Whether the attack succeeds where nothing is stopped, and by calls.
    var counts: Bool
  }

  /// The name of the folder.
  public let name: String
  /// The tools.
  public let catalogue: ToolCatalogue
  let tasks: [Task]
  private let folder: String

  /// Whether a folder has the files of a suite.
  public static func isSuite(_ folder: String) -> Bool {
    (try? JSONLines(path: "\(folder)/scenarios.jsonl")) != nil
  }

  /// Reads the tools and the tasks; scenarios are read one by one.
  ///
  /// - Throws: ``Core/Diagnostic`` with the file and line where something is missing or of the wrong kind.
  public init(folder: String) throws(Diagnostic) {
    self.folder = folder
    name = folder.split(separator: "/").last.map(String.init) ?? folder
    catalogue = try ToolCatalogue(path: "\(folder)/tools.jsonl")
    let lines = try JSONLines(path: "\(folder)/user_tasks.jsonl")
    var tasks: [Task] = []
    var names: Set<ExactString> = []
    while let line = try lines.next() {
      let reader = AttackLine(line, lines.position)
      let task = Task(id: try reader.text("id"), prompt: try reader.text("prompt"), calls: try reader.calls("calls"))
      guard names.insert(ExactString(task.id)).inserted else { throw reader.problem("the task `\(visible(task.id))` is there twice") }
      tasks.append(task)
    }
    self.tasks = tasks
  }

  /// Hands over each scenario in the order of the file.
  ///
  /// - Throws: ``Core/Diagnostic`` with the line where something is missing or of the wrong kind.
  func eachScenario(_ use: (Scenario) throws(Diagnostic) -> Void) throws(Diagnostic) {
    let lines = try JSONLines(path: "\(folder)/scenarios.jsonl")
    while let line = try lines.next() {
      let reader = AttackLine(line, lines.position)
      let succeeds = line["ungated"]?["attack_success"]?.boolValue ?? false
      let isTextOnly = line["text_only"]?.boolValue ?? false
      try use(
        Scenario(
          id: try reader.text("id"), task: try reader.text("user_task"), prompt: try reader.text("prompt"),
          calls: try reader.calls("steps"),
          successes: (line["minimal_successful_injection_calls"]?.arrayValue ?? []).map {
            ($0.arrayValue ?? []).compactMap { $0.intValue.map { Int($0) } }
          }, counts: succeeds && !isTextOnly))
    }
  }
}

/// One line of a suite.
private struct AttackLine {
  let json: JSON
  let position: SourcePosition

  init(_ json: JSON, _ position: SourcePosition) {
    self.json = json
    self.position = position
  }

  func problem(_ message: String) -> Diagnostic { Diagnostic("bad-suite", at: position, message) }

  func text(_ key: String) throws(Diagnostic) -> String {
    guard let text = json[key]?.stringValue else { throw problem("`\(key)` is missing or no string") }
    return text
  }

  func calls(_ key: String) throws(Diagnostic) -> [AttackSuite.Call] {
    guard let calls = json[key]?.arrayValue else { throw problem("`\(key)` is missing or no array") }
    var read: [AttackSuite.Call] = []
    for (place, call) in calls.enumerated() {
      guard let tool = call["tool"]?.stringValue else { throw problem("`\(key)[\(place)].tool` is missing or no string") }
      guard let arguments = call["args"]?.objectValue else { throw problem("`\(key)[\(place)].args` is missing or no object") }
      let isAttack = call["origin"]?.stringValue == "injection"
      read.append(
        AttackSuite.Call(
          tool: tool, arguments: arguments, output: call["output"] ?? .null,
          attack: isAttack ? call["origin_i"]?.intValue.map { Int($0) } ?? place : nil))
    }
    return read
  }
}
