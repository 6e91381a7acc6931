internal import Core
internal import PolicyEngine
internal import ProcessModel

/// The text that a person signs when they approve: what they agree to, and nothing else that could be taken for it.
///
/// The same proposal and person give the same bytes, so that anyone can make them again from the log. A proposal is approved once by each
/// person and its id is never used again, so a statement cannot be replayed.
public struct ApprovalStatement: Hashable, Sendable {
  /// The namespace of the signature: a signature that was made for anything else never counts here.
  public static let namespace = "approval@remit"

  /// The statement: one `name value` on each line, ASCII, each line ended by a line feed.
  public let text: String

  /// The statement of one person's approval of a proposal, in whose authority's place they may decide.
  public init(_ record: ProposalRecord, log: String, run: String?, by principal: String, for authority: String) {
    var lines = [
      "remit approval statement v1", "log \(log)", "run \(run ?? "none")", "proposal \(record.id)", "digest \(record.digest.hex)",
      "decision approve", "by \(principal)", "tool \(record.tool)", "effect \(record.effect.rawValue)",
    ]
    if !bytesEqual(authority, principal) { lines.append("for \(authority)") }
    if let step = record.step { lines.append("step \(step.description)") }
    if let expires = record.expires { lines.append("until \(expires.iso8601)") }
    text = lines.map { $0 + "\n" }.joined()
  }
}

/// An approval statement with a signature that was found to be good.
public struct SignedStatement: Sendable {
  /// What was signed.
  public let statement: ApprovalStatement
  /// The signature, as `ssh-keygen -Y sign` writes it (the file format SSHSIG, armoured).
  public let signature: [UInt8]
  /// The key.
  public let key: PublicKey

  /// Checks a signature against the keys of a person.
  ///
  /// - Parameters:
  ///   - statement: What should have been signed.
  ///   - signature: The armoured signature.
  ///   - keys: The keys that count.
  ///   - check: Whether a key made the signature over these bytes in this namespace.
  /// - Throws: ``Refusal`` where none of the keys did; what the check throws.
  public init(
    _ statement: ApprovalStatement, signature: [UInt8], keys: [PublicKey],
    check: (_ statement: [UInt8], _ signature: [UInt8], _ key: PublicKey, _ namespace: String) async throws -> Bool
  ) async throws {
    for key in keys where try await check(Array(statement.text.utf8), signature, key, ApprovalStatement.namespace) {
      self.statement = statement
      self.signature = signature
      self.key = key
      return
    }
    throw Refusal(.signatureInvalid, "no key that the directory has for this person made this signature over the statement")
  }
}
