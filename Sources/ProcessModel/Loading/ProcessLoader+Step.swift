internal import CEL
internal import Core

extension ProcessLoader {
  /// Which keys go with whom.
  private static let kinds: [(performer: String, keys: [String])] = [
    ("role", ["form"]), ("agent", ["prompt", "writes", "fallback"]), ("tool", ["arguments"]),
  ]

  func step(_ reader: ObjectReader) -> Reading? {
    guard let id = reader.identifier("step"), let value = reader["step"] else { return nil }
    let isFirst = claim(id, at: value.position, "step")
    stepIDs.insert(id)
    let label = "step `\(id)`"
    let performers = Self.kinds.filter { reader.has($0.performer) }
    guard let kind = performers.first else {
      sink.error("missing-key", at: reader.object.position, "\(label) needs one of `role`, `agent` or `tool`")
      return nil
    }
    if performers.count > 1 {
      sink.error(
        "wrong-key", at: reader.keyPosition(performers[1].performer),
        "\(label) has only one of `\(performers[0].performer)` and `\(performers[1].performer)`")
      return nil
    }
    for other in Self.kinds where other.performer != kind.performer {
      for key in other.keys where reader.has(key) {
        sink.error(
          "wrong-key", at: reader.keyPosition(key),
          "`\(key)` is for a step with `\(other.performer)`, and \(label) has `\(kind.performer)`")
      }
    }
    if kind.performer == "tool", reader.has("evidence") {
      sink.error("wrong-key", at: reader.keyPosition("evidence"), "`evidence` is for people and agents, and \(label) calls a tool")
    }
    if kind.performer == "tool", reader.has("comment") {
      sink.error("wrong-key", at: reader.keyPosition("comment"), "`comment` is for people and agents, and \(label) calls a tool")
    }
    let due = span(reader, "due")
    let remind = span(reader, "remind")
    if kind.performer != "role", reader.has("remind") {
      sink.error("wrong-key", at: reader.keyPosition("remind"), "`remind` is for people, and \(label) has `\(kind.performer)`")
    }
    if case .elapsed(let duration)? = remind, duration < .seconds(900) {
      sink.error("out-of-range", at: reader["remind"]?.position, "nobody is reminded more often than every 15 minutes")
    }
    if case .working(0, let time)? = remind, time < .seconds(900) {
      sink.error("out-of-range", at: reader["remind"]?.position, "nobody is reminded more often than every 15 minutes")
    }
    let when = applicability(reader, label: label)
    let skip = performer(reader, "skip")
    let comment = reader.word("comment", CommentRule.self)
    let risk = reader.word("risk", Step.Risk.self)
    let evidence = evidence(reader)
    guard let work = work(reader, kind: kind.performer, label: label), isFirst else { return nil }
    let step = Step(
      id: id, title: reader.text("title") ?? Self.title(of: id), help: reader.text("help"), performer: work.performer, form: work.form,
      evidence: evidence, due: due, remind: remind, risk: risk, when: when, skip: skip, isCommentRequired: comment == .required,
      prompt: work.prompt,
      arguments: work.arguments, fallback: work.fallback)
    return Reading(block: .step(step), completes: true, waits: when == nil)
  }

  /// Whether a step is completed with a comment.
  private enum CommentRule: String, CaseIterable { case optional, required }

  /// When the step applies; reported where it never does, or always.
  private func applicability(_ reader: ObjectReader, label: String) -> Condition? {
    guard let value = reader["when"], let when = condition(value, expecting: .bool) else { return nil }
    switch ReachabilityAnalysis(loader: self).outcome(of: when) {
    case .never: sink.error("unreachable-step", at: value.position, "\(label) can never be reached: `\(when.source)` is never true")
    case .always: sink.warning("idle-condition", at: value.position, "\(label) always applies: `\(when.source)` is always true")
    case .either: break
    }
    return when
  }

  private struct Work {
    var performer: Performer
    var form: [FormField] = []
    var prompt: String?
    var arguments: [Step.Argument] = []
    var fallback: Performer?
  }

  private func work(_ reader: ObjectReader, kind: String, label: String) -> Work? {
    guard let name = reader.text(kind), let value = reader[kind] else { return nil }
    switch kind {
    case "role":
      let form = form(reader, "form")
      if let prefix = ["role:", "user:"].first(where: { name.hasPrefix($0) }) {
        sink.error(
          "bad-name", at: value.position, "`role` takes the bare name, not `\(visible(name))`",
          hint: prefix == "role:" ? "write \"\(visible(String(name.dropFirst(5))))\"" : "give the person a role of their own")
        return nil
      }
      checkRole(name, at: value.position)
      return isIdentifier(name) ? Work(performer: .role(name), form: form) : nil
    case "agent":
      let form = form(reader, "writes")
      let prompt = reader.text("prompt", isRequired: true)
      if let prompt, let prompts = context.prompts, !prompts.contains(where: { bytesEqual($0, prompt) }) {
        sink.unknown("prompt", prompt, known: prompts, at: reader["prompt"]?.position)
      }
      let fallback = performer(reader, "fallback")
      guard isPlainName(name), let agent = agents.first(where: { $0.name == name }) else {
        if !isPlainName(name) || declared["agent \(name)"] == nil {
          sink.unknown("agent", name, known: agents.map(\.name), at: value.position)
        }
        return nil
      }
      if !agent.tools.contains("complete_step") {
        sink.error(
          "unperformable-step", at: value.position, "agent `\(name)` cannot complete \(label): its `tools` do not name `complete_step`")
      }
      return prompt.map { Work(performer: .agent(name), form: form, prompt: $0, fallback: fallback ?? agent.owner) }
    default:
      guard isPlainName(name), let tool = tools.first(where: { $0.name == name }) else {
        if !isPlainName(name) || declared["tool \(name)"] == nil {
          sink.unknown("tool", name, known: tools.map(\.name), at: value.position)
        }
        return nil
      }
      return Work(performer: .tool(name), arguments: arguments(reader, tool: tool))
    }
  }

  private func evidence(_ reader: ObjectReader) -> [EvidenceRequirement] {
    var all: [EvidenceRequirement] = []
    for entry in reader.list("evidence") ?? [] {
      guard let item = ObjectReader(entry, "an entry of `evidence`", keys: ["name", "title", "media", "required"], sink),
        let name = item.identifier("name")
      else { continue }
      if all.contains(where: { $0.name == name }) {
        sink.error("duplicate", at: item["name"]?.position, "evidence `\(name)` stands twice")
        continue
      }
      let media = item.texts("media").compactMap { text, value -> String? in
        if text == "*/*" || isMediaType(text.hasSuffix("/*") ? text.dropLast() + "any" : text) { return text }
        sink.error("bad-media", at: value.position, "`\(visible(text))` is not a media type such as `application/pdf` or `image/*`")
        return nil
      }
      all.append(EvidenceRequirement(name: name, title: item.text("title"), media: media, isRequired: item.flag("required") ?? true))
    }
    return all
  }

  /// `collect-documents` becomes `Collect documents`.
  static func title(of id: String) -> String {
    let words = id.map { $0 == "-" || $0 == "_" ? " " : $0 }
    return String(words.prefix(1)).uppercased() + String(words.dropFirst())
  }
}
