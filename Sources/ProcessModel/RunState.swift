public import Core

/// What a run is after some of its events: fields, open steps, timers, evidence and what happened to each.
///
/// Only ``init(_:)`` and ``apply(_:)`` make one, so the live run, recovery, replay and verification share one fold. Lists keep the order in
/// which things happened; nothing depends on hashing. Times are only those that events state (due dates and timers).
public struct RunState: Hashable, Sendable {
  /// How far the run is.
  public enum Status: String, Hashable, Sendable, CaseIterable {
    /// Steps are open, or an exception waits for a person.
    case running
    /// The process is done.
    case completed
    /// Ended early, by a person or a handler.
    case cancelled
  }

  /// The run's id.
  public let id: String
  /// The id of the process that it follows.
  public let process: String
  /// The release that it runs under.
  public let release: String
  /// The principal that asked for it.
  public let requester: String
  /// The form, event or schedule that started it; `nil` for a manual start.
  public let trigger: String?
  /// How far the run is.
  public internal(set) var status = Status.running
  /// The code of a cancellation.
  public internal(set) var cancellation: String?
  /// Fields that have a value, in the order in which they first got one.
  public internal(set) var fields: [Field] = []
  /// Facts that the run learned, in the order in which each was first learned.
  public internal(set) var facts: [Fact] = []
  /// Every occurrence of a step that became ready, in that order.
  public internal(set) var steps: [StepState] = []
  /// Blocks that took a decision or completed, in that order.
  public internal(set) var blocks: [BlockState] = []
  /// Passes of repeats and handlers, in the order in which they began.
  public internal(set) var passes: [Pass] = []
  /// Timers that are running.
  public internal(set) var timers: [Timer] = []
  /// Evidence in the order in which it was attached.
  public internal(set) var evidence: [Evidence] = []
  /// Comments in the order in which they were made.
  public internal(set) var comments: [Comment] = []
  /// Questions, answered ones included.
  public internal(set) var questions: [Question] = []
  /// Exceptions, resolved ones included.
  public internal(set) var exceptions: [RunException] = []
  /// Each time that work was sent back.
  public internal(set) var sendBacks: [SendBack] = []
  /// What is looked at, where an expression is evaluated for one item of a list; never in a state that is kept.
  var item: JSON?
  /// Why nothing happens for now; `nil` where the run is not paused.
  public internal(set) var pause: Pause?

  /// The state after the first event.
  ///
  /// - Returns: `nil` for any event but ``RunEvent/runStarted(run:process:release:requester:trigger:)``.
  public init?(_ first: RunEvent) {
    guard case .runStarted(let run, let process, let release, let requester, let trigger) = first else { return nil }
    self.init(run: run, process: process, release: release, requester: requester, trigger: trigger)
  }

  init(run: String, process: String, release: String, requester: String, trigger: String?) {
    id = run
    self.process = process
    self.release = release
    self.requester = requester
    self.trigger = trigger
  }

  /// The state after all of `events`.
  ///
  /// - Returns: `nil` when the first event does not start a run, or a later one does not fit.
  public init?(folding events: some Sequence<RunEvent>) {
    var iterator = events.makeIterator()
    guard let first = iterator.next(), var state = RunState(first) else { return nil }
    while let event = iterator.next() {
      guard state.apply(event) else { return nil }
    }
    self = state
  }
}

// MARK: - Reading

extension RunState {
  /// The value of a field; `nil` when it was never set and when its content was redacted.
  public func value(of field: String) -> JSON? { self.field(field)?.value }

  /// A field that has been set.
  public func field(_ name: String) -> Field? { fields.first { $0.name == name } }

  /// A fact that has been learned.
  public func fact(_ name: String) -> Fact? { facts.first { $0.name == name } }

  /// One occurrence of a step, whatever its status.
  ///
  /// - Complexity: O(steps so far); the latest are found first.
  public func step(_ occurrence: Occurrence) -> StepState? { stepIndex(occurrence).map { steps[$0] } }

  /// The step that `text` names.
  ///
  /// `collect` is the open occurrence of that step, or the latest one when none is open; `collect#2` is exactly that one. `nil` when there
  /// is none, and for a bare name when several are open, as one of them would be a guess.
  public func step(named text: String) -> StepState? {
    guard let occurrence = Occurrence(parsing: text) else { return nil }
    if occurrence.id != text { return step(occurrence) }
    let open = steps.filter { $0.occurrence.id == text && $0.status.isOpen }
    if open.count > 1 { return nil }
    return open.last ?? steps.last { $0.occurrence.id == text }
  }

  /// Why a bare name does not say which step is meant; `nil` where at most one of that name is open.
  public func ambiguity(of name: String) -> String? {
    let open = steps.filter { $0.occurrence.id == name && $0.status.isOpen }.map { "`\($0.occurrence.id)#\($0.occurrence.iteration)`" }
    return open.count > 1 ? "step `\(name)` is open more than once: name one of \(open.joined(separator: ", "))" : nil
  }

  /// Steps that someone may complete now, in the order in which they became ready.
  public var openSteps: [StepState] { steps.filter { $0.status == .ready } }

  /// Exceptions that nobody has dealt with yet.
  public var openExceptions: [RunException] { exceptions.filter { $0.resolution == nil } }

  /// Questions without an answer.
  public var openQuestions: [Question] { questions.filter { !$0.isAnswered } }

  /// Everyone who completed a step, once each, in the order of the steps.
  public var completers: [String] {
    var all: [String] = []
    for by in steps.flatMap(\.completers) where !all.contains(by) { all.append(by) }
    return all
  }

  /// Everyone who prepared what the run holds: set a field that still stands, attached evidence, completed or skipped a step; once each.
  public var contributors: [String] {
    var all = completers
    for by in fields.map(\.by) + evidence.map(\.by) + steps.compactMap(\.closedBy) where !all.contains(by) { all.append(by) }
    return all
  }

  /// How far the run is, in a word, as lists of runs have it: `paused` where it would be `running`.
  public var standing: String { status == .running && pause != nil ? "paused" : status.rawValue }

  /// The block's state, if it took a decision or completed.
  public func block(_ occurrence: Occurrence) -> BlockState? { blockIndex(occurrence).map { blocks[$0] } }

  /// Whether a step or block counts as done: completed, or gone past after an exception.
  public func isDone(_ occurrence: Occurrence) -> Bool {
    if let index = stepIndex(occurrence), steps[index].closure != .undone { return steps[index].isDone }
    return blockIndex(occurrence).map { blocks[$0].isCompleted } ?? false
  }

  /// How many passes a repeat or a handler has begun in this run.
  public func passCount(of scope: String) -> Int { passes.last { $0.scope == scope }?.iteration ?? 0 }

  func stepIndex(_ occurrence: Occurrence) -> Int? { steps.lastIndex { $0.occurrence == occurrence } }
  func blockIndex(_ occurrence: Occurrence) -> Int? { blocks.lastIndex { $0.occurrence == occurrence } }
  func pass(_ scope: String, _ iteration: Int) -> Pass? { passes.last { $0.iteration == iteration && $0.scope == scope } }
}
