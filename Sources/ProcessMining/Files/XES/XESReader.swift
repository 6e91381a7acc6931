internal import Core

/// Reads event logs in XES from a stream, in memory bounded by the columns that result.
///
/// Every trace and every event has a `concept:name`, every event a `time:timestamp` with a zone: a file that leaves one out is refused with the
/// position, never completed. All other attributes are kept. Moments are kept to the millisecond, in UTC.
///
/// - SeeAlso: IEEE 1849-2023.
public struct XESReader: ~Copyable {
  private var scanner: XMLScanner
  private let limits: FileLimits
  private var builder = EventLogBuilder()
  private var header = LogHeader()
  private var caseColumns = ColumnStore()
  private var eventColumns = ColumnStore()
  private var texts = NameTable()
  private var outOfOrder = 0
  private var isInEvent = false
  private var trace = Trace()
  private var event = Event()

  private struct Trace {
    var number: UInt32 = 0
    var isNamed = false
    var lastTime = Int64.min
  }

  private struct Event {
    var activity: UInt32?
    var time: Int64?
    var resource: UInt32?
    var lifecycle: Lifecycle?
  }

  /// The markup words of XES.
  private enum Word {
    case string, date, int, float, boolean, id, list, container, event, trace, other
  }

  /// Reads a whole log.
  ///
  /// - Parameters:
  ///   - source: The file's bytes.
  ///   - file: Its name, for errors.
  ///   - limits: How much it may hold.
  /// - Returns: The log with everything that the file tells.
  /// - Throws: `Diagnostic` with line and column for the first thing that is wrong; what the source throws.
  /// - Complexity: O(bytes + C log C) for C cases.
  public static func read(_ source: ByteSource, file: String? = nil, limits: FileLimits = FileLimits()) throws -> AttributedLog {
    var reader = XESReader(try XMLScanner(source, file: file, limits: limits.xml), limits)
    return try reader.readLog()
  }

  private init(_ scanner: consuming XMLScanner, _ limits: FileLimits) {
    self.scanner = scanner
    self.limits = limits
  }

  private mutating func readLog() throws -> AttributedLog {
    guard try scanner.next() == .start, scanner.name.elementsEqual("log".utf8) else {
      let name = visible(String(decoding: scanner.name, as: UTF8.self))
      throw failure("xes-syntax", "this is no XES log: its outermost element is `<\(name)>`, not `<log>`")
    }
    while true {
      switch try scanner.next() {
      case .start: try readLogPart()
      case .end:
        _ = try scanner.next()
        return finish()
      case .text: throw textFailure()
      case .finished: return finish()
      }
    }
  }

  private mutating func finish() -> AttributedLog {
    let (log, events, cases) = builder.finishInOrder()
    builder = EventLogBuilder()
    var numbers = [UInt32](repeating: 0, count: events.count)
    for (new, old) in events.enumerated() { numbers[Int(old)] = UInt32(new) }
    let eventColumns = eventColumns.renumbered(numbers)
    self.eventColumns = ColumnStore()
    numbers = [UInt32](repeating: 0, count: cases.count)
    for (new, old) in cases.enumerated() { numbers[old] = UInt32(new) }
    return AttributedLog(
      log: log, header: header, caseColumns: caseColumns.renumbered(numbers), eventColumns: eventColumns, outOfOrder: outOfOrder,
      texts: texts)
  }

  // MARK: The log's parts

