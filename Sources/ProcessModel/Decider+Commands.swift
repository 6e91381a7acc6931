internal import Core

extension Decider {
  mutating func perform(_ command: RunCommand) throws(RunRefusal) {
    if let pause = state.pause, !command.isTakenWhilePaused {
      throw RunRefusal(.runPaused, "run `\(state.id)` is paused by `\(pause.by)`")
    }
    switch command {
    case .start: throw RunRefusal(.runExists, "run `\(state.id)` exists already")
    case .completeStep(let name, let by, let fields, let origin, let comment):
      try complete(name, by: by, fields: fields, origin: origin, comment: comment)
    case .setFields(let name, let by, let fields, let origin): try set(fields, step: name, by: by, origin: origin)
    case .attachEvidence(let name, let by, let evidence, let digest, let media, let size):
      try attach(evidence, step: name, by: by, digest: digest, media: media, size: size)
    case .comment(let name, let by, let text):
      try bound(state.comments.count, RunLimits.comments, "comments")
      let step: Occurrence? = if let name { try find(name).occurrence } else { nil }
      emit(.commented(text: try checked(text, "comment"), step: step, by: by))
    case .askHuman(let name, let by, let question):
      try bound(state.questions.count, RunLimits.questions, "questions")
      let (step, _) = try open(name, to: by)
      let text = try checked(question, "question")
      emit(.questionAsked(id: "q\(state.questions.count + 1)", step: step.occurrence, by: by, text: text))
    case .answer(let id, let by, let text):
      guard let question = state.openQuestions.first(where: { bytesEqual($0.id, id) }) else {
        throw RunRefusal(.questionNotOpen, "there is no open question `\(visible(id))` in run `\(state.id)`")
      }
      emit(.questionAnswered(id: question.id, by: by, text: try checked(text, "answer")))
    case .raiseException(let name, let by, let code, let text):
      // A tool step has no performer who could say so: the component that makes its call does.
      let isToolStep = if case .tool = try openStep(name).performer { hasKind("system", by) } else { false }
      let step = isToolStep ? try openStep(name) : try open(name, to: by).0
      try raise(step, by: by, code: code, text: text)
    case .resolveException(let id, let by, let resolution, let comment):
      try resolve(id, by: by, resolution: resolution, comment: comment)
    case .learn(let name, let tool, let facts, let origin):
      let step: Occurrence? = if let name { try find(name).occurrence } else { nil }
      try learn(facts, step: step, tool: tool, origin: origin)
    case .handOver(let name, let by, let code, let text): try handOver(name, by: by, code: code, text: text)
    case .finishToolStep(let name, let by, let result): try finishTool(name, by: by, result: result)
    case .assign(let name, let person, let by, let text): try assign(name, to: person, by: by, text: text)
    case .reassign(let name, let performer, let by, let text): try reassign(name, to: performer, by: by, text: text)
    case .skip(let name, let by, let text): try skip(name, by: by, text: text)
    case .sendBack(let name, let target, let by, let text): try sendBack(name, to: target, by: by, text: text)
    case .pause(let by, let text): emit(.runPaused(at: now, by: by, text: try checked(text, "reason")))
    case .resume(let by): try resume(by: by)
    case .fireTimer(let id): try fire(id)
    case .cancel(let by, let code, let text):
      try checkCode(code)
      try cancel(by: by, code: code, text: try checked(text, "reason"))
    }
  }

  /// Ends the run, or begins what the process does when it is cancelled; who cancels again ends it at once.
  private mutating func cancel(by: String, code: String, text: String) throws(RunRefusal) {
    guard let handler = process.handlers.first(where: \.isOfCancellation), state.passCount(of: handler.id) == 0 else {
      return endRun(by: by, code: code, text: text)
    }
    let root = Occurrence(process.root.id)
    let exception = emitException(at: root, by: by, code: RunExceptionCode.cancelled, text: text)
    take(handler, exception: exception, from: root)
  }

  // MARK: - Steps

