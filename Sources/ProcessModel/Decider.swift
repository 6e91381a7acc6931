internal import CEL
internal import Core

/// Works out the consequences of one command on a copy of the run, so that each consequence sees the ones before it.
struct Decider {
  let process: ProcessDefinition
  let now: Instant
  /// The zone of the process's calendar, where it has one.
  let zone: CELTimeZone?
  private(set) var state: RunState
  private(set) var events: [RunEvent]

  init(process: ProcessDefinition, state: RunState, now: Instant, zone: CELTimeZone?, events: [RunEvent] = []) {
    self.process = process
    self.state = state
    self.now = now
    self.zone = zone
    self.events = events
  }

  mutating func emit(_ event: RunEvent) {
    let fits = state.apply(event)
    assert(fits, "an event that does not fit: \(event)")
    events.append(event)
  }

  // MARK: - Beginning

  mutating func begin(_ block: Block, _ iteration: Int) {
    let occurrence = Occurrence(block.id, iteration)
    if case .step = block {} else { armTimers(of: occurrence) }
    switch block {
    case .step(let step): begin(step, occurrence)
    case .sequence(_, let blocks):
      if let first = blocks.first { begin(first, iteration) } else { finish(occurrence) }
    case .choose(_, let branches): choose(branches, occurrence)
    case .chooseAll(_, let branches): chooseAll(branches, occurrence)
    case .parallel(_, let blocks, _): beginAll(blocks, of: occurrence)
    case .repeat(_, let body, _, _): beginPass(body, of: occurrence)
    case .each(let each): beginEach(each, occurrence)
    case .wait(_, let delay): wait(delay, occurrence)
    case .table(let table): decide(table, occurrence)
    }
  }

  /// Arms the timer of a wait, whose id is the wait's own.
  mutating func wait(_ delay: Block.Delay, _ occurrence: Occurrence) {
    do throws(ConditionFailure) {
      let end =
        switch delay {
        case .duration(let span): moment(after: span)
        case .until(let moment): max(now, try moment.moment(in: seen(from: occurrence), now: now))
        }
      emit(.timerArmed(id: "\(occurrence)", step: occurrence, at: end))
    } catch {
      raise(at: occurrence, by: Self.engine, code: "condition-error", text: "`until` of `\(occurrence.id)`: \(error.message)")
    }
  }

  /// Makes a step ready, or goes past it where it does not apply.
  private mutating func begin(_ step: Step, _ occurrence: Occurrence) {
    do throws(ConditionFailure) {
      if let when = step.when, try !when.holds(in: seen(from: occurrence), now: now) {
        emit(.stepOmitted(occurrence))
        return proceed(after: occurrence)
      }
    } catch {
      return raise(at: occurrence, by: Self.engine, code: "condition-error", text: "`when` of `\(step.id)`: \(error.message)")
    }
    makeReady(step, occurrence, attempt: (state.step(occurrence)?.attempt ?? 0) + 1)
  }

  mutating func makeReady(_ step: Step, _ occurrence: Occurrence, attempt: Int) {
    let due = step.due.map { moment(after: $0) }
    emit(.stepReady(occurrence, performer: step.performer, title: step.title, due: due, attempt: attempt))
    armTimers(of: occurrence)
    armReminder(of: step, occurrence)
  }

  /// The moment so long from now.
  func moment(after span: TimeSpan) -> Instant {
    switch span {
    case .elapsed(let duration): now + duration
    case .working(let days, let time):
      if let calendar = process.calendar, let zone { calendar.moment(days, time, after: now, in: zone) } else { now }
    }
  }

  mutating func armReminder(of step: Step, _ occurrence: Occurrence) {
    guard let remind = step.remind else { return }
    emit(.timerArmed(id: reminderID(occurrence), step: occurrence, at: moment(after: remind)))
  }

  /// No handler can have such a name.
  func reminderID(_ occurrence: Occurrence) -> String { "\(occurrence):remind" }

  /// Arms the timers of the handlers that watch a step or block, or, at the root, the whole run.
  mutating func armTimers(of occurrence: Occurrence) {
    for handler in process.handlers where (handler.of ?? process.root.id) == occurrence.id {
      guard case .timeout(let span) = handler.cause else { continue }
      emit(.timerArmed(id: timerID(occurrence, handler), step: occurrence, at: moment(after: span)))
    }
  }

  func timerID(_ occurrence: Occurrence, _ handler: Handler) -> String { "\(occurrence)/\(handler.id)" }

  mutating func choose(_ branches: [Branch], _ occurrence: Occurrence) {
    for branch in branches {
      do throws(ConditionFailure) {
        if let when = branch.when, try !when.holds(in: seen(from: occurrence), now: now) { continue }
      } catch {
        return raise(at: occurrence, by: Self.engine, code: "condition-error", text: "branch `\(branch.id)`: \(error.message)")
      }
      emit(.branchChosen(occurrence, branch: branch.id))
      if let body = branch.body { return begin(body, occurrence.iteration) }
      return finish(occurrence)
    }
    raise(at: occurrence, by: Self.engine, code: "no-branch", text: "no branch of `\(occurrence.id)` applies, and it has no `otherwise`")
  }

