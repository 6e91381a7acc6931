internal import CEL
internal import Core

/// What a rule does for a request that is known in part.
enum RuleStatus: Equatable {
  /// It depends on what is open.
  case open
  /// It is not about the request, or its condition is false.
  case no
  /// Its condition is true, or it has none.
  case yes
  /// Its condition cannot be evaluated.
  case errs
}

extension RequestSpace {
  /// The status of a rule of a set; a second call with more known gives the same where the first was not ``RuleStatus/open``.
  func status(of place: Int, in set: RuleSet, _ point: Point) -> RuleStatus {
    let rule = set.compiled.rules[place]
    let request = request(point)
    if !rule.principals.isEmpty {
      switch concerns(rule, request, point) {
      case false: return .no
      case nil: return .open
      default: break
      }
    }
    if !rule.steps.isEmpty {
      guard isKnown(["step", "id"], in: point) || choice(.step, in: point) != nil else { return .open }
      if !rule.concerns(request.step) { return .no }
    }
    guard let condition = set.compiled.conditions[place] else { return .yes }
    do throws(CELEvaluationError) {
      return try condition.program.evaluateBool(KnownValues(self, point, request, slots: set.compiled.slots)) ? .yes : .no
    } catch {
      return error.code == .unknown ? .open : .errs
    }
  }

  private func concerns(_ rule: Rule, _ request: Request, _ point: Point) -> Bool? {
    var isOpen = false
    for pattern in rule.principals {
      if case .role(let role) = pattern {
        guard case .flag(let flag)? = choice(.role(role), in: point)?.part else {
          isOpen = true
          continue
        }
        if flag { return true }
      } else if choice(.principal, in: point) == nil {
        isOpen = true
      } else if pattern.matches(request.principal) {
        return true
      }
    }
    return isOpen ? nil : false
  }
}

/// The values of a request that is known in part.
private final class KnownValues: CELActivation {
  private let space: RequestSpace
  private let point: RequestSpace.Point
  private let request: Request
  private let slots: [ValueSlot]

  init(_ space: RequestSpace, _ point: RequestSpace.Point, _ request: Request, slots: [ValueSlot]) {
    self.space = space
    self.point = point
    self.request = request
    self.slots = slots
  }

  func value(_ slot: Int) throws(CELEvaluationError) -> CELValue? {
    guard let path = slots[slot].path else { return nil }
    guard space.isKnown([path.root.rawValue] + path.members.map(\.string), in: point) else {
      throw CELEvaluationError(.unknown, "the value is still open")
    }
    return try slots[slot].value(in: request)
  }
}
