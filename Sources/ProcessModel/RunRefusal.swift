/// Why a command was refused; the run is as it was.
public struct RunRefusal: Error, Hashable, Sendable, CustomStringConvertible {
  /// What kind of refusal it is, stable across releases.
  public enum Code: String, Hashable, Sendable, CaseIterable {
    /// A run cannot start twice.
    case runExists = "run-exists"
    /// There is no such run.
    case runUnknown = "run-unknown"
    /// The run follows another process.
    case processMismatch = "process-mismatch"
    /// The run has ended.
    case runEnded = "run-ended"
    /// The process has no such trigger, or several and none was named.
    case triggerUnknown = "trigger-unknown"
    /// There is no such step in the process.
    case stepUnknown = "step-unknown"
    /// The step is not open now.
    case stepNotOpen = "step-not-open"
    /// The step waits until its exception is resolved.
    case stepBlocked = "step-blocked"
    /// The step is for someone else.
    case wrongPerformer = "wrong-performer"
    /// The process declares no such field.
    case fieldUnknown = "field-unknown"
    /// The field is not in the step's form.
    case fieldNotInForm = "field-not-in-form"
    /// A required field has no value.
    case fieldMissing = "field-missing"
    /// A value does not meet its field's schema.
    case fieldInvalid = "field-invalid"
    /// Required evidence is not attached.
    case evidenceMissing = "evidence-missing"
    /// The evidence has a name or media type that the step does not accept.
    case evidenceInvalid = "evidence-invalid"
    /// The tool declares no such fact, or the value does not meet its schema.
    case factInvalid = "fact-invalid"
    /// There is no such tool.
    case toolUnknown = "tool-unknown"
    /// A code or name has characters that names cannot have.
    case nameInvalid = "name-invalid"
    /// There is no such question, or it is answered.
    case questionNotOpen = "question-not-open"
    /// There is no such exception, or it is resolved or in a handler's hands.
    case exceptionNotOpen = "exception-not-open"
    /// The step can only be completed with a comment.
    case commentMissing = "comment-missing"
    /// The step is another person's alone for now.
    case stepTaken = "step-taken"
    /// The process lets nobody skip the step.
    case notSkippable = "not-skippable"
    /// Work cannot be sent back there.
    case notBefore = "not-before"
    /// The run is paused.
    case runPaused = "run-paused"
    /// The run is not paused.
    case runNotPaused = "run-not-paused"
    /// No timer of that name is running, or its time has not come.
    case timerNotDue = "timer-not-due"
    /// The machine has no data of the zone by which working time is counted.
    case zoneUnknown = "zone-unknown"
    /// A bound of ``RunLimits`` is reached.
    case limitReached = "limit-reached"
  }

  /// What kind of refusal it is.
  public var code: Code
  /// Why, and what to do about it, for people and agents.
  public var message: String

  /// Makes a refusal.
  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// The message.
  public var description: String { message }
}

/// Bounds on what one run can hold, so that no state grows without end.
public enum RunLimits {
  /// Bytes of one comment, question, answer or reason.
  public static let textBytes = 16_384
  /// Bytes of one field or fact, as JSON text.
  public static let valueBytes = 65_536
  /// Comments in one run.
  public static let comments = 500
  /// Questions in one run.
  public static let questions = 500
  /// Pieces of evidence in one run.
  public static let evidence = 500
  /// Exceptions in one run.
  public static let exceptions = 500
  /// How often work can be sent back in one run.
  public static let sendBacks = 100
  /// Items of a list are numbered from the next number, so that a step's name without one is never that of the first of several at a time.
  static let beforeItems = 100
  /// Reminders of one step, each time that it is done.
  public static let reminders = 100
  /// Passes of one repeat or handler in one run.
  public static let passes = 1_000
}
