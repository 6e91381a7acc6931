public import LLM
public import ProcessModel

/// A model that agents may use, and what it may be told.
public struct AgentModel: Sendable {
  /// The endpoint's name of a model that a script plays; everything it says is marked as scripted.
  public static let scriptedEndpoint = "scripted"

  /// Answers requests.
  public let client: any ModelClient
  /// The model's name at the endpoint.
  public let model: String
  /// The wire format.
  public let api: ModelAPI
  /// How tools are offered.
  public let mode: ModelMode
  /// How the log names the endpoint: its URL without secrets, or `scripted`.
  public let endpoint: String
  /// The most sensitive values that a prompt for it may hold.
  public let clearance: Sensitivity
  /// What one million tokens of input and output cost, in millionths of a US dollar; nil where that is not known.
  public let prices: (input: Int64, output: Int64)?

  /// Makes a model from its parts.
  public init(
    client: any ModelClient, model: String, api: ModelAPI = .chat, mode: ModelMode = .tools, endpoint: String,
    clearance: Sensitivity = .internal, prices: (input: Int64, output: Int64)? = nil
  ) {
    self.client = client
    self.model = model
    self.api = api
    self.mode = mode
    self.endpoint = endpoint
    self.clearance = clearance
    self.prices = prices
  }
}