  private mutating func complete(
    _ name: String, by: String, fields: JSONObject, origin: Origin?, comment: String?
  ) throws(RunRefusal) {
    let (step, definition) = try open(name, to: by)
    let values = try process.checked(fields, form: definition.form, place: place(step))
    for field in definition.form where field.isRequired && fields[field.name] == nil {
      guard let set = state.field(field.name) else {
        throw RunRefusal(.fieldMissing, "\(process.label(field.name)) is required to complete \(place(step))")
      }
      // What an earlier pass of the same step set was its answer then, and is none now.
      if let origin = set.step, origin.id == step.occurrence.id, origin != step.occurrence {
        throw RunRefusal(
          .fieldMissing, "\(process.label(field.name)) is required again to complete \(place(step)): it is from `\(origin)`")
      }
    }
    for requirement in definition.evidence where requirement.isRequired {
      guard state.evidence.contains(where: { $0.step == step.occurrence && $0.name == requirement.name }) else {
        throw RunRefusal(.evidenceMissing, "evidence `\(requirement.name)` is required to complete \(place(step))")
      }
    }
    let text: String? = if let comment { try checked(comment, "comment") } else { nil }
    if definition.isCommentRequired, text?.contains(where: { !$0.isWhitespace }) != true {
      throw RunRefusal(.commentMissing, "a comment is required to complete \(place(step))")
    }
    if !values.isEmpty { emit(.fieldsSet(values, step: step.occurrence, by: by, origin: origin ?? Origin(by))) }
    if let text {
      try bound(state.comments.count, RunLimits.comments, "comments")
      emit(.commented(text: text, step: step.occurrence, by: by))
    }
    end(step.occurrence, by: by)
  }

  /// Completes a step, settles what hung on it, and goes on.
  private mutating func end(_ occurrence: Occurrence, by: String) {
    emit(.stepCompleted(occurrence, by: by))
    for exception in state.openExceptions where exception.at == occurrence && exception.handler == nil {
      emit(.exceptionResolved(id: exception.id, by: by, resolution: .completed))
    }
    cancelTimers(of: occurrence)
    proceed(after: occurrence)
  }

  private mutating func set(_ fields: JSONObject, step name: String?, by: String, origin: Origin?) throws(RunRefusal) {
    guard !fields.isEmpty else { throw RunRefusal(.fieldMissing, "no fields are given") }
    guard let name else {
      guard hasKind("user", by) else {
        throw RunRefusal(.wrongPerformer, "only a person may correct fields outside a step, not `\(visible(by))`")
      }
      let form = process.fields.map { FormField(name: $0.name, isRequired: false) }
      let values = try process.checked(fields, form: form, place: "process `\(process.id)`")
      return emit(.fieldsSet(values, step: nil, by: by, origin: origin ?? Origin(by)))
    }
    let (step, definition) = try open(name, to: by)
    let values = try process.checked(fields, form: definition.form, place: place(step))
    emit(.fieldsSet(values, step: step.occurrence, by: by, origin: origin ?? Origin(by)))
  }

  private mutating func attach(
    _ name: String, step stepName: String, by: String, digest: Digest, media: String, size: Int
  ) throws(RunRefusal) {
    try bound(state.evidence.count, RunLimits.evidence, "pieces of evidence")
    let (step, definition) = try open(stepName, to: by)
    guard isIdentifier(name) else { throw RunRefusal(.nameInvalid, identifierProblem("evidence name", name)) }
    guard isMediaType(media), size >= 0 else {
      throw RunRefusal(.evidenceInvalid, "`\(visible(media))` is not a media type such as `application/pdf`")
    }
    if let requirement = definition.evidence.first(where: { $0.name == name }), !requirement.accepts(media: media) {
      let accepted = requirement.media.map { "`\($0)`" }.joined(separator: ", ")
      throw RunRefusal(.evidenceInvalid, "evidence `\(name)` of \(place(step)) must be \(accepted), not `\(visible(media))`")
    }
    emit(.evidenceAttached(name: name, digest: digest, media: media, size: size, step: step.occurrence, by: by))
  }

  private mutating func raise(_ step: RunState.StepState, by: String, code: String, text: String) throws(RunRefusal) {
    try bound(state.exceptions.count, RunLimits.exceptions, "exceptions")
    try checkCode(code)
    raise(at: step.occurrence, by: by, code: code, text: try checked(text, "reason"))
  }

  private mutating func handOver(_ name: String, by: String, code: String, text: String) throws(RunRefusal) {
    let step = try openStep(name)
    guard case .agent = step.performer, let fallback = process.step(step.occurrence.id)?.fallback else {
      throw RunRefusal(.wrongPerformer, "\(place(step)) is for `\(step.performer)`; only a step of an agent can be handed over")
    }
    try checkCode(code)
    emit(.handedOver(step.occurrence, to: fallback, by: by, code: code, text: try checked(text, "reason")))
  }

  private mutating func finishTool(_ name: String, by: String, result: RunCommand.ToolResult) throws(RunRefusal) {
    let step = try openStep(name)
    guard case .tool(let tool) = step.performer else {
      throw RunRefusal(.wrongPerformer, "\(place(step)) is for `\(step.performer)`, not for a tool")
    }
    switch result {
    case .succeeded(let facts, let origin):
      if !facts.isEmpty { try learn(facts, step: step.occurrence, tool: tool, origin: origin) }
      end(step.occurrence, by: by)
    case .failed(let code, let text): try raise(step, by: by, code: code, text: text)
    }
  }

