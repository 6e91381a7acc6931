internal import Audit
internal import Core
internal import Governance
internal import PolicyEngine
internal import ProcessModel

/// Starts a run for each row of a CSV file.
///
/// A row's run has an id that follows from the batch and the row's values, so a file that is started again, after a crash or with its bad
/// rows mended, starts only what is not there yet.
struct RunIntake {
  /// What became of one row.
  struct Outcome: Sendable {
    /// The line of the file, or which of its events.
    let line: Int
    let status: Status
    var run: String?
    /// Why the row failed, or what waits for people.
    var code: String?
    var message: String?
    /// The file, where there are several.
    var file: String?
    /// The process, where there are several.
    var process: String?
  }

  /// Where a row stands.
  enum Status: String, Sendable, CaseIterable {
    case started, held, present, failed
  }

  let workspace: Workspace
  let process: ProcessDefinition
  let trigger: String?
  let reason: String?
  /// What the rows belong to: equal rows of two batches are two runs.
  let batch: String

  /// How many rows are under way at a time: their entries share a sync.
  private static let width = 64

  /// Starts what is not there yet.
  ///
  /// - Returns: What became of each row, in the order of the file.
  /// - Throws: ``CommandError`` for a header that names no fields; what the store throws.
  /// - Complexity: O(rows).
  func start(_ bytes: [UInt8]) async throws -> [Outcome] {
    var reader = CSVReader(bytes)
    guard case .success(let header)? = reader.next(), !header.cells.isEmpty else {
      throw CommandError.usage("the file has no header", hint: "its first line names the fields: \(names)")
    }
    try check(header.cells)
    var outcomes: [Outcome] = []
    var seen: [Digest: Int] = [:]
    var rows: [(line: Int, fields: JSONObject, run: String)] = []
    func flush() async throws {
      outcomes += try await submit(rows)
      rows = []
    }
    while let next = reader.next() {
      switch next {
      case .failure(let failure): outcomes.append(Outcome(line: failure.line, status: .failed, code: "csv", message: failure.description))
      case .success(let row) where row.cells.isEmpty: continue
      case .success(let row):
        do {
          let fields = try values(of: row, header.cells)
          let key = SHA256.hash(Array("\(process.id)\n\(batch)\n".utf8) + (try JSON.object(fields).canonicalBytes()))
          let copy = seen[key, default: 0]
          seen[key] = copy + 1
          rows.append((row.line, fields, "r-" + String(SHA256.hash("\(key.hex) \(copy)").hex.prefix(24))))
        } catch let error as CommandError {
          outcomes.append(Outcome(line: row.line, status: .failed, code: error.code, message: error.message))
        }
      }
      if rows.count == Self.width { try await flush() }
    }
    try await flush()
    return outcomes.sorted { $0.line < $1.line }
  }

  private var names: String { process.fields.map(\.name).joined(separator: ", ") }

  private func check(_ header: [String]) throws {
    for (place, name) in header.enumerated() {
      if process.field(name) == nil {
        let nearest = nearestName(to: name, in: process.fields.map(\.name)).map { "did you mean `\($0)`?" }
        throw CommandError.usage(
          "column \(place + 1): the process `\(process.id)` has no field `\(visible(name))`", hint: nearest ?? "its fields: \(names)")
      }
      if header[..<place].contains(name) { throw CommandError.usage("column \(place + 1): `\(name)` is named twice") }
    }
  }

  private func values(of row: CSVReader.Row, _ header: [String]) throws -> JSONObject {
    if row.cells.count != header.count {
      throw CommandError.usage("the row has \(counted(row.cells.count, "cell")), the header \(header.count)")
    }
    // A cell without anything is a field that is left out.
    let pairs = zip(header, row.cells).filter { !$1.isEmpty }.map { (name: $0, value: $1) }
    return try FieldInput.values(pairs, process: process)
  }

  private func submit(_ rows: [(line: Int, fields: JSONObject, run: String)]) async throws -> [Outcome] {
    try await withThrowingTaskGroup(of: Outcome.self) { group in
      for row in rows { group.addTask { try await submit(row.fields, as: row.run, line: row.line) } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
  }

  private func submit(_ fields: JSONObject, as run: String, line: Int) async throws -> Outcome {
    if try await workspace.store.read({ try $0.run(run) }) != nil { return Outcome(line: line, status: .present, run: run) }
    var arguments: JSONObject = ["process": .string(process.id), "fields": .object(fields)]
    arguments["trigger"] = trigger.map { .string($0) }
    let outcome = try await workspace.submit(.startRun, arguments, run: run, reason: reason)
    switch outcome.verdict {
    case .permit: return Outcome(line: line, status: .started, run: run)
    case .hold: return Outcome(line: line, status: .held, code: "held", message: "it waits for approval as \(outcome.proposal)")
    case .forbid:
      return Outcome(
        line: line, status: .failed, code: outcome.refusal?.code ?? "forbidden", message: outcome.refusal?.message ?? "no rule permits it")
    }
  }
}

extension RunIntake {
  /// What became of all rows or events, for the command line: failures one by one, the rest counted.
  static func result(_ outcomes: [Outcome], file: String, of noun: String = "row") -> CommandResult {
    let counts = Status.allCases.map { status in (status, outcomes.count { $0.status == status }) }
    let failed = outcomes.count { $0.status == .failed }
    var json: JSONObject = [
      "\(noun)s": .array(
        outcomes.map { outcome in
          var member: JSONObject = ["status": .string(outcome.status.rawValue)]
          member[noun == "row" ? "line" : "number"] = .int(outcome.line)
          member["file"] = outcome.file.map { .string($0) }
          member["process"] = outcome.process.map { .string($0) }
          member["id"] = outcome.run.map { .string($0) }
          if let code = outcome.code { member["error"] = ["code": .string(code), "message": .string(outcome.message ?? "")] }
          return .object(member)
        })
    ]
    for (status, count) in counts { json[status.rawValue] = .int(count) }
    let words = counts.filter { $0.1 > 0 }.map { "\($0.1) \($0.0 == .present ? "already there" : $0.0.rawValue)" }
    let all = "\(counted(outcomes.count, noun)): \(words.joined(separator: ", "))"
    let summary = Shown(words.isEmpty ? "nothing was given" : all)
    return CommandResult(
      exit: failed > 0 ? .failed : .done, json: .object(json),
      notes: [summary],
      lines: { width in
        outcomes.filter { $0.message != nil }.flatMap { outcome -> [Shown] in
          let tone: Shown.Tone = outcome.status == .failed ? .bad : .caution
          let place = "\(outcome.file ?? file):\(outcome.line)"
          let line: Shown = "\(Shown(outcome.status.rawValue, tone))  \(place): \(Shown.sentence(outcome.message ?? ""))"
          return line.wrapped(to: width)
        }
      })
  }
}
