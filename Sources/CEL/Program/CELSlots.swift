/// An activation that asks another one for each value at most once, however many programs read it.
///
/// Make one for each request, and evaluate all programs of the request with it: what was looked up is then read in place.
/// It serves one thread at a time.
public final class CELSlots: CELActivation {
  /// What is known of a reference.
  enum Slot {
    case unasked
    case missing
    case failed(CELEvaluationError)
    case value(CELValue)
  }

  let slots: UnsafeMutableBufferPointer<Slot>
  private let source: any CELActivation

  /// Makes an activation for the programs that were compiled with a table so far.
  ///
  /// Programs that are compiled later can be evaluated too, but what only they read is asked for each time.
  ///
  /// - Complexity: O(n) for n references.
  public init(_ source: some CELActivation, references: CELReferenceTable) {
    self.source = source
    slots = .allocate(capacity: references.count)
    slots.initialize(repeating: .unasked)
  }

  deinit {
    slots.deinitialize()
    slots.deallocate()
  }

  /// The value in a slot, from the source where this is the first time.
  public func value(_ slot: Int) throws(CELEvaluationError) -> CELValue? {
    guard slot < slots.count else { return try source.value(slot) }
    switch slots[slot] {
    case .value(let value): return value
    case .missing: return nil
    case .failed(let error): throw error
    case .unasked: break
    }
    do throws(CELEvaluationError) {
      let value = try source.value(slot)
      slots[slot] = value.map { .value($0) } ?? .missing
      return value
    } catch {
      slots[slot] = .failed(error)
      throw error
    }
  }

  /// The slots that were asked for and had a value, in order: what a decision has read.
  public var read: [(slot: Int, value: CELValue)] {
    slots.indices.compactMap { slot in
      if case .value(let value) = slots[slot] { (slot, value) } else { nil }
    }
  }
}
