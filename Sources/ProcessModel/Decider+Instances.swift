internal import Core

extension Decider {
  /// The run as an expression at a place sees it: with the item of the innermost `each` around it.
  func seen(from occurrence: Occurrence) -> RunState { process.state(state, seenFrom: occurrence) }

  /// Begins a block once for each item of a list, or notes that there is none.
  mutating func beginEach(_ each: EachBlock, _ occurrence: Occurrence) {
    let items: [JSON]
    do throws(ConditionFailure) {
      guard let list = try each.list.value(in: seen(from: occurrence), now: now).arrayValue else {
        throw ConditionFailure(source: each.list.source, message: "it is no list")
      }
      items = list
    } catch {
      return raise(at: occurrence, by: Self.engine, code: "condition-error", text: "`each` of `\(each.id)`: \(error.message)")
    }
    let begun = max(state.passCount(of: each.id), RunLimits.beforeItems)
    guard items.count <= each.max, begun + items.count <= RunLimits.beforeItems + RunLimits.passes else {
      return raise(
        at: occurrence, by: Self.engine, code: "each-limit", text: "`\(each.id)` has \(items.count) items, and may have \(each.max)")
    }
    guard items.allSatisfy({ $0.isWithin(bytes: RunLimits.valueBytes) }) else {
      return raise(
        at: occurrence, by: Self.engine, code: "each-limit", text: "an item of `\(each.id)` is longer than \(RunLimits.valueBytes) bytes")
    }
    if items.isEmpty { return finish(occurrence) }
    for (place, item) in items.enumerated() { emit(.instanceBegan(of: occurrence, iteration: begun + place + 1, item: item)) }
    for place in 1...(each.isSequence ? 1 : items.count) where isLive(occurrence) { begin(each.body, begun + place) }
  }

  /// Goes on after one item: with the block's end where enough are done, else with the next item where they are done in order.
  mutating func finishInstance(_ each: EachBlock, _ done: Occurrence, of occurrence: Occurrence) {
    let passes = state.passes.filter { $0.owner == occurrence && $0.exception == nil && !$0.isUndone }
    let count = passes.count { state.isDone(Occurrence(each.body.id, $0.iteration)) }
    if count >= min(each.join ?? passes.count, passes.count) {
      if each.join != nil { interrupt(inside: occurrence, by: Self.engine) }
      return finish(occurrence)
    }
    guard each.isSequence, let next = passes.first(where: { $0.iteration > done.iteration }) else { return }
    begin(each.body, next.iteration)
  }
}

extension ProcessDefinition {
  /// A run as an expression at a place sees it: with the item of the innermost `each` around the place.
  func state(_ state: RunState, seenFrom occurrence: Occurrence) -> RunState {
    guard index.hasInstances else { return state }
    var seen = state
    seen.item = item(at: occurrence, in: state)
    return seen
  }

  /// The item of the innermost `each` around a place; `nil` outside of any, and once its content was redacted.
  ///
  /// - Complexity: O(depth · passes so far).
  func item(at occurrence: Occurrence, in state: RunState) -> JSON? {
    var place = occurrence
    while let scope = index.nodes[place.id]?.scope, let pass = state.pass(scope, place.iteration) {
      if case .each? = block(scope) { return pass.item }
      place = pass.owner
    }
    return nil
  }
}
