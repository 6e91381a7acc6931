public import Core

/// What happened in the runs of one process, as the search for improvements reads it.
///
/// It knows nothing of where it came from: Remit's own log, or a test that plants problems. All times are Unix milliseconds; every record
/// names the log entry that proves it. Records may stand in any order.
public struct ProcessHistory: Sendable {
  /// The process.
  public var process: String
  /// The role that owns it, without `role:`: who reviews where nothing else says who.
  public var owner: String
  /// How many runs there are.
  public var runs: Int
  /// The rules as they stand in the file.
  public var rules: [JSONObject] = []
  /// What conditions may compare.
  public var features: [Feature] = []
  /// The steps of the current release.
  public var steps: [Step] = []
  /// The choices of the current release.
  public var choices: [Choice] = []
  /// Which branch each run took.
  public var turns: [Turn] = []
  /// The times that a step was ready.
  public var visits: [Visit] = []
  /// The times that a step was sent back to an earlier one.
  public var returns: [Return] = []
  /// What agents and people proposed.
  public var calls: [Call] = []

  /// An empty history.
  public init(process: String, owner: String, runs: Int) {
    self.process = process
    self.owner = owner
    self.runs = runs
  }

  /// A step of the process.
  public struct Step: Hashable, Sendable {
    /// Its id.
    public var id: String
    /// Who does it, as it is released: `role:finance`, `agent:analyst`.
    public var performer: String
    /// The evidence that it cannot be completed without.
    public var required: [String]
    /// Whether it has a condition, so that runs may do without it.
    public var isConditional: Bool
    /// Whether a control counts on it, so that it must not go away.
    public var isControlled: Bool
    /// The controlled document that describes it; nil where the process names none.
    public var document: String?
    /// The prompt of the agent that does it; nil where there is none.
    public var prompt: String?

    /// A step.
    public init(
      _ id: String, performer: String, required: [String] = [], isConditional: Bool = false, isControlled: Bool = false,
      document: String? = nil, prompt: String? = nil
    ) {
      self.id = id
      self.performer = performer
      self.required = required
      self.isConditional = isConditional
      self.isControlled = isControlled
      self.document = document
      self.prompt = prompt
    }
  }

  /// A choice between branches.
  public struct Choice: Hashable, Sendable {
    /// The id of its block.
    public var id: String
    /// Its branches, by id.
    public var branches: [String]
    /// The branches that hold a step that a control counts on, and so must not go away.
    public var controlled: [String]

    /// A choice.
    public init(_ id: String, branches: [String], controlled: [String] = []) {
      self.id = id
      self.branches = branches
      self.controlled = controlled
    }
  }

  /// A branch that a run took.
  public struct Turn: Hashable, Sendable {
    /// The choice, by id.
    public var choice: String
    /// The branch, by id.
    public var branch: String
    /// The entry that proves it.
    public var entry: Int64

    /// A branch that was taken.
    public init(choice: String, branch: String, entry: Int64) {
      self.choice = choice
      self.branch = branch
      self.entry = entry
    }
  }

  /// One time that a step was ready, or was passed over by its condition.
  public struct Visit: Hashable, Sendable {
    /// How a visit ended.
    public enum Ending: Hashable, Sendable {
      /// Somebody did the step.
      case completed
      /// A person skipped it.
      case skipped
      /// Its condition did not hold, so it never was ready.
      case omitted
      /// It was taken away: sent back, interrupted, cancelled.
      case withdrawn
      /// It waits.
      case open
    }

    /// The run, a number below ``ProcessHistory/runs``.
    public var run: Int
    /// The step, by id.
    public var step: String
    /// When it became ready.
    public var ready: Int64
    /// When somebody began, where that is recorded.
    public var begun: Int64?
    /// When it ended; nil while it is open.
    public var ended: Int64?
    /// How it ended.
    public var ending: Ending
    /// Whose queue it lay in at the end: `role:finance`, after it was handed over too.
    public var performer: String
    /// Names of the evidence that the run had for it when it ended.
    public var evidence: [String]
    /// The entry that proves it.
    public var entry: Int64

    /// A visit.
    public init(
      run: Int, step: String, ready: Int64, begun: Int64? = nil, ended: Int64?, ending: Ending, performer: String, evidence: [String] = [],
      entry: Int64
    ) {
      self.run = run
      self.step = step
      self.ready = ready
      self.begun = begun
      self.ended = ended
      self.ending = ending
      self.performer = performer
      self.evidence = evidence
      self.entry = entry
    }

    /// How long nobody took it up, in milliseconds; until its end where its begin is not recorded, nil where it was not done.
    var waited: Int64? { ending == .completed ? (begun ?? ended).map { max(0, $0 - ready) } : nil }
  }

  /// One time that work was sent back.
  public struct Return: Hashable, Sendable {
    /// The run, a number below ``ProcessHistory/runs``.
    public var run: Int
    /// The step that sent it back, by id.
    public var from: String
    /// The step that it went back to, by id.
    public var to: String
    /// When.
    public var time: Int64
    /// The entry that proves it.
    public var entry: Int64

    /// Work that was sent back.
    public init(run: Int, from: String, to: String, time: Int64, entry: Int64) {
      self.run = run
      self.from = from
      self.to = to
      self.time = time
      self.entry = entry
    }
  }
}
