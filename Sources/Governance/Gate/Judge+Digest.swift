internal import Core
internal import ProcessModel

// What an approval is bound to.
extension Judge {
  /// What an approval is bound to: who, the tool's definition, the exact arguments, run, step, release, the evidence of the run, and the
  /// values that the matching rules read.
  func digest(tool: Digest?, read: JSONObject) -> Digest {
    let out = CanonicalWriter(capacity: 1024)
    out.raw("{\"arguments\":\"")
    out.hex(SHA256.hash(canonicalArguments))
    if let tool {
      out.raw("\",\"definition\":\"")
      out.hex(tool)
    }
    out.raw("\"")
    if let evidence = view.run?.state.evidence, !evidence.isEmpty {
      out.raw(",\"evidence\":[\"")
      for (place, piece) in evidence.enumerated() {
        if place > 0 { out.raw("\",\"") }
        out.hex(piece.digest)
      }
      out.raw("\"]")
    }
    out.raw(",\"principal\":")
    out.string(proposal.principal)
    if !read.isEmpty {
      out.raw(",\"read\":")
      do { try out.object(read, rounding: true) } catch {}  // rounding never throws
    }
    if let release = view.release {
      out.raw(",\"release\":\"")
      out.hex(release.digest)
      out.raw("\"")
    }
    if let run = proposal.run {
      out.raw(",\"run\":")
      out.string(run)
    }
    if let occurrence {
      out.raw(",\"step\":")
      out.string(occurrence.description)
    }
    out.raw(",\"tool\":")
    out.string(proposal.tool)
    out.raw("}")
    return SHA256.hash(out.written)
  }
}
