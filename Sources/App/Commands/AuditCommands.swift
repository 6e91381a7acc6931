internal import Audit
internal import Core
internal import Governance
internal import ProcessModel
internal import Storage

/// `remit audit …`: the log itself.
enum AuditCommands {
  static let all = [verify, checkpoint, prove, export, RedactionCommand.redact]

  // MARK: Verify

  static let verify = Command(
    path: ["audit", "verify"], summary: "derive the whole log again and name the first entry that does not fit",
    details: """
      Hashes every entry, every piece of content and evidence; derives the Merkle root, every run's state and every projection; and compares
      them with what is stored. Exits with 1 where anything differs. Needs nothing but the file. A checkpoint given with --checkpoint that the log
      continues is kept beside the store from then on; without one, the one that is kept there is checked.
      """,
    examples: [
      .init("remit audit verify", "everything"),
      .init("remit audit verify --checkpoint kept.txt", "and that the log continues a checkpoint that you kept"),
      .init("remit audit verify --checkpoint kept.txt --signers keys", "and who signed it"),
      .init("remit audit verify --hashes", "only the hashes, without states and projections"),
      .init("remit audit verify --bundle run.bundle", "a bundle that somebody exported, without the store"),
    ],
    options: [
      .value("bundle", "FILE", "check this bundle, and no store"),
      .value("checkpoint", "FILE", "a checkpoint that was kept; `-` is standard input"),
      .flag("hashes", "do not derive states and projections"),
      .value("signers", "FILE", "whose signatures of the checkpoint count: `name+id+key` a line"),
    ],
    place: { _ in .local },
    run: { context in
      var options = context.arguments.flag("hashes") ? VerificationOptions.hashes : VerificationOptions()
      let given = try await GivenCheckpoint(context)
      options.checkpoint = given?.checkpoint
      if let path = context.arguments.option("bundle") { return try await AuditCommands.verify(bundle: path, given?.checkpoint, context) }
      do {
        let store = try await openStore(context)
        if options.checkpoint == nil { options.checkpoint = try KeptCheckpoint.read(besideStore: store.path) }
        let report = try await Progress.during("verifying", on: context.console) { [options] in try await store.verify(options) }
        // What others kept is known from now on, where this account may write beside the store.
        if report.ok, let given { try? await store.keep(given.note) }
        // A log that cannot be folded says so in the report.
        let redactions = report.redacted == 0 ? [] : (try? await store.read { try $0.shared().redactions }) ?? []
        await store.close()
        return result(report, given, kept: options.checkpoint, redactions)
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

  private static func result(
    _ report: VerificationReport, _ given: GivenCheckpoint?, kept: Checkpoint?, _ redactions: [RedactionRecord]
  ) -> CommandResult {
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
    if !redactions.isEmpty { json["redactions"] = RedactionCommand.json(redactions) }
    json["checkpoint"] = (given?.checkpoint ?? kept).map { GivenCheckpoint.json($0, given) }
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
        lines += RedactionCommand.lines(redactions).flatMap { $0.wrapped(to: width) }
        if report.redacted > 0 { lines.append("       \(counted(report.redacted, "content part")) redacted, as the log records") }
        lines.append("root   \(report.root.hex)")
        if report.ok, let checkpoint = given?.checkpoint ?? kept { lines += GivenCheckpoint.lines(checkpoint, given) }
        return lines
      })
  }

  private static func verify(bundle path: String, _ kept: Checkpoint?, _ context: CommandContext) async throws -> CommandResult {
    let bytes = try await context.front.read(path, maximumBytes: RunBundle.maximumBytes)
    let report: BundleChecker.Report
    do {
      report = try await BundleChecker.check(bytes, against: kept)
    } catch let problem as BundleProblem {
      return CommandResult(
        exit: .failed, json: ["ok": false, "problem": .string(problem.description)],
        lines: { width in
          ["\("does not hold", .bad)"] + Shown.message(problem.description).flatMap { $0.wrapped(to: width - 2) }.map { "  \($0)" }
        })
    }
    return CommandResult(
      json: [
        "ok": true, "run": .string(report.run.state.id), "entries": .int(report.entries), "evidence": .int(report.evidence),
        "signatures": .int(report.signatures), "withheld": .int(report.withheld), "size": .int(report.checkpoint.size),
        "root": .string(report.checkpoint.root.hex), "signed_by": .array(report.signedBy.map { .string($0) }),
        "redactions": RedactionCommand.json(report.redactions),
      ],
      lines: { width in
        let signed = report.signedBy.isEmpty ? "not signed" : "signed by \(report.signedBy.joined(separator: ", "))"
        return [
          "\("holds", .good)  run \(report.run.state.id): \(counted(report.entries, "entry", "entries")), \(counted(report.evidence, "piece")) of evidence, \(counted(report.signatures, "signed approval"))",
          "checkpoint of \(counted(report.checkpoint.size, "entry", "entries")), \(signed)", "root   \(report.checkpoint.root.hex)",
        ] + RedactionCommand.lines(report.redactions).flatMap { $0.wrapped(to: width) }
      })
  }

  // MARK: Checkpoint

  private static let signing: [Command.Option] = [
    .value("origin", "NAME", "the name of the log; otherwise its id"),
    .value("key", "FILE", "sign with this Ed25519 key, in PEM (`openssl genpkey -algorithm ed25519`)"),
  ]

  /// The checkpoint of a store, signed where the command line names a key.
  private static func note(
    _ head: LogHead, log: String?, _ context: CommandContext
  ) async throws -> (checkpoint: Checkpoint, note: String, key: NoteKey?) {
    let origin = context.arguments.option("origin") ?? log ?? "remit"
    guard Checkpoint.isOrigin(origin) else {
      throw CommandError.usage("`\(visible(origin))` cannot name a log", hint: "use letters, digits, dots and slashes")
    }
    let checkpoint = Checkpoint(origin: origin, size: head.size, root: head.root)
    guard let path = context.arguments.option("key") else { return (checkpoint, checkpoint.text, nil) }
    guard context.front.isLocal else {
      throw CommandError.usage("the service opens no key of yours", hint: "sign where the store's file can be read")
    }
    let (note, key) = try await OpenSSL.sign(checkpoint.text, as: origin, key: path)
    return (checkpoint, note.description, key)
  }

  static let checkpoint = Command(
    path: ["audit", "checkpoint"], summary: "print the log's size and root, for others to keep",
    details: """
      Whoever keeps a checkpoint can tell later whether the log still begins with exactly these entries: `remit audit verify --checkpoint FILE`.
      The lines are a C2SP tlog-checkpoint; with --key they are signed (C2SP signed-note). The latest one is also kept beside the store, which
      takes no more entries where it contradicts that one.
      """,
    examples: [
      .init("remit audit checkpoint", "three lines: the log's name, its size, its root"),
      .init("remit audit checkpoint --origin example.com --key log.pem --output kept.txt", "signed, under another name, into a file"),
    ],
    options: signing + [.value("output", short: "o", "FILE", "where to; nothing is standard output")],
    place: { _ in .local },
    run: { context in
      let store = try await openStore(context)
      let (head, log) = try await store.read { ($0.head, try $0.shared().log) }
      let (checkpoint, note, key) = try await note(head, log: log, context)
      try await store.check(checkpoint)
      var notes: [Shown] = key.map { ["the key: \($0.description)"] } ?? []
      do {
        try await store.keep(note)
      } catch let error as FileError {
        notes.append("it is not kept beside the store: \(error.description)")
      }
      await store.close()
      let path = context.arguments.option("output")
      if let path { try await context.front.write(OutputFile(path: path, bytes: Array(note.utf8)), in: context.workspacePath) }
      var json: JSONObject = [
        "origin": .string(checkpoint.origin), "size": .int(checkpoint.size), "root": .string(checkpoint.root.hex), "text": .string(note),
      ]
      json["key"] = key.map { .string($0.description) }
      return CommandResult(
        json: .object(json), notes: notes,
        lines: { _ in path.map { ["\("written", .good)  \($0)"] } ?? Shown.message(String(note.dropLast())) })
    })

  // MARK: Prove

  static let prove = Command(
    path: ["audit", "prove"], summary: "prove that the log has an entry",
    details: """
      A C2SP tlog-proof: the entry's index, the hashes from its leaf up to the root (RFC 6962), and the checkpoint with that root. The leaf is
      SHA-256(0x00 ‖ envelope).
      """,
    examples: [.init("remit audit prove 41 --key log.pem --output 41.tlog-proof", "of entry 41, with a signed checkpoint")],
    arguments: [.init(name: "ENTRY", help: "the entry's index")],
    options: signing + [.value("output", short: "o", "FILE", "where to; nothing is standard output")],
    place: { _ in .local },
    run: { context in
      let word = context.arguments.argument("ENTRY") ?? ""
      guard let index = Int(word), index >= 0 else { throw CommandError.usage("`\(visible(word))` is not the index of an entry") }
      let store = try await openStore(context)
      let (head, log, proof) = try await store.read { ($0.head, try $0.shared().log, try $0.inclusionProof(of: index)) }
      await store.close()
      guard let proof else {
        throw CommandError(.notFound, "entry-unknown", "there is no entry \(index)", hint: "the log has \(head.size)")
      }
      let (_, note, _) = try await note(head, log: log, context)
      let text = "c2sp.org/tlog-proof@v1\nindex \(index)\n" + proof.map { Base64.encode($0.bytes) + "\n" }.joined() + "\n" + note
      if let path = context.arguments.option("output") {
        try await context.front.write(OutputFile(path: path, bytes: Array(text.utf8)), in: context.workspacePath)
        return CommandResult(json: ["file": .string(path), "index": .int(index)], lines: { _ in ["\("written", .good)  \(path)"] })
      }
      return CommandResult(
        json: ["index": .int(index), "proof": .array(proof.map { .string($0.hex) }), "text": .string(text)],
        lines: { _ in Shown.message(String(text.dropLast())) })
    })

  // MARK: Export

  static let export = Command(
    path: ["audit", "export"], summary: "write one run as a bundle that anybody can check, or entries one JSON object a line",
    details: """
      With RUN, a bundle: the run's entries with their content, the shared entries that its decisions rest on, proofs, a checkpoint, the files of
      its releases, evidence and signed approvals, in one file. `remit audit verify --bundle FILE` checks it, and so does
      `Tests/Verifier/remit_verify.py`, which needs nothing of ours. Without it, lines:

      The first line names the log, its size and its root. Every other line is an entry: its envelope as the exact canonical text that its leaf
      covers, the leaf, and each content part with its salt. With --run only that run's entries are written, each with its proof of inclusion, so
      that they can be checked against a checkpoint without the store. --without-content leaves the confidential parts out.
      """,
    examples: [
      .init("remit audit export r-7k2m --key log.pem --output run.bundle", "one run as a bundle, with a signed checkpoint"),
      .init("remit audit export --output log.jsonl", "the whole log"),
      .init("remit audit export --run r-7k2m --output run.jsonl", "one run, with proofs"),
      .init("remit audit export --without-content", "envelopes only, to standard output"),
    ],
    arguments: [.init(name: "RUN", help: "the run of a bundle", isRequired: false)],
    options: signing + [
      .value("run", "RUN", "only this run"), .value("output", short: "o", "FILE", "where to; `-`, or nothing, is standard output"),
      .flag("without-content", "leave arguments, values, reasons and texts out"),
    ],
    // Who may read the file needs to trust nobody.
    place: { context in
      context.front.isLocal && FileTree.isReadable("\(context.workspacePath)/\(Workspace.stateFolder)/store.sqlite") ? .local : .store
    },
    run: { context in
      if let run = context.arguments.argument("RUN") { return try await export(bundle: run, context) }
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

extension AuditCommands {
  /// Writes one run as a bundle.
  fileprivate static func export(bundle name: String, _ context: CommandContext) async throws -> CommandResult {
    if context.arguments.option("run") != nil || context.arguments.flag("without-content") {
      throw CommandError.usage("a bundle is of one run, with its content", hint: "leave --run and --without-content out")
    }
    return try await context.withWorkspace(.read) { workspace in
      let run = try await workspace.runID(name)
      let (head, log) = try await workspace.store.read { ($0.head, try $0.shared().log) }
      let (_, note, key) = try await note(head, log: log, context)
      let gate = workspace.gate
      let bundle = try await workspace.store.read { view in
        guard view.head == head else { throw CommandError(.conflict, "log-grew", "the log grew meanwhile", hint: "try again") }
        return try BundleWriter(
          context: view, run: run, checkpoint: note, key: key, release: { try gate.release($0, in: view) }
        ).bundle()
      }
      guard let path = context.arguments.option("output"), path != "-" else {
        context.console.write(data: bundle.bytes)
        return CommandResult(json: nil)
      }
      try await context.front.write(OutputFile(path: path, bytes: bundle.bytes, mode: 0o600), in: context.workspacePath)
      let entries = bundle.json["entries"]?.arrayValue?.count ?? 0
      return CommandResult(
        json: [
          "file": .string(path), "run": .string(run), "entries": .int(entries), "size": .int(head.size), "root": .string(head.root.hex),
        ],
        notes: key.map { ["the key: \($0.description)"] } ?? [],
        lines: { _ in ["\("written", .good)  \(counted(entries, "entry", "entries")) to \(path)"] })
    }
  }
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
    var first: JSONObject = [
      "log": try context.shared().log.map { .string($0) } ?? .null, "size": .int(head.size), "root": .string(head.root.hex),
    ]
    first["run"] = run.map { .string($0) }
    var lines = [line(.object(first))]
    try context.forEachEntry(in: 0..<head.size, of: run) { entry in lines.append(line(try json(entry))) }
    return (lines, head)
  }

  private func json(_ entry: Entry) throws -> JSON {
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
    if run != nil, let proof = try context.inclusionProof(of: entry.index) {
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
