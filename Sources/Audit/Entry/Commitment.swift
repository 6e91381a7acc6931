import Core

/// What an envelope says about a content part: SHA-256(salt ‖ bytes), with 16 random bytes of salt.
///
/// The salt keeps a redacted value with few possibilities (an amount, a yes or no) from being found by trying them all.
enum Commitment {
  /// How many bytes a salt has.
  static let saltBytes = 16

  static func digest(salt: UnsafeRawBufferPointer, bytes: UnsafeRawBufferPointer) -> Digest {
    let count = salt.count + bytes.count
    if count <= 1024 {
      return withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 16) { block in
        block.copyMemory(from: salt)
        UnsafeMutableRawBufferPointer(rebasing: block[salt.count..<count]).copyMemory(from: bytes)
        return SHA256.hash(UnsafeRawBufferPointer(rebasing: block[..<count]))
      }
    }
    var hash = SHA256()
    hash.update(salt)
    hash.update(bytes)
    return hash.finalize()
  }
}