  private mutating func learn(_ facts: JSONObject, step: Occurrence?, tool: String, origin: Origin) throws(RunRefusal) {
    guard isPlainName(tool), let definition = process.tool(tool) else {
      throw RunRefusal(.toolUnknown, process.unknown("tool", tool, known: process.tools.map(\.name), of: "process `\(process.id)`"))
    }
    var values: [NamedValue] = []
    for (name, value) in facts {
      guard isPlainName(name), let fact = definition.facts.first(where: { $0.name == name }) else {
        throw RunRefusal(.factInvalid, process.unknown("fact", name, known: definition.facts.map(\.name), of: "tool `\(tool)`"))
      }
      guard value.isWithin(bytes: RunLimits.valueBytes) else {
        throw RunRefusal(.limitReached, "fact `\(name)` is longer than \(RunLimits.valueBytes) bytes")
      }
      if let problem = fact.value.problem(with: value, as: "fact") { throw RunRefusal(.factInvalid, problem) }
      values.append(NamedValue(fact.name, value))
    }
    guard !values.isEmpty else { throw RunRefusal(.factInvalid, "no facts are given") }
    emit(.factsLearned(values, step: step, tool: tool, origin: origin))
  }

  private mutating func fire(_ id: String) throws(RunRefusal) {
    guard let timer = state.timers.first(where: { bytesEqual($0.id, id) }) else {
      throw RunRefusal(.timerNotDue, "no timer `\(visible(id))` is running in run `\(state.id)`")
    }
    guard timer.at <= now else { throw RunRefusal(.timerNotDue, "timer `\(id)` is due at \(timer.at), and it is \(now)") }
    emit(.timerFired(id: timer.id))
    if case .wait? = process.block(timer.step.id), timer.id == timer.step.description { return finish(timer.step) }
    if timer.id == reminderID(timer.step), let step = process.step(timer.step.id) {
      guard let open = state.step(timer.step), open.status.isOpen, open.reminders < RunLimits.reminders else { return }
      emit(.stepReminded(timer.step))
      return armReminder(of: step, timer.step)
    }
    guard let handler = process.handlers.first(where: { timerID(timer.step, $0) == timer.id }) else { return }
    switch handler.response {
    case .escalate(let performer): emit(.escalated(timer.step, to: performer))
    case .take:
      try bound(state.exceptions.count, RunLimits.exceptions, "exceptions")
      let exception = emitException(at: timer.step, by: "system:timer", code: RunExceptionCode.timeout, text: "not done in time")
      take(handler, exception: exception, from: timer.step)
    }
  }

  private mutating func resolve(
    _ id: String, by: String, resolution: ExceptionResolution, comment: String?
  ) throws(RunRefusal) {
    guard let exception = state.openExceptions.first(where: { bytesEqual($0.id, id) }) else {
      throw RunRefusal(.exceptionNotOpen, "there is no open exception `\(visible(id))` in run `\(state.id)`")
    }
    if let handler = exception.handler {
      throw RunRefusal(.exceptionNotOpen, "exception `\(exception.id)` is in the hands of handler `\(handler)`")
    }
    guard hasKind("user", by) else {
      throw RunRefusal(.wrongPerformer, "only a person may resolve an exception, not `\(visible(by))`")
    }
    if let comment {
      try bound(state.comments.count, RunLimits.comments, "comments")
      let step = state.step(exception.at)?.occurrence
      emit(.commented(text: try checked(comment, "comment"), step: step, by: by))
    }
    switch resolution {
    case .proceed: goOn(without: exception.at, exception: exception.id, by: by)
    case .retry:
      try bound(state.exceptions.count, RunLimits.exceptions, "exceptions")
      retry(exception.at, exception: exception.id, by: by)
    case .end: endRun(by: by, code: exception.code, text: nil)
    case .completed:
      throw RunRefusal(
        .exceptionNotOpen, "an exception is resolved as `completed` by completing its step; give `retry`, `proceed` or `end`")
    }
  }

  // MARK: - Checks

  /// The open step of that name, with its definition, if it is for this principal.
  private func open(_ name: String, to by: String) throws(RunRefusal) -> (RunState.StepState, Step) {
    let step = try openStep(name)
    guard let definition = process.step(step.occurrence.id) else {
      throw RunRefusal(.stepUnknown, "process `\(process.id)` has no step `\(step.occurrence.id)`")
    }
    if let assignee = step.assignee, !bytesEqual(assignee, by), !step.isFor(by) {
      throw RunRefusal(.stepTaken, "\(place(step)) is `\(assignee)`'s for now, not `\(visible(by))`'s")
    }
    guard step.isFor(by) else {
      throw RunRefusal(.wrongPerformer, "\(place(step)) is for `\(step.performer)`, not for `\(visible(by))`")
    }
    return (step, definition)
  }

