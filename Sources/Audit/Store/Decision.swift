/// One caller's wish to append, without its types.
@usableFromInline
class Decision: @unchecked Sendable {
  // Unchecked: the caller makes it, then only the writer touches it, after a hand-over through the queue's lock.
  @usableFromInline init() {}

  /// Decides in a ``WriteContext``; may be called again when another decision of the batch had to be taken out.
  @usableFromInline func decide(_ context: AnyObject) throws -> [EntryDraft] { [] }
  /// The entries of the last ``decide(_:)`` are durable.
  @usableFromInline func succeed() {}
  /// Nothing was appended, unless the error says that this is not known.
  @usableFromInline func fail(_ error: any Error) {}
}

/// A decision whose caller waits for it.
@usableFromInline
final class PendingDecision<Meaning: Ledger, Result: Sendable>: Decision, @unchecked Sendable {
  @usableFromInline let body: @Sendable (WriteContext<Meaning>) throws -> ([EntryDraft], Result)
  @usableFromInline let continuation: UnsafeContinuation<Result, any Error>
  @usableFromInline var result: Result?

  @usableFromInline
  init(
    _ body: @escaping @Sendable (WriteContext<Meaning>) throws -> ([EntryDraft], Result),
    _ continuation: UnsafeContinuation<Result, any Error>
  ) {
    self.body = body
    self.continuation = continuation
  }

  @usableFromInline
  override func decide(_ context: AnyObject) throws -> [EntryDraft] {
    let (drafts, result) = try body(unsafeDowncast(context, to: WriteContext<Meaning>.self))
    self.result = result
    return drafts
  }

  @usableFromInline
  override func succeed() {
    guard let result else { return continuation.resume(throwing: AuditError(.closed, "the writer answered before it decided")) }
    continuation.resume(returning: result)
  }

  @usableFromInline
  override func fail(_ error: any Error) { continuation.resume(throwing: error) }
}
