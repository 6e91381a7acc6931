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
  /// A stop that covers the run ends a call that is under way within a second; its outcome is then in doubt, unless the connector knows
  /// better. Cancelling the calling task does the same.
  /// - Returns: What became of it, once that is recorded.
  /// - Throws: ``Refusal`` where it could not begin; what the store throws: the effect is then still recorded as begun, and found in
  ///   doubt later.
  public func run(_ proposal: String, in run: String) async throws -> EffectOutcome {
    try await gate.unlessStopped(run: run) { try await use(try await gate.begin(proposal, in: run)) }
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
    try await gate.settle(proposal, in: run, grant: id, outcome: outcome)
    return outcome
  }
}

extension PermissionGate {
  /// How often work that is under way looks whether it was stopped.
  private static let stopInterval = Duration.milliseconds(200)

  /// The stop that covers a run, or an agent's work in it; nil where work may go on.
  public func stop(run: String, agent: String? = nil) async throws -> String? {
    try await store.read { context in
      let shared = try context.shared()
      if shared.stops.isEmpty { return nil }
      let process = try context.database.first("SELECT process FROM run WHERE id = ?", [.text(run)]) { $0.text(0) }
      return shared.stop(process: process, run: run, agent: agent)
    }
  }

  /// Runs work that a stop of its run or agent cancels within a second.
  ///
  /// - Throws: What the work throws; cancellation reaches it as usual.
  public func unlessStopped<R: Sendable>(
    run: String, agent: String? = nil, _ work: @escaping @Sendable () async throws -> R
  ) async throws -> R {
    let task = Task { try await work() }
    let watch = Task {
      while !Task.isCancelled {
        try await Task.sleep(for: Self.stopInterval)
        if try await stop(run: run, agent: agent) != nil { return task.cancel() }
      }
    }
    defer { watch.cancel() }
    return try await withTaskCancellationHandler {
      try await task.value
    } onCancel: {
      task.cancel()
    }
  }
}
