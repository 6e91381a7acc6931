public import Core
internal import PolicyEngine

/// Reads recorded runs, one run at a time: a file of runs (`proposals` on each line), or of tasks (`actions` on each line, the calls that
/// solve the task).
///
/// One reader serves one thread at a time.
public final class RecordedRuns {
  /// What the lines of a file are.
  public enum Form: String, Sendable {
    /// Runs of an agent.
    case runs
    /// Tasks with the calls that are right: the ground truth.
    case tasks
  }

  /// What the lines are; known once the first was read.
  public private(set) var form: Form?
  private let lines: JSONLines

  /// Where the run that was read last begins.
  public var position: SourcePosition { lines.position }

  /// Opens a file.
  ///
  /// - Throws: ``Core/Diagnostic`` where it cannot be opened.
  public init(path: String) throws(Diagnostic) { lines = try JSONLines(path: path) }

  /// One run with its calls in order; a run may have none.
  public struct Run: Sendable {
    /// Id of the run or task.
    public let id: String
    /// Its calls.
    public let proposals: [RecordedProposal]
  }

  /// The next run; nil at the end.
  ///
  /// - Throws: ``Core/Diagnostic`` with the line where something is missing or of the wrong kind.
  public func next() throws(Diagnostic) -> Run? {
    guard let line = try lines.next() else { return nil }
    let form: Form
    switch (line["proposals"], line["actions"]) {
    case (.some, nil): form = .runs
    case (nil, .some): form = .tasks
    default: throw problem("a line needs either `proposals` (a recorded run) or `actions` (a task)")
    }
    if let first = self.form, first != form {
      throw problem("this line is one of `\(form.rawValue)`, those before it are `\(first.rawValue)`")
    }
    self.form = form
    guard let id = line["id"]?.stringValue else { throw problem("`id` is missing or no string") }
    guard let calls = line[form == .runs ? "proposals" : "actions"]?.arrayValue else {
      throw problem("`\(form == .runs ? "proposals" : "actions")` is no array")
    }
    let principal = try principal(line["model"]?.stringValue)
    var proposals: [RecordedProposal] = []
    proposals.reserveCapacity(calls.count)
    for (place, call) in calls.enumerated() {
      let at = "\(form == .runs ? "proposals" : "actions")[\(place)]"
      guard let tool = call["tool"]?.stringValue else { throw problem("`\(at).tool` is missing or no string") }
      var proposal = RecordedProposal(
        run: id, index: call["i"]?.intValue ?? Int64(place), principal: principal, tool: tool, arguments: Self.arguments(of: call))
      proposal.isConsequential = try bool(call, "consequential", at) ?? false
      let failed = call["error"].map { !$0.isNull } ?? false
      proposal.wasExecuted = try bool(call, "executed", at) ?? !failed
      proposal.output = Self.output(of: call)
      if let strength = call["label_strength"]?.stringValue {
        let violations = call["policy_violations"]?.arrayValue ?? []
        proposal.label = RecordedProposal.Label(strength: strength, violations: violations.compactMap(\.stringValue))
      }
      proposals.append(proposal)
    }
    return Run(id: id, proposals: proposals)
  }

  /// The arguments as an object; a text is parsed as strictly as the gate would.
  private static func arguments(of call: JSON) -> RecordedProposal.Arguments {
    switch call["args"] {
    case .object(let object)?: return .parsed(object)
    case .string(let text)?: return parsed(text)
    case nil, .null?:
      guard let raw = call["raw_arguments"]?.stringValue else { return .malformed("there are no arguments") }
      return parsed(raw)
    case .some(let other): return .malformed("the arguments are a JSON \(other.typeName), not an object")
    }
  }

  private static func parsed(_ text: String) -> RecordedProposal.Arguments {
    do throws(JSONError) {
      let value = try JSON.parse(text)
      guard let object = value.objectValue else { return .malformed("the arguments are a JSON \(value.typeName), not an object") }
      return .parsed(object)
    } catch {
      return .malformed("the arguments are not JSON: \(error.message)")
    }
  }

  /// What the tool answered: JSON where its text is JSON, else the text.
  private static func output(of call: JSON) -> JSON? {
    guard let output = call["output"], !output.isNull else { return nil }
    guard let text = output.stringValue else { return output }
    return (try? JSON.parse(text)) ?? output
  }

  private func principal(_ model: String?) throws(Diagnostic) -> Request.Principal {
    guard let principal = Request.Principal(id: "agent:\(model ?? "recorded")") else { throw problem("`model` is empty") }
    return principal
  }

  private func bool(_ call: JSON, _ key: String, _ at: String) throws(Diagnostic) -> Bool? {
    guard let value = call[key], !value.isNull else { return nil }
    guard let flag = value.boolValue else { throw problem("`\(at).\(key)` is neither true nor false") }
    return flag
  }

  private func problem(_ message: String) -> Diagnostic { Diagnostic("bad-recording", at: lines.position, message) }
}
