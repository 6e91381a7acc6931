internal import Core
internal import Governance

/// `remit approval batch`: many decisions, each with a record of its own.
enum ApprovalBatchCommand {
  static let all = [batch]
  private static let maximumBytes = 4 << 20
  /// The most decisions of one file: each is a transaction of its own, and others wait meanwhile.
  private static let maximumDecisions = 1000

  static let batch = Command(
    path: ["approval", "batch"], summary: "decide on many held proposals, with one record each",
    details: """
      On a terminal the proposals that you may decide are shown in groups: the same tool for the same targets, held by the same rules. Each
      group is shown to its end, with all arguments of each, and has a code of its own; what you do not type a code for stays as it is.

      Without a terminal a file says what is decided, one JSON object a line: {"id": "p-3k9d…", "digest": "8c1f27a0b3d4…", "decision":
      "approve"} or "reject" with a "reason"; 1,000 lines at most. One that cannot be decided keeps no other from it; the exit code is 6 where there is one.
      """,
    examples: [
      .init("remit approval batch approve --tool bank.pay", "groups of payments, one code each"),
      .init("remit approval batch reject -m 'not this quarter'", "the same, saying no"),
      .init("remit approval batch --file decisions.jsonl --json", "a result for each"),
    ],
    arguments: [.init(name: "DECISION", help: "approve or reject", isRequired: false)],
    options: [
      .value("tool", "NAME", "only this tool"), .value("rule", "ID", "only what this rule holds"),
      .value("process", "NAME", "only runs of this process"),
      .value("limit", short: "n", "N", "how many at most, up to 1000; 100 where nothing is said"),
      .value("reason", short: "m", "TEXT", "why, for rejections"), .value("file", "FILE", "decisions as JSON lines; `-` is standard input"),
    ],
    run: { context in
      if let file = context.arguments.option("file") {
        if context.arguments.argument("DECISION") != nil { throw CommandError.usage("`--file` says what is decided: leave DECISION out") }
        return try await decide(context, try await decisions(in: file, context.front))
      }
      let verb = try context.arguments.required("DECISION")
      guard verb == "approve" || verb == "reject" else {
        throw CommandError.usage("`\(visible(verb))` is no decision", hint: "one of: approve, reject")
      }
      let reason = context.arguments.option("reason")
      if verb == "reject", reason?.isEmpty ?? true {
        throw CommandError.usage("`--reason TEXT` is missing", hint: "the proposers are told why")
      }
      if verb == "approve", reason != nil { throw CommandError.usage("`--reason` goes with `reject`") }
      return try await decide(context, try await agreed(context, verb: verb, reason: reason))
    })

  /// One decision that was agreed to.
  struct Item: Sendable {
    let id: String
    let digest: String
    /// The reason of a rejection; nil for an approval.
    let reason: String?
    var considered: Duration?
  }

  // MARK: Asking

  /// Shows each group and asks for its code.
  private static func agreed(_ context: CommandContext, verb: String, reason: String?) async throws -> [Item] {
    let limit = try context.arguments.integer("limit", in: 1...1000) ?? 100
    let (tool, rule, process) = (
      context.arguments.option("tool"), context.arguments.option("rule"), context.arguments.option("process")
    )
    let cards = try await context.withWorkspace(.read) { workspace in
      var cards: [ApprovalCard] = []
      for decision in try await workspace.inbox(limit: 10_000).decisions where decision.isMine && cards.count < limit {
        if let tool, !bytesEqual(tool, decision.record.tool) { continue }
        if let rule, !decision.record.rulesThatHold.contains(where: { bytesEqual($0, rule) }) { continue }
        if let process, !bytesEqual(process, decision.process ?? "") { continue }
        cards.append(try await workspace.card(decision.record.id))
      }
      return cards
    }
    let consent = Consent(console: context.console, verb: verb, digest: nil, front: context.front)
    var items: [Item] = []
    for group in BatchGroup.groups(of: cards) {
      let what = counted(group.cards.count, "proposal")
      guard
        let considered = try await consent.agreed(
          to: group.lines(width: context.console.terminal.width), code: group.code, what: what,
          without: .usage("without a terminal `--file` has to say what you decide", hint: "`remit inbox --json` has the digests"))
      else { continue }
      let each = considered / group.cards.count
      items += group.cards.map { Item(id: $0.proposal, digest: $0.digest, reason: reason, considered: each) }
    }
    return items
  }

