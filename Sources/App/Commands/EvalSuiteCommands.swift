internal import AgentRuntime
internal import Core
internal import Evals
internal import Governance

/// `remit eval run|score|compare|export`: an agent on the samples of a suite.
enum EvalSuiteCommands {
  static let all = [run, score, compare, export]

  static let run = Command(
    path: ["eval", "run"], summary: "try an agent on the samples of a suite, and measure it against what people decided",
    details: """
      A suite (Evals/NAME) has suite.json5 and samples.jsonl. Each sample is a run of its own, in a store of its own: the real prompt, gate
      and rules, with tools that only answer what the sample says. Nothing reaches the outside but the model.

      Every trial is written to the results as it ends. Run the same command again after an interruption: it goes on with what is missing.
      The exit status is 1 where a threshold of suite.json5 is not met.
      """,
    examples: [
      .init("remit eval run classify-risk", "the workspace's model on a suite"),
      .init("remit eval run classify-risk --recorded", "recorded replies, exact and offline"),
      .init("remit eval run classify-risk --model large --repeat 5 --json", "another model, five times"),
    ],
    arguments: [.init(name: "SUITE", help: "a folder in the workspace's Evals, or a path to one")],
    options: [
      .value("model", "NAME", "a model of remit.json5; otherwise the one that the agent uses"),
      .flag("recorded", "let the suite's recorded replies stand in for the model"),
      .value("repeat", "N", "how often each sample is tried, up to 1000; otherwise what the suite says"),
      .value("out", "FILE", "the results; otherwise results-SUITE-ID.jsonl in this folder"),
      .value("record", "FILE", "also keep the model's replies, for --recorded"),
    ],
    place: { _ in .local },
    run: { context in
      let folder = suiteFolder(try context.arguments.required("SUITE"), context)
      if let names = FileTree.names(in: folder), !AgentSuite.isSuite(names) {
        let isReplay = AttackSuite.isSuite(folder) || names.contains("rules.json5")
        throw CommandError(
          .failed, "no-samples", "`\(visible(folder))` has no \(AgentSuite.samplesFile), so no agent can be tried on it",
          hint: isReplay ? "it is about rules, not about an agent: see `remit eval replay --suite`" : nil)
      }
      let suite = try AgentSuite(folder: folder)
      let workspace = context.workspacePath
      let files = try ProcessFiles(folder: "\(workspace)/Policies/\(suite.process)", prompts: "\(workspace)/Prompts")
      guard let directory = try Workspace.organisation(in: workspace) else {
        throw FileError(.notFound, path: "\(workspace)/Policies/organisation.json5", "there is no such file")
      }
      let name = context.arguments.option("model")
      var recording: ReplyRecording?
      let model: AgentModel
      if context.arguments.flag("recorded") {
        if name != nil { throw CommandError.usage("`--recorded` says itself which model it was: leave out `--model`") }
        if context.arguments.option("record") != nil { throw CommandError.usage("`--record` needs a model: leave out `--recorded`") }
        let known = try ReplyRecording(path: "\(folder)/\(ReplyRecording.file)")
        (recording, model) = (known, known.model)
      } else {
        let models = try Settings(folder: workspace, environment: context.environment).models
        guard let found = models[name ?? "default"] else {
          throw CommandError(
            .notFound, "model-unknown", "no model `\(visible(name ?? "default"))` is configured",
            hint: "name one in \(Settings.fileName), set OPENAI_BASE_URL, or use `--recorded`")
        }
        model = found
      }
      let runner = try SampleRunner(suite, bundle: files.bundle, directory: directory, model: model)
      let repeats = try context.arguments.integer("repeat", in: 1...AgentSuite.maximumRepeats) ?? suite.repeats
      let suiteRun = SuiteRun(runner, repeats: repeats, recorded: recording)
      let id = SHA256.hash(suiteRun.header.json.text()).hex.prefix(12)
      let path = context.arguments.option("out") ?? "results-\(suite.name)-\(id).jsonl"
      let progress = Progress("trials", on: context.console)
      do {
        let results = try await suiteRun.run(into: path, recording: context.arguments.option("record")) {
          progress.update(done: $0, of: $1)
        }
        progress.finish()
        return result(try SuiteReport(results, suite: suite), title: suite.title, path: path)
      } catch let failure as SampleFailure {
        progress.finish()
        throw CommandError(
          .failed, "trial-failed", failure.description, hint: "what was done is in \(visible(path)): the same command goes on with it")
      }
    })

  static let score = Command(
    path: ["eval", "score"], summary: "score results again, by the decisions in them or by those of a suite as it is now",
    examples: [
      .init("remit eval score results.jsonl", "what the results come to"),
      .init("remit eval score results.jsonl --suite classify-risk", "by corrected decisions and thresholds"),
    ],
    arguments: [.init(name: "RESULTS", help: "a file that `eval run` wrote")],
    options: [.value("suite", "NAME", "a folder in the workspace's Evals, or a path to one")],
    place: { _ in .local },
    run: { context in
      let path = try context.arguments.required("RESULTS")
      let suite = try context.arguments.option("suite").map { try AgentSuite(folder: suiteFolder($0, context)) }
      let results = try SuiteResults(path: path)
      var outcome = result(try SuiteReport(results, suite: suite), title: suite?.title ?? results.header.suite, path: path)
      if results.droppedBytes > 0 { outcome.notes.append("\(results.droppedBytes) bytes at the end are a half-written trial: left out") }
      if let suite, suite.digest != results.header.suiteDigest {
        outcome.notes.append("the suite has changed since: its decisions and thresholds count, not those of the results")
      }
      return outcome
    })

