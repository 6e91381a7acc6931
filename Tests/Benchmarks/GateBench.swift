import Core
import Glibc
import Governance
import PolicyEngine

/// Decisions of the rules with 10, 100 and 1,000 of them, one thread.
///
/// Every answer is compared with the oracle before anything is timed: the verdict and the ids of all rules that match.
func benchGate(_ report: inout BenchReport) throws {
  var rates: [Int: Double] = [:]
  for count in [10, 100, 1000] {
    let workload: GateWorkload
    if let data = report.options.data {
      workload = try GateWorkload(folder: "\(data)/policy\(count)")
    } else {
      workload = GateWorkload(policies: count, questions: 1000, seed: report.options.seed)
    }
    let start = cpuSeconds()
    let text = Array(workload.rulesText.utf8)
    let rules: RuleSet
    do {
      rules = try RuleSet.load(text, file: "bench.json5", environment: GateWorkload.environment)
    } catch {
      throw BenchError("\(error)")
    }
    let load = cpuSeconds() - start
    let parts = workload.questions.compactMap(\.parts)
    let now = Instant(milliseconds: 1_767_225_600_000)
    let requests = parts.map {
      Request(principal: $0.principal, tool: $0.tool, arguments: $0.arguments, run: $0.run, facts: $0.facts, now: now)
    }
    try check(workload, rules, requests)
    let work = "\(count) rules"
    let extra: JSONObject = ["policies": .int(count), "mode": "warm", "checked": .int(requests.count), "load_ms": rounded(load * 1000, 3)]
    rates[count] = report.measure("gate/decide", work: "\(work), from parsed values", operations: parts.count, extra: extra) {
      var allowed = 0
      for place in parts.indices {
        let request = Request(
          principal: parts[place].principal, tool: parts[place].tool, arguments: parts[place].arguments, run: parts[place].run,
          facts: parts[place].facts, now: now)
        if rules.authorize(request).outcome == .permit { allowed += 1 }
      }
      keep(allowed)
    }
    let texts = try parts.map { try $0.json.canonicalBytes() }
    report.measure("gate/decide_text", work: "\(work), from JSON text", operations: texts.count, extra: extra) {
      var allowed = 0
      for text in texts {
        guard let json = try? JSON.parse(text), let request = Request(benchmark: json, now: now) else { continue }
        if rules.authorize(request).outcome == .permit { allowed += 1 }
      }
      keep(allowed)
    }
    report.measure("gate/decide_again", work: "\(work), the request already made", operations: requests.count, extra: extra) {
      var allowed = 0
      for request in requests where rules.authorize(request).outcome == .permit { allowed += 1 }
      keep(allowed)
    }
    // The limit in the same language and process: the rules written by hand as Swift, over structs, without index or reasons.
    report.measure("gate/limit_by_hand", work: "\(work), Swift by hand, linear", operations: workload.questions.count, extra: extra) {
      var allowed = 0
      for question in workload.questions where workload.decide(question).isAllowed { allowed += 1 }
      keep(allowed)
    }
    report.measure("gate/load", work: "\(work), text to ready rule set", operations: 1, extra: extra) {
      guard let rules = try? RuleSet.load(text, file: nil, environment: GateWorkload.environment) else { return }
      keep(rules.rules.count)
    }
  }
  if let small = rates[10], let large = rates[1000], small > 0, large > 0 {
    let growth = ((small / large) * 100).rounded() / 100
    report.note("growth from 10 to 1,000 rules: \(growth) x (target at most 2)")
    report.note("targets: 1,000,000/s with 10 rules, 500,000/s with 1,000")
  }
  try benchLabels(&report)
}

/// Where the values of a call with 20 arguments come from, in a run that was told 100 values in 10 results.
private func benchLabels(_ report: inout BenchReport) throws {
  var index = ProvenanceIndex()
  index.hear("Send the minutes of the planning meeting to ann@corp.example and share file 13 with Bob Stone before Friday.")
  for place in 0..<10 {
    let record = JSONObject(
      (0..<9).map { ("member\($0)", .string("value \(place * 10 + $0) of a record")) } + [("id", .string("r-\(place)"))])
    let text: JSON = .string(
      "The meeting was long, and everybody who was there agreed to write to eve@outside.example about item \(place).")
    index.observe(
      tool: "search\(place)", arguments: ["query": "minutes"], output: ToolOutput([.object(record), text]), trusted: place % 2 == 0,
      isPrivate: true)
  }
  let arguments = JSONObject(
    (0..<20).map { place in
      ("argument\(place)", .string(place % 4 == 0 ? "ann@corp.example" : "value \(place * 5) of a record"))
    })
  let call = TracedCall(tool: "send", arguments: arguments, sinks: (0..<20).filter { $0 % 4 == 0 }.map { "argument\($0)" })
  guard index.labels(of: call)["sinks"]?.arrayValue?.count == 5 else { throw BenchError("the labels are not those of the call") }
  report.measure("gate/labels", work: "20 arguments, 100 values that the run was told", operations: 1) {
    keep(index.labels(of: call).count)
  }
  report.note("target for labels: at most 20 µs")
}

extension Request {
  /// A request from its JSON, as a service gets it.
  fileprivate convenience init?(benchmark json: JSON, now: Instant) {
    guard
      let principal = json["principal"]?["id"]?.stringValue.flatMap({ id in
        Principal(
          id: id, roles: (json["principal"]?["roles"]?.arrayValue ?? []).compactMap(\.stringValue),
          owner: json["principal"]?["owner"]?.stringValue)
      }), let tool = json["tool"]?.stringValue, let arguments = json["args"]?.objectValue, let run = json["run"]?.objectValue,
      let facts = json["facts"]?.objectValue
    else { return nil }
    self.init(
      principal: principal, tool: Tool(name: tool, effect: .external, connector: "bench"), arguments: arguments, run: run, facts: facts,
      now: now)
  }
}

private func check(_ workload: GateWorkload, _ rules: RuleSet, _ requests: [Request]) throws(BenchError) {
  for (place, request) in requests.enumerated() {
    let decision = rules.authorize(request)
    let expected = workload.expected[place]
    let permits = decision.matched.filter { $0.effect == .permit }.map(\.rule)
    let forbids = decision.matched.filter { $0.effect == .forbid }.map(\.rule)
    if (decision.outcome == .permit) != expected.isAllowed || permits != expected.permits || forbids != expected.forbids
      || !decision.errors.isEmpty
    {
      throw BenchError(
        "request \(place): got \(decision.outcome) by \(permits) and \(forbids) \(decision.errors), the oracle says \(expected)")
    }
  }
}

/// Keeps a result from being optimised away.
@inline(never)
func keep(_ value: Int) {
  if value == .min { complain("") }
}
