public import Core

/// The tools that every process has: they change a run, or the workspace, and nothing outside.
public enum BuiltinTool: String, Sendable, CaseIterable {
  // On the proposer's own step; an agent may be offered these.

  /// Completes the step, setting fields of its form.
  case completeStep = "complete_step"
  /// Sets fields of the step's form.
  case setFields = "set_fields"
  /// Attaches evidence whose bytes the store holds.
  case attachEvidence = "attach_evidence"
  /// Leaves a comment.
  case comment
  /// Asks a person.
  case askHuman = "ask_human"
  /// Says that the step cannot be done as it stands.
  case raiseException = "raise_exception"

  /// Answers what a reviewer asked about a call of the agent's own that waits.
  case answerReviewer = "answer_reviewer"

  // By people.

  /// Starts a run.
  case startRun = "run.start"
  /// Ends a run early.
  case cancelRun = "run.cancel"
  /// Lets nothing happen in a run for now.
  case pauseRun = "run.pause"
  /// Lets a paused run go on.
  case resumeRun = "run.resume"
  /// Makes a step of several people one person's alone.
  case claimStep = "step.claim"
  /// Makes it anybody's again who may do it.
  case releaseStep = "step.release"
  /// Makes it another person's alone, of those who may do it.
  case delegateStep = "step.delegate"
  /// Gives a step to another role or person than the process does.
  case reassignStep = "step.reassign"
  /// Goes past a step without doing it.
  case skipStep = "step.skip"
  /// Sends work back to an earlier step.
  case sendBack = "step.send_back"
  /// Answers a question.
  case answer
  /// Resolves an exception.
  case resolveException = "resolve_exception"
  /// Replaces the directory of people and roles.
  case setDirectory = "directory.set"
  /// Changes people, roles, keys, absences and delegations of the directory.
  case changeDirectory = "directory.change"
  /// Makes a release the one that new runs follow.
  case makeRelease = "release.make"
  /// Takes a tool that is not what was released as it is now.
  case acceptTool = "tool.accept"
  /// Says whether several people share the store through the service, or one operator opens its file.
  case setMode = "workspace.mode"
  /// Sets the live guard of the workspace, or takes it away.
  case setGuard = "guard.set"
  /// Says that the wall clock is right.
  case confirmClock = "clock.confirm"
  /// Stops agents and effects, everywhere or for one agent, process or run.
  case stop = "work.stop"
  /// Lifts a stop.
  case resume = "work.resume"
  /// Gives agents bounded autonomy for a time.
  case grantAllowance = "allowance.grant"
  /// Ends an allowance at once.
  case stopAllowance = "allowance.stop"
  /// Says whether a call that an allowance covered was right.
  case reviewCall = "allowance.review"

  /// Says that a source or one exact value can be taken at its word.
  case endorse = "label.endorse"
  /// Takes that back.
  case withdrawEndorsement = "label.withdraw"
  /// Removes content of runs that are over from the log.
  case redact = "content.redact"

  // By components of the service.

  /// Moves an agent's step to a person.
  case handOver = "hand_over"
  /// Fires a timer whose time has come.
  case fireTimer = "fire_timer"
  /// Asks a language model.
  case callModel = "model.call"

  /// The tools that an agent may be offered.
  public static let forAgents: [BuiltinTool] = [.completeStep, .setFields, .attachEvidence, .comment, .askHuman, .raiseException]

  /// The tools that belong to a step of its own performer, and that the step's role or agent implies a permit for.
  public var isOnStep: Bool { Self.forAgents.contains(self) }

  /// What a call can change.
  public var effect: Effect { self == .callModel ? .external : .state }

  /// Whether the arguments hold values of the process's fields, as `fields`.
  var setsFields: Bool { self == .completeStep || self == .setFields || self == .startRun }

  /// What a call can change.
  public enum Effect: Sendable { case state, external }

