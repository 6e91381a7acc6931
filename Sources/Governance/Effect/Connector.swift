internal import Core

/// A source of tools: what actually reaches the outside.
///
/// A connector can be called only with a ``Grant``, which the gate alone makes.
public protocol Connector: Sendable {
  /// Carries out what the grant allows.
  ///
  /// It must not begin once the grant's deadline has passed, and come back by it, and soon after its task is cancelled; work that blocks runs on a thread of the
  /// connector's own.
  /// - Returns: What became of it. Whatever is not known for certain is ``EffectOutcome/inDoubt(_:_:)``.
  func call(_ grant: borrowing Grant) async -> EffectOutcome
}
