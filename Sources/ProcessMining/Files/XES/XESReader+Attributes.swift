internal import Core

/// The typed attributes of logs, cases and events.
extension XESReader {
  /// An attribute of the case or of the event at hand, whose start tag was read last.
  @inline(__always)
  mutating func readAttribute(_ word: Word) throws {
    guard word != .event, word != .trace, word != .other else {
      let name = visible(String(decoding: scanner.name, as: UTF8.self))
      throw failure("xes-syntax", "`<\(name)>` cannot stand inside a trace or an event")
    }
    guard scanner.isEmptyElement, word != .list, word != .container else {
      var count = 0
      return try keep(try readTree(&count))
    }
    scanner.skipEnd()
    let (key, value) = try keyAndValue()
    let nameBytes = scanner.attributeValueBytes(key)
    if let nameBytes {
      if XMLText.isSame(nameBytes, "concept:name") {
        return try readName(word, value)
      }
      if isInEvent, XMLText.isSame(nameBytes, "time:timestamp") {
        return try readTime(word, value)
      }
      if isInEvent, XMLText.isSame(nameBytes, "org:resource"), word == .string {
        return try readResource(value)
      }
      if isInEvent, XMLText.isSame(nameBytes, "lifecycle:transition"), word == .string {
        try scanner.withValue(value) { event.lifecycle = Lifecycle(xes: $0) }
      }
      return try readPlain(word, value, nameBytes)
    }
    // A key with references in it: as rare as it is legal.
    let name = try scanner.withValue(key) { Array($0) }
    return try keep(LogAttribute(String(decoding: name, as: UTF8.self), try readScalar(word, value)))
  }

  mutating func readName(_ word: Word, _ value: Int) throws {
    guard word == .string else { throw typeFailure("concept:name", "string") }
    if isInEvent {
      guard event.activity == nil else { throw duplicate("concept:name") }
      event.activity = try scanner.withValue(value) { builder.activityNumber($0) }
    } else {
      guard !trace.isNamed else { throw duplicate("concept:name") }
      trace.isNamed = true
      let number = try scanner.withValue(value) { builder.caseNumber($0) }
      guard number == trace.number else {
        let name = try scanner.withValue(value) { visible(String(decoding: $0, as: UTF8.self)) }
        throw failure("xes-duplicate-case", "another trace has the name `\(name)`", "every case has a name of its own")
      }
    }
    try checkTextBytes()
  }

  mutating func readTime(_ word: Word, _ value: Int) throws {
    guard word == .date else { throw typeFailure("time:timestamp", "date") }
    guard event.time == nil else { throw duplicate("time:timestamp") }
    event.time = try moment(value)
  }

  mutating func readResource(_ value: Int) throws {
    guard event.resource == nil else { throw duplicate("org:resource") }
    event.resource = try scanner.withValue(value) { builder.resourceNumber($0) }
    try checkTextBytes()
  }

  private var owner: UInt32 { mutating get { isInEvent ? UInt32(truncatingIfNeeded: builder.count) : trace.number } }

  mutating func readPlain(_ word: Word, _ value: Int, _ key: UnsafeBufferPointer<UInt8>) throws {
    let owner = owner
    switch word {
    case .string, .id:
      let column = try column(key, word == .id ? .id : .text, owner)
      let number = try scanner.withValue(value) { texts.intern($0) }
      try checkTextBytes()
      append(number, owner, column)
    case .boolean: append(UInt32(try flag(value) ? 1 : 0), owner, try column(key, .flag, owner))
    case .date: append(try moment(value), owner, try column(key, .time, owner))
    case .int: append(try integer(value), owner, try column(key, .integer, owner))
    default: append(Int64(bitPattern: try number(value).bitPattern), owner, try column(key, .number, owner))
    }
  }

  /// Keeps an attribute that is no plain value, or whose value stands apart.
  mutating func keep(_ attribute: LogAttribute) throws {
    let isPlain = attribute.attributes.isEmpty
    if attribute.key == "concept:name" || (isInEvent && (attribute.key == "time:timestamp" || attribute.key == "org:resource")) {
      switch (attribute.key, attribute.value) {
      case ("concept:name", .text(let name)) where isInEvent && event.activity == nil:
        event.activity = number(of: name) { $0.activityNumber($1) }
      case ("concept:name", .text(let name)) where !isInEvent && !trace.isNamed:
        trace.isNamed = true
        guard number(of: name, { $0.caseNumber($1) }) == trace.number else {
          throw failure("xes-duplicate-case", "another trace has the name `\(visible(name))`", "every case has a name of its own")
        }
      case ("time:timestamp", .moment(let time)) where event.time == nil: event.time = time
      case ("org:resource", .text(let name)) where event.resource == nil: event.resource = number(of: name) { $0.resourceNumber($1) }
      case ("org:resource", _) where event.resource == nil: break
      default: throw failure("xes-syntax", "`\(attribute.key)` stands twice here, or has the wrong type")
      }
      if isPlain { return }
    }
    if attribute.key == "lifecycle:transition", isInEvent, case .text(let word) = attribute.value {
      event.lifecycle = Array(word.utf8).withUnsafeBufferPointer { Lifecycle(xes: $0) }
    }
    let owner = owner
    let key = attribute.key
    guard isPlain else { return append(attribute, owner, try column(named: key, .tree, owner)) }
    switch attribute.value {
    case .text(let text): append(textNumber(text), owner, try column(named: key, .text, owner))
    case .id(let text): append(textNumber(text), owner, try column(named: key, .id, owner))
    case .flag(let flag): append(UInt32(flag ? 1 : 0), owner, try column(named: key, .flag, owner))
    case .moment(let time): append(time, owner, try column(named: key, .time, owner))
    case .integer(let value): append(value, owner, try column(named: key, .integer, owner))
    case .number(let value): append(Int64(bitPattern: value.bitPattern), owner, try column(named: key, .number, owner))
    case .list, .container: append(attribute, owner, try column(named: key, .tree, owner))
    }
    try checkTextBytes()
  }

