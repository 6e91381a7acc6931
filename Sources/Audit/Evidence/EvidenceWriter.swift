import Core
import Glibc
import Storage

/// Writes evidence into the store, in the transaction of the entry that names it.
enum EvidenceWriter {
  /// Pieces up to this size are bound as they lie; larger ones are written chunk by chunk.
  static let chunk = 1 << 18

  /// Stores a piece unless the store has it already.
  ///
  /// - Throws: ``AuditError/Code/evidence`` when the bytes are not what their digest says, or are said to be stored and are not.
  static func store(_ piece: Evidence, in connection: Connection) throws {
    let reference = piece.reference
    let stored = try connection.first("SELECT size FROM evidence WHERE sha256 = ?", [.blob(reference.digest.bytes)]) { $0.int(0) }
    if let stored {
      guard stored == reference.size else {
        throw AuditError(.evidence, "evidence \(reference.digest.hex) has \(stored) bytes, not \(reference.size)")
      }
      return
    }
    switch piece.source {
    case .stored: throw AuditError(.evidence, "evidence \(reference.digest.hex) is not in the store")
    case .bytes(let bytes):
      try connection.run(
        "INSERT INTO evidence (sha256, media, size, bytes) VALUES (?, ?, ?, ?)", .blob(reference.digest.bytes), .text(reference.media),
        .int(bytes.count), .blob(bytes))
    case .file(let file): try copy(file, reference, connection)
    }
  }

  private static func copy(_ file: SpooledFile, _ reference: EvidenceReference, _ connection: Connection) throws {
    let insert = try connection.statement("INSERT INTO evidence (sha256, media, size, bytes) VALUES (?, ?, ?, ?)")
    try insert.bind(1, reference.digest.bytes)
    try insert.bind(2, reference.media)
    try insert.bind(3, Int64(reference.size))
    try insert.bindZeroes(4, count: reference.size)
    try insert.run()
    insert.clearBindings()
    let row = connection.lastInsertedRow
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: chunk, alignment: 16)
    defer { buffer.deallocate() }
    var hash = SHA256()
    var offset = 0
    while offset < reference.size {
      let count = pread(file.descriptor, buffer.baseAddress, min(chunk, reference.size - offset), offset)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw AuditError(.evidence, "the copy of evidence \(reference.digest.hex) cannot be read") }
      let bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count])
      hash.update(bytes)
      try connection.write(intoBlobOf: "evidence", column: "bytes", row: row, at: offset, bytes)
      offset += count
    }
    guard hash.finalize() == reference.digest else {
      throw AuditError(.evidence, "evidence \(reference.digest.hex) changed while it was stored")
    }
  }
}
