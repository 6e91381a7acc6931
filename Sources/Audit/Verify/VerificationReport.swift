public import Core

/// One thing that does not fit.
public struct VerificationProblem: Hashable, Sendable, CustomStringConvertible {
  /// Where the contradiction lies.
  public enum Kind: String, Hashable, Sendable {
    /// The file cannot be read, or its pages contradict each other.
    case file
    /// An entry is missing, doubled or beyond the end.
    case index
    /// An envelope is not canonical JSON of the right shape.
    case envelope
    /// A column says something else than the envelope.
    case column
    /// A leaf hash is not that of its envelope.
    case leaf
    /// Log time falls.
    case time
    /// Content is not what the envelope commits to, or is gone without a redaction record.
    case content
    /// Evidence is not what its digest says, or is gone.
    case evidence
    /// The stored size, root or frontier is not that of the entries.
    case head
    /// The log has fewer entries than a checkpoint that someone kept: its end was cut off, or an older copy was put in its place.
    case rollback
    /// The first entries of the log are not those of a checkpoint that someone kept: another log was written in its place.
    case fork
    /// An entry does not follow from those before it.
    case state
    /// A table that follows from the log holds something else.
    case projection
    /// The file has a table, an index, a trigger or a view that this version does not make, or lacks one of its own.
    case schema
  }

  /// Where the contradiction lies.
  public let kind: Kind
  /// The entry that it is about; `nil` when it is about the whole log.
  public let entry: Int?
  /// What is wrong, lower case, without a full stop.
  public let message: String
  /// What was derived.
  public let expected: String?
  /// What is stored.
  public let found: String?

  /// `entry 17: leaf: …`.
  public var description: String {
    let place = entry.map { "entry \($0): " } ?? ""
    let values = (expected.map { "; expected \($0)" } ?? "") + (found.map { "; found \($0)" } ?? "")
    return "\(place)\(message)\(values)"
  }
}

/// What a verification found.
public struct VerificationReport: Sendable {
  /// Whether everything fits.
  public var ok: Bool { problemCount == 0 }
  /// The number of entries that were looked at.
  public internal(set) var entries = 0
  /// The root that was derived from them.
  public internal(set) var root = MerkleTree.emptyRoot
  /// The first entry that does not fit.
  public internal(set) var firstBad: Int?
  /// The first problems, at most ``problemLimit``, those of the first bad entry among them.
  public internal(set) var problems: [VerificationProblem] = []
  /// How many problems there are in all.
  public internal(set) var problemCount = 0
  /// Content parts that were redacted, as the log records.
  public internal(set) var redacted = 0
  /// Pieces of evidence that were hashed.
  public internal(set) var evidence = 0

  /// How many problems a report describes.
  public static let problemLimit = 20

  mutating func add(
    _ kind: VerificationProblem.Kind, _ entry: Int?, _ message: String, expected: String? = nil, found: String? = nil
  ) {
    add(VerificationProblem(kind: kind, entry: entry, message: message, expected: expected, found: found))
  }

  mutating func add(_ problem: VerificationProblem) {
    problemCount += 1
    let isFirst = problem.entry.map { entry in firstBad.map { entry < $0 } ?? true } ?? false
    if isFirst { firstBad = problem.entry }
    if problems.count == Self.problemLimit, isFirst { problems.removeLast() }
    if problems.count < Self.problemLimit { problems.append(problem) }
  }

  /// Sorted by entry; what concerns the whole log comes last.
  mutating func sort() {
    let order = problems.enumerated().sorted {
      ($0.element.entry ?? .max, $0.offset) < ($1.element.entry ?? .max, $1.offset)
    }
    problems = order.map(\.element)
  }
}

/// What a verification looks at, beyond what it always does: indices, canonical envelopes, columns, leaves, times, root, schema.
public struct VerificationOptions: Sendable {
  /// Hash content parts and compare them with their commitments.
  public var content = true
  /// Hash evidence.
  public var evidence = true
  /// Fold the states.
  public var states = true
  /// Make the projections again and compare them with the stored ones; needs ``states``.
  public var projections = true
  /// Let SQLite compare its pages and indices.
  public var pages = true
  /// A checkpoint that someone kept: the log must begin with exactly those entries.
  public var checkpoint: Checkpoint?
  /// How many run states are kept in memory.
  public var cachedRuns = 8192

  /// Everything.
  public init() {}

  /// Only what the hashes say: no folds, no projections, no page check.
  public static var hashes: VerificationOptions {
    var options = VerificationOptions()
    options.states = false
    options.projections = false
    options.pages = false
    return options
  }
}
