public import Core
internal import Glibc

/// Runs a property with several seeds, or with the one that `SEED` names, to repeat a failure.
///
/// The body puts the seed into its expectations' messages.
public func withSeeds(_ count: Int = 50, _ body: (UInt64, inout SeededGenerator) throws -> Void) rethrows {
  let only = getenv("SEED").flatMap { UInt64(String(cString: $0)) }
  for seed in only.map({ [$0] }) ?? (1...UInt64(count)).map({ $0 }) {
    var random = SeededGenerator(seed: seed)
    try body(seed, &random)
  }
}

/// As ``withSeeds(_:_:)-(_,(UInt64,SeededGenerator))``, for properties that suspend.
public func withSeeds(_ count: Int = 50, _ body: (UInt64, inout SeededGenerator) async throws -> Void) async rethrows {
  let only = getenv("SEED").flatMap { UInt64(String(cString: $0)) }
  for seed in only.map({ [$0] }) ?? (1...UInt64(count)).map({ $0 }) {
    var random = SeededGenerator(seed: seed)
    try await body(seed, &random)
  }
}
