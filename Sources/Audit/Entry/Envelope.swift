import Core
import Glibc

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
  var body: JSONObject
  var commitments: [(part: String, digest: Digest)]
  var evidence: [EvidenceReference]

  /// Writes the canonical bytes behind what the writer holds already.
  func write(to out: CanonicalWriter) throws(NotRepresentable) {
    out.raw("{\"body\":")
    try out.object(body)
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

/// Reads envelopes, checks that they are canonical, and keeps one copy of names that come again and again.
struct EnvelopeDecoder {
  private var names = NameTable()
  private let out = CanonicalWriter()

  init() {}

  /// Reads an envelope.
  ///
  /// - Throws: ``AuditError`` with code ``AuditError/Code/damaged`` when the bytes are not the canonical form of an envelope.
  mutating func decode(_ bytes: UnsafeRawBufferPointer) throws(AuditError) -> Envelope {
    let utf8 = bytes.bindMemory(to: UInt8.self)
    let json: JSON
    do throws(JSONError) {
      json = try JSON.parse(utf8)
    } catch {
      throw AuditError(.damaged, "the envelope is not JSON: \(error.message)")
    }
    guard let envelope = envelope(json) else { throw AuditError(.damaged, "the envelope lacks a member or has one too many") }
    out.reset()
    do throws(NotRepresentable) {
      try envelope.write(to: out)
    } catch {
      throw AuditError(.damaged, "the envelope is not canonical: \(error)")
    }
    guard let written = out.written.baseAddress, let given = bytes.baseAddress, out.count == bytes.count,
      memcmp(written, given, bytes.count) == 0
    else { throw AuditError(.damaged, "the envelope is not in canonical form") }
    return envelope
  }

  private mutating func envelope(_ json: JSON) -> Envelope? {
    guard case .object(let members) = json else { return nil }
    var envelope = Envelope(
      index: -1, time: .min, type: "", run: nil, principal: "", release: nil, body: [:], commitments: [], evidence: [])
    var hasBody = false
    for place in 0..<members.count {
      let (key, value) = members[place]
      switch (key, value) {
      case ("body", .object(let body)):
        envelope.body = body
        hasBody = true
      case ("index", .number(let number)): envelope.index = number.int64.flatMap { Int(exactly: $0) } ?? -1
      case ("time", .number(let number)): envelope.time = number.int64 ?? .min
      case ("type", .string(let text)): envelope.type = names.shared(text)
      case ("principal", .string(let text)): envelope.principal = names.shared(text)
      case ("release", .string(let text)): envelope.release = names.shared(text)
      case ("run", .string(let text)): envelope.run = names.shared(text)
      case ("commitments", .object(let parts)):
        for place in 0..<parts.count {
          guard case .string(let hex) = parts[place].value, let digest = Digest(hex: hex) else { return nil }
          envelope.commitments.append((names.shared(parts[place].key), digest))
        }
      case ("evidence", .array(let pieces)):
        for piece in pieces {
          guard let media = piece["media"]?.stringValue, let hex = piece["sha256"]?.stringValue, let digest = Digest(hex: hex),
            let size = piece["size"]?.intValue
          else { return nil }
          envelope.evidence.append(EvidenceReference(digest: digest, media: names.shared(media), size: Int(size)))
        }
      default: return nil
      }
    }
    guard hasBody, envelope.index >= 0, envelope.time != .min, !envelope.type.isEmpty, !envelope.principal.isEmpty else { return nil }
    return envelope
  }
}

/// A small table of texts seen before, so that equal names share one object.
struct NameTable {
  private var slots = [String](repeating: "", count: 1024)

  init() {}

  mutating func shared(_ text: String) -> String {
    var text = text
    guard text.utf8.count > 15 else { return text }  // short texts need no object
    let hash = text.withUTF8 { bytes in
      var hash: UInt64 = 0xcbf2_9ce4_8422_2325
      for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
      return hash
    }
    let place = Int(truncatingIfNeeded: hash ^ hash >> 32) & 1023
    if bytesEqual(slots[place], text) { return slots[place] }
    slots[place] = text
    return text
  }
}
