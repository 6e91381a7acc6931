internal import Audit
internal import Core
internal import Governance

/// `remit clock`: whether the wall clock can be believed, and what a person says about it.
enum ClockCommands {
  static let all = [show, confirm]

  static let show = Command(
    path: ["clock"], summary: "show whether the wall clock can be believed",
    details: """
      Decisions expire and timers fire by the wall clock. Where it moved by more than an hour while the machine ran, or does not fit the log
      when the machine was started anew, nothing expires and nothing is carried out until a person says that it is right.
      """,
    examples: [.init("remit clock", "what is known about the clock")],
    run: { context in
      try await context.withWorkspace(.read) { workspace in
        let clock = try await workspace.store.read { try $0.shared().clock }
        let now = workspace.now
        var json: JSONObject = ["believed": .bool(clock.suspicion == nil), "now": .string(now.iso8601)]
        json["why"] = clock.suspicion.map { .string($0.why) }
        json["since_entry"] = clock.suspicion.map { .int($0.entry) }
        json["confirmed"] = clock.confirmed.map { .string($0.iso8601) }
        return CommandResult(json: .object(json)) { width in
          var lines: [Shown] = ["now   \(now.iso8601)"]
          if let suspicion = clock.suspicion {
            lines.append("\("not believed", .bad)  \(suspicion.shown[0])")
            lines += suspicion.shown.dropFirst()
          } else {
            lines.append("\("believed", .good)" + (clock.confirmed.map { "  confirmed by a person at \($0.iso8601)" } ?? ""))
          }
          return lines.flatMap { $0.wrapped(to: width) }
        }
      }
    })

  static let confirm = Command(
    path: ["clock", "confirm"], summary: "say that the wall clock is right as it is now",
    details: "Look at it first: what is due by this clock expires, and what was approved is carried out.",
    examples: [.init("remit clock confirm -m 'the battery was changed'", "time goes on")],
    options: [.value("reason", short: "m", "TEXT", "why")],
    run: { context in
      try await context.withWorkspace(.write) { workspace in
        let outcome = try await workspace.gate.confirmClock(reason: context.arguments.option("reason"), by: workspace.identity)
        let now = workspace.now
        return CommandResult(
          exit: outcome.exitCode, json: .object(outcome.json),
          lines: { width in outcome.lines(of: "the clock is right: \(now.iso8601)", now: now).flatMap { $0.wrapped(to: width) } })
      }
    })
}

extension ClockRecord.Suspicion {
  /// What is wrong, and what mends it.
  var shown: [Shown] {
    [
      "\(why) (entry \(entry))",
      "nothing expires and nothing is carried out until a person has looked:",
      "set the clock right, then `remit clock confirm`",
    ]
  }

  /// The same for programs.
  var json: JSON { ["why": .string(why), "since_entry": .int(entry)] }
}
