internal import Core

/// Writes event logs as tables, an event a row, with the column names that pm4py uses.
///
/// Moments are in UTC with three digits of fraction. What only XES can hold (the head, attributes of attributes, lists, cases without events)
/// is not in the table. Cells are written as they are: a spreadsheet program may take one that begins with `=` for a formula.
public struct CSVLogWriter {
  private let log: AttributedLog
  private var sink: ByteSink

  /// Writes a whole log.
  ///
  /// - Parameters:
  ///   - log: The log.
  ///   - sink: Takes the file's bytes, some 64 KiB at a time.
  /// - Throws: `Diagnostic` for a text with a NUL character, or for two attributes that would be one column; what the sink throws.
  /// - Complexity: O(events · columns).
  public static func write(_ log: AttributedLog, to sink: @escaping ([UInt8]) throws -> Void) throws {
    var writer = CSVLogWriter(log: log, sink: ByteSink(sink))
    try writer.write()
  }

  private mutating func write() throws {
    let usual = CSVMapping.usual
    let events = log.log
    let ofCase = log.caseColumns.filter { $0.kind != .tree }
    let ofEvent = log.eventColumns.filter { $0.kind != .tree }
    let hasResources = !events.resourceNames.isEmpty
    let hasLifecycle = events.hasLifecycle && !ofEvent.contains { $0.key == usual.lifecycle }
    var names = [usual.caseName, usual.activity, usual.time]
    if hasResources, let name = usual.resource { names.append(name) }
    if hasLifecycle, let name = usual.lifecycle { names.append(name) }
    names += ofCase.map { "case:" + $0.key } + ofEvent.map(\.key)
    for (index, name) in names.enumerated() where names[..<index].contains(where: { Names.same($0, name) }) {
      throw Diagnostic("csv-value", at: nil, "two attributes are called `\(visible(name))`", hint: "export XES, which tells them apart")
    }
    try row(names)
    var (caseRows, eventRows) = (RowCursor(ofCase), RowCursor(ofEvent))
    for index in 0..<events.caseCount {
      let caseCells = try cells(ofCase, caseRows.attributes(of: UInt32(index), log))
      for event in events.events(ofCase: index) {
        var row = [events.caseNames[index], events.activityNames[Int(events.activities[event])], try text(events.times[event])]
        let resource = events.resources[event]
        if hasResources { row.append(resource == EventLog.noResource ? "" : events.resourceNames[Int(resource)]) }
        if hasLifecycle { row.append(events.lifecycle(event).xes) }
        try self.row(row + caseCells + cells(ofEvent, eventRows.attributes(of: UInt32(event), log)))
        try sink.flushIfFull()
      }
    }
    try sink.flush()
  }

  /// A cell for each column, empty where there is no value.
  private func cells(_ columns: [AttributeColumn], _ attributes: [LogAttribute]) throws -> [String] {
    var rest = attributes[...]
    return try columns.map { column in
      // The attributes are in the order of the columns.
      guard let next = rest.first, Names.same(next.key, column.key) else { return "" }
      rest.removeFirst()
      switch next.value {
      case .text(let text), .id(let text): return text
      case .moment(let moment): return try text(moment)
      case .integer(let integer): return String(integer)
      case .number(let number): return "\(number)"
      case .flag(let flag): return flag ? "true" : "false"
      case .list, .container: return ""
      }
    }
  }

  private func text(_ milliseconds: Int64) throws -> String { try FileTime.text(milliseconds, code: "csv-value") }

  private mutating func row(_ cells: [String]) throws {
    for (index, cell) in cells.enumerated() {
      if index > 0 { sink.append(",") }
      if cell.utf8.contains(0) { throw Diagnostic("csv-value", at: nil, "a cell cannot hold the NUL character of `\(visible(cell))`") }
      let needsQuotes = cell.utf8.contains { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: ",") || $0 == 0x0A || $0 == 0x0D }
      guard needsQuotes else {
        sink.append(cell)
        continue
      }
      sink.append("\"")
      sink.append { bytes in
        for byte in cell.utf8 {
          if byte == UInt8(ascii: "\"") { bytes.append(byte) }
          bytes.append(byte)
        }
      }
      sink.append("\"")
    }
    sink.append("\n")
  }
}
