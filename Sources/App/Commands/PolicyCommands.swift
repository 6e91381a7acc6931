internal import CEL
internal import Core
internal import Evals
internal import Glibc
internal import PolicyEngine

/// `remit policy …`: conditions, tried before they are rules.
enum PolicyCommands {
  static let all = [evaluate]

  private static let limits = CELLimits(steps: RuleSet.maximumSteps)

  static let evaluate = Command(
    path: ["policy", "try"], summary: "evaluate a condition and show its type, value and cost",
    details: """
      EXPR is an expression in the Common Expression Language, as in `when` of a rule. Its variables are the members of the object in the
      file that `--with` names (JSON or JSON5), such as run, args, facts; their types are those of the values.

      With --jsonl each line of the file is one request, `{"expr": "x + 1", "bindings": {"x": {"int": "1"}}}`, and each gets one line: the
      value with its type, `{"int": "2"}`, or `{"error": "…"}`. Values are written as in the conformance suite of the language, whose lines
      are understood as they are. An error in one line does not stop the next; empty lines are passed over. Names and types are checked
      before evaluation only where a line declares them (`type_env`). The exit code is 1 where a line was no request.
      """,
    examples: [
      .init("remit policy try 'run.amount <= 10000' --with values.json", "with { run: { amount: 24000 } } in the file"),
      .init("remit policy try '[1, 2].exists(x, x > 1)' --json", "the value with its type, as JSON"),
      .init("remit policy try --jsonl requests.jsonl", "one line in, one line out"),
    ],
    arguments: [.init(name: "EXPR", help: "the expression", isRequired: false)],
    options: [
      .value("with", "FILE", "a JSON object with the values of the variables; `-` is standard input"),
      .value("jsonl", "FILE", "requests, one a line; `-` is standard input"),
    ],
    place: { _ in .local },
    run: { context in
      let source = context.arguments.argument("EXPR")
      if let file = context.arguments.option("jsonl") {
        if source != nil || context.arguments.option("with") != nil {
          throw CommandError.usage("with `--jsonl` the lines have the expressions and the values; EXPR and `--with` are left out")
        }
        return try evaluateLines(of: file, context.console)
      }
      guard let source else {
        throw CommandError.usage("EXPR is missing", hint: "`remit policy try 'run.amount <= 10000' --with values.json`")
      }
      return try evaluate(source, with: try values(context.arguments.option("with")), context.console)
    })

  // MARK: - One expression

  private static func values(_ file: String?) throws -> [String: CELValue] {
    guard let file else { return [:] }
    let bytes =
      file == "-"
      ? StandardInput.read(maximumBytes: FileTree.maximumBytes) : try RegularFile.read(file, maximumBytes: FileTree.maximumBytes)
    let parsed = try PositionedJSON.parseJSON5(bytes, file: file)
    guard let object = parsed.json.objectValue else {
      throw CommandError.usage("`\(visible(file))`: an object with the values of the variables is needed")
    }
    return Dictionary(try object.map { ($0.key, try CELValue(json: $0.value)) }, uniquingKeysWith: { $1 })
  }

  private static func evaluate(_ source: String, with values: [String: CELValue], _ console: Console) throws -> CommandResult {
    var environment = CELEnvironment(limits: limits)
    environment.timeZone = { ZoneFiles.zone($0) }
    for name in values.keys { environment.declare(name, .dyn) }
    let program: CELProgram
    do throws(Diagnostics) {
      program = try environment.compile(source)
    } catch {
      if let position = error.all.first?.position { point(to: position.offset, in: source, console) }
      var usage = CommandError(.usage, error.all.first?.code ?? "invalid", error.description)
      usage.problems = error.all
      throw usage
    }
    let (outcome, steps) = program.measure(values)
    switch outcome {
    case .failure(let error):
      if let offset = error.offset { point(to: offset, in: source, console) }
      throw CommandError(.failed, error.code.rawValue, error.message)
    case .success(let value):
      let type = program.type == .dyn ? value.type : program.type
      let estimate = program.estimatedCost { _ in RuleSet.assumedSize }
      var cost: JSONObject = ["steps": .int(steps), "minimum": .int(estimate.minimum), "limit": .int(limits.steps)]
      cost["maximum"] = estimate.maximum.map { .int($0) }
      var json: JSONObject = ["type": .string(type.description), "value": value.tagged, "cost": .object(cost)]
      let plain = try? value.json()
      json["json"] = plain
      return CommandResult(
        json: .object(json),
        lines: { width in
          Fields([
            "value": Shown((plain ?? value.tagged).text()), "type": Shown(type.description),
            "cost": "\(counted(steps, "step")) of \(limits.steps); \(bounds(estimate))",
          ]).lines(width: width)
        })
    }
  }

  private static func bounds(_ cost: CELCost) -> String {
    guard let maximum = cost.maximum else { return "\(cost.minimum) or more, with no bound known" }
    if maximum == cost.minimum { return "\(maximum) whatever the values" }
    return "\(cost.minimum) to \(maximum) for values of up to \(RuleSet.assumedSize) elements or bytes"
  }

  /// Shows where in the expression a problem is, as far as that can be done on one line.
  private static func point(to offset: Int, in source: String, _ console: Console) {
    guard !console.wantsJSON, source.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }), offset <= source.utf8.count else { return }
    console.say(["  \(source)", .spaces(2 + offset) + Shown("^", .bad)])
  }

  // MARK: - One a line

  private static func evaluateLines(of file: String, _ console: Console) throws -> CommandResult {
    let lines =
      file == "-" ? JSONLines(descriptor: STDIN_FILENO, name: "standard input") : try JSONLines(path: file)
    var refused = 0
    while !console.isClosed {
      let answer: JSON
      do {
        guard let line = try lines.next() else { break }
        answer = try TaggedExpression(json: line).evaluate(limits: limits, timeZone: { ZoneFiles.zone($0) }).json
      } catch let error as CELBridgingError {
        refused += 1
        answer = ["error": .string("line \(lines.line): \(error.message)")]
      } catch let error as Diagnostic where error.code != JSONLines.unreadable {
        refused += 1
        let column = error.position.map { $0.column > 1 ? ", column \($0.column)" : "" } ?? ""
        answer = ["error": .string("line \(lines.line)\(column): \(error.message)")]
      }
      console.write(data: Array((answer.text() + "\n").utf8))
    }
    return CommandResult(
      exit: refused == 0 ? .done : .failed, json: nil,
      notes: refused == 0 ? [] : ["\(counted(refused, "line")) could not be read as \(refused == 1 ? "a request" : "requests")"])
  }
}
