internal import Core

// What people do with steps beside completing them: taking them, giving them away, going past them, sending work back, and pausing.
extension Decider {
  // MARK: - Whose a step is

  mutating func assign(_ name: String, to person: String?, by: String, text: String?) throws(RunRefusal) {
    let step = try openStep(name)
    let text: String? = if let text { try checked(text, "reason") } else { nil }
    guard step.performer.isPerson else {
      throw RunRefusal(.wrongPerformer, "\(place(step)) is for `\(step.performer)`; only a step of people can be one person's")
    }
    switch (person, step.assignee) {
    case (nil, nil): throw RunRefusal(.stepNotOpen, "\(place(step)) is nobody's alone")
    case (let person?, let assignee?) where bytesEqual(person, assignee):
      throw RunRefusal(.stepTaken, "\(place(step)) is `\(assignee)`'s already")
    case (let person?, let assignee?) where bytesEqual(person, by):
      throw RunRefusal(.stepTaken, "\(place(step)) is `\(assignee)`'s for now, not `\(visible(person))`'s")
    default: emit(.assigned(step.occurrence, to: person, by: by, text: text))
    }
  }

  mutating func reassign(_ name: String, to performer: Performer, by: String, text: String) throws(RunRefusal) {
    let step = try openStep(name)
    if case .tool = step.performer {
      throw RunRefusal(.wrongPerformer, "\(place(step)) is for `\(step.performer)`, which only its process can change")
    }
    guard performer.isPerson else {
      throw RunRefusal(.wrongPerformer, "\(place(step)) can be given to a role or a person, not to `\(performer)`")
    }
    if step.performer == performer { throw RunRefusal(.stepNotOpen, "\(place(step)) is for `\(performer)` already") }
    emit(.handedOver(step.occurrence, to: performer, by: by, code: "reassigned", text: try checked(text, "reason")))
  }

  // MARK: - Going past a step

  mutating func skip(_ name: String, by: String, text: String) throws(RunRefusal) {
    let step = try find(name)
    guard step.status.isOpen else {
      throw RunRefusal(.stepNotOpen, "\(place(step)) is not open: it is \(step.closure?.rawValue ?? step.status.rawValue)")
    }
    guard process.step(step.occurrence.id)?.skip != nil else {
      throw RunRefusal(.notSkippable, "\(place(step)) cannot be skipped: the process lets nobody")
    }
    let handled = state.openExceptions.first { $0.at == step.occurrence && $0.handler != nil }
    if let handler = handled?.handler {
      throw RunRefusal(.stepBlocked, "\(place(step)) is in the hands of handler `\(handler)`")
    }
    let text = try checked(text, "reason")
    for exception in state.openExceptions where exception.at == step.occurrence {
      emit(.exceptionResolved(id: exception.id, by: by, resolution: .proceed))
    }
    cancelTimers(of: step.occurrence)
    emit(.stepSkipped(step.occurrence, by: by, text: text))
    proceed(after: step.occurrence)
  }

  // MARK: - Sending work back

  mutating func sendBack(_ name: String, to target: String, by: String, text: String) throws(RunRefusal) {
    try bound(state.sendBacks.count, RunLimits.sendBacks, "times that work was sent back")
    let step = try openStep(name)
    let earlier = try find(target)
    let way = try way(from: step.occurrence, backTo: earlier)
    guard let definition = process.step(earlier.occurrence.id) else { return }
    emit(.sentBack(from: step.occurrence, to: earlier.occurrence, by: by, text: try checked(text, "reason")))
    undo(earlier.occurrence, and: way.later)
    for block in way.around where state.block(block)?.isCompleted == true {
      emit(.reopened(block))
      armTimers(of: block)
    }
    makeReady(definition, earlier.occurrence, attempt: earlier.attempt + 1)
  }

