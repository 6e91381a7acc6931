internal import Core

/// Reads event logs in XES from a stream, in memory bounded by the columns that result.
///
/// Every trace and every event has a `concept:name`, every event a `time:timestamp` with a zone: a file that leaves one out is refused with the
/// position, never completed. All other attributes are kept. Moments are kept to the millisecond, in UTC.
///
/// - SeeAlso: IEEE 1849-2023.
public struct XESReader: ~Copyable {
  var scanner: XMLScanner
  let limits: FileLimits
  var builder = EventLogBuilder()
  var header = LogHeader()
  var caseColumns = ColumnStore()
  var eventColumns = ColumnStore()
  var texts = NameTable()
  var outOfOrder = 0
  var isInEvent = false
  var trace = Trace()
  var event = Event()

  struct Trace {
    var number: UInt32 = 0
    var isNamed = false
    var lastTime = Int64.min
  }

  struct Event {
    var activity: UInt32?
    var time: Int64?
    var resource: UInt32?
    var lifecycle: Lifecycle?
  }

  /// The markup words of XES.
  enum Word {
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

  mutating func readLog() throws -> AttributedLog {
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

  mutating func finish() -> AttributedLog {
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

  mutating func readLogPart() throws {
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

  mutating func readTrace() throws {
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

  mutating func readEvent() throws {
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

  mutating func missing(_ key: String, _ meaning: String) -> Diagnostic {
    Diagnostic(
      "xes-missing-attribute", at: scanner.window.markedPosition(1), "this event has no `\(key)`", hint: "every event says \(meaning)")
  }
}
