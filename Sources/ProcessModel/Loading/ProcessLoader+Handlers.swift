internal import Core

extension ProcessLoader {
  private static let handlerKeys = ["timeout", "exception", "of", "escalate", "then", "after", "max", "id"]

  func loadHandlers(_ reader: ObjectReader) -> [Handler] {
    var handlers: [Handler] = []
    let items = reader.list("on") ?? []
    for item in items { announce(item["then"]) }
    for item in items {
      guard let handler = loadHandler(item) else { continue }
      if let twin = handlers.first(where: { $0.of == handler.of && covers($0.cause, handler.cause) }) {
        sink.error(
          "unreachable-handler", at: item.position,
          "handler `\(handler.id)` can never be reached: `\(twin.id)` before it handles the same", hint: "put the more special one first")
      }
      handlers.append(handler)
    }
    return handlers
  }

  /// Notes the steps and blocks in the bodies of handlers, which other handlers may name before they are read.
  private func announce(_ value: PositionedJSON?) {
    switch value?.value {
    case .array(let items)?: for item in items { announce(item) }
    case .object(let members)?:
      for member in members {
        guard let name = member.value.stringValue else {
          announce(member.value)
          continue
        }
        if member.key == "step" { stepIDs.insert(name) }
        if member.key == "step" || member.key == "id" { announced.insert(name) }
      }
    default: break
    }
  }

  /// Whether a handler's cause leaves nothing for a later handler's, both of the same step or block.
  private func covers(_ first: Handler.Cause, _ later: Handler.Cause) -> Bool {
    switch (first, later) {
    case (.exception(let a), .exception(let b)): a == b
    case (.timeout(let a), .timeout(let b)): a == b
    default: false
    }
  }

  private func loadHandler(_ item: PositionedJSON) -> Handler? {
    guard let reader = ObjectReader(item, "a handler", keys: Self.handlerKeys, sink) else { return nil }
    let target = reader.text("of")
    var targetIsStep: Bool?
    if let target, let value = reader["of"] {
      guard isPlainName(target), positions[target] != nil || announced.contains(target) else {
        sink.unknown("step", target, known: announced.union(positions.keys).sorted(), at: value.position)
        return nil
      }
      targetIsStep = stepIDs.contains(target)
    }
    if reader.has("timeout") == reader.has("exception") {
      sink.error("missing-key", at: item.position, "a handler has either `timeout` or `exception`")
      return nil
    }
    return reader.has("timeout")
      ? timeoutHandler(reader, of: target, isStep: targetIsStep) : exceptionHandler(reader, of: target, isStep: targetIsStep)
  }

  private func timeoutHandler(_ reader: ObjectReader, of target: String?, isStep: Bool?) -> Handler? {
    if target == nil, reader.has("of") { return nil }
    let derived = target.map { "timeout-of-\($0)" } ?? "timeout"
    guard let id = handlerID(reader, derived: derived), let duration = span(reader, "timeout") else { return nil }
    if reader.has("escalate") == reader.has("then") {
      sink.error("missing-key", at: reader.object.position, "handler `\(id)` has either `escalate` or `then`")
      return nil
    }
    if reader.has("escalate") {
      for key in ["after", "max"] where reader.has(key) {
        sink.error("wrong-key", at: reader.keyPosition(key), "`\(key)` goes with `then`, and handler `\(id)` has `escalate`")
      }
      guard let performer = performer(reader, "escalate") else { return nil }
      guard isStep == true else {
        let place = target.map { "`\($0)` is a block" } ?? "handler `\(id)` names none"
        sink.error(
          "wrong-target", at: (reader["of"] ?? reader.object).position, "only a step is brought before somebody else, and \(place)",
          hint: "give `of` a step, or `then` what is done when it is late")
        return nil
      }
      return Handler(id: id, of: target, cause: .timeout(duration), response: .escalate(performer))
    }
    guard let response = response(reader, id: id, isStep: isStep) else { return nil }
    if target == nil, case .take(_, let after) = response, after != .end {
      sink.error(
        "missing-key", at: reader.object.position, "a timeout of the whole run ends it: give handler `\(id)` `after: \"end\"`, or an `of`")
      return nil
    }
    return Handler(id: id, of: target, cause: .timeout(duration), response: response)
  }

  private func exceptionHandler(_ reader: ObjectReader, of target: String?, isStep: Bool?) -> Handler? {
    guard let code = reader.text("exception"), let value = reader["exception"] else { return nil }
    guard code == "*" || checkIdentifier(code, "exception", value, sink) else { return nil }
    let name = code == "*" ? "exception" : code
    guard let id = handlerID(reader, derived: target.map { "\(name)-of-\($0)" } ?? name) else { return nil }
    if reader.has("escalate") {
      sink.error(
        "wrong-key", at: reader.keyPosition("escalate"), "`escalate` goes with `timeout`, and handler `\(id)` handles an exception")
      return nil
    }
    return response(reader, id: id, isStep: isStep).map { Handler(id: id, of: target, cause: .exception(code), response: $0) }
  }

  private func handlerID(_ reader: ObjectReader, derived: String) -> String? {
    let id = reader.has("id") ? reader.identifier("id") : derived
    guard let id, claim(id, at: reader["id"]?.position ?? reader.object.position, "handler") else { return nil }
    return id
  }

  private func response(_ reader: ObjectReader, id: String, isStep: Bool?) -> Handler.Response? {
    guard let items = reader.list("then", isRequired: true) else { return nil }
    var body: Reading?
    if !items.isEmpty {
      guard let reading = sequence(items, id: nil, depth: 1) else { return nil }
      body = reading
      if case .sequence(let blockID, _) = reading.block, !claim(blockID, at: reader.keyPosition("then"), "block") { return nil }
    }
    let word = reader.text("after") ?? "proceed"
    if reader.has("max"), word != "retry" {
      sink.error("wrong-key", at: reader.keyPosition("max"), "`max` goes with `after: \"retry\"`")
    }
    switch word {
    case "proceed": return .take(body: body?.block, after: .proceed)
    case "end": return .take(body: body?.block, after: .end)
    case "retry":
      if isStep != true {
        sink.error(
          "wrong-target", at: reader["after"]?.position, "only a step can be tried again: give handler `\(id)` an `of` that names one")
        return nil
      }
      guard let max = reader.count("max", 1...100, isRequired: true) else { return nil }
      return .take(body: body?.block, after: .retry(max: max))
    default:
      sink.unknown("after", word, known: ["proceed", "retry", "end"], at: reader["after"]?.position)
      return nil
    }
  }
}