  private mutating func readLogPart() throws {
    switch word() {
    case .trace: try readTrace()
    case .event: throw failure("xes-syntax", "an event outside of a trace", "put it into the `<trace>` of its case")
    case .other:
      let name = String(decoding: scanner.name, as: UTF8.self)
      switch name {
      case "extension":
        header.extensions.append(
          LogHeader.Extension(name: try field("name"), prefix: try field("prefix"), uri: try field("uri")))
        try readEnd()
      case "classifier":
        header.classifiers.append(
          LogHeader.Classifier(name: try field("name"), scope: try fieldIfAny("scope"), keys: try field("keys")))
        try readEnd()
      case "global":
        let scope = try fieldIfAny("scope") ?? "event"
        guard scope == "trace" || scope == "event" else {
          throw failure("xes-syntax", "`scope` is `\(visible(scope))`, not `trace` or `event`")
        }
        var count = 0
        while let attribute = try readChild(&count) {
          if scope == "trace" { header.caseDefaults.append(attribute) } else { header.eventDefaults.append(attribute) }
        }
      default: throw failure("xes-syntax", "`<\(visible(name))>` is no part of a log")
      }
    default:
      var count = header.attributes.count
      header.attributes.append(try readTree(&count))
    }
    let total = header.extensions.count + header.classifiers.count + header.caseDefaults.count + header.eventDefaults.count
    guard total + header.attributes.count <= limits.nested else {
      throw failure("xes-limit", "more than \(limits.nested) attributes in the log's head")
    }
  }

  private mutating func readTrace() throws {
    try refuseFields()
    scanner.markStart(0)
    trace = Trace(number: trace.number)
    while true {
      switch try scanner.next() {
      case .start:
        let word = word()
        if word == .event { try readEvent() } else { try readAttribute(word) }
      case .end:
        guard trace.isNamed else {
          throw Diagnostic(
            "xes-missing-name", at: scanner.window.markedPosition(0), "this trace has no `concept:name`",
            hint: "every case needs a name of its own: `<string key=\"concept:name\" value=\"…\"/>`")
        }
        trace.number += 1
        return
      default: throw textFailure()
      }
    }
  }

  private mutating func readEvent() throws {
    try refuseFields()
    scanner.markStart(1)
    guard builder.count < limits.events else { throw failure("xes-limit", "more than \(limits.events) events") }
    event = Event()
    isInEvent = true
    loop: while true {
      switch try scanner.next() {
      case .start: try readAttribute(word())
      case .end: break loop
      default: throw textFailure()
      }
    }
    isInEvent = false
    guard let activity = event.activity else { throw missing("concept:name", "what was done") }
    guard let time = event.time else { throw missing("time:timestamp", "when it was done") }
    do throws(EventLogError) {
      try builder.add(
        caseNumber: trace.number, activity: activity, at: time, resource: event.resource ?? EventLog.noResource,
        lifecycle: event.lifecycle ?? .completed)
    } catch {
      throw Diagnostic("xes-limit", at: scanner.window.markedPosition(1), error.description)
    }
    if time < trace.lastTime { outOfOrder += 1 } else { trace.lastTime = time }
  }

  private func missing(_ key: String, _ meaning: String) -> Diagnostic {
    Diagnostic(
      "xes-missing-attribute", at: scanner.window.markedPosition(1), "this event has no `\(key)`", hint: "every event says \(meaning)")
  }

  // MARK: Attributes

