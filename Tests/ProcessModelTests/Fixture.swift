import CEL
import Core
import ProcessModel
import Testing

/// Loads a process from JSON5; a problem in it fails the test.
func load(_ text: String, context: ProcessContext = ProcessContext()) throws -> ProcessDefinition {
  try ProcessDefinition.load(Array(text.utf8), file: "process.json5", context: context).process
}

/// A process with these steps and what else is given, for tests that are about order and not about forms.
func process(
  steps: String, rest: String = "", triggers: String = "{ form: 'go', role: 'clerk' }"
) throws -> ProcessDefinition {
  try load(
    """
    { process: "p", title: "P", owner: "role:owner", purpose: "test", triggers: [ \(triggers) ],
      fields: { risk: { enum: ["low", "high"], required: false }, amount: { type: "number", minimum: 0, required: false },
                note: { type: "string", required: false }, done: { type: "boolean", required: false } },
      agents: { bot: { owner: "user:ana", tools: ["complete_step", "x.read"] } },
      tools: { "x.read": { connector: "command", command: ["true"], effect: "read", arguments: { type: "object", properties: { note: { type: "string" } } },
                           facts: { status: { enum: ["ok", "bad"] } } } },
      steps: [ \(steps) ], \(rest) }
    """)
}

let start = Instant(milliseconds: 1_767_225_600_000)

/// A run that is driven by commands, with every event that it led to.
struct TestRun {
  let process: ProcessDefinition
  var state: RunState?
  var events: [RunEvent] = []
  var now = start
  var zones: (String) -> CELTimeZone? = { _ in CELTimeZone(offset: 0) }

  init(_ process: ProcessDefinition, trigger: String? = nil, fields: JSONObject = [:]) throws {
    self.process = process
    try send(.start(run: "r1", release: "rel", requester: "user:rita", trigger: trigger, fields: fields))
  }

  /// - Returns: What followed.
  @discardableResult
  mutating func send(_ command: RunCommand) throws -> [RunEvent] {
    let new = try process.decide(command, in: state, now: now, zones: zones)
    for event in new {
      if state == nil {
        state = RunState(event)
      } else {
        #expect(state?.apply(event) == true, "does not fit: \(event)")
      }
    }
    events += new
    return new
  }

  /// Expects that all events so far survive their wire form, as values and as bytes, and fold to the state that the run is in.
  func checkLog() throws {
    let (structure, values) = RunEvent.encode(events)
    #expect(try RunEvent.decode(structure: structure, values: values) == events)
    let parsed = try JSON.parse(structure.canonicalBytes())
    let parsedValues = try JSON.parse(JSON.object(values).canonicalBytes())
    #expect(try RunEvent.decode(structure: parsed, values: parsedValues.objectValue) == events)
    #expect(RunState(folding: events) == state)
    let redacted = try RunEvent.decode(structure: structure, values: nil)
    #expect(RunState(folding: redacted) != nil)
  }

  @discardableResult
  mutating func complete(_ step: String, by: String = "user:cleo", _ fields: JSONObject = [:]) throws -> [RunEvent] {
    try send(.completeStep(step, by: by, fields: fields, origin: nil, comment: nil))
  }

  /// The open steps, in order.
  var open: [String] { state?.openSteps.map { "\($0.occurrence)" } ?? [] }
  var status: RunState.Status? { state?.status }

  /// The code of the refusal that a command meets; `nil` where it is accepted.
  func refusal(_ command: RunCommand) -> RunRefusal.Code? {
    do throws(RunRefusal) {
      _ = try process.decide(command, in: state, now: now, zones: zones)
      return nil
    } catch {
      return error.code
    }
  }
}
