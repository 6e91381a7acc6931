internal import Core
internal import Governance
internal import ProcessModel

/// `remit approval …` and the short forms `approve` and `reject`.
enum ApprovalCommands {
  static let all = [
    approve(path: ["approve"]), reject(path: ["reject"]), show, approve(path: ["approval", "approve"]),
    reject(path: ["approval", "reject"]), edit, settle, statement,
  ]
  /// Where nobody can be asked, and for those who decide on many.
  static let digestHelp = "the digest of exactly what you decide on, at least its first 12 digits; needed where nobody can be asked"

  static let proposal = Command.Positional(name: "ID", help: "the proposal's id, or the beginning of it")
  private static let digest = Command.Option.value("digest", "D", digestHelp)

  private static let place = Command.Option.value(
    "for", "PERSON", "in whose place you decide, where several people let you; both names are recorded")

  static let show = Command(
    path: ["approval", "show"], summary: "show everything about a proposal",
    examples: [
      .init("remit approval show p-3k9d", "the card"),
      .init("remit approval show p-3k9d --json", "the same, as JSON"),
    ],
    arguments: [proposal],
    run: { context in
      try await context.withWorkspace(.read) { workspace in
        let card = try await workspace.card(try await workspace.proposalID(try context.arguments.required("ID")))
        return CommandResult(json: card.json, lines: { width in card.lines(width: width) })
      }
    })

  private static func approve(path: [String]) -> Command {
    let name = path.joined(separator: " ")
    return Command(
      path: path, summary: path.count == 1 ? "approve a held proposal (short for approval approve)" : "approve a held proposal",
      details: """
        On a terminal the whole card is shown, to its end; then its short code is asked for. What was typed before the question is discarded.
        Without a terminal the digest says what is approved. A proposal that has changed since is not approved.

        With --sign the approval is signed with your SSH key, by `ssh-keygen`: a key in a file (--key FILE), or one that your agent or a
        hardware key holds (--key FILE.pub; without --key, any of yours in the directory). Rules can ask for it (`signed: true`), and
        anyone can check it later: `remit approval statement`.

        With --break-glass you pass it alone, where the rule that holds it has a way for emergencies: you say why, and somebody else has to
        look at it afterwards (`remit approval review`).
        """,
      examples: [
        .init("remit \(name) p-3k9d", "see everything, then type its code"),
        .init("remit \(name) p-3k9d --digest 8c1f27a0b3d4", "without a terminal"),
        .init("remit \(name) p-3k9d --sign --key ~/.ssh/id_ed25519", "with your signature"),
      ],
      arguments: [proposal],
      options: [
        digest, place, .flag("sign", "sign the approval with your SSH key"),
        .value("key", "FILE", "the private key, or the `.pub` file of one in an agent"),
        .flag("break-glass", "pass it alone, in an emergency"),
        .value("reason", short: "m", "TEXT", "why it is an emergency"),
      ],
      run: { context in
        if context.arguments.flag("break-glass") { return try await breakGlass(context) }
        if context.arguments.option("reason") != nil { throw CommandError.usage("`--reason` goes with `--break-glass`") }
        if context.arguments.option("key") != nil, !context.arguments.flag("sign") {
          throw CommandError.usage("`--key` goes with `--sign`")
        }
        return try await decide(context, verb: "approve") { _, _ in .approve }
      })
  }

  private static func breakGlass(_ context: CommandContext) async throws -> CommandResult {
    guard let reason = context.arguments.option("reason"), !reason.isEmpty else {
      throw CommandError.usage("`--reason TEXT` is missing", hint: "whoever looks at it afterwards is told why")
    }
    if context.arguments.flag("sign") { throw CommandError.usage("`--break-glass` and `--sign` do not go together") }
    return try await decide(context, verb: "pass it alone, in an emergency") { _, _ in .breakGlass(reason: reason) }
  }

