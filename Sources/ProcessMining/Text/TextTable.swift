import Core

/// An aligned table for a terminal.
///
/// Cells show hostile characters instead of obeying them, and what does not fit goes on in the next line: nothing is cut off.
struct TextTable {
  struct Column {
    let title: String
    /// Whether the column stands at its right edge and keeps its full width (numbers).
    let isNumber: Bool

    static func text(_ title: String) -> Column { Column(title: title, isNumber: false) }
    static func number(_ title: String) -> Column { Column(title: title, isNumber: true) }
  }

  let columns: [Column]
  private var rows: [[String]] = []

  init(_ columns: [Column]) { self.columns = columns }

  mutating func add(_ cells: [String]) {
    precondition(cells.count == columns.count, "a row has one cell a column")
    rows.append(cells.map { visible($0) })
  }

  /// The table in lines of at most `width` columns, as one card a row where the columns have no room beside each other; every line ends
  /// with a newline.
  func text(width: Int) -> String {
    guard let widths = layout(width) else { return cards(width) }
    var lines = [line(columns.map(\.title), widths), line(widths.map { String(repeating: "-", count: $0) }, widths)]
    for row in rows {
      let wrapped = zip(row, widths).map { Self.wrap($0, $1) }
      let height = wrapped.reduce(1) { max($0, $1.count) }
      for part in 0..<height { lines.append(line(wrapped.map { part < $0.count ? $0[part] : "" }, widths)) }
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private func line(_ cells: [String], _ widths: [Int]) -> String {
    var text = ""
    for (index, cell) in cells.enumerated() {
      let padding = String(repeating: " ", count: max(0, widths[index] - displayWidth(cell)))
      if index > 0 { text += "  " }
      text += columns[index].isNumber ? padding + cell : cell + padding
    }
    while text.utf8.last == UInt8(ascii: " ") { text.removeLast() }
    return text
  }

  /// Each row as lines of its own: the title of a column, and what stands in it.
  private func cards(_ width: Int) -> String {
    let label = columns.reduce(0) { max($0, displayWidth($1.title)) } + 2
    let blocks = rows.map { row in
      zip(columns, row).flatMap { column, cell in
        Self.wrap(cell, max(1, width - label)).enumerated().map { place, part in
          let title = place == 0 ? column.title : ""
          return title + String(repeating: " ", count: part.isEmpty ? 0 : label - displayWidth(title)) + part + "\n"
        }
      }.joined()
    }
    return blocks.joined(separator: "\n")
  }

  /// Numbers get what they need; text columns share the rest, the widest giving way first.
  ///
  /// - Returns: nil where that is not enough.
  private func layout(_ total: Int) -> [Int]? {
    var widths = columns.indices.map { index in
      rows.reduce(displayWidth(columns[index].title)) { max($0, displayWidth($1[index])) }
    }
    let floor = 8
    while widths.reduce(0, +) + 2 * (widths.count - 1) > total {
      let flexible = columns.indices.filter { !columns[$0].isNumber && widths[$0] > max(floor, displayWidth(columns[$0].title)) }
      guard let widest = flexible.max(by: { widths[$0] < widths[$1] }) else { return nil }
      widths[widest] -= 1
    }
    return widths
  }

  /// The text in lines of at most `width` columns, broken after a space where there is one.
  static func wrap(_ text: String, _ width: Int) -> [String] {
    var lines: [String] = []
    var line = String.UnicodeScalarView()
    var columns = 0
    var lastSpace: String.UnicodeScalarView.Index?
    for scalar in text.unicodeScalars {
      let size = displayWidth(String(scalar))
      if columns + size > width, !line.isEmpty {
        if scalar == " " {
          lines.append(String(line))
          (line, columns, lastSpace) = (.init(), 0, nil)
          continue
        }
        if let space = lastSpace {
          lines.append(String(line[..<space]))
          line = String.UnicodeScalarView(line[line.index(after: space)...])
        } else {
          lines.append(String(line))
          line = .init()
        }
        columns = line.reduce(0) { $0 + displayWidth(String($1)) }
        lastSpace = nil
      }
      if scalar == " ", !line.isEmpty { lastSpace = line.endIndex }
      line.append(scalar)
      columns += size
    }
    lines.append(String(line))
    return lines
  }
}