  func openStep(_ name: String) throws(RunRefusal) -> RunState.StepState {
    let step = try find(name)
    switch step.status {
    case .ready: break
    case .blocked:
      throw RunRefusal(.stepBlocked, "\(place(step)) waits until its exception is resolved")
    case .completed:
      throw RunRefusal(.stepNotOpen, "\(place(step)) was completed by `\(step.completedBy ?? "")`")
    case .closed:
      throw RunRefusal(.stepNotOpen, "\(place(step)) was \(step.closure?.rawValue ?? "closed")")
    }
    return step
  }

  func find(_ name: String) throws(RunRefusal) -> RunState.StepState {
    if isPlainName(name), let step = state.step(named: name) { return step }
    let id = isPlainName(name) ? Occurrence(parsing: name)?.id ?? name : name
    guard isPlainName(id), process.step(id) != nil else {
      throw RunRefusal(.stepUnknown, process.unknown("step", name, known: process.steps.map(\.id), of: "process `\(process.id)`"))
    }
    if let several = state.ambiguity(of: name) { throw RunRefusal(.stepNotOpen, several) }
    let open = state.openSteps.map { "`\($0.occurrence)`" }.joined(separator: ", ")
    throw RunRefusal(.stepNotOpen, "step `\(name)` is not open" + (open.isEmpty ? "" : "; open now: \(open)"))
  }

  func place(_ step: RunState.StepState) -> String { "step `\(step.occurrence)`" }

  func checked(_ text: String, _ what: String) throws(RunRefusal) -> String {
    guard text.utf8.count <= RunLimits.textBytes else {
      throw RunRefusal(.limitReached, "the \(what) is longer than \(RunLimits.textBytes) bytes")
    }
    return text
  }

  private func checkCode(_ code: String) throws(RunRefusal) {
    guard isIdentifier(code) else { throw RunRefusal(.nameInvalid, identifierProblem("code", code)) }
  }

  func bound(_ count: Int, _ limit: Int, _ what: String) throws(RunRefusal) {
    guard count < limit else {
      throw RunRefusal(.limitReached, "run `\(state.id)` has \(limit) \(what), which is the most that a run can hold")
    }
  }
}

/// Whether a principal is of a kind, such as `user`.
func hasKind(_ kind: String, _ principal: String) -> Bool { principal.utf8.starts(with: "\(kind):".utf8) }

func identifierProblem(_ what: String, _ text: String) -> String {
  guard !text.isEmpty else { return "the \(what) is empty" }
  let place = firstIllegalByte(inIdentifier: text) ?? 0
  guard place < text.utf8.count else { return "the \(what) `\(visible(text))` is longer than 64 characters" }
  let scalar = text.unicodeScalars[text.utf8.index(text.startIndex, offsetBy: place)]
  return "the \(what) `\(visible(text))` cannot have `\(visible(String(scalar)))`\(place == 0 ? " at its start" : "")"
    + ": letters, digits, `_` and `-` make a name, and a letter or `_` begins it"
}

/// Whether a text is a media type such as `application/pdf`, parameters allowed; printable ASCII of at most 128 bytes.
func isMediaType(_ text: String) -> Bool {
  guard text.utf8.count <= 128, text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else { return false }
  let parts = text.utf8.prefix { $0 != UInt8(ascii: ";") }.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
  return parts.count == 2
    && parts.allSatisfy { part in
      !part.isEmpty && part.allSatisfy { isalnumASCII($0) || "!#$&-^_.+ ".utf8.contains($0) }
    }
}

private func isalnumASCII(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
  default: false
  }
}

extension RunState.StepState {
  /// Whether a principal may do the step, as far as the run knows: an agent its own steps, a person a step of a role.
  ///
  /// - Parameters:
  ///   - principal: Such as `user:ana` or `agent:risk-analyst`.
  ///   - holds: Whether the principal holds a role, which the directory knows; by default every person is taken to.
  /// - Returns: False for everyone at a tool step, which only the engine ends.
  public func isFor(_ principal: String, holds: (_ role: String) -> Bool = { _ in true }) -> Bool {
    if case .tool = performer { return false }
    return performers(for: principal).contains { performer in
      switch performer {
      case .role(let role): hasKind("user", principal) && holds(role)
      case .user, .agent: bytesEqual(performer.description, principal)
      case .tool: false
      }
    }
  }

  /// Who may do the step as far as this principal goes: while it is another person's alone, only those that it was escalated to.
  public func performers(for principal: String) -> [Performer] {
    if let assignee, !bytesEqual(assignee, principal) { return escalatedTo }
    return [performer] + escalatedTo
  }
}