  /// Reads decisions, and refuses the file where one line of it cannot be understood.
  private static func decisions(in file: String, _ front: any Front) async throws -> [Item] {
    let bytes = try await front.read(file, maximumBytes: maximumBytes)
    var items: [Item] = []
    var ids: Set<ExactString> = []
    for (place, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() where !line.isEmpty {
      func wrong(_ what: String) -> CommandError { .usage("`\(visible(file))`:\(place + 1): \(what)") }
      let json: JSON
      do { json = try JSON.parse(Array(line)) } catch { throw wrong("\(error)") }
      guard let id = json["id"]?.stringValue, let digest = json["digest"]?.stringValue, let decision = json["decision"]?.stringValue else {
        throw wrong("`id`, `digest` and `decision` are needed")
      }
      let reason = json["reason"]?.stringValue
      guard decision == "approve" && reason == nil || decision == "reject" && reason?.isEmpty == false else {
        throw wrong("`decision` is `approve`, or `reject` with a `reason`")
      }
      if !ids.insert(ExactString(id)).inserted { throw wrong("`\(visible(id))` is decided twice") }
      if items.count == maximumDecisions { throw wrong("one file holds at most \(maximumDecisions) decisions: split it") }
      items.append(Item(id: id, digest: digest, reason: reason))
    }
    return items
  }

  // MARK: Deciding

  private static func decide(_ context: CommandContext, _ items: [Item]) async throws -> CommandResult {
    if items.isEmpty { return CommandResult(json: ["items": []], notes: ["nothing was decided"], lines: { _ in [] }) }
    return try await context.withWorkspace(.write) { workspace in
      var results: [(item: Item, result: Result<CommandResult, any Error>)] = []
      for item in items {
        do {
          let id = try await workspace.proposalID(item.id)
          let card = try await workspace.card(id)
          let digest = try await Consent(console: context.console, verb: "decide", digest: item.digest).given(to: card).digest
          let outcome = try await workspace.gate.decide(
            id, item.reason.map { .reject(reason: $0) } ?? .approve, by: workspace.identity, digest: digest, considered: item.considered)
          results.append((item, .success(ApprovalCommands.result(outcome, now: workspace.now))))
        } catch {
          // What the store cannot write, it cannot write for the others either.
          guard error is Refusal || error is CommandError else { throw error }
          results.append((item, .failure(error)))
        }
      }
      return report(results)
    }
  }

  private static func report(_ results: [(item: Item, result: Result<CommandResult, any Error>)]) -> CommandResult {
    var lines: [Shown] = []
    var items: [JSON] = []
    var failed = 0
    for (item, result) in results {
      switch result {
      case .success(let done):
        items.append(done.json ?? .null)
        lines += done.lines(.max)
      case .failure(let error):
        failed += 1
        let (code, message) = Self.said(error)
        items.append(["proposal": .string(item.id), "status": "failed", "error": ["code": .string(code), "message": .string(message)]])
        lines.append("\("not decided", .bad)  \(item.id): \(Shown.sentence(message))")
      }
    }
    let shown = lines
    return CommandResult(
      exit: failed == 0 ? .done : .conflict,
      json: ["items": .array(items), "decided": .int(results.count - failed), "failed": .int(failed)],
      notes: ["\(results.count - failed) of \(counted(results.count, "decision")) recorded"],
      lines: { width in shown.flatMap { $0.wrapped(to: width) } })
  }

  private static func said(_ error: any Error) -> (code: String, message: String) {
    if let refusal = error as? Refusal { return (refusal.code, refusal.message) }
    let error = error as? CommandError
    return (error?.code ?? "failed", error?.message ?? "it could not be decided")
  }
}
