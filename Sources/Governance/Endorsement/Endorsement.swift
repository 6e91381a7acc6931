internal import Audit
public import Core

/// A person's word, on record, that a source or one exact value can be taken at its word.
public struct Endorsement: Hashable, Sendable {
  /// What is endorsed.
  public enum Subject: Hashable, Sendable {
    /// All that comes from a source, such as `tool:crm.lookup` or `form:vendor-request`.
    case source(String)
    /// One exact value, where it stands as one of these arguments or fields, and nowhere else.
    case value(String, as: [String])
  }

  /// Where it counts.
  public enum Scope: Hashable, Sendable, CustomStringConvertible {
    /// In every process.
    case workspace
    /// In the runs of one process.
    case process(String)
    /// In one run.
    case run(String)

    /// Reads `workspace`, `process:NAME` or `run:ID`; nil for anything else.
    public init?(parsing text: String) {
      if bytesEqual(text, "workspace") {
        self = .workspace
        return
      }
      guard let colon = text.firstIndex(of: ":"), text.index(after: colon) < text.endIndex else { return nil }
      let name = String(text[text.index(after: colon)...])
      switch text[..<colon] {
      case "process": self = .process(name)
      case "run": self = .run(name)
      default: return nil
      }
    }

    /// What ``init(parsing:)`` reads.
    public var description: String {
      switch self {
      case .workspace: "workspace"
      case .process(let name): "process:\(name)"
      case .run(let id): "run:\(id)"
      }
    }
  }

  /// How it ended before its time.
  public struct End: Hashable, Sendable {
    /// Who took it back.
    public let by: String
    /// Why, in words; nil where nothing was said or it was redacted.
    public let text: String?
    /// When, in log time.
    public let time: Instant
    /// The entry that says so.
    public let entry: Int
  }

  /// What is endorsed.
  public let subject: Subject
  /// Where it counts.
  public let scope: Scope
  /// Until when; nil where it has no end.
  public let until: Instant?
  /// Who endorsed it.
  public let by: String
  /// Who agreed; nil where nobody had to.
  public let approver: String?
  /// The entry since which it counts, which also names it.
  public let entry: Int
  /// When that was, in log time.
  public let time: Instant
  /// How it ended; nil while it has not.
  public internal(set) var end: End?

  /// Where it stands: `live`, `expired` or `withdrawn`.
  public func status(at now: Instant) -> String {
    if end != nil { return "withdrawn" }
    return until.map { now > $0 } == true ? "expired" : "live"
  }

  /// Whether it counts in a run of a process.
  func counts(in run: String, of process: String, at now: Instant) -> Bool {
    guard status(at: now) == "live" else { return false }
    switch scope {
    case .workspace: return true
    case .process(let name): return bytesEqual(name, process)
    case .run(let id): return bytesEqual(id, run)
    }
  }
}

/// Whose word makes something trusted, and since which entry.
public struct Endorser: Hashable, Sendable {
  /// The entry that names the endorsement.
  public let entry: Int
  /// Who endorsed it.
  public let by: String

  /// Makes an endorser from its parts.
  public init(entry: Int, by: String) { (self.entry, self.by) = (entry, by) }

  /// For people.
  public var words: String { "trusted since entry \(entry) by \(by)" }
}

extension SharedState {
  /// How many endorsements that count no more are kept.
  private static let endedEndorsements = 256

  /// Adds what an entry endorses.
  mutating func endorse(_ record: ProposalRecord, _ entry: Entry) throws {
    // What was redacted vouches for nothing.
    guard let bytes = entry.content(ContentPart.values) else { return }
    let terms = try entry.body.object("endorsement")
    guard let subject = Endorsement.Subject(try JSON.parse(bytes)), let scope = Endorsement.Scope(parsing: try terms.text("scope")) else {
      throw GovernanceLedger.Misfit("not an endorsement")
    }
    endorsements.append(
      Endorsement(
        subject: subject, scope: scope, until: terms["until"]?.intValue.map { Instant(milliseconds: $0) }, by: record.principal,
        approver: entry.type == EntryType.approval ? entry.principal : record.votes.last?.principal, entry: entry.index, time: entry.time))
    forgetEndorsements(at: entry.time)
  }

  /// Drops the oldest ones that count no more, where there are too many.
  private mutating func forgetEndorsements(at now: Instant) {
    let over = endorsements.indices.filter { endorsements[$0].status(at: now) != "live" }
    if over.count > Self.endedEndorsements { endorsements.remove(at: over[0]) }
  }

  /// Takes an endorsement back.
  mutating func withdrawEndorsement(_ record: ProposalRecord, _ entry: Entry) throws {
    let named = entry.body["endorsement_withdrawn"]?.intValue
    guard let place = endorsements.firstIndex(where: { $0.entry == named.map { Int($0) } }) else {
      throw GovernanceLedger.Misfit("the end of an endorsement that is not there")
    }
    let text = entry.content(ContentPart.reason).map { String(decoding: $0, as: UTF8.self) }
    endorsements[place].end = Endorsement.End(by: record.principal, text: text, time: entry.time, entry: entry.index)
  }
}

extension Endorsement.Subject {
  /// Reads the arguments of `label.endorse`; nil for anything but one subject.
  init?(_ json: JSON) {
    switch (json["source"]?.stringValue, json["value"]?.stringValue, json["as"]?.arrayValue?.compactMap(\.stringValue) ?? []) {
    case (let source?, nil, []): self = .source(source)
    case (nil, let value?, let names) where !names.isEmpty: self = .value(value, as: names)
    default: return nil
    }
  }

  /// What ``init(_:)`` reads.
  public var json: JSONObject {
    switch self {
    case .source(let source): ["source": .string(source)]
    case .value(let value, let names): ["as": .array(names.map { .string($0) }), "value": .string(value)]
    }
  }
}
