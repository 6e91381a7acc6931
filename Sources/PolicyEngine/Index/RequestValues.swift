internal import CEL

/// What evaluations read the values of a request from.
///
/// Plain values are taken from the request each time, which is about as cheap as keeping them; lists, maps and failures are kept, because
/// a macro may ask for them once for each of its elements.
final class RequestValues: CELActivation {
  private let request: Request
  private let slots: [ValueSlot]
  private var kept: [(slot: Int, value: Result<CELValue?, CELEvaluationError>)] = []

  init(_ request: Request, slots: [ValueSlot]) {
    self.request = request
    self.slots = slots
  }

  func value(_ slot: Int) throws(CELEvaluationError) -> CELValue? {
    for known in kept where known.slot == slot { return try known.value.get() }
    do throws(CELEvaluationError) {
      let value = try slots[slot].value(in: request)
      switch value {
      case .list, .map: kept.append((slot, .success(value)))
      default: break
      }
      return value
    } catch {
      kept.append((slot, .failure(error)))
      throw error
    }
  }
}
