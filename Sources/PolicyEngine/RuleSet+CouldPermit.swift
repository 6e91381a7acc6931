internal import CEL
internal import Core

extension RuleSet {
  /// Whether a call of a tool could be permitted or held here for some arguments and some state of the run: which tools to offer to a model.
  ///
  /// Partial evaluation with principal, tool, step and, where given, requester known, and everything else open. It errs on the side of
  /// true: false means that no arguments, fields, facts, labels and time could bring about anything but a refusal.
  ///
  /// - Parameters:
  ///   - tool: The tool that would be offered.
  ///   - principal: Who would call it.
  ///   - step: The step in which it would be called, where there is one.
  ///   - requester: Who asked for the run, where that is known.
  ///   - implied: Permits that the step or the trigger gives for this tool; they count like written ones.
  ///   - guardRules: The live guard of the workspace.
  /// - Returns: False when every call would be refused.
  /// - Complexity: O(rules about the tool).
  public func couldPermit(
    tool: Request.Tool, principal: Request.Principal, step: Request.Step? = nil, requester: Request.Requester? = nil,
    implied: [RuleMatch] = [], guard guardRules: RuleSet? = nil
  ) -> Bool {
    if ToolName.problem(with: tool.name) != nil { return false }
    let request = Request(
      principal: principal, tool: tool, step: step, requester: requester, now: Instant(milliseconds: 0), implied: implied)
    if implied.contains(where: { $0.effect == .forbid }) || guardRules?.compiled.prospects(of: request).isForbidden ?? false {
      return false
    }
    let prospects = compiled.prospects(of: request)
    return !prospects.isForbidden && (prospects.isAllowed || !implied.isEmpty)
  }
}

extension CompiledRules {
  /// Whether some rule forbids whatever is still open, and whether some rule permits or holds for something that is still open.
  fileprivate func prospects(of request: Request) -> (isForbidden: Bool, isAllowed: Bool) {
    let named = bucket(of: request.tool.name)?.rules ?? []
    let values = PartialValues(request, slots: slots)
    var isAllowed = false
    for place in named + wildcards.rules {
      let rule = rules[Int(place)]
      guard rule.concerns(tool: request.tool, principal: request.principal, step: request.step) else { continue }
      let holds: Bool?
      do throws(CELEvaluationError) {
        holds = try conditions[Int(place)]?.program.evaluateBool(values) ?? true
      } catch {
        // An error that does not come from what is open counts as it would in a decision.
        holds = error.code == .unknown ? nil : rule.effect != .permit
      }
      switch (rule.effect, holds) {
      case (.forbid, true): return (true, false)
      case (.permit, true), (.permit, nil), (.hold, true), (.hold, nil): isAllowed = true
      default: break
      }
    }
    return (false, isAllowed)
  }
}

/// The values of a request of which only principal, tool, step and perhaps requester are known.
private final class PartialValues: CELActivation {
  private let request: Request
  private let slots: [ValueSlot]

  init(_ request: Request, slots: [ValueSlot]) {
    self.request = request
    self.slots = slots
  }

  func value(_ slot: Int) throws(CELEvaluationError) -> CELValue? {
    guard let root = slots[slot].path?.root else { return nil }
    switch root {
    case .run, .args, .facts, .labels, .now: throw CELEvaluationError(.unknown, "the value is still open")
    case .requester where request.requester == nil: throw CELEvaluationError(.unknown, "the value is still open")
    case .principal, .tool, .step, .requester: return try slots[slot].value(in: request)
    }
  }
}
