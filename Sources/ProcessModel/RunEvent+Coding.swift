@_spi(JSONParser) public import Core

/// A list of events that cannot be read: it was written by a newer build, or is not one.
public struct RunEventError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Which event of the list, from 0; `nil` where the list itself is no list.
  public let index: Int?
  /// What is wrong.
  public let message: String

  /// `event 3: unknown event …`.
  public var description: String { (index.map { "event \($0): " } ?? "") + message }
}

// The wire form. `structure` is an array with one object an event; `$` is the event's name and sorts first, and the other keys are read in
// sorted order, which is how canonical bytes have them. `values` holds, under the event's index, what may be redacted: an object of field or
// fact values, or a text. A new kind of event gets a new name; the meaning of a name never changes.

extension RunEvent {
  /// Separates events into structure, which is kept for good, and values, which can be redacted.
  ///
  /// - Returns: `structure`, an array without field values, facts or anyone's words; and `values` with all of these. Both are small enough
  ///   numbers and texts for canonical bytes, apart from numbers in field values that have no exact double.
  /// - Complexity: O(size of the events).
  public static func encode(_ events: [RunEvent]) -> (structure: JSON, values: JSONObject) {
    var structure: [JSON] = []
    structure.reserveCapacity(events.count)
    var values: [(key: String, value: JSON)] = []
    for (index, event) in events.enumerated() {
      let (members, value) = event.encoded()
      structure.append(.object(members))
      if let value { values.append((String(index), value)) }
    }
    return (.array(structure), JSONObject(unchecked: values))
  }

  /// Reads what ``encode(_:)`` wrote.
  ///
  /// - Parameters:
  ///   - structure: The list.
  ///   - values: `nil`, or an object without some members, after redaction: those values and texts are then `nil`.
  /// - Returns: The events in order.
  /// - Throws: ``RunEventError`` for an unknown event, a missing, unknown or ill-typed member, or a value without its event.
  /// - Complexity: O(size of the events).
  public static func decode(structure: JSON, values: JSONObject?) throws(RunEventError) -> [RunEvent] {
    try decode(structure: JSONView(structure), values: values.map { JSONView(.object($0)) })
  }

  /// Reads what ``encode(_:)`` wrote, as ``decode(structure:values:)-(JSON,_)`` does; values that are no object are none.
  public static func decode(structure: JSONView, values: JSONView?) throws(RunEventError) -> [RunEvent] {
    guard let elements = structure.elements else { throw RunEventError(index: nil, message: "events are not a list") }
    var events: [RunEvent] = []
    events.reserveCapacity(elements.count)
    let count = values?.members?.count ?? 0
    var used = 0
    for (index, element) in elements.enumerated() {
      guard var reader = MemberReader(element) else { throw RunEventError(index: index, message: "an event is not an object") }
      var value: JSONView?
      if used < count {
        value = values?[String(index)]
        if value != nil { used += 1 }
      }
      do throws(MemberError) {
        do throws(MemberError) {
          events.append(try RunEvent(&reader, value))
        } catch {
          guard let sorted = reader.sorted() else { throw error }
          reader = sorted
          events.append(try RunEvent(&reader, value))
        }
      } catch {
        throw RunEventError(index: index, message: error.message)
      }
    }
    guard used == count else { throw RunEventError(index: nil, message: "a value belongs to no event") }
    return events
  }

  // MARK: - Writing

