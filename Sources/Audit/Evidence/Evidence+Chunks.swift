import Core
import Glibc

extension Evidence {
  /// Takes in evidence that comes piece by piece, hashed while it comes; large ones lie in a nameless temporary file meanwhile.
  ///
  /// - Parameters:
  ///   - media: The media type, once the first piece is there.
  ///   - limit: The largest size, in bytes.
  ///   - next: The next piece; nil at the end.
  /// - Returns: Evidence that holds the bytes.
  /// - Throws: What `next` throws; ``AuditError`` where it is larger than the limit, or cannot be kept.
  public static func collect(
    media: (_ first: [UInt8]) -> String, limit: Int = AuditLimits.evidenceBytes, next: () async throws -> [UInt8]?
  ) async throws -> Evidence {
    var hash = SHA256()
    var (bytes, size) = ([UInt8](), 0)
    var kind: String?
    var spool: SpooledFile?
    while let piece = try await next() {
      kind = kind ?? media(piece)
      size += piece.count
      guard size <= limit else { throw tooLarge("this evidence", size, limit) }
      piece.withUnsafeBytes { hash.update($0) }
      bytes += piece
      guard bytes.count > EvidenceWriter.chunk else { continue }
      let file = try spool ?? SpooledFile(descriptor: try temporaryFile())
      try append(bytes[...], to: file.descriptor, "this evidence")
      (spool, bytes) = (file, [])
    }
    if let spool { try append(bytes[...], to: spool.descriptor, "this evidence") }
    return Evidence(
      reference: EvidenceReference(digest: hash.finalize(), media: kind ?? media([]), size: size),
      source: spool.map { .file($0) } ?? .bytes(bytes))
  }

  /// Gives the bytes piece by piece; nothing for what only the store holds.
  ///
  /// - Throws: What `body` throws; ``AuditError`` where they cannot be read.
  public func forEachChunk(of size: Int, _ body: (ArraySlice<UInt8>) throws -> Void) throws {
    switch source {
    case .stored: break
    case .bytes(let bytes):
      for start in stride(from: 0, to: bytes.count, by: size) { try body(bytes[start..<min(start + size, bytes.count)]) }
    case .file(let file):
      var chunk = [UInt8](repeating: 0, count: size)
      var offset = 0
      while offset < reference.size {
        let count = pread(file.descriptor, &chunk, min(size, reference.size - offset), offset)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { throw AuditError(.evidence, "the copy of this evidence cannot be read") }
        try body(chunk[..<count])
        offset += count
      }
    }
  }
}
