public import Core

/// One consequence in the life of a run, complete in itself.
///
/// Entries of the log hold lists of these. Folding them with ``RunState/apply(_:)`` gives the run's state without a process definition, a
/// clock or a directory: every name, performer and instant that the fold needs is in the event.
///
/// An optional text or value is `nil` only after redaction.
public enum RunEvent: Hashable, Sendable {
  /// The first event of every run. `trigger` is the form, event or schedule that started it, `nil` for a manual start.
  case runStarted(run: String, process: String, release: String, requester: String, trigger: String?)
  /// Fields got values, all at once and from one origin. `step` is `nil` for the start form and for corrections outside a step.
  case fieldsSet([NamedValue], step: Occurrence?, by: String, origin: Origin)
  /// The run learned facts from a tool's result, a person or a document.
  case factsLearned([NamedValue], step: Occurrence?, tool: String?, origin: Origin)
  /// Bytes of evidence were attached. `size` is in bytes.
  case evidenceAttached(name: String, digest: Digest, media: String, size: Int, step: Occurrence, by: String)
  /// Someone left a comment.
  case commented(text: String?, step: Occurrence?, by: String)

  /// A step may be worked on from now. `attempt` is 1 unless a handler or a person had the step done again.
  case stepReady(Occurrence, performer: Performer, title: String, due: Instant?, attempt: Int)
  /// A step is done. `by` is who did it.
  case stepCompleted(Occurrence, by: String)
  /// A step ended without being completed.
  case stepClosed(Occurrence, reason: StepClosure)
  /// A step moved to a person. `code` says why in one word, `text` in full.
  case handedOver(Occurrence, to: Performer, by: String, code: String, text: String?)
  /// A late step was brought before one more role or person, who may now do it too.
  case escalated(Occurrence, to: Performer)
  /// A step is one person's alone, or, without `to`, anybody's again who may do it.
  case assigned(Occurrence, to: String?, by: String, text: String?)
  /// Who may do a step was reminded of it.
  case stepReminded(Occurrence)
  /// A step was gone past without being done.
  case stepSkipped(Occurrence, by: String, text: String?)
  /// A step does not apply in this run, as its condition says.
  case stepOmitted(Occurrence)
  /// A step is due at another time than it was.
  case dueMoved(Occurrence, due: Instant)

  /// Work goes back from one step to an earlier one; what is undone and ready again follows.
  case sentBack(from: Occurrence, to: Occurrence, by: String, text: String?)
  /// A step or block counts as not done any more, and may be begun again.
  case undone(Occurrence)
  /// A block around work that goes on is not done any more; what it decided stays.
  case reopened(Occurrence)

  /// A question waits for a person.
  case questionAsked(id: String, step: Occurrence, by: String, text: String?)
  /// A question got its answer.
  case questionAnswered(id: String, by: String, text: String?)

  /// Something went wrong at a step or block. `code` is a short name, `text` says it in full.
  case exceptionRaised(id: String, at: Occurrence, by: String, code: String, text: String?)
  /// An exception is dealt with. `by` is a handler (`handler:<id>`) or a person.
  case exceptionResolved(id: String, by: String, resolution: ExceptionResolution)

  /// A choice took one of its branches.
  case branchChosen(Occurrence, branch: String)
  /// A choice took every branch that applies.
  case branchesChosen(Occurrence, branches: [String])
  /// A decision table was asked: the rules that count, `otherwise` where none hit. What it set follows.
  case tableDecided(Occurrence, rules: [String])
  /// A repeat began a pass; `iteration` counts the passes of this repeat over the whole run, from 1.
  case iterationBegan(of: Occurrence, iteration: Int)
  /// Work for one item of a list; `iteration` counts the items of this block over the whole run, from 101.
  case instanceBegan(of: Occurrence, iteration: Int, item: JSON?)
  /// A handler took over from `target` because of `exception`; `iteration` counts this handler's activations over the whole run.
  case handlerBegan(handler: String, iteration: Int, exception: String, target: Occurrence)
  /// A block is done.
  case blockCompleted(Occurrence)

  /// A timer runs until `at`; `step` is the step or block that it watches, or the wait that it ends.
  case timerArmed(id: String, step: Occurrence, at: Instant)
  /// A timer stopped before its time.
  case timerCancelled(id: String)
  /// A timer's time has come.
  case timerFired(id: String)

  /// Nothing happens in the run until somebody resumes it; `at` is when its clocks stopped.
  case runPaused(at: Instant, by: String, text: String?)
  /// The run goes on.
  case runResumed(by: String)
  /// All of the process is done.
  case runCompleted
  /// The run ended early.
  case runCancelled(by: String, code: String, text: String?)
}

/// Why a step ended without being completed.
public enum StepClosure: String, Hashable, Sendable, CaseIterable {
  /// A handler of the block around it took over, or enough others of a parallel block were done.
  case interrupted
  /// An exception at the step was resolved by going on without it.
  case bypassed
  /// The run was cancelled.
  case cancelled
  /// A person went past it, with a reason.
  case skipped
  /// Work was sent back to before it.
  case undone
}

/// How an exception was dealt with.
public enum ExceptionResolution: String, Hashable, Sendable, CaseIterable {
  /// The run goes on after the step or block that failed.
  case proceed
  /// The step or block that failed is tried again.
  case retry
  /// The step was completed by other means while the exception was open.
  case completed
  /// The run ends.
  case end
}
