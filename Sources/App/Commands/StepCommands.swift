internal import Audit
internal import Core
internal import Glibc
internal import Governance
internal import PolicyEngine
internal import ProcessModel

/// `remit step …`: people's own work.
enum StepCommands {
  static let all = [complete]

  static let complete = Command(
    path: ["step", "complete"], summary: "complete a step that is yours, with its form and its evidence",
    details: """
      With --from each row of a CSV file completes a step: the columns `run` and `step`, `comment`, and the fields of the form. Each row is one
      item with a result of its own.
      """,
    examples: [
      .init("remit step complete r-7k2m collect -f contact=a@b.example -e contract=c.pdf", "with a field and a file"),
      .init("remit step complete r-7k2m review -f review_outcome=cleared -m 'all fine'", "with a comment"),
      .init("remit step complete --from reviews.csv", "many, a step a row"),
    ],
    arguments: [
      .init(name: "RUN", help: "the run's id, or the beginning of it", isRequired: false),
      .init(name: "STEP", help: "the step, as `remit run show` names it", isRequired: false),
    ],
    options: [
      .value("field", short: "f", "NAME=VALUE", repeats: true, "the value of a field"),
      .value("fields", "FILE", "a JSON5 object of fields; `-` is standard input"),
      .value("evidence", short: "e", "NAME=FILE", repeats: true, "a file to attach first; no link, no pipe"),
      .value("comment", short: "m", "TEXT", "a comment for those who read the run"),
      .value("from", "FILE", "a CSV file with a step in each row; `-` is standard input"),
    ],
    run: { context in
      if let file = context.arguments.option("from") { return try await completeEach(of: file, context) }
      let step = try context.arguments.required("STEP")
      let pairs = try context.arguments.pairs("field")
      let files = try context.arguments.pairs("evidence")
      return try await context.withWorkspace(.write) { workspace in
        let run = try await workspace.runID(try context.arguments.required("RUN"))
        let process = try await workspace.process(of: run)
        let fields = try await FieldInput.values(
          pairs, file: context.arguments.option("fields"), process: process, front: context.front)
        let now = workspace.now
        var attached: [JSON] = []
        for (name, path) in files {
          let outcome = try await workspace.attach(try await context.front.evidence(path), as: name, run: run, step: step)
          attached.append(.object(outcome.json))
          if outcome.verdict != .permit {
            return CommandResult(
              exit: outcome.exitCode, json: .object(outcome.json),
              lines: { width in outcome.lines(of: "evidence \(name)", now: now).flatMap { $0.wrapped(to: width) } })
          }
        }
        var arguments: JSONObject = [:]
        if !fields.isEmpty { arguments["fields"] = .object(fields) }
        arguments["comment"] = context.arguments.option("comment").map { .string($0) }
        let outcome = try await workspace.submit(.completeStep, arguments, run: run, step: step)
        var json = outcome.json
        if !attached.isEmpty { json["evidence"] = .array(attached) }
        return CommandResult(
          exit: outcome.exitCode, json: .object(json),
          lines: { width in outcome.lines(of: "step \(step) of \(run)", now: now).flatMap { $0.wrapped(to: width) } })
      }
    })

  private static func completeEach(of file: String, _ context: CommandContext) async throws -> CommandResult {
    if ["field", "fields", "evidence"].contains(where: { context.arguments.has($0) }) || context.arguments.argument("RUN") != nil {
      throw CommandError.usage("`--from` has the runs, steps and fields: leave the others out")
    }
    let comment = context.arguments.option("comment")
    let table = try StepTable(try await context.front.read(file, maximumBytes: 64 << 20), columns: nil)
    return try await context.withWorkspace(.write) { workspace in
      var bulk = BulkResult()
      for row in table.rows {
        let (name, step) = (row.value("run") ?? "", row.value("step") ?? "")
        let about: JSONObject = ["line": .int(row.line), "run": .string(name), "step": .string(step)]
        try await bulk.add("\(file):\(row.line): \(name) \(step)", about) {
          let run = try await workspace.runID(name)
          let pairs = row.cells.filter { !["run", "step", "comment"].contains($0.name) }
          let fields = try FieldInput.values(pairs, process: try await workspace.process(of: run))
          var arguments: JSONObject = fields.isEmpty ? [:] : ["fields": .object(fields)]
          arguments["comment"] = (row.value("comment") ?? comment).map { .string($0) }
          return try await workspace.submit(.completeStep, arguments, run: run, step: step)
        }
      }
      for failure in table.failures {
        bulk.fail("\(file):\(failure.line)", ["line": .int(failure.line)], CommandError.usage(failure.message))
      }
      return bulk.result
    }
  }
}

extension Workspace {
  /// The process that a run is pinned to.
  func process(of run: String) async throws -> ProcessDefinition {
    let gate = gate
    return try await store.read { context in
      guard let record = try context.run(run) else { throw CommandError(.notFound, "run-unknown", "there is no run `\(visible(run))`") }
      return try gate.release(record.state.release, in: context).process
    }
  }

  /// Stores evidence and proposes to attach it to a step.
  func attach(_ evidence: Evidence, as name: String, run: String, step: String, by other: Identity? = nil) async throws -> GateOutcome {
    let reference = evidence.reference
    return try await submit(
      .attachEvidence,
      [
        "name": .string(name), "sha256": .string(reference.digest.hex), "media": .string(reference.media), "size": .int(reference.size),
      ], run: run, step: step, evidence: [evidence], by: other)
  }
}

/// What kind of file something is, by its first bytes, else by its name.
enum MediaType {
  /// Looks at a file; `application/octet-stream` where it cannot be read or is of no known kind.
  static func of(_ path: String) -> String {
    guard let descriptor = try? RegularFile.open(path) else { return "application/octet-stream" }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    bytes.removeLast(bytes.count - max(0, read(descriptor, &bytes, bytes.count)))
    return of(path: path, bytes: bytes)
  }

  /// Looks at a name and the first bytes of a file.
  static func of(path: String, bytes: [UInt8]) -> String {
    let signatures: [([UInt8], String)] = [
      (Array("%PDF-".utf8), "application/pdf"), ([0x89, 0x50, 0x4E, 0x47], "image/png"), ([0xFF, 0xD8, 0xFF], "image/jpeg"),
      (Array("GIF8".utf8), "image/gif"), ([0x50, 0x4B, 0x03, 0x04], "application/zip"),
    ]
    if let match = signatures.first(where: { bytes.starts(with: $0.0) }) { return match.1 }
    // The first bytes may end inside a character.
    let isText = !bytes.contains(0) && (0...3).contains { String(validating: bytes.dropLast($0), as: UTF8.self) != nil }
    guard isText else { return "application/octet-stream" }
    switch path.split(separator: ".").last.map({ $0.lowercased() }) {
    case "json": return "application/json"
    case "json5": return "application/json5"
    case "csv": return "text/csv"
    case "md": return "text/markdown"
    case "html", "htm": return "text/html"
    case "svg": return "image/svg+xml"
    default: return "text/plain"
    }
  }
}
