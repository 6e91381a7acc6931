internal import Core
public import HTTP

/// A model behind an HTTP endpoint of the chat completions or the responses format.
public final class EndpointModel: ModelClient {
  /// The endpoint and its limits.
  public let endpoint: ModelEndpoint
  private let client: HTTPClient
  private let timing: ModelTiming
  private let breaker: Locked<CircuitBreaker>
  private let authority = Locked<Authority?>(nil)

  /// A client of an endpoint.
  ///
  /// Nothing is loaded, read or connected before the first request.
  public init(
    _ endpoint: ModelEndpoint, client: HTTPClient, timing: ModelTiming = .system, breaker: CircuitBreaker = CircuitBreaker()
  ) {
    self.endpoint = endpoint
    self.client = client
    self.timing = timing
    self.breaker = Locked(breaker)
  }

  /// Headers with the key in them, and the filter that keeps them out of everything else.
  private struct Authority: Sendable {
    var headers: HTTPHeaders
    var filter: SecretFilter
  }

  /// Sends the request, again where that helps, and reads the reply.
  ///
  /// Connections that fail, 408, 409, 429 and 5xx are retried by ``ModelEndpoint/retry``, as the endpoint's `Retry-After` and
  /// `x-should-retry` ask for, as long as the deadline allows. Cancelling the task aborts a request or a wait at once.
  ///
  /// - Throws: ``ModelError``, with the bytes of the last attempt.
  public func respond(to request: ModelRequest, deadline: ContinuousClock.Instant) async throws(ModelError) -> ModelReply {
    let began = timing.now()
    var encoder = try RequestEncoder(request)
    encoder.extra = endpoint.extraBody
    encoder.maximumTokensKey = endpoint.tokensKey
    var turn = Turn(request: request, names: encoder.names, exchange: ModelExchange(requestBytes: try encoder.bytes(), attempts: 0))
    var hasNewKey = false
    while true {
      let failure: Failure
      switch await attempt(&turn, deadline) {
      case .success(var reply):
        reply.exchange.latency = timing.now() - began
        return reply
      case .failure(let failed): failure = failed
      }
      turn.exchange.latency = timing.now() - began
      var error = failure.error
      error.exchange = turn.exchange
      if error.code == .unauthorized, !hasNewKey, try renewKey() {
        hasNewKey = true
        continue
      }
      guard failure.isRetryable else { throw error }
      let retry = turn.exchange.attempts
      guard let wait = endpoint.retry.delay(before: retry, asked: failure.asked, random: timing.random()) else { throw error }
      // A wait that the deadline cuts off would end without an attempt.
      guard timing.now() + wait < deadline else { throw error }
      do { try await timing.sleep(wait) } catch { throw ModelError(.cancelled, "the turn was cancelled", exchange: turn.exchange) }
    }
  }

  private struct Turn {
    let request: ModelRequest
    let names: ToolNames
    var exchange: ModelExchange
  }

  private struct Failure: Error {
    var error: ModelError
    var isRetryable = false
    var asked: Duration?
  }

  // MARK: One attempt

  private func attempt(_ turn: inout Turn, _ deadline: ContinuousClock.Instant) async -> Result<ModelReply, Failure> {
    let now = timing.now()
    guard now < deadline else {
      return .failure(Failure(error: ModelError(.timeout, "the turn's deadline passed before the endpoint was asked", isTransient: true)))
    }
    let authority: Authority
    do throws(ModelError) { authority = try currentAuthority() } catch { return .failure(Failure(error: error)) }
    if let wait = breaker.withLock({ $0.admit(now: now) }) {
      let text = "the endpoint failed several times in a row and is left alone for another \(wait.components.seconds + 1) s"
      return .failure(Failure(error: ModelError(.circuitOpen, text, isTransient: true, retryAfter: wait)))
    }
    var limits = endpoint.limits
    limits.timeout = min(limits.timeout, deadline - now)
    turn.exchange.attempts += 1
    turn.exchange.responseBytes = []
    turn.exchange.httpStatus = nil
    let request = HTTPRequest(
      method: .post, url: endpoint.url(turn.request.api), headers: authority.headers, body: turn.exchange.requestBytes, limits: limits)
    do throws(HTTPError) {
      let response = try await client.send(request)
      return interpret(response, authority, &turn)
    } catch {
      return .failure(failure(error, deadline))
    }
  }

