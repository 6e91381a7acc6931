import Audit
import Core
import Governance
import LLM
internal import PolicyEngine
import ProcessModel
import Storage
import TestSupport
import Testing

@testable import AgentRuntime

/// A model that does something before it completes the step.
private struct Prompting: ModelClient {
  let first: @Sendable (ModelRequest) async -> Void

  func respond(to request: ModelRequest, deadline: ContinuousClock.Instant) async throws(ModelError) -> ModelReply {
    await first(request)
    return try await ScriptedModel { _ in WorkLoopTests.complete }.respond(to: request, deadline: deadline)
  }
}

@Suite("The work loop")
struct WorkLoopTests {
  fileprivate static let complete = ScriptedModel.Turn.call("complete_step", ["fields": ["risk": "low"]])

  @Test func aRunThatCannotBeLoadedKeepsNoOtherFromGoingOn() async throws {
    try await withTemporaryDirectory { folder in
      let first = try await Office(folder) { _ in Self.complete }
      let broken = try await first.start()
      let lost = SHA256.hash(Array("Do it. {{form}}".utf8))
      try await first.release(prompt: "Do it. {{form}}")
      let stuck = try await first.start()
      try await first.release(prompt: "Do it well. {{form}}")
      let good = try await first.start()
      await first.gate.store.close()
      // A file of the second release is gone.
      let connection = try Connection(path: "\(folder)/store.sqlite", mode: .readWrite(create: false))
      let trigger = try #require(
        try connection.first("SELECT sql FROM sqlite_schema WHERE name = 'evidence_no_delete'") { $0.text(0) })
      try connection.execute("DROP TRIGGER evidence_no_delete; DELETE FROM evidence WHERE sha256 = X'\(lost.hex)'; \(trigger)")
      connection.close()
      let second = try await Office(folder, concurrency: 1) { _ in Self.complete }
      let items = try await second.loop.work()
      let outcome = try #require(items.first { $0.run == stuck }?.outcome)
      guard case .parked(let why) = outcome else { Issue.record("\(outcome)"); return }
      #expect(why.contains("lacks the file `prompts/classify/v1.md`"))
      for run in [broken, good] { #expect(try await second.record(run).state.status == .completed) }
    }
  }

  @Test func aStoreThatStoppedEndsTheLoopWithoutEndingWhatIsUnderWay() async throws {
    try await withTemporaryDirectory { folder in
      let isStopped = Locked(false)
      let (isUnderWay, wasCancelled) = (Locked(false), Locked<Bool?>(nil))
      var options = StoreOptions()
      options.faults = FaultPlan { point throws(InjectedFault) in
        if isStopped.withLock({ $0 }) { throw InjectedFault(point: point) }
      }
      // One of two runs finds the store gone; the other one is in the middle of a call.
      let client = Prompting { request in
        guard request.json.text().contains("Slow") else {
          while !isUnderWay.withLock({ $0 }) { try? await Task.sleep(for: .milliseconds(1)) }
          isStopped.withLock { $0 = true }
          return
        }
        isUnderWay.withLock { $0 = true }
        while !isStopped.withLock({ $0 }) { try? await Task.sleep(for: .milliseconds(1)) }
        try? await Task.sleep(for: .milliseconds(100))
        wasCancelled.withLock { $0 = Task.isCancelled }
      }
      let office = try await Office(folder, options: options, concurrency: 2, client: client) { _ in nil }
      _ = try await office.start(who: "Slow")
      _ = try await office.start(who: "Quick")
      await #expect(throws: StorageError.self) { _ = try await office.loop.work() }
      #expect(wasCancelled.withLock { $0 } == false)
    }
  }

  @Test func aReplyThatIsTooLargeToGoOnWithIsNotKept() async throws {
    try await withTemporaryDirectory { folder in
      let reason = String(repeating: "why ", count: 550_000)
      let office = try await Office(folder, mode: .structured) { _ in
        .calls([ScriptedModel.Call("complete_step", ["fields": ["risk": "low"]])], text: reason)
      }
      _ = try await office.start()
      #expect(try await office.classify() == .handedOver("reply-too-large"))
    }
  }

  @Test func aLongReasonIsCutAndKeptOnce() async throws {
    try await withTemporaryDirectory { folder in
      let reason = String(repeating: "why ", count: 100_000)
      let office = try await Office(folder, mode: .structured) { _ in
        .calls([ScriptedModel.Call("complete_step", ["fields": ["risk": "low"]])], text: reason)
      }
      let run = try await office.start()
      #expect(try await office.classify() == .completed)
      let (reasons, result) = try await office.gate.store.read { context in
        let history = try context.history(of: run)
        let size: (String, String) -> Int? = { type, part in
          history.filter { $0.type == type }.compactMap { $0.content(part)?.count }.max()
        }
        return (size(EntryType.proposal, ContentPart.reason), size(EntryType.effectSettled, ContentPart.result))
      }
      #expect(reasons == Conversation.textBytes)
      #expect(try #require(result) < 500_000)  // the model's own message holds the whole of it, once
    }
  }

  @Test("a step that another worker has is not stuck", arguments: ["classify", "pay"])
  func stepsOfOthers(_ step: String) async throws {
    try await withTemporaryDirectory { folder in
      let isReached = Locked(false)
      let goesOn = Locked(false)
      @Sendable func wait() async {
        isReached.withLock { $0 = true }
        while !goesOn.withLock({ $0 }) { try? await Task.sleep(for: .milliseconds(1)) }
      }
      let office = try await Office(
        folder, connector: Waiting { if step == "pay" { await wait() } },
        client: Prompting { _ in if step == "classify" { await wait() } }
      ) { _ in nil }
      let run = try await office.start()
      let first = Task { try await office.loop.work() }
      while !isReached.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(1)) }
      let items = try await office.loop.work()
      #expect(items.map(\.step) == [step])
      guard case .busy(let why)? = items.first?.outcome else { Issue.record("\(items)"); return }
      #expect(why.contains("another worker"))
      // Nor does one that comes between the look and the beginning make it stuck.
      let open = try #require(try await office.record(run).proposals.last { $0.status == .started })
      let refusal = await #expect(throws: Refusal.self) { _ = try await office.gate.begin(open.id, in: run).id }
      func later() async throws -> StepOutcome? {
        try await office.gate.outcome(of: try #require(refusal), on: (open.id, .granted), step: try #require(open.step), in: run)
      }
      let outcome = try await later()
      guard case .busy? = outcome else { Issue.record("\(String(describing: outcome))"); return }
      goesOn.withLock { $0 = true }
      _ = try await first.value
      #expect(try await later() == nil)
      #expect(try await office.record(run).state.status == .completed)
    }
  }
}

/// A connector that waits before it answers.
private struct Waiting: Connector {
  let wait: @Sendable () async -> Void

  func call(_ grant: borrowing Grant) async -> EffectOutcome {
    await wait()
    return .finished([:])
  }
}
