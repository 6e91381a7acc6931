internal import Core

extension ProcessLoader {
  func loadTriggers(_ reader: ObjectReader) -> [Trigger] {
    var triggers: [Trigger] = []
    for item in reader.list("triggers") ?? [] {
      guard let trigger = loadTrigger(item) else { continue }
      if triggers.contains(where: { $0.name == trigger.name }) {
        sink.error("duplicate-trigger", at: item.position, "trigger `\(trigger.name)` stands twice")
        continue
      }
      declared["trigger \(trigger.name)"] = item.position
      triggers.append(trigger)
    }
    return triggers
  }

  private func loadTrigger(_ item: PositionedJSON) -> Trigger? {
    let keys = ["form", "role", "title", "fields", "schedule", "zone", "event"]
    guard let reader = ObjectReader(item, "a trigger", keys: keys, sink) else { return nil }
    let kinds = ["form", "schedule", "event"].filter { reader.has($0) }
    guard kinds.count == 1, let kind = kinds.first else {
      sink.error("missing-key", at: item.position, "a trigger has one of `form`, `schedule` or `event`")
      return nil
    }
    let allowed = ["form": ["role", "title", "fields"], "schedule": ["zone", "title"], "event": ["role", "title", "fields"]][kind] ?? []
    for key in ["role", "title", "fields", "zone"] where reader.has(key) && !allowed.contains(key) {
      sink.error("wrong-key", at: reader.keyPosition(key), "`\(key)` does not go with `\(kind)`")
    }
    let title = reader.text("title")
    let fields = form(reader, "fields")
    switch kind {
    case "form":
      guard let name = reader.identifier("form"), let role = reader.text("role", isRequired: true), let value = reader["role"] else {
        return nil
      }
      checkRole(role, at: value.position)
      return Trigger(source: .form(role: role), name: name, title: title, fields: fields)
    case "schedule":
      guard let cron = reader.text("schedule"), let value = reader["schedule"] else { return nil }
      do throws(Schedule.Problem) {
        _ = try Schedule(cron)
      } catch {
        sink.error(
          "bad-schedule", at: value.position, "`\(visible(cron))` is not a schedule: \(error.text)",
          hint: "minute, hour, day, month and weekday, as in \"0 9 1 * *\"")
        return nil
      }
      let zone = reader.text("zone") ?? "UTC"
      guard isZoneName(zone) else {
        sink.error(
          "bad-zone", at: reader["zone"]?.position, "`\(visible(zone))` is not the name of a time zone",
          hint: "such as \"Europe/Berlin\" or \"UTC\"")
        return nil
      }
      return Trigger(source: .schedule(cron: cron, zone: zone), name: "schedule \(cron) \(zone)", title: title, fields: fields)
    default:
      guard let name = reader.text("event"), let value = reader["event"] else { return nil }
      guard name.utf8.count <= 128, name.utf8.allSatisfy(isEventByte) else {
        sink.error(
          "bad-name", at: value.position, "`\(visible(name))` is not the name of an event", hint: "letters, digits, `_`, `.` and `-`")
        return nil
      }
      let role = reader.text("role")
      if let role, let value = reader["role"] { checkRole(role, at: value.position) }
      return Trigger(source: .event(role: role), name: name, title: title, fields: fields)
    }
  }
}

private func isEventByte(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
  case UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"): true
  default: false
  }
}

func isZoneName(_ text: String) -> Bool {
  let parts = text.split(separator: "/", omittingEmptySubsequences: false)
  return (1...3).contains(parts.count) && text.utf8.count <= 64
    && parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { isEventByte($0) || $0 == UInt8(ascii: "+") } && !$0.contains(".") }
}
