import Core
import Glibc
import ProcessModel

/// Deciding, encoding, reading and folding the events of runs; no gate, no store.
///
/// The run is the one of the other run benchmarks: start, then five role steps. One operation is one command or one event.
func benchProcess(_ report: inout BenchReport) throws {
  let text = """
    { process: "bench", title: "Bench", owner: "role:lead", purpose: "Measure.",
      triggers: [{ form: "request", role: "clerk", fields: ["customer", "amount"] }],
      fields: { customer: { type: "string" }, amount: { type: "number" }, note: { type: "string", required: false },
                risk: { enum: ["low", "high"] } },
      steps: [
        { step: "one", role: "clerk", form: ["note"], due: "P1D" }, { step: "two", role: "clerk", form: ["risk"] },
        { choose: [ { when: "run.risk == 'low' && run.amount > 10.0", then: [ { step: "three", role: "clerk", form: ["note"] } ] },
                    { otherwise: [], id: "none" } ], id: "which" },
        { step: "four", role: "clerk", form: ["note"] }, { step: "five", role: "clerk", form: ["note"] },
      ], on: [{ timeout: "P2D", of: "one", escalate: "role:lead" }] }
    """
  let process: ProcessDefinition
  do {
    process = try ProcessDefinition.load(Array(text.utf8), file: "bench.json5").process
  } catch {
    throw BenchError("\(error)")
  }
  let commands = benchCommands
  let now = Instant(milliseconds: 1_767_225_600_000)
  var entries: [[RunEvent]] = []
  var states: [RunState?] = [nil]
  for command in commands {
    let events = try process.decide(command, in: states[states.count - 1], now: now)
    var state = states[states.count - 1]
    for event in events { if state == nil { state = RunState(event) } else { _ = state?.apply(event) } }
    entries.append(events)
    states.append(state)
  }
  let count = entries.reduce(0) { $0 + $1.count }
  report.note("\(commands.count) commands lead to \(count) events")
  report.measure("process/decide", work: "a command, consequences worked out", operations: commands.count) {
    for (command, state) in zip(commands, states) { keep((try? process.decide(command, in: state, now: now))?.count ?? 0) }
  }
  report.measure("process/encode", work: "an event, to structure and values", operations: count) {
    for events in entries { keep(RunEvent.encode(events).values.count) }
  }
  let wire = entries.map { RunEvent.encode($0) }
  report.measure("process/decode", work: "an event, from parsed JSON", operations: count) {
    for (structure, values) in wire { keep((try? RunEvent.decode(structure: structure, values: values))?.count ?? 0) }
  }
  report.measure("process/decode_apply", work: "an event, from parsed JSON to the run's state", operations: count) {
    var state: RunState?
    for (structure, values) in wire {
      for event in (try? RunEvent.decode(structure: structure, values: values)) ?? [] {
        if state == nil { state = RunState(event) } else { _ = state?.apply(event) }
      }
    }
    keep(state?.steps.count ?? 0)
  }
  report.measure("process/apply", work: "an event, folded", operations: count) {
    var state: RunState?
    for events in entries {
      for event in events { if state == nil { state = RunState(event) } else { _ = state?.apply(event) } }
    }
    keep(state?.steps.count ?? 0)
  }
  let bytes = try wire.map { structure, values in (try structure.canonicalBytes(), try JSON.object(values).canonicalBytes()) }
  report.measure("process/parse_decode_apply", work: "an event, from canonical bytes to the run's state", operations: count) {
    var state: RunState?
    for (structure, values) in bytes {
      guard let structure = try? JSON.parse(structure), let values = try? JSON.parse(values).objectValue else { continue }
      for event in (try? RunEvent.decode(structure: structure, values: values)) ?? [] {
        if state == nil { state = RunState(event) } else { _ = state?.apply(event) }
      }
    }
    keep(state?.steps.count ?? 0)
  }
}

private let benchCommands: [RunCommand] = [
  .start(
    run: "r-000001", release: String(repeating: "a", count: 64), requester: "user:ana", trigger: nil,
    fields: ["customer": "Acme GmbH", "amount": 250]),
  .completeStep("one", by: "user:ana", fields: ["note": "papers are here"], origin: nil, comment: nil),
  .completeStep("two", by: "user:ana", fields: ["risk": "low"], origin: nil, comment: nil),
  .completeStep("three", by: "user:ana", fields: ["note": "nothing special"], origin: nil, comment: nil),
  .completeStep("four", by: "user:ana", fields: ["note": "done"], origin: nil, comment: nil),
  .completeStep("five", by: "user:ana", fields: [:], origin: nil, comment: nil),
]
