public import Core

/// What someone wants to happen in a run.
///
/// ``ProcessDefinition/decide(_:in:now:)`` says what follows from it, or why it is refused.
/// A step is named by its id, which means its open occurrence, or exactly by `id#iteration`.
public enum RunCommand: Sendable {
  /// Starts a run. `trigger` is the name of a form, event or schedule; `nil` means the only form, or a manual start where there is none.
  case start(run: String, release: String, requester: String, trigger: String?, fields: JSONObject)
  /// Completes a role or agent step, setting fields of its form.
  case completeStep(String, by: String, fields: JSONObject, origin: Origin?, comment: String?)
  /// Sets fields of a step's form, or, without a step, corrects any field.
  case setFields(step: String?, by: String, fields: JSONObject, origin: Origin?)
  /// Attaches evidence, whose bytes are stored elsewhere under their digest. `size` is in bytes.
  case attachEvidence(step: String, by: String, name: String, digest: Digest, media: String, size: Int)
  /// Leaves a comment, also in a run that has ended.
  case comment(step: String?, by: String, text: String)
  /// Asks a person a question.
  case askHuman(step: String, by: String, question: String)
  /// Answers a question.
  case answer(question: String, by: String, text: String)
  /// Says that a step cannot be done as it stands.
  case raiseException(step: String, by: String, code: String, text: String)
  /// Resolves an exception that no handler took: `retry` tries the step or block again, `proceed` goes on without it, `end` ends the run.
  case resolveException(String, by: String, resolution: ExceptionResolution, comment: String?)
  /// Learns declared facts from a tool's result.
  case learn(step: String?, tool: String, facts: JSONObject, origin: Origin)
  /// Moves a step of an agent to a person, because of `code`: the agent gave up, its budget is used up, its reply cannot be used.
  case handOver(step: String, by: String, code: String, text: String)
  /// Ends a tool step after its call.
  case finishToolStep(String, by: String, result: ToolResult)
  /// Makes a step one person's alone; without `to`, anybody's again who may do it.
  case assign(step: String, to: String?, by: String, text: String?)
  /// Gives a step to another role or person than the process does.
  case reassign(step: String, to: Performer, by: String, text: String)
  /// Goes past a step without doing it, where the process lets somebody.
  case skip(step: String, by: String, text: String)
  /// Sends work back from an open step to an earlier one, which is done again with all after it.
  case sendBack(step: String, to: String, by: String, text: String)
  /// Lets nothing happen in the run until it is resumed.
  case pause(by: String, text: String)
  /// Lets the run go on; its timers and due times move on by as long as the pause lasted.
  case resume(by: String)
  /// Fires a timer whose time has come.
  case fireTimer(String)
  /// Ends the run early.
  case cancel(by: String, code: String, text: String)

  /// How the call of a tool step ended.
  public enum ToolResult: Sendable {
    /// It worked, and taught the run these declared facts.
    case succeeded(facts: JSONObject, origin: Origin)
    /// It did not; an exception with this code is raised at the step.
    case failed(code: String, text: String)
  }
}
