internal import Audit
internal import Core
internal import Governance
internal import Storage

/// An open step in the queue of a role or person.
struct WorkItem: Sendable {
  var run: String
  var step: String
  var title: String
  /// In whose queue it stands.
  var performer: String
  /// `ready`, `blocked` or `paused`.
  var status: String
  var process: String
  var due: Instant?
  /// Whose alone it is.
  var assignee: String?

  var json: JSON {
    var member: JSONObject = [
      "run": .string(run), "step": .string(step), "title": .string(title), "performer": .string(performer),
      "status": .string(status), "process": .string(process),
    ]
    member["due"] = due.map { .string($0.iso8601) }
    member["assignee"] = assignee.map { .string($0) }
    return .object(member)
  }
}

/// Which open steps are asked for.
struct WorkQueue: Sendable {
  /// Whose queues.
  enum Scope: Sendable {
    /// What a person with these roles can do now: what another one has taken is left out.
    case mine(person: String, roles: [String])
    /// A role's.
    case role(String)
    /// What is one person's alone.
    case person(String)
    /// Every role's and person's.
    case people
  }

  var scope: Scope
  var process: String?
  /// Only what was due before this moment.
  var lateAt: Instant?

  /// The steps, what is due first, and how many there are; each step once.
  ///
  /// - Complexity: O(shown items + counted ones): each query ends after `limit` rows of an index.
  func read(limit: Int, _ context: ReadContext<GovernanceLedger>) throws -> (items: [WorkItem], total: Int) {
    var items: [WorkItem] = []
    var total = 0
    let (filter, filtered) = conditions
    for (condition, values) in sources {
      let place = "work JOIN run ON run.id = work.run WHERE \(condition)\(filter)"
      total += try context.database.first("SELECT count(*) FROM \(place)", values + filtered) { $0.int(0) } ?? 0
      let columns = "work.run, work.step, work.title, work.performer, work.status, run.process, work.due, work.assignee"
      let known = items.count
      for order in ["AND work.due IS NOT NULL ORDER BY work.due, work.since", "AND work.due IS NULL ORDER BY work.since"] {
        let left = limit - (items.count - known)
        if left <= 0 || (lateAt != nil && order.contains("IS NULL ")) { break }
        items += try context.database.query("SELECT \(columns) FROM \(place) \(order) LIMIT ?", values + filtered + [.int(left)]) { row in
          WorkItem(
            run: row.text(0), step: row.text(1), title: row.text(2), performer: row.text(3), status: row.text(4), process: row.text(5),
            due: row.optionalInteger(6).map { Instant(milliseconds: $0) }, assignee: row.optionalText(7))
        }
      }
    }
    var seen: Set<String> = []
    let order = items.indices.sorted { a, b in (items[a].due ?? .never, a) < (items[b].due ?? .never, b) }
    let once = order.map { items[$0] }.filter { seen.insert("\($0.run) \($0.step)").inserted }
    return (Array(once.prefix(limit)), max(total - (items.count - once.count), once.count))
  }

  /// Conditions that each have an index of their own.
  private var sources: [(String, [SQLValue])] {
    switch scope {
    case .mine(let person, let roles):
      let own = "(work.assignee IS NULL OR work.assignee = ?)"
      return ([person] + roles.map { "role:\($0)" }).map { ("work.performer = ? AND \(own)", [.text($0), .text(person)]) }
    case .role(let role): return [("work.performer = ?", [.text("role:\(role)")])]
    case .person(let person):
      return [
        ("work.assignee = ?", [.text(person)]), ("work.performer = ? AND work.assignee IS NULL", [.text(person)]),
      ]
    // `;` follows `:` in ASCII: the ranges hold exactly the roles and the people.
    case .people: return ["role", "user"].map { ("work.performer >= '\($0):' AND work.performer < '\($0);'", []) }
    }
  }

  private var conditions: (sql: String, values: [SQLValue]) {
    var (sql, values) = ("", [SQLValue]())
    if let process { (sql, values) = (" AND run.process = ?", [.text(process)]) }
    if let lateAt { (sql, values) = (sql + " AND work.due < ?", values + [.integer(lateAt.milliseconds)]) }
    return (sql, values)
  }
}

extension Instant {
  /// After every moment: what is never due.
  fileprivate static let never = Instant(milliseconds: .max)
}
