internal import Core

extension Decider {
  /// Raises an exception and lets the nearest handler take it; without one, a step of an agent goes to a person and all else waits.
  mutating func raise(at occurrence: Occurrence, by: String, code: String, text: String?) {
    let id = emitException(at: occurrence, by: by, code: code, text: text)
    if let (handler, target) = handler(for: code, at: occurrence) {
      take(handler, exception: id, from: target)
    } else if let step = process.step(occurrence.id), case .agent? = state.step(occurrence)?.performer, let fallback = step.fallback {
      emit(.handedOver(occurrence, to: fallback, by: Self.engine, code: code, text: text))
    }
  }

  mutating func emitException(at occurrence: Occurrence, by: String, code: String, text: String?) -> String {
    let id = "x\(state.exceptions.count + 1)"
    emit(.exceptionRaised(id: id, at: occurrence, by: by, code: code, text: text))
    return id
  }

  /// The handler nearest to where an exception was raised, and what it takes over from.
  ///
  /// Inside the body of a handler, neither that handler nor others of its own target apply: a handler cannot catch itself.
  func handler(for code: String, at occurrence: Occurrence) -> (Handler, target: Occurrence)? {
    var busy: Set<String> = []
    var levels: [Occurrence] = []
    var current: Occurrence? = occurrence
    while let place = current {
      levels.append(place)
      guard case .handler(let id)? = process.index.nodes[place.id]?.parent else {
        current = parent(of: place)
        continue
      }
      busy.insert(id)
      current = parent(of: place).flatMap { parent(of: $0) }
    }
    func match(_ of: String?) -> Handler? {
      let candidates = process.handlers.filter { handler in
        guard handler.of == of, !busy.contains(handler.id), case .take(_, let after) = handler.response else { return false }
        let passes = state.passCount(of: handler.id)
        if case .retry(let max) = after, passes >= max { return false }
        return passes < RunLimits.passes
      }
      return candidates.first { $0.cause == .exception(code) } ?? candidates.first { $0.cause == .exception("*") }
    }
    for level in levels {
      if let handler = match(level.id) { return (handler, level) }
    }
    return match(nil).map { ($0, occurrence) }
  }

  /// Stops the work inside `target`, and begins the handler's own.
  mutating func take(_ handler: Handler, exception: String, from target: Occurrence) {
    interrupt(inside: target, except: exception, by: "handler:\(handler.id)")
    let iteration = state.passCount(of: handler.id) + 1
    emit(.handlerBegan(handler: handler.id, iteration: iteration, exception: exception, target: target))
    if let body = handler.body { begin(body, iteration) } else { finishHandler(handler.id, iteration) }
  }

  /// Ends the work inside a block, or inside what is done about a step.
  mutating func interrupt(inside target: Occurrence, except exception: String? = nil, by: String) {
    for timer in state.timers where isInside(timer.step, target) { emit(.timerCancelled(id: timer.id)) }
    for step in state.steps where step.status.isOpen && isInside(step.occurrence, target) && step.occurrence != target {
      emit(.stepClosed(step.occurrence, reason: .interrupted))
    }
    for other in state.openExceptions where other.id != exception && isInside(other.at, target) {
      emit(.exceptionResolved(id: other.id, by: by, resolution: .proceed))
    }
  }

  /// Goes on after the work of a handler.
  mutating func finishHandler(_ id: String, _ iteration: Int) {
    guard let pass = state.pass(id, iteration), let exception = pass.exception,
      case .take(_, let after)? = process.index.handlers[id]?.response
    else { return }
    let by = "handler:\(id)"
    switch after {
    case .proceed: goOn(without: pass.owner, exception: exception, by: by)
    case .retry: retry(pass.owner, exception: exception, by: by)
    case .end:
      let code = state.exceptions.first { $0.id == exception }?.code ?? "exception"
      endRun(by: by, code: code, text: nil)
    }
  }

  /// Counts what failed as done, and goes on after it.
  mutating func goOn(without target: Occurrence, exception: String, by: String) {
    settle(exception, at: target, by: by, resolution: .proceed)
    cancelTimers(of: target)
    if state.step(target)?.status.isOpen == true {
      emit(.stepClosed(target, reason: .bypassed))
    } else {
      emit(.blockCompleted(target))
    }
    proceed(after: target)
  }

  /// Does what failed again: a step is ready once more, a choice is made anew, a repeat looks at its condition or makes one more pass.
  mutating func retry(_ target: Occurrence, exception: String, by: String) {
    let code = state.exceptions.first { $0.id == exception }?.code
    settle(exception, at: target, by: by, resolution: .retry)
    switch process.block(target.id) {
    case .step(let step)? where state.step(target)?.status.isOpen != true: begin(.step(step), target.iteration)
    case .step(let step)?:
      cancelTimers(of: target)
      makeReady(step, target, attempt: (state.step(target)?.attempt ?? 0) + 1)
    case .choose(_, let branches)?: choose(branches, target)
    case .chooseAll(_, let branches)?: chooseAll(branches, target)
    case .repeat(_, let body, let until, let max)?:
      if code == "repeat-limit" { beginPass(body, of: target) } else { finishPass(body, until: until, max: max, of: target) }
    case .each(let each)?: beginEach(each, target)
    case .wait(_, let delay)?: wait(delay, target)
    case .table(let table)?: decide(table, target)
    case .sequence?, .parallel?, nil: break
    }
  }

  /// Resolves an exception, and with it what else was raised at the same place and waits for a person.
  private mutating func settle(_ exception: String, at target: Occurrence, by: String, resolution: ExceptionResolution) {
    emit(.exceptionResolved(id: exception, by: by, resolution: resolution))
    for other in state.openExceptions where other.at == target && other.handler == nil {
      emit(.exceptionResolved(id: other.id, by: by, resolution: resolution))
    }
  }

  /// Ends the run early: everything open is closed first.
  mutating func endRun(by: String, code: String, text: String?) {
    for step in state.steps where step.status.isOpen { emit(.stepClosed(step.occurrence, reason: .cancelled)) }
    for timer in state.timers { emit(.timerCancelled(id: timer.id)) }
    for exception in state.openExceptions { emit(.exceptionResolved(id: exception.id, by: by, resolution: .end)) }
    emit(.runCancelled(by: by, code: code, text: text))
  }

  mutating func cancelTimers(of place: Occurrence) {
    for timer in state.timers where timer.step == place { emit(.timerCancelled(id: timer.id)) }
  }
}
