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
    return (WorkLoop(gate: gate, runner: runner, models: settings.models, concurrency: concurrency, time: store.options.time), settings)
  }

  /// The path from the root: programs of tools run in a folder of their own.
  static func absolute(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}
