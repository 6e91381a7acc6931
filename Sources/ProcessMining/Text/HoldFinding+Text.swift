import Core

extension HoldSuggestion {
  /// What is suggested, in one sentence.
  public var summary: String {
    let place = step.map { " at step `\(visible($0))`" } ?? ""
    let always = condition.comparisons.isEmpty
    return "rule `\(visible(rule))` held `\(visible(tool))`\(place) \(decided) times, approved unchanged \(approvedUnchanged): "
      + (always ? "consider permitting it" : "consider permitting it when `\(visible(condition.cel))`")
      + " (\(covered) of \(covered) approved unchanged; error at most \(percentText(errorUnderCondition.upper)), Wilson bound)"
  }

  /// The suggestion with its evidence and its change; every line ends with a newline.
  ///
  /// - Parameters:
  ///   - width: Columns of the terminal.
  ///   - limit: Most log entries and counter-examples to name; how many more there are is said.
  /// - Returns: Text that is safe to print.
  public func text(width: Int = 80, limit: Int = 10) -> String {
    var lines = TextTable.wrap(summary, width)
    lines.append("")
    lines.append("all holds      \(approvedUnchanged) of \(decided) approved unchanged, error \(interval(error))")
    lines.append("condition      \(covered) of \(covered) approved unchanged, error \(interval(errorUnderCondition))")
    lines.append("tried          \(conditionsTried) condition\(conditionsTried == 1 ? "" : "s")")
    if stillHeldByOthers > 0 { lines.append("still held     \(stillHeldByOthers) of them were held by another rule as well") }
    lines.append("evidence       " + Self.list(support.map { "#\($0)" }, limit))
    lines.append("against        " + Self.list(counterExamples.map { "#\($0.entry) \($0.outcome.rawValue)" }, limit))
    var text = lines.flatMap { TextTable.wrap($0, width) }.map { $0 + "\n" }.joined() + "\n"
    // The change is code for a file: its lines stay whole.
    for line in change.diff.split(separator: "\n", omittingEmptySubsequences: false) { text += visible(String(line)) + "\n" }
    return text
  }

  private func interval(_ interval: WilsonInterval) -> String { "\(percentText(interval.lower)) to \(percentText(interval.upper))" }

  private static func list(_ items: [String], _ limit: Int) -> String {
    guard !items.isEmpty else { return "none" }
    return items.prefix(limit).joined(separator: ", ") + (items.count > limit ? " … and \(items.count - limit) more" : "")
  }
}

extension HoldFinding {
  /// The finding in one sentence: what is suggested, or why nothing is.
  public var summary: String {
    switch self {
    case .suggestion(let suggestion): return suggestion.summary
    case .nothing(let rule, let tool, let step, let decided, let reason):
      let place = step.map { " at step `\(visible($0))`" } ?? ""
      return
        "rule `\(visible(rule))` held `\(visible(tool))`\(place) \(decided) time\(decided == 1 ? "" : "s"); nothing suggested: \(reason)"
    }
  }
}

extension HoldFinding.NoSuggestion: CustomStringConvertible {
  /// The reason, for people.
  public var description: String {
    switch self {
    case .tooFew(let minimum): "fewer than \(minimum) holds ended, too few to tell"
    case .noCondition(let approved, let minimum):
      "\(approved) approved unchanged, but no small condition covers \(minimum) of them without covering another outcome"
    case .tooUncertain(let covered, let bound, let maximum):
      "the best condition covers \(covered), so the error may be as high as \(percentText(bound)) (the limit is \(percentText(maximum)))"
    case .couldBeChance(let tested):
      "what the first of \(tested) holds seem to say is not borne out by the later ones beyond chance"
    case .notARule: "it comes from no rule that holds in this file (a control or a guard): not for mining to relax"
    }
  }
}
