internal import Synchronization

/// A value that threads take turns with.
///
/// The closure must not block or suspend.
public final class Locked<Value: Sendable>: Sendable {
  private let mutex: Mutex<Value>

  /// Wraps a value.
  public init(_ value: Value) { mutex = Mutex(value) }

  /// Runs the closure while no other thread has the value.
  public func withLock<R: Sendable, E: Error>(_ body: (inout Value) throws(E) -> R) throws(E) -> R {
    try mutex.withLock { value throws(E) in try body(&value) }
  }
}
