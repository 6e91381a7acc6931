internal import Core

/// Rows under titles, aligned by display width.
///
/// What does not fit a column goes on in the next line; nothing is cut.
struct Table {
  struct Column: Sendable {
    enum Alignment: Sendable { case leading, trailing }

    var title: String
    var alignment = Alignment.leading
    /// Whether the column may be narrowed; ids and numbers are narrowed only when nothing else helps.
    var wraps = false

    init(_ title: String, _ alignment: Alignment = .leading, wraps: Bool = false) {
      self.title = title
      self.alignment = alignment
      self.wraps = wraps
    }
  }

  var columns: [Column]
  var rows: [[Shown]] = []
  private static let gap = 2
  private static let narrowest = 8

  init(_ columns: [Column]) { self.columns = columns }

  /// Adds a row with one cell for each column.
  mutating func add(_ cells: [Shown]) {
    precondition(cells.count == columns.count, "a row has as many cells as the table has columns")
    rows.append(cells)
  }

  /// The table on lines of at most that many columns; nothing where there are no rows.
  ///
  /// Where even narrowed columns do not fit, each row is written as a card of its own.
  ///
  /// - Complexity: O(n) in the size of the text.
  func lines(width: Int) -> [Shown] {
    if rows.isEmpty { return [] }
    guard let widths = widths(fitting: width) else { return cards(width) }
    var lines = layout(columns.map { Shown($0.title, .faint) }, widths)
    for row in rows { lines += layout(row, widths) }
    return lines
  }

  /// The width of each column; nil where they do not fit.
  private func widths(fitting width: Int) -> [Int]? {
    var widths = columns.indices.map { place in
      rows.reduce(displayWidth(columns[place].title)) { max($0, $1[place].width) }
    }
    let available = width - Self.gap * (columns.count - 1)
    for shrinkable in [columns.map(\.wraps), columns.map { _ in true }] {
      let floors = columns.indices.map { min(widths[$0], max(Self.narrowest, displayWidth(columns[$0].title))) }
      while widths.reduce(0, +) > available {
        // Narrow the widest ones together, down to the next narrower one.
        let candidates = columns.indices.filter { shrinkable[$0] && widths[$0] > floors[$0] }
        guard let widest = candidates.max(by: { widths[$0] < widths[$1] }) else { break }
        let excess = widths.reduce(0, +) - available
        let second = candidates.map { widths[$0] }.filter { $0 < widths[widest] }.max() ?? 0
        widths[widest] = max(floors[widest], widths[widest] - excess, min(second, widths[widest] - 1))
      }
    }
    return widths.reduce(0, +) <= available ? widths : nil
  }

  private func layout(_ cells: [Shown], _ widths: [Int]) -> [Shown] {
    let wrapped = zip(cells, widths).map { cell, width in cell.wrapped(to: width) }
    let height = wrapped.map(\.count).max() ?? 1
    return (0..<height).map { line in
      var text = Shown(spans: [])
      for (place, parts) in wrapped.enumerated() {
        let part = line < parts.count ? parts[line] : ""
        let padding = Shown.spaces(widths[place] - part.width)
        let isLast = place == wrapped.count - 1
        switch columns[place].alignment {
        case .leading: text.append(isLast ? part : part + padding)
        case .trailing: text.append(padding + part)
        }
        if !isLast { text.append(.spaces(Self.gap)) }
      }
      return text.trimmed
    }
  }

  private func cards(_ width: Int) -> [Shown] {
    var lines: [Shown] = []
    for row in rows {
      if !lines.isEmpty { lines.append("") }
      lines += Fields(zip(columns, row).map { ($0.title, [$1]) }).lines(width: width)
    }
    return lines
  }
}

extension Shown {
  /// The line without the spaces at its end.
  fileprivate var trimmed: Shown {
    var spans = spans
    while let last = spans.last {
      let kept = last.text.reversed().drop { $0 == " " }.reversed()
      if kept.isEmpty {
        spans.removeLast()
        continue
      }
      spans[spans.count - 1].text = String(kept)
      break
    }
    return Shown(spans: spans)
  }
}
