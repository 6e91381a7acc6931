internal import Audit
internal import Core
internal import Glibc
internal import Governance

/// `remit store …`: copies of the store's file.
enum StoreCommands {
  static let all = [backup, restore]

  // MARK: Backup

  static let backup = Command(
    path: ["store", "backup"], summary: "copy the store into one file while work goes on, and verify the copy",
    details: """
      The copy has the log, all content and evidence, of one moment. It is verified as `remit audit verify` does, also against the checkpoint
      that is kept beside the store, and has its name only once it is whole. Keep it where those who can write to the store cannot, with the
      checkpoint that this prints. The log has who made it and where, where this account may write to it (`store.copied@1`).
      """,
    examples: [.init("remit store backup /mnt/backup/remit-2026-11-24.sqlite", "a verified copy in a new file")],
    arguments: [.init(name: "PATH", help: "the new file; it must not be there")],
    place: { _ in .local },
    run: { context in
      let target = context.arguments.argument("PATH") ?? ""
      let path = try Workspace.storePath(in: context.workspacePath)
      // First, so that the copy has the record of itself, and loses nothing if it is restored at once.
      let unrecorded = await record(copyTo: target, ofStore: path)
      let report = try await Progress.during("copying and verifying", on: context.console) {
        try await AuditStore<GovernanceLedger>.backUp(path, to: target, projections: GovernanceProjections.all)
      }
      guard report.ok else { return StoreCommands.refusal("there is no copy: the store is not whole", report) }
      return CommandResult(
        json: [
          "file": .string(target), "entries": .int(report.entries), "evidence": .int(report.evidence),
          "recorded": .bool(unrecorded == nil), "root": .string(report.root.hex),
        ],
        notes: unrecorded.map { ["the log does not know of the copy: \($0)"] } ?? [],
        lines: { _ in
          [
            "\("written", .good)  \(target): whole, \(counted(report.entries, "entry", "entries")), \(counted(report.evidence, "piece")) of evidence",
            "root     \(report.root.hex)",
          ]
        })
    })

  /// Has the log say that a copy is made.
  ///
  /// - Returns: Why it does not; nil where it does. Who may read the file and not write to it could copy it in any case.
  private static func record(copyTo target: String, ofStore path: String) async -> String? {
    do {
      var options = StoreOptions()
      options.create = false
      let store = try await AuditStore<GovernanceLedger>.open(path, projections: GovernanceProjections.all, options: options)
      let recorded: Result<Void, any Error>
      do {
        recorded = .success(try await PermissionGate(store: store).recordCopy(to: target, account: Account.current, uid: geteuid()))
      } catch {
        recorded = .failure(error)
      }
      await store.close()
      try recorded.get()
      return nil
    } catch {
      return CommandError(describing: error).message
    }
  }

  // MARK: Restore

  static let restore = Command(
    path: ["store", "restore"], summary: "put a copy in the store's place, once the copy is verified",
    details: """
      Nobody else may have the store open: end `remit serve` first. What was there is kept beside it, as `store.sqlite.replaced-…`. A copy that
      lacks entries of the log, or of the checkpoint that is kept beside it, is refused unless --discard says how many; then everything is
      stopped, because the log does not know any more what was done, until somebody has looked and gives `remit resume --all`. A copy that
      contradicts that checkpoint is refused in any case. The log records who restored it.
      """,
    examples: [
      .init("remit store restore /mnt/backup/remit.sqlite", "where nothing is lost by it"),
      .init("remit store restore older.sqlite --discard 12", "where the 12 last entries are"),
    ],
    arguments: [.init(name: "PATH", help: "the copy")],
    options: [.value("discard", "COUNT", "how many entries of the log are lost by it")],
    place: { _ in .local },
    run: { context in
      let copy = context.arguments.argument("PATH") ?? ""
      let discarding = context.arguments.option("discard").map { Int($0) ?? -1 } ?? 0
      guard discarding >= 0 else { throw CommandError.usage("--discard takes how many entries are lost") }
      let path = try Workspace.storePath(in: context.workspacePath, mayBeAbsent: true)
      let (report, restored) = try await Progress.during("verifying and restoring", on: context.console) {
        try await AuditStore<GovernanceLedger>.restore(
          copy, over: path, discarding: discarding, projections: GovernanceProjections.all, now: TimeSource.system.now())
      }
      guard let restored else { return StoreCommands.refusal("nothing was restored: the copy is not whole", report) }
      let store = try await AuditStore<GovernanceLedger>.open(path, projections: GovernanceProjections.all)
      try await PermissionGate(store: store).recordRestored(restored, account: Account.current, uid: geteuid())
      await store.close()
      return StoreCommands.result(restored)
    })

  private static func result(_ restored: RestoredStore) -> CommandResult {
    let json: JSONObject = [
      "entries": .int(restored.head.size), "root": .string(restored.head.root.hex), "discarded": .int(restored.discarded),
      "replaced": restored.replaced.map { .string($0) } ?? .null,
    ]
    var notes: [Shown] = []
    if restored.discarded > 0 {
      notes = ["everything is stopped: see what was done meanwhile, then `remit resume --all`"]
    }
    return CommandResult(json: .object(json), notes: notes) { _ in
      var lines: [Shown] = ["\("restored", .good)  \(counted(restored.head.size, "entry", "entries"))"]
      if restored.discarded > 0 { lines.append("\("lost", .bad)      \(counted(restored.discarded, "entry", "entries"))") }
      if let replaced = restored.replaced { lines.append("what was there is kept as \(replaced)") }
      return lines
    }
  }

  private static func refusal(_ words: String, _ report: VerificationReport) -> CommandResult {
    let problems = report.problems.prefix(3).map(\.description)
    return CommandResult(
      exit: .failed,
      json: [
        "ok": false, "message": .string(words), "first_bad": report.firstBad.map { .int($0) } ?? .null,
        "problems": .array(problems.map { .string($0) }),
      ],
      lines: { width in
        [words, "`remit audit verify` names all that does not fit"].map { "\($0, .bad)" }
          + problems.flatMap { Shown.message($0).flatMap { $0.wrapped(to: width - 2) }.map { "  \($0)" } }
      })
  }
}
