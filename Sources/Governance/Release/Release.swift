internal import CEL
public import Core
public import PolicyEngine
public import ProcessModel

/// A bundle that was checked as a whole: process, rules, prompts and documents fit each other.
///
/// Runs execute under a release, never under files; editing a file changes nothing until a release with it is made.
/// A release never changes; all who decide under it share one object.
public final class Release: Sendable {
  /// What names it.
  public let digest: Digest
  /// The process.
  public let process: ProcessDefinition
  /// The rules.
  public let rules: RuleSet
  /// The prompts, by name.
  public let prompts: [String: Prompt]
  /// The controlled documents, by name.
  public let documents: [String: ControlledDocument]
  /// The other files, by path: programs of tools.
  public let programs: [String: [UInt8]]
  /// What the parts of its tools were that it does not hold, by the tools' names.
  public let pins: [String: ToolPin]
  /// What is probably not meant, though it can be used.
  public let warnings: [Diagnostic]
  /// SHA-256 of each tool's definition.
  let toolDigests: [String: Digest]
  /// SHA-256 of the definition of a tool, as the digest of a proposal covers it.
  public func definitionDigest(of tool: String) -> Digest { toolDigests[tool] ?? SHA256.hash(tool) }

  /// The compiled schemas of the tools' arguments.
  let validators: [String: JSONSchema]

  private init(
    digest: Digest, process: ProcessDefinition, rules: RuleSet, prompts: [String: Prompt], documents: [String: ControlledDocument],
    programs: [String: [UInt8]], pins: [String: ToolPin], warnings: [Diagnostic], toolDigests: [String: Digest],
    validators: [String: JSONSchema]
  ) {
    self.digest = digest
    self.process = process
    self.rules = rules
    self.prompts = prompts
    self.documents = documents
    self.programs = programs
    self.pins = pins
    self.warnings = warnings
    self.toolDigests = toolDigests
    self.validators = validators
  }

