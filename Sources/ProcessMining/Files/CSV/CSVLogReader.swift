internal import Core

/// Reads event logs from tables, an event a row, in memory bounded by the columns that result.
///
/// The first row names the columns; a ``CSVMapping`` says which of them are case, activity, time, resource and lifecycle. The others are kept as
/// texts: those that begin with `case:` for the case, which says the same in each of its rows, the rest for the event. An empty cell is no value.
public struct CSVLogReader {
  private enum Role {
    case caseName, activity, time, resource, lifecycle
    case ofCase(Int)
    case ofEvent(Int)
  }

  private let file: String?
  private let mapping: CSVMapping
  private let limits: FileLimits
  private var roles: [Role] = []
  private var header: [String] = []
  private var separator = UInt8(ascii: ",")
  private var builder = EventLogBuilder()
  private var caseColumns: [AttributeColumn] = []
  private var eventColumns: [AttributeColumn] = []
  private var texts = NameTable()
  private var lastTimes: [Int64] = []
  private var outOfOrder = 0

  /// Reads a whole log.
  ///
  /// - Parameters:
  ///   - source: The file's bytes.
  ///   - mapping: Which columns say what.
  ///   - file: Its name, for errors.
  ///   - limits: How much it may hold.
  /// - Returns: The log with everything that the file tells.
  /// - Throws: `Diagnostic` with line and column for the first thing that is wrong; what the source throws.
  /// - Complexity: O(bytes + C log C) for C cases.
  public static func read(
    _ source: ByteSource, mapping: CSVMapping = .usual, file: String? = nil, limits: FileLimits = FileLimits()
  ) throws -> AttributedLog {
    var reader = CSVLogReader(file: file, mapping: mapping, limits: limits)
    var blocks = CSVBlocks(source, file: file, limit: limits.xml.tokenBytes)
    while let (bytes, line) = try blocks.next() { try reader.read(bytes, line) }
    return try reader.finish()
  }

  private init(file: String?, mapping: CSVMapping, limits: FileLimits) {
    self.file = file
    self.mapping = mapping
    self.limits = limits
  }

  private consuming func finish() throws -> AttributedLog {
    guard !roles.isEmpty else { throw failure("csv-empty", 1, nil, "there is no header", "the first row names the columns") }
    let (log, events, cases) = builder.finishInOrder()
    var eventNumbers = [UInt32](repeating: 0, count: events.count)
    for (new, old) in events.enumerated() { eventNumbers[Int(old)] = UInt32(new) }
    var caseNumbers = [UInt32](repeating: 0, count: cases.count)
    for (new, old) in cases.enumerated() { caseNumbers[old] = UInt32(new) }
    return AttributedLog(
      log: log, header: LogHeader(), caseColumns: caseColumns.map { $0.renumbered(caseNumbers) }.filter { $0.count > 0 },
      eventColumns: eventColumns.map { $0.renumbered(eventNumbers) }.filter { $0.count > 0 }, outOfOrder: outOfOrder, texts: texts)
  }

  private mutating func read(_ bytes: [UInt8], _ line: Int) throws {
    if line == 1, roles.isEmpty { try readHeader(bytes) }
    var isHeader = line == 1
    for row in CSVReader(bytes, separator: separator, firstLine: line) {
      switch row {
      case .failure(let error): throw failure("csv-syntax", error.line, error.column, error.message, nil)
      case .success where isHeader: isHeader = false
      case .success(let row) where row.cells.isEmpty: continue
      case .success(let row): try read(row)
      }
    }
  }

  // MARK: Header

