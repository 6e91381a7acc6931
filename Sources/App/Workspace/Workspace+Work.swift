internal import AgentRuntime
internal import Audit
internal import Connectors
internal import Core
internal import Glibc
internal import Governance
internal import HTTP
internal import ProcessModel

extension Workspace {
  /// The loop that lets agents and the engine do their steps, wired with the workspace's models and connectors.
  ///
  /// - Parameter concurrency: How many steps are worked on at the same time.
  /// - Returns: The loop, and the settings that it uses.
  /// - Throws: What reading the settings throws.
  func workLoop(concurrency: Int = 4) throws -> (loop: WorkLoop, settings: Settings) {
    let settings = try Settings(folder: folder, environment: environment)
    let variables = environment.variables
    let http = HTTPConnector(
      client: HTTPClient(HTTPClient.Configuration(environment: variables)), secrets: Secrets(environment: variables),
      time: store.options.time)
    let runner = ToolRunner(gate: gate, connectors: [.command: commandConnector, .http: http])
    return (WorkLoop(gate: gate, runner: runner, models: settings.models, concurrency: concurrency), settings)
  }

  /// What runs the programs of tools.
  private var commandConnector: CommandConnector {
    let state = "\(Self.absolute(folder))/\(Self.stateFolder)"
    return CommandConnector(
      programs: "\(state)/programs", state: "\(state)/tools", secrets: Secrets(environment: environment.variables),
      time: store.options.time)
  }

  /// The bundle with what the programs of its tools are that it does not hold, here where they will run.
  ///
  /// - Parameters:
  ///   - bundle: The files of a process.
  ///   - release: The release that they would make.
  /// - Returns: The bundle that is to be released.
  /// - Throws: ``CommandError`` where a program is missing, or a server does not offer a tool.
  func pinned(_ bundle: ReleaseBundle, _ release: Release) async throws -> ReleaseBundle {
    do throws(ToolObservationError) {
      return bundle.pinning(try await commandConnector.pins(of: release.process.tools, programs: release.programs))
    } catch {
      throw CommandError(
        .failed, "not-pinned", "a release pins the programs that its tools depend on: \(error.description)",
        hint: "install the program where the tools will run, or put it into the process's folder as `tools/…`")
    }
  }

  /// The budgets of released processes that cannot bind: they name a cost, and nobody knows what the agent's model costs.
  ///
  /// - Returns: A sentence for each.
  /// - Throws: What the store throws.
  func unpricedBudgets(_ settings: Settings) async throws -> [String] {
    let gate = gate
    let agents = try await store.read { view -> [(process: String, agent: AgentDefinition)] in
      let shared = try view.shared()
      return shared.processes.compactMap { shared.current($0) }.flatMap { current in
        // A release that this build cannot load is the doctor's to report.
        let agents = (try? gate.release(current.digest, in: view))?.process.agents ?? []
        return agents.filter { $0.budget.costMicroUSD != nil }.map { (current.process, $0) }
      }
    }
    return agents.compactMap { process, agent in
      guard let model = settings.models[agent.model], model.endpoint != AgentModel.scriptedEndpoint, model.prices == nil else { return nil }
      return "the cost in the budget of agent `\(agent.name)` of `\(process)` does not bind: \(Settings.fileName) names no `prices` "
        + "for the model `\(agent.model)`"
    }
  }

  /// The path from the root: programs of tools run in a folder of their own.
  static func absolute(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}
