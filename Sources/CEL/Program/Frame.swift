/// What one evaluation works with.
///
/// Pointers and an unowned activation, because counting references and checking bounds would cost more than the operations:
/// ``CELProgram`` makes a frame, and keeps alive what it points to until the evaluation is over.
struct Frame {
  /// The places that a ``CELSlots`` fills; none for other activations.
  let slots: UnsafeMutableBufferPointer<CELSlots.Slot>
  /// Asked for what is in no place yet.
  unowned(unsafe) let activation: any CELActivation
  /// The variables of the comprehensions that are under way, outermost first.
  let locals: UnsafeMutableBufferPointer<CELValue>
  var meter: Meter

  /// The value in a slot; nil where there is none.
  @inline(__always)
  func value(_ slot: Int) throws(Failure) -> CELValue? {
    if slot < slots.count, case .value(let value) = slots[slot] { return value }
    return try activation.value(slot)
  }
}

/// Counts the steps of one evaluation.
struct Meter {
  private var left: Int
  let limit: Int

  init(limit: Int) {
    left = limit
    self.limit = limit
  }

  /// The steps that were taken.
  var used: Int { left < 0 ? limit : limit - left }

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

  /// The steps for looking up a key.
  @inline(__always)
  mutating func spend(_ key: CELMap.Key) throws(Failure) {
    if case .string(let text) = key { try spend(bytes: text.utf8.count) } else { try spend(1) }
  }

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
