import Core
import Glibc
import HTTP
import LLM
import TestSupport
import Testing

private let good = chat(calls(call("call_1", "complete_step", "{\"risk\":\"low\"}")), finish: "tool_calls")
private let canary = "sk-canary-5f1c0e2d9b"

/// An endpoint at a fake server, with short limits.
private func endpoint(_ fake: FakeEndpoint, retries: Int = 2, time: Duration = .seconds(20)) -> ModelEndpoint {
  var endpoint = ModelEndpoint(baseURL: "\(fake.base)/v1/")
  endpoint.credential = APIKey(canary).map { .key($0) } ?? .none
  endpoint.retry.maximumRetries = retries
  endpoint.limits.timeout = time
  endpoint.limits.minimumBytesPerWindow = 100
  endpoint.limits.slowWindow = .milliseconds(800)
  return endpoint
}

/// A timing that notes waits instead of waiting.
private func noted(_ waits: Locked<[Duration]>, random: Double = 0) -> ModelTiming {
  var timing = ModelTiming.system
  timing.sleep = { wait in waits.withLock { $0.append(wait) } }
  timing.random = { random }
  timing.wall = TimeSource { Instant(milliseconds: 784_111_777_000) }  // Sun, 06 Nov 1994 08:49:37 GMT
  return timing
}

