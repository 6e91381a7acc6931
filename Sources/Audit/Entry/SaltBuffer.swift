import Core
import Glibc

/// Salts for commitments; those of the system's generator are fetched many at a time, as each call of the kernel costs more than the salt.
struct SaltBuffer {
  private var bytes = [UInt8](repeating: 0, count: 256)
  private var used = 256

  init() {}

  /// Fills 16 bytes.
  mutating func fill(_ salt: UnsafeMutableRawBufferPointer, from random: RandomSource?) {
    if let random {
      salt.storeBytes(of: random.next(), toByteOffset: 0, as: UInt64.self)
      salt.storeBytes(of: random.next(), toByteOffset: 8, as: UInt64.self)
      return
    }
    if used == bytes.count { refill() }
    bytes.withUnsafeMutableBytes { buffer in
      let next = UnsafeMutableRawBufferPointer(rebasing: buffer[used..<(used + 16)])
      salt.copyMemory(from: UnsafeRawBufferPointer(next))
      _ = next.initializeMemory(as: UInt8.self, repeating: 0)  // nobody finds a salt here that was handed out
    }
    used += 16
  }

  /// `getentropy` gives at most 256 bytes, and fails only where there is no generator at all.
  private mutating func refill() {
    guard bytes.withUnsafeMutableBytes({ getentropy($0.baseAddress, $0.count) }) == 0 else {
      fatalError("the system gives no random bytes: \(String(cString: strerror(errno)))")
    }
    used = 0
  }
}
