internal import Audit
internal import Core
public import ProcessModel
internal import Storage

/// Carries out granted proposals with the connectors, and records what became of them.
public struct ToolRunner: Sendable {
  private let gate: PermissionGate
  private let connectors: [ToolDefinition.Connector: any Connector]

  /// A runner with the connectors that are configured.
  public init(gate: PermissionGate, connectors: [ToolDefinition.Connector: any Connector]) {
    self.gate = gate
    self.connectors = connectors
  }

  /// Begins a granted proposal, carries it out and settles it.
  ///
  /// A stop that covers the run or the agent that proposed ends a call that is under way within a second; its outcome is then in doubt,
  /// unless the connector knows better. Cancelling the calling task does the same.
  /// - Returns: What became of it, as it is recorded.
  /// - Throws: ``Refusal`` where it could not begin; what the store throws: the effect is then still recorded as begun, and found in
  ///   doubt later.
  public func run(_ proposal: String, in run: String) async throws -> EffectOutcome {
    try await gate.unless({ try await gate.stop(of: proposal, in: run) != nil }) { try await use(try await gate.begin(proposal, in: run)) }
  }

  /// Uses up a grant.
  private func use(_ grant: consuming Grant) async throws -> EffectOutcome {
    let (proposal, run, id) = (grant.proposal, grant.run, grant.id)
    let outcome: EffectOutcome
    if let kind = grant.definition?.connector, let connector = connectors[kind] {
      outcome = await connector.call(grant)
    } else {
      outcome = .failed("no-connector", "no connector is configured for the tool `\(grant.tool)`")
    }
    // The record is made even when the task was cancelled meanwhile: what happened, happened.
    return try await gate.settle(proposal, in: run, grant: id, outcome: outcome)
  }
}

extension PermissionGate {
  /// How often work that is under way looks whether it was stopped.
  private static let stopInterval = Duration.milliseconds(200)
  /// How many times in a row it may fail to find out before it counts as stopped: about a second.
  private static let failedLooks = 5

  /// The stop that covers a run, or an agent's work in it; nil where work may go on.
  public func stop(run: String, agent: String? = nil) async throws -> String? { try await stop(run: run) { _ in agent } }

  /// The stop that covers the run of a proposal, or who made it; nil where work may go on.
  fileprivate func stop(of proposal: String, in run: String) async throws -> String? {
    try await stop(run: run) { context in
      try context.database.first("SELECT principal FROM proposal WHERE id = ?", [.text(proposal)]) { $0.text(0) }
    }
  }

  private func stop(
    run: String, agent: @escaping @Sendable (ReadContext<GovernanceLedger>) throws -> String?
  ) async throws -> String? {
    try await store.read { context in
      let shared = try context.shared()
      if shared.stops.isEmpty { return nil }
      let process = try context.database.first("SELECT process FROM run WHERE id = ?", [.text(run)]) { $0.text(0) }
      return shared.stop(process: process, run: run, agent: try agent(context))
    }
  }

  /// Runs work that a stop of its run or agent cancels within a second.
  ///
  /// - Throws: What the work throws; cancellation reaches it as usual.
  public func unlessStopped<R: Sendable>(
    run: String, agent: String? = nil, _ work: @escaping @Sendable () async throws -> R
  ) async throws -> R {
    try await unless({ try await self.stop(run: run, agent: agent) != nil }, work)
  }

  /// Runs work that is cancelled within a second once it is stopped, or once nobody can tell for about a second.
  fileprivate func unless<R: Sendable>(
    _ isStopped: @escaping @Sendable () async throws -> Bool, _ work: @escaping @Sendable () async throws -> R
  ) async throws -> R {
    let task = Task { try await work() }
    let watch = Task {
      var failures = 0
      while failures < Self.failedLooks {
        do { try await Task.sleep(for: Self.stopInterval) } catch { return }
        do {
          if try await isStopped() { break }
          failures = 0
        } catch {
          failures += 1
        }
      }
      task.cancel()
    }
    defer { watch.cancel() }
    return try await withTaskCancellationHandler {
      try await task.value
    } onCancel: {
      task.cancel()
    }
  }
}
