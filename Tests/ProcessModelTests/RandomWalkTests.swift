import Core
import ProcessModel
import TestSupport
import Testing

/// Random commands on runs of random processes: whatever happens, the log explains the run.
@Suite("Random walks")
struct RandomWalkTests {
  @Test func whatTheCheckerCallsSafeIsNeverGonePastWithoutAPerson() throws {
    var (safe, unsafe, passed) = (0, 0, 0)
    try withSeeds(100) { seed, random in
      var author = RandomProcess(random: random)
      var text = author.file(handlers: true)
      for step in author.steps where author.chance(1, in: 3) {
        text = text.replacing("on: [", with: "on: [{ timeout: 'PT2H', of: '\(step)', then: [], id: 'late-\(step)' }, ")
      }
      random = author.random
      let controls = author.steps.map {
        "{ id: 'C-\($0)', statement: 's', before: 'step:\($0)', require: { approval: { roles: ['owner', '\($0)'] } } }"
      }
      guard let process = try? load(text.replacing("steps: [", with: "controls: [\(controls.joined(separator: ", "))], steps: [")) else {
        return
      }
      let bypassed = Set(process.controlBypasses.map(\.step))
      safe += author.steps.count - bypassed.count
      unsafe += bypassed.count
      var walk = try Walk(process: process, random: random, seed: seed)
      walk.run(moves: 120)
      let gone = walk.gonePast
      passed += gone.count
      #expect(gone.isSubset(of: bypassed), "SEED=\(seed): \(gone.subtracting(bypassed))")
    }
    #expect(safe > 50 && unsafe > 50 && passed > 2, "\(safe) safe, \(unsafe) not, \(passed) gone past")
  }

  @Test func everyWalkKeepsTheInvariants() throws {
    var ended = [RunState.Status: Int]()
    var (tried, loaded) = (0, 0)
    var seen: Set<String> = []
    try withSeeds(200) { seed, random in
      tried += 1
      var author = RandomProcess(random: random)
      let text = author.file(handlers: seed.isMultiple(of: 2))
      random = author.random
      // Random handlers and branches are now and then unreachable, which the loader refuses; such files say nothing here.
      guard let process = try? load(text) else { return }
      loaded += 1
      var walk = try Walk(process: process, random: random, seed: seed)
      walk.run(moves: 120)
      ended[walk.state.status, default: 0] += 1
      for event in RunEvent.encode(walk.events).structure.arrayValue ?? [] { if let name = event["$"]?.stringValue { seen.insert(name) } }
    }
    guard tried > 1 else { return }
    #expect(loaded >= 100, "loaded \(loaded)")
    #expect(ended[.completed, default: 0] >= 30, "\(ended)")
    #expect(
      seen.isSuperset(of: [
        "step.sent-back", "step.skipped", "step.omitted", "run.resumed", "block.reopened", "branches.chosen", "table.decided",
        "step.reminded", "instance.began", "step.reminded",
      ]), "\(seen)")
    #expect(ended[.cancelled, default: 0] >= 2, "\(ended)")
  }
}

private struct Walk {
  let process: ProcessDefinition
  var random: SeededGenerator
  let seed: UInt64
  var state: RunState
  var events: [RunEvent]
  var now = start
  var completed: Set<String> = []

  init(process: ProcessDefinition, random: SeededGenerator, seed: UInt64) throws {
    self.process = process
    self.random = random
    self.seed = seed
    let command = RunCommand.start(run: "r", release: "rel", requester: "user:rita", trigger: nil, fields: [:])
    events = try process.decide(command, in: nil, now: start)
    state = try #require(RunState(folding: events))
    check(events)
  }

  /// The steps that a handler went on without, though they were open as it took over.
  var gonePast: Set<String> {
    var state: RunState?
    var left: [String: Set<String>] = [:]
    var gone: Set<String> = []
    for event in events {
      if case .handlerBegan(let handler, _, let exception, let target) = event, let state {
        let open = state.steps.filter { $0.status.isOpen || $0.closure == .interrupted }.map(\.occurrence.id)
        let inside = Set(process.block(target.id)?.steps.map(\.id) ?? [])
        left["\(handler) \(exception)"] = inside.intersection(open)
      }
      if case .exceptionResolved(let id, let by, .proceed) = event, by.hasPrefix("handler:") {
        gone.formUnion(left["\(by.dropFirst(8)) \(id)"] ?? [])
      }
      if case .blockCompleted(let place) = event, let state {
        switch process.block(place.id) {
        case .parallel(_, let blocks, _?)?: gone.formUnion(leftBy(blocks, state))
        case .each(let each)? where each.join != nil: gone.formUnion(leftBy([each.body], state))
        default: break
        }
      }
      if state == nil { state = RunState(event) } else { state?.apply(event) }
    }
    return gone
  }

