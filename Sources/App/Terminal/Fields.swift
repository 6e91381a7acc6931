internal import Core

/// Names with values, one under the other: a card.
///
/// Long values go on under themselves.
struct Fields {
  /// A name and the lines of its value.
  var rows: [(name: String, value: [Shown])]

  init(_ rows: [(String, [Shown])]) { self.rows = rows.map { (name: $0.0, value: $0.1) } }

  init(_ rows: KeyValuePairs<String, Shown?>) {
    self.rows = rows.compactMap { row in row.value.map { (name: row.key, value: [$0]) } }
  }

  /// The card on lines of at most that many columns.
  ///
  /// - Parameters:
  ///   - width: Columns of the screen.
  ///   - indent: Columns left free before the names.
  ///   - nameWidth: The width of the column of names; by default that of the longest one, at most 20.
  /// - Returns: The lines, in order.
  func lines(width: Int, indent: Int = 0, nameWidth: Int? = nil) -> [Shown] {
    let column = nameWidth ?? min(20, rows.map { displayWidth(visible($0.name)) }.max() ?? 0)
    var lines: [Shown] = []
    for row in rows {
      let name = Shown(row.name, .faint)
      let values = row.value.flatMap { $0.wrapped(to: max(10, width - indent - column - 2)) }
      let fits = name.width <= column
      if !fits { lines.append(.spaces(indent) + name) }
      for (index, value) in values.enumerated() {
        let left = index == 0 && fits ? name + .spaces(column - name.width) : .spaces(column)
        lines.append(.spaces(indent) + left + .spaces(2) + value)
      }
    }
    return lines
  }
}
