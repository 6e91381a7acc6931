public import Core

/// How a store is opened.
public struct StoreOptions: Sendable {
  /// Whether to make the file when it is not there.
  public var create = true
  /// Whether to refuse all writing; the file then needs only read access.
  public var readOnly = false
  /// Where the time of entries comes from.
  public var time = TimeSource.system
  /// Where salts and ids come from; `nil` for the system's cryptographic generator.
  public var random: RandomSource?
  /// Where tests make operations fail.
  public var faults = FaultPlan.none
  /// How long to wait for another process's lock.
  public var busyTimeout = Duration.seconds(5)
  /// How many run states the writer keeps in memory.
  public var cachedRuns = 4096
  /// How many decisions one transaction takes at most.
  public var batch = 512
  /// Pages of write-ahead log after which they are merged into the file.
  public var checkpointPages = 4000
  /// How many connections read at the same time.
  public var readers = 2

  /// The values for normal use.
  public init() {}
}