  /// What a model is told that the tool does.
  public var help: String {
    switch self {
    case .completeStep: "Complete the current step, giving the values of its form in `fields`."
    case .setFields: "Set fields of the current step's form without completing the step."
    case .attachEvidence: "Attach a stored document to the current step as evidence."
    case .comment: "Leave a comment on the run for the people who read it."
    case .askHuman: "Ask a person a question when something that you need is missing or unclear. The step waits for the answer."
    case .raiseException: "Say that the step cannot be done as it stands, with a short code and an explanation."
    case .answerReviewer: "Answer what a person asked about a call of yours that waits for approval. The answer changes nothing else."
    case .startRun: "Start a run of a process."
    case .cancelRun: "End a run before its end."
    case .pauseRun: "Let nothing happen in a run until it is resumed."
    case .resumeRun: "Let a paused run go on."
    case .claimStep: "Take a step that several people could do."
    case .releaseStep: "Give a step back to all who could do it."
    case .delegateStep: "Give a step to one of those who could do it."
    case .reassignStep: "Give a step to another role or person than the process does."
    case .skipStep: "Go past a step without doing it."
    case .sendBack: "Send work back to an earlier step, which is done again with all after it."
    case .answer: "Answer a question of a run."
    case .resolveException: "Resolve an exception of a run: retry, proceed or end."
    case .setDirectory: "Replace the directory of people and roles."
    case .changeDirectory: "Change people, roles, keys, absences and delegations of the directory."
    case .makeRelease: "Make a bundle the release that new runs of its process follow."
    case .acceptTool: "Take a tool that is not what was released as it is now."
    case .setMode: "Say whether several people share the store through the service."
    case .setGuard: "Set the rules over all processes that hold or forbid at once, or take them away."
    case .confirmClock: "Say that the wall clock is right as it is."
    case .stop: "Stop agents and effects."
    case .resume: "Lift a stop."
    case .grantAllowance: "Let agents do some calls without being asked for each, within bounds and for a time."
    case .stopAllowance: "End an allowance at once."
    case .reviewCall: "Say whether a call that an allowance covered was right."
    case .endorse: "Put on record that a source or one exact value can be taken at its word."
    case .withdrawEndorsement: "Take an endorsement back."
    case .redact: "Remove content of runs that are over from the log, under a rule that says so."
    case .handOver: "Move the step to a person."
    case .fireTimer: "Fire a timer."
    case .callModel: "Ask a language model for the next tool calls."
    }
  }

