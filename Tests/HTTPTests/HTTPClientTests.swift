import Core
import Foundation
import HTTP
import TestSupport
import Testing

/// The error of a request that must fail.
private func failure(_ client: HTTPClient, _ request: HTTPRequest) async -> HTTPError? {
  do throws(HTTPError) {
    _ = try await client.send(request)
    return nil
  } catch {
    return error
  }
}

@Suite("HTTP client", .timeLimit(.minutes(5))) struct HTTPClientTests {
  @Test("method, headers and body arrive, and the answer comes back whole")
  func exchange() async throws {
    try await FakeEndpoint.run({ request in
      FakeEndpoint.answer(201, "{\"n\":\(request.body.count)}", headers: ["X-Twice: a", "x-twice: b"])
    }) { endpoint in
      let client = HTTPClient()
      for method in HTTPRequest.Method.allCases {
        let body = method == .get || method == .head ? [] : Array("hello".utf8)
        let response = try await client.send(
          HTTPRequest(method: method, url: "\(endpoint.base)/a/b?c=d", headers: ["X-One": "1", "X-Empty": ""], body: body))
        #expect(response.status == 201)
        #expect(response.headers["x-twice"] == "a")
        #expect(response.headers.fields.filter { $0.name.lowercased() == "x-twice" }.count == 2)
        #expect(response.body == (method == .head ? [] : Array("{\"n\":\(body.count)}".utf8)))
        let request = try #require(endpoint.requests.last)
        #expect(request.line == "\(method.rawValue) /a/b?c=d HTTP/1.1")
        #expect(request.headers["x-one"] == "1")
        #expect(request.headers["x-empty"] == "")
        #expect(request.headers["expect"] == nil)
        #expect(request.headers["user-agent"] == "remit")
        #expect(request.body == body)
        // The fake endpoint sends a body to HEAD as well, which makes that connection useless.
      }
    }
  }

  @Test("connections are reused, and not where the request says so")
  func reuse() async throws {
    try await FakeEndpoint.run({ _ in FakeEndpoint.answer(200, "{}") }) { endpoint in
      let client = HTTPClient()
      for _ in 0..<5 { _ = try await client.send(HTTPRequest(url: endpoint.base)) }
      #expect(endpoint.connectionCount == 1)
      _ = try await client.send(HTTPRequest(url: endpoint.base, reusesConnection: false))
      #expect(endpoint.connectionCount == 2)
    }
  }

  @Test("a large body is sent without asking first, and received")
  func largeBody() async throws {
    try await FakeEndpoint.run({ request in FakeEndpoint.answer(200, String(repeating: "y", count: request.body.count)) }) { endpoint in
      let body = [UInt8](repeating: UInt8(ascii: "z"), count: 3 << 20)
      let response = try await HTTPClient().send(HTTPRequest(method: .post, url: endpoint.base, body: body))
      #expect(response.body.count == body.count)
      #expect(endpoint.requests.count == 1)
    }
  }

  @Test("a redirect is an answer and is not followed")
  func redirect() async throws {
    try await FakeEndpoint.run({ _ in FakeEndpoint.answer(200, "{}") }) { other in
      try await FakeEndpoint.run({ _ in FakeEndpoint.answer(307, "", headers: ["Location: \(other.base)/x"]) }) { endpoint in
        let request = HTTPRequest(method: .post, url: endpoint.base, headers: ["Authorization": "Bearer k"], body: [1])
        let response = try await HTTPClient().send(request)
        #expect(response.status == 307)
        #expect(other.requests.isEmpty)
      }
    }
  }

  @Test(
    "other protocols, user information and control characters are refused before anything is sent",
    arguments: [
      "file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/", "scp://x/y", "127.0.0.1:80", "http://", "http:///x",
      "http://u:p@127.0.0.1/",
      "http://127.0.0.1/a b", "http://127.0.0.1/\r\nX: y", "dict://127.0.0.1/", "",
    ])
  func badURL(url: String) async {
    let error = await failure(HTTPClient(), HTTPRequest(url: url))
    #expect(error?.code == .invalidRequest)
    #expect(error?.message.contains("u:p") == false)
    #expect(error?.requestMayHaveArrived == false)
  }

  @Test("headers that would split the request are refused")
  func badHeaders() async {
    for header in [
      ("X", "a\r\nY: b"), ("X", "a\0b"), ("X Y", "a"), ("X:", "a"), ("", "a"), ("Content-Length", "5"), ("transfer-encoding", "chunked"),
    ] {
      let error = await failure(
        HTTPClient(), HTTPRequest(url: "http://127.0.0.1:1/", headers: HTTPHeaders([.init(name: header.0, value: header.1)])))
      #expect(error?.code == .invalidRequest, "\(header)")
    }
  }

  struct Fault: Sendable, CustomTestStringConvertible {
    let name: String
    let steps: [FakeEndpoint.Step]
    let code: HTTPError.Code
    var limits = HTTPLimits(timeout: .seconds(25))
    var testDescription: String { name }
  }

  static let faults = [
    Fault(name: "hangs without an answer", steps: [.hang], code: .timeout, limits: HTTPLimits(timeout: .milliseconds(300))),
    Fault(
      name: "hangs in the body", steps: [.send(FakeEndpoint.head(200, length: 100)), .hang], code: .timeout,
      limits: HTTPLimits(timeout: .milliseconds(300))),
    Fault(
      name: "drips the body",
      steps: [.send(FakeEndpoint.head(200, length: 1000)), .drip([UInt8](repeating: 120, count: 1000), .milliseconds(50))],
      code: .tooSlow, limits: HTTPLimits(timeout: .seconds(20), minimumBytesPerWindow: 100, slowWindow: .milliseconds(800))),
    Fault(
      name: "drips a header line",
      steps: [.drip(Array("HTTP/1.1 200 OK\r\n".utf8) + [UInt8](repeating: 120, count: 1000), .milliseconds(20))],
      code: .timeout, limits: HTTPLimits(timeout: .milliseconds(700))),
    Fault(name: "announces 50 MB", steps: [.send(FakeEndpoint.head(200, length: 50 << 20)), .flood(50 << 20)], code: .bodyTooLarge),
    Fault(
      name: "sends 50 MB unannounced", steps: [.send(FakeEndpoint.head(200, length: nil)), .flood(50 << 20), .close], code: .bodyTooLarge),
    Fault(name: "sends endless headers", steps: [.send(Array("HTTP/1.1 200 OK\r\nX: ".utf8)), .flood(1 << 20), .close], code: .malformed),
    Fault(
      name: "sends many headers",
      steps: [
        .send(Array(("HTTP/1.1 200 OK\r\n" + String(repeating: "X: \(String(repeating: "y", count: 900))\r\n", count: 100) + "\r\n").utf8))
      ],
      code: .headersTooLarge),
    Fault(name: "closes without an answer", steps: [.close], code: .connectionLost),
    Fault(name: "resets", steps: [.reset], code: .connectionLost),
    Fault(name: "closes half-way", steps: [.send(FakeEndpoint.head(200, length: 100) + [1, 2, 3]), .close], code: .connectionLost),
    Fault(
      name: "half-closes half-way", steps: [.send(FakeEndpoint.head(200, length: 100) + [1]), .halfClose, .hang], code: .connectionLost),
    Fault(name: "speaks no HTTP", steps: [.send(Array("SSH-2.0-OpenSSH_9.2\r\n".utf8)), .close], code: .malformed),
  ]

  @Test("T20 a misbehaving server ends in a typed error within the limits", arguments: faults)
  func fault(_ fault: Fault) async throws {
    try await FakeEndpoint.run({ _ in fault.steps }) { endpoint in
      var limits = fault.limits
      limits.maximumBodyBytes = 1 << 20
      let url = "\(endpoint.base)/v1/x?key=canary-query"
      let began = ContinuousClock.now
      let request = HTTPRequest(method: .post, url: url, headers: ["Authorization": "Bearer canary-key"], body: [1], limits: limits)
      let error = try #require(await failure(HTTPClient(), request))
      #expect(error.code == fault.code, "\(error)")
      #expect(error.requestMayHaveArrived)
      #expect(ContinuousClock.now - began < .seconds(30))
      #expect(!error.message.contains("canary"))
    }
  }

  @Test("nobody listens")
  func refused() async throws {
    let port = try FakeEndpoint.refusingPort()
    let error = try #require(await failure(HTTPClient(), HTTPRequest(url: "http://127.0.0.1:\(port)/x")))
    #expect(error.code == .connect)
    #expect(!error.requestMayHaveArrived)
    #expect(error.message.contains("127.0.0.1:\(port)"))
  }

  @Test("the host is not known")
  func unknownHost() async throws {
    let error = try #require(await failure(HTTPClient(), HTTPRequest(url: "http://no-such-host.invalid/x")))
    #expect(error.code == .resolve || error.code == .timeout)
    #expect(!error.requestMayHaveArrived)
  }

  @Test("cancelling the task aborts the exchange at once")
  func cancellation() async throws {
    try await FakeEndpoint.run({ _ in [.hang] }) { endpoint in
      let client = HTTPClient()
      let task = Task { await failure(client, HTTPRequest(url: endpoint.base)) }
      while endpoint.requests.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
      let began = ContinuousClock.now
      task.cancel()
      #expect(await task.value?.code == .cancelled)
      #expect(ContinuousClock.now - began < .seconds(15))
      while endpoint.aborted == 0 && ContinuousClock.now - began < .seconds(30) { try await Task.sleep(for: .milliseconds(5)) }
      #expect(endpoint.aborted == 1)
      let early = Task { () -> HTTPError? in
        withUnsafeCurrentTask { $0?.cancel() }
        return await failure(client, HTTPRequest(url: endpoint.base))
      }
      #expect(await early.value?.code == .cancelled)
      #expect(endpoint.requests.count == 1)
    }
  }

  @Test("a client that goes away answers who waits")
  func shutdown() async throws {
    try await FakeEndpoint.run({ _ in [.hang] }) { endpoint in
      let client = HTTPClient()
      async let waiting = failure(client, HTTPRequest(url: endpoint.base))
      while endpoint.requests.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
      client.shutDown()
      #expect(await waiting?.code == .unavailable)
      #expect(await failure(client, HTTPRequest(url: endpoint.base))?.code == .unavailable)
    }
  }

  @Test("256 at once are answered, over at most as many connections as allowed")
  func many() async throws {
    try await FakeEndpoint.run({ request in
      [.pause(.milliseconds(20))] + FakeEndpoint.answer(200, String(decoding: request.body, as: UTF8.self))
    }) { endpoint in
      let client = HTTPClient(.init(maximumConnections: 32))
      let answers = try await withThrowingTaskGroup(of: Bool.self) { group in
        for index in 0..<256 {
          group.addTask {
            let body = Array("\(index)".utf8)
            return try await client.send(HTTPRequest(method: .post, url: endpoint.base, body: body)).body == body
          }
        }
        return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
      }
      #expect(answers == 256)
      #expect(endpoint.connectionCount <= 32)
    }
  }

  @Test("a full queue is an error and no unbounded wait")
  func fullQueue() async throws {
    try await FakeEndpoint.run({ _ in [.hang] }) { endpoint in
      let client = HTTPClient(.init(maximumQueued: 2))
      let tasks = (0..<2).map { _ in Task { await failure(client, HTTPRequest(url: endpoint.base)) } }
      while endpoint.requests.count < 2 { try await Task.sleep(for: .milliseconds(5)) }
      #expect(await failure(client, HTTPRequest(url: endpoint.base))?.code == .unavailable)
      for task in tasks { task.cancel() }
      for task in tasks { #expect(await task.value?.code == .cancelled) }
    }
  }

  @Test("a certificate that nobody vouches for is refused, and the variables name the trusted ones")
  func certificates() async throws {
    #expect(HTTPClient.Configuration(environment: ["SSL_CERT_FILE": "/a", "CURL_CA_BUNDLE": "/b"]).certificateBundle == "/b")
    #expect(HTTPClient.Configuration(environment: ["SSL_CERT_FILE": "/a", "SSL_CERT_DIR": "/c"]).certificateDirectory == "/c")
    try await FakeEndpoint.run({ _ in [] }) { endpoint in
      let client = HTTPClient(.init(certificateBundle: "/no/such/file"))
      let error = try #require(await failure(client, HTTPRequest(url: "https://127.0.0.1:\(endpoint.port)/")))
      #expect(error.code == .tls)
      #expect(!error.requestMayHaveArrived)
    }
  }

  @Test("what is shown of a URL holds no secret")
  func shown() {
    #expect(HTTPRequest.shown("https://u:p@h:1/a?k=v#f") == "https://h:1/a")
    #expect(HTTPRequest.shown("https://h/\u{1B}[31m") == "https://h/?[31m")
    #expect(HTTPRequest.shown("https://h/" + String(repeating: "x", count: 999)).utf8.count <= 203)
  }
}