  private static func reject(path: [String]) -> Command {
    let name = path.joined(separator: " ")
    return Command(
      path: path, summary: path.count == 1 ? "reject a held proposal (short for approval reject)" : "reject a held proposal",
      details: "The reason goes to whoever proposed it; an agent may propose something better.",
      examples: [
        .init("remit \(name) p-3k9d --reason 'the contract is not signed'", "see everything, then type its code"),
        .init("remit \(name) p-3k9d --digest 8c1f27a0b3d4 -m 'not signed'", "without a terminal"),
      ],
      arguments: [proposal],
      options: [digest, place, .value("reason", short: "m", "TEXT", "why; asked for on a terminal where it is missing")],
      run: { context in
        try await decide(context, verb: "reject") { console, _ in
          if let reason = context.arguments.option("reason"), !reason.isEmpty { return .reject(reason: reason) }
          if console.terminal.inputIsTerminal, context.arguments.option("digest") == nil, !console.wantsJSON,
            let reason = try await context.front.ask("Why? ", on: console), !reason.isEmpty
          {
            return .reject(reason: reason)
          }
          throw CommandError.usage("`--reason TEXT` is missing", hint: "the proposer is told why")
        }
      })
  }

  static let edit = Command(
    path: ["approval", "edit"], summary: "put other arguments in the place of a held proposal",
    details: """
      The edited call is a new proposal with its own verdict: rules that forbid it still do. Your edit counts as one approval where you may
      approve, and never alone where two are needed. Both proposals stay in the log.
      """,
    examples: [
      .init("remit approval edit p-3k9d --argument amount=900", "change one argument"),
      .init("remit approval edit p-3k9d --arguments new.json5 --digest 8c1f27a0b3d4", "all of them, without a terminal"),
    ],
    arguments: [proposal],
    options: [
      .value(
        "argument", short: "a", "NAME=VALUE", repeats: true, "another value for one argument, as JSON or as text; a dot goes into objects"),
      .value("arguments", "FILE", "all arguments, a JSON5 object; `-` is standard input"),
      .value("reason", short: "m", "TEXT", "why"), digest,
    ],
    run: { context in
      let pairs = try context.arguments.pairs("argument")
      let file = context.arguments.option("arguments")
      if pairs.isEmpty, file == nil { throw CommandError.usage("`--argument NAME=VALUE` or `--arguments FILE` is missing") }
      return try await decide(context, verb: "edit") { _, card in
        var arguments = card.arguments.objectValue ?? [:]
        if let file {
          arguments = try await context.front.object(file, "of arguments")
        }
        for (name, text) in pairs { try set(text, at: name.split(separator: ".").map(String.init), in: &arguments) }
        return .edit(arguments: arguments, reason: context.arguments.option("reason"))
      }
    })

  /// Sets one value; text stays text where text was.
  private static func set(_ text: String, at path: [String], in object: inout JSONObject) throws {
    guard let name = path.first else { throw CommandError.usage("an argument needs a name") }
    if path.count > 1 {
      guard var inner = object[name]?.objectValue else { throw CommandError.usage("the argument `\(visible(name))` is no object") }
      try set(text, at: Array(path.dropFirst()), in: &inner)
      object[name] = .object(inner)
    } else if object[name]?.stringValue != nil {
      object[name] = .string(text)
    } else {
      object[name] = (try? JSON.parse(Array(text.utf8))) ?? .string(text)
    }
  }

