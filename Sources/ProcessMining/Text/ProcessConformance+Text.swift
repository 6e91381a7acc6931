public import Core

extension ProcessConformance {
  /// How the runs kept to the process, and what was otherwise; every line ends with a newline.
  ///
  /// - Parameters:
  ///   - width: Columns of the terminal.
  ///   - limit: Most deviations; how many were left out is said below.
  /// - Returns: Text that is safe to print.
  public func text(width: Int = 80, limit: Int = 20) -> String {
    var out = "\(visible(process)), release \(visible(String(release.prefix(12))))\n"
    let aligned = alignments.aligned
    if let share = aligned > 0 ? Double(alignments.fitting) / Double(aligned) : nil, let fitness = alignments.meanFitness {
      out += "\(alignments.fitting) of \(counted(aligned, "completed run")) kept to the process: \(percentText(share))"
      out += " (\(percentText(interval.lower)) to \(percentText(interval.upper)) with 95 % confidence);"
      out += " mean fitness \(percentText(fitness))\n"
    } else {
      out += "no completed run to compare\n"
    }
    if alignments.gaveUp > 0 {
      out += "\(counted(alignments.gaveUp, "more run")) so far from the process that the search gave up\n"
    }
    if running > 0 || cancelled > 0 {
      out += "not compared: \(counted(running, "run")) going on, \(cancelled) cancelled\n"
    }
    guard !deviations.isEmpty else { return out }
    var table = TextTable([.number("runs"), .number("share"), .text("what was otherwise"), .text("for example")])
    for deviation in deviations.prefix(limit) {
      table.add([
        "\(deviation.runs)", percentText(Double(deviation.runs) / Double(aligned)), deviation.summary, deviation.examples.first ?? "",
      ])
    }
    out += "\n" + table.text(width: width)
    return out + (deviations.count > limit ? "… and \(counted(deviations.count - limit, "more deviation"))\n" : "")
  }

  /// The same as JSON, with each variant's alignment.
  public var json: JSON {
    [
      "process": .string(process), "release": .string(release), "completed": .int(alignments.aligned + alignments.gaveUp),
      "compared": .int(alignments.aligned), "fitting": .int(alignments.fitting), "interval": interval.json,
      "mean_fitness": alignments.meanFitness.map { ratio($0) } ?? .null, "log_fitness": alignments.logFitness.map { ratio($0) } ?? .null,
      "gave_up": .int(alignments.gaveUp), "running": .int(running), "cancelled": .int(cancelled),
      "deviations": .array(
        deviations.map { deviation in
          [
            "kind": .string(deviation.kind.rawValue), "activity": .string(deviation.activity), "summary": .string(deviation.summary),
            "runs": .int(deviation.runs), "examples": .array(deviation.examples.map { .string($0) }),
          ]
        }),
      "variants": .array(
        alignments.rows.map { row in
          [
            "activities": .array(row.variant.activities.map { .string($0) }), "count": .int(row.variant.count),
            "examples": .array(row.variant.examples.map { .string($0) }), "cost": row.outcome.alignment.map { .int($0.cost) } ?? .null,
            "fitness": row.outcome.alignment.map { ratio($0.fitness) } ?? .null,
            "moves": row.outcome.alignment.map { .array($0.moves.map(\.json)) } ?? .null,
          ]
        }),
    ]
  }
}

extension Alignment.Move {
  /// `{"both": …}`, `{"log": …}` or `{"model": …}` with the activity.
  fileprivate var json: JSON {
    switch self {
    case .both(let name): ["both": .string(name)]
    case .log(let name): ["log": .string(name)]
    case .model(let name): ["model": .string(name)]
    }
  }
}
