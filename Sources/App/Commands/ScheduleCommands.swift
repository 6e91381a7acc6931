internal import Audit
internal import Core
internal import Governance

/// `remit schedule`: processes that start by the calendar.
enum ScheduleCommands {
  static let all = [list]

  static let list = Command(
    path: ["schedule", "list"], summary: "list what starts by the calendar, with the latest and next start",
    details: """
      Five cron fields in a time zone. A local time that daylight saving skips counts as the moment at which the clock goes on, and one that
      occurs twice counts once, the first time; where the hour is `*`, hours count as they pass. `remit serve` and `remit agent work` start
      what is due, once. What was missed meanwhile is made up by one start, the latest.
      """,
    examples: [
      .init("remit schedule list", "the schedules of all processes"),
      .init("remit schedule list --json", "the same for a program"),
    ],
    run: { context in
      try await context.withWorkspace(.read) { workspace in
        let now = workspace.now
        let planned = try await workspace.store.read { try workspace.gate.schedules(at: now, in: $0) }
        return CommandResult(
          json: ["schedules": .array(planned.map(\.json))], notes: planned.isEmpty ? ["nothing starts by the calendar"] : [],
          lines: { width in
            var table = Table([
              .init("Process", wraps: true), .init("Schedule", wraps: true), .init("Latest start", wraps: true), .init("Next"),
            ])
            for schedule in planned {
              table.add([
                "\(schedule.process, .strong)", "\(schedule.cron) \(schedule.zone)", schedule.latest?.shown ?? Shown("none yet", .faint),
                schedule.isZoneKnown
                  ? Shown(schedule.next.map { $0.relativeText(to: now) } ?? "never") : Shown("never: unknown zone", .bad),
              ])
            }
            let refused = planned.compactMap { $0.latest?.refusal.map { "refused: \(Shown.sentence($0))" as Shown } }
            return table.lines(width: width) + refused.flatMap { $0.wrapped(to: width) }
          })
      }
    })
}

extension PlannedStarts {
  fileprivate var json: JSON {
    var json: JSONObject = [
      "process": .string(process), "cron": .string(cron), "zone": .string(zone), "zone_known": .bool(isZoneKnown),
    ]
    json["next"] = next.map { .string($0.iso8601) }
    json["latest"] = latest?.json
    return .object(json)
  }
}

extension PlannedStarts.Start {
  fileprivate var json: JSON {
    var json: JSONObject = [
      "time": .string(time.iso8601), "run": .string(run), "proposal": .string(proposal), "status": .string(status?.rawValue ?? "due"),
    ]
    json["refusal"] = refusal.map { .string($0) }
    return .object(json)
  }

  fileprivate var shown: Shown {
    switch status {
    case nil: "\("due", .caution) since \(time.iso8601)"
    case .done: "\("started", .good) \(run)"
    case .held: "\("held", .caution) \(proposal)"
    case .some(let status): "\(Shown(status.rawValue, .bad)) \(proposal)"
    }
  }
}
