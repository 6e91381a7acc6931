internal import Core
internal import Governance

/// `remit init` and `remit process new`: a workspace and a first process that can be checked, released and run.
enum InitCommands {
  static let all = [initialise, new]

  static let initialise = Command(
    path: ["init"], summary: "make a workspace: its people, and a place for processes",
    details: """
      Writes Policies/organisation.json5 with you and your colleagues, all of whom may ask, review and own, so that a first process runs;
      and remit.json5, where models are named. Nothing that exists is changed. Nobody decides on their own request, so it takes at least three
      people for everything to be decided; where you name fewer, invented ones take their place until you put yours there.
      """,
    examples: [
      .init("remit init", "in the current folder"),
      .init("remit init --workspace office --colleague ben --colleague cleo", "with accounts of others"),
    ],
    options: [.value("colleague", "ACCOUNT", repeats: true, "the account of somebody who works with you")],
    place: { _ in .local },
    run: { context in
      let folder = context.workspacePath
      let colleagues = context.arguments.all("colleague")
      if let wrong = colleagues.first(where: { !Self.isName($0) }) {
        throw CommandError.usage("`\(visible(wrong))` cannot name a person", hint: "use letters, digits, `.`, `_` and `-`, at most 64")
      }
      let known = ([Account.current] + colleagues).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
      let invented = ["kim", "lee"].filter { !known.contains($0) }.prefix(max(0, 3 - known.count))
      let files = [
        ("Policies/organisation.json5", Self.organisation(known, invented: Array(invented))),
        ("remit.json5", Self.settings),
      ]
      return try await write(files, in: folder, context, next: "remit process new NAME")
    })

  static let new = Command(
    path: ["process", "new"], summary: "write the files of a first process, ready to check, release and run",
    details: """
      Writes policy, process, rules and tests of rules into Policies/NAME, to be changed from there. On a terminal what is not given is asked
      for. The template `people` is a request that somebody decides on; `agent` has an agent look at each request first.
      """,
    examples: [
      .init("remit process new purchase", "asks a few questions"),
      .init("remit process new purchase --template agent --limit 500", "asks nothing that is given"),
    ],
    arguments: [.init(name: "NAME", help: "the name of the process, such as purchase-request")],
    options: [
      .value("template", "NAME", "people or agent"), .value("title", "TEXT", "what people call it"),
      .value("limit", "AMOUNT", "from which amount on a second person has to agree; a whole number"),
    ],
    place: { _ in .local },
    run: { context in
      let name = try context.arguments.required("NAME")
      if let problem = ProcessTemplate.problem(withName: name) { throw CommandError.usage("`\(visible(name))`: \(problem)") }
      let title = try await answer(context, "title", "What do people call it?", default: title(of: name)) { $0.isEmpty ? nil : $0 }
      let kind = try await answer(
        context, "template", "Does an agent look at requests first (agent), or only people (people)?", default: .people
      ) {
        ProcessTemplate.Kind(rawValue: $0)
      }
      let limit = try await answer(context, "limit", "From which amount on does a second person have to agree?", default: 1000) { text in
        Int(text).flatMap { (0...1_000_000_000).contains($0) ? $0 : nil }
      }
      let template = ProcessTemplate(name: name, title: title, kind: kind, limit: limit)
      return try await write(
        template.files, in: context.workspacePath, context,
        next: "remit process check \(name)", "remit process release \(name)", "remit run start \(name)")
    })

  // MARK: Asking

  /// A value from the command line, else from the person at the terminal, else what is usual.
  private static func answer<Value>(
    _ context: CommandContext, _ option: String, _ question: String, default usual: Value, _ read: (String) -> Value?
  ) async throws -> Value {
    if let text = context.arguments.option(option) {
      if let value = read(text) { return value }
      throw CommandError.usage("`--\(option) \(visible(text))` is not understood", hint: "`remit help process new` says what it can be")
    }
    let terminal = context.console.terminal
    guard terminal.inputIsTerminal, terminal.wordsAreTerminal, !context.console.wantsJSON else { return usual }
    while true {
      let text = try await context.front.ask("\(question) [\("\(usual)", .strong)] ", on: context.console) ?? ""
      if text.isEmpty { return usual }
      if let value = read(text) { return value }
    }
  }

  private static func title(of name: String) -> String {
    let words = name.split(separator: "-").joined(separator: " ")
    return words.prefix(1).uppercased() + words.dropFirst()
  }

  // MARK: Writing

  private static func isName(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count)
      && text.utf8.allSatisfy { ($0 | 0x20) &- 97 < 26 || $0 &- 48 < 10 || [0x2E, 0x5F, 0x2D].contains($0) }
  }

  /// Writes files, unless one of them is there already.
  private static func write(
    _ files: [(path: String, text: String)], in folder: String, _ context: CommandContext, next: String...
  ) async throws -> CommandResult {
    for (path, _) in files where FileTree.exists("\(folder)/\(path)") {
      throw CommandError(.conflict, "exists", "`\(visible("\(folder)/\(path)"))` exists already; nothing was written")
    }
    for (path, text) in files {
      try await context.front.write(OutputFile(path: "\(folder)/\(path)", bytes: Array(text.utf8), makesFolder: true), in: folder)
    }
    return CommandResult(
      json: ["workspace": .string(folder), "files": .array(files.map { .string($0.path) })],
      notes: ["next: " + Shown(next.map { "`\($0)`" }.joined(separator: ", "))],
      lines: { _ in files.map { "\("wrote", .good)  \($0.path)" } })
  }

  private static func organisation(_ accounts: [String], invented: [String]) -> String {
    let people = (accounts + invented).map { account in
      let key = JSON.string(account).text()
      let note = invented.contains(account) ? " // invented: put a colleague of yours here" : ""
      return "    \(key): { name: \(key), roles: [\"requester\", \"reviewer\", \"owner\"], accounts: [\(key)] },\(note)"
    }
    return """
      // Who works here, what they may be asked to do, and which account of the operating system is theirs.
      //
      // This file seeds a workspace. From then on people and roles are a governed record: `remit person` changes them.
      {
        roles: {
          requester: "May ask",
          reviewer: "Decides on requests",
          owner: "Owns processes, and does what was agreed",
        },
        people: {
      \(people.joined(separator: "\n"))
        },
      }

      """
  }

  private static let settings = """
    // The models that agents use, by the names that processes give them. Without one, OPENAI_BASE_URL and OPENAI_API_KEY say which is used.
    {
      models: {
        // default: { endpoint: { base_url: "http://127.0.0.1:8080/v1", model: "qwen" }, clearance: "internal" },
      },
    }

    """
}
