internal import Audit
internal import Core
internal import EventData
internal import Governance
internal import ProcessMining

extension MineCommands {
  /// `remit mine conformance`: whether runs do what was released.
  static let conformance = Command(
    path: ["mine", "conformance"], summary: "show how runs kept to the process that was released, and what was otherwise",
    details: """
      Every completed run is laid beside the normal course of the process as it was released when the run began: the alignment with the fewest
      steps that are missing or too many (an optimal alignment, found by A*). Steps that have a condition or that somebody may skip can be left
      out; what a handler does is no part of the normal course, so it is named as a deviation. Work that was sent back and done again is one too.
      Runs that go on and runs that were cancelled are not compared.
      """,
    examples: [
      .init("remit mine conformance", "all processes, each release by itself"),
      .init("remit mine conformance --process vendor-onboarding --json", "with each alignment"),
    ],
    options: [
      .value("process", "NAME", "only this process"), .value("limit", short: "n", "N", "how many deviations at most, up to 10000"),
    ],
    run: { context in
      let limit = try context.arguments.integer("limit", in: 1...10_000) ?? 20
      let found = try await context.withWorkspace(.read) { try await $0.conformance(context) }
      return CommandResult(
        json: ["conformance": .array(found.map(\.json))], notes: found.isEmpty ? ["no runs yet"] : [],
        lines: { width in
          let parts = found.map { $0.text(width: width, limit: limit) }
          return Self.lines(parts.joined(separator: "\n")).flatMap { $0.wrapped(to: width) }
        })
    })
}

extension Workspace {
  fileprivate func conformance(_ context: CommandContext) async throws -> [ProcessConformance] {
    let (gate, name) = (gate, context.arguments.option("process"))
    return try await Progress.during("comparing runs with what was released", on: context.console) {
      try await store.read { view in
        let shared = try view.shared()
        if let name, !shared.processes.contains(name) { throw Workspace.unknownProcess(name, shared) }
        return try shared.processes.filter { name == nil || $0 == name }.sorted(by: bytesLess).flatMap { process in
          try LogEvents.runsByRelease(view, process: process).map { runs in
            let definition = try gate.release(runs.release, in: view).process
            return ProcessConformance(
              runs.log, definition, release: runs.release, running: runs.running, cancelled: runs.cancelled)
          }
        }
      }
    }
  }
}
