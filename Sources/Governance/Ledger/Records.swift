public import Core
internal import PolicyEngine
public import ProcessModel

/// One run as the log has it: its state, and the proposals made in it.
public struct RunRecord: Sendable {
  /// The state that the process gives it.
  public internal(set) var state: RunState
  /// For each of the state's steps, the index of the entry that opened it, moved it to someone else, or stopped it, whichever came last.
  public internal(set) var stepEntries: [Int] = []
  /// The proposals, in log order.
  public internal(set) var proposals: [ProposalRecord] = []
  /// What was planted among them to see whether reviewers look: nothing that happens in the run depends on it.
  public internal(set) var probes: [ProposalRecord] = []
  /// What its tools returned, in the order in which they were asked, up to ``ToolResult/maximumBytes``.
  public internal(set) var results: [ToolResult] = []
  /// The index of its first entry.
  public let firstEntry: Int
  /// When it started, in log time.
  public let started: Instant
  /// The index of its latest entry.
  public internal(set) var lastEntry: Int
  /// When its latest entry was made, in log time.
  public internal(set) var updated: Instant

  /// The proposal of that id, or the probe.
  ///
  /// - Complexity: O(proposals of the run); the latest are found first.
  public func proposal(_ id: String) -> ProposalRecord? { place(of: id).map { proposals[$0] } ?? probes.first { $0.id == id } }

  /// The latest proposal that took the place of another one, by an edit or after a change; nil where none did.
  public func replacement(of id: String) -> ProposalRecord? {
    guard let next = proposals.last(where: { $0.replaces == id }) else { return nil }
    return replacement(of: next.id) ?? next
  }

  func place(of id: String) -> Int? { proposals.lastIndex { $0.id == id } }

  /// Proposals that people have to decide on.
  public var held: [ProposalRecord] { proposals.filter { $0.status == .held } }
}

/// A call of a connector's tool in a run, with what it returned.
public struct ToolResult: Sendable {
  /// The most bytes of arguments and results that are kept of one run; of later calls only that they were made.
  public static let maximumBytes = 1 << 20

  /// The proposal that made the call.
  public let proposal: String
  /// The tool.
  public let tool: String
  /// The arguments, canonical JSON; nil where they are not kept or were redacted.
  public internal(set) var arguments: [UInt8]?
  /// What it returned, JSON; nil where nothing came back, it is not kept, or it was redacted.
  public internal(set) var result: [UInt8]?
  /// The entry with the result; nil before there is one.
  public internal(set) var entry: Int?

  var byteCount: Int { (arguments?.count ?? 0) + (result?.count ?? 0) }
}

/// What concerns all runs: directory, releases, stops.
public struct SharedState: Sendable {
  /// A release that was made.
  public struct ReleaseRecord: Hashable, Sendable {
    /// The digest of its manifest.
    public let digest: String
    /// The process that it is of.
    public let process: String
    /// When it was made, in log time.
    public let time: Instant
    /// Who made it.
    public let by: String
    /// The entry that made it.
    public let entry: Int
  }

  /// An account that may not give commands, and when it tried to.
  struct AccessRefusal: Hashable, Sendable {
    let uid: UInt32
    let time: Instant
  }

  /// The latest refusals of access that were recorded.
  var refusedAccess: [AccessRefusal] = []
  /// The id of the log.
  public internal(set) var log: String?
  /// Whether several people work here, so that only the service opens the store for writing.
  public internal(set) var isTeam = false
  /// The rules over all processes that count at once; nil where there are none.
  public internal(set) var guarding: WorkspaceGuard?
  /// Whether the wall clock is believed.
  public internal(set) var clock = ClockRecord()
  /// The people and their roles.
  public internal(set) var directory = Directory()
  /// The directory as it was last set as a whole, before the changes since.
  public internal(set) var seed = Directory()
  /// The releases, in the order in which they were made.
  public internal(set) var releases: [ReleaseRecord] = []
  /// The scopes in which work is stopped: `all`, `agent:…`, `process:…`, `run:…`, in the order in which they were stopped.
  public internal(set) var stops: [String] = []
  /// The tools that are not called any more, because they are not what was released.
  public internal(set) var suspensions: [ToolSuspension] = []
  /// What people accepted the parts of tools to be, by release and tool.
  var acceptedPins: [String: [String: ToolPin]] = [:]
  /// The allowances, those that have not ended and the latest others, in the order in which they were granted.
  public internal(set) var allowances: [AllowanceRecord] = []
  /// What people endorsed: what counts still, and the latest of the rest.
  public internal(set) var endorsements: [Endorsement] = []
  /// What was removed from the log, in the order in which that was approved.
  public internal(set) var redactions: [RedactionRecord] = []
  /// Proposals that belong to no run, the open ones and the latest others.
  public internal(set) var proposals: [ProposalRecord] = []

  /// The release that new runs of a process follow.
  public func current(_ process: String) -> ReleaseRecord? { releases.last { $0.process == process } }

  /// The processes that have a release, in the order of their first.
  public var processes: [String] {
    var seen: Set<String> = []
    return releases.map(\.process).filter { seen.insert($0).inserted }
  }

  /// The stop that covers work of an agent in a run of a process, if there is one.
  public func stop(process: String?, run: String?, agent: String?) -> String? {
    stops.first { $0 == "all" || $0 == process.map { "process:\($0)" } || $0 == run.map { "run:\($0)" } || $0 == agent }
  }
}