  /// An attribute of the case or of the event at hand, whose start tag was read last.
  @inline(__always)
  private mutating func readAttribute(_ word: Word) throws {
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
      if nameBytes.count == 12, nameBytes[0] == UInt8(ascii: "c"), nameBytes.elementsEqual("concept:name".utf8) {
        return try readName(word, value)
      }
      if isInEvent, nameBytes.count == 14, nameBytes[0] == UInt8(ascii: "t"), nameBytes.elementsEqual("time:timestamp".utf8) {
        return try readTime(word, value)
      }
      if isInEvent, nameBytes.count == 12, nameBytes[0] == UInt8(ascii: "o"), nameBytes.elementsEqual("org:resource".utf8), word == .string {
        return try readResource(value)
      }
      if isInEvent, nameBytes.count == 20, nameBytes.elementsEqual("lifecycle:transition".utf8), word == .string {
        try scanner.withValue(value) { event.lifecycle = Lifecycle(xes: $0) }
      }
      return try readPlain(word, value, nameBytes)
    }
    // A key with references in it: as rare as it is legal.
    let name = try scanner.withValue(key) { Array($0) }
    return try keep(LogAttribute(String(decoding: name, as: UTF8.self), try readScalar(word, value)))
  }

  private mutating func readName(_ word: Word, _ value: Int) throws {
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

  private mutating func readTime(_ word: Word, _ value: Int) throws {
    guard word == .date else { throw typeFailure("time:timestamp", "date") }
    guard event.time == nil else { throw duplicate("time:timestamp") }
    event.time = try time(value)
  }

  private mutating func readResource(_ value: Int) throws {
    guard event.resource == nil else { throw duplicate("org:resource") }
    event.resource = try scanner.withValue(value) { builder.resourceNumber($0) }
    try checkTextBytes()
  }

  private var owner: UInt32 { isInEvent ? UInt32(truncatingIfNeeded: builder.count) : trace.number }

  private mutating func readPlain(_ word: Word, _ value: Int, _ key: UnsafeBufferPointer<UInt8>) throws {
    let owner = owner
    switch word {
    case .string, .id:
      let column = try column(key, word == .id ? .id : .text, owner)
      let number = try scanner.withValue(value) { texts.intern($0) }
      try checkTextBytes()
      append(number, owner, column)
    case .boolean: append(UInt32(try flag(value) ? 1 : 0), owner, try column(key, .flag, owner))
    case .date: append(try time(value), owner, try column(key, .time, owner))
    case .int: append(try integer(value), owner, try column(key, .integer, owner))
    default: append(Int64(bitPattern: try number(value).bitPattern), owner, try column(key, .number, owner))
    }
  }

  /// Keeps an attribute that is no plain value, or whose value stands apart.
  private mutating func keep(_ attribute: LogAttribute) throws {
    let isPlain = attribute.attributes.isEmpty
    if attribute.key == "concept:name" || (isInEvent && (attribute.key == "time:timestamp" || attribute.key == "org:resource")) {
      switch (attribute.key, attribute.value) {
      case ("concept:name", .text(let name)) where isInEvent && event.activity == nil: event.activity = number(of: name) { $0.activityNumber($1) }
      case ("concept:name", .text(let name)) where !isInEvent && !trace.isNamed:
        trace.isNamed = true
        guard number(of: name, { $0.caseNumber($1) }) == trace.number else {
          throw failure("xes-duplicate-case", "another trace has the name `\(visible(name))`", "every case has a name of its own")
        }
      case ("time:timestamp", .time(let time)) where event.time == nil: event.time = time
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
    case .time(let time): append(time, owner, try column(named: key, .time, owner))
    case .integer(let value): append(value, owner, try column(named: key, .integer, owner))
    case .number(let value): append(Int64(bitPattern: value.bitPattern), owner, try column(named: key, .number, owner))
    case .list, .container: append(attribute, owner, try column(named: key, .tree, owner))
    }
    try checkTextBytes()
  }

  private mutating func column(named key: String, _ kind: AttributeColumn.Kind, _ owner: UInt32) throws -> Int {
    let bytes = Array(key.utf8)
    return try bytes.withUnsafeBufferPointer { (name: UnsafeBufferPointer<UInt8>) throws -> Int in try column(name, kind, owner) }
  }

  private mutating func textNumber(_ text: String) -> UInt32 {
    var text = text
    return text.withUTF8 { texts.intern($0) }
  }

  private mutating func append(_ value: LogAttribute, _ owner: UInt32, _ column: Int) {
    if isInEvent { eventColumns.append(value, to: owner, in: column) } else { caseColumns.append(value, to: owner, in: column) }
  }

  private mutating func number(
    of name: String, _ intern: (inout EventLogBuilder, UnsafeBufferPointer<UInt8>) -> UInt32
  ) -> UInt32 {
    var name = name
    return name.withUTF8 { intern(&builder, $0) }
  }

  @inline(__always)
  private mutating func append(_ value: UInt32, _ owner: UInt32, _ column: Int) {
    if isInEvent { eventColumns.append(value, to: owner, in: column) } else { caseColumns.append(value, to: owner, in: column) }
  }

  @inline(__always)
  private mutating func append(_ value: Int64, _ owner: UInt32, _ column: Int) {
    if isInEvent { eventColumns.append(value, to: owner, in: column) } else { caseColumns.append(value, to: owner, in: column) }
  }

  @inline(__always)
  private mutating func column(_ key: UnsafeBufferPointer<UInt8>, _ kind: AttributeColumn.Kind, _ owner: UInt32) throws -> Int {
    let column = isInEvent ? eventColumns.column(key, kind) : caseColumns.column(key, kind)
    if isInEvent ? eventColumns.has(column, owner) : caseColumns.has(column, owner) {
      throw duplicate(String(decoding: key, as: UTF8.self))
    }
    guard column < limits.columns else { throw failure("xes-limit", "more than \(limits.columns) different attributes") }
    return column
  }

  /// An attribute with everything inside it, up to its end tag.
  private mutating func readTree(_ count: inout Int) throws -> LogAttribute {
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

  private mutating func readChild(_ count: inout Int) throws -> LogAttribute? {
    switch try scanner.next() {
    case .start: return try readTree(&count)
    case .end: return nil
    default: throw textFailure()
    }
  }

  private mutating func readScalar(_ word: Word, _ value: Int) throws -> LogAttribute.Value {
    switch word {
    case .string: .text(try scanner.withValue(value) { String(decoding: $0, as: UTF8.self) })
    case .id: .id(try scanner.withValue(value) { String(decoding: $0, as: UTF8.self) })
    case .date: .time(try time(value))
    case .int: .integer(try integer(value))
    case .boolean: .flag(try flag(value))
    default: .number(try number(value))
    }
  }

  // MARK: Values

  @inline(__always)
  private mutating func time(_ value: Int) throws -> Int64 {
    switch try scanner.withValue(value, { FileTime.read($0) }) {
    case .moment(let time): return time
    case .withoutZone:
      throw failure(at: value, "xes-time", "a time without a zone", "end it with `Z` or an offset such as `+02:00`")
    case .invalid:
      throw failure(at: value, "xes-time", "this is no time", "write `2026-01-31T10:00:00.000+00:00`, a day and a time that exist")
    }
  }

  @inline(__always)
  private mutating func integer(_ value: Int) throws -> Int64 {
    let integer = try scanner.withValue(value) { bytes -> Int64? in
      guard bytes.count < 19 else { return Int64(String(decoding: bytes, as: UTF8.self)) }
      var result: Int64 = 0
      let start = bytes.first == UInt8(ascii: "-") || bytes.first == UInt8(ascii: "+") ? 1 : 0
      guard bytes.count > start else { return nil }
      for index in start..<bytes.count {
        let digit = bytes[index] &- 48
        guard digit < 10 else { return nil }
        result = result &* 10 &+ Int64(digit)
      }
      return bytes[0] == UInt8(ascii: "-") ? -result : result
    }
    guard let integer else { throw failure(at: value, "xes-value", "this is no integer of at most 64 bits") }
    return integer
  }

  private mutating func number(_ value: Int) throws -> Double {
    let number = try scanner.withValue(value) { bytes -> Double? in
      switch String(decoding: bytes, as: UTF8.self) {
      case "INF", "+INF": .infinity
      case "-INF": -.infinity
      case "NaN": .nan
      case let text where bytes.allSatisfy({ $0 &- 48 < 10 || "+-.eE".utf8.contains($0) }): Double(text)
      default: nil
      }
    }
    guard let number else { throw failure(at: value, "xes-value", "this is no number") }
    return number
  }

  private mutating func flag(_ value: Int) throws -> Bool {
    let flag = try scanner.withValue(value) { bytes -> Bool? in
      switch String(decoding: bytes, as: UTF8.self) {
      case "true", "1": true
      case "false", "0": false
      default: nil
      }
    }
    guard let flag else { throw failure(at: value, "xes-value", "this is neither `true` nor `false`") }
    return flag
  }

  private func checkTextBytes() throws {
    guard texts.byteCount + builder.nameBytes <= limits.textBytes else {
      throw failure("xes-limit", "more than \(limits.textBytes) bytes of different texts")
    }
  }

  // MARK: Markup

  /// What the last start tag is.
  @inline(__always)
  private func word() -> Word {
    let name = scanner.name
    func isIt(_ text: StaticString) -> Bool {
      guard name.count == text.utf8CodeUnitCount else { return false }
      for index in 0..<name.count where name[index] != text.utf8Start[index] { return false }
      return true
    }
    switch name[0] {
    case UInt8(ascii: "s"): return isIt("string") ? .string : .other
    case UInt8(ascii: "d"): return isIt("date") ? .date : .other
    case UInt8(ascii: "i"): return isIt("int") ? .int : isIt("id") ? .id : .other
    case UInt8(ascii: "f"): return isIt("float") ? .float : .other
    case UInt8(ascii: "b"): return isIt("boolean") ? .boolean : .other
    case UInt8(ascii: "l"): return isIt("list") ? .list : .other
    case UInt8(ascii: "c"): return isIt("container") ? .container : .other
    case UInt8(ascii: "e"): return isIt("event") ? .event : .other
    case UInt8(ascii: "t"): return isIt("trace") ? .trace : .other
    default: return .other
    }
  }

  /// Which attributes of the start tag are `key` and `value`.
  @inline(__always)
  private func keyAndValue() throws -> (key: Int, value: Int) {
    var (key, value) = (-1, -1)
    for index in 0..<scanner.attributeCount {
      let name = scanner.attributeName(index)
      if name.count == 3, name[0] == UInt8(ascii: "k"), name[1] == UInt8(ascii: "e"), name[2] == UInt8(ascii: "y") {
        key = index
      } else if name.count == 5, name.elementsEqual("value".utf8) {
        value = index
      } else {
        throw failure("xes-syntax", "an attribute has a `key` and a `value`, not `\(visible(String(decoding: name, as: UTF8.self)))`")
      }
    }
    guard key >= 0 else { throw failure("xes-syntax", "an attribute without a `key`") }
    guard value >= 0 else { throw failure("xes-syntax", "an attribute without a `value`") }
    return (key, value)
  }

  private mutating func fieldIfAny(_ name: String) throws -> String? {
    for index in 0..<scanner.attributeCount where scanner.attributeName(index).elementsEqual(name.utf8) {
      return try scanner.withValue(index) { String(decoding: $0, as: UTF8.self) }
    }
    return nil
  }

  private mutating func field(_ name: String) throws -> String {
    guard let value = try fieldIfAny(name) else { throw failure("xes-syntax", "`\(name)` is missing") }
    return value
  }

  private func refuseFields() throws {
    if scanner.attributeCount > 0 {
      let name = visible(String(decoding: scanner.attributeName(0), as: UTF8.self))
      throw failure("xes-syntax", "a trace or an event has no `\(name)` in its tag", "write it as an attribute element inside")
    }
  }

  private mutating func readEnd() throws {
    guard try scanner.next() == .end else { throw failure("xes-syntax", "nothing can stand in here") }
  }

  private func failure(_ code: String, _ message: String, _ hint: String? = nil) -> Diagnostic {
    Diagnostic(code, at: scanner.tagPosition, message, hint: hint)
  }

  private func failure(at value: Int, _ code: String, _ message: String, _ hint: String) -> Diagnostic {
    scanner.window.failure(code, scanner.valuePlace(value), message, hint)
  }

  private func failure(at value: Int, _ code: String, _ message: String) -> Diagnostic {
    scanner.window.failure(code, scanner.valuePlace(value), message)
  }

  private func textFailure() -> Diagnostic {
    Diagnostic("xes-syntax", at: scanner.textPosition, "text between two elements", hint: "XES keeps everything in attributes")
  }

  private func typeFailure(_ key: String, _ type: String) -> Diagnostic { failure("xes-type", "`\(key)` is not a `<\(type)>`") }

  private func duplicate(_ key: String) -> Diagnostic {
    failure("xes-duplicate-attribute", "`\(visible(key))` stands twice here", "keep one of them, or make it a list")
  }
}
