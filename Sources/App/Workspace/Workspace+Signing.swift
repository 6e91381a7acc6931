internal import Audit
internal import Core
internal import Governance
internal import Storage

/// A signed approval as the log has it.
struct SignedApproval: Sendable {
  var principal: String
  var statement: String
  var signature: [UInt8]
  /// The public key, a line of OpenSSH's.
  var signer: String
  var fingerprint: String
  /// The entry that has it.
  var entry: Int

  var json: JSON {
    [
      "by": .string(principal), "entry": .int(entry), "key": .string(fingerprint), "statement": .string(statement),
      "signature": .string(String(decoding: signature, as: UTF8.self)), "signer": .string(signer),
    ]
  }
}

extension Workspace {
  /// Signs the statement of an approval with a key of the person at the keyboard.
  ///
  /// - Parameters:
  ///   - id: The proposal.
  ///   - key: A private key's file, or a public one's whose key an agent holds; nil tries those that the directory has.
  ///   - authority: In whose place they decide; nil for their own, or the only one that they may take.
  ///   - front: Where the person and their keys are.
  /// - Returns: The signature, found to be good for a key that the directory has for the person.
  /// - Throws: ``CommandError`` where nothing can be signed, `Refusal` where the key is not the person's.
  func signed(_ id: String, key: String?, for authority: String?, front: any Front) async throws -> SignedStatement {
    let identity = identity
    let keys = try await store.read { try $0.shared().directory.person(identity.principal)?.keys ?? [] }
    guard !keys.isEmpty else {
      throw CommandError(
        .refused, "no-key", "the directory has no key of `\(identity.principal)`, so a signature would say nothing",
        hint: "the line of your `.pub` file goes into `keys` of organisation.json5")
    }
    let statement = try await gate.statement(of: id, by: identity, for: authority)
    let bytes = Array(statement.text.utf8)
    let signature = try await front.sign(bytes, key: key, known: keys)
    return try await SignedStatement(statement, signature: signature, keys: keys, check: SSHKeygen.verifies)
  }

  /// The signed approvals of a proposal, in the order in which they were given.
  func signedStatements(of id: String) async throws -> [SignedApproval] {
    try await store.read { context in
      let run = try context.database.first("SELECT run FROM proposal WHERE id = ?", [.text(id)]) { $0.optionalText(0) } ?? nil
      var history: [Entry] = []
      if let run {
        history = try context.history(of: run)
      } else {
        try context.forEachSharedEntry(in: 0..<context.head.size) { if $0.body["proposal"]?.stringValue == id { history.append($0) } }
      }
      return history.compactMap { entry in
        guard entry.type == EntryType.approval, entry.body["proposal"]?.stringValue == id, let key = entry.body["key"]?.stringValue,
          let statement = entry.content(ContentPart.statement), let signature = entry.content(ContentPart.signature),
          let signer = entry.content(ContentPart.signer)
        else { return nil }
        return SignedApproval(
          principal: entry.principal, statement: String(decoding: statement, as: UTF8.self), signature: signature,
          signer: String(decoding: signer, as: UTF8.self), fingerprint: key, entry: entry.index)
      }
    }
  }
}
