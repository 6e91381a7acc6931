import Core
import Glibc
import HTTP
import LLM
import Subprocess

/// Whole model calls against a stub on loopback: request built, sent, answered, reply parsed.
///
/// One call is about 3 kB out, 0.6 kB in.
///
/// The rows without JSON, and of JSON alone, say what the parts cost. The limit in C is a program that libcurl alone makes:
/// `--peer 'llm_curl http://127.0.0.1:18080/v1/chat/completions body.json --n 20000 --c 256'` with a stub of its own.
func benchModel(_ report: inout BenchReport) async throws {
  let portFile = "/tmp/remit-bench-stub.\(getpid())"
  defer { unlink(portFile) }
  let stub = Task {
    try? await Invocation(.path("/proc/self/exe"), ["model-stub", portFile], limits: InvocationLimits(time: .seconds(600))).run()
  }
  defer { stub.cancel() }
  let base = "http://127.0.0.1:\(try await port(portFile))/v1"
  let request = benchRequest
  let scripted = try await ScriptedModel(turns: [.text("x")]).respond(to: request, within: .seconds(1))
  let body = scripted.exchange.requestBytes

  for inFlight in [1, 256] {
    let work = "\(inFlight) in flight, \(body.count) B out, \(ModelStub.answer.utf8.count) B in"
    let model = EndpointModel(ModelEndpoint(baseURL: base, model: "stub-1"), client: HTTPClient(.init(maximumConnections: inFlight)))
    try await measureCalls(&report, "model/call", work, inFlight) {
      let reply = try await model.respond(to: benchRequest, within: .seconds(60))
      guard reply.text.hasPrefix("The invoice"), reply.usage?.inputTokens == 612 else { throw BenchError("the stub's reply was misread") }
    }
    let client = HTTPClient(.init(maximumConnections: inFlight))
    let exchange = HTTPRequest(
      method: .post, url: "\(base)/chat/completions", headers: ["Content-Type": "application/json", "Authorization": "Bearer none"],
      body: body)
    try await measureCalls(&report, "model/http", "\(work), no JSON", inFlight) {
      guard try await client.send(exchange).status == 200 else { throw BenchError("the stub refused") }
    }
  }
  let answer = ScriptedModel { _ in .body(Array(ModelStub.answer.utf8)) }
  try await measureCalls(&report, "model/json", "request built and reply parsed, nothing sent", 1) {
    _ = try await answer.respond(to: benchRequest, within: .seconds(60))
  }
}

/// The request of the peers' scripts.
private let benchRequest: ModelRequest = {
  let tools = ["lookup_invoice", "schedule_payment", "ask_human"].map { name in
    ModelTool(
      name: name, description: "\(name) of the case, with its identifier",
      parameters: [
        "type": "object", "properties": ["case_id": ["type": "string"], "amount": ["type": "number"], "reason": ["type": "string"]],
        "required": ["case_id"],
      ])
  }
  let policy = "You are a governed accounts-payable agent. Follow the policy and ask for approval when needed. "
  let invoice = "Invoice 4711 of Acme GmbH over 1200 EUR came in; purchase order 99 and goods receipt 98 are attached. "
  return ModelRequest(
    model: "stub-1", system: String(repeating: policy, count: 8), messages: [.user(String(repeating: invoice, count: 12))], tools: tools,
    options: ["temperature": 0])
}()

/// Runs calls in rounds until the CPU budget is used.
private func measureCalls(
  _ report: inout BenchReport, _ name: String, _ work: String, _ inFlight: Int, _ call: @escaping @Sendable () async throws -> Void
) async throws {
  let each = max(1, 4096 / inFlight)
  func round() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<inFlight { group.addTask { for _ in 0..<each { try await call() } } }
      try await group.waitForAll()
    }
  }
  try await round()
  let (cpu, wall) = (cpuSeconds(), wallSeconds())
  var done = 0
  repeat {
    try await round()
    done += each * inFlight
  } while cpuSeconds() - cpu < report.options.seconds
  report.add(name, work: work, operations: done, wall: wallSeconds() - wall, cpu: cpuSeconds() - cpu)
}

/// The port that the stub wrote.
private func port(_ file: String) async throws -> Int {
  for _ in 0..<500 {
    if let bytes = try? RegularFile.read(file, maximumBytes: 64), bytes.last == 0x0A,
      let port = Int(String(decoding: bytes.dropLast(), as: UTF8.self))
    {
      return port
    }
    try await Task.sleep(for: .milliseconds(10))
  }
  throw BenchError("the stub did not start")
}
