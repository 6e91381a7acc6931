import Core

/// Words for a list that shows only its first items.
private func remainder(_ total: Int, _ shown: Int, _ thing: String) -> String {
  total > shown ? "… and \(total - shown) more \(thing)\(total - shown == 1 ? "" : "s")\n" : ""
}

func counted(_ number: Int, _ thing: String) -> String { "\(number) \(thing)\(number == 1 ? "" : "s")" }

extension DirectlyFollowsGraph {
  /// The graph as two tables, activities and arcs, most frequent first; every line ends with a newline.
  ///
  /// - Parameters:
  ///   - width: Columns of the terminal. Long names go on in the next line.
  ///   - limit: Most rows of each table; how many were left out is said below it.
  /// - Returns: Text that is safe to print.
  public func text(width: Int = 80, limit: Int = 40) -> String {
    var out = "\(counted(cases, "case")), \(counted(events, "event"))"
    out += ", \(nodes.count) \(nodes.count == 1 ? "activity" : "activities"), \(counted(arcs.count, "arc"))\n"
    guard !nodes.isEmpty else { return out }
    var activities = TextTable([.text("activity"), .number("count"), .number("starts"), .number("ends")])
    for node in nodes.stableSorted(by: { $0.count > $1.count }).prefix(limit) {
      activities.add([node.activity, "\(node.count)", "\(node.starts)", "\(node.ends)"])
    }
    out += "\n" + activities.text(width: width)
    if nodes.count > limit { out += "… and \(nodes.count - limit) more \(nodes.count - limit == 1 ? "activity" : "activities")\n" }
    guard !arcs.isEmpty else { return out }
    var table = TextTable([.text("from"), .text("to"), .number("count"), .number("median"), .number("90 %"), .number("longest")])
    for arc in arcs.stableSorted(by: { $0.count > $1.count }).prefix(limit) {
      let times = arc.duration.map { [$0.median, $0.p90, $0.maximum].map(durationText(milliseconds:)) } ?? ["", "", ""]
      table.add([nodes[arc.from].activity, nodes[arc.to].activity, "\(arc.count)"] + times)
    }
    return out + "\n" + table.text(width: width) + remainder(arcs.count, limit, "arc")
  }
}

extension Variants {
  /// The variants as a table; every line ends with a newline.
  ///
  /// - Parameters:
  ///   - width: Columns of the terminal.
  ///   - limit: Most rows; how many were left out, and how many cases they have, is said below.
  ///   - steps: Most activities of one variant; how many were left out is said in the row.
  /// - Returns: Text that is safe to print.
  public func text(width: Int = 80, limit: Int = 20, steps: Int = 30) -> String {
    var out = "\(counted(cases, "case")), \(counted(variants.count, "variant"))\n"
    guard !variants.isEmpty else { return out }
    var table = TextTable([.number("cases"), .number("share"), .number("median"), .text("activities"), .text("for example")])
    for variant in variants.prefix(limit) {
      var sequence = variant.activities.prefix(steps).joined(separator: " → ")
      if variant.activities.count > steps { sequence += " → … \(variant.activities.count - steps) more" }
      table.add([
        "\(variant.count)", percentText(variant.share), durationText(milliseconds: variant.throughput.median), sequence,
        variant.examples.first ?? "",
      ])
    }
    out += "\n" + table.text(width: width)
    guard variants.count > limit else { return out }
    let rest = variants.dropFirst(limit).reduce(0) { $0 + $1.count }
    return out + "… and \(counted(variants.count - limit, "more variant")) with \(counted(rest, "case"))\n"
  }
}

extension HandOffs {
  /// The hand-offs as a table, longest total wait first; every line ends with a newline.
  public func text(width: Int = 80, limit: Int = 20) -> String {
    var out = "\(counted(handOffs.count, "hand-off")) between different people or agents\n"
    if !handOffs.isEmpty {
      var table = TextTable([.text("from"), .text("to"), .number("count"), .number("median"), .number("90 %"), .number("total")])
      for handOff in handOffs.prefix(limit) {
        table.add(
          [handOff.from, handOff.to, "\(handOff.waiting.count)"]
            + [handOff.waiting.median, handOff.waiting.p90, handOff.waiting.total].map(durationText(milliseconds:)))
      }
      out += "\n" + table.text(width: width) + remainder(handOffs.count, limit, "hand-off")
    }
    if unattributed > 0 { out += "\(counted(unattributed, "step")) left out: no resource recorded\n" }
    let untimed = handOffs.reduce(0) { $0 + $1.waiting.count - $1.measuredToBegin }
    if untimed > 0 { out += "\(counted(untimed, "wait")) measured to the completion, since no begin was recorded: work included\n" }
    return out
  }
}

extension Bottlenecks {
  /// The ranking as a table; every line ends with a newline.
  public func text(width: Int = 80, limit: Int = 15) -> String {
    guard !places.isEmpty else { return "no waiting time in this log\n" }
    let numbers: [TextTable.Column] = [.number("share"), .number("count"), .number("median"), .number("90 %"), .number("total")]
    let heading: String
    var table: TextTable
    switch basis {
    case .stepWaits:
      heading = "where work waits, from ready until begun or decided"
      table = TextTable([.text("activity")] + numbers + [.number("open")])
    case .arcs:
      heading = "where time goes from one completion to the next (this log records no begin, so work is included)"
      table = TextTable([.text("from → to")] + numbers)
    }
    for place in places.prefix(limit) {
      let times = [place.time.median, place.time.p90, place.time.total].map(durationText(milliseconds:))
      let name = place.after.map { "\($0) → \(place.activity)" } ?? place.activity
      table.add([name, percentText(place.share), "\(place.time.count)"] + times + (basis == .stepWaits ? ["\(place.open)"] : []))
    }
    return TextTable.wrap(heading, width).joined(separator: "\n") + "\n\n" + table.text(width: width)
      + remainder(places.count, limit, "place")
  }
}
