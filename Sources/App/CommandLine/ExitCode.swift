/// What a command's exit status says; stable across releases.
enum ExitCode: Int32, CaseIterable, Sendable {
  /// It was done.
  case done = 0
  /// It failed.
  case failed = 1
  /// The command line was not understood.
  case usage = 2
  /// The gate or a person said no: forbidden or rejected.
  case refused = 3
  /// Nobody knows who is asking, or this person may not do that.
  case identity = 4
  /// There is no such run, proposal, process or file.
  case notFound = 5
  /// It was decided or changed meanwhile: look again.
  case conflict = 6
  /// It waits for an approval or for someone else.
  case pending = 8
  /// A wait reached its deadline.
  case timedOut = 124

  /// One line for help texts.
  var meaning: String {
    switch self {
    case .done: "done"
    case .failed: "failed"
    case .usage: "the command line was not understood"
    case .refused: "refused: forbidden by a rule, or rejected by a person"
    case .identity: "identity: nobody knows who asks, or they may not do this"
    case .notFound: "not found"
    case .conflict: "conflict or stale: it was decided or changed meanwhile"
    case .pending: "pending: it waits for an approval"
    case .timedOut: "a wait reached its deadline"
    }
  }
}
