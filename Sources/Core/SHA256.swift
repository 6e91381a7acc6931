internal import CSHA256

/// The result of SHA-256: 32 bytes.
public struct Digest: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// Big-endian words, so that comparison is by bytes.
  @usableFromInline let words: (UInt64, UInt64, UInt64, UInt64)

  /// Takes 32 bytes; nil for any other count.
  public init?(_ bytes: some Collection<UInt8>) {
    guard bytes.count == 32 else { return nil }
    var words: [UInt64] = [0, 0, 0, 0]
    for (index, byte) in bytes.enumerated() { words[index / 8] = words[index / 8] << 8 | UInt64(byte) }
    self.words = (words[0], words[1], words[2], words[3])
  }

  /// Reads 64 lower-case hexadecimal digits; nil for anything else.
  public init?(hex: String) {
    let digits = Array(hex.utf8)
    guard digits.count == 64, digits.allSatisfy({ $0 &- 48 < 10 || $0 &- 97 < 6 }) else { return nil }
    self.init((0..<32).map { (hexDigit(digits[2 * $0]) ?? 0) << 4 | (hexDigit(digits[2 * $0 + 1]) ?? 0) })
  }

  init(state: [UInt32]) {
    words = (
      UInt64(state[0]) << 32 | UInt64(state[1]), UInt64(state[2]) << 32 | UInt64(state[3]),
      UInt64(state[4]) << 32 | UInt64(state[5]), UInt64(state[6]) << 32 | UInt64(state[7])
    )
  }

  /// The 32 bytes.
  public var bytes: [UInt8] {
    [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
      _ = withBytes { buffer.initialize(fromContentsOf: $0) }
      count = 32
    }
  }

  /// Gives the 32 bytes without an allocation.
  public func withBytes<R>(_ body: (UnsafeBufferPointer<UInt8>) throws -> R) rethrows -> R {
    let big = (words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian)
    return try withUnsafeBytes(of: big) { try $0.withMemoryRebound(to: UInt8.self) { try body($0) } }
  }

  /// 64 lower-case hexadecimal digits.
  public var hex: String {
    String(unsafeUninitializedCapacity: 64) { buffer in
      var place = 0
      withBytes { bytes in
        for byte in bytes {
          for digit in [byte >> 4, byte & 15] {
            buffer[place] = digit < 10 ? digit + 48 : digit + 87
            place += 1
          }
        }
      }
      return 64
    }
  }

  /// The hexadecimal digits.
  public var description: String { hex }

  /// Whether both are the same 32 bytes.
  public static func == (a: Digest, b: Digest) -> Bool { a.words == b.words }

  /// Whether the first comes before the second, byte for byte.
  public static func < (a: Digest, b: Digest) -> Bool { a.words < b.words }

  /// Feeds the digest to the hasher.
  public func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
}

/// SHA-256 (FIPS 180-4), over bytes that arrive in pieces.
///
/// - Complexity: O(n); over 1 GB/s where the processor has SHA-NI.
public struct SHA256: Sendable {
  private var state: [UInt32] = [
    0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
  ]
  private var pending: [UInt8] = []
  private var length: UInt64 = 0

  /// A hash of nothing yet.
  public init() {}

  /// Takes the next bytes.
  public mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

  /// Takes the next bytes.
  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    var rest = bytes[...]
    length &+= UInt64(bytes.count)
    if !pending.isEmpty {
      let taken = rest.prefix(64 - pending.count)
      pending.append(contentsOf: taken)
      rest = rest.dropFirst(taken.count)
      if pending.count < 64 { return }
      csha256_compress(&state, pending, 1)
      pending.removeAll(keepingCapacity: true)
    }
    let whole = rest.count / 64
    if whole > 0, let base = UnsafeRawBufferPointer(rebasing: rest).baseAddress {
      csha256_compress(&state, base.assumingMemoryBound(to: UInt8.self), whole)
    }
    pending.append(contentsOf: rest.dropFirst(whole * 64))
  }

  /// The hash of all bytes so far.
  public func finalize() -> Digest {
    var state = state
    Self.pad(pending, length: length, into: &state)
    return Digest(state: state)
  }

  private static func pad(_ pending: some Collection<UInt8>, length: UInt64, into state: inout [UInt32]) {
    withUnsafeTemporaryAllocation(byteCount: 128, alignment: 16) { block in
      block.initializeMemory(as: UInt8.self, repeating: 0)
      block.copyBytes(from: pending)
      block[pending.count] = 0x80
      let size = pending.count < 56 ? 64 : 128
      var bits = (length &* 8).bigEndian
      withUnsafeBytes(of: &bits) { UnsafeMutableRawBufferPointer(rebasing: block[(size - 8)..<size]).copyMemory(from: $0) }
      if let base = block.baseAddress { csha256_compress(&state, base.assumingMemoryBound(to: UInt8.self), size / 64) }
    }
  }

  /// The hash of bytes that are all there.
  public static func hash(_ bytes: [UInt8]) -> Digest { bytes.withUnsafeBytes { hash($0) } }

  /// The hash of bytes that are all there.
  public static func hash(_ bytes: UnsafeRawBufferPointer) -> Digest {
    var state = SHA256().state
    let whole = bytes.count / 64
    if whole > 0, let base = bytes.baseAddress { csha256_compress(&state, base.assumingMemoryBound(to: UInt8.self), whole) }
    pad(bytes[(whole * 64)...], length: UInt64(bytes.count), into: &state)
    return Digest(state: state)
  }

  /// The hash of a text's UTF-8 bytes.
  public static func hash(_ text: String) -> Digest {
    var text = text
    return text.withUTF8 { hash(UnsafeRawBufferPointer($0)) }
  }
}