  /// Takes every branch whose condition holds.
  mutating func chooseAll(_ branches: [Branch], _ occurrence: Occurrence) {
    var taken: [Branch] = []
    for branch in branches {
      guard let when = branch.when else { continue }
      do throws(ConditionFailure) {
        if try when.holds(in: seen(from: occurrence), now: now) { taken.append(branch) }
      } catch {
        return raise(at: occurrence, by: Self.engine, code: "condition-error", text: "branch `\(branch.id)`: \(error.message)")
      }
    }
    if taken.isEmpty { taken = branches.filter { $0.when == nil } }
    if taken.isEmpty {
      return raise(
        at: occurrence, by: Self.engine, code: "no-branch", text: "no branch of `\(occurrence.id)` applies, and it has no `otherwise`")
    }
    emit(.branchesChosen(occurrence, branches: taken.map(\.id)))
    let bodies = taken.compactMap(\.body)
    if bodies.isEmpty { finish(occurrence) } else { beginAll(bodies, of: occurrence) }
  }

  /// Begins blocks at the same time, until the block around them is done or in the hands of a handler.
  private mutating func beginAll(_ blocks: [Block], of occurrence: Occurrence) {
    for block in blocks where isLive(occurrence) { begin(block, occurrence.iteration) }
  }

  mutating func beginPass(_ body: Block, of occurrence: Occurrence) {
    let iteration = state.passCount(of: occurrence.id) + 1
    emit(.iterationBegan(of: occurrence, iteration: iteration))
    begin(body, iteration)
  }

  // MARK: - Completing

  /// Ends a block whose content is done, and goes on.
  mutating func finish(_ occurrence: Occurrence) {
    cancelTimers(of: occurrence)
    if occurrence.id == process.root.id { return emit(.runCompleted) }
    emit(.blockCompleted(occurrence))
    proceed(after: occurrence)
  }

  /// Goes on after a step or block that is done.
  mutating func proceed(after occurrence: Occurrence) {
    guard let node = process.index.nodes[occurrence.id] else { return }
    switch node.parent {
    case .none: break
    case .handler(let id): finishHandler(id, occurrence.iteration)
    case .block(let id):
      guard let parent = process.index.nodes[id]?.block, let outer = self.parent(of: occurrence) else { return }
      switch parent {
      case .step, .wait, .table: break
      case .sequence:
        if let next = node.next.flatMap({ process.index.nodes[$0]?.block }) { begin(next, occurrence.iteration) } else { finish(outer) }
      case .choose: finish(outer)
      case .chooseAll(_, let branches):
        let chosen = state.block(outer)?.branches ?? []
        let bodies = branches.filter { chosen.contains($0.id) }.compactMap(\.body)
        if bodies.allSatisfy({ state.isDone(Occurrence($0.id, occurrence.iteration)) }) { finish(outer) }
      case .parallel(_, let blocks, let join):
        guard blocks.count(where: { state.isDone(Occurrence($0.id, occurrence.iteration)) }) >= join ?? blocks.count else { return }
        if join != nil { interrupt(inside: outer, by: Self.engine) }
        finish(outer)
      case .each(let each): finishInstance(each, occurrence, of: outer)
      case .repeat(_, let body, let until, let max): finishPass(body, until: until, max: max, of: outer)
      }
    }
  }

  mutating func finishPass(_ body: Block, until: Condition, max: Int, of occurrence: Occurrence) {
    do throws(ConditionFailure) {
      if try until.holds(in: seen(from: occurrence), now: now) { return finish(occurrence) }
    } catch {
      return raise(at: occurrence, by: Self.engine, code: "condition-error", text: "`until`: \(error.message)")
    }
    let passes = state.passes.count { $0.owner == occurrence && $0.exception == nil && !$0.isUndone }
    if passes >= max || state.passCount(of: occurrence.id) >= RunLimits.passes {
      return raise(
        at: occurrence, by: Self.engine, code: "repeat-limit", text: "`\(occurrence.id)` is not done after \(passes) passes")
    }
    beginPass(body, of: occurrence)
  }

  // MARK: - Places

  /// The block around an occurrence; for the body of a handler, what the handler took over from.
  func parent(of occurrence: Occurrence) -> Occurrence? {
    switch process.index.nodes[occurrence.id]?.parent {
    case .block(let id):
      switch process.index.nodes[id]?.block {
      case .repeat?, .each?: return state.pass(id, occurrence.iteration)?.owner
      default: return Occurrence(id, occurrence.iteration)
      }
    case .handler(let id): return state.pass(id, occurrence.iteration)?.owner
    case .some(.none), nil: return nil
    }
  }

  func isInside(_ occurrence: Occurrence, _ outer: Occurrence) -> Bool {
    var current: Occurrence? = occurrence
    while let place = current {
      if place == outer { return true }
      current = parent(of: place)
    }
    return false
  }

  /// Whether work at an occurrence still counts: nothing around it is done, closed or in the hands of a handler.
  func isLive(_ occurrence: Occurrence) -> Bool {
    guard state.status == .running else { return false }
    if process.handlers.isEmpty, !process.index.hasJoins { return true }
    var ownPass: RunState.Pass?
    var current: Occurrence? = occurrence
    while let place = current {
      if state.isDone(place) || state.step(place)?.status == .closed { return false }
      let isTaken = state.passes.contains { pass in
        pass.owner == place && pass != ownPass && state.openExceptions.contains { $0.id == pass.exception }
      }
      if isTaken { return false }
      ownPass = nil
      if case .handler(let id)? = process.index.nodes[place.id]?.parent { ownPass = state.pass(id, place.iteration) }
      current = parent(of: place)
    }
    return true
  }

  /// The principal of what the process itself does.
  static let engine = "system:process"
}
