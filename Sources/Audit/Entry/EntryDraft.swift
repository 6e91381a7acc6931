public import Core

/// An entry that someone wants to append: index, time, salts and hashes are the writer's.
public struct EntryDraft: Sendable {
  /// What it records, with the version of its shape: `proposal.decided@1`.
  public var type: String
  /// The run that it belongs to; `nil` for what concerns all runs (people, releases, stops).
  public var run: String?
  /// Who caused it: `user:ana`, `agent:risk-analyst`, `system:timer`.
  public var principal: String
  /// The release that it happened under.
  public var release: String?
  /// Structure without confidential values; it can never be redacted.
  public var body: JSONObject
  /// Arguments, field values, reasons, model text: what may be redacted one day.
  public var content: [Content]
  /// Evidence that the entry names; bytes that the store does not have yet are written in the same transaction.
  public var evidence: [Evidence]

  /// Makes a draft.
  public init(
    type: String, run: String? = nil, principal: String, release: String? = nil, body: JSONObject = [:], content: [Content] = [],
    evidence: [Evidence] = []
  ) {
    self.type = type
    self.run = run
    self.principal = principal
    self.release = release
    self.body = body
    self.content = content
    self.evidence = evidence
  }

  /// Checks what the format asks of a draft, and sorts its parts.
  ///
  /// - Throws: ``AuditError`` with code ``AuditError/Code/invalidDraft``.
  mutating func validate() throws(AuditError) {
    try Self.checkType(type)
    try Self.checkName(principal, "principal")
    if let run {
      try Self.checkName(run, "run")
      guard run.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { throw Self.invalid("run `\(visible(run))` is not printable ASCII") }
    }
    if let release { try Self.checkName(release, "release") }
    guard Self.depth(of: .object(body), limit: AuditLimits.bodyDepth) != nil else {
      throw Self.invalid("the body of an entry is nested at most \(AuditLimits.bodyDepth) deep")
    }
    guard content.count <= AuditLimits.contentParts else {
      throw Self.invalid("an entry has at most \(AuditLimits.contentParts) content parts, not \(content.count)")
    }
    if content.count > 1 { content.sort { CanonicalWriter.precedes($0.part, $1.part) } }
    var previous: String?
    for part in content {
      try Self.checkName(part.part, "content part")
      guard let bytes = part.bytes else { throw Self.invalid("content part `\(visible(part.part))` has no bytes") }
      guard bytes.count <= AuditLimits.contentBytes else {
        throw Self.invalid("content part `\(visible(part.part))` has \(bytes.count) bytes, the limit is \(AuditLimits.contentBytes)")
      }
      if let previous, bytesEqual(previous, part.part) { throw Self.invalid("content part `\(visible(part.part))` is given twice") }
      previous = part.part
    }
    guard evidence.count <= AuditLimits.evidencePieces else {
      throw Self.invalid("an entry names at most \(AuditLimits.evidencePieces) pieces of evidence, not \(evidence.count)")
    }
    if evidence.count > 1 { evidence.sort { $0.reference.digest < $1.reference.digest } }
    for piece in evidence { try Self.checkName(piece.reference.media, "media type") }
    for place in evidence.indices.dropFirst() where evidence[place - 1].reference.digest == evidence[place].reference.digest {
      throw Self.invalid("evidence \(evidence[place].reference.digest.hex) is given twice")
    }
  }

  /// How deep a value is nested; `nil` when deeper than `limit`.
  private static func depth(of json: JSON, limit: Int) -> Int? {
    var deepest = 0
    switch json {
    case .array(let elements):
      if limit == 0 { return nil }
      for element in elements {
        guard let inner = depth(of: element, limit: limit - 1) else { return nil }
        deepest = max(deepest, inner + 1)
      }
    case .object(let object):
      if limit == 0 { return nil }
      for place in 0..<object.count {
        guard let inner = depth(of: object[place].value, limit: limit - 1) else { return nil }
        deepest = max(deepest, inner + 1)
      }
    default: break
    }
    return deepest
  }

  private static func checkType(_ type: String) throws(AuditError) {
    // `proposal.decided@1`: words, digits, dots and dashes, then the version.
    var seenAt = false
    var digits = 0
    var letters = 0
    for byte in type.utf8 {
      switch byte {
      case UInt8(ascii: "@") where !seenAt && letters > 0: seenAt = true
      case 48...57 where seenAt: digits += 1
      case 97...122, 48...57, UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
        if seenAt { throw invalid("`\(visible(type))` is not an entry type such as `run.started@1`") }
        letters += 1
      default: throw invalid("`\(visible(type))` is not an entry type such as `run.started@1`")
      }
    }
    guard digits > 0, digits < 10, type.utf8.count <= AuditLimits.nameBytes else {
      throw invalid("`\(visible(type))` is not an entry type such as `run.started@1`")
    }
  }

  private static func checkName(_ name: String, _ what: String) throws(AuditError) {
    let count = name.utf8.count
    guard count > 0, count <= AuditLimits.nameBytes else {
      throw invalid("a \(what) has 1 to \(AuditLimits.nameBytes) bytes, not \(count)")
    }
    var name = name
    let isClean = name.withUTF8 { utf8 in
      var clean = true
      for byte in utf8 where byte < 0x20 || byte == 0x7f { clean = false }
      return clean
    }
    if !isClean { throw invalid("\(what) `\(visible(name))` holds a control character") }
  }

  static func invalid(_ message: String) -> AuditError { AuditError(.invalidDraft, message) }
}