  static let compare = Command(
    path: ["eval", "compare"], summary: "compare two results sample by sample: two prompts, models or releases",
    details: """
      Only samples that are the same in both count. Agreement is compared by McNemar's exact test, every measure by the bootstrap over
      samples, with a fixed seed. The exit status is 1 where the second agrees with people clearly less (p < 0.05).
      """,
    examples: [.init("remit eval compare before.jsonl after.jsonl", "is the second better?")],
    arguments: [.init(name: "BEFORE", help: "results of `eval run`"), .init(name: "AFTER", help: "other ones")],
    place: { _ in .local },
    run: { context in
      let before = try SuiteResults(path: try context.arguments.required("BEFORE"))
      let after = try SuiteResults(path: try context.arguments.required("AFTER"))
      let comparison = try SuiteComparison(before: before, after: after)
      return CommandResult(
        exit: comparison.isWorse ? .failed : .done, json: comparison.json,
        notes: comparison.changed.isEmpty ? [] : ["\(counted(comparison.changed.count, "sample")) changed between the two: left out"]
      ) { width in
        var lines: [Shown] = Shown(comparison.verdict).wrapped(to: width) + [""]
        for difference in comparison.differences {
          let interval = "\(short(difference.interval.lower)) to \(short(difference.interval.upper))"
          lines.append(
            "\(padded(difference.metric.title, 20))\(padded(short(difference.before), 10))\(padded(short(difference.after), 10))\(interval)"
          )
        }
        lines.append("")
        lines.append("\("before, after, and the 95 % interval of the difference", .faint)")
        return lines
      }
    })

  static let export = Command(
    path: ["eval", "export"], summary: "write results as a log that the viewer of Inspect (inspect_ai) opens",
    details: """
      Each trial becomes a sample with an epoch, each measure a score; calls, verdicts and digests are metadata. What the model was told is not
      in the results, and so not in the log.
      """,
    examples: [.init("remit eval export results.jsonl --out logs/classify.json", "then: inspect view --log-dir logs")],
    arguments: [.init(name: "RESULTS", help: "a file that `eval run` wrote")],
    options: [.value("out", "FILE", "the log; its name ends in .json")],
    place: { _ in .local },
    run: { context in
      let path = try context.arguments.required("RESULTS")
      guard let out = context.arguments.option("out"), out.hasSuffix(".json") else {
        throw CommandError.usage("name the log with `--out FILE.json`: Inspect knows logs by that ending")
      }
      let results = try SuiteResults(path: path)
      let log = InspectLog.json(results, try SuiteReport(results, suite: nil), created: TimeSource.system.now())
      try RegularFile.writeAtomically(Array((log.text() + "\n").utf8), to: out)
      return CommandResult(json: ["file": .string(out), "samples": .int(results.trials.count)]) { _ in
        ["wrote \(counted(results.trials.count, "trial")) to \(out)"]
      }
    })

  private static func suiteFolder(_ name: String, _ context: CommandContext) -> String {
    let own = "\(context.workspacePath)/Evals/\(name)"
    return name.contains("/") || !FileTree.isFolder(own) ? name : own
  }

  private static func result(_ report: SuiteReport, title: String, path: String) -> CommandResult {
    var json = report.json.objectValue ?? [:]
    json["file"] = .string(path)
    return CommandResult(exit: report.isGood ? .done : .failed, json: .object(json)) { width in
      let header = report.results.header
      let total = header.samples * header.repeats
      let source: Shown =
        "\(counted(report.results.trials.count, "trial")) of \(total) with \(header.model)\(header.isRecorded ? " (recorded)" : "")"
      var lines: [Shown] = ["\(title, .strong)", source, ""]
      for average in report.averages {
        let interval = "\(short(average.interval.lower)) to \(short(average.interval.upper))"
        var line: Shown = "\(padded(average.metric.title, 20))\(padded(short(average.mean), 10))\(padded(interval, 20))"
        if let threshold = average.threshold {
          line = average.isMet ? "\(line)\("met", .good): \(threshold.words)" : "\(line)\("not met", .bad): \(threshold.words)"
        }
        lines.append(line)
      }
      for threshold in report.unmeasured {
        lines.append("\(padded(threshold.metric.title, 20))\("not measured", .bad): \(threshold.words)")
      }
      for trial in report.disagreements.prefix(10) {
        let said = trial.answer.map { JSON.object($0).text() } ?? trial.detail ?? "no answer"
        lines.append("\("differs", .caution)  \(trial.sample): \(trial.outcome), \(said)")
      }
      if report.disagreements.count > 10 { lines.append("… and \(report.disagreements.count - 10) more") }
      lines.append("")
      lines.append("results in \(path)")
      return lines.flatMap { $0.wrapped(to: width) }
    }
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.utf8.count))
  }

  private static func short(_ value: Double) -> String { value.short }
}
