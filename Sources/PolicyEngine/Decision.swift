/// What the rules say about one request, with every rule that matched and every rule that erred.
public struct Decision: Sendable {
  /// The strongest effect among ``matched``: forbid beats hold beats permit.
  ///
  /// Forbid when nothing but a guard matched.
  public let outcome: Outcome
  /// Every rule that matched: implied permits first, then the written rules in file order, then those of the guard.
  public let matched: [RuleMatch]
  /// Every rule whose condition could not be evaluated, in file order.
  public let errors: [RuleError]
  /// What has to happen before a held request may be carried out; all of them, in file order.
  ///
  /// Empty unless ``outcome`` is `hold`.
  public let requirements: [ApprovalRequirement]

  /// The matched rules that brought about the outcome, in file order; empty when nothing matched.
  public var deciding: [RuleMatch] { matched.filter { $0.effect == outcome } }

  /// Whether the request is refused only because no rule allows it, and not because one forbids it.
  public var isDefault: Bool { outcome == .forbid && !matched.contains { $0.effect == .forbid } }

  let rules: RuleSet
  let guardRules: RuleSet?
  let request: Request
}
