internal import Core

/// A model that says again what was recorded, byte for byte; it needs no endpoint and no randomness.
public final class RecordedModel: ModelClient {
  /// How a request finds its reply.
  public enum Matching: Sendable {
    /// The n-th request must be the one that was recorded as the n-th: any other difference is an error.
    case sequence
    /// By the request's digest, whatever the order; a request that was recorded several times gets its replies in that order.
    case digest
  }

  private let turns: [RecordedTurn]
  private let matching: Matching
  private let byDigest: [Digest: [Int]]
  private let used: Locked<Used>

  private struct Used: Sendable {
    var next = 0
    var counts: [Digest: Int] = [:]
  }

  /// A model for these turns.
  public init(_ turns: [RecordedTurn], matching: Matching = .sequence) {
    self.turns = turns
    self.matching = matching
    byDigest = Dictionary(grouping: turns.indices) { turns[$0].request }
    used = Locked(Used())
  }

  /// The recorded reply.
  ///
  /// - Throws: ``ModelError`` with the code `not-recorded` for a request that was not recorded (at this place).
  public func respond(to request: ModelRequest, deadline: ContinuousClock.Instant) async throws(ModelError) -> ModelReply {
    if Task.isCancelled { throw ModelError(.cancelled, "the turn was cancelled") }
    let digest = request.digest
    let turn = turns[try take(digest)]
    let names = try ToolNames(request.tools.map(\.name))
    // What was recorded was within the limits of its time.
    let reader = ReplyReader(
      request: request, names: names, limits: ReplyLimits(toolCalls: .max, argumentBytes: 256 << 10), isScripted: turn.isScripted)
    var reply = try reader.read(turn.exchange)
    reply.warnings = turn.warnings
    return reply
  }

  private func take(_ digest: Digest) throws(ModelError) -> Int {
    let result: Result<Int, ModelError> = used.withLock { used in
      let short = digest.hex.prefix(12)
      switch matching {
      case .sequence:
        let place = used.next
        guard place < turns.count else {
          return .failure(
            ModelError(.notRecorded, "the recording ends after \(turns.count) turns; request \(place + 1) (\(short)) was not recorded"))
        }
        guard turns[place].request == digest else {
          let known = byDigest[digest].map { "; it was recorded as turn \($0[0] + 1)" } ?? "; it was not recorded at all"
          return .failure(
            ModelError(
              .notRecorded,
              "turn \(place + 1) was recorded for another request: \(turns[place].request.hex.prefix(12)), not \(short)\(known)"))
        }
        used.next += 1
        return .success(place)
      case .digest:
        guard let places = byDigest[digest] else {
          return .failure(ModelError(.notRecorded, "the request \(short) is not among the \(turns.count) recorded turns"))
        }
        let count = used.counts[digest, default: 0]
        guard count < places.count else {
          return .failure(ModelError(.notRecorded, "the request \(short) was recorded \(places.count) times and is asked once more"))
        }
        used.counts[digest] = count + 1
        return .success(places[count])
      }
    }
    return try result.get()
  }
}
