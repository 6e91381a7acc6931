internal import Core
internal import Governance
internal import PolicyEngine
internal import ProcessModel

/// The files of one process in a workspace, as a release would pin them.
struct ProcessFiles: Sendable {
  /// The folder with `process.json5`.
  let folder: String
  /// The bundle; its paths are shown as the user would type them.
  let bundle: ReleaseBundle

  /// Reads a process's folder, and from `Prompts` beside `Policies` the prompts that its steps name.
  ///
  /// - Parameters:
  ///   - folder: Such as `Policies/vendor-onboarding`.
  ///   - prompts: The folder of prompts.
  /// - Throws: ``FileError`` and `JSONError` for files that cannot be read.
  init(folder: String, prompts: String) throws {
    guard FileTree.isFolder(folder) else { throw FileError(.notFound, path: folder, "there is no such folder") }
    self.folder = folder
    var files = try FileTree.files(under: folder)
    guard let definition = files.first(where: { $0.path == "process.json5" }) else {
      throw FileError(.notFound, path: "\(folder)/process.json5", "a process needs this file")
    }
    let parsed = try PositionedJSON.parseJSON5(definition.bytes, file: "\(folder)/process.json5")
    for name in Self.promptNames(in: parsed) where FileTree.isFolder("\(prompts)/\(name)") {
      files += try FileTree.files(under: "\(prompts)/\(name)", at: "prompts/\(name)")
    }
    bundle = ReleaseBundle(process: parsed["process"]?.stringValue ?? "", files: files) { path in
      path.hasPrefix("prompts/") ? "\(prompts)/\(path.dropFirst(8))" : "\(folder)/\(path)"
    }
  }

  /// Files that were read where the person is.
  ///
  /// - Parameters:
  ///   - folder: The folder with `process.json5`.
  ///   - files: The files by their paths in the bundle.
  ///   - shown: The paths as the person would type them.
  init(folder: String, files: [(path: String, bytes: [UInt8])], shown: [String: String]) {
    self.folder = folder
    let definition = files.first { $0.path == "process.json5" }?.bytes ?? []
    let process = (try? PositionedJSON.parseJSON5(definition))?["process"]?.stringValue ?? ""
    bundle = ReleaseBundle(process: process, files: files) { shown[$0] ?? "\(folder)/\($0)" }
  }

  /// The names that any `prompt` member has, once each; names that are no plain file names are left to the loader to refuse.
  private static func promptNames(in value: PositionedJSON) -> [String] {
    var names: [String] = []
    func walk(_ value: PositionedJSON) {
      for member in value.objectValue ?? [] {
        if member.key == "prompt", let name = member.value.stringValue, !name.contains("/"), !name.hasPrefix("."), !names.contains(name) {
          names.append(name)
        }
        walk(member.value)
      }
      for element in value.arrayValue ?? [] { walk(element) }
    }
    walk(value)
    return names
  }
}

/// What is right and wrong with the files of a process.
struct ProcessReport: Sendable {
  var folder: String
  var process: String
  /// The release that these files would make; nil where they cannot.
  var release: Release?
  var problems: [Diagnostic] = []
  var warnings: [Diagnostic] = []
  /// What the analysis of the rules found.
  var analysis: PolicyAnalysis?
  /// The outcome of the rule tests; nil where there are none, or where they could not be read.
  var tests: RuleTestReport?
  /// The rules of the workspace's guard that are about the process.
  var guardRules: [String] = []

  var isGood: Bool { problems.isEmpty && (tests?.failures.isEmpty ?? true) }

  /// Checks files as a release would, and decides their rule tests.
  init(checking files: ProcessFiles, directory: Directory?) {
    folder = files.folder
    process = files.bundle.process
    do throws(Diagnostics) {
      let release = try Release.load(files.bundle, directory: directory)
      self.release = release
      process = release.process.id
      warnings = release.warnings
      let environment = release.environment(directory)
      analysis = PolicyAnalysis(release.rules, environment: environment, mentioning: release.process.tools.map(\.name))
      guard let bytes = files.bundle["rules.tests.json5"] else { return }
      let tests = try RuleTests.load(
        bytes, file: files.bundle.displayPath("rules.tests.json5"), rules: release.rules, environment: environment)
      warnings += tests.warnings
      self.tests = tests.run(release.rules)
    } catch {
      problems = error.all.filter { $0.severity == .error }
      warnings += error.all.filter { $0.severity == .warning }
    }
  }

