internal import Core

extension RunState {
  /// Folds one event into the state.
  ///
  /// Total and deterministic: it never traps, and consults nothing but its two inputs.
  ///
  /// - Returns: False when the event does not fit, for example a completion of a step that is not open; the state is then unchanged. Logs
  ///   that the engine wrote never contain such an event, so verification reports it.
  /// - Complexity: O(steps, blocks and fields so far), each a short comparison; the latest are found first.
  @discardableResult
  public mutating func apply(_ event: RunEvent) -> Bool {
    guard status == .running else { return applyAfterEnd(event) }
    switch event {
    case .runStarted: return false
    case .fieldsSet(let values, let step, let by, let origin):
      for value in values { set(value, step: step, by: by, origin: origin) }
    case .factsLearned(let values, let step, let tool, let origin):
      for value in values { learn(value, step: step, tool: tool, origin: origin) }
    case .evidenceAttached(let name, let digest, let media, let size, let step, let by):
      evidence.append(Evidence(name: name, digest: digest, media: media, size: size, step: step, by: by))
    case .commented(let text, let step, let by):
      comments.append(Comment(text: text, step: step, by: by))
    case .stepReady, .stepCompleted, .stepClosed, .handedOver, .escalated, .assigned, .stepSkipped, .dueMoved, .stepReminded:
      return applyToStep(event)
    case .stepOmitted, .sentBack, .undone, .reopened: return applyToPlace(event)
    case .runPaused(let at, let by, let text):
      guard pause == nil else { return false }
      pause = Pause(since: at, by: by, text: text)
    case .runResumed:
      guard pause != nil else { return false }
      pause = nil
    case .questionAsked(let id, let step, let by, let text):
      guard !questions.contains(where: { $0.id == id }) else { return false }
      questions.append(Question(id: id, step: step, by: by, text: text))
    case .questionAnswered(let id, let by, let text):
      guard let index = questions.lastIndex(where: { $0.id == id }), !questions[index].isAnswered else { return false }
      questions[index].answer = text
      questions[index].answeredBy = by
    case .exceptionRaised, .exceptionResolved, .handlerBegan: return applyToException(event)
    case .branchChosen(let occurrence, let branch):
      guard blockIndex(occurrence) == nil else { return false }
      blocks.append(BlockState(occurrence: occurrence, branch: branch))
    case .branchesChosen(let occurrence, let branches):
      guard blockIndex(occurrence) == nil else { return false }
      blocks.append(BlockState(occurrence: occurrence, branches: branches))
    case .tableDecided(let occurrence, let rules):
      guard blockIndex(occurrence) == nil else { return false }
      blocks.append(BlockState(occurrence: occurrence, rules: rules))
    case .iterationBegan(let occurrence, let iteration):
      guard iteration == passCount(of: occurrence.id) + 1, !isDone(occurrence) else { return false }
      passes.append(Pass(scope: occurrence.id, iteration: iteration, owner: occurrence, exception: nil))
    case .instanceBegan(let occurrence, let iteration, let item):
      guard iteration == max(passCount(of: occurrence.id), RunLimits.beforeItems) + 1, !isDone(occurrence) else { return false }
      passes.append(Pass(scope: occurrence.id, iteration: iteration, owner: occurrence, exception: nil, isInstance: true, item: item))
    case .blockCompleted(let occurrence):
      if let index = blockIndex(occurrence) {
        guard !blocks[index].isCompleted else { return false }
        blocks[index].isCompleted = true
      } else {
        blocks.append(BlockState(occurrence: occurrence, isCompleted: true))
      }
    case .timerArmed(let id, let step, let at):
      guard !timers.contains(where: { $0.id == id }) else { return false }
      timers.append(Timer(id: id, step: step, at: at))
    case .timerCancelled(let id), .timerFired(let id):
      guard let index = timers.lastIndex(where: { $0.id == id }) else { return false }
      timers.remove(at: index)
    case .runCompleted:
      guard !steps.contains(where: { $0.status.isOpen }) else { return false }
      status = .completed
    case .runCancelled(_, let code, _):
      status = .cancelled
      cancellation = code
    }
    return true
  }

  /// What may still be added to a run that has ended: comments, and the answer to a question that was open.
  private mutating func applyAfterEnd(_ event: RunEvent) -> Bool {
    switch event {
    case .commented(let text, let step, let by):
      comments.append(Comment(text: text, step: step, by: by))
      return true
    default: return false
    }
  }

  private mutating func set(_ value: NamedValue, step: Occurrence?, by: String, origin: Origin) {
    let field = Field(name: value.name, value: value.value, by: by, origin: origin, step: step)
    if let index = fields.firstIndex(where: { $0.name == value.name }) {
      fields[index] = field
    } else {
      fields.append(field)
    }
  }

  private mutating func learn(_ value: NamedValue, step: Occurrence?, tool: String?, origin: Origin) {
    let fact = Fact(name: value.name, value: value.value, tool: tool, origin: origin, step: step)
    if let index = facts.firstIndex(where: { $0.name == value.name }) {
      facts[index] = fact
    } else {
      facts.append(fact)
    }
  }

