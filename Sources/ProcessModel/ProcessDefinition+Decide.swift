public import CEL
public import Core

extension ProcessDefinition {
  /// What follows from a command, or why it is refused.
  ///
  /// Pure: the same four inputs always give the same answer, and nothing is changed. Who may give the command is the gate's question; asked
  /// here is only whether the run can take it. Role steps take `user:` principals, agent steps their own agent.
  ///
  /// - Parameters:
  ///   - command: What someone wants to happen.
  ///   - state: The run; `nil` for ``RunCommand/start(run:release:requester:trigger:fields:)`` alone.
  ///   - now: Due dates and timers are counted from here.
  ///   - zones: The time zones by name, for working time. By default every zone counts as UTC, for callers that ask only whether a command
  ///     is taken.
  /// - Returns: The consequences in order, at least one. Each fits the state that the ones before it lead to.
  /// - Throws: ``RunRefusal``; the run is as it was.
  /// - Complexity: O(steps so far) for each consequence, and the cost of the conditions that are evaluated.
  public func decide(
    _ command: RunCommand, in state: RunState?, now: Instant, zones: (String) -> CELTimeZone? = { _ in CELTimeZone(offset: 0) }
  ) throws(RunRefusal) -> [RunEvent] {
    let zone = calendar.flatMap { zones($0.zone) }
    if let calendar, zone == nil {
      throw RunRefusal(
        .zoneUnknown,
        "this machine does not know the time zone `\(calendar.zone)`, by which process `\(id)` counts working time; "
          + "install its time zone data (tzdata)")
    }
    if case .start(let run, let release, let requester, let trigger, let fields) = command {
      guard state == nil else { throw RunRefusal(.runExists, "run `\(visible(run))` exists already") }
      return try start(run: run, release: release, requester: requester, trigger: trigger, fields: fields, now: now, zone: zone)
    }
    guard let state else { throw RunRefusal(.runUnknown, "there is no such run") }
    guard bytesEqual(state.process, id) else {
      throw RunRefusal(.processMismatch, "run `\(state.id)` follows process `\(state.process)`, not `\(id)`")
    }
    if state.status != .running {
      guard case .comment = command else {
        throw RunRefusal(.runEnded, "run `\(state.id)` has ended (\(state.status.rawValue)); only comments can be added")
      }
    }
    var decider = Decider(process: self, state: state, now: now, zone: zone)
    try decider.perform(command)
    return decider.events
  }

  private func start(
    run: String, release: String, requester: String, trigger name: String?, fields: JSONObject, now: Instant, zone: CELTimeZone?
  ) throws(RunRefusal) -> [RunEvent] {
    let trigger = try self.trigger(named: name)
    let form = trigger?.fields ?? []
    let place = trigger.map { "the form `\($0.name)`" } ?? "a start by hand"
    let values = try checked(fields, form: form, place: place)
    if let missing = form.first(where: { $0.isRequired && fields[$0.name] == nil }) {
      throw RunRefusal(.fieldMissing, "\(label(missing.name)) is required by \(place)")
    }
    let first = RunEvent.runStarted(run: run, process: id, release: release, requester: requester, trigger: trigger?.name)
    var decider = Decider(
      process: self, state: RunState(run: run, process: id, release: release, requester: requester, trigger: trigger?.name), now: now,
      zone: zone, events: [first])
    if !values.isEmpty {
      let origin = trigger.map { Origin("form:\($0.name)", trusted: !$0.isEvent) } ?? Origin(requester)
      decider.emit(.fieldsSet(values, step: nil, by: requester, origin: origin))
    }
    decider.begin(root, 1)
    return decider.events
  }

  private func trigger(named name: String?) throws(RunRefusal) -> Trigger? {
    guard let name else {
      let forms = triggers.filter { if case .form = $0.source { true } else { false } }
      guard forms.count <= 1 else {
        let names = forms.map { "`\($0.name)`" }.joined(separator: ", ")
        throw RunRefusal(.triggerUnknown, "process `\(id)` has several forms: name one of \(names)")
      }
      return forms.first
    }
    if let trigger = triggers.first(where: { bytesEqual($0.name, name) }) { return trigger }
    throw RunRefusal(.triggerUnknown, unknown("trigger", name, known: triggers.map(\.name), of: "process `\(id)`"))
  }

  /// Checks values against a form and their fields' schemas.
  func checked(_ values: JSONObject, form: [FormField], place: String) throws(RunRefusal) -> [NamedValue] {
    var result: [NamedValue] = []
    for (name, value) in values {
      guard isPlainName(name), let field = field(name) else {
        throw RunRefusal(.fieldUnknown, unknown("field", name, known: form.map(\.name), of: place))
      }
      guard form.contains(where: { $0.name == name }) else {
        let known = form.isEmpty ? "sets no fields" : "has \(form.map { "`\($0.name)`" }.joined(separator: ", "))"
        throw RunRefusal(.fieldNotInForm, "field `\(name)` is not in \(place), which \(known)")
      }
      try check(value, of: field)
      result.append(NamedValue(field.name, value))
    }
    return result
  }

  func check(_ value: JSON, of field: FieldDefinition) throws(RunRefusal) {
    guard value.isWithin(bytes: RunLimits.valueBytes) else {
      throw RunRefusal(.limitReached, "\(label(field.name)) is longer than \(RunLimits.valueBytes) bytes")
    }
    if let problem = field.problem(with: value) { throw RunRefusal(.fieldInvalid, problem) }
  }

  func label(_ field: String) -> String { "field `\(field)`" }

  func unknown(_ kind: String, _ name: String, known: [String], of place: String) -> String {
    let hint = nearestName(to: name, in: known).map { "; did you mean `\($0)`?" } ?? ""
    return "\(place) has no \(kind) `\(visible(name))`\(hint)"
  }
}

/// Whether a name that came from outside can be one that a process declares: ASCII, so that Swift's comparison of texts is one of bytes.
func isPlainName(_ text: String) -> Bool {
  let bytes = text.utf8
  return (1...128).contains(bytes.count) && bytes.allSatisfy { $0 > 0x20 && $0 < 0x7F }
}

/// Whether a text can name a step, field, block, fact or code: `[A-Za-z_][A-Za-z0-9_-]{0,63}`.
func isIdentifier(_ text: String) -> Bool { firstIllegalByte(inIdentifier: text) == nil }

/// The place of the first byte that an identifier cannot have there, or the length where it is empty or too long.
func firstIllegalByte(inIdentifier text: String) -> Int? {
  for (place, byte) in text.utf8.enumerated() {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"): continue
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): if place > 0 { continue }
    default: break
    }
    return place
  }
  return (1...64).contains(text.utf8.count) ? nil : text.utf8.count
}

extension JSON {
  /// Whether the value's text takes at most so many bytes; stops counting there.
  ///
  /// Escapes are not counted: they make a text up to six times as long.
  public func isWithin(bytes limit: Int) -> Bool {
    var left = limit
    return spend(&left)
  }

  private func spend(_ left: inout Int) -> Bool {
    switch self {
    case .null, .bool: left -= 4
    case .number(let number): left -= number.text.utf8.count
    case .string(let text): left -= text.utf8.count + 2
    case .array(let elements):
      left -= 1 + max(1, elements.count)
      for element in elements where left >= 0 { guard element.spend(&left) else { return false } }
    case .object(let members):
      left -= 1 + max(1, members.count)
      for (key, value) in members where left >= 0 {
        left -= key.utf8.count + 3
        guard value.spend(&left) else { return false }
      }
    }
    return left >= 0
  }
}
