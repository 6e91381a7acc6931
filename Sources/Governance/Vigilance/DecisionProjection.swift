internal import Audit
internal import Core
internal import ProcessModel
internal import Storage

/// One row a decision of a person on a held proposal of a run: what is known about how people review.
struct DecisionProjection: Projection {
  typealias Meaning = GovernanceLedger
  let name = "decision"
  let version = 1
  let schema = """
    CREATE TABLE decision (
      entry      INTEGER PRIMARY KEY,
      person     TEXT    NOT NULL,
      decision   TEXT    NOT NULL,  -- approve, reject, supersede, withdraw
      waited     INTEGER NOT NULL,  -- milliseconds since the proposal
      considered INTEGER,           -- milliseconds in front of the card, where somebody measured
      probe      TEXT               -- caught, missed: where it was one
    ) STRICT;
    """

  func apply(_ entry: Entry, run: RunRecord?, shared: SharedState, to tables: Connection) throws {
    guard entry.type == EntryType.approval, let id = entry.body["proposal"]?.stringValue, let record = run?.proposal(id) else { return }
    for row in rows(of: record) where row.values.first == .int(entry.index) {
      try tables.run("INSERT INTO decision VALUES (?, ?, ?, ?, ?, ?)", row.values)
    }
  }

  private static func probe(_ decision: ApprovalDecision) -> String? {
    switch decision {
    case .approve: "missed"
    case .reject, .supersede: "caught"
    case .expire, .withdraw, .void: nil
    }
  }

  func rows(of run: RunRecord) -> [TableRow] { (run.proposals + run.probes).flatMap { rows(of: $0) } }

  private func rows(of record: ProposalRecord) -> [TableRow] {
    record.notes.compactMap { note in
      guard case .decided(let decision, let considered) = note.kind else { return nil }
      return TableRow(
        "decision",
        [
          .int(note.entry), .text(note.by), .text(decision.rawValue), .integer(note.time.milliseconds - record.time.milliseconds),
          .integer(considered.map { Int64($0) }), .text(record.isProbe ? Self.probe(decision) : nil),
        ])
    }
  }
}
