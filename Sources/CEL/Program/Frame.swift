/// What one evaluation works with.
struct Frame {
  let activation: any CELActivation
  /// The variables of the comprehensions that are under way, outermost first.
  var locals: [CELValue]
  var meter: Meter
}

/// Counts the steps of one evaluation.
struct Meter {
  private var left: Int
  let limit: Int

  init(limit: Int) {
    left = limit
    self.limit = limit
  }

  /// Takes steps.
  ///
  /// - Throws: When there are not enough left; every later call throws too.
  @inline(__always)
  mutating func spend(_ steps: Int) throws(Failure) {
    left &-= steps
    if left < 0 { throw exhausted() }
  }

  /// The steps for work over so many bytes.
  @inline(__always)
  mutating func spend(bytes: Int) throws(Failure) { try spend(1 &+ bytes >> 4) }

  /// Calls the body with the steps that are left, which it lowers; nil from it means that they ran out.
  mutating func spend<R>(_ body: (inout Int) -> R?) throws(Failure) -> R {
    guard let result = body(&left) else { throw exhausted() }
    return result
  }

  @inline(never)
  private mutating func exhausted() -> Failure {
    left = -1
    return Failure(.limit, "evaluation limit of \(limit) steps exceeded")
  }
}

/// An activation without values, for constants.
final class NoVariables: CELActivation {
  func value(_ slot: Int) throws(Failure) -> CELValue? { nil }
}
