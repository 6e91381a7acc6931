internal import Audit
internal import Core
internal import Governance
internal import PolicyEngine
internal import ProcessModel

/// `remit event …`: runs that are started by what happens elsewhere.
enum EventCommands {
  static let all = [take]

  static let take = Command(
    path: ["event", "take"], summary: "start the runs that events ask for, each once",
    details: """
      Takes CloudEvents 1.0 in JSON: one, a list, or one a line. Each starts a run of every released process with a trigger `event` of its type,
      with those members of its `data` that the trigger's `fields` name, as values that nobody vouches for. Source and id say which event it
      is: one that was delivered before starts nothing, also after a crash. Who holds the trigger's `role` may bring events in; where it has
      none, the owner of the process. What could not be started is said one by one, and what the gate refused stands in the log.
      """,
    examples: [
      .init("remit event take event.json", "a file"), .init("remit event take -", "standard input"),
      .init("remit event take --spool /var/spool/crm", "every .json file of a folder"),
    ],
    arguments: [.init(name: "FILE", help: "a file of events; `-` is standard input", isRequired: false)],
    options: [.value("spool", "FOLDER", "take every file of a folder whose name ends in .json, in the order of names")],
    run: { context in
      let (file, spool) = (context.arguments.argument("FILE"), context.arguments.option("spool"))
      guard (file == nil) != (spool == nil) else { throw CommandError.usage("give either FILE or `--spool FOLDER`") }
      return try await context.withWorkspace(.write) { workspace in
        var files: [(path: String, bytes: [UInt8])] = []
        if let file { files = [(file, try await context.front.read(file, maximumBytes: 64 << 20))] }
        if let spool {
          files = try await context.front.files(under: spool).filter { $0.path.hasSuffix(".json") }.sorted { bytesLess($0.path, $1.path) }
        }
        let outcomes = try await EventIntake(workspace: workspace).start(files, namesFiles: spool != nil)
        return RunIntake.result(outcomes, file: file ?? "", of: "event")
      }
    })
}

/// Starts the runs that events ask for.
struct EventIntake {
  let workspace: Workspace

  /// How many starts are under way at a time: their entries share a sync.
  private static let width = 64

  private struct Start {
    var number: Int
    var file: String?
    var process: String
    var trigger: String
    var fields: JSONObject
    var run: String
  }

  /// Starts what is not there yet.
  ///
  /// - Returns: What became of each event in each process, in the order of the files.
  /// - Throws: What the store throws.
  /// - Complexity: O(events · released processes).
  func start(_ files: [(path: String, bytes: [UInt8])], namesFiles: Bool) async throws -> [RunIntake.Outcome] {
    let processes = try await releasedProcesses()
    var outcomes: [RunIntake.Outcome] = []
    for (path, bytes) in files {
      let file = namesFiles ? path : nil
      var (starts, own) = ([Start](), [RunIntake.Outcome]())
      for (place, event) in CloudEvent.all(in: bytes).enumerated() {
        do {
          let wanted = try Self.starts(try event.get(), number: place + 1, file: file, processes)
          starts += wanted
          if wanted.isEmpty {
            own.append(Self.failure(place + 1, file, "no-trigger", "no released process waits for events of this type"))
          }
        } catch let error as CommandError {
          own.append(Self.failure(place + 1, file, error.code, error.message))
        }
      }
      for first in stride(from: 0, to: starts.count, by: Self.width) {
        own += try await submit(Array(starts[first..<min(first + Self.width, starts.count)]))
      }
      outcomes += own.sorted { ($0.line, $0.process ?? "") < ($1.line, $1.process ?? "") }
    }
    return outcomes
  }

  private func releasedProcesses() async throws -> [ProcessDefinition] {
    let gate = workspace.gate
    return try await workspace.store.read { context in
      let shared = try context.shared()
      return try shared.processes.sorted(by: bytesLess).compactMap { name in
        try shared.current(name).map { try gate.release($0.digest, in: context).process }
      }
    }
  }

  private static func starts(
    _ event: CloudEvent, number: Int, file: String?, _ processes: [ProcessDefinition]
  ) throws -> [Start] {
    try processes.compactMap { process in
      guard let trigger = process.triggers.first(where: { $0.isEvent && bytesEqual($0.name, event.type) }) else { return nil }
      let values = trigger.fields.compactMap { field in event.data[field.name].map { (field.name, $0) } }
      return Start(
        number: number, file: file, process: process.id, trigger: trigger.name, fields: JSONObject(values),
        run: try event.run(of: process.id))
    }
  }

  private static func failure(_ number: Int, _ file: String?, _ code: String, _ message: String) -> RunIntake.Outcome {
    RunIntake.Outcome(line: number, status: .failed, code: code, message: message, file: file)
  }

  private func submit(_ starts: [Start]) async throws -> [RunIntake.Outcome] {
    try await withThrowingTaskGroup(of: RunIntake.Outcome.self) { group in
      for start in starts { group.addTask { try await submit(start) } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
  }

  private func submit(_ start: Start) async throws -> RunIntake.Outcome {
    var outcome = RunIntake.Outcome(line: start.number, status: .present, run: start.run, file: start.file, process: start.process)
    if try await workspace.store.read({ try $0.run(start.run) }) != nil { return outcome }
    let arguments: JSONObject = ["process": .string(start.process), "fields": .object(start.fields), "trigger": .string(start.trigger)]
    let made = try await workspace.submit(.startRun, arguments, run: start.run)
    switch made.verdict {
    case .permit: return RunIntake.Outcome(line: start.number, status: .started, run: start.run, file: start.file, process: start.process)
    // Another delivery was quicker.
    case .forbid where made.refusal?.code == RunRefusal.Code.runExists.rawValue: return outcome
    case .hold: (outcome.code, outcome.message) = ("held", "it waits for approval as \(made.proposal)")
    case .forbid: (outcome.code, outcome.message) = (made.refusal?.code ?? "forbidden", made.refusal?.message ?? "no rule permits it")
    }
    return RunIntake.Outcome(
      line: start.number, status: made.verdict == .hold ? .held : .failed, code: outcome.code, message: outcome.message, file: start.file,
      process: start.process)
  }
}
