/// One caller's wish to append, without its type of result.
protocol Decision<Meaning>: AnyObject, Sendable {
  associatedtype Meaning: Ledger
  /// Decides; may be called again when another decision of the batch had to be taken out.
  func decide(_ context: WriteContext<Meaning>) throws -> [EntryDraft]
  /// The entries of the last ``decide(_:)`` are durable.
  func succeed()
  /// Nothing was appended, unless the error says that this is not known.
  func fail(_ error: any Error)
}

/// A decision whose caller waits for it.
final class PendingDecision<Meaning: Ledger, Result: Sendable>: Decision, @unchecked Sendable {
  // Unchecked: the caller makes it, then only the writer touches it, after a hand-over through the queue's lock.
  private let body: @Sendable (WriteContext<Meaning>) throws -> ([EntryDraft], Result)
  private let continuation: UnsafeContinuation<Result, any Error>
  private var result: Result?

  init(
    _ body: @escaping @Sendable (WriteContext<Meaning>) throws -> ([EntryDraft], Result),
    _ continuation: UnsafeContinuation<Result, any Error>
  ) {
    self.body = body
    self.continuation = continuation
  }

  func decide(_ context: WriteContext<Meaning>) throws -> [EntryDraft] {
    let (drafts, result) = try body(context)
    self.result = result
    return drafts
  }

  func succeed() {
    guard let result else { return continuation.resume(throwing: AuditError(.closed, "the writer answered before it decided")) }
    continuation.resume(returning: result)
  }

  func fail(_ error: any Error) { continuation.resume(throwing: error) }
}
