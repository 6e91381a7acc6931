/// Random numbers that a seed repeats exactly (SplitMix64: Steele, Lea, Flood, OOPSLA 2014, doi:10.1145/2660193.2660195).
///
/// For tests and simulations; never for secrets.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// A generator whose sequence depends on the seed alone.
  public init(seed: UInt64) { state = seed }

  /// The next 64 bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// Where random bytes come from: an argument, so that any behaviour can be simulated and replayed.
public struct RandomSource: Sendable {
  /// The next 64 random bits.
  public let next: @Sendable () -> UInt64

  /// Makes a source from a function.
  public init(_ next: @escaping @Sendable () -> UInt64) { self.next = next }

  /// The system's cryptographic generator.
  public static let system = RandomSource {
    var generator = SystemRandomNumberGenerator()
    return generator.next()
  }

  /// A source that a seed repeats exactly; safe to share between threads.
  public static func seeded(_ seed: UInt64) -> RandomSource {
    let generator = Locked(SeededGenerator(seed: seed))
    return RandomSource { generator.withLock { $0.next() } }
  }

  /// That many random bytes.
  public func bytes(_ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    while bytes.count < count {
      withUnsafeBytes(of: next().littleEndian) { bytes.append(contentsOf: $0.prefix(count - bytes.count)) }
    }
    return bytes
  }
}
