import Core
import Storage

extension AuditStore {
  /// Derives everything again from the entries and compares it with what is stored.
  ///
  /// Reads in snapshots of its own while writers go on. One thread reads, hashes and parses; another folds the states and projections.
  /// - Parameter options: What to look at.
  /// - Returns: What was found. A log that does not fit is a report, not an error.
  /// - Throws: `StorageError` when the file cannot be opened as a store at all.
  /// - Complexity: O(n) for n entries; memory grows with the evidence that they name and the states kept, not with n.
  public nonisolated func verify(_ options: VerificationOptions = VerificationOptions()) async throws -> VerificationReport {
    let scanner = LogScanner(path: path, options: options)
    let folder = options.states ? LogFolder(path: path, functions: functions, options: options) : nil
    var chunk = try await scanner.next(Self.chunkSize)
    var goesOn = true
    while true {
      let current = chunk
      if current.isLast {
        if goesOn, let folder { _ = try await folder.apply(current.entries) }
        break
      }
      async let next = scanner.next(Self.chunkSize)
      if goesOn, let folder { goesOn = try await folder.apply(current.entries) }
      chunk = try await next
    }
    return try await scanner.finish(try await folder?.finish())
  }

  /// Entries that are handed from one thread to the other at once.
  private static var chunkSize: Int { 2048 }

  /// The log as a checkpoint: what others keep, so that nobody can rewrite it unseen.
  ///
  /// - Parameter origin: The name of the log; see ``Checkpoint/origin``.
  /// - Returns: The checkpoint, not signed.
  /// - Throws: `StorageError`; ``AuditError`` with code ``AuditError/Code/invalidDraft`` when the origin is not a name.
  public nonisolated func checkpoint(origin: String) async throws -> Checkpoint {
    guard Checkpoint.isOrigin(origin) else {
      throw AuditError(
        .invalidDraft, "`\(visible(origin))` cannot name a log", hint: "use letters, digits, dots and slashes, such as `example.com/remit`")
    }
    return try await read { $0.checkpoint(origin: origin) }
  }
}
