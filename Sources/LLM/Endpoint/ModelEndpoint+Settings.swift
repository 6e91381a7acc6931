public import Core
internal import HTTP

extension ModelEndpoint {
  /// The members that settings may have.
  static let settingNames = [
    "base_url", "api", "mode", "model", "api_key_env", "api_key_file", "auth_header", "headers", "extra_body", "timeout", "connect_timeout",
    "max_retries", "max_reply_bytes", "max_tool_calls", "max_tokens_field",
  ]

  /// The endpoint that the environment names, or `nil` when it names none.
  ///
  /// `OPENAI_BASE_URL` (with its `/v1`) or `OPENAI_API_KEY` name one; `OPENAI_ORG_ID`, `OPENAI_PROJECT_ID` and `OPENAI_CUSTOM_HEADERS`
  /// (lines of `Name: value`) add headers. `REMIT_MODEL` (or `OPENAI_MODEL`), `REMIT_MODEL_API` and `REMIT_MODEL_MODE` say what to ask for.
  ///
  /// - Throws: `Diagnostics` for a value that cannot be used.
  public static func named(by environment: [String: String]) throws(Diagnostics) -> ModelEndpoint? {
    let set = { (name: String) in environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    guard set("OPENAI_BASE_URL") != nil || set("OPENAI_API_KEY") != nil else { return nil }
    return try load(nil, environment: environment).endpoint
  }

  /// The endpoint that settings describe; what they leave out comes from the environment.
  ///
  /// A key is never written into settings, which are kept under version control and hashed: they name a variable (`api_key_env`) or a
  /// file (`api_key_file`).
  ///
  /// - Parameters:
  ///   - settings: An object of the members in `settingNames`, or `nil`.
  ///   - environment: The process's variables.
  /// - Returns: The endpoint, and what is odd about it.
  /// - Throws: `Diagnostics` with all problems.
  public static func load(_ settings: PositionedJSON?, environment: [String: String]) throws(Diagnostics) -> (
    endpoint: ModelEndpoint, warnings: [Diagnostic]
  ) {
    var loader = Loader(settings: settings, environment: environment)
    let endpoint = loader.load()
    let errors = loader.problems.filter { $0.severity == .error }
    guard errors.isEmpty else { throw Diagnostics(errors) }
    return (endpoint, loader.problems)
  }

  private struct Loader {
    let settings: PositionedJSON?
    let environment: [String: String]
    var problems: [Diagnostic] = []

    init(settings: PositionedJSON?, environment: [String: String]) {
      self.settings = settings
      self.environment = environment
    }

    mutating func load() -> ModelEndpoint {
      checkNames()
      let base = string("base_url") ?? variable("OPENAI_BASE_URL") ?? "https://api.openai.com/v1"
      var endpoint = ModelEndpoint(baseURL: base)
      endpoint.model = string("model") ?? variable("REMIT_MODEL") ?? variable("OPENAI_MODEL") ?? "default"
      if let api = choice("api", "REMIT_MODEL_API", ModelAPI.allCases.map(\.rawValue)) { endpoint.api = ModelAPI(rawValue: api) ?? .chat }
      if let mode = choice("mode", "REMIT_MODEL_MODE", ModelMode.allCases.map(\.rawValue)) {
        endpoint.mode = ModelMode(rawValue: mode) ?? .tools
      }
      loadCredential(&endpoint)
      loadHeaders(&endpoint)
      loadExtraBody(&endpoint)
      endpoint.maximumTokensKey = choice("max_tokens_field", nil, ["max_tokens", "max_completion_tokens"])
      if let time = duration("timeout") { endpoint.limits.timeout = time }
      if let time = duration("connect_timeout") { endpoint.limits.connectTimeout = time }
      if let count = count("max_retries", 0...20) { endpoint.retry.maximumRetries = count }
      if let count = count("max_reply_bytes", 1024...(1 << 30)) { endpoint.limits.maximumBodyBytes = count }
      if let count = count("max_tool_calls", 1...10_000) { endpoint.maximumToolCalls = count }
      checkURL(endpoint)
      return endpoint
    }

    private func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }

    private mutating func report(
      _ code: String, _ place: PositionedJSON?, _ message: String, hint: String? = nil, _ severity: Diagnostic.Severity = .error
    ) {
      problems.append(Diagnostic(code, at: place?.position, message, hint: hint, severity: severity))
    }

    private mutating func checkNames() {
      guard let settings else { return }
      guard let members = settings.objectValue else {
        report("not-an-object", settings, "the settings of a model must be an object")
        return
      }
      for member in members where !ModelEndpoint.settingNames.contains(where: { bytesEqual($0, member.key) }) {
        if bytesEqual(member.key, "api_key") {
          report(
            "key-in-settings", member.value, "a key must not be written into settings",
            hint: "name a variable with `api_key_env`, or a file with `api_key_file`")
        } else {
          problems.append(.unknown("member", member.key, known: ModelEndpoint.settingNames, at: member.keyPosition))
        }
      }
    }

    private mutating func string(_ name: String) -> String? {
      guard let value = settings?[name] else { return nil }
      guard let text = value.stringValue, !text.isEmpty else {
        report("wrong-type", value, "`\(name)` must be a text")
        return nil
      }
      return text
    }

    private mutating func choice(_ name: String, _ variableName: String?, _ allowed: [String]) -> String? {
      let place = settings?[name]
      guard let text = string(name) ?? variableName.flatMap({ variable($0) }) else { return nil }
      if allowed.contains(text) { return text }
      report(
        "unknown-choice", place, "`\(visible(text))` is no value of `\(place == nil ? variableName ?? name : name)`",
        hint: "it is one of \(allowed.map { "`\($0)`" }.joined(separator: ", "))")
      return nil
    }

    private mutating func count(_ name: String, _ range: ClosedRange<Int>) -> Int? {
      guard let value = settings?[name] else { return nil }
      guard let number = value.json.intValue, let count = Int(exactly: number), range.contains(count) else {
        report("out-of-range", value, "`\(name)` must be an integer from \(range.lowerBound) to \(range.upperBound)")
        return nil
      }
      return count
    }

    /// Seconds as a number, or an ISO 8601 duration.
    private mutating func duration(_ name: String) -> Duration? {
      guard let value = settings?[name] else { return nil }
      let time =
        value.stringValue.flatMap { Duration(iso8601: $0) } ?? value.json.numberValue.map { Duration.milliseconds(Int64($0.double * 1000)) }
      guard let time, time > .zero, time <= .seconds(86_400) else {
        report("wrong-type", value, "`\(name)` must be a time of at most a day: seconds, or an ISO 8601 duration such as \"PT2M\"")
        return nil
      }
      return time
    }

    private mutating func loadCredential(_ endpoint: inout ModelEndpoint) {
      endpoint.keyHeader = string("auth_header")
      let (named, file) = (string("api_key_env"), string("api_key_file"))
      if named != nil && file != nil {
        report("two-keys", settings?["api_key_file"], "`api_key_env` and `api_key_file` cannot both be set")
      }
      if let file {
        endpoint.credential = .file(file)
        return
      }
      guard let text = variable(named ?? "OPENAI_API_KEY") else {
        if let named { report("no-key", settings?["api_key_env"], "the variable `\(visible(named))` is not set") }
        return
      }
      guard let key = APIKey(text) else {
        report(
          "no-key", settings?["api_key_env"],
          "the variable `\(visible(named ?? "OPENAI_API_KEY"))` holds no key: printable ASCII is expected")
        return
      }
      endpoint.credential = .key(key)
    }

    private mutating func loadHeaders(_ endpoint: inout ModelEndpoint) {
      if let text = variable("OPENAI_ORG_ID") { endpoint.headers.append(Header("OpenAI-Organization", text)) }
      if let text = variable("OPENAI_PROJECT_ID") { endpoint.headers.append(Header("OpenAI-Project", text)) }
      for line in (variable("OPENAI_CUSTOM_HEADERS") ?? "").split(separator: "\n") {
        guard let colon = line.firstIndex(of: ":") else {
          report("bad-header", nil, "a line of `OPENAI_CUSTOM_HEADERS` is no `Name: value`")
          continue
        }
        let value = line[line.index(after: colon)...].drop { $0 == " " }
        add(Header(String(line[..<colon]), String(value), isSecret: true), nil, &endpoint)
      }
      guard let headers = settings?["headers"] else { return }
      guard let members = headers.objectValue else {
        report("wrong-type", headers, "`headers` must be an object")
        return
      }
      for member in members {
        if let text = member.value.stringValue {
          add(Header(member.key, text), member.value, &endpoint)
        } else if let name = member.value["env"]?.stringValue, member.value.objectValue?.count == 1 {
          if let text = variable(name) {
            add(Header(member.key, text, isSecret: true), member.value, &endpoint)
          } else {
            report("no-variable", member.value, "the variable `\(visible(name))` is not set")
          }
        } else {
          report("wrong-type", member.value, "a header must be a text, or {env: \"NAME\"} for the value of a variable")
        }
      }
    }

    private mutating func add(_ header: Header, _ place: PositionedJSON?, _ endpoint: inout ModelEndpoint) {
      if HTTPRequest.isHeader(header.name, header.value) {
        endpoint.headers.append(header)
      } else {
        report("bad-header", place, "`\(visible(header.name))` is no header name, or its value contains a control character")
      }
    }

    private mutating func loadExtraBody(_ endpoint: inout ModelEndpoint) {
      guard let extra = settings?["extra_body"] else { return }
      guard let members = extra.objectValue, case .object(let object) = extra.json else {
        report("wrong-type", extra, "`extra_body` must be an object")
        return
      }
      for member in members where RequestEncoder.reserved.contains(member.key) {
        problems.append(
          Diagnostic(
            "reserved", at: member.keyPosition, "`\(member.key)` cannot be set in `extra_body`: it is made from the request itself"))
      }
      endpoint.extraBody = object
    }

    private mutating func checkURL(_ endpoint: ModelEndpoint) {
      let place = settings?["base_url"]
      if let flaw = HTTPRequest(method: .post, url: endpoint.url(endpoint.api)).flaw {
        report("bad-url", place, "`base_url` cannot be used: \(flaw)")
      } else if case .none = endpoint.credential {
        return
      } else if endpoint.baseURL.lowercased().hasPrefix("http:"), !endpoint.isLoopback {
        report(
          "key-in-clear", place, "the key for `\(HTTPRequest.shown(endpoint.baseURL))` travels unencrypted", hint: "use https:", .warning)
      }
    }
  }
}
