internal import Core

/// Writes event logs in XES to a stream, so that reading them gives the same log.
///
/// Moments have three digits of fraction and the zone `+00:00`. The lifecycle is written where the log tells more than completions; as
/// the file had it, for a log that was read from one.
///
/// - SeeAlso: IEEE 1849-2023.
public struct XESWriter {
  private let log: AttributedLog
  /// Whether the lifecycle stands in the log's own column alone, not among the attributes of the events as well.
  private let writesLifecycle: Bool
  private var sink: ByteSink

  /// Writes a whole log.
  ///
  /// - Parameters:
  ///   - log: The log.
  ///   - sink: Takes the file's bytes, some 64 KiB at a time.
  /// - Throws: `Diagnostic` for a text that XML cannot hold (control characters) or a year outside of 0 to 9999; what the sink throws. What was
  ///   written until then is no whole file.
  /// - Complexity: O(events + attributes).
  public static func write(_ log: AttributedLog, to sink: @escaping ([UInt8]) throws -> Void) throws {
    let isAttribute = log.eventColumns.contains { $0.key == "lifecycle:transition" }
    var writer = XESWriter(log: log, writesLifecycle: log.log.hasLifecycle && !isAttribute, sink: ByteSink(sink))
    try writer.write()
  }

  /// The bytes of a log in XES.
  ///
  /// - Throws: As ``write(_:to:)``.
  public static func bytes(_ log: AttributedLog) throws -> [UInt8] {
    var bytes: [UInt8] = []
    try withoutActuallyEscaping({ (chunk: [UInt8]) in bytes += chunk }) { try write(log, to: $0) }
    return bytes
  }

  /// The extensions whose keys the writer uses by itself.
  private static let extensions = [
    LogHeader.Extension(name: "Concept", prefix: "concept", uri: "http://www.xes-standard.org/concept.xesext"),
    LogHeader.Extension(name: "Time", prefix: "time", uri: "http://www.xes-standard.org/time.xesext"),
    LogHeader.Extension(name: "Organizational", prefix: "org", uri: "http://www.xes-standard.org/org.xesext"),
    LogHeader.Extension(name: "Lifecycle", prefix: "lifecycle", uri: "http://www.xes-standard.org/lifecycle.xesext"),
  ]