  /// Takes back a step and what happened inside later blocks: open work there ends, and what is done counts no more.
  private mutating func undo(_ step: Occurrence, and later: [Occurrence]) {
    func isUndone(_ place: Occurrence) -> Bool { place == step || later.contains { isInside(place, $0) } }
    let steps = state.steps.filter { isUndone($0.occurrence) && $0.closure != .undone }
    let decided = state.blocks.map(\.occurrence) + state.passes.filter { $0.exception == nil && !$0.isUndone }.map(\.owner)
    var places: [Occurrence] = []
    for place in decided where isUndone(place) && !places.contains(place) && state.step(place)?.isDone != true { places.append(place) }
    for exception in state.openExceptions where isUndone(exception.at) {
      emit(.exceptionResolved(id: exception.id, by: Self.engine, resolution: .retry))
    }
    for timer in state.timers where isUndone(timer.step) { emit(.timerCancelled(id: timer.id)) }
    for step in steps {
      if step.status.isOpen { emit(.stepClosed(step.occurrence, reason: .interrupted)) }
      emit(.undone(step.occurrence))
    }
    for place in places { emit(.undone(place)) }
  }

  /// What lies between an open step and an earlier one: blocks around the earlier one that go on, and what comes after it in them.
  private func way(
    from step: Occurrence, backTo earlier: RunState.StepState
  ) throws(RunRefusal) -> (around: [Occurrence], later: [Occurrence]) {
    let name = earlier.occurrence
    guard earlier.isDone else {
      throw RunRefusal(.notBefore, "\(place(earlier)) is not done, so nothing can be sent back to it")
    }
    let (own, others) = (try places(around: name), try places(around: step))
    guard let depth = own.firstIndex(where: { others.contains($0) }), depth > 0,
      let meeting = others.firstIndex(of: own[depth]), meeting > 0,
      case .sequence(_, let blocks)? = process.block(own[depth].id),
      let first = blocks.firstIndex(where: { $0.id == own[depth - 1].id }),
      let last = blocks.firstIndex(where: { $0.id == others[meeting - 1].id }), first < last
    else { throw RunRefusal(.notBefore, "\(place(earlier)) does not come before step `\(step)`") }
    var later: [Occurrence] = []
    for (inner, outer) in zip(own, own.dropFirst()).prefix(depth) {
      guard case .sequence(_, let blocks)? = process.block(outer.id), let place = blocks.firstIndex(where: { $0.id == inner.id }) else {
        continue
      }
      later += blocks[(place + 1)...].map { Occurrence($0.id, outer.iteration) }
    }
    let around = Array(own[1..<depth])
    for pass in around {
      guard let latest = state.passes.last(where: { $0.owner == pass && $0.exception == nil && !$0.isUndone }) else { continue }
      guard own.contains(where: { process.index.nodes[$0.id]?.scope == pass.id && $0.iteration == latest.iteration }) else {
        throw RunRefusal(.notBefore, "\(place(earlier)) is of an earlier pass of `\(pass)`")
      }
    }
    return (around, later)
  }

  /// A place and all blocks around it, innermost first; refused inside the work of a handler, whose exception is open meanwhile.
  private func places(around occurrence: Occurrence) throws(RunRefusal) -> [Occurrence] {
    var places: [Occurrence] = []
    var current: Occurrence? = occurrence
    while let place = current {
      places.append(place)
      if case .handler(let id)? = process.index.nodes[place.id]?.parent {
        throw RunRefusal(.notBefore, "step `\(occurrence)` is work of handler `\(id)`, and is not done again on its own")
      }
      current = parent(of: place)
    }
    return places
  }

  // MARK: - Pausing

  /// Lets the run go on: what was due or timed is by as much later as the pause lasted.
  mutating func resume(by: String) throws(RunRefusal) {
    guard let pause = state.pause else { throw RunRefusal(.runNotPaused, "run `\(state.id)` is not paused") }
    emit(.runResumed(by: by))
    let length = Duration.milliseconds(max(0, now.milliseconds - pause.since.milliseconds))
    guard length > .zero else { return }
    for step in state.steps where step.status.isOpen {
      if let due = step.due { emit(.dueMoved(step.occurrence, due: due + length)) }
    }
    for timer in state.timers {
      emit(.timerCancelled(id: timer.id))
      emit(.timerArmed(id: timer.id, step: timer.step, at: timer.at + length))
    }
  }
}

extension RunCommand {
  /// Whether a paused run takes it: what ends the pause or the run, what only adds words, and what became of an effect that had begun.
  var isTakenWhilePaused: Bool {
    switch self {
    case .comment, .answer, .resume, .cancel, .learn, .finishToolStep: true
    default: false
    }
  }
}
