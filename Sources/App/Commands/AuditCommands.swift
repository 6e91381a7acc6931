internal import Audit
internal import Core
internal import Governance
internal import Storage

/// `remit audit …`: the log itself.
enum AuditCommands {
  static let all = [verify, checkpoint, export]

  // MARK: Verify

  static let verify = Command(
    path: ["audit", "verify"], summary: "derive the whole log again and name the first entry that does not fit",
    details: """
      Hashes every entry, every piece of content and evidence; derives the Merkle root, every run's state and every projection; and compares
      them with what is stored. Exits with 1 where anything differs. Needs nothing but the file.
      """,
    examples: [
      .init("remit audit verify", "everything"),
      .init("remit audit verify --checkpoint kept.txt", "and that the log continues a checkpoint that you kept"),
      .init("remit audit verify --hashes", "only the hashes, without states and projections"),
    ],
    options: [
      .value("checkpoint", "FILE", "a checkpoint that was kept; `-` is standard input"),
      .flag("hashes", "do not derive states and projections"),
    ],
    place: { _ in .local },
    run: { context in
      var options = context.arguments.flag("hashes") ? VerificationOptions.hashes : VerificationOptions()
      if let path = context.arguments.option("checkpoint") {
        let bytes = try await context.front.read(path, maximumBytes: 65_536)
        options.checkpoint = try Checkpoint(parsing: String(decoding: bytes, as: UTF8.self))
      }
      do {
        let store = try await openStore(context)
        let report = try await Progress.during("verifying", on: context.console) { try await store.verify(options) }
        await store.close()
        return result(report)
      } catch let error as StorageError where error.code == .corrupt || error.code == .notAStore {
        let problem: JSON = ["kind": "file", "message": .string(error.message)]
        return CommandResult(
          exit: .failed, json: ["ok": false, "entries": 0, "root": .null, "first_bad": .null, "problems": [problem]],
          lines: { width in Shown.message("not a whole store: \(error.description)", .bad).flatMap { $0.wrapped(to: width) } })
      }
    })

  private static func openStore(_ context: CommandContext) async throws -> AuditStore<GovernanceLedger> {
    let path = try Workspace.storePath(in: context.workspacePath)
    var options = StoreOptions()
    options.create = false
    options.readOnly = true
    return try await AuditStore<GovernanceLedger>.open(path, projections: GovernanceProjections.all, options: options)
  }

  private static func result(_ report: VerificationReport) -> CommandResult {
    var json: JSONObject = [
      "ok": .bool(report.ok), "entries": .int(report.entries), "root": .string(report.root.hex),
      "first_bad": report.firstBad.map { .int($0) } ?? .null,
      "evidence": .int(report.evidence), "redacted": .int(report.redacted), "problems_total": .int(report.problemCount),
    ]
    json["problems"] = .array(
      report.problems.map { problem in
        var member: JSONObject = ["kind": .string(problem.kind.rawValue), "message": .string(problem.message)]
        member["entry"] = problem.entry.map { .int($0) }
        member["expected"] = problem.expected.map { .string($0) }
        member["found"] = problem.found.map { .string($0) }
        return .object(member)
      })
    return CommandResult(
      exit: report.ok ? .done : .failed, json: .object(json),
      lines: { width in
        var lines: [Shown] = []
        if report.ok {
          lines.append(
            "\("whole", .good)  \(counted(report.entries, "entry", "entries")), \(counted(report.evidence, "piece")) of evidence")
        } else {
          let first = report.firstBad.map { ", the first at entry \($0)" } ?? ""
          lines.append("\("not whole", .bad)  \(counted(report.problemCount, "problem"))\(first)")
          for problem in report.problems {
            lines += Shown.message(problem.description).flatMap { $0.wrapped(to: width - 2) }.map { "  \($0)" }
          }
          if report.problemCount > report.problems.count { lines.append("  and \(report.problemCount - report.problems.count) more") }
        }
        if report.redacted > 0 { lines.append("       \(counted(report.redacted, "content part")) redacted, as the log records") }
        lines.append("root   \(report.root.hex)")
        return lines
      })
  }

  // MARK: Checkpoint

  static let checkpoint = Command(
    path: ["audit", "checkpoint"], summary: "print the log's size and root, for others to keep",
    details: """
      Whoever keeps a checkpoint can tell later whether the log still begins with exactly these entries: `remit audit verify --checkpoint FILE`.
      The three lines are a C2SP tlog-checkpoint without its signature.
      """,
    examples: [
      .init("remit audit checkpoint", "three lines: the log's name, its size, its root"),
      .init("remit audit checkpoint --origin example.com/remit", "under another name"),
    ],
    options: [.value("origin", "NAME", "the name of the log; otherwise its id")],
    place: { _ in .local },
    run: { context in
      let store = try await openStore(context)
      let log = try await store.read { try $0.shared().log } ?? "remit"
      let checkpoint = try await store.checkpoint(origin: context.arguments.option("origin") ?? log)
      await store.close()
      return CommandResult(
        json: [
          "origin": .string(checkpoint.origin), "size": .int(checkpoint.size), "root": .string(checkpoint.root.hex),
          "text": .string(checkpoint.text),
        ],
        lines: { _ in Shown.message(String(checkpoint.text.dropLast())) })
    })

