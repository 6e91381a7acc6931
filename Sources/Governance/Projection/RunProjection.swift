public import Audit
internal import Core
internal import PolicyEngine
internal import ProcessModel
internal import Storage

/// The tables of the live service that follow from the log.
public enum GovernanceProjections {
  /// All of them, for opening a store.
  public static var all: [any Projection<GovernanceLedger>] {
    [
      RunProjection(), ProposalProjection(), WorkProjection(), TimerProjection(), UsageProjection(), ReviewedProjection(),
      DecisionProjection(),
    ]
  }

  /// Which rows of table `proposal` something may still come of: held, granted, started and in doubt.
  ///
  /// A query for some of them has to say these very words as well: only then does SQLite use the index that holds no others.
  public static let isOpen = "is_open = 1"
}

/// One row a run: what lists of runs show.
struct RunProjection: Projection {
  typealias Meaning = GovernanceLedger
  let name = "run"
  let version = 5
  let schema = """
    CREATE TABLE run (
      first     INTEGER PRIMARY KEY,  -- index of its first entry
      id        TEXT    NOT NULL UNIQUE,
      process   TEXT    NOT NULL,
      release   TEXT    NOT NULL,
      requester TEXT    NOT NULL,
      status    TEXT    NOT NULL,
      started   INTEGER NOT NULL,  -- Unix time, milliseconds, UTC
      updated   INTEGER NOT NULL,
      open      INTEGER NOT NULL,  -- open steps
      problems  INTEGER NOT NULL   -- open exceptions and questions
    ) STRICT;
    CREATE INDEX run_status ON run (status);
    CREATE INDEX run_problems ON run (id) WHERE problems > 0;
    """

