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

  /// Takes 32 bytes from memory that the caller holds; nil for any other count.
  @inlinable
  public init?(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count == 32 else { return nil }
    words = (
      UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
      UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
      UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)),
      UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self))
    )
  }

  /// Reads 64 lower-case hexadecimal digits; nil for anything else.
  public init?(hex: String) {
    var hex = hex
    guard let digest = hex.withUTF8({ Digest(hexDigits: UnsafeRawBufferPointer($0)) }) else { return nil }
    self = digest
  }

  /// Reads 64 lower-case hexadecimal digits from memory that the caller holds; nil for anything else.
  public init?(hexDigits digits: UnsafeRawBufferPointer) {
    guard digits.count == 64, let first = Self.word(digits, 0), let second = Self.word(digits, 16), let third = Self.word(digits, 32),
      let fourth = Self.word(digits, 48)
    else { return nil }
    words = (first, second, third, fourth)
  }

  /// The value of 16 digits.
  private static func word(_ digits: UnsafeRawBufferPointer, _ offset: Int) -> UInt64? {
    guard let high = half(digits, offset), let low = half(digits, offset + 8) else { return nil }
    return high << 32 | low
  }

  /// The value of eight digits, all at once: a byte of the word each.
  private static func half(_ digits: UnsafeRawBufferPointer, _ offset: Int) -> UInt64? {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let text = UInt64(bigEndian: digits.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    // Letters have bit 6 set and count from 10.
    var values = (text & (ones &* 0x0f)) &+ (text >> 6 & ones) &* 9
    let letters = (values &+ ones &* 6) >> 4 & ones
    guard values & (ones &* 0xf0) == 0, values &+ ones &* 0x30 &+ letters &* 0x27 == text else { return nil }
    values = (values | values >> 4) & 0x00ff_00ff_00ff_00ff
    values = (values | values >> 8) & 0x0000_ffff_0000_ffff
    return (values | values >> 16) & 0xffff_ffff
  }

  init(state: UnsafeBufferPointer<UInt32>) {
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
  @inlinable
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
  private static let initial: [UInt32] = [
    0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
  ]
  private var state = SHA256.initial
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
    return state.withUnsafeMutableBufferPointer { state in
      pending.withUnsafeBytes { Self.pad($0, length: length, into: state) }
      return Digest(state: UnsafeBufferPointer(state))
    }
  }

  private static func pad(_ pending: UnsafeRawBufferPointer, length: UInt64, into state: UnsafeMutableBufferPointer<UInt32>) {
    withUnsafeTemporaryAllocation(byteCount: 128, alignment: 16) { block in
      block.initializeMemory(as: UInt8.self, repeating: 0)
      block.copyMemory(from: pending)
      block[pending.count] = 0x80
      let size = pending.count < 56 ? 64 : 128
      block.storeBytes(of: (length &* 8).bigEndian, toByteOffset: size - 8, as: UInt64.self)
      if let base = block.baseAddress { csha256_compress(state.baseAddress, base.assumingMemoryBound(to: UInt8.self), size / 64) }
    }
  }

  /// The hash of bytes that are all there.
  public static func hash(_ bytes: [UInt8]) -> Digest { bytes.withUnsafeBytes { hash($0) } }

  /// The hash of bytes that are all there.
  public static func hash(_ bytes: UnsafeRawBufferPointer) -> Digest {
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 8) { state in
      _ = state.initialize(fromContentsOf: initial)
      let whole = bytes.count / 64
      if whole > 0, let base = bytes.baseAddress {
        csha256_compress(state.baseAddress, base.assumingMemoryBound(to: UInt8.self), whole)
      }
      pad(UnsafeRawBufferPointer(rebasing: bytes[(whole * 64)...]), length: UInt64(bytes.count), into: state)
      return Digest(state: UnsafeBufferPointer(state))
    }
  }

  /// The hash of a text's UTF-8 bytes.
  public static func hash(_ text: String) -> Digest {
    var text = text
    return text.withUTF8 { hash(UnsafeRawBufferPointer($0)) }
  }
}
