internal import Core

/// Passes requests on to another model and keeps what it answered, for a ``RecordedModel``.
public final class RecordingModel: ModelClient {
  private let base: any ModelClient
  private let kept = Locked<[RecordedTurn]>([])

  /// A recorder around a model.
  public init(_ base: any ModelClient) { self.base = base }

  /// The turns that were answered so far, in the order of their answers.
  ///
  /// Failed turns are not among them.
  public var turns: [RecordedTurn] { kept.withLock { $0 } }

  /// The reply of the model behind it.
  ///
  /// - Throws: ``ModelError``, as that model.
  public func respond(to request: ModelRequest, deadline: ContinuousClock.Instant) async throws(ModelError) -> ModelReply {
    let reply = try await base.respond(to: request, deadline: deadline)
    let turn = RecordedTurn(request: request.digest, reply: reply)
    kept.withLock { $0.append(turn) }
    return reply
  }
}