  private mutating func write() throws {
    let header = log.header
    sink.append("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
    sink.append("<log xes.version=\"1849-2023\" xes.features=\"nested-attributes\" xmlns=\"http://www.xes-standard.org/\">\n")
    let used = Self.extensions.filter { known in
      !header.extensions.contains { $0.prefix == known.prefix } && (known.prefix != "lifecycle" || log.log.hasLifecycle)
    }
    for entry in header.extensions + used {
      try tag("\t<extension", [("name", entry.name), ("prefix", entry.prefix), ("uri", entry.uri)])
    }
    for (scope, attributes) in [("trace", header.caseDefaults), ("event", header.eventDefaults)] where !attributes.isEmpty {
      sink.append("\t<global scope=\"\(scope)\">\n")
      for attribute in attributes { try write(attribute, "\t\t") }
      sink.append("\t</global>\n")
    }
    for classifier in header.classifiers {
      let scope = classifier.scope.map { [("scope", $0)] } ?? []
      try tag("\t<classifier", [("name", classifier.name)] + scope + [("keys", classifier.keys)])
    }
    for attribute in header.attributes { try write(attribute, "\t") }
    try writeCases()
    sink.append("</log>\n")
    try sink.flush()
  }

  private mutating func writeCases() throws {
    let events = log.log
    var caseRows = RowCursor(log.caseColumns)
    var eventRows = RowCursor(log.eventColumns)
    for index in 0..<events.caseCount {
      sink.append("\t<trace>\n")
      let attributes = caseRows.attributes(of: UInt32(index), log)
      if !attributes.contains(where: { $0.key == "concept:name" }) { try string("\t\t", "concept:name", events.caseNames[index]) }
      for attribute in attributes { try write(attribute, "\t\t") }
      for event in events.events(ofCase: index) {
        try writeEvent(event, eventRows.attributes(of: UInt32(event), log))
        try sink.flushIfFull()
      }
      sink.append("\t</trace>\n")
    }
  }

  private mutating func writeEvent(_ event: Int, _ attributes: [LogAttribute]) throws {
    let events = log.log
    func has(_ key: String) -> Bool { attributes.contains { $0.key == key } }
    sink.append("\t\t<event>\n")
    if !has("concept:name") { try string("\t\t\t", "concept:name", events.activityNames[Int(events.activities[event])]) }
    let resource = events.resources[event]
    if resource != EventLog.noResource, !has("org:resource") { try string("\t\t\t", "org:resource", events.resourceNames[Int(resource)]) }
    if !has("time:timestamp") {
      sink.append("\t\t\t<date key=\"time:timestamp\" value=\"")
      sink.append(try text(ofMoment: events.times[event]))
      sink.append("\"/>\n")
    }
    if writesLifecycle { try string("\t\t\t", "lifecycle:transition", events.lifecycle(event).xes) }
    for attribute in attributes { try write(attribute, "\t\t\t") }
    sink.append("\t\t</event>\n")
  }

  private mutating func write(_ attribute: LogAttribute, _ indent: String) throws {
    let name: String
    var value: String?
    var items: [LogAttribute]?
    switch attribute.value {
    case .text(let text): (name, value) = ("string", text)
    case .id(let text): (name, value) = ("id", text)
    case .moment(let moment): (name, value) = ("date", try text(ofMoment: moment))
    case .integer(let integer): (name, value) = ("int", String(integer))
    case .number(let number):
      (name, value) = ("float", number.isNaN ? "NaN" : number.isInfinite ? (number < 0 ? "-INF" : "INF") : "\(number)")
    case .flag(let flag): (name, value) = ("boolean", flag ? "true" : "false")
    case .list(let values): (name, items) = ("list", values)
    case .container: name = "container"
    }
    sink.append("\(indent)<\(name)")
    try field("key", attribute.key)
    if let value { try field("value", value) }
    if attribute.attributes.isEmpty, items == nil { return sink.append("/>\n") }
    sink.append(">\n")
    if let items {
      sink.append("\(indent)\t<values>\n")
      for item in items { try write(item, indent + "\t\t") }
      sink.append("\(indent)\t</values>\n")
    }
    for child in attribute.attributes { try write(child, indent + "\t") }
    sink.append("\(indent)</\(name)>\n")
  }

  private mutating func string(_ indent: StaticString, _ key: StaticString, _ value: String) throws {
    sink.append(indent)
    sink.append("<string key=\"")
    sink.append(key)
    sink.append("\"")
    try field("value", value)
    sink.append("/>\n")
  }

  private mutating func tag(_ start: String, _ fields: [(String, String)]) throws {
    sink.append(start)
    for (name, value) in fields { try field(name, value) }
    sink.append("/>\n")
  }

  private mutating func field(_ name: String, _ value: String) throws {
    sink.append(" \(name)=\"")
    var value = value
    let isWhole = sink.append { bytes in value.withUTF8 { XMLText.append($0, to: &bytes) } }
    guard isWhole else {
      throw Diagnostic(
        "xes-value", at: nil, "XML cannot hold `\(visible(value))`", hint: "control characters have no form in XML: export CSV instead")
    }
    sink.append("\"")
  }

  private func text(ofMoment milliseconds: Int64) throws -> String { try FileTime.text(milliseconds, code: "xes-value") }
}

/// Walks over columns in the order of their owners.
struct RowCursor {
  private let columns: [AttributeColumn]
  private var rows: [Int]

  init(_ columns: [AttributeColumn]) {
    self.columns = columns
    rows = Array(repeating: 0, count: columns.count)
  }

  /// The attributes of an owner; owners are asked for in ascending order.
  mutating func attributes(of owner: UInt32, _ log: AttributedLog) -> [LogAttribute] {
    var result: [LogAttribute] = []
    for index in columns.indices {
      while rows[index] < columns[index].count, columns[index].owners[rows[index]] < owner { rows[index] += 1 }
      if rows[index] < columns[index].count, columns[index].owners[rows[index]] == owner {
        result.append(columns[index].attribute(rows[index], log.texts))
      }
    }
    return result
  }
}