  /// The JSON Schema of the arguments; closed.
  public var schema: JSON {
    func text(_ maximum: Int) -> JSON { .object(["type": "string", "minLength": 1, "maxLength": .int(maximum)]) }
    func closed(_ properties: JSONObject, required: [String]) -> JSON {
      .object([
        "type": "object", "properties": .object(properties), "required": .array(required.map { .string($0) }),
        "additionalProperties": false,
      ])
    }
    let values: JSON = ["type": "object"]
    let digest: JSON = ["type": "string", "pattern": "^[0-9a-f]{64}$"]
    switch self {
    case .completeStep: return closed(["fields": values, "comment": text(16_384)], required: [])
    case .setFields: return closed(["fields": values], required: ["fields"])
    case .attachEvidence:
      return closed(
        ["name": text(128), "sha256": digest, "media": text(128), "size": ["type": "integer", "minimum": 0]],
        required: ["name", "sha256", "media", "size"])
    case .comment: return closed(["text": text(16_384)], required: ["text"])
    case .askHuman: return closed(["question": text(16_384)], required: ["question"])
    case .raiseException: return closed(["code": text(64), "text": text(16_384)], required: ["code", "text"])
    case .answerReviewer: return closed(["proposal": text(64), "text": text(16_384)], required: ["proposal", "text"])
    case .startRun: return closed(["process": text(128), "trigger": text(128), "fields": values], required: ["process"])
    case .cancelRun: return closed(["code": text(64), "text": text(16_384)], required: ["text"])
    case .pauseRun, .skipStep: return closed(["text": text(16_384)], required: ["text"])
    case .resumeRun, .claimStep: return closed([:], required: [])
    case .releaseStep: return closed(["text": text(16_384)], required: [])
    case .delegateStep:
      return closed(
        ["to": ["type": "string", "pattern": "^user:.+$", "maxLength": 128], "text": text(16_384)], required: ["to"])
    case .reassignStep:
      return closed(
        ["to": ["type": "string", "pattern": "^(role|user):.+$", "maxLength": 128], "text": text(16_384)], required: ["to", "text"])
    case .sendBack: return closed(["to": text(128), "text": text(16_384)], required: ["to", "text"])
    case .answer: return closed(["question": text(64), "text": text(16_384)], required: ["question", "text"])
    case .resolveException:
      return closed(
        ["exception": text(64), "resolution": ["enum": ["retry", "proceed", "end"]], "comment": text(16_384)],
        required: ["exception", "resolution"])
    case .setDirectory: return closed(["directory": values], required: ["directory"])
    case .changeDirectory:
      return closed(
        ["changes": ["type": "array", "minItems": 1, "maxItems": 100, "items": values]], required: ["changes"])
    case .makeRelease: return closed(["process": text(128), "manifest": values], required: ["process", "manifest"])
    case .acceptTool:
      return closed(
        ["process": text(128), "release": digest, "tool": text(128), "parts": ["type": "object", "additionalProperties": digest]],
        required: ["process", "release", "tool", "parts"])
    case .setMode:
      return closed(["mode": ["enum": .array(WorkspaceMode.allCases.map { .string($0.rawValue) })]], required: ["mode"])
    case .setGuard: return closed(["text": ["type": "string"]], required: [])
    case .confirmClock: return closed(["at": ["type": "integer"]], required: ["at"])
    case .stop, .resume: return closed(["scope": ["type": "string", "pattern": "^(all|(agent|process|run):.+)$"]], required: ["scope"])
    case .grantAllowance: return Self.allowanceSchema
    case .stopAllowance: return closed(["allowance": text(128), "reason": text(16_384)], required: ["allowance"])
    case .reviewCall:
      return closed(
        ["proposal": text(64), "verdict": ["enum": ["right", "wrong"]], "text": text(16_384)], required: ["proposal", "verdict"])
    case .endorse:
      return closed(
        [
          "source": text(192), "value": text(1024), "as": ["type": "array", "minItems": 1, "maxItems": 20, "items": text(128)],
          "scope": ["type": "string", "pattern": "^(workspace|(process|run):.+)$"], "until": ["type": "integer"],
        ], required: ["scope"])
    case .withdrawEndorsement: return closed(["endorsement": ["type": "integer", "minimum": 0]], required: ["endorsement"])
    case .redact:
      let target = closed(["entry": ["type": "integer", "minimum": 0], "part": text(64)], required: ["entry", "part"])
      return closed(
        ["rule": text(1024), "targets": ["type": "array", "minItems": 1, "maxItems": .int(RedactionRecord.limit), "items": target]],
        required: ["rule", "targets"])
    case .handOver: return closed(["code": text(64), "text": text(16_384)], required: ["code", "text"])
    case .fireTimer: return closed(["timer": text(256)], required: ["timer"])
    case .callModel:
      return closed(
        [
          "agent": text(128), "model": text(256), "endpoint": text(2048), "request": digest, "size": ["type": "integer", "minimum": 0],
          "turn": ["type": "integer", "minimum": 1],
        ],
        required: ["agent", "model", "endpoint", "request", "size", "turn"])
    }
  }

  /// SHA-256 of name, help and schema: what an approval is bound to, beside the arguments.
  public var digest: Digest { Self.digests[self] ?? SHA256.hash(rawValue) }

  private static let digests: [BuiltinTool: Digest] = Dictionary(
    uniqueKeysWithValues: allCases.map { tool in
      let definition = JSON.object(["name": .string(tool.rawValue), "help": .string(tool.help), "arguments": tool.schema])
      return (tool, SHA256.hash(definition.canonicalBytesRounding()))
    })

  /// The compiled schema, made once.
  var validator: JSONSchema? { Self.validators[self] }

  private static let validators: [BuiltinTool: JSONSchema] = Dictionary(
    uniqueKeysWithValues: allCases.compactMap { tool in (try? JSONSchema(tool.schema)).map { (tool, $0) } })
}
