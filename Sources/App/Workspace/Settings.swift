internal import AgentRuntime
internal import Core
internal import HTTP
internal import LLM
internal import ProcessModel

/// The settings of a workspace, `remit.json5`: which models its agents use.
///
///     { models: { default: { endpoint: { base_url: "http://127.0.0.1:8080/v1", model: "qwen" }, clearance: "internal" } } }
///
/// A model is an `endpoint`, or the name of a `script` that plays one. The environment's endpoint (`OPENAI_BASE_URL` or `OPENAI_API_KEY`)
/// goes before the file's for the model `default`, whose clearance and prices stay.
struct Settings {
  static let fileName = "remit.json5"

  /// The models by the names that processes give them.
  var models: [String: AgentModel] = [:]
  /// What is odd, though it can be used.
  var warnings: [Diagnostic] = []

  /// Reads the settings of a workspace.
  ///
  /// - Throws: `Diagnostics`, `JSONError`, ``FileError``.
  init(folder: String, environment: Environment) throws {
    let variables = environment.variables
    let client = HTTPClient(HTTPClient.Configuration(environment: variables))
    let path = "\(folder)/\(Self.fileName)"
    if FileTree.exists(path) {
      try read(try PositionedJSON.parseJSON5(try RegularFile.read(path, maximumBytes: 1 << 20), file: path), variables, client)
    }
    if let endpoint = try ModelEndpoint.named(by: variables) {
      let known = models["default"]
      models["default"] = Self.model(endpoint, client, clearance: known?.clearance ?? .internal, prices: known?.prices)
    }
  }

  private mutating func read(_ file: PositionedJSON, _ variables: [String: String], _ client: HTTPClient) throws {
    var problems: [Diagnostic] = []
    for member in file.objectValue ?? [] where member.key != "models" {
      problems.append(.unknown("key", member.key, known: ["models"], at: member.keyPosition))
    }
    for member in file["models"]?.objectValue ?? [] {
      let known = ["endpoint", "script", "clearance", "prices"]
      for part in member.value.objectValue ?? [] where !known.contains(part.key) {
        problems.append(.unknown("key", part.key, known: known, at: part.keyPosition))
      }
      let clearance = clearance(member.value["clearance"], &problems)
      if let script = member.value["script"] {
        guard script.stringValue == ScriptedAnalyst.name else {
          problems.append(.unknown("script", script.stringValue ?? "", known: [ScriptedAnalyst.name], at: script.position))
          continue
        }
        models[member.key] = Self.scripted(clearance: clearance)
      } else {
        // An endpoint with nothing said about it comes from the environment alone.
        let (endpoint, odd) = try ModelEndpoint.load(member.value["endpoint"], environment: variables)
        warnings += odd
        models[member.key] = Self.model(endpoint, client, clearance: clearance, prices: prices(member.value["prices"], &problems))
      }
    }
    if !problems.isEmpty { throw Diagnostics(problems) }
  }

  private func clearance(_ value: PositionedJSON?, _ problems: inout [Diagnostic]) -> Sensitivity {
    guard let value else { return .internal }
    if let found = value.stringValue.flatMap({ Sensitivity(rawValue: $0) }) { return found }
    problems.append(.unknown("sensitivity", value.stringValue ?? "", known: Sensitivity.allCases.map(\.rawValue), at: value.position))
    return .public
  }

  /// `{ input: 0.15, output: 0.60 }`: US dollars for a million tokens.
  private func prices(_ value: PositionedJSON?, _ problems: inout [Diagnostic]) -> (input: Int64, output: Int64)? {
    guard let value else { return nil }
    func micro(_ key: String) -> Int64? {
      guard let dollars = value[key]?.json.numberValue?.double, (0...1_000_000).contains(dollars) else { return nil }
      return Int64((dollars * 1_000_000).rounded())
    }
    if let input = micro("input"), let output = micro("output") { return (input, output) }
    problems.append(
      Diagnostic(
        "wrong-type", at: value.position,
        "`prices` needs `input` and `output`, US dollars for a million tokens, as in { input: 0.15, output: 0.6 }"))
    return nil
  }

  private static func model(
    _ endpoint: ModelEndpoint, _ client: HTTPClient, clearance: Sensitivity, prices: (input: Int64, output: Int64)?
  ) -> AgentModel {
    AgentModel(
      client: EndpointModel(endpoint, client: client), model: endpoint.model, api: endpoint.api, mode: endpoint.mode,
      endpoint: HTTPRequest.shown(endpoint.baseURL), clearance: clearance, prices: prices)
  }

  /// The model that a script plays.
  static func scripted(clearance: Sensitivity = .internal) -> AgentModel {
    AgentModel(client: ScriptedAnalyst.model, model: ScriptedAnalyst.name, endpoint: AgentModel.scriptedEndpoint, clearance: clearance)
  }
}