  static let settle = Command(
    path: ["approval", "settle"], summary: "say what became of an effect in doubt",
    details: """
      An effect that began and whose outcome was lost is never repeated by itself. Look outside, then say what happened. The owner of the
      process may, and whoever could have approved it, but never who asked for the run or proposed it.
      """,
    examples: [
      .init("remit approval settle p-3k9d finished --result '{\"vendor_number\": \"V-00012\"}'", "it happened, and gave this back"),
      .init("remit approval settle p-3k9d failed --reason 'no such vendor in the ERP'", "it did not happen"),
    ],
    arguments: [proposal, .init(name: "OUTCOME", help: "finished or failed")],
    options: [.value("result", "JSON", "what it gave back"), .value("reason", short: "m", "TEXT", "how you know")],
    run: { context in
      let outcome = try context.arguments.required("OUTCOME")
      guard outcome == "finished" || outcome == "failed" else {
        throw CommandError.usage("`\(visible(outcome))` is no outcome", hint: "one of: finished, failed")
      }
      let reason = context.arguments.option("reason")
      if outcome == "failed", reason == nil {
        throw CommandError.usage("`--reason TEXT` is missing", hint: "say how you know that it did not happen")
      }
      let result = try context.arguments.option("result").map { try JSON.parse(Array($0.utf8), file: "--result") }
      return try await context.withWorkspace(.write) { workspace in
        let card = try await workspace.card(try await workspace.proposalID(try context.arguments.required("ID")))
        var effect: EffectOutcome = outcome == "finished" ? .finished(result ?? [:]) : .failed("not-done", "")
        effect.message = reason
        try await workspace.gate.settle(card.proposal, in: card.run, grant: nil, outcome: effect, by: workspace.identity)
        let after = try await workspace.card(card.proposal)
        return CommandResult(
          json: ["proposal": .string(after.proposal), "status": .string(after.status)],
          lines: { _ in ["\("settled", .good)  \(after.proposal) is \(after.status)"] })
      }
    })

  static let statement = Command(
    path: ["approval", "statement"], summary: "show what is signed by an approval, and the signatures there are",
    details: """
      For a proposal that waits it prints the statement that your approval would sign. For one that was decided it prints each signed
      statement, and with --output DIR writes statement, signature and signer as files, for stock `ssh-keygen` to check.
      """,
    examples: [
      .init("remit approval statement p-3k9d", "what would be, or was, signed"),
      .init("remit approval statement p-3k9d --output ./signed", "files that anyone can check"),
    ],
    arguments: [proposal], options: [.value("output", "DIR", "a folder for the files")],
    run: { context in
      try await context.withWorkspace(.read) { workspace in
        let id = try await workspace.proposalID(try context.arguments.required("ID"))
        let signed = try await workspace.signedStatements(of: id)
        if signed.isEmpty {
          let text = try await workspace.gate.statement(of: id, by: workspace.identity).text
          return CommandResult(
            json: ["proposal": .string(id), "statement": .string(text), "signatures": []],
            notes: ["nobody has signed it; this is what your approval would sign"],
            lines: { _ in text.split(separator: "\n").map { Shown(String($0)) } })
        }
        var files: [String] = []
        if let folder = context.arguments.option("output") { files = try await write(signed, of: id, to: folder, context) }
        return CommandResult(
          json: [
            "proposal": .string(id), "signatures": .array(signed.map(\.json)), "files": .array(files.map { .string($0) }),
          ],
          lines: { [files] width in
            var lines: [Shown] = []
            for approval in signed {
              lines += approval.statement.split(separator: "\n").map { Shown(String($0)) }
              lines += ["\("signed", .good)  by \(approval.principal) with \(approval.fingerprint)", ""]
            }
            for (file, approval) in zip(files.filter { $0.hasSuffix(".statement") }, signed) {
              let base = String(file.dropLast(".statement".count))
              lines.append(
                "\("check", .strong)  ssh-keygen -Y verify -f \(base).signers -I \(approval.principal) -n \(ApprovalStatement.namespace) \\"
              )
              lines.append("         -s \(base).sig < \(file)")
            }
            return lines
          })
      }
    })

  private static func write(
    _ signed: [SignedApproval], of id: String, to folder: String, _ context: CommandContext
  ) async throws -> [String] {
    var files: [String] = []
    for (place, approval) in signed.enumerated() {
      let base = "\(folder)/\(id).\(place + 1)"
      let signers = "\(approval.principal) namespaces=\"\(ApprovalStatement.namespace)\" \(approval.signer)\n"
      for (ending, bytes) in [("statement", Array(approval.statement.utf8)), ("sig", approval.signature), ("signers", Array(signers.utf8))]
      {
        let file = OutputFile(path: "\(base).\(ending)", bytes: bytes, makesFolder: true)
        try await context.front.write(file, in: context.workspacePath)
        files.append("\(base).\(ending)")
      }
    }
    return files
  }