  private func encoded() -> (members: JSONObject, value: JSON?) {
    switch self {
    case .runStarted(let run, let process, let release, let requester, let trigger):
      var writer = MemberWriter("run.started")
      writer.add("by", requester)
      writer.add("process", process)
      writer.add("release", release)
      writer.add("run", run)
      writer.add("trigger", trigger)
      return (writer.object, nil)
    case .fieldsSet(let values, let step, let by, let origin):
      var writer = MemberWriter("fields.set")
      writer.add("at", step)
      writer.add("by", by)
      writer.add(names: values)
      if !bytesEqual(origin.label, by) { writer.add("origin", origin.label) }
      writer.add("untrusted", !origin.trusted)
      return (writer.object, content(values))
    case .factsLearned(let values, let step, let tool, let origin):
      var writer = MemberWriter("facts.learned")
      writer.add("at", step)
      writer.add(names: values)
      writer.add("origin", origin.label)
      writer.add("tool", tool)
      writer.add("untrusted", !origin.trusted)
      return (writer.object, content(values))
    case .evidenceAttached(let name, let digest, let media, let size, let step, let by):
      var writer = MemberWriter("evidence.added")
      writer.add("at", step)
      writer.add("by", by)
      writer.add("digest", digest.hex)
      writer.add("media", media)
      writer.add("name", name)
      writer.add("size", size)
      return (writer.object, nil)
    case .commented(let text, let step, let by):
      var writer = MemberWriter("comment")
      writer.add("at", step)
      writer.add("by", by)
      return (writer.object, text.map(JSON.string))
    case .stepReady(let at, let performer, let title, let due, let attempt):
      var writer = MemberWriter("step.ready")
      writer.add("at", at)
      if attempt != 1 { writer.add("attempt", attempt) }
      writer.add("due", due)
      writer.add("for", performer.description)
      writer.add("title", title)
      return (writer.object, nil)
    case .stepCompleted(let at, let by):
      var writer = MemberWriter("step.completed")
      writer.add("at", at)
      writer.add("by", by)
      return (writer.object, nil)
    case .stepClosed(let at, let reason):
      var writer = MemberWriter("step.closed")
      writer.add("at", at)
      writer.add("reason", reason.rawValue)
      return (writer.object, nil)
    case .handedOver(let at, let performer, let by, let code, let text):
      var writer = MemberWriter("step.moved")
      writer.add("at", at)
      writer.add("by", by)
      writer.add("code", code)
      writer.add("for", performer.description)
      return (writer.object, text.map(JSON.string))
    case .escalated(let at, let performer):
      var writer = MemberWriter("step.escalated")
      writer.add("at", at)
      writer.add("for", performer.description)
      return (writer.object, nil)
    default: return encodedWork() ?? encodedRest()
    }
  }

  /// What people do with steps and runs, beside completing them; `nil` for any other event.
  private func encodedWork() -> (members: JSONObject, value: JSON?)? {
    switch self {
    case .assigned(let at, let to, let by, let text):
      var writer = MemberWriter("step.assigned")
      writer.add("at", at)
      writer.add("by", by)
      writer.add("to", to)
      return (writer.object, text.map(JSON.string))
    case .stepSkipped(let at, let by, let text):
      var writer = MemberWriter("step.skipped")
      writer.add("at", at)
      writer.add("by", by)
      return (writer.object, text.map(JSON.string))
    case .stepReminded(let at): return (Self.members("step.reminded", at), nil)
    case .stepOmitted(let at): return (Self.members("step.omitted", at), nil)
    case .dueMoved(let at, let due):
      var writer = MemberWriter("step.due")
      writer.add("at", at)
      writer.add("due", due)
      return (writer.object, nil)
    case .sentBack(let from, let target, let by, let text):
      var writer = MemberWriter("step.sent-back")
      writer.add("at", from)
      writer.add("by", by)
      writer.add("to", target)
      return (writer.object, text.map(JSON.string))
    case .undone(let at): return (Self.members("undone", at), nil)
    case .reopened(let at): return (Self.members("block.reopened", at), nil)
    case .runPaused(let at, let by, let text):
      var writer = MemberWriter("run.paused")
      writer.add("by", by)
      writer.add("since", at)
      return (writer.object, text.map(JSON.string))
    case .runResumed(let by):
      var writer = MemberWriter("run.resumed")
      writer.add("by", by)
      return (writer.object, nil)
    default: return nil
    }
  }

  private static func members(_ name: String, _ at: Occurrence) -> JSONObject {
    var writer = MemberWriter(name)
    writer.add("at", at)
    return writer.object
  }

