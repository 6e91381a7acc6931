internal import Audit
internal import Core
internal import Governance
internal import ProcessMining
internal import Storage

/// `remit approval reviewers|probe`: whether the people who decide still look.
enum VigilanceCommands {
  static let all = [reviewers, probe]

  static let reviewers = Command(
    path: ["approval", "reviewers"], summary: "show how people review: how fast, how often they agree, which probes they missed",
    details: """
      For each person: decisions on held proposals of runs, the share of approvals, the median time in front of the card (where a terminal
      measured it) and the median time that the proposals had waited. A probe is a planted copy with something wrong in it; the share missed
      has its 95 % interval (Wilson), which is wide where there were few.
      """,
    examples: [.init("remit approval reviewers", "a table"), .init("remit approval reviewers --json", "with the intervals")],
    run: { context in
      try await context.withWorkspace(.read) { workspace in
        let reviewers = try await workspace.reviewers()
        return CommandResult(
          json: ["reviewers": .array(reviewers.map(\.json))], notes: reviewers.isEmpty ? ["nobody has decided on anything yet"] : [],
          lines: { width in reviewers.flatMap { $0.lines.flatMap { $0.wrapped(to: width) } } })
      }
    })

  static let probe = Command(
    path: ["approval", "probe"], summary: "plant probes: copies of what waits with something wrong in them, which can never be carried out",
    details: """
      For the owner of a process, and the operator. Which proposals are copied is drawn by lot among those that wait; what is wrong is where the
      effect goes, an amount or a text. A probe looks like any other proposal until somebody has decided on it, who is told at once.
      """,
    examples: [.init("remit approval probe --count 2", "two of them"), .init("remit approval probe --seed 7", "the same lot again")],
    options: [
      .value("count", short: "n", "N", "how many, up to 20; 1 where nothing is said"),
      .value("process", "NAME", "only beside proposals of this process"), .value("seed", "N", "what the lots are drawn from"),
    ],
    run: { context in
      let count = try context.arguments.integer("count", in: 1...20) ?? 1
      let seed = try context.arguments.integer("seed", in: 0...Int.max).map { UInt64($0) } ?? UInt64.random(in: 0...UInt64(Int.max))
      let process = context.arguments.option("process")
      return try await context.withWorkspace(.write) { workspace in
        var random = SeededGenerator(seed: seed)
        let waiting = try await workspace.inbox(limit: 1000).decisions.filter { item in
          item.run != nil && process.map { bytesEqual($0, item.process ?? "") } ?? true
        }
        var planted = 0
        for item in waiting.shuffled(using: &random) where planted < count {
          if try await workspace.gate.plantProbe(beside: item.record.id, by: workspace.identity, seed: random.next()) { planted += 1 }
        }
        let done = planted
        return CommandResult(
          json: ["planted": .int(done)],
          notes: done < count ? ["\(done) of \(count) could be planted: too little waits, or nothing in it can be made wrong"] : [],
          lines: { _ in ["\("planted", .good)  \(counted(done, "probe"))"] })
      }
    })
}

/// How one person reviews.
struct Reviewer: Sendable {
  let person: String
  let decisions: Int
  let approvals: Int
  /// Median milliseconds in front of the card; nil where nobody measured.
  let considered: Int?
  /// Median milliseconds that what they decided had waited.
  let waited: Int
  let probes: Int
  let missed: Int

  /// From so many decisions on, a median under three seconds is said to be fast.
  static let fewest = 10
  private static let glance = 3000

  private var isFast: Bool { decisions >= Self.fewest && considered.map { $0 < Self.glance } ?? false }

  var json: JSON {
    var object: JSONObject = [
      "person": .string(person), "decisions": .int(decisions), "approvals": .int(approvals), "median_waited_ms": .int(waited),
      "probes": .int(probes), "missed": .int(missed),
    ]
    object["median_considered_ms"] = considered.map { .int($0) }
    if probes > 0 {
      let interval = WilsonInterval(successes: missed, trials: probes)
      object["missed_interval"] = ["lower_ppm": .int(Int(interval.lower * 1_000_000)), "upper_ppm": .int(Int(interval.upper * 1_000_000))]
    }
    return .object(object)
  }

  var lines: [Shown] {
    let look = considered.map { "looks for \(Duration.milliseconds($0).roughText)" } ?? "nobody measured how long they look"
    var first: Shown = "\(person, .strong)  \(counted(decisions, "decision")), \(approvals * 100 / max(1, decisions)) % approved"
    if isFast { first.append("  \("fast: look again at what they decide", .caution)") }
    var lines = [first, "      \(look); what they decide waited \(Duration.milliseconds(waited).roughText)"]
    if probes > 0 {
      let interval = WilsonInterval(successes: missed, trials: probes)
      let range = "\(Int(interval.lower * 100)) to \(Int((interval.upper * 100).rounded(.up))) %"
      lines.append("      \(Shown("missed \(missed) of \(counted(probes, "probe"))", missed > 0 ? .bad : .good)) (95 %: \(range))")
    }
    return lines
  }
}

extension Workspace {
  /// How everybody reviews who has decided on something, the busiest first.
  ///
  /// - Complexity: O(n log n) for n decisions.
  func reviewers() async throws -> [Reviewer] {
    try await store.read { context in
      // The middle ones of each person's values; what nobody measured is null and comes first.
      func medians(_ column: String) throws -> [String: Int] {
        let rows = try context.database.query(
          """
          SELECT person, \(column) FROM (
            SELECT person, \(column), row_number() OVER (PARTITION BY person ORDER BY \(column)) AS place,
              count(*) OVER (PARTITION BY person) AS size FROM decision WHERE \(column) IS NOT NULL
          ) WHERE place = (size + 1) / 2
          """, []
        ) { ($0.text(0), $0.int(1)) }
        return Dictionary(rows, uniquingKeysWith: { first, _ in first })
      }
      let (considered, waited) = (try medians("considered"), try medians("waited"))
      return try context.database.query(
        """
        SELECT person, count(*), sum(decision = 'approve'), sum(probe IS NOT NULL), sum(coalesce(probe, '') = 'missed') FROM decision
        WHERE decision <> 'withdraw' GROUP BY person ORDER BY count(*) DESC, person
        """, []
      ) { row in
        Reviewer(
          person: row.text(0), decisions: row.int(1), approvals: row.int(2), considered: considered[row.text(0)],
          waited: waited[row.text(0)] ?? 0, probes: row.int(3), missed: row.int(4))
      }
    }
  }
}