  // MARK: Export

  static let export = Command(
    path: ["audit", "export"], summary: "write entries with content, salts and proofs, one JSON object a line",
    details: """
      The first line names the log, its size and its root. Every other line is an entry: its envelope as the exact canonical text that its leaf
      covers, the leaf, and each content part with its salt. With --run only that run's entries are written, each with its proof of inclusion, so
      that they can be checked against a checkpoint without the store. --without-content leaves the confidential parts out.
      """,
    examples: [
      .init("remit audit export --output log.jsonl", "the whole log"),
      .init("remit audit export --run r-7k2m --output run.jsonl", "one run, with proofs"),
      .init("remit audit export --without-content", "envelopes only, to standard output"),
    ],
    options: [
      .value("run", "RUN", "only this run"), .value("output", short: "o", "FILE", "where to; `-`, or nothing, is standard output"),
      .flag("without-content", "leave arguments, values, reasons and texts out"),
    ],
    // Who may read the file needs to trust nobody.
    place: { context in
      context.front.isLocal && FileTree.isReadable("\(context.workspacePath)/\(Workspace.stateFolder)/store.sqlite") ? .local : .store
    },
    run: { context in
      let hasContent = !context.arguments.flag("without-content")
      let path = context.arguments.option("output")
      return try await context.withWorkspace(.read) { workspace in
        var run: String?
        if let text = context.arguments.option("run") { run = try await workspace.runID(text) }
        let (lines, head) = try await workspace.store.read { [run] context in
          try ExportLines(context, run: run, hasContent: hasContent).all()
        }
        if let path, path != "-" {
          let file = OutputFile(path: path, bytes: lines.flatMap { $0 }, mode: 0o600)
          try await context.front.write(file, in: context.workspacePath)
          return CommandResult(
            json: ["file": .string(path), "entries": .int(lines.count - 1), "size": .int(head.size), "root": .string(head.root.hex)],
            lines: { _ in ["\("written", .good)  \(counted(lines.count - 1, "entry", "entries")) to \(path)"] })
        }
        for line in lines { context.console.write(data: line) }
        return CommandResult(json: nil)
      }
    })
}

/// The lines of an export.
private struct ExportLines {
  let context: ReadContext<GovernanceLedger>
  let run: String?
  let hasContent: Bool

  init(_ context: ReadContext<GovernanceLedger>, run: String?, hasContent: Bool) {
    self.context = context
    self.run = run
    self.hasContent = hasContent
  }

  func all() throws -> (lines: [[UInt8]], head: LogHead) {
    let head = context.head
    let leaves = run == nil ? [] : try context.leaves(in: 0..<head.size)
    var first: JSONObject = [
      "log": try context.shared().log.map { .string($0) } ?? .null, "size": .int(head.size), "root": .string(head.root.hex),
    ]
    first["run"] = run.map { .string($0) }
    var lines = [line(.object(first))]
    try context.forEachEntry(in: 0..<head.size, of: run) { entry in lines.append(line(try json(entry, leaves))) }
    return (lines, head)
  }

  private func json(_ entry: Entry, _ leaves: [Digest]) throws -> JSON {
    guard let envelope = try context.envelope(at: entry.index) else { throw AuditError(.notFound, "entry \(entry.index) is not there") }
    var object: JSONObject = [
      "index": .int(entry.index), "envelope": .string(String(decoding: envelope, as: UTF8.self)), "leaf": .string(entry.leaf.hex),
    ]
    if hasContent, !entry.content.isEmpty {
      object["content"] = .array(
        try entry.content.map { part in
          var member: JSONObject = ["part": .string(part.part)]
          member["salt"] = try context.salt(of: part.part, entry: entry.index).map { .string(Self.hex($0)) }
          if let bytes = part.bytes {
            if let text = String(validating: bytes, as: UTF8.self) {
              member["text"] = .string(text)
            } else {
              member["hex"] = .string(Self.hex(bytes))
            }
          } else {
            member["redacted"] = true
          }
          return .object(member)
        })
    }
    if !leaves.isEmpty, let proof = MerkleTree.inclusionProof(of: entry.index, in: leaves) {
      object["proof"] = .array(proof.map { .string($0.hex) })
    }
    return .object(object)
  }

  private func line(_ json: JSON) -> [UInt8] { Array(json.text().utf8) + [0x0A] }

  private static func hex(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}