  private func encodedRest() -> (members: JSONObject, value: JSON?) {
    var writer: MemberWriter
    var value: JSON?
    switch self {
    case .questionAsked(let id, let step, let by, let text):
      writer = MemberWriter("question.asked")
      writer.add("at", step)
      writer.add("by", by)
      writer.add("id", id)
      value = text.map(JSON.string)
    case .questionAnswered(let id, let by, let text):
      writer = MemberWriter("question.answered")
      writer.add("by", by)
      writer.add("id", id)
      value = text.map(JSON.string)
    case .exceptionRaised(let id, let at, let by, let code, let text):
      writer = MemberWriter("exception.raised")
      writer.add("at", at)
      writer.add("by", by)
      writer.add("code", code)
      writer.add("id", id)
      value = text.map(JSON.string)
    case .exceptionResolved(let id, let by, let resolution):
      writer = MemberWriter("exception.resolved")
      writer.add("by", by)
      writer.add("id", id)
      writer.add("resolution", resolution.rawValue)
    case .branchChosen(let at, let branch):
      writer = MemberWriter("branch.chosen")
      writer.add("at", at)
      writer.add("branch", branch)
    case .branchesChosen(let at, let branches):
      writer = MemberWriter("branches.chosen")
      writer.add("at", at)
      writer.add("branches", branches)
    case .tableDecided(let at, let rules):
      writer = MemberWriter("table.decided")
      writer.add("at", at)
      writer.add("rules", rules)
    case .iterationBegan(let at, let iteration):
      writer = MemberWriter("iteration.began")
      writer.add("at", at)
      writer.add("n", iteration)
    case .instanceBegan(let at, let iteration, let item):
      writer = MemberWriter("instance.began")
      writer.add("at", at)
      writer.add("n", iteration)
      value = item.map { ["item": $0] }
    case .handlerBegan(let handler, let iteration, let exception, let target):
      writer = MemberWriter("handler.began")
      writer.add("at", target)
      writer.add("exception", exception)
      writer.add("id", handler)
      writer.add("n", iteration)
    case .blockCompleted(let at):
      writer = MemberWriter("block.completed")
      writer.add("at", at)
    case .timerArmed(let id, let step, let until):
      writer = MemberWriter("timer.armed")
      writer.add("at", step)
      writer.add("id", id)
      writer.add("until", until)
    case .timerCancelled(let id):
      writer = MemberWriter("timer.cancelled")
      writer.add("id", id)
    case .timerFired(let id):
      writer = MemberWriter("timer.fired")
      writer.add("id", id)
    case .runCancelled(let by, let code, let text):
      writer = MemberWriter("run.cancelled")
      writer.add("by", by)
      writer.add("code", code)
      value = text.map(JSON.string)
    default: writer = MemberWriter("run.completed")
    }
    return (writer.object, value)
  }

  private func content(_ values: [NamedValue]) -> JSON? {
    var known: [(key: String, value: JSON)] = []
    known.reserveCapacity(values.count)
    for pair in values { if let value = pair.value { known.append((pair.name, value)) } }
    guard !known.isEmpty else { return nil }
    return .object(JSONObject(unchecked: known))
  }

  // MARK: - Reading

  private init(_ reader: inout MemberReader, _ value: JSONView?) throws(MemberError) {
    let name = try reader.string("$")
    switch name {
    case "step.ready":
      let at = try reader.occurrence()
      let attempt = try reader.optionalInt("attempt") ?? 1
      let due = try reader.optionalInt64("due").map(Instant.init(milliseconds:))
      self = .stepReady(at, performer: try reader.performer(), title: try reader.string("title"), due: due, attempt: attempt)
    case "step.completed": self = .stepCompleted(try reader.occurrence(), by: try reader.string("by"))
    case "fields.set":
      let at = try reader.optionalOccurrence()
      let by = try reader.string("by")
      let values = try reader.values(value)
      let origin = try reader.optionalString("origin") ?? by
      self = .fieldsSet(values, step: at, by: by, origin: Origin(origin, trusted: try !reader.flag("untrusted")))
      try reader.finish()
      return
    case "branch.chosen": self = .branchChosen(try reader.occurrence(), branch: try reader.string("branch"))
    case "block.completed": self = .blockCompleted(try reader.occurrence())
    case "timer.armed":
      let at = try reader.occurrence()
      let id = try reader.string("id")
      self = .timerArmed(id: id, step: at, at: Instant(milliseconds: try reader.int64("until")))
    case "timer.cancelled": self = .timerCancelled(id: try reader.string("id"))
    case "run.started":
      let requester = try reader.string("by")
      let process = try reader.string("process")
      let release = try reader.string("release")
      let run = try reader.string("run")
      self = .runStarted(run: run, process: process, release: release, requester: requester, trigger: try reader.optionalString("trigger"))
    case "run.completed": self = .runCompleted
    case "facts.learned":
      let at = try reader.optionalOccurrence()
      let values = try reader.values(value)
      let origin = try reader.string("origin")
      let tool = try reader.optionalString("tool")
      self = .factsLearned(values, step: at, tool: tool, origin: Origin(origin, trusted: try !reader.flag("untrusted")))
      try reader.finish()
      return
    case "instance.began":
      let at = try reader.occurrence()
      let iteration = try reader.int("n")
      if let value, value.members?.count != 1 || value["item"] == nil { throw MemberError(message: "`instance.began` has an item alone") }
      self = .instanceBegan(of: at, iteration: iteration, item: value?["item"].map { JSON($0) })
      try reader.finish()
      return
    case "evidence.added":
      let at = try reader.occurrence()
      let by = try reader.string("by")
      guard let digest = Digest(hex: try reader.string("digest")) else { throw MemberError(message: "`digest` is not a digest") }
      let media = try reader.string("media")
      let name = try reader.string("name")
      self = .evidenceAttached(name: name, digest: digest, media: media, size: try reader.int("size"), step: at, by: by)
    default:
      self = try RunEvent(rare: name, &reader, try Self.text(value))
      try reader.finish()
      return
    }
    guard value == nil else { throw MemberError(message: "`\(name)` has no values") }
    try reader.finish()
  }

