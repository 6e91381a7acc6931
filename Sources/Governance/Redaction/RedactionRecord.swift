internal import Audit
public import Core

/// Content that was removed from the log: what, when, by whom and under which rule.
public struct RedactionRecord: Sendable {
  /// A content part of an entry.
  public struct Target: Hashable, Sendable {
    /// The entry.
    public let entry: Int
    /// The part of its content.
    public let part: ExactString

    /// Makes a target.
    public init(entry: Int, part: String) {
      self.entry = entry
      self.part = ExactString(part)
    }

    init?(_ json: JSONView) {
      guard let entry = json["entry"]?.intValue.flatMap({ Int(exactly: $0) }), let part = json["part"]?.stringValue else { return nil }
      self.init(entry: entry, part: part)
    }

    /// `{"entry", "part"}`.
    public var json: JSON { ["entry": .int(entry), "part": .string(part.string)] }
  }

  /// The most parts that one proposal can name.
  public static let limit = 1000

  /// The proposal that asked for it.
  public let proposal: String
  /// Who proposed it.
  public let proposer: String
  /// Who agreed.
  public let approvers: [String]
  /// The rule that says so, in the proposer's words, such as a clause of a policy.
  public let rule: String
  /// When the last one agreed, in log time.
  public let time: Instant
  /// The entry with which that was decided.
  public let entry: Int
  /// What was to be removed.
  public let targets: [Target]
  /// What was removed; the rest is in the same transaction.
  public internal(set) var removed: Set<Target> = []

  /// The parts that are never removed: they prove who approved what, and say nothing else.
  public static let kept: Set<String> = [ContentPart.seal, ContentPart.signature, ContentPart.signer, ContentPart.statement]

  /// The entries that remove what an approved proposal names; none for other proposals.
  static func drafts(of proposal: Proposal) -> [EntryDraft] {
    guard proposal.tool == BuiltinTool.redact.rawValue else { return [] }
    return (proposal.arguments["targets"]?.arrayValue ?? []).compactMap { Target(JSONView($0)) }.map { target in
      EntryDraft(
        type: EntryType.contentRedacted, principal: SystemPrincipal.engine.rawValue,
        body: ["entry": .int(target.entry), "part": .string(target.part.string), "proposal": .string(proposal.id)])
    }
  }
}

extension SharedState {
  /// Keeps that content may be removed now.
  mutating func allowRedaction(_ record: ProposalRecord, _ entry: Entry) throws {
    guard let body = entry.bodyView["redaction"], let elements = body["targets"]?.elements else {
      throw GovernanceLedger.Misfit("a redaction that names nothing")
    }
    let approvers = record.votes.map(\.principal)
    guard approvers.contains(where: { !bytesEqual($0, record.principal) }) else {
      throw GovernanceLedger.Misfit("a redaction to which nobody else agreed")
    }
    let targets = try elements.map { element in
      guard let target = RedactionRecord.Target(element), target.entry < entry.index, !RedactionRecord.kept.contains(target.part.string)
      else { throw GovernanceLedger.Misfit("a redaction of what cannot be redacted") }
      return target
    }
    redactions.append(
      RedactionRecord(
        proposal: record.id, proposer: record.principal, approvers: approvers, rule: try body.text("rule"), time: entry.time,
        entry: entry.index, targets: targets))
  }

  /// Keeps that a content part was removed, which an approved proposal has to name.
  mutating func noteRedacted(_ entry: Entry) throws {
    let id = try entry.bodyView.text("proposal")
    guard let place = redactions.lastIndex(where: { bytesEqual($0.proposal, id) }),
      let target = RedactionRecord.Target(entry.bodyView), redactions[place].targets.contains(target),
      redactions[place].removed.insert(target).inserted
    else { throw GovernanceLedger.Misfit("content was removed, and no approved proposal says so") }
  }
}