  /// Checks a bundle.
  ///
  /// - Parameters:
  ///   - bundle: The files.
  ///   - directory: The organisation that roles and people are checked against; nil for a release that was made before, which the
  ///     directory may have outlived.
  /// - Returns: The release, ready to run under.
  /// - Throws: ``Diagnostics`` with every problem of every file.
  public static func load(_ bundle: ReleaseBundle, directory: Directory?) throws(Diagnostics) -> Release {
    var problems: [Diagnostic] = []
    let documents = bundle.files.filter { $0.path.hasSuffix(".md") && !$0.path.contains("/") }.compactMap { file in
      ControlledDocument(name: file.path, bytes: file.bytes)
    }
    let prompts = Self.prompts(in: bundle)
    var context = ProcessContext()
    context.prompts = prompts.keys.sorted()
    context.documents = Dictionary(documents.map { ($0.name, $0.clauses.map(\.id)) }, uniquingKeysWith: { first, _ in first })
    if let directory {
      context.roles = Dictionary(
        directory.roles.map { ($0.name, directory.holders(of: $0.name).count) }, uniquingKeysWith: { first, _ in first })
      context.users = directory.people.map(\.id)
    }
    var loaded: (process: ProcessDefinition, warnings: [Diagnostic])?
    do throws(Diagnostics) {
      loaded = try ProcessDefinition.load(
        try Self.required("process.json5", in: bundle), file: bundle.displayPath("process.json5"), context: context)
    } catch {
      problems += error.all
    }
    guard let (process, warnings) = loaded else { throw Diagnostics(problems) }
    var rules: RuleSet?
    do throws(Diagnostics) {
      let environment = Self.environment(of: process, directory: directory, documents: documents)
      rules = try RuleSet.load(
        try Self.required("rules.json5", in: bundle), file: bundle.displayPath("rules.json5"), environment: environment)
      problems += rules?.rules.filter(\.holdsStarts).map(Self.heldStart) ?? []
    } catch {
      problems += error.all
    }
    var validators: [String: JSONSchema] = [:]
    for tool in process.tools {
      do throws(Diagnostic) {
        validators[tool.name] = try JSONSchema(tool.arguments, options: JSONSchema.Options(assertsFormats: true))
      } catch {
        problems.append(Diagnostic("tool-schema", at: nil, "the arguments of tool `\(tool.name)`: \(error.message)", hint: error.hint))
      }
    }
    var pins: [String: ToolPin] = [:]
    do throws(Diagnostics) { pins = try bundle.pins(of: process.tools) } catch { problems += error.all }
    var unsatisfiable: [Diagnostic] = []
    if let rules, let directory {
      // Releases of before are still run: only new ones are refused.
      problems += process.controlBypasses.map { bypass in
        Diagnostic(
          "control-bypass", at: nil, "\(bypass)",
          hint: "let it wait for the step, end the run or try again instead, or put the control before a step of the handler")
      }
      unsatisfiable = ApprovalSatisfiability.problems(of: process, rules: rules, directory: directory)
      problems += unsatisfiable.filter { $0.severity == .error }
    }
    guard let rules, problems.isEmpty else { throw Diagnostics(problems) }
    return Release(
      digest: bundle.manifest.digest, process: process, rules: rules, prompts: prompts,
      documents: Dictionary(documents.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first }),
      programs: Dictionary(
        bundle.files.filter { $0.path.hasPrefix("tools/") }.map { ($0.path, $0.bytes) }, uniquingKeysWith: { first, _ in first }),
      pins: pins, warnings: warnings + rules.warnings + unsatisfiable,
      toolDigests: Dictionary(process.tools.map { ($0.name, $0.digest(pin: pins[$0.name])) }, uniquingKeysWith: { first, _ in first }),
      validators: validators)
  }

  private static func required(_ path: String, in bundle: ReleaseBundle) throws(Diagnostics) -> [UInt8] {
    if let bytes = bundle[path] { return bytes }
    let position = SourcePosition(file: bundle.displayPath(path))
    throw Diagnostics([Diagnostic("missing-file", at: position, "a process needs a file `\(path)`")])
  }

  /// A run that was not started has no state, so nobody could see what they approve, or approve it.
  static func heldStart(_ rule: Rule) -> Diagnostic {
    Diagnostic(
      "start-held", at: rule.position, "rule `\(rule.id)` can hold `run.start`, and nobody can approve a run that is not there yet",
      hint: "forbid the start, or hold the first step; a rule for agents says `by: \"agent:*\"`")
  }

  /// The newest version of each prompt: `prompts/<name>/v<number>.md`.
  private static func prompts(in bundle: ReleaseBundle) -> [String: Prompt] {
    var prompts: [String: Prompt] = [:]
    for (path, bytes) in bundle.files where path.hasPrefix("prompts/") {
      let parts = path.split(separator: "/")
      guard parts.count == 3, parts[2].hasSuffix(".md"), let text = String(validating: bytes, as: UTF8.self) else { continue }
      let prompt = Prompt(name: String(parts[1]), version: String(parts[2].dropLast(3)), text: text, digest: SHA256.hash(bytes))
      if let other = prompts[prompt.name], number(other.version) > number(prompt.version) { continue }
      prompts[prompt.name] = prompt
    }
    return prompts
  }

  private static func number(_ version: String) -> Int { Int(version.dropFirst()) ?? 0 }

  /// What rules of a process may name.
  public static func environment(
    of process: ProcessDefinition, directory: Directory?, documents: [ControlledDocument]
  ) -> PolicyEnvironment {
    func choices(_ path: String...) -> [PolicyEnvironment.Choice] {
      process.fields.compactMap { field in field.choices.map { PolicyEnvironment.Choice(path + [field.name], $0) } }
    }
    let builtins = BuiltinTool.allCases.filter { !$0.isOfWorkspace }.map { tool in
      PolicyEnvironment.Tool(
        Request.Tool(name: tool.rawValue, effect: tool.effect == .external ? .external : .state), schema: tool.schema,
        choices: tool.setsFields ? choices("args", "fields") : [])
    }
    let connected = process.tools.map { tool in
      let listed = (tool.arguments["properties"]?.objectValue ?? [:]).compactMap { name, schema in
        schema["enum"]?.arrayValue.map { PolicyEnvironment.Choice(["args", name], $0) }
      }
      return PolicyEnvironment.Tool(Request.Tool(tool), schema: tool.arguments, choices: listed)
    }
    let facts = process.tools.flatMap(\.facts).compactMap { fact in
      fact.value.choices.map { PolicyEnvironment.Choice(["facts", fact.name], $0) }
    }
    let steps = [
      PolicyEnvironment.Choice(["step", "id"], process.steps.map { .string($0.id) }),
      PolicyEnvironment.Choice(["step", "risk"], Step.Risk.allCases.map { .string($0.rawValue) }),
      PolicyEnvironment.Choice(["tool", "action"], ToolAction.allCases.map { .string($0.rawValue) }),
    ]
    return PolicyEnvironment(
      fields: process.fields.map { ($0.name, $0.celType) }, facts: process.facts.map { ($0.name, $0.value.celType) },
      choices: choices("run") + facts + steps, tools: builtins + connected,
      steps: process.steps.map { Request.Step(id: $0.id, risk: $0.risk?.rawValue, performer: $0.performer.description) },
      agents: process.agents.map(\.name), users: directory?.people.map(\.id), roles: directory?.roles.map(\.name),
      clauses: Set(documents.flatMap { document in document.clauses.map { "\(document.name)#\($0.id)" } }))
  }

  /// Whether an agent's call of a tool could ever be permitted or held on a step, under the workspace's guard as it is: which tools to offer
  /// to its model.
  public func couldPermit(
    _ tool: String, agent: AgentDefinition, step: RunState.StepState, requester: String, directory: Directory,
    guard guardRules: RuleSet?
  ) -> Bool {
    guard let principal = Request.Principal(id: agent.principal, owner: agent.owner.description) else { return false }
    let builtin = BuiltinTool(rawValue: tool)
    guard builtin != nil || process.tool(tool) != nil else { return false }
    let risk = process.step(step.occurrence.id)?.risk?.rawValue
    return rules.couldPermit(
      tool: process.tool(tool).map { Request.Tool($0) } ?? Request.Tool(name: tool, effect: .state), principal: principal,
      step: Request.Step(id: step.occurrence.id, risk: risk, iteration: step.occurrence.iteration, performer: step.performer.description),
      requester: Request.Requester(id: requester, roles: directory.roles(of: requester)),
      implied: builtin?.isOnStep == true ? [.implied("step:\(step.occurrence.id)")] : [], guard: guardRules)
  }

  /// The text of a clause such as `policy.md#3.2`; nil where the release has none of that name.
  public func clause(_ reference: String) -> ControlledDocument.Clause? {
    let parts = reference.split(separator: "#", maxSplits: 1)
    guard parts.count == 2 else { return nil }
    return documents[String(parts[0])]?.clauses.first { bytesEqual($0.id, String(parts[1])) }
  }
}

