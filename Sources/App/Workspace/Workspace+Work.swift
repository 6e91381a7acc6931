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
    let secrets = Secrets(environment: variables)
    let state = "\(Self.absolute(folder))/\(Self.stateFolder)"
    let command = CommandConnector(programs: "\(state)/programs", state: "\(state)/tools", secrets: secrets, time: store.options.time)
    let http = HTTPConnector(
      client: HTTPClient(HTTPClient.Configuration(environment: variables)), secrets: secrets, time: store.options.time)
    let runner = ToolRunner(gate: gate, connectors: [.command: command, .http: http])
    return (WorkLoop(gate: gate, runner: runner, models: settings.models, concurrency: concurrency), settings)
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
