internal import CEL
internal import Core

/// What evaluations read the values of a request from; each value is looked up at most once.
final class RequestValues: CELActivation {
  private enum Cell {
    case unread
    case value(CELValue?)
    case failure(CELEvaluationError)
  }

  private let request: Request
  private let slots: [ValueSlot]
  private var cells: [Cell]

  init(_ request: Request, slots: [ValueSlot]) {
    self.request = request
    self.slots = slots
    cells = Array(repeating: .unread, count: slots.count)
  }

  func value(_ slot: Int) throws(CELEvaluationError) -> CELValue? {
    switch cells[slot] {
    case .value(let value): return value
    case .failure(let error): throw error
    case .unread:
      do throws(CELEvaluationError) {
        let value = try slots[slot].value(in: request)
        cells[slot] = .value(value)
        return value
      } catch {
        cells[slot] = .failure(error)
        throw error
      }
    }
  }
}
