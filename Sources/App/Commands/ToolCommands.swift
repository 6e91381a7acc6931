internal import Audit
internal import Core
internal import Governance
internal import ProcessModel

/// `remit tool …`: tools that depend on programs outside their release, and those that are not called because these have changed.
enum ToolCommands {
  static let all = [list, accept]

  static let list = Command(
    path: ["tool", "list"], summary: "list the tools of released processes, and those suspended",
    details: """
      A release pins every program of the machine that its tools depend on, and their entry in a server's catalogue. A tool whose parts are
      others when it is to be called is not called, and is suspended for its release until somebody accepts it, or a new release is made.
      """,
    examples: [
      .init("remit tool list", "tools of the current releases, and suspended ones"),
      .init("remit tool list --json", "with the digests of their parts"),
    ],
    run: { context in
      try await context.withWorkspace(.read) { workspace in
        let gate = workspace.gate
        let rows = try await workspace.store.read { context -> [Row] in
          let shared = try context.shared()
          let suspended = Set(shared.suspensions.map(\.release))
          let releases = shared.releases.filter { shared.current($0.process) == $0 || suspended.contains($0.digest) }
          return try releases.flatMap { record in
            let release = try gate.release(record.digest, in: context)
            return release.process.tools.map { tool in
              Row(
                process: record.process, release: record.digest, tool: tool, pin: shared.pin(of: tool.name, in: release),
                suspension: shared.suspension(of: tool.name, in: record.digest))
            }.filter { $0.suspension != nil || shared.current(record.process) == record }
          }
        }
        return CommandResult(
          json: ["tools": .array(rows.map(\.json))], notes: rows.isEmpty ? ["no released process has a tool"] : [],
          lines: { width in
            var table = Table([.init("Process"), .init("Tool"), .init("Effect"), .init("Release"), .init("Standing", wraps: true)])
            for row in rows {
              table.add([
                Shown(row.process), "\(row.tool.name, .strong)", Shown(row.tool.effect.rawValue), Shown(String(row.release.prefix(12))),
                row.standing,
              ])
            }
            return table.lines(width: width)
          })
      }
    })

  private struct Row: Sendable {
    var process: String
    var release: String
    var tool: ToolDefinition
    var pin: ToolPin?
    var suspension: ToolSuspension?

    var standing: Shown {
      if let suspension { return "\("suspended", .bad) in entry \(suspension.entry): \(suspension.text)" }
      return Shown(pin.map { "pins \(counted($0.parts.count, "part"))" } ?? "held by the release")
    }

    var json: JSON {
      var object: JSONObject = [
        "process": .string(process), "release": .string(release), "tool": .string(tool.name), "effect": .string(tool.effect.rawValue),
      ]
      object["parts"] = pin?.json
      if let suspension {
        object["suspended"] = [
          "entry": .int(suspension.entry), "at": .string(suspension.time.iso8601), "observed": suspension.observed.json,
          "why": .string(suspension.text),
        ]
      }
      return .object(object)
    }
  }

  static let accept = Command(
    path: ["tool", "accept"], summary: "take a suspended tool as it was seen, for the runs of its release",
    details: """
      Only the parts that were seen when the tool was suspended are accepted; another change suspends it again. Calls that were approved
      before are decided anew, and what agents had earned with the tool is not earned any more. `governs.releases` says who has to agree.
      """,
    examples: [.init("remit tool accept 41 -m 'python was updated'", "what entry 41 suspended")],
    arguments: [.init(name: "ENTRY", help: "the entry that `remit tool list` names")],
    options: [.value("reason", short: "m", "TEXT", "why")],
    run: { context in
      let text = try context.arguments.required("ENTRY")
      guard let entry = Int(text), entry >= 0 else {
        throw CommandError.usage("`\(visible(text))` is no entry", hint: "`remit tool list` names it")
      }
      return try await context.withWorkspace(.write) { workspace in
        let outcome = try await workspace.gate.acceptTool(
          suspendedBy: entry, reason: context.arguments.option("reason"), by: workspace.identity)
        let now = workspace.now
        return CommandResult(
          exit: outcome.exitCode, json: .object(outcome.json),
          lines: { width in outcome.lines(of: "the tool of entry \(entry)", now: now).flatMap { $0.wrapped(to: width) } })
      }
    })
}