  /// How far ahead absences are looked at.
  private static let ahead = Duration.seconds(30 * 86_400)

  /// Adds the holds that nobody can release while people are absent.
  mutating func lookAhead(_ directory: Directory, from now: Instant) {
    guard let release else { return }
    warnings += ApprovalSatisfiability.gaps(in: release, directory: directory, from: now, ahead: Self.ahead)
  }

  /// Adds what the workspace's guard means for the process.
  mutating func underGuard(_ guarding: WorkspaceGuard?, _ directory: Directory) {
    guard let release, let guarding else { return }
    guardRules = guarding.rules(about: release)
    warnings += guarding.warnings(about: release, directory: directory)
  }

  var json: JSON {
    var object: JSONObject = ["process": .string(process), "folder": .string(folder), "ok": .bool(isGood)]
    object["digest"] = release.map { .string($0.digest.hex) }
    object["problems"] = .array(problems.map(\.json))
    object["warnings"] = .array(warnings.map(\.json))
    object["guard"] = .array(guardRules.map { .string($0) })
    if let analysis {
      object["findings"] = .array(analysis.findings.map(\.json))
      object["unclear"] = .array(analysis.unclear.map { ["subject": .string($0.subject), "why": .string($0.why)] })
    }
    if let tests {
      object["tests"] = [
        "total": .int(tests.results.count),
        "failed": .array(
          tests.failures.map { result in
            [
              "name": .string(result.test.name), "at": .string(result.test.position.description), "message": .string(result.failure ?? ""),
            ]
          }),
      ]
      object["uncovered"] = .array(tests.uncovered.map { .string($0.id) })
    }
    return .object(object)
  }

  /// The report line by line.
  var lines: [Shown] {
    var lines: [Shown] = []
    for problem in problems { lines += Shown.message(problem.description, .bad) }
    for warning in warnings + (analysis?.findings.map(\.diagnostic) ?? []) { lines += Shown.message(warning.description, .caution) }
    if let tests {
      for result in tests.failures {
        lines.append("\(result.test.position.description): \("test failed", .bad): \(result.test.name): \(result.failure ?? "")")
      }
      for rule in tests.uncovered {
        lines.append("\(rule.position.description): \("not tested", .caution): no test is decided by rule `\(rule.id)`")
      }
    }
    if let release {
      let steps = counted(release.process.steps.count, "step")
      let rules = counted(release.rules.rules.count, "rule")
      let outcome =
        tests.map { "\(counted($0.results.count - $0.failures.count, "test")) passed, \($0.failures.count) failed" } ?? "no rule tests"
      if let unclear = analysis?.unclear, !unclear.isEmpty {
        let names = unclear.prefix(5).map { "`\($0.subject)`" }.joined(separator: ", ")
        let more = unclear.count > 5 ? " and \(unclear.count - 5) more" : ""
        let what = unclear.count == 1 ? "changes anything, as its condition is" : "change anything, as their conditions are"
        lines.append("\("not certain", .faint): whether \(names)\(more) \(what) not fully understood")
      }
      if !guardRules.isEmpty {
        let rules = guardRules.joined(separator: ", ")
        lines.append("\("guarded", .caution): \(rules) of the workspace's guard count on top of what is checked here")
      }
      lines.append("\(isGood ? "good" : "bad", isGood ? .good : .bad)  \(process, .strong)  \(steps), \(rules), \(outcome)")
    } else {
      lines.append("\("bad", .bad)  \(process.isEmpty ? folder : process, .strong)  \(counted(problems.count, "problem"))")
    }
    return lines
  }
}

extension PolicyAnalysis.Finding {
  /// The finding in machine output.
  var json: JSON {
    var object: JSONObject = [
      "code": .string(code.rawValue), code == .unmentionedTool ? "tool" : "rule": .string(subject),
      "message": .string(diagnostic.message),
    ]
    if !by.isEmpty { object["by"] = .array(by.map { .string($0) }) }
    object["at"] = position.map { .string($0.description) }
    return .object(object)
  }
}
