@_spi(JSONParser) internal import Core

struct MemberError: Error {
  let message: String
}

/// Writes the members of one event; callers add keys in sorted order, so that the object is canonical as it stands.
struct MemberWriter {
  private var members: [(key: String, value: JSON)]

  init(_ name: String) {
    members = []
    members.reserveCapacity(8)
    members.append(("$", .string(name)))
  }

  var object: JSONObject { JSONObject(unchecked: members, isSorted: true) }

  mutating func add(_ key: String, _ text: String?) { if let text { members.append((key, .string(text))) } }
  mutating func add(_ key: String, _ number: Int) { members.append((key, .int(number))) }
  mutating func add(_ key: String, _ instant: Instant?) { if let instant { members.append((key, .int(instant.milliseconds))) } }
  mutating func add(_ key: String, _ flag: Bool) { if flag { members.append((key, .bool(true))) } }
  mutating func add(_ key: String, _ occurrence: Occurrence?) { add(key, occurrence?.description) }
  mutating func add(_ key: String, _ texts: [String]) { members.append((key, .array(texts.map { .string($0) }))) }
  mutating func add(names values: [NamedValue]) { members.append(("names", .array(values.map { .string($0.name) }))) }
}

/// Reads the members of one event in sorted order: one comparison for each member, and one for each that may be absent.
struct MemberReader {
  private let event: JSONView
  private var rest: JSONView.Members

  /// A reader of an event; `nil` where it is no object.
  init?(_ event: JSONView) {
    guard let members = event.members else { return nil }
    self.event = event
    rest = members
  }

  /// A reader over the members in sorted order; `nil` where they are sorted already.
  func sorted() -> MemberReader? {
    guard let members = JSON(event).objectValue, zip(members.keys, members.keys.dropFirst()).contains(where: { bytesLess($1, $0) }) else {
      return nil
    }
    return MemberReader(JSONView(.object(JSONObject(members.sorted { bytesLess($0.key, $1.key) }.map { ($0.key, $0.value) }))))
  }

  private mutating func next(_ key: String) -> JSONView? { rest.next(key) }

  private func wrong(_ key: String, _ type: String) -> MemberError {
    MemberError(message: event[key] == nil ? "`\(key)` is missing" : "`\(key)` is not \(type)")
  }

  mutating func string(_ key: String) throws(MemberError) -> String {
    guard let text = next(key)?.stringValue else { throw wrong(key, "a text") }
    return text
  }

  mutating func optionalString(_ key: String) throws(MemberError) -> String? {
    guard let value = next(key) else { return nil }
    guard let text = value.stringValue else { throw wrong(key, "a text") }
    return text
  }

  mutating func texts(_ key: String) throws(MemberError) -> [String] {
    guard let elements = next(key)?.elements else { throw wrong(key, "a list") }
    var texts: [String] = []
    texts.reserveCapacity(elements.count)
    for element in elements {
      guard let text = element.stringValue else { throw wrong(key, "a list of texts") }
      texts.append(text)
    }
    return texts
  }

  mutating func optionalInt64(_ key: String) throws(MemberError) -> Int64? {
    guard let value = next(key) else { return nil }
    guard let number = value.intValue else { throw wrong(key, "a whole number") }
    return number
  }

  mutating func int64(_ key: String) throws(MemberError) -> Int64 {
    guard let number = try optionalInt64(key) else { throw wrong(key, "a whole number") }
    return number
  }

  mutating func int(_ key: String) throws(MemberError) -> Int { Int(try int64(key)) }
  mutating func optionalInt(_ key: String) throws(MemberError) -> Int? { try optionalInt64(key).map { Int($0) } }

  mutating func flag(_ key: String) throws(MemberError) -> Bool {
    guard let value = next(key) else { return false }
    guard value.boolValue == true else { throw wrong(key, "true") }
    return true
  }

  mutating func occurrence(_ key: String = "at") throws(MemberError) -> Occurrence {
    guard let occurrence = Occurrence(parsing: try string(key)) else { throw wrong(key, "an occurrence") }
    return occurrence
  }

  mutating func optionalOccurrence() throws(MemberError) -> Occurrence? {
    guard let text = try optionalString("at") else { return nil }
    guard let occurrence = Occurrence(parsing: text) else { throw wrong("at", "an occurrence") }
    return occurrence
  }

  mutating func performer() throws(MemberError) -> Performer {
    guard let performer = Performer(parsing: try string("for")) else { throw wrong("for", "a performer") }
    return performer
  }

  mutating func name<T>(_ key: String, _ read: (String) -> T?) throws(MemberError) -> T {
    guard let value = read(try string(key)) else { throw wrong(key, "a known word") }
    return value
  }

  /// The names of an event with the values that are left of them.
  mutating func values(_ known: JSONView?) throws(MemberError) -> [NamedValue] {
    guard let names = next("names")?.elements else { throw wrong("names", "a list") }
    let count = known?.members?.count ?? 0
    if let known, known.members == nil { throw MemberError(message: "values are not an object") }
    var result: [NamedValue] = []
    result.reserveCapacity(names.count)
    var found = 0
    for name in names {
      guard let name = name.stringValue else { throw wrong("names", "a list of texts") }
      let value = known?[name]
      if value != nil { found += 1 }
      result.append(NamedValue(name, value.map { JSON($0) }))
    }
    guard found == count else { throw MemberError(message: "a value has no name in `names`") }
    return result
  }

  func finish() throws(MemberError) {
    guard let key = rest.nextKey else { return }
    throw MemberError(message: "unknown member `\(visible(key))`; a newer build may have written it")
  }
}