  private mutating func readHeader(_ bytes: [UInt8]) throws {
    if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) || bytes.prefix(64).contains(0) {
      throw failure("csv-encoding", 1, 1, "this looks like UTF-16; only UTF-8 is read", "convert it: `iconv -f UTF-16 -t UTF-8`")
    }
    let candidates = mapping.separator.map { [$0] } ?? [",", ";", "\t"].map { UInt8(ascii: $0) }
    var names: [String] = []
    for candidate in candidates {
      var reader = CSVReader(bytes, separator: candidate, firstLine: 1)
      guard case .success(let row)? = reader.next() else { continue }
      if names.isEmpty || row.cells.contains(where: { Names.same($0, mapping.caseName) }) { (names, separator) = (row.cells, candidate) }
    }
    header = names
    guard !names.isEmpty else { return }
    guard names.count <= limits.columns else { throw failure("csv-limit", 1, nil, "more than \(limits.columns) columns", nil) }
    for (index, name) in names.enumerated() where names[..<index].contains(where: { Names.same($0, name) }) {
      throw failure("csv-header", 1, nil, "two columns are called `\(visible(name))`", "each column has a name of its own")
    }
    let isUsual = mapping.resource == CSVMapping.usual.resource && mapping.lifecycle == CSVMapping.usual.lifecycle
    for name in [mapping.caseName, mapping.activity, mapping.time]
      + (isUsual ? [] : [mapping.resource, mapping.lifecycle].compactMap { $0 })
    where !names.contains(where: { Names.same($0, name) }) {
      throw Diagnostic.unknown("column", name, known: names, at: SourcePosition(file: file))
    }
    roles = names.map { role($0) }
  }

  private mutating func role(_ name: String) -> Role {
    func isIt(_ other: String?) -> Bool { other.map { Names.same($0, name) } ?? false }
    if isIt(mapping.caseName) { return .caseName }
    if isIt(mapping.activity) { return .activity }
    if isIt(mapping.time) { return .time }
    if isIt(mapping.resource) { return .resource }
    if isIt(mapping.lifecycle) {
      eventColumns.append(AttributeColumn("lifecycle:transition", .text))
      return .lifecycle
    }
    if name.hasPrefix("case:") {
      caseColumns.append(AttributeColumn(String(name.dropFirst(5)), .text))
      return .ofCase(caseColumns.count - 1)
    }
    eventColumns.append(AttributeColumn(name, .text))
    return .ofEvent(eventColumns.count - 1)
  }

  // MARK: Rows

  private mutating func read(_ row: CSVReader.Row) throws {
    guard row.cells.count == roles.count else {
      throw failure(
        "csv-row", row.line, nil, "\(row.cells.count) cells where the header names \(roles.count) columns",
        "is a separator inside a cell that has no quotes?")
    }
    guard builder.count < limits.events else { throw failure("csv-limit", row.line, nil, "more than \(limits.events) events", nil) }
    var (owner, activity, time) = (UInt32(0), UInt32(0), Int64(0))
    var resource = EventLog.noResource
    var lifecycle = Lifecycle.completed
    let number = UInt32(truncatingIfNeeded: builder.count)
    for (index, role) in roles.enumerated() {
      var cell = row.cells[index]
      switch role {
      case .caseName, .activity:
        guard !cell.isEmpty else {
          throw failure("csv-missing", row.line, nil, "`\(visible(header[index]))` is empty", "every event has one")
        }
        if case .caseName = role {
          owner = cell.withUTF8 { builder.caseNumber($0) }
        } else {
          activity = cell.withUTF8 { builder.activityNumber($0) }
        }
      case .time: time = try moment(row, index)
      case _ where cell.isEmpty: break
      case .resource: resource = cell.withUTF8 { builder.resourceNumber($0) }
      case .lifecycle:
        lifecycle = cell.withUTF8 { Lifecycle(xes: $0) } ?? .completed
        if let column = eventColumns.firstIndex(where: { $0.key == "lifecycle:transition" }) {
          eventColumns[column].append(cell.withUTF8 { texts.intern($0) }, to: number)
        }
      case .ofEvent(let column): eventColumns[column].append(cell.withUTF8 { texts.intern($0) }, to: number)
      case .ofCase: break
      }
    }
    let isNew = Int(owner) == lastTimes.count
    if isNew { lastTimes.append(.min) }
    for (index, role) in roles.enumerated() {
      guard case .ofCase(let column) = role else { continue }
      try keep(row, index, column, owner, isNew: isNew)
    }
    guard texts.byteCount + builder.nameBytes <= limits.textBytes else {
      throw failure("csv-limit", row.line, nil, "more than \(limits.textBytes) bytes of different texts", nil)
    }
    do throws(EventLogError) {
      try builder.add(caseNumber: owner, activity: activity, at: time, resource: resource, lifecycle: lifecycle)
    } catch {
      throw failure("csv-limit", row.line, nil, error.description, nil)
    }
    if time < lastTimes[Int(owner)] { outOfOrder += 1 } else { lastTimes[Int(owner)] = time }
  }

  /// Keeps what a row says of its case, or sees to it that it is what the case's first row said.
  private mutating func keep(_ row: CSVReader.Row, _ index: Int, _ column: Int, _ owner: UInt32, isNew: Bool) throws {
    var cell = row.cells[index]
    if isNew {
      if !cell.isEmpty { caseColumns[column].append(cell.withUTF8 { texts.intern($0) }, to: owner) }
      return
    }
    let known = caseColumns[column].row(of: owner).map { caseColumns[column].attribute($0, texts).value }
    guard known == (cell.isEmpty ? nil : .text(cell)) else {
      throw failure(
        "csv-case", row.line, nil,
        "`\(visible(header[index]))` is `\(visible(cell))` here and was something else in an earlier row of this case",
        "what changes belongs to the event: name the column without `case:`")
    }
  }

  private func moment(_ row: CSVReader.Row, _ index: Int) throws -> Int64 {
    var cell = row.cells[index]
    let isSpaced = cell.utf8.count > 10 && cell.utf8[cell.utf8.index(cell.startIndex, offsetBy: 10)] == UInt8(ascii: " ")
    switch cell.withUTF8({ FileTime.read($0, separator: isSpaced ? UInt8(ascii: " ") : UInt8(ascii: "T")) }) {
    case .moment(let moment): return moment
    case .withoutZone(let moment):
      if let minutes = mapping.zoneMinutes { return moment - Int64(minutes) * 60_000 }
      throw failure("csv-time", row.line, nil, "a time without a zone: `\(visible(cell))`", "say which one: `zone=UTC`, or `zone=+02:00`")
    case .invalid:
      throw failure(
        "csv-time", row.line, nil, "`\(visible(header[index]))`: `\(visible(cell))` is no time",
        "write `2026-01-31T10:00:00.000+00:00`, a day and a time that exist")
    }
  }

  private func failure(_ code: String, _ line: Int, _ column: Int?, _ message: String, _ hint: String?) -> Diagnostic {
    Diagnostic(code, at: SourcePosition(file: file, line: line, column: column ?? 1), message, hint: hint)
  }
}
