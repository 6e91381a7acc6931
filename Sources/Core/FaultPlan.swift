/// A fault that a test asked for.
public struct InjectedFault: Error, Hashable, Sendable, CustomStringConvertible {
  /// The point that was reached.
  public let point: String

  /// Makes the fault of a point.
  public init(point: String) { self.point = point }

  /// Which point failed.
  public var description: String { "injected fault at `\(point)`" }
}

/// Which of the points that code passes on its way shall fail.
///
/// Production code runs under ``none``.
public struct FaultPlan: Sendable {
  private let body: (@Sendable (String) throws(InjectedFault) -> Void)?

  /// A plan that decides at each point; it may also kill the process.
  public init(_ body: @escaping @Sendable (String) throws(InjectedFault) -> Void) { self.body = body }

  private init() { body = nil }

  /// Nothing fails.
  public static let none = FaultPlan()

  /// The n-th point that is reached fails, from 1; with `persistent` every later one too.
  public static func fail(at n: Int, persistent: Bool) -> FaultPlan {
    let count = Locked(0)
    return FaultPlan { point throws(InjectedFault) in
      let reached = count.withLock { count in
        count += 1
        return count
      }
      if persistent ? reached >= n : reached == n { throw InjectedFault(point: point) }
    }
  }

  /// Passes a point.
  ///
  /// - Throws: ``InjectedFault`` where the plan says so; the code must then behave as if the operation after it had failed.
  @inlinable
  public func reach(_ point: @autoclosure () -> String) throws(InjectedFault) {
    if isActive { try fire(point()) }
  }

  @usableFromInline var isActive: Bool { body != nil }
  @usableFromInline func fire(_ point: String) throws(InjectedFault) { try body?(point) }
}