  /// The steps that a parallel block ended, because enough of its others were done.
  private func leftBy(_ blocks: [Block], _ state: RunState) -> [String] {
    let inside = Set(blocks.flatMap(\.steps).map(\.id))
    return state.steps.filter { $0.closure == .interrupted && inside.contains($0.occurrence.id) }.map(\.occurrence.id)
  }

  mutating func run(moves: Int) {
    for _ in 0..<moves where state.status == .running { move() }
    let (structure, values) = RunEvent.encode(events)
    #expect((try? RunEvent.decode(structure: structure, values: values)) == events, "SEED=\(seed)")
    #expect(RunState(folding: events) == state, "SEED=\(seed)")
    let redacted = (try? RunEvent.decode(structure: structure, values: nil)) ?? []
    let shape = RunState(folding: redacted)
    #expect(shape?.steps == state.steps && shape?.blocks == state.blocks && shape?.status == state.status, "SEED=\(seed)")
  }

  mutating func move() {
    let command = pick()
    let before = state
    do throws(RunRefusal) {
      let new = try process.decide(command, in: state, now: now)
      #expect(!new.isEmpty, "SEED=\(seed) \(command)")
      #expect((try? process.decide(command, in: before, now: now)) == new, "SEED=\(seed): deciding is deterministic")
      let (structure, values) = RunEvent.encode(new)
      let bytes = (try? structure.canonicalBytes()) ?? []
      #expect((try? RunEvent.decode(structure: JSON.parse(bytes), values: values)) == new, "SEED=\(seed)")
      for event in new {
        let fits = state.apply(event)
        #expect(fits, "SEED=\(seed): \(event) does not fit")
      }
      events += new
      check(new)
    } catch {
      #expect(state == before, "SEED=\(seed)")
    }
  }

  /// What must hold after every command.
  mutating func check(_ new: [RunEvent]) {
    for event in new {
      if case .undone(let occurrence) = event { completed.remove(occurrence.description) }
      guard case .stepCompleted(let occurrence, _) = event else { continue }
      let isFirst = completed.insert(occurrence.description).inserted
      #expect(isFirst, "SEED=\(seed): \(occurrence) completed twice")
    }
    let open = state.steps.filter { $0.status.isOpen }
    if state.status == .running {
      let waits = state.openExceptions.contains { $0.handler == nil }
      #expect(!state.openSteps.isEmpty || waits || state.timers.contains { isWait($0) }, "SEED=\(seed): the run is stuck")
    } else {
      #expect(open.isEmpty && state.timers.isEmpty && state.openExceptions.isEmpty, "SEED=\(seed): ended with work left")
      #expect(new.contains { if case .runCompleted = $0 { true } else if case .runCancelled = $0 { true } else { false } })
    }
    for timer in state.timers {
      let isOpen = open.contains { $0.occurrence == timer.step } || (process.step(timer.step.id) == nil && !state.isDone(timer.step))
      #expect(isOpen, "SEED=\(seed): timer \(timer.id) of what is over")
    }
    for step in open where step.status == .blocked {
      #expect(state.openExceptions.contains { $0.at == step.occurrence }, "SEED=\(seed): \(step.occurrence) waits for nothing")
    }
    for pass in state.passes {
      guard let id = pass.exception, let exception = state.exceptions.first(where: { $0.id == id }) else { continue }
      #expect(exception.handler == pass.scope, "SEED=\(seed)")
    }
  }

  func isWait(_ timer: RunState.Timer) -> Bool { if case .wait? = process.block(timer.step.id) { true } else { false } }

  mutating func chance(_ one: Int, in all: Int) -> Bool { Int.random(in: 0..<all, using: &random) < one }