  func apply(_ entry: Entry, run: RunRecord?, shared: SharedState, to tables: Connection) throws {
    guard let run else { return }
    if run.firstEntry == entry.index { return try tables.run("INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values(of: run)) }
    let first = SQLValue.int(run.firstEntry)
    try tables.run(
      "UPDATE run SET updated = ?, open = ? WHERE first = ?", .integer(run.updated.milliseconds), .int(run.state.openCount), first)
    // An update of an indexed column moves its index entries even where the value stays.
    guard let events = entry.body["events"]?.arrayValue, events.contains(where: { $0.isEvent(of: Self.subjects) }) else { return }
    try tables.run(
      "UPDATE run SET status = ?1, problems = ?2 WHERE first = ?3 AND (status <> ?1 OR problems <> ?2)", .text(run.state.standing),
      .int(run.state.problemCount), first)
  }

  /// What the events are about that change a run's status, or how many problems it has.
  private static let subjects = ["run.", "exception.", "question."]

  func rows(of run: RunRecord) -> [TableRow] { [TableRow("run", values(of: run))] }

  private func values(of run: RunRecord) -> [SQLValue] {
    let state = run.state
    return [
      .int(run.firstEntry), .text(state.id), .text(state.process), .text(state.release), .text(state.requester),
      .text(state.standing), .integer(run.started.milliseconds), .integer(run.updated.milliseconds), .int(state.openCount),
      .int(state.problemCount),
    ]
  }
}

extension RunState {
  fileprivate var openCount: Int { steps.count { $0.status.isOpen } }
  fileprivate var problemCount: Int { exceptions.count { $0.resolution == nil } + questions.count { !$0.isAnswered } }
}

/// One row a proposal: where it stands, and when a decision on it is due.
struct ProposalProjection: Projection {
  typealias Meaning = GovernanceLedger
  let name = "proposal"
  let version = 5
  let schema = """
    CREATE TABLE proposal (
      entry     INTEGER PRIMARY KEY,
      id        TEXT    NOT NULL UNIQUE,
      run       TEXT,
      principal TEXT    NOT NULL,
      tool      TEXT    NOT NULL,
      step      TEXT,
      effect    TEXT    NOT NULL,
      verdict   TEXT    NOT NULL,
      status    TEXT    NOT NULL,
      time      INTEGER NOT NULL,  -- Unix time, milliseconds, UTC
      expires   INTEGER,
      is_open   INTEGER NOT NULL,  -- 1 where something may still come of it
      due       INTEGER,           -- when time does something to it next
      review    INTEGER            -- until when somebody has to look at it, because it was passed in an emergency
    ) STRICT;
    CREATE INDEX proposal_open ON proposal (status, due) WHERE \(GovernanceProjections.isOpen);
    CREATE INDEX proposal_review ON proposal (review) WHERE review IS NOT NULL;
    """

  func apply(_ entry: Entry, run: RunRecord?, shared: SharedState, to tables: Connection) throws {
    guard let id = entry.body["proposal"]?.stringValue else { return }
    guard let record = run?.proposal(id) ?? shared.proposals.last(where: { $0.id == id }) else { return }
    if record.entry == entry.index {
      try tables.run("INSERT INTO proposal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values(of: record, in: run?.state.id))
    } else if entry.type != EntryType.approvalRefused {
      try tables.run(
        "UPDATE proposal SET status = ?, is_open = ?, expires = ?, due = ?, review = ? WHERE entry = ?", .text(record.status.rawValue),
        .int(record.status.isOpen ? 1 : 0), .integer(record.expires?.milliseconds), .integer(record.due?.milliseconds),
        .integer(record.reviewDue?.milliseconds), .int(record.entry))
    }
  }

  func rows(of run: RunRecord) -> [TableRow] {
    run.proposals.indices.map { TableRow("proposal", values(of: run.proposals[$0], in: run.state.id)) }
      + run.probes.map { TableRow("proposal", values(of: $0, in: run.state.id)) }
  }

  func rows(about entry: Entry, in shared: SharedState) -> [TableRow] {
    guard let id = entry.body["proposal"]?.stringValue, let record = shared.proposals.last(where: { $0.id == id }) else { return [] }
    return [TableRow("proposal", values(of: record, in: nil))]
  }

  private func values(of record: ProposalRecord, in run: String?) -> [SQLValue] {
    [
      .int(record.entry), .text(record.id), .text(run), .text(record.principal), .text(record.tool), .text(record.step?.description),
      .text(record.effect.rawValue), .text(record.verdict.rawValue), .text(record.status.rawValue), .integer(record.time.milliseconds),
      .integer(record.expires?.milliseconds), .int(record.status.isOpen ? 1 : 0), .integer(record.due?.milliseconds),
      .integer(record.reviewDue?.milliseconds),
    ]
  }
}

/// One row an open step and role, person, agent or tool that may do it: their queues.
struct WorkProjection: Projection {
  typealias Meaning = GovernanceLedger
  let name = "work"
  let version = 4
  let schema = """
    CREATE TABLE work (
      run       TEXT    NOT NULL,
      step      TEXT    NOT NULL,  -- id, with #pass from the second pass on
      performer TEXT    NOT NULL,  -- role:…, user:…, agent:…, tool:…
      title     TEXT    NOT NULL,
      status    TEXT    NOT NULL,  -- ready, blocked; paused while its run is
      since     INTEGER NOT NULL,  -- index of the entry that opened it, moved it or stopped it
      due       INTEGER,
      assignee  TEXT,              -- whose alone it is, user:…
      PRIMARY KEY (run, step, performer)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX work_performer ON work (performer, since);
    CREATE INDEX work_due ON work (performer, due, since) WHERE due IS NOT NULL;
    CREATE INDEX work_assignee ON work (assignee) WHERE assignee IS NOT NULL;
    """

  func apply(_ entry: Entry, run: RunRecord?, shared: SharedState, to tables: Connection) throws {
    guard let run, let events = entry.body["events"]?.arrayValue, !events.isEmpty else { return }
    for place in touchedSteps(events, run) {
      try tables.run(
        "DELETE FROM work WHERE run = ? AND step = ?", .text(run.state.id), .text(run.state.steps[place].occurrence.description))
      for values in values(ofStep: place, in: run) { try tables.run("INSERT INTO work VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values) }
    }
  }

  func rows(of run: RunRecord) -> [TableRow] {
    run.state.steps.indices.flatMap { place in values(ofStep: place, in: run).map { TableRow("work", $0) } }
  }

  /// The rows of a step: none where it is not open, one for each role or person that it is brought before.
  private func values(ofStep place: Int, in run: RunRecord) -> [[SQLValue]] {
    let step = run.state.steps[place]
    guard step.status.isOpen else { return [] }
    let status = step.status == .ready && run.state.pause != nil ? "paused" : step.status.rawValue
    return ([step.performer] + step.escalatedTo.filter { $0 != step.performer }).map { performer in
      [
        .text(run.state.id), .text(step.occurrence.description), .text(performer.description), .text(step.title), .text(status),
        .int(run.stepEntries[place]), .integer(step.due?.milliseconds), .text(step.assignee),
      ]
    }
  }

  /// The places of the steps whose state the entry may have changed: those at which its events happened, in any pass, in the order of
  /// the run.
  private func touchedSteps(_ events: [JSON], _ run: RunRecord) -> [Int] {
    // Pausing and resuming is about every open step.
    if events.contains(where: { $0.isEvent(of: ["run.paused", "run.resumed"]) }) {
      return run.state.steps.indices.filter { run.state.steps[$0].status.isOpen }
    }
    let names = events.compactMap { $0["at"]?.stringValue }
    return run.state.steps.indices.filter { place in names.contains { $0.names(stepID: run.state.steps[place].occurrence.id) } }
  }
}

extension String {
  /// Whether this is the id of a step, alone or with `#` and the number of a pass.
  fileprivate func names(stepID id: String) -> Bool {
    let (own, id) = (utf8, id.utf8)
    return own.count >= id.count && own.starts(with: id) && (own.count == id.count || own.dropFirst(id.count).first == UInt8(ascii: "#"))
  }
}

/// One row a running timer.
struct TimerProjection: Projection {
  typealias Meaning = GovernanceLedger
  let name = "timer"
  let version = 2
  let schema = """
    CREATE TABLE timer (
      run TEXT    NOT NULL,
      id  TEXT    NOT NULL,
      at  INTEGER NOT NULL,  -- Unix time, milliseconds, UTC
      PRIMARY KEY (run, id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX timer_at ON timer (at);
    """

  func apply(_ entry: Entry, run: RunRecord?, shared: SharedState, to tables: Connection) throws {
    guard let run, let events = entry.body["events"]?.arrayValue, events.contains(where: { $0.isEvent(of: ["timer.", "run."]) }) else {
      return
    }
    let wanted = running(in: run)
    let key = SQLValue.text(run.state.id)
    let stored = try tables.query("SELECT id, at FROM timer WHERE run = ?", [key]) { (id: $0.text(0), at: $0.integer(1)) }
    for (id, at) in stored where !wanted.contains(where: { $0.id == id && $0.at.milliseconds == at }) {
      try tables.run("DELETE FROM timer WHERE run = ? AND id = ?", [key, .text(id)])
    }
    for timer in wanted where !stored.contains(where: { $0.id == timer.id && $0.at == timer.at.milliseconds }) {
      try tables.run("INSERT INTO timer VALUES (?, ?, ?)", values(of: timer, in: run))
    }
  }

  func rows(of run: RunRecord) -> [TableRow] { running(in: run).map { TableRow("timer", values(of: $0, in: run)) } }

  /// The timers that can fire: none while the run is paused.
  private func running(in run: RunRecord) -> [RunState.Timer] { run.state.pause == nil ? run.state.timers : [] }

  private func values(of timer: RunState.Timer, in run: RunRecord) -> [SQLValue] {
    [.text(run.state.id), .text(timer.id), .integer(timer.at.milliseconds)]
  }
}

extension JSON {
  /// Whether this is an event whose name begins with one of these.
  fileprivate func isEvent(of subjects: [String]) -> Bool {
    guard let name = self["$"]?.stringValue?.utf8 else { return false }
    return subjects.contains { name.starts(with: $0.utf8) }
  }
}
