import Audit
import Core
import Storage

/// A ledger for tests: shared entries are counted, a run is the list of its entries' types, and `run.closed@1` ends it.
enum CountingLedger: Ledger {
  struct Shared: Hashable, Sendable {
    var count = 0
    var last = -1
  }
  struct Run: Hashable, Sendable {
    var first: Int
    var id = ""
    var tickets: [String: Int] = [:]
    var types: [String] = []
    var isClosed = false
    var total: Int64 = 0
  }
  struct Misfit: Error, Hashable { let reason: String }

  static func start() -> Shared { Shared() }

  static func apply(_ entry: Entry, to shared: inout Shared) throws {
    if entry.type == "shared.bad@1" { throw Misfit(reason: "a bad entry") }
    shared.count += 1
    shared.last = entry.index
  }

  static func apply(_ entry: Entry, to run: inout Run?) throws {
    var state = run ?? Run(first: entry.index)
    run = nil
    if state.isClosed { throw Misfit(reason: "the run is closed") }
    state.types.append(entry.type)
    state.total += entry.body["amount"]?.intValue ?? 0
    state.id = entry.run ?? ""
    if let ticket = entry.body["ticket"]?.stringValue { state.tickets[ticket] = entry.index }
    if entry.type == "run.closed@1" { state.isClosed = true }
    run = state
  }
}

/// Rows that follow from the log: one per run, and one per ticket that was used, each at most once.
struct RunTable: Projection {
  typealias Meaning = CountingLedger
  var name: String { "runs" }
  var version = 1
  var schema: String {
    """
    CREATE TABLE runs (id TEXT PRIMARY KEY, entries INTEGER NOT NULL, total INTEGER NOT NULL, closed INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE runs_ticket (ticket TEXT PRIMARY KEY, entry INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    """
  }
  func apply(_ entry: Entry, run: CountingLedger.Run?, shared: CountingLedger.Shared, to tables: Connection) throws {
    guard let id = entry.run, let run else { return }
    try tables.run(
      "INSERT INTO runs VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET entries = excluded.entries, total = excluded.total, closed = excluded.closed",
      .text(id), .int(run.types.count), .integer(run.total), .int(run.isClosed ? 1 : 0))
    if let ticket = entry.body["ticket"]?.stringValue {
      try tables.run("INSERT INTO runs_ticket VALUES (?, ?)", .text(ticket), .int(entry.index))
    }
  }

  func rows(of run: CountingLedger.Run) -> [TableRow] {
    [TableRow("runs", [.text(run.id), .int(run.types.count), .integer(run.total), .int(run.isClosed ? 1 : 0)])]
      + run.tickets.map { TableRow("runs_ticket", [.text($0.key), .int($0.value)]) }
  }
}

typealias CountingStore = AuditStore<CountingLedger>

/// An entry of a run with one content part.
func draft(
  _ run: String?, _ type: String = "run.stepped@1", amount: Int64 = 1, ticket: String? = nil, note: String = "a note"
) -> EntryDraft {
  var body: JSONObject = ["amount": JSON.int(amount)]
  if let ticket { body["ticket"] = .string(ticket) }
  return EntryDraft(
    type: type, run: run, principal: "user:ana", release: "r1", body: body, content: [Content("note", Array(note.utf8))])
}

/// Options whose clock ticks a millisecond a call and whose salts repeat.
func fixedOptions(faults: FaultPlan = .none, seed: UInt64 = 1) -> StoreOptions {
  var options = StoreOptions()
  let ticks = Locked(Int64(1_767_225_600_000))
  options.time = TimeSource {
    Instant(
      milliseconds: ticks.withLock {
        $0 += 1
        return $0
      })
  }
  options.random = .seeded(seed)
  options.faults = faults
  return options
}
