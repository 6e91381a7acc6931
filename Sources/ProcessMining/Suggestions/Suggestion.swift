/// A mined change to consider, with everything that speaks for it and against it.
public struct Suggestion: Sendable {
  /// What is wrong.
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// People approve, unchanged, nearly all of what a rule holds.
    case needlessHold = "needless-hold"
    /// Calls that nobody looks at turn out wrong.
    case missingHold = "missing-hold"
    /// A branch that no run takes.
    case deadPath = "dead-path"
    /// A place where runs wait longer than everywhere else together.
    case bottleneck
    /// Work that one role hands to another lies longer than what comes to that role otherwise.
    case slowHandOff = "slow-hand-off"
    /// Work goes back to an earlier step again and again.
    case reworkLoop = "rework-loop"
    /// Work goes back because evidence is missing that the step does not ask for.
    case missingEvidence = "missing-evidence"
    /// A step that no run does.
    case unusedStep = "unused-step"
    /// A step that people skip.
    case skippedStep = "skipped-step"
    /// A step that others do than the process and its document say.
    case driftedDocument = "drifted-document"
    /// An agent that is right so often that it could have an allowance.
    case allowanceToGrant = "allowance-to-grant"
    /// An allowance whose calls turn out wrong.
    case allowanceToWithdraw = "allowance-to-withdraw"
    /// A person who decides most of what several could, and slower than they.
    case overloadedReviewer = "overloaded-reviewer"
    /// An agent whose calls are rejected for the same reason again and again.
    case repeatedRejection = "repeated-rejection"
  }

  /// One name that says what a suggestion is about, such as `step` and `check`.
  public struct Subject: Hashable, Sendable {
    /// What kind of thing it is.
    public let kind: String
    /// Its name.
    public let name: String

    /// A thing by its name.
    public init(_ kind: String, _ name: String) { (self.kind, self.name) = (kind, name) }
  }

  /// What speaks for it.
  public struct Evidence: Sendable {
    /// The most entries that are named on either side.
    public static let limit = 200

    /// What was counted, and against which limit.
    public let test: ShareTest
    /// A second question that has to be answered yes as well; nil where one is enough.
    public let also: ShareTest?
    /// What the share is of: "of the holds under the condition were not approved unchanged".
    public let meaning: String
    /// What else was seen, in a sentence; nil where there is nothing.
    public let note: String?
    /// Log entries that speak for it, ascending, at most ``limit``.
    public let support: [Int64]
    /// How many there are in all.
    public let supportCount: Int
    /// Log entries that speak against it, ascending, at most ``limit``.
    public let against: [Int64]
    /// How many there are in all.
    public let againstCount: Int

    /// Evidence with the entries on both sides, in any order.
    init(
      _ test: ShareTest, _ meaning: String, also: ShareTest? = nil, note: String? = nil, support: [Int64], against: [Int64] = []
    ) {
      (self.test, self.meaning, self.also, self.note) = (test, meaning, also, note)
      self.support = Array(support.sorted().prefix(Self.limit))
      self.against = Array(against.sorted().prefix(Self.limit))
      (supportCount, againstCount) = (support.count, against.count)
    }
  }

  /// What the change would do, as far as the log can tell.
  public struct Effect: Hashable, Sendable {
    /// What a number counts.
    public enum Unit: Hashable, Sendable {
      /// Times in a hundred runs.
      case perHundredRuns
      /// Milliseconds a run, the median.
      case milliseconds
    }

    /// What gets less or more: "decisions that people need not make".
    public let what: String
    /// What the numbers count.
    public let unit: Unit
    /// The lower end of a 95 % interval.
    public let low: Double
    /// The upper end.
    public let high: Double
  }

  /// What is wrong.
  public let kind: Kind
  /// What it is about; with the kind, what tells it from every other suggestion about the process.
  public let subject: [Subject]
  /// What speaks for it.
  public let evidence: Evidence
  /// What to change.
  public let change: SuggestedChange
  /// What that would do.
  public let effect: Effect
  /// What could go wrong, in a sentence.
  public let risk: String
  /// The probability that chance alone shows anything like it in a log without problems, all questions that were asked of this log counted.
  public internal(set) var chance = 1.0
}
