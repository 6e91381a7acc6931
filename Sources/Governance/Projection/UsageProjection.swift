internal import Audit
internal import Core
internal import ProcessModel
internal import Storage

/// One row a use of an allowance: what its caps count, and what people are to look at later.
struct UsageProjection: Projection {
  typealias Meaning = GovernanceLedger
  let name = "usage"
  let version = 1
  let schema = """
    CREATE TABLE usage (
      allowance TEXT    NOT NULL,
      at        INTEGER NOT NULL,  -- Unix time, milliseconds, UTC
      entry     INTEGER NOT NULL,
      proposal  TEXT    NOT NULL,
      run       TEXT    NOT NULL,
      amounts   TEXT    NOT NULL,  -- decimal texts by pointer, JSON
      sampled   INTEGER NOT NULL,
      review    TEXT,              -- right, wrong
      PRIMARY KEY (allowance, at, entry)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX usage_review ON usage (at) WHERE sampled = 1 AND review IS NULL;
    """

  func apply(_ entry: Entry, run: RunRecord?, shared: SharedState, to tables: Connection) throws {
    guard let run else { return }
    if let reviewed = entry.reviewed { try update(run.proposal(reviewed), in: run, tables) }
    if entry.type == EntryType.proposal, entry.body["allowances"] != nil, let record = run.proposals.last {
      try insert(record, in: run, tables)
    } else if entry.type == EntryType.approval, let id = entry.body["proposal"]?.stringValue {
      try update(run.proposal(id), in: run, tables)
    }
  }

  func rows(of run: RunRecord) -> [TableRow] {
    run.proposals.indices.flatMap { run.proposals[$0].uses.isEmpty ? [] : rows(of: run.proposals[$0], in: run) }
  }

  private func update(_ record: ProposalRecord?, in run: RunRecord, _ tables: Connection) throws {
    guard let record else { return }
    for use in record.uses {
      try tables.run(
        "DELETE FROM usage WHERE allowance = ? AND at = ? AND entry = ?", .text(use.name), .integer(record.time.milliseconds),
        .int(record.entry))
    }
    try insert(record, in: run, tables)
  }

  private func insert(_ record: ProposalRecord, in run: RunRecord, _ tables: Connection) throws {
    for row in rows(of: record, in: run) { try tables.run("INSERT INTO usage VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row.values) }
  }

  /// What never happened, because it was taken back before it began, uses nothing.
  private func rows(of record: ProposalRecord, in run: RunRecord) -> [TableRow] {
    if record.uses.isEmpty || [.voided, .withdrawn, .expired].contains(record.status) { return [] }
    return record.uses.map { use in
      TableRow(
        "usage",
        [
          .text(use.name), .integer(record.time.milliseconds), .int(record.entry), .text(record.id), .text(run.state.id),
          .text(JSON.object(use.amountsJSON).text()), .int(use.isSampled ? 1 : 0),
          .text(record.judged.map { $0.isRight ? "right" : "wrong" }),
        ])
    }
  }
}

/// One row a call of an agent that people decided on or looked at: the evidence that allowances rest on.
struct ReviewedProjection: Projection {
  typealias Meaning = GovernanceLedger
  let name = "reviewed"
  let version = 1
  let schema = """
    CREATE TABLE reviewed (
      entry     INTEGER PRIMARY KEY,  -- that of the proposal
      process   TEXT    NOT NULL,
      tool      TEXT    NOT NULL,
      principal TEXT    NOT NULL,
      step      TEXT,
      at        INTEGER NOT NULL,  -- when it was judged: Unix time, milliseconds, UTC
      is_right  INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX reviewed_kind ON reviewed (process, tool, at);
    """

  func apply(_ entry: Entry, run: RunRecord?, shared: SharedState, to tables: Connection) throws {
    guard let run else { return }
    let decided = entry.type == EntryType.approval ? entry.body["proposal"]?.stringValue : nil
    for id in [decided, entry.reviewed] {
      guard let id, let record = run.proposal(id), let row = row(of: record, in: run) else { continue }
      try tables.run("INSERT OR REPLACE INTO reviewed VALUES (?, ?, ?, ?, ?, ?, ?)", row.values)
    }
  }

  func rows(of run: RunRecord) -> [TableRow] {
    run.proposals.indices.compactMap { run.proposals[$0].judged == nil ? nil : row(of: run.proposals[$0], in: run) }
  }

  private func row(of record: ProposalRecord, in run: RunRecord) -> TableRow? {
    guard let judged = record.judged else { return nil }
    return TableRow(
      "reviewed",
      [
        .int(record.entry), .text(run.state.process), .text(record.tool), .text(record.principal), .text(record.step?.id),
        .integer(judged.time.milliseconds), .int(judged.isRight ? 1 : 0),
      ])
  }
}

extension Entry {
  /// The proposal that the entry says was right or wrong.
  fileprivate var reviewed: String? { body["review"]?["proposal"]?.stringValue }
}