  private mutating func applyToStep(_ event: RunEvent) -> Bool {
    switch event {
    case .stepReady(let occurrence, let performer, let title, let due, let attempt):
      guard let index = stepIndex(occurrence) else {
        guard attempt == 1 else { return false }
        steps.append(StepState(occurrence: occurrence, performer: performer, title: title, due: due, attempt: 1))
        return true
      }
      guard steps[index].status.isOpen || steps[index].closure == .undone, attempt == steps[index].attempt + 1 else { return false }
      steps[index].performer = performer
      steps[index].closure = nil
      steps[index].assignee = nil
      steps[index].handedOverFrom = nil
      steps[index].escalatedTo = []
      steps[index].reminders = 0
      steps[index].due = due
      steps[index].status = .ready
      steps[index].attempt = attempt
    case .stepCompleted(let occurrence, let by):
      guard let index = stepIndex(occurrence), steps[index].status == .ready else { return false }
      steps[index].status = .completed
      steps[index].completedBy = by
    case .stepClosed(let occurrence, let reason):
      guard let index = stepIndex(occurrence), steps[index].status.isOpen else { return false }
      steps[index].status = .closed
      steps[index].closure = reason
    case .handedOver(let occurrence, let performer, _, _, _):
      guard let index = stepIndex(occurrence), steps[index].status.isOpen else { return false }
      steps[index].handedOverFrom = steps[index].performer
      steps[index].performer = performer
      steps[index].assignee = nil
      steps[index].status = .ready
    case .escalated(let occurrence, let performer):
      guard let index = stepIndex(occurrence), steps[index].status.isOpen else { return false }
      if !steps[index].escalatedTo.contains(performer) { steps[index].escalatedTo.append(performer) }
    case .stepReminded(let occurrence):
      guard let index = stepIndex(occurrence), steps[index].status.isOpen else { return false }
      steps[index].reminders += 1
    case .assigned(let occurrence, let person, _, _):
      guard let index = stepIndex(occurrence), steps[index].status.isOpen else { return false }
      steps[index].assignee = person
    case .stepSkipped(let occurrence, let by, _):
      guard let index = stepIndex(occurrence), steps[index].status.isOpen else { return false }
      steps[index].status = .closed
      steps[index].closure = .skipped
      steps[index].closedBy = by
    case .dueMoved(let occurrence, let due):
      guard let index = stepIndex(occurrence), steps[index].status.isOpen else { return false }
      steps[index].due = due
    default: return false
    }
    return true
  }

  /// What makes a step or block count as done without having been, or not count any more.
  private mutating func applyToPlace(_ event: RunEvent) -> Bool {
    switch event {
    case .stepOmitted(let occurrence):
      guard !isDone(occurrence), step(occurrence)?.status.isOpen != true else { return false }
      blocks.append(BlockState(occurrence: occurrence, isCompleted: true, isOmitted: true))
    case .sentBack(let from, let target, let by, let text):
      sendBacks.append(SendBack(from: from, to: target, by: by, text: text))
    case .undone(let occurrence): return undo(occurrence)
    case .reopened(let occurrence):
      guard let index = blockIndex(occurrence), blocks[index].isCompleted else { return false }
      blocks[index].isCompleted = false
    default: return false
    }
    return true
  }

  private mutating func undo(_ occurrence: Occurrence) -> Bool {
    var isKnown = false
    if let index = stepIndex(occurrence) {
      guard !steps[index].status.isOpen else { return false }
      if let by = steps[index].completedBy, !steps[index].formerCompleters.contains(by) { steps[index].formerCompleters.append(by) }
      steps[index].completedBy = nil
      steps[index].status = .closed
      steps[index].closure = .undone
      isKnown = true
    }
    if let index = blockIndex(occurrence) {
      blocks.remove(at: index)
      isKnown = true
    }
    for index in passes.indices where passes[index].owner == occurrence && passes[index].exception == nil {
      passes[index].isUndone = true
      isKnown = true
    }
    return isKnown
  }

  private mutating func applyToException(_ event: RunEvent) -> Bool {
    switch event {
    case .exceptionRaised(let id, let at, let by, let code, let text):
      guard !exceptions.contains(where: { $0.id == id }) else { return false }
      if let index = stepIndex(at) {
        guard steps[index].status.isOpen else { return false }
        steps[index].status = .blocked
      }
      exceptions.append(RunException(id: id, at: at, by: by, code: code, text: text))
    case .exceptionResolved(let id, let by, let resolution):
      guard let index = exceptions.lastIndex(where: { $0.id == id }), exceptions[index].resolution == nil else { return false }
      exceptions[index].resolution = resolution
      exceptions[index].resolvedBy = by
    case .handlerBegan(let handler, let iteration, let exception, let target):
      guard let index = exceptions.lastIndex(where: { $0.id == exception }), exceptions[index].resolution == nil,
        exceptions[index].handler == nil, iteration == passCount(of: handler) + 1
      else { return false }
      exceptions[index].handler = handler
      passes.append(Pass(scope: handler, iteration: iteration, owner: target, exception: exception))
    default: return false
    }
    return true
  }
}