  private func failure(_ error: HTTPError, _ deadline: ContinuousClock.Instant) -> Failure {
    let now = timing.now()
    let code: ModelError.Code
    var isRetryable = false
    switch error.code {
    case .cancelled:
      breaker.withLock { $0.abandoned() }
      return Failure(error: ModelError(.cancelled, "the turn was cancelled"))
    case .invalidRequest, .library:
      breaker.withLock { $0.abandoned() }
      return Failure(error: ModelError(.configuration, error.message))
    case .unavailable:
      breaker.withLock { $0.abandoned() }
      return Failure(error: ModelError(.unreachable, error.message, isTransient: true))
    case .bodyTooLarge, .headersTooLarge:
      breaker.withLock { $0.succeeded() }
      return Failure(error: ModelError(.replyTooLarge, error.message))
    case .timeout, .tooSlow:
      code = .timeout
      isRetryable = true
    case .connect, .resolve, .connectionLost:
      code = .unreachable
      isRetryable = true
    case .tls: code = .unreachable
    case .malformed: code = .malformedReply
    }
    breaker.withLock { $0.failed(now: now) }
    return Failure(error: ModelError(code, error.message, isTransient: true), isRetryable: isRetryable)
  }

  // MARK: The answer

  private func interpret(_ response: HTTPResponse, _ authority: Authority, _ turn: inout Turn) -> Result<ModelReply, Failure> {
    let blotted = authority.filter.blotted(response.body)
    turn.exchange.responseBytes = blotted ?? response.body
    turn.exchange.httpStatus = response.status
    switch response.status {
    case 200..<300: break
    case 300..<400:
      breaker.withLock { $0.succeeded() }
      return .failure(Failure(error: redirect(response)))
    default: return .failure(refusal(response, turn.exchange.responseBytes))
    }
    breaker.withLock { $0.succeeded() }
    let type = response.headers["content-type"] ?? ""
    let isJSON = type.isEmpty || mediaType(type).hasSuffix("json")
    let reader = ReplyReader(
      request: turn.request, names: turn.names,
      limits: ReplyLimits(toolCalls: endpoint.maximumToolCalls, argumentBytes: endpoint.maximumArgumentBytes))
    do throws(ModelError) {
      var reply = try reader.read(turn.exchange)
      if blotted != nil { reply.warnings.append(ModelWarning(.secretBlotted, "the reply held a secret of ours, which was blotted out")) }
      if !isJSON { reply.warnings.append(ModelWarning(.contentType, "the reply's content type is `\(mediaType(type))`, not JSON")) }
      return .success(reply)
    } catch {
      var error = error
      if !isJSON && error.code == .malformedReply {
        let words = ErrorBody(bytes: turn.exchange.responseBytes).message
        error.message = "the endpoint answered with the content type `\(mediaType(type))` instead of JSON: \(words)"
      }
      return .failure(Failure(error: error))
    }
  }

  private func refusal(_ response: HTTPResponse, _ body: [UInt8]) -> Failure {
    var error = ErrorBody(bytes: body).error(status: response.status, isRetryable: true)
    let advice = RetryAdvice(header: { response.headers[$0] }, now: timing.wall.now())
    if let after = advice.after, after > .zero { error.retryAfter = after }
    // The account's quota does not come back within a turn, whatever the headers say.
    let isRetryable = error.code != .quotaExhausted && (advice.shouldRetry ?? error.isTransient)
    let now = timing.now()
    breaker.withLock { breaker in
      if response.status >= 500 { breaker.failed(now: now) } else { breaker.succeeded() }
    }
    return Failure(error: error, isRetryable: isRetryable, asked: advice.after)
  }

  private func redirect(_ response: HTTPResponse) -> ModelError {
    let target = response.headers["location"].map { " to `\(HTTPRequest.shown($0))`" } ?? ""
    return ModelError(
      .redirected,
      "the endpoint redirects\(target) (\(response.status)); redirects are not followed, so that the key stays with `base_url`")
  }

  private func mediaType(_ header: String) -> String {
    let type = header.prefix { $0 != ";" && $0 != " " }
    return String(visible(String(type.prefix(80))).lowercased())
  }

  // MARK: The key

  private func currentAuthority() throws(ModelError) -> Authority {
    if let known = authority.withLock({ $0 }) { return known }
    let made = try makeAuthority(try endpoint.credential.key())
    authority.withLock { $0 = made }
    return made
  }

  private func makeAuthority(_ key: APIKey?) throws(ModelError) -> Authority {
    var headers: HTTPHeaders = ["Content-Type": "application/json", "Accept": "application/json"]
    for header in endpoint.headers { headers.append(header.name, header.value) }
    if let key {
      if let name = endpoint.keyHeader { headers[name] = key.value } else { headers["Authorization"] = "Bearer \(key.value)" }
    }
    let secrets = endpoint.headers.filter(\.isSecret).map(\.value) + (key.map { [$0.value] } ?? [])
    return Authority(headers: headers, filter: SecretFilter(secrets))
  }

  /// Reads the key file again after a 401, since keys are replaced while a service runs.
  ///
  /// - Returns: Whether there is another key now.
  private func renewKey() throws(ModelError) -> Bool {
    guard case .file = endpoint.credential else { return false }
    let made = try makeAuthority(try endpoint.credential.key())
    return authority.withLock { known in
      let isNew = known?.headers != made.headers
      known = made
      return isNew
    }
  }
}
