internal import Audit
public import Governance
internal import ProcessModel
internal import Storage

/// Goes through the queues of agents and of the engine: every open step that no person has to do.
public struct WorkLoop: Sendable {
  /// What became of one step.
  public struct Item: Sendable {
    /// The run.
    public let run: String
    /// The step.
    public let step: String
    /// Who does it: `agent:…` or `tool:…`.
    public let performer: String
    /// Where work on it ended.
    public let outcome: StepOutcome
  }

  private let gate: PermissionGate
  private let agents: AgentWorker
  private let tools: ToolStepWorker
  private let concurrency: Int

  /// A loop.
  ///
  /// - Parameters:
  ///   - gate: Where proposals go.
  ///   - runner: What carries out granted ones.
  ///   - models: The models by the names that processes give them.
  ///   - concurrency: How many steps are worked on at the same time.
  public init(gate: PermissionGate, runner: ToolRunner, models: [String: AgentModel], concurrency: Int = 4) {
    self.gate = gate
    agents = AgentWorker(gate: gate, runner: runner, models: models)
    tools = ToolStepWorker(gate: gate, runner: runner)
    self.concurrency = max(1, concurrency)
  }

  private struct Waiting: Hashable, Sendable {
    var run: String
    var step: String
    var performer: String
  }

  /// Works until nothing moves any more: every open step is done, held, or waits for a person.
  ///
  /// Expired decisions, due timers and lost effects are looked after first. A step that is stuck is left for the next call, and one that
  /// cannot be worked on at all, say because its release cannot be loaded, keeps no other from going on.
  /// - Parameters:
  ///   - run: Only this run; all where it is nil.
  ///   - progress: Told of each step when work on it ends.
  /// - Returns: The last outcome of each step, in the order of the queue.
  /// - Throws: What the store throws when it cannot go on; `CancellationError`. What was under way has ended then.
  public func work(run: String? = nil, progress: @escaping @Sendable (Item) -> Void = { _ in }) async throws -> [Item] {
    _ = try await gate.recoverLostEffects()
    _ = try await gate.passTime()
    var results: [Waiting: Item] = [:]
    var order: [Waiting] = []
    var stuck: Set<Waiting> = []
    while !Task.isCancelled {
      let queue = try await waiting(run: run).filter { !stuck.contains($0) }
      if queue.isEmpty { break }
      for item in try await workOn(queue, progress) {
        let key = Waiting(run: item.run, step: item.step, performer: item.performer)
        if results.updateValue(item, forKey: key) == nil { order.append(key) }
        if item.outcome != .completed { stuck.insert(key) }
      }
      // A step that counts as completed but is still queued would be tried for ever.
      let still = Set(try await waiting(run: run))
      for key in queue where still.contains(key) { stuck.insert(key) }
    }
    return order.compactMap { results[$0] }
  }

  private func waiting(run: String?) async throws -> [Waiting] {
    try await gate.store.read { context in
      // `;` follows `:` in ASCII: the ranges hold exactly the two kinds of performer, by the index on performer.
      let rows = try context.database.query(
        """
        SELECT run, step, performer FROM work WHERE performer >= 'agent:' AND performer < 'agent;' AND status = 'ready'
        UNION ALL SELECT run, step, performer FROM work WHERE performer >= 'tool:' AND performer < 'tool;' AND status = 'ready'
        """
      ) { Waiting(run: $0.text(0), step: $0.text(1), performer: $0.text(2)) }
      return run.map { run in rows.filter { $0.run == run } } ?? rows
    }
  }

  private func workOn(_ queue: [Waiting], _ progress: @escaping @Sendable (Item) -> Void) async throws -> [Item] {
    let result = await withTaskGroup(of: (Int, Result<Item, any Error>).self) { group -> Result<[Item], any Error> in
      var next = 0
      var items: [(Int, Item)] = []
      var failure: (any Error)?
      func add() {
        guard next < queue.count, failure == nil else { return }
        let (place, waiting) = (next, queue[next])
        next += 1
        group.addTask { (place, await work(on: waiting)) }
      }
      for _ in 0..<concurrency { add() }
      while let (place, result) = await group.next() {
        switch result {
        case .success(let item):
          progress(item)
          items.append((place, item))
        case .failure(let error): failure = failure ?? error
        }
        add()
      }
      return failure.map { .failure($0) } ?? .success(items.sorted { $0.0 < $1.0 }.map(\.1))
    }
    return try result.get()
  }

  /// Works on one step.
  ///
  /// - Returns: What became of it; a failure only where no other step can be worked on either.
  private func work(on waiting: Waiting) async -> Result<Item, any Error> {
    func item(_ outcome: StepOutcome) -> Result<Item, any Error> {
      .success(Item(run: waiting.run, step: waiting.step, performer: waiting.performer, outcome: outcome))
    }
    guard let step = Occurrence(parsing: waiting.step) else { return item(.parked("not a step")) }
    do {
      return item(
        waiting.performer.hasPrefix("tool:")
          ? try await tools.work(on: step, in: waiting.run) : try await agents.work(on: step, in: waiting.run))
    } catch is CancellationError {
      return .failure(CancellationError())
    } catch let error as StorageError {
      let isOfStep: [StorageError.Code] = [.busy, .constraint, .tooBig, .misuse]
      return isOfStep.contains(error.code) ? item(.parked(error.message)) : .failure(error)
    } catch let error as AuditError {
      let isOfLog: [AuditError.Code] = [.closed, .forked, .damaged]
      return isOfLog.contains(error.code) ? .failure(error) : item(.parked(error.message))
    } catch {
      return item(.parked("\(error)"))
    }
  }
}