  private init(rare name: String, _ reader: inout MemberReader, _ text: String?) throws(MemberError) {
    switch name {
    case "comment": self = .commented(text: text, step: try reader.optionalOccurrence(), by: try reader.string("by"))
    case "step.moved":
      let at = try reader.occurrence()
      let by = try reader.string("by")
      let code = try reader.string("code")
      self = .handedOver(at, to: try reader.performer(), by: by, code: code, text: text)
    case "question.asked":
      let at = try reader.occurrence()
      let by = try reader.string("by")
      self = .questionAsked(id: try reader.string("id"), step: at, by: by, text: text)
    case "question.answered":
      let by = try reader.string("by")
      self = .questionAnswered(id: try reader.string("id"), by: by, text: text)
    case "exception.raised":
      let at = try reader.occurrence()
      let by = try reader.string("by")
      let code = try reader.string("code")
      self = .exceptionRaised(id: try reader.string("id"), at: at, by: by, code: code, text: text)
    case "run.cancelled":
      let by = try reader.string("by")
      self = .runCancelled(by: by, code: try reader.string("code"), text: text)
    case "step.assigned":
      let at = try reader.occurrence()
      let by = try reader.string("by")
      self = .assigned(at, to: try reader.optionalString("to"), by: by, text: text)
    case "step.skipped": self = .stepSkipped(try reader.occurrence(), by: try reader.string("by"), text: text)
    case "step.sent-back":
      let from = try reader.occurrence()
      let by = try reader.string("by")
      self = .sentBack(from: from, to: try reader.occurrence("to"), by: by, text: text)
    case "run.paused":
      let by = try reader.string("by")
      self = .runPaused(at: Instant(milliseconds: try reader.int64("since")), by: by, text: text)
    default:
      guard text == nil else { throw MemberError(message: "`\(visible(name))` has no values") }
      self = try RunEvent(silent: name, &reader)
    }
  }

  private init(silent name: String, _ reader: inout MemberReader) throws(MemberError) {
    switch name {
    case "step.closed":
      let at = try reader.occurrence()
      self = .stepClosed(at, reason: try reader.name("reason", StepClosure.init(rawValue:)))
    case "step.escalated": self = .escalated(try reader.occurrence(), to: try reader.performer())
    case "exception.resolved":
      let by = try reader.string("by")
      let id = try reader.string("id")
      self = .exceptionResolved(id: id, by: by, resolution: try reader.name("resolution", ExceptionResolution.init(rawValue:)))
    case "branches.chosen": self = .branchesChosen(try reader.occurrence(), branches: try reader.texts("branches"))
    case "table.decided": self = .tableDecided(try reader.occurrence(), rules: try reader.texts("rules"))
    case "iteration.began": self = .iterationBegan(of: try reader.occurrence(), iteration: try reader.int("n"))
    case "handler.began":
      let target = try reader.occurrence()
      let exception = try reader.string("exception")
      let handler = try reader.string("id")
      self = .handlerBegan(handler: handler, iteration: try reader.int("n"), exception: exception, target: target)
    case "timer.fired": self = .timerFired(id: try reader.string("id"))
    case "step.reminded": self = .stepReminded(try reader.occurrence())
    case "step.omitted": self = .stepOmitted(try reader.occurrence())
    case "step.due":
      let at = try reader.occurrence()
      self = .dueMoved(at, due: Instant(milliseconds: try reader.int64("due")))
    case "undone": self = .undone(try reader.occurrence())
    case "block.reopened": self = .reopened(try reader.occurrence())
    case "run.resumed": self = .runResumed(by: try reader.string("by"))
    default: throw MemberError(message: "unknown event `\(visible(name))`; a newer build may have written it")
    }
  }

  private static func text(_ value: JSONView?) throws(MemberError) -> String? {
    guard let value else { return nil }
    guard let text = value.stringValue else { throw MemberError(message: "a text is not a string") }
    return text
  }
}