  mutating func pick() -> RunCommand {
    let text = "text \(Int.random(in: 0..<100, using: &random))"
    if state.pause != nil { return chance(1, in: 2) ? .resume(by: "user:owner") : .comment(step: nil, by: "user:ana", text: text) }
    if chance(1, in: 30) { return .pause(by: "user:owner", text: text) }
    if chance(1, in: 8), let from = state.openSteps.randomElement(using: &random), let back = state.steps.randomElement(using: &random) {
      return .sendBack(step: "\(from.occurrence)", to: "\(back.occurrence)", by: "user:cleo", text: text)
    }
    if chance(1, in: 60) { return .cancel(by: "user:owner", code: "enough", text: text) }
    if chance(1, in: 5) {
      let fields: JSONObject = [
        "color": .string(["red", "green", "blue", "pink"].randomElement(using: &random) ?? ""),
        "ok": .bool(Bool.random(using: &random)), "size": .int(Int.random(in: 0...10, using: &random)),
      ]
      return .setFields(step: nil, by: "user:owner", fields: fields, origin: nil)
    }
    if let timer = state.timers.randomElement(using: &random), chance(1, in: 6) || state.openSteps.isEmpty {
      if chance(3, in: 4) { now = max(now, timer.at) }
      return .fireTimer(timer.id)
    }
    if let exception = state.openExceptions.filter({ $0.handler == nil }).randomElement(using: &random),
      chance(1, in: 3) || state.openSteps.isEmpty
    {
      let resolution: ExceptionResolution = chance(1, in: 20) ? .end : chance(1, in: 2) ? .proceed : .retry
      return .resolveException(exception.id, by: "user:owner", resolution: resolution, comment: chance(1, in: 2) ? text : nil)
    }
    // Now and then a step that is not open.
    guard let step = chance(1, in: 12) ? state.steps.randomElement(using: &random) : state.openSteps.randomElement(using: &random) else {
      return .comment(step: nil, by: "user:ana", text: text)
    }
    return pick(at: step, text)
  }

  mutating func pick(at step: RunState.StepState, _ text: String) -> RunCommand {
    let name = step.occurrence.description
    let form = process.step(step.occurrence.id)?.form ?? []
    let own = step.performer.isPerson ? (step.performer == .user("ana") ? "user:ana" : "user:cleo") : step.performer.description
    let by = step.assignee ?? own
    let code = "code\(Int.random(in: 1...30, using: &random))"
    if case .tool = step.performer {
      return chance(2, in: 3)
        ? .finishToolStep(
          name, by: "system:tools", result: .succeeded(facts: chance(1, in: 2) ? ["seen": true] : [:], origin: Origin("tool:x.read")))
        : .finishToolStep(name, by: "system:tools", result: .failed(code: code, text: text))
    }
    switch Int.random(in: 0..<20, using: &random) {
    case 16: return .assign(step: name, to: chance(1, in: 2) ? by : nil, by: by, text: nil)
    case 17: return .reassign(step: name, to: chance(1, in: 2) ? .role("clerk") : .user("ana"), by: "user:owner", text: text)
    case 18: return .skip(step: name, by: "user:owner", text: text)
    case 0: return .raiseException(step: name, by: by, code: code, text: text)
    case 1: return .handOver(step: name, by: "system:runtime", code: code, text: text)
    case 2: return .askHuman(step: name, by: by, question: text)
    case 3: return .attachEvidence(step: name, by: by, name: "file", digest: SHA256.hash(text), media: "text/plain", size: text.utf8.count)
    case 4:
      guard let question = state.openQuestions.randomElement(using: &random) else { return .comment(step: name, by: by, text: text) }
      return .answer(question: question.id, by: "user:ana", text: text)
    case 5: return .learn(step: name, tool: "x.read", facts: ["seen": .bool(Bool.random(using: &random))], origin: Origin("tool:x.read"))
    default:
      var fields: [(String, JSON)] = []
      for entry in form {
        switch entry.name {
        case "ok": fields.append(("ok", .bool(Bool.random(using: &random))))
        case "color": fields.append(("color", .string(Bool.random(using: &random) ? "red" : "blue")))
        default: break
        }
      }
      return .completeStep(name, by: by, fields: JSONObject(fields), origin: nil, comment: chance(1, in: 2) ? text : nil)
    }
  }
}
