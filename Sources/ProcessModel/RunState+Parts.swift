public import Core

extension RunState {
  /// A field that has been set.
  public struct Field: Hashable, Sendable {
    /// The declared name.
    public let name: String
    /// The latest value; `nil` once its content was redacted.
    public internal(set) var value: JSON?
    /// The principal that set it.
    public internal(set) var by: String
    /// Where the value came from.
    public internal(set) var origin: Origin
    /// The step in which it was set; `nil` for the start form and for corrections.
    public internal(set) var step: Occurrence?
  }

  /// A fact that the run learned.
  public struct Fact: Hashable, Sendable {
    /// The declared name.
    public let name: String
    /// The latest value; `nil` once its content was redacted.
    public internal(set) var value: JSON?
    /// The tool whose result it came from.
    public internal(set) var tool: String?
    /// Where it came from, and whether it may be believed.
    public internal(set) var origin: Origin
    /// The step in which it was learned.
    public internal(set) var step: Occurrence?
  }

  /// One occurrence of a step.
  public struct StepState: Hashable, Sendable {
    /// Where the step stands.
    public enum Status: String, Hashable, Sendable, CaseIterable {
      /// Waits for its performer.
      case ready
      /// Waits until the exception raised at it is resolved.
      case blocked
      /// Done.
      case completed
      /// Ended without being completed; ``StepState/closure`` says why.
      case closed

      /// Ready or blocked.
      public var isOpen: Bool { self == .ready || self == .blocked }
    }

    /// Which step, and which pass.
    public let occurrence: Occurrence
    /// Who does it now.
    public internal(set) var performer: Performer
    /// What people read.
    public let title: String
    /// When it is due.
    public internal(set) var due: Instant?
    /// Where it stands.
    public internal(set) var status = Status.ready
    /// 1, and one more each time that it is done again after an exception.
    public internal(set) var attempt: Int
    /// Who completed it.
    public internal(set) var completedBy: String?
    /// Why it ended without being completed.
    public internal(set) var closure: StepClosure?
    /// Who closed it, where a person skipped it.
    public internal(set) var closedBy: String?
    /// The one person who may do it now, of all who might: who claimed it, or was given it.
    public internal(set) var assignee: String?
    /// Who completed it before work was sent back to before it, or to it.
    public internal(set) var formerCompleters: [String] = []
    /// Who had it before it was handed over to a person.
    public internal(set) var handedOverFrom: Performer?
    /// More people who may do it since it became late.
    public internal(set) var escalatedTo: [Performer] = []

    /// How often who may do it was reminded since it became ready.
    public internal(set) var reminders = 0

    /// Whether it is done, or was gone past.
    public var isDone: Bool { status == .completed || closure == .bypassed || closure == .skipped }

    /// Everyone who completed it, also where it was done again since.
    public var completers: [String] { formerCompleters + (completedBy.map { [$0] } ?? []) }
  }

  /// A block that took a decision or completed.
  public struct BlockState: Hashable, Sendable {
    /// Which block, and which pass.
    public let occurrence: Occurrence
    /// The branch that a choice took.
    public internal(set) var branch: String?
    /// The branches that a choice of all that apply took; empty for any other block.
    public internal(set) var branches: [String] = []
    /// The rules of a decision table that counted, in their order; `nil` for any other block.
    public internal(set) var rules: [String]?
    /// Whether it is done.
    public internal(set) var isCompleted = false
    /// Whether it is a step that does not apply in this run.
    public internal(set) var isOmitted = false
  }

  /// One pass of a repeat, one item of a list, or one activation of a handler.
  public struct Pass: Hashable, Sendable {
    /// The id of the repeat or handler.
    public let scope: String
    /// Counted over the whole run, from 1.
    public let iteration: Int
    /// The repeat's own occurrence, or the step or block that a handler took over from.
    public let owner: Occurrence
    /// The exception that a handler deals with; `nil` for a repeat.
    public let exception: String?
    /// Whether it is for one item of a list.
    public internal(set) var isInstance = false
    /// The item, where it is for one; `nil` for all others, and once redacted.
    public internal(set) var item: JSON?
    /// Whether work was sent back to before the repeat since, so that the pass counts no more.
    public internal(set) var isUndone = false
  }

  /// Work that went back from one step to an earlier one.
  public struct SendBack: Hashable, Sendable {
    /// The step that it went back from.
    public let from: Occurrence
    /// The step that is done again.
    public let to: Occurrence
    /// Who sent it back.
    public let by: String
    /// Why; `nil` once redacted.
    public let text: String?
  }

  /// Why nothing happens in a run for now.
  public struct Pause: Hashable, Sendable {
    /// Since when; its timers and due times move on by as long as it lasts.
    public let since: Instant
    /// Who paused it.
    public let by: String
    /// Why; `nil` once redacted.
    public let text: String?
  }

  /// A timer that is running.
  public struct Timer: Hashable, Sendable {
    /// Unique among the running timers of the run.
    public let id: String
    /// The step or block that it watches, or the wait that it ends.
    public let step: Occurrence
    /// When it fires.
    public let at: Instant
  }

  /// Bytes attached to a step.
  public struct Evidence: Hashable, Sendable {
    /// The requirement that it meets, or a name that its author chose.
    public let name: String
    /// SHA-256 of the bytes.
    public let digest: Digest
    /// The media type, such as `application/pdf`.
    public let media: String
    /// Length in bytes.
    public let size: Int
    /// The step that it belongs to.
    public let step: Occurrence
    /// Who attached it.
    public let by: String
  }

  /// A comment.
  public struct Comment: Hashable, Sendable {
    /// What was said; `nil` once redacted.
    public let text: String?
    /// The step that it is about, if any.
    public let step: Occurrence?
    /// Who said it.
    public let by: String
  }

  /// A question for a person.
  public struct Question: Hashable, Sendable {
    /// Unique in the run: `q1`, `q2` and so on.
    public let id: String
    /// The step in which it came up.
    public let step: Occurrence
    /// Who asked.
    public let by: String
    /// The question; `nil` once redacted.
    public let text: String?
    /// The answer; `nil` while there is none, and once redacted.
    public internal(set) var answer: String?
    /// Who answered.
    public internal(set) var answeredBy: String?
    /// Whether someone answered.
    public var isAnswered: Bool { answeredBy != nil }
  }

  /// Something that went wrong at a step or block.
  public struct RunException: Hashable, Sendable {
    /// Unique in the run: `x1`, `x2` and so on.
    public let id: String
    /// The step or block.
    public let at: Occurrence
    /// Who raised it; `system:process` where a condition or a limit failed.
    public let by: String
    /// A short name, such as `no-branch` or `tool-failed`.
    public let code: String
    /// All of it; `nil` once redacted.
    public let text: String?
    /// The handler that deals with it.
    public internal(set) var handler: String?
    /// How it was dealt with; `nil` while it is open.
    public internal(set) var resolution: ExceptionResolution?
    /// Who dealt with it.
    public internal(set) var resolvedBy: String?
  }
}