  // MARK: Deciding

  /// Shows the card and asks for its code, or takes the digest; then records the decision and says what followed.
  static func decide(
    _ context: CommandContext, verb: String, _ decision: @escaping (Console, ApprovalCard) async throws -> PermissionGate.PersonDecision
  ) async throws -> CommandResult {
    try await context.withWorkspace(.write) { workspace in
      let id = try await workspace.proposalID(try context.arguments.required("ID"))
      let card = try await workspace.card(id)
      guard card.status == "pending" else {
        throw CommandError(.conflict, "not-held", "the proposal is \(card.status) and waits for nobody")
      }
      let consent = try await Consent(
        console: context.console, verb: verb, digest: context.arguments.option("digest"), front: context.front
      ).given(to: card)
      let named = verb == "approve" || verb == "reject" ? context.arguments.option("for") : nil
      let authority = named.map { $0.hasPrefix("user:") ? $0 : "user:\($0)" }
      let signs = verb == "approve" && context.arguments.flag("sign")
      let signed = signs ? try await workspace.signed(id, key: context.arguments.option("key"), for: authority, front: context.front) : nil
      let outcome = try await workspace.gate.decide(
        id, try await decision(context.console, card), by: workspace.identity, digest: consent.digest, signed: signed, for: authority,
        considered: consent.considered)
      return result(outcome, now: workspace.now)
    }
  }

  static func result(_ outcome: DecisionOutcome, now: Instant) -> CommandResult {
    var json: JSONObject = ["proposal": .string(outcome.proposal)]
    json["run"] = outcome.run.map { .string($0) }
    let what = outcome.proposal
    var notes: [Shown] = []
    let exit: ExitCode
    let lines: [Shown]
    switch outcome.standing {
    case .pending:
      (exit, lines) = (.pending, ["\("recorded", .good)  your approval of \(what); others have to approve it too"])
      json["status"] = "pending"
    case .approved:
      (exit, lines) = (.done, ["\("approved", .good)  \(what)"])
      json["status"] = "approved"
      if outcome.hasOutsideEffect { notes = ["`remit agent work` carries it out"] }
    case .rejected:
      (exit, lines) = (.done, ["\("rejected", .good)  \(what)"])
      json["status"] = "rejected"
    case .withdrawn:
      (exit, lines) = (.done, ["\("withdrawn", .good)  \(what)"])
      json["status"] = "withdrawn"
    case .probe(let isCaught):
      exit = .done
      lines =
        isCaught
        ? ["\("well seen", .good)  \(what) was a probe: a planted copy with something wrong in it"]
        : ["\("missed", .bad)  \(what) was a probe: a planted copy with something wrong in it. Nothing happens; look again at the next one"]
      json["status"] = "probe"
      json["caught"] = .bool(isCaught)
    case .expired:
      (exit, lines) = (.conflict, ["\("too late", .bad)  the time for a decision on \(what) is over"])
      json["status"] = "expired"
    case .voided(let next):
      (exit, lines) = (
        .conflict, ["\("not approved", .bad)  what \(what) was shown with has changed since"] + next.lines(of: "decided anew", now: now)
      )
      json["status"] = "voided"
      json["replacement"] = .object(next.json)
    case .superseded(let next):
      exit = next.exitCode
      lines = ["\("edited", .good)  \(what) is replaced by \(next.proposal)"] + next.lines(of: "the edited call", now: now)
      json["status"] = "superseded"
      json["replacement"] = .object(next.json)
      if next.isGranted { notes = ["`remit agent work` carries it out"] }
    }
    return CommandResult(exit: exit, json: .object(json), notes: notes, lines: { width in lines.flatMap { $0.wrapped(to: width) } })
  }
}
