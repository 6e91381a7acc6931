public import Core

/// An entry as it leaves its store: the exact bytes that its leaf covers, its content opened, and the proof that the log has it.
///
///     {"content":[{"part":"arguments","salt":"…","text":"{…}"}],"envelope":"{…}","proof":["…"]}
public struct SealedEntry: Sendable {
  /// A content part with what opens its commitment.
  public struct Part: Sendable {
    let name: String
    /// Sixteen bytes of salt, and the content; `nil` where it was redacted.
    let opening: (salt: [UInt8], bytes: [UInt8])?
  }

  /// The canonical bytes of the envelope.
  public let envelope: [UInt8]
  /// The content parts, in the order of the envelope's commitments.
  public let parts: [Part]
  /// The proof of inclusion, from the leaf upwards.
  public let proof: [Digest]

  /// Takes an entry out of a store.
  ///
  /// - Throws: What reading it throws; ``AuditError/Code/notFound`` where there is no such entry.
  /// - Complexity: O(log n) for n entries.
  public init<Meaning>(_ entry: Entry, in context: ReadContext<Meaning>) throws {
    guard let envelope = try context.envelope(at: entry.index), let proof = try context.inclusionProof(of: entry.index) else {
      throw AuditError(.notFound, "there is no entry \(entry.index)", entry: entry.index)
    }
    self.envelope = envelope
    self.proof = proof
    parts = try entry.content.map { content in
      let salt = try context.salt(of: content.part, entry: entry.index)
      return Part(name: content.part, opening: salt.flatMap { salt in content.bytes.map { (salt, $0) } })
    }
  }

  // MARK: As JSON

  /// The entry as a bundle holds it; ``init(json:)`` reads it back.
  public var json: JSON {
    var object: JSONObject = [
      "envelope": .string(String(decoding: envelope, as: UTF8.self)), "proof": .array(proof.map { .string($0.hex) }),
    ]
    if !parts.isEmpty { object["content"] = .array(parts.map(\.json)) }
    return .object(object)
  }

  /// Reads what ``json`` writes, apart from members that others add; `nil` for anything else.
  public init?(json: JSON) {
    guard let envelope = json["envelope"]?.stringValue, let proof = json["proof"]?.arrayValue else { return nil }
    let digests = proof.compactMap { $0.stringValue.flatMap { Digest(hex: $0) } }
    let parts = (json["content"]?.arrayValue ?? []).compactMap { Part(json: $0) }
    guard digests.count == proof.count, parts.count == json["content"]?.arrayValue?.count ?? 0 else { return nil }
    self.envelope = Array(envelope.utf8)
    self.proof = digests
    self.parts = parts
  }

  // MARK: Opening

  /// Checks form, commitments and proof, and gives the entry.
  ///
  /// - Throws: ``AuditError`` with code ``AuditError/Code/damaged``.
  public func open(in checkpoint: Checkpoint) throws(AuditError) -> Entry {
    var decoder = EnvelopeDecoder()
    let bytes = envelope
    let result: Result<Envelope, AuditError> = bytes.withUnsafeBytes { buffer in
      do throws(AuditError) { return .success(try decoder.decode(buffer)) } catch { return .failure(error) }
    }
    let envelope = try result.get()
    let leaf = MerkleTree.leaf(bytes)
    let (index, size) = (UInt64(envelope.index), UInt64(checkpoint.size))
    guard MerkleTree.verifyInclusion(index: index, size: size, leaf: leaf, proof: proof, root: checkpoint.root) else {
      throw AuditError(.damaged, "entry \(index) is not proven to be in the log", entry: envelope.index)
    }
    guard parts.count == envelope.commitments.count else {
      throw AuditError(.damaged, "entry \(index) has other content parts than its envelope names", entry: envelope.index)
    }
    for (part, commitment) in zip(parts, envelope.commitments) where !part.fits(commitment.part, commitment.digest) {
      throw AuditError(.damaged, "part `\(visible(part.name))` of entry \(index) is not what it commits to", entry: envelope.index)
    }
    return Entry(
      index: envelope.index, time: Instant(milliseconds: envelope.time), type: envelope.type, run: envelope.run,
      principal: envelope.principal, release: envelope.release, bodyView: envelope.body, content: parts.map(\.content),
      evidence: envelope.evidence, leaf: leaf)
  }
}

extension SealedEntry.Part {
  var content: Content { opening.map { Content(name, $0.bytes) } ?? Content(redacted: name) }

  func fits(_ part: String, _ digest: Digest) -> Bool {
    guard bytesEqual(name, part) else { return false }
    guard let opening else { return true }
    return opening.salt.count == Commitment.saltBytes && SHA256.hash(opening.salt + opening.bytes) == digest
  }

  /// `text` where the bytes are UTF-8, else `base64`; `withheld` where they were redacted.
  var json: JSON {
    guard let opening else { return ["part": .string(name), "withheld": true] }
    let salt = JSON.string(Base64.encode(opening.salt))
    if let text = String(validating: opening.bytes, as: UTF8.self) {
      return ["part": .string(name), "salt": salt, "text": .string(text)]
    }
    return ["base64": .string(Base64.encode(opening.bytes)), "part": .string(name), "salt": salt]
  }

  init?(json: JSON) {
    guard let name = json["part"]?.stringValue else { return nil }
    self.name = name
    if json["withheld"]?.boolValue == true {
      opening = nil
      return
    }
    let bytes = json["text"]?.stringValue.map { Array($0.utf8) } ?? json["base64"]?.stringValue.flatMap { Base64.decode($0) }
    guard let salt = json["salt"]?.stringValue.flatMap({ Base64.decode($0) }), let bytes else { return nil }
    opening = (salt, bytes)
  }
}
