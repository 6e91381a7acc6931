import Core
import HTTP
import LLM
import Testing

@Suite("settings of an endpoint") struct SettingsTests {
  private func load(_ text: String, _ environment: [String: String] = [:]) throws -> (endpoint: ModelEndpoint, warnings: [Diagnostic]) {
    try ModelEndpoint.load(try PositionedJSON.parseJSON5(Array(text.utf8), file: "model.json5"), environment: environment)
  }

  private func problems(_ text: String, _ environment: [String: String] = [:]) throws -> String {
    do {
      _ = try load(text, environment)
      return ""
    } catch let error as Diagnostics {
      return error.description
    }
  }

  @Test("the environment alone names an endpoint, or none")
  func environment() throws {
    #expect(try ModelEndpoint.named(by: [:]) == nil)
    #expect(try ModelEndpoint.named(by: ["OPENAI_BASE_URL": ""]) == nil)
    let local = try #require(
      try ModelEndpoint.named(by: ["OPENAI_BASE_URL": "http://127.0.0.1:18080/v1", "REMIT_MODEL_MODE": "structured"]))
    #expect(local.baseURL == "http://127.0.0.1:18080/v1" && local.mode == .structured && local.api == .chat)
    guard case .none = local.credential else {
      Issue.record("a key without one")
      return
    }
    let environment = [
      "OPENAI_API_KEY": "sk-canary-1234", "OPENAI_ORG_ID": "org", "OPENAI_PROJECT_ID": "proj", "OPENAI_CUSTOM_HEADERS": "X-A: b\nX-C:d",
      "OPENAI_MODEL": "m",
      "REMIT_MODEL_API": "responses",
    ]
    let hosted = try #require(try ModelEndpoint.named(by: environment))
    #expect(hosted.baseURL == "https://api.openai.com/v1" && hosted.model == "m" && hosted.api == .responses)
    #expect(hosted.headers.map(\.name) == ["OpenAI-Organization", "OpenAI-Project", "X-A", "X-C"])
    #expect(hosted.headers.map(\.value) == ["org", "proj", "b", "d"])
    #expect(!String(reflecting: hosted).contains("canary"))
  }

  @Test("all members")
  func all() throws {
    let (endpoint, warnings) = try load(
      """
      { base_url: "https://h/v1", api: "responses", mode: "tools", model: "m", api_key_env: "MY_KEY", auth_header: "api-key",
        headers: { "X-A": "b", "X-S": { env: "S" } }, extra_body: { temperature: 0.5 }, timeout: "PT2M", connect_timeout: 2.5, max_retries: 0,
        max_reply_bytes: 4096, max_tool_calls: 3, max_tokens_field: "max_completion_tokens" }
      """, ["MY_KEY": "k-12345678", "S": "s3cret-value", "OPENAI_BASE_URL": "http://other"])
    #expect(warnings.isEmpty)
    #expect(endpoint.baseURL == "https://h/v1" && endpoint.api == .responses && endpoint.model == "m" && endpoint.keyHeader == "api-key")
    #expect(endpoint.headers.map(\.isSecret) == [false, true])
    #expect(endpoint.extraBody == ["temperature": 0.5])
    #expect(endpoint.limits.timeout == .seconds(120) && endpoint.limits.connectTimeout == .milliseconds(2500))
    #expect(endpoint.retry.maximumRetries == 0 && endpoint.limits.maximumBodyBytes == 4096 && endpoint.maximumToolCalls == 3)
    #expect(endpoint.maximumTokensKey == "max_completion_tokens")
  }

  static let bad: [(text: String, words: [String])] = [
    ("{ base_ulr: \"x\" }", ["model.json5:1:3", "`base_ulr`", "`base_url`"]),
    ("{ api_key: \"sk-canary\" }", ["must not be written", "api_key_env"]),
    ("{ api: \"chats\" }", ["`chats`", "`chat`, `responses`"]),
    ("{ model: 1 }", ["`model` must be a text"]),
    ("{ timeout: -1 }", ["`timeout`"]), ("{ timeout: \"2 minutes\" }", ["PT2M"]), ("{ max_retries: 1.5 }", ["from 0 to 20"]),
    ("{ api_key_env: \"NOT_SET\" }", ["`NOT_SET` is not set"]), ("{ api_key_env: \"K\", api_key_file: \"/k\" }", ["cannot both be set"]),
    ("{ extra_body: { tools: [] } }", ["`tools` cannot be set"]), ("{ headers: { \"A B\": \"c\" } }", ["no header name"]),
    ("{ headers: { A: { env: \"NOPE\" } } }", ["`NOPE` is not set"]), ("{ base_url: \"file:///etc/passwd\" }", ["only http: and https:"]),
    ("{ base_url: \"https://user:canary@h/v1\" }", ["user information"]), ("[]", ["must be an object"]),
  ]

  @Test("mistakes are named with their place and the remedy, never with a key", arguments: bad)
  func mistakes(test: (text: String, words: [String])) throws {
    let text = try problems(test.text, ["K": "k-12345678"])
    for word in test.words { #expect(text.contains(word), "\(text)") }
    #expect(text.hasPrefix("model.json5:1:"))
    #expect(!text.contains("canary"))
  }

  @Test("a key that would travel unencrypted is warned of, not to this machine")
  func clear() throws {
    let key = ["OPENAI_API_KEY": "k-12345678"]
    #expect(try load("{ base_url: \"http://gpu.lan:8000/v1\" }", key).warnings.map(\.code) == ["key-in-clear"])
    for url in ["http://127.0.0.1:1/v1", "http://localhost/v1", "http://[::1]:8/v1", "https://gpu.lan/v1"] {
      #expect(try load("{ base_url: \"\(url)\" }", key).warnings.isEmpty, "\(url)")
    }
    #expect(try load("{ base_url: \"http://gpu.lan:8000/v1\" }").warnings.isEmpty)
  }
}
