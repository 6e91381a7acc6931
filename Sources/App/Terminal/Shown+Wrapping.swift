internal import Core

extension Shown {
  /// One character cell: a character with the marks that stand on it.
  private struct Cell {
    var text: String
    var width: Int
    var tone: Tone
  }

  private var cells: [Cell] {
    var cells: [Cell] = []
    for span in spans {
      for scalar in span.text.unicodeScalars {
        let text = String(scalar)
        let width = scalar.isASCII ? 1 : displayWidth(text)
        if width == 0, let last = cells.indices.last {
          cells[last].text += text
        } else {
          cells.append(Cell(text: text, width: width, tone: span.tone))
        }
      }
    }
    return cells
  }

  private init(cells: ArraySlice<Cell>) {
    self.init(spans: [])
    for cell in cells { self = self + Shown(spans: [Span(text: cell.text, tone: cell.tone)]) }
  }

  /// The text on lines of at most that many columns, broken between words where there are any, within a word where it must be.
  ///
  /// Nothing is dropped but the spaces at the breaks.
  ///
  /// - Complexity: O(n).
  func wrapped(to columns: Int) -> [Shown] {
    if width <= columns { return [self] }
    return lines(columns) { line, cells in
      // The last space in the line, or where the line is full.
      var end = line.upperBound
      if end < cells.count, cells[end].text != " " {
        if let space = cells[line].lastIndex(where: { $0.text == " " }), space > line.lowerBound { end = space }
      }
      var next = end
      while next < cells.count, cells[next].text == " " { next += 1 }
      return (end, next)
    }
  }

  /// The text on lines of at most that many columns whose pieces joined are the text, byte for byte: a space at a break stays at the end
  /// of its line.
  ///
  /// - Complexity: O(n).
  func cut(to columns: Int) -> [Shown] {
    lines(columns) { line, cells in
      // Between words where the last one is short; a long run without spaces fills its lines.
      let space = cells[line].lastIndex { $0.text == " " }
      let end = space.map { $0 + 1 } ?? line.upperBound
      let isNear = line.upperBound - end < columns / 3 && cells[line.upperBound].text != " "
      return isNear ? (end, end) : (line.upperBound, line.upperBound)
    }
  }

  private func lines(_ columns: Int, _ breaking: (Range<Int>, [Cell]) -> (end: Int, next: Int)) -> [Shown] {
    let cells = cells
    let columns = max(1, columns)
    var lines: [Shown] = []
    var start = 0
    while start < cells.count {
      var end = start
      var width = 0
      while end < cells.count, end == start || width + cells[end].width <= columns {
        width += cells[end].width
        end += 1
      }
      if end == cells.count {
        lines.append(Shown(cells: cells[start...]))
        break
      }
      let (last, next) = breaking(start..<end, cells)
      lines.append(Shown(cells: cells[start..<last]))
      start = next
    }
    return lines.isEmpty ? [self] : lines
  }
}