  mutating func column(named key: String, _ kind: AttributeColumn.Kind, _ owner: UInt32) throws -> Int {
    let bytes = Array(key.utf8)
    return try bytes.withUnsafeBufferPointer { (name: UnsafeBufferPointer<UInt8>) throws -> Int in try column(name, kind, owner) }
  }

  mutating func textNumber(_ text: String) -> UInt32 {
    var text = text
    return text.withUTF8 { texts.intern($0) }
  }

  mutating func append(_ value: LogAttribute, _ owner: UInt32, _ column: Int) {
    if isInEvent { eventColumns.append(value, to: owner, in: column) } else { caseColumns.append(value, to: owner, in: column) }
  }

  mutating func number(
    of name: String, _ intern: (inout EventLogBuilder, UnsafeBufferPointer<UInt8>) -> UInt32
  ) -> UInt32 {
    var name = name
    return name.withUTF8 { intern(&builder, $0) }
  }

  @inline(__always)
  mutating func append(_ value: UInt32, _ owner: UInt32, _ column: Int) {
    if isInEvent { eventColumns.append(value, to: owner, in: column) } else { caseColumns.append(value, to: owner, in: column) }
  }

  @inline(__always)
  mutating func append(_ value: Int64, _ owner: UInt32, _ column: Int) {
    if isInEvent { eventColumns.append(value, to: owner, in: column) } else { caseColumns.append(value, to: owner, in: column) }
  }

  @inline(__always)
  mutating func column(_ key: UnsafeBufferPointer<UInt8>, _ kind: AttributeColumn.Kind, _ owner: UInt32) throws -> Int {
    let column = isInEvent ? eventColumns.column(key, kind) : caseColumns.column(key, kind)
    if isInEvent ? eventColumns.has(column, owner) : caseColumns.has(column, owner) {
      throw duplicate(String(decoding: key, as: UTF8.self))
    }
    guard column < limits.columns else { throw failure("xes-limit", "more than \(limits.columns) different attributes") }
    return column
  }

  /// An attribute with everything inside it, up to its end tag.
  mutating func readTree(_ count: inout Int) throws -> LogAttribute {
    let word = word()
    guard word != .event, word != .trace, word != .other else {
      let name = visible(String(decoding: scanner.name, as: UTF8.self))
      throw failure("xes-syntax", "`<\(name)>` is no attribute")
    }
    count += 1
    guard count <= limits.nested else { throw failure("xes-limit", "more than \(limits.nested) attributes in one place") }
    var attribute: LogAttribute
    if word == .list || word == .container {
      attribute = LogAttribute(try field("key"), word == .list ? .list([]) : .container)
    } else {
      let (key, value) = try keyAndValue()
      let name = try scanner.withValue(key) { String(decoding: $0, as: UTF8.self) }
      attribute = LogAttribute(name, try readScalar(word, value))
    }
    var values: [LogAttribute] = []
    while true {
      switch try scanner.next() {
      case .start where word == .list && scanner.name.elementsEqual("values".utf8):
        while let value = try readChild(&count) { values.append(value) }
      case .start: attribute.attributes.append(try readTree(&count))
      case .end:
        if word == .list { attribute.value = .list(values) }
        return attribute
      default: throw textFailure()
      }
    }
  }

  mutating func readChild(_ count: inout Int) throws -> LogAttribute? {
    switch try scanner.next() {
    case .start: return try readTree(&count)
    case .end: return nil
    default: throw textFailure()
    }
  }

  mutating func readScalar(_ word: Word, _ value: Int) throws -> LogAttribute.Value {
    switch word {
    case .string: .text(try scanner.withValue(value) { String(decoding: $0, as: UTF8.self) })
    case .id: .id(try scanner.withValue(value) { String(decoding: $0, as: UTF8.self) })
    case .date: .moment(try moment(value))
    case .int: .integer(try integer(value))
    case .boolean: .flag(try flag(value))
    default: .number(try number(value))
    }
  }
}
