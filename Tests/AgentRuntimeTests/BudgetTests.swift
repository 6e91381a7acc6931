import Audit
import Core
import Governance
import LLM
internal import PolicyEngine
import ProcessModel
import TestSupport
import Testing

@testable import AgentRuntime

/// A clock that a test sets.
private final class Clock: Sendable {
  private let now = Locked(Instant(milliseconds: 1_800_000_000_000))
  var source: TimeSource { TimeSource { self.now.withLock { $0 } } }
  func advance(_ duration: Duration) { now.withLock { $0 = $0 + duration } }
}

/// A model whose replies claim any usage.
private struct Boasting: ModelClient {
  let usage: ModelUsage

  func respond(to request: ModelRequest, deadline: ContinuousClock.Instant) async throws(ModelError) -> ModelReply {
    let call = ModelToolCall(id: "c1", name: "crm.lookup", arguments: .success(["who": "Acme"]), rawArguments: "{}")
    return ModelReply(
      toolCalls: [call], text: "", finish: .toolCalls, usage: usage, assistant: ["role": "assistant"],
      exchange: ModelExchange(requestBytes: [], responseBytes: []))
  }
}

@Suite("Budgets")
struct BudgetTests {
  private static let lookUp = ScriptedModel.Turn.call("crm.lookup", ["who": "Acme"])

  @Test func timeThatTheModelTakesIsSpentAndTimeThatPeopleTakeIsNot() async throws {
    try await withTemporaryDirectory { folder in
      let clock = Clock()
      var options = StoreOptions()
      options.time = clock.source
      let minutes = Locked([2, 1, 1, 1])
      // The budget is the standard one: five minutes.
      let office = try await Office(folder, options: options) { request in
        clock.advance(.seconds(60 * Int64(minutes.withLock { $0.removeFirst() })))
        return request.messages.count == 1 ? .call("ask_human", ["question": "Is it?"]) : Self.lookUp
      }
      let run = try await office.start()
      #expect(try await office.classify() == .waiting("question q1 is not answered yet"))
      clock.advance(.seconds(86_400))
      try await office.submit("user:ben", "answer", ["question": "q1", "text": "yes"], in: run)
      #expect(try await office.classify() == .handedOver("budget-time"))
      #expect(office.requests.withLock { $0.count } == 4)
    }
  }

  @Test func tokensAreEstimatedWhereTheServerDoesNotCountThem() async throws {
    try await withTemporaryDirectory { folder in
      let long = String(repeating: "word ", count: 20_000)
      let office = try await Office(folder) { _ in
        .calls([ScriptedModel.Call("crm.lookup", ["who": "Acme"])], text: long)
      }
      _ = try await office.start()
      #expect(try await office.classify() == .handedOver("budget-tokens"))
    }
  }

  @Test(arguments: [Int.max, 2_000_000_000])
  func usageThatNobodyCanHaveSpendsTheBudgetAndNothingElse(_ count: Int) async throws {
    try await withTemporaryDirectory { folder in
      let office = try await Office(
        folder, prices: (.max, .max), client: Boasting(usage: ModelUsage(inputTokens: count, outputTokens: count))
      ) { _ in nil }
      let run = try await office.start()
      #expect(try await office.classify() == .handedOver("budget-tokens"))
      let kept = try await office.gate.store.read { context in
        try context.history(of: run).filter { $0.type == EntryType.effectSettled }.compactMap { $0.content(ContentPart.result) }.map {
          try JSON.parse($0)["cost_micro_usd"]?.intValue
        }
      }
      #expect(kept.first == .some(.max))
    }
  }

  @Test func anEndpointThatIsOutOfReachTakesNoTurns() async throws {
    try await withTemporaryDirectory { folder in
      let isUp = Locked(false)
      let outages: [ModelError.Code] = [.unreachable, .rateLimited, .circuitOpen, .serverError]
      let next = Locked(0)
      let office = try await Office(folder) { _ in
        if isUp.withLock({ $0 }) { return .call("complete_step", ["fields": ["risk": "low"]]) }
        let code = next.withLock { next in
          next += 1
          return outages[next % outages.count]
        }
        return .failure(ModelError(code, "not now", isTransient: true))
      }
      _ = try await office.start()
      // More often than the budget has turns.
      for _ in 0..<8 { #expect(try await office.classify() == .parked("the model endpoint: not now")) }
      isUp.withLock { $0 = true }
      #expect(try await office.classify() == .completed)
    }
  }

  @Test func aRequestThatTheServerRefusesIsNotMadeForEver() async throws {
    try await withTemporaryDirectory { folder in
      let office = try await Office(folder) { _ in .failure(ModelError(.refusedRequest, "bad request")) }
      _ = try await office.start()
      for _ in 0..<5 { #expect(try await office.classify() == .parked("the model endpoint: bad request")) }
      #expect(try await office.classify() == .handedOver("budget-turns"))
    }
  }
}
