public import Core

/// Compares the wall clock with what cannot be set: the time since the machine started, and the log.
///
/// What waits expires by the wall clock, so nobody may move it unnoticed. A watch tells; ``PermissionGate`` records it and suspends what
/// depends on time until a person has looked.
public final class ClockWatch: Sendable {
  /// The clocks at one moment.
  public struct Observation: Hashable, Sendable {
    /// Which start of which machine it was.
    public var boot: String
    /// Milliseconds since then, with those in which the machine slept.
    public var elapsed: Int64
    /// The wall clock.
    public var wall: Instant

    /// Makes an observation from its parts.
    public init(boot: String, elapsed: Int64, wall: Instant) { (self.boot, self.elapsed, self.wall) = (boot, elapsed, wall) }

    fileprivate var json: JSON { ["boot": .string(boot), "elapsed": .int(elapsed), "wall": .int(wall.milliseconds)] }

    fileprivate init?(json: JSON) {
      guard let boot = json["boot"]?.stringValue, let elapsed = json["elapsed"]?.intValue, let wall = json["wall"]?.intValue else {
        return nil
      }
      self.init(boot: boot, elapsed: elapsed, wall: Instant(milliseconds: wall))
    }
  }

  /// By how much the wall clock may differ from what it should be.
  static let tolerance = Duration.seconds(3600)
  /// How long after the last entry a machine that was started anew is believed.
  static let longestAbsence = Duration.seconds(30 * 86_400)

  private let observe: @Sendable () -> Observation
  private let file: String?
  private let trusted: Locked<Observation?>

  /// A watch over clocks.
  ///
  /// - Parameters:
  ///   - file: Where the last observation is kept that was believed, so that the next process goes on from it; nil to keep it here alone.
  ///   - observe: Reads the clocks.
  public init(file: String?, observe: @escaping @Sendable () -> Observation = ClockWatch.machine) {
    self.file = file
    self.observe = observe
    let kept = file.flatMap { try? RegularFile.read($0, maximumBytes: 4096) }.flatMap { try? JSON.parse($0) }
    trusted = Locked(kept.flatMap { Observation(json: $0) })
  }

  /// The machine's own clocks.
  @Sendable public static func machine() -> Observation {
    let boot = (try? RegularFile.read("/proc/sys/kernel/random/boot_id", maximumBytes: 256)).map {
      String(decoding: $0.prefix(36), as: UTF8.self)
    }
    return Observation(boot: boot ?? "", elapsed: TimeSource.sinceBoot.now().milliseconds, wall: TimeSource.system.now())
  }

  /// What is wrong with the wall clock, in words; nil where it can be believed.
  ///
  /// - Parameter last: When the log was written last, by a clock that was believed; nil for an empty log.
  /// - Returns: The problem.
  /// - Throws: What `last` throws.
  func problem(last: () throws -> Instant?) rethrows -> String? {
    let now = observe()
    if let before = trusted.withLock({ $0 }), before.boot == now.boot {
      let jump = now.wall.milliseconds - before.wall.milliseconds - (now.elapsed - before.elapsed)
      if abs(jump) <= Int64(Self.tolerance.milliseconds) { return nil }
      return "the wall clock was moved \(jump > 0 ? "forward" : "back") by \(Self.text(jump)) while the machine ran"
    }
    if let last = try last() {
      if now.wall + Self.tolerance < last {
        return "it is \(Self.text(last.milliseconds - now.wall.milliseconds)) before the last entry of the log"
      }
      if last + Self.longestAbsence < now.wall {
        return
          "it is \(Self.text(now.wall.milliseconds - last.milliseconds)) after the last entry of the log, and the machine was started anew"
      }
    }
    believe(now)
    return nil
  }

  /// The wall clock now.
  public var wall: Instant { observe().wall }

  /// Takes the clocks as they are for right, from now on.
  func confirm() { believe(observe()) }

  private func believe(_ observation: Observation) {
    trusted.withLock { $0 = observation }
    // Without the file the next process compares with the log instead.
    if let file { try? RegularFile.writeAtomically(Array(observation.json.text().utf8), to: file) }
  }

  private static func text(_ milliseconds: Int64) -> String {
    // To the nearest: two clocks read one after the other differ by a millisecond, which must not turn ten days into nine.
    let hours = (milliseconds.magnitude + 1_800_000) / 3_600_000
    return hours < 48 ? "\(hours) hours" : "\((hours + 12) / 24) days"
  }
}
