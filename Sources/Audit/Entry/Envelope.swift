@_spi(JSONParser) import Core

/// The canonical bytes of an entry: what its Merkle leaf covers.
///
///     {"body":{…},"commitments":{"fields":"<hex>"},"evidence":[{"media":…,"sha256":…,"size":…}],
///      "index":0,"principal":"user:ana","release":"…","run":"…","time":1767225600000,"type":"run.started@1"}
///
/// Members that are empty or absent are left out, except `body`.
struct Envelope {
  var index: Int
  var time: Int64
  var type: String
  var run: String?
  var principal: String
  var release: String?
  var body: JSONView
  var commitments: [(part: String, digest: Digest)]
  var evidence: [EvidenceReference]

  /// Writes the canonical bytes behind what the writer holds already.
  func write(to out: CanonicalWriter) throws(NotRepresentable) {
    out.raw("{\"body\":")
    try out.value(JSON(body))
    if !commitments.isEmpty {
      out.raw(",\"commitments\":{")
      var first = true
      for commitment in commitments {
        if !first { out.raw(",") }
        first = false
        out.string(commitment.part)
        out.raw(":\"")
        out.hex(commitment.digest)
        out.raw("\"")
      }
      out.raw("}")
    }
    if !evidence.isEmpty {
      out.raw(",\"evidence\":[")
      var first = true
      for piece in evidence {
        if !first { out.raw(",") }
        first = false
        out.raw("{\"media\":")
        out.string(piece.media)
        out.raw(",\"sha256\":\"")
        out.hex(piece.digest)
        out.raw("\",\"size\":")
        out.integer(Int64(piece.size))
        out.raw("}")
      }
      out.raw("]")
    }
    out.raw(",\"index\":")
    out.integer(Int64(index))
    out.raw(",\"principal\":")
    out.string(principal)
    if let release {
      out.raw(",\"release\":")
      out.string(release)
    }
    if let run {
      out.raw(",\"run\":")
      out.string(run)
    }
    out.raw(",\"time\":")
    out.integer(time)
    out.raw(",\"type\":")
    out.string(type)
    out.raw("}")
  }
}

/// Reads envelopes, accepts only canonical ones, and keeps one copy of names that come again and again.
struct EnvelopeDecoder {
  private var names = NameTable()
  private let nodes = NodeBuffer()
  private var text: CanonicalText?

  init() {}

  /// Reads an envelope.
  ///
  /// - Parameters:
  ///   - bytes: Its bytes.
  ///   - isTree: Whether its body becomes a tree, for who looks at it more than once, or stays text.
  /// - Returns: The envelope.
  /// - Throws: ``AuditError`` with code ``AuditError/Code/damaged`` when the bytes are not the canonical form of an envelope.
  mutating func decode(_ bytes: UnsafeRawBufferPointer, isTree: Bool = true) throws(AuditError) -> Envelope {
    do throws(CanonicalReader.Malformed) {
      return try read(bytes, isTree)
    } catch {
      throw AuditError(.damaged, "the envelope is not in canonical form at byte \(error.offset)")
    }
  }

  private mutating func read(_ bytes: UnsafeRawBufferPointer, _ isTree: Bool) throws(CanonicalReader.Malformed) -> Envelope {
    var reader = CanonicalReader(bytes, nodes.room(for: bytes.count))
    try reader.expect("{\"body\":")
    try reader.object()
    let body = isTree ? JSONView(reader.made(&names)) : JSONView(CanonicalText.keep(reader, reusing: &text))
    var envelope = Envelope(
      index: 0, time: 0, type: "", run: nil, principal: "", release: nil, body: body, commitments: [], evidence: [])
    if reader.skip(",\"commitments\":{") {
      repeat {
        let part = try reader.name(&names)
        if let last = envelope.commitments.last, !CanonicalWriter.precedes(last.part, part) {
          throw CanonicalReader.Malformed(offset: reader.offset)
        }
        try reader.expect(":")
        envelope.commitments.append((part, try reader.digest()))
      } while reader.skip(",")
      try reader.expect("}")
    }
    if reader.skip(",\"evidence\":[") {
      repeat {
        try reader.expect("{\"media\":")
        let media = try reader.name(&names)
        try reader.expect(",\"sha256\":")
        let digest = try reader.digest()
        try reader.expect(",\"size\":")
        envelope.evidence.append(EvidenceReference(digest: digest, media: media, size: Int(try reader.integer())))
        try reader.expect("}")
      } while reader.skip(",")
      try reader.expect("]")
    }
    try reader.expect(",\"index\":")
    envelope.index = Int(try reader.integer())
    try reader.expect(",\"principal\":")
    envelope.principal = try reader.name(&names)
    if reader.skip(",\"release\":") { envelope.release = try reader.name(&names) }
    if reader.skip(",\"run\":") { envelope.run = try reader.name(&names) }
    try reader.expect(",\"time\":")
    envelope.time = try reader.integer()
    try reader.expect(",\"type\":")
    envelope.type = try reader.name(&names)
    try reader.expect("}")
    guard reader.isAtEnd, envelope.index >= 0 else { throw CanonicalReader.Malformed(offset: reader.offset) }
    return envelope
  }
}
