public import Core
import Glibc
import Storage

/// A copy of a store that was put in its place.
public struct RestoredStore: Hashable, Sendable {
  /// How far the log goes now.
  public let head: LogHead
  /// How many entries the log had that it has no more, or has otherwise.
  public let discarded: Int
  /// Where the file is kept that was there before; nil where there was none.
  public let replaced: String?
}

extension AuditStore {
  /// Copies a store, with all evidence, into a new file while others write to it, and verifies the copy: hashes, states, projections, root,
  /// and the checkpoint that is kept beside the store.
  ///
  /// - Parameters:
  ///   - path: The store.
  ///   - target: The new file; it must not be there.
  ///   - projections: The tables that the store keeps.
  /// - Returns: What the verification found. Where the copy is not whole there is no new file.
  /// - Throws: `StorageError`, `FileError`, ``AuditError``; there is then no new file.
  public static func backUp(
    _ path: String, to target: String, projections: [any Projection<Meaning>]
  ) async throws -> VerificationReport {
    let kept = try KeptCheckpoint.read(besideStore: path)
    let (copier, partial) = (StoreCopier(), "\(target).\(getpid()).partial")
    if access(target, F_OK) == 0 { throw FileError.isThere(target) }
    try await copier.copy(path, to: partial)
    do {
      let report = try await verify(partial, against: kept, projections)
      if report.ok { try await copier.publish(partial, as: target) }
      await copier.remove(partial)
      return report
    } catch {
      await copier.remove(partial)
      throw error
    }
  }

  /// Puts a copy in a store's place, once the copy was verified.
  ///
  /// - Parameters:
  ///   - copy: The copy.
  ///   - path: The store; need not be there, nor be readable. Nobody else may have it open.
  ///   - discarding: How many entries may be lost by it: it has to be exactly as many as are lost.
  ///   - projections: The tables that the store keeps.
  ///   - now: The time, in the name of what was replaced.
  /// - Returns: What the verification found and, where the copy is whole, what was done.
  /// - Throws: ``AuditError`` with code ``AuditError/Code/discards`` where another number of entries would be lost, or with code
  ///   ``AuditError/Code/forked`` where the copy contradicts the checkpoint that is kept beside the store; `StorageError` with code `busy`
  ///   where somebody has the store open. The store is then as it was.
  public static func restore(
    _ copy: String, over path: String, discarding: Int, projections: [any Projection<Meaning>], now: Instant
  ) async throws -> (report: VerificationReport, restored: RestoredStore?) {
    let (copier, own) = (StoreCopier(), "\(path).restoring-\(now.milliseconds)")
    // The copy is copied first, so that what is verified is what is put in place.
    try await copier.copy(copy, to: own)
    do {
      let report = try await verify(own, against: nil, projections)
      var restored: RestoredStore?
      if report.ok {
        let loss = try await copier.loss(ofStore: path, replacedBy: own)
        if loss?.count ?? 0 != discarding { throw AuditError.discards(loss, not: discarding) }
        let replaced = try await copier.replace(path, by: own, keepsCheckpoint: loss == nil, at: now)
        restored = RestoredStore(head: LogHead(size: report.entries, root: report.root), discarded: discarding, replaced: replaced)
      }
      await copier.remove(own)
      return (report, restored)
    } catch {
      await copier.remove(own)
      throw error
    }
  }

  private static func verify(
    _ path: String, against kept: Checkpoint?, _ projections: [any Projection<Meaning>]
  ) async throws -> VerificationReport {
    var (opening, options) = (StoreOptions(), VerificationOptions())
    (opening.create, opening.readOnly, options.checkpoint) = (false, true, kept)
    let store = try await Self.open(path, projections: projections, options: opening)
    let result: Result<VerificationReport, any Error>
    do { result = .success(try await store.verify(options)) } catch { result = .failure(error) }
    await store.close()
    return try result.get()
  }
}

extension AuditError {
  /// A copy that does not lose as many entries as somebody said.
  static func discards(_ loss: StoreCopier.Loss?, not said: Int) -> AuditError {
    guard let loss else {
      return AuditError(.discards, "nothing would be lost, and not \(said) entries", hint: "leave `--discard` out")
    }
    return AuditError(
      .discards, "the copy lacks \(loss.count == 1 ? "an entry" : "\(loss.count) entries") of this log, from entry \(loss.first) on",
      hint: "take a later copy, or say `--discard \(loss.count)`: what is replaced is kept beside the store")
  }
}