@Suite("endpoint", .timeLimit(.minutes(5))) struct EndpointModelTests {
  @Test("a turn over HTTP", arguments: ModelAPI.allCases)
  func turn(api: ModelAPI) async throws {
    let body =
      api == .chat
      ? good
      : #"{"status":"completed","output":[{"type":"function_call","call_id":"call_1","name":"complete_step","arguments":"{\"risk\":\"low\"}"}]}"#
    try await FakeEndpoint.run({ _ in FakeEndpoint.answer(200, body) }) { fake in
      var target = endpoint(fake)
      target.extraBody = ["service_tier": "flex", "temperature": 0]
      target.headers = [.init("X-Team", "procurement")]
      let model = EndpointModel(target, client: HTTPClient())
      var request = ask(api)
      request.options = ["temperature": 1]
      let reply = try await model.respond(to: request, within: .seconds(30))
      #expect(reply.toolCalls.map(\.name) == ["complete_step"])
      #expect(!reply.isScripted && reply.exchange.httpStatus == 200 && reply.exchange.attempts == 1)
      #expect(reply.exchange.latency > .zero)
      #expect(reply.exchange.responseBytes == Array(body.utf8))
      let seen = try #require(fake.requests.first)
      #expect(seen.line == "POST /v1/\(api == .chat ? "chat/completions" : "responses") HTTP/1.1")
      #expect(seen.headers["authorization"] == "Bearer \(canary)")
      #expect(seen.headers["content-type"] == "application/json")
      #expect(seen.headers["x-team"] == "procurement")
      #expect(seen.body == reply.exchange.requestBytes)
      let sent = try JSON.parse(seen.body)
      #expect(sent["service_tier"] == "flex" && sent["temperature"] == 1)
    }
  }

  struct Fault: Sendable, CustomTestStringConvertible {
    let name: String
    let steps: [FakeEndpoint.Step]
    let code: ModelError.Code
    var isTransient = false
    /// Requests that the server sees, with two retries allowed.
    var requests = 1
    var words: [String] = []
    var time = Duration.seconds(20)
    var testDescription: String { name }
  }

  private static func error(_ status: Int, _ body: String, type: String = "application/json", headers: [String] = []) -> [FakeEndpoint.Step]
  {
    FakeEndpoint.answer(status, body, type: type, headers: headers)
  }

  static let faults = [
    Fault(name: "hangs", steps: [.hang], code: .timeout, isTransient: true, requests: 3, time: .milliseconds(300)),
    Fault(name: "closes without a word", steps: [.close], code: .unreachable, isTransient: true, requests: 3),
    Fault(name: "resets", steps: [.reset], code: .unreachable, isTransient: true, requests: 3),
    Fault(
      name: "half-closes in the body",
      steps: [.send(FakeEndpoint.head(200, length: 1000) + Array("{\"choices\":".utf8)), .halfClose, .hang],
      code: .unreachable, isTransient: true, requests: 3),
    Fault(
      name: "drips", steps: [.send(FakeEndpoint.head(200, length: 5000)), .drip([UInt8](repeating: 32, count: 5000), .milliseconds(60))],
      code: .timeout, isTransient: true, requests: 3, words: ["100 bytes"], time: .seconds(30)),
    Fault(
      name: "401", steps: error(401, #"{"error":{"message":"Incorrect API key provided: \#(canary)","code":"invalid_api_key"}}"#),
      code: .unauthorized,
      words: ["401", "(secret)"]),
    Fault(name: "403", steps: error(403, #"{"error":"forbidden"}"#), code: .unauthorized, words: ["forbidden"]),
    Fault(
      name: "404", steps: error(404, #"{"error":{"message":"The model `x` does not exist"}}"#), code: .notFound,
      words: ["does not exist", "/v1"]),
    Fault(
      name: "429 with an integer code", steps: error(429, #"{"error":{"message":"slow down","code":429}}"#), code: .rateLimited,
      isTransient: true, requests: 3,
      words: ["slow down"]),
    Fault(
      name: "429 for the quota", steps: error(429, #"{"error":{"message":"You exceeded your quota","code":"insufficient_quota"}}"#),
      code: .quotaExhausted),
    Fault(
      name: "429 that asks for ten minutes", steps: error(429, "{}", headers: ["Retry-After: 600"]), code: .rateLimited, isTransient: true,
      requests: 1),
    Fault(
      name: "429 that forbids to retry", steps: error(429, "{}", headers: ["x-should-retry: false"]), code: .rateLimited, isTransient: true,
      requests: 1),
    Fault(
      name: "400", steps: error(400, #"{"object":"error","message":"bad tool","code":400}"#), code: .refusedRequest,
      words: ["bad tool", "400"]),
    Fault(name: "400 that asks to retry", steps: error(400, "{}", headers: ["x-should-retry: true"]), code: .refusedRequest, requests: 3),
    Fault(
      name: "400 in an array", steps: error(400, #"[{"error":{"code":400,"message":"no such tool","status":"INVALID_ARGUMENT"}}]"#),
      code: .refusedRequest,
      words: ["no such tool"]),
    Fault(
      name: "400 for the context", steps: error(400, #"{"error":{"message":"too long","code":"context_length_exceeded"}}"#),
      code: .contextLength),
    Fault(name: "400 of the filter", steps: error(400, #"{"error":{"message":"filtered","code":"content_filter"}}"#), code: .contentFilter),
    Fault(
      name: "422 of FastAPI", steps: error(422, #"{"detail":[{"loc":["body"],"msg":"field required"}]}"#), code: .refusedRequest,
      words: ["field required"]),
    Fault(
      name: "500 with Jinja text",
      steps: error(500, #"{"error":{"code":500,"message":"Conversation roles must alternate\u001b[2J","type":"server_error"}}"#),
      code: .serverError, isTransient: true, requests: 3, words: ["must alternate"]),
    Fault(
      name: "502 of a proxy, in HTML",
      steps: error(502, "<html><head><title>502 Bad Gateway</title></head><body>x</body></html>", type: "text/html"),
      code: .serverError, isTransient: true, requests: 3, words: ["502 Bad Gateway"]),
    Fault(
      name: "503 as text", steps: error(503, "server busy, please try again", type: "text/plain"), code: .serverError, isTransient: true,
      requests: 3, words: ["server busy"]),
    Fault(
      name: "529", steps: error(529, #"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#), code: .serverError,
      isTransient: true, requests: 3),
    Fault(name: "500 without a body", steps: error(500, ""), code: .serverError, isTransient: true, requests: 3),
    Fault(
      name: "200 with HTML", steps: error(200, "<html><title>Login</title></html>", type: "text/html"), code: .malformedReply,
      isTransient: true, words: ["text/html", "Login"]),
    Fault(
      name: "200 as a stream", steps: error(200, "data: {}\n\ndata: [DONE]\n\n", type: "text/event-stream"), code: .malformedReply,
      isTransient: true, words: ["text/event-stream"]),
    Fault(
      name: "invalid JSON", steps: error(200, #"{"choices":[{"message":{"content":"x"},}]}"#), code: .malformedReply, isTransient: true),
    Fault(name: "cut JSON", steps: error(200, String(good.prefix(200))), code: .malformedReply, isTransient: true),
    Fault(
      name: "50 MB", steps: [.send(FakeEndpoint.head(200, length: nil)), .flood(50 << 20), .close], code: .replyTooLarge, words: ["8388608"]
    ),
    Fault(name: "50 MB of error", steps: [.send(FakeEndpoint.head(500, length: 50 << 20)), .flood(50 << 20)], code: .replyTooLarge),
    Fault(
      name: "10,000 tool calls",
      steps: error(200, chat(calls(repeatElement(call("a", "complete_step", "{}"), count: 10_000).joined(separator: ",")))),
      code: .tooManyToolCalls),
    Fault(name: "no HTTP", steps: [.send(Array("+OK POP3 ready\r\n".utf8)), .close], code: .malformedReply, isTransient: true),
    Fault(name: "redirect without a target", steps: error(302, ""), code: .redirected, words: ["302"]),
  ]

  @Test("T20 a misbehaving endpoint ends in a typed error in bounded time, without the key", arguments: faults)
  func fault(_ fault: Fault) async throws {
    try await FakeEndpoint.run({ _ in fault.steps }) { fake in
      let waits = Locked<[Duration]>([])
      let model = EndpointModel(endpoint(fake, time: fault.time), client: HTTPClient(), timing: noted(waits))
      let began = ContinuousClock.now
      let error = try #require(await failure(model, within: .seconds(60)))
      #expect(error.code == fault.code, "\(error)")
      #expect(error.isTransient == fault.isTransient)
      #expect(fake.requests.count == fault.requests)
      #expect(waits.withLock { $0.count } == fault.requests - 1)
      #expect(ContinuousClock.now - began < .seconds(60))
      for words in fault.words { #expect(error.message.contains(words), "\(error)") }
      #expect(error.message.utf8.count < 700)
      #expect(!error.message.unicodeScalars.contains { $0.value < 0x20 })
      let exchange = try #require(error.exchange)
      #expect(exchange.attempts == fault.requests)
      for kept in [Array("\(error)".utf8), Array("\(String(reflecting: error))".utf8), exchange.requestBytes, exchange.responseBytes] {
        #expect(!String(decoding: kept, as: UTF8.self).contains(canary))
      }
    }
  }

  @Test("T20 a redirect to another host is not followed, and the key does not go there", arguments: [301, 302, 303, 307, 308])
  func redirect(status: Int) async throws {
    try await FakeEndpoint.run({ _ in FakeEndpoint.answer(200, good) }) { other in
      try await FakeEndpoint.run({ _ in FakeEndpoint.answer(status, "", headers: ["Location: \(other.base)/v1/chat/completions?token=t"]) })
      { fake in
        let error = try #require(await failure(EndpointModel(endpoint(fake), client: HTTPClient())))
        #expect(error.code == .redirected)
        #expect(error.message.contains("127.0.0.1:\(other.port)") && !error.message.contains("token"))
        #expect(other.requests.isEmpty)
        #expect(fake.requests.count == 1)
      }
    }
  }

  @Test("T20 nobody listens")
  func refused() async throws {
    let port = try FakeEndpoint.refusingPort()
    let waits = Locked<[Duration]>([])
    let model = EndpointModel(ModelEndpoint(baseURL: "http://127.0.0.1:\(port)/v1"), client: HTTPClient(), timing: noted(waits))
    let error = try #require(await failure(model))
    #expect(error.code == .unreachable && error.isTransient)
    #expect(waits.withLock { $0 } == [.milliseconds(500), .seconds(1)])
  }

  struct Wait: Sendable {
    let headers: [String]
    let waits: [Duration]
  }

  static let waits = [
    Wait(headers: [], waits: [.milliseconds(500), .seconds(1)]),
    Wait(headers: ["Retry-After: 2"], waits: [.seconds(2), .seconds(2)]),
    Wait(headers: ["Retry-After: 0.25"], waits: [.milliseconds(250), .milliseconds(250)]),
    Wait(headers: ["retry-after-ms: 40", "Retry-After: 9"], waits: [.milliseconds(40), .milliseconds(40)]),
    Wait(headers: ["Retry-After: Sun, 06 Nov 1994 08:49:40 GMT"], waits: [.seconds(3), .seconds(3)]),
    Wait(
      headers: ["Date: Sun, 06 Nov 1994 09:00:00 GMT", "Retry-After: Sun, 06 Nov 1994 09:00:01 GMT"], waits: [.seconds(1), .seconds(1)]),
    Wait(headers: ["Retry-After: Sun, 06 Nov 1994 08:00:00 GMT"], waits: [.milliseconds(500), .seconds(1)]),
    Wait(headers: ["Retry-After: soon"], waits: [.milliseconds(500), .seconds(1)]),
    Wait(headers: ["Retry-After: -5"], waits: [.milliseconds(500), .seconds(1)]),
    Wait(headers: ["Retry-After: 121"], waits: []),
    Wait(headers: ["Retry-After: 1e300"], waits: [.milliseconds(500), .seconds(1)]),
    Wait(headers: ["Retry-After: 0"], waits: [.milliseconds(500), .seconds(1)]),
  ]

  @Test("T20 waits are what the endpoint asks for, within bounds", arguments: waits)
  func retryAfter(_ test: Wait) async throws {
    try await FakeEndpoint.run({ _ in FakeEndpoint.answer(429, "{}", headers: test.headers) }) { fake in
      let waits = Locked<[Duration]>([])
      let error = await failure(EndpointModel(endpoint(fake), client: HTTPClient(), timing: noted(waits)), within: .seconds(60))
      #expect(error?.code == .rateLimited)
      #expect(waits.withLock { $0 } == test.waits)
    }
  }

  @Test("a failure that passes ends in a reply, with its attempts counted")
  func recovery() async throws {
    try await FakeEndpoint.run({ $0.number < 2 ? FakeEndpoint.answer(503, "busy", type: "text/plain") : FakeEndpoint.answer(200, good) }) {
      fake in
      let waits = Locked<[Duration]>([])
      let model = EndpointModel(endpoint(fake), client: HTTPClient(), timing: noted(waits, random: 1))
      let reply = try await model.respond(to: ask(), within: .seconds(30))
      #expect(reply.exchange.attempts == 3)
      #expect(waits.withLock { $0 } == [.milliseconds(375), .milliseconds(750)], "shortened by a quarter at most")
    }
  }

  @Test("T20 the deadline of the turn holds against the endpoint's own limits, in an exchange and in a wait")
  func deadline() async throws {
    try await FakeEndpoint.run({ $0.number == 0 ? [.hang] : FakeEndpoint.answer(429, "{}", headers: ["Retry-After: 60"]) }) { fake in
      let model = EndpointModel(endpoint(fake, time: .seconds(600)), client: HTTPClient())
      var began = ContinuousClock.now
      #expect(await failure(model, within: .milliseconds(300))?.code == .timeout)
      #expect(ContinuousClock.now - began < .seconds(30))
      began = .now
      let limited = await failure(model, within: .seconds(40))
      #expect(limited?.code == .rateLimited && limited?.retryAfter == .seconds(60))
      #expect(ContinuousClock.now - began < .seconds(30), "it does not wait for what the deadline would cut off")
      #expect(await failure(model, within: .seconds(-1))?.code == .timeout)
      #expect(fake.requests.count == 2)
    }
  }

  @Test("cancelling ends a turn at once, in an exchange and in a wait")
  func cancellation() async throws {
    for steps in [[FakeEndpoint.Step.hang], FakeEndpoint.answer(429, "{}", headers: ["Retry-After: 30"])] {
      try await FakeEndpoint.run({ _ in steps }) { fake in
        let model = EndpointModel(endpoint(fake, time: .seconds(60)), client: HTTPClient())
        let task = Task { await failure(model, within: .seconds(100)) }
        while fake.requests.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        try await Task.sleep(for: .milliseconds(50))
        let began = ContinuousClock.now
        task.cancel()
        #expect(await task.value?.code == .cancelled)
        #expect(ContinuousClock.now - began < .seconds(15))
      }
    }
  }

  @Test("T20 after five failures in a row the endpoint is left alone, then probed once")
  func circuit() async throws {
    let isUp = Locked(false)
    try await FakeEndpoint.run({ _ in isUp.withLock { $0 } ? FakeEndpoint.answer(200, good) : FakeEndpoint.answer(500, "{}") }) { fake in
      let now = Locked(ContinuousClock.now)
      var timing = ModelTiming.system
      timing.now = { now.withLock { $0 } }
      let model = EndpointModel(endpoint(fake, retries: 0), client: HTTPClient(), timing: timing)
      func turn() async -> ModelError? { await failure(Clocked(model: model, now: now)) }
      for _ in 0..<5 { #expect(await turn()?.code == .serverError) }
      let open = try #require(await turn())
      #expect(open.code == .circuitOpen && open.isTransient && open.retryAfter == .seconds(30))
      #expect(fake.requests.count == 5)
      now.withLock { $0 += .seconds(30) }
      #expect(await turn()?.code == .serverError, "the probe")
      #expect(await turn()?.retryAfter == .seconds(60), "open for twice as long")
      now.withLock { $0 += .seconds(60) }
      isUp.withLock { $0 = true }
      #expect(await turn() == nil)
      #expect(await turn() == nil)
      #expect(fake.requests.count == 8)
    }
  }

  /// Asks with a deadline on the test's own clock.
  private struct Clocked: ModelClient {
    let model: EndpointModel
    let now: Locked<ContinuousClock.Instant>

    func respond(to request: ModelRequest, deadline: ContinuousClock.Instant) async throws(ModelError) -> ModelReply {
      try await model.respond(to: request, deadline: now.withLock { $0 } + .seconds(30))
    }
  }

  @Test("T31 a key that the endpoint echoes is blotted out of everything that is kept")
  func echo() async throws {
    let body = chat("{\"role\":\"assistant\",\"content\":\"your key is \(canary), and again \(canary); token-of-header-77\"}")
    try await FakeEndpoint.run({ _ in FakeEndpoint.answer(200, body) }) { fake in
      var target = endpoint(fake)
      target.headers = [.init("X-Auth", "token-of-header-77", isSecret: true)]
      let reply = try await EndpointModel(target, client: HTTPClient()).respond(to: ask(), within: .seconds(30))
      #expect(reply.text == "your key is (secret), and again (secret); (secret)")
      #expect(reply.warnings.map(\.code) == [.secretBlotted])
      #expect(!String(reflecting: reply).contains(canary))
      #expect(!String(decoding: reply.exchange.responseBytes, as: UTF8.self).contains(canary))
      #expect(!String(reflecting: target).contains(canary))
      var dumped = ""
      dump(target.credential, to: &dumped)
      #expect(!dumped.contains(canary))
    }
  }

  @Test("a short placeholder key blots out nothing")
  func placeholder() async throws {
    try await FakeEndpoint.run({ _ in FakeEndpoint.answer(200, chat(#"{"role":"assistant","content":"none of them"}"#)) }) { fake in
      var target = endpoint(fake)
      target.credential = APIKey("none").map { .key($0) } ?? .none
      let reply = try await EndpointModel(target, client: HTTPClient()).respond(to: ask(), within: .seconds(30))
      #expect(reply.text == "none of them")
    }
  }

  @Test("a key file is read late, through a link, and again when the key was replaced")
  func keyFile() async throws {
    try await withTemporaryDirectory { directory in
      let (path, link) = ("\(directory)/key", "\(directory)/link")
      symlink(path, link)
      try await FakeEndpoint.run({ request in
        request.headers["authorization"] == "Bearer new-key-2" ? FakeEndpoint.answer(200, good) : FakeEndpoint.answer(401, "{}")
      }) { fake in
        var target = endpoint(fake)
        target.credential = .file(link)
        let model = EndpointModel(target, client: HTTPClient())
        let missing = try #require(await failure(model))
        #expect(missing.code == .configuration && missing.message.contains(link))
        try RegularFile.writeAtomically(Array("old-key-1\n".utf8), to: path)
        #expect(await failure(model)?.code == .unauthorized)
        #expect(fake.requests.count == 1, "the same key is not tried again")
        try RegularFile.writeAtomically(Array("  new-key-2 \n".utf8), to: path)
        #expect(await failure(model) == nil)
        #expect(fake.requests.count == 3)
        try RegularFile.writeAtomically(Array("two words".utf8), to: path)
        let bad = await failure(EndpointModel(target, client: HTTPClient()))
        #expect(bad?.code == .configuration && bad?.message.contains("two words") == false)
      }
    }
  }

  @Test("a reply with the wrong content type is read when it is one, with a warning")
  func contentType() async throws {
    try await FakeEndpoint.run({ _ in FakeEndpoint.answer(200, good, type: "text/plain; charset=utf-8") }) { fake in
      let reply = try await EndpointModel(endpoint(fake), client: HTTPClient()).respond(to: ask(), within: .seconds(30))
      #expect(reply.warnings.map(\.code) == [.contentType])
    }
  }

  @Test("the base URL may end in a slash or a query, and another header may carry the key")
  func addresses() async throws {
    try await FakeEndpoint.run({ _ in FakeEndpoint.answer(200, good) }) { fake in
      var target = endpoint(fake)
      target.baseURL = "\(fake.base)/openai/deployments/d/?api-version=1"
      target.keyHeader = "api-key"
      _ = try await EndpointModel(target, client: HTTPClient()).respond(to: ask(), within: .seconds(30))
      let seen = try #require(fake.requests.first)
      #expect(seen.line == "POST /openai/deployments/d/chat/completions?api-version=1 HTTP/1.1")
      #expect(seen.headers["api-key"] == canary && seen.headers["authorization"] == nil)
    }
  }
}