extension Rule {
  /// Whether the rule can hold a person's start of a run.
  var holdsStarts: Bool {
    let isForPeople =
      principals.isEmpty
      || principals.contains { pattern in
        switch pattern {
        case .exact(let id): id.hasPrefix("user:")
        case .kind(let kind): kind == .user
        case .role, .any: true
        }
      }
    return (effect == .hold || isEarned) && isForPeople && steps.isEmpty && tools.contains { $0.matches(BuiltinTool.startRun.rawValue) }
  }
}

extension BuiltinTool {
  /// Whether the tool is about the whole workspace, which no release covers.
  var isOfWorkspace: Bool {
    switch self {
    case .setDirectory, .changeDirectory, .makeRelease, .setMode, .confirmClock, .setGuard, .stop, .resume, .acceptTool, .grantAllowance,
      .stopAllowance,
      .endorse, .withdrawEndorsement, .redact:
      true
    default: false
    }
  }
}

extension Request.Tool {
  /// A tool of a process as rules see it.
  init(_ definition: ToolDefinition) {
    self.init(
      name: definition.name, effect: EffectClass(rawValue: definition.effect.rawValue) ?? .external,
      connector: definition.connector.rawValue, action: ToolAction(rawValue: definition.action.rawValue))
  }
}

extension ToolDefinition {
  /// SHA-256 of everything that a call's meaning depends on, with what its parts are that no release holds.
  func digest(pin: ToolPin?) -> Digest {
    var definition: JSONObject = [
      "action": .string(action.rawValue), "arguments": arguments, "connector": .string(connector.rawValue),
      "effect": .string(effect.rawValue),
      "help": help.map { .string($0) } ?? .null,
      "idempotent": .bool(isIdempotent), "name": .string(name), "payload": .array(payload.map { .string($0) }),
      "settings": .object(settings), "sink": .array(sinks.map { .string($0) }), "title": title.map { .string($0) } ?? .null,
    ]
    definition["parts"] = pin?.json
    return SHA256.hash(JSON.object(definition).canonicalBytesRounding())
  }
}
