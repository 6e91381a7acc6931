internal import Core

/// Steps as a CSV file names them: a step a row, with the columns `run`, `step` and what else a command takes.
struct StepTable: Sendable {
  struct Row: Sendable {
    var line: Int
    /// The values of the columns that are not empty.
    var cells: [(name: String, value: String)]

    func value(_ name: String) -> String? { cells.first { $0.name == name }?.value }
  }

  /// Rows that can be read.
  private(set) var rows: [Row] = []
  /// What is wrong with the others.
  private(set) var failures: [(line: Int, message: String)] = []

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - bytes: The file.
  ///   - columns: The columns that are known beside `run` and `step`; nil where any is.
  /// - Throws: ``CommandError`` for a header that does not fit.
  init(_ bytes: [UInt8], columns: [String]?) throws {
    var reader = CSVReader(bytes)
    let known = ["run", "step"] + (columns ?? [])
    guard case .success(let header)? = reader.next(), !header.cells.isEmpty else {
      throw CommandError.usage("the file has no header", hint: "its first line names the columns: \(known.joined(separator: ", "))")
    }
    for (place, name) in header.cells.enumerated() {
      if columns != nil, !known.contains(name) {
        let hint = nearestName(to: name, in: known).map { "did you mean `\($0)`?" } ?? "the columns: \(known.joined(separator: ", "))"
        throw CommandError.usage("column \(place + 1): there is no column `\(visible(name))`", hint: hint)
      }
      if header.cells[..<place].contains(name) { throw CommandError.usage("column \(place + 1): `\(visible(name))` is named twice") }
    }
    for needed in ["run", "step"] where !header.cells.contains(needed) {
      throw CommandError.usage("the file has no column `\(needed)`")
    }
    while let next = reader.next() {
      switch next {
      case .failure(let failure): failures.append((failure.line, failure.description))
      case .success(let row) where row.cells.isEmpty: continue
      case .success(let row):
        guard row.cells.count == header.cells.count else {
          failures.append((row.line, "the row has \(counted(row.cells.count, "cell")), the header \(header.cells.count)"))
          continue
        }
        let cells = zip(header.cells, row.cells).filter { !$1.isEmpty }.map { (name: $0, value: $1) }
        rows.append(Row(line: row.line, cells: cells))
      }
    }
  }
}
