internal import Audit
internal import Core
internal import Governance
internal import Storage

/// An allowance with what it was used for, as commands show it.
struct AllowanceView: Sendable {
  /// A call that somebody is to look at.
  struct Call: Sendable {
    var proposal: String
    var run: String
    var allowance: String
    var time: Instant

    var json: JSON {
      ["allowance": .string(allowance), "at": .string(time.iso8601), "proposal": .string(proposal), "run": .string(run)]
    }
  }

  var record: AllowanceRecord
  /// What each of its caps has counted in the window that ends now.
  var counts: [AllowanceUsage.Count]
  /// All uses so far.
  var uses: Int
  /// The sampled calls that nobody has looked at, oldest first, up to 100.
  var waiting: [Call]

  /// What each cap has counted, in words.
  var used: [String] {
    zip(record.allowance.caps, counts).map { cap, count in
      let sum = cap.sum.map { ", \(count.sum?.text ?? "?") of \($0.limit) at \($0.at)" } ?? ""
      return "\(count.calls) of \(cap.count) in \(cap.within.iso8601)\(sum)"
    }
  }

  func json(_ now: Instant) -> JSON {
    let allowance = record.allowance
    var object: JSONObject = [
      "id": .string(allowance.name), "status": .string(record.status(at: now)), "agents": .array(allowance.agents.map { .string($0) }),
      "process": .string(allowance.process), "tool": .string(allowance.tool), "until": .string(allowance.until.iso8601),
      "terms": allowance.json,
      "used": .array(
        zip(allowance.caps, counts).map { cap, count in
          var member: JSONObject = ["within": .string(cap.within.iso8601), "count": .int(count.calls), "maximum": .int(cap.count)]
          if let sum = cap.sum {
            member["sum"] = ["at": .string(sum.at), "limit": .number(sum.limit), "used": count.sum.map { .number($0) } ?? .null]
          }
          return .object(member)
        }),
      "uses": .int(uses), "reviewed": .int(record.basis.reviewed), "wrong": .int(record.basis.wrong), "bound_ppm": .int(record.basis.bound),
      "granted": .string(record.granted.iso8601), "asked_by": .string(record.proposer), "waiting": .array(waiting.map(\.json)),
    ]
    object["step"] = allowance.step.map { .string($0) }
    object["approved_by"] = record.approver.map { .string($0) }
    if let end = record.end {
      var member: JSONObject = ["why": .string(end.why.rawValue), "at": .string(end.time.iso8601), "by": .string(end.by)]
      member["text"] = end.text.map { .string($0) }
      object["ended"] = .object(member)
    }
    return .object(object)
  }

  func lines(width: Int, now: Instant) -> [Shown] {
    let allowance = record.allowance
    let status = record.status(at: now)
    let basis = record.basis
    var rows: [(String, [Shown])] = [
      ("status", [Shown(status, status == "live" ? .good : .caution)]),
      ("agents", [Shown(allowance.agents.joined(separator: ", "))]),
      ("call", [Shown("\(allowance.tool)\(allowance.step.map { " on \($0)" } ?? "") of \(allowance.process)")]),
      ("bounds", allowance.bounds.map { Shown($0.text) } + (allowance.bounds.isEmpty ? ["none"] : [])),
      ("used", used.map { Shown($0) }),
      (
        "evidence",
        [
          Shown(
            "\(basis.wrong) of \(basis.reviewed) reviewed cases were wrong: at most \(AllowanceBasis.percent(basis.bound)) are (95 % confidence), "
              + "and \(AllowanceBasis.percent(allowance.maximumError)) are accepted")
        ]
      ),
      ("sampled", [Shown("\(AllowanceBasis.percent(allowance.sampling)) of its uses are looked at later; \(waiting.count) wait")]),
      (
        "granted",
        [Shown("\(record.granted.fullText(to: now)), asked for by \(record.proposer), approved by \(record.approver ?? record.proposer)")]
      ),
      ("until", [Shown(allowance.until.fullText(to: now))]),
    ]
    if let rule = allowance.rule { rows.append(("rule", [Shown(rule)])) }
    if let end = record.end {
      rows.append(
        ("ended", [Shown("\(end.time.fullText(to: now)) by \(end.by): \(end.why.rawValue)\(end.text.map { ", \($0)" } ?? "")", .bad)]))
    }
    return ["\(allowance.name, .strong)"] + Fields(rows).lines(width: width, indent: 2)
  }
}

extension Allowance.Bound {
  /// The bound in words.
  fileprivate var text: String {
    var parts: [String] = []
    if let minimum { parts.append("at least \(minimum)") }
    if let maximum { parts.append("at most \(maximum)") }
    if let oneOf { parts.append("one of \(oneOf.map { $0.text() }.joined(separator: ", "))") }
    return "\(at): \(parts.joined(separator: ", "))"
  }
}

extension Workspace {
  /// The allowances, the newest last.
  func allowances() async throws -> [AllowanceView] {
    let now = now
    return try await store.read { context in
      try context.shared().allowances.map { record in
        let name = SQLValue.text(record.allowance.name)
        let uses = try context.database.first("SELECT count(*) FROM usage WHERE allowance = ?", [name]) { $0.int(0) } ?? 0
        let waiting = try context.database.query(
          "SELECT proposal, run, at FROM usage WHERE allowance = ? AND sampled = 1 AND review IS NULL AND entry > ? ORDER BY at LIMIT 100",
          [name, .int(record.entry)]
        ) {
          AllowanceView.Call(
            proposal: $0.text(0), run: $0.text(1), allowance: record.allowance.name, time: Instant(milliseconds: $0.integer(2)))
        }
        let counts = try AllowanceUsage.counts(of: record.allowance, at: now, in: context.database)
        return AllowanceView(record: record, counts: counts, uses: uses, waiting: waiting)
      }
    }
  }

  /// The latest allowance of a name.
  func allowance(_ name: String) async throws -> AllowanceView {
    let all = try await allowances()
    if let found = all.last(where: { bytesEqual($0.record.allowance.name, name) }) { return found }
    let nearest = nearestName(to: name, in: all.map(\.record.allowance.name)).map { "did you mean `\($0)`?" }
    throw CommandError(
      .notFound, "allowance-unknown", "there is no allowance `\(visible(name))`", hint: nearest ?? "`remit allowance list --all` shows them"
    )
  }
}
