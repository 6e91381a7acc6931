internal import Audit
internal import Core
internal import Governance

/// `remit guard`: rules over all processes that count at once.
enum GuardCommands {
  static let all = [set, show, clear]

  private static let reason = Command.Option.value("reason", short: "m", "TEXT", "why")
  private static let details = """
    A guard is a file of rules that only hold or forbid. It counts from the moment when it is set, in every process and for runs that are
    under way; what was permitted and has not begun is decided anew. `governs.guard` in `organisation.json5` says who has to agree.
    `remit process check` says what the guard means for a process: which of its rules are about it, which err there, and which nobody can
    release.
    """

  static let set = Command(
    path: ["guard", "set"], summary: "set the rules that hold or forbid in every process, at once", details: details,
    examples: [.init("remit guard set freeze.json5 -m 'the bank is down'", "from now on")],
    arguments: [.init(name: "FILE", help: "a file of rules that hold or forbid")], options: [reason],
    run: { context in
      let path = try context.arguments.required("FILE")
      let bytes = try await context.front.read(path, maximumBytes: GateLimits.textBytes)
      guard let text = String(validating: bytes, as: UTF8.self) else {
        throw CommandError.usage("`\(visible(path))` is no text in UTF-8")
      }
      return try await change(context, text, file: path, "the guard of this workspace")
    })

  static let clear = Command(
    path: ["guard", "clear"], summary: "take the guard away",
    examples: [.init("remit guard clear -m 'the bank is back'", "only the rules of the processes count again")], options: [reason],
    run: { context in try await change(context, nil, file: nil, "the guard is taken away") })

  static let show = Command(
    path: ["guard", "show"], summary: "show the guard",
    examples: [.init("remit guard show", "its rules, as they were set")],
    run: { context in
      try await context.withWorkspace(.read) { workspace in
        guard let current = try await workspace.store.read({ try $0.shared().guarding }) else {
          return CommandResult(json: ["guard": .null], notes: ["no guard is set"])
        }
        return CommandResult(
          json: [
            "guard": .string(current.text), "digest": .string(current.digest.hex), "by": .string(current.by), "entry": .int(current.entry),
          ],
          notes: ["set by \(current.by) in entry \(current.entry), sha256 \(current.digest.hex)"]
        ) { _ in Shown.message(current.text) }
      }
    })

  private static func change(_ context: CommandContext, _ text: String?, file: String?, _ what: String) async throws -> CommandResult {
    try await context.withWorkspace(.write) { workspace in
      let outcome = try await workspace.gate.setGuard(
        text, file: file, reason: context.arguments.option("reason"), by: workspace.identity)
      let now = workspace.now
      return CommandResult(
        exit: outcome.exitCode, json: .object(outcome.json),
        lines: { width in outcome.lines(of: what, now: now).flatMap { $0.wrapped(to: width) } })
    }
  }
}
