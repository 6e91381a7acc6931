internal import Core

extension Suggestion {
  /// What is wrong, in one sentence that is safe to print.
  public var summary: String {
    let about = subject.map { "\($0.kind) `\(visible($0.name))`" }.joined(separator: ", ")
    return "\(kind.title): \(about): \(evidence.sentence)"
  }

  /// The suggestion with its evidence, its change, what that would do, and what could go wrong; every line ends with a newline.
  ///
  /// - Parameters:
  ///   - width: Columns of the terminal.
  ///   - limit: Most log entries to name on either side; how many more there are is said.
  /// - Returns: Text that is safe to print.
  public func text(width: Int = 80, limit: Int = 10) -> String {
    let test = evidence.test
    var rows = [
      ("sample", "\(test.count) of \(test.total), \(percentText(test.share))"),
      ("interval", "\(percentText(test.interval.lower)) to \(percentText(test.interval.upper)), with 95 % confidence"),
      ("limit", "\(percentText(test.limit)): a share \(test.side == .above ? "above" : "below") it is worth a change"),
      ("chance", "\(chanceText) that a log without problems looks like this, all questions counted"),
    ]
    if let note = evidence.note { rows.append(("also", visible(note))) }
    rows.append(("evidence", Self.list(evidence.support, evidence.supportCount, limit)))
    rows.append(("against", Self.list(evidence.against, evidence.againstCount, limit)))
    rows.append(("effect", effect.text))
    rows.append(("risk", visible(risk)))
    var text = TextTable.wrap(summary, width).map { $0 + "\n" }.joined() + "\n"
    let indent = 10
    for (label, words) in rows {
      for (place, line) in TextTable.wrap(words, max(1, width - indent)).enumerated() {
        let head = place == 0 ? label : ""
        text += head + String(repeating: " ", count: indent - head.utf8.count) + line + "\n"
      }
    }
    text += "\nchange of the \(change.target):\n"
    // The change may be code for a file: its lines stay whole.
    for line in change.diff.split(separator: "\n", omittingEmptySubsequences: false) { text += visible(String(line)) + "\n" }
    return text
  }

  private var chanceText: String {
    chance < 0.0001 ? "less than 0.01 %" : "\(JSONNumber((chance * 1e6).rounded() / 1e4)?.description ?? "?") %"
  }

  private static func list(_ entries: [Int64], _ count: Int, _ limit: Int) -> String {
    guard count > 0 else { return "none" }
    let shown = entries.prefix(limit)
    return shown.map { "#\($0)" }.joined(separator: ", ") + (count > shown.count ? " … and \(count - shown.count) more" : "")
  }
}

extension Suggestion.Evidence {
  /// What was counted, in words that are safe to print: "12 of 400 (3.0 %) of the runs …".
  public var sentence: String { "\(test.count) of \(test.total) (\(percentText(test.share))) \(visible(meaning))" }
}

extension Suggestion.Effect {
  /// The effect in words, with its interval.
  public var text: String {
    switch unit {
    case .perHundredRuns: "\(Self.number(low)) to \(Self.number(high)) in 100 runs: \(what)"
    case .milliseconds:
      "\(durationText(milliseconds: Int64(low))) to \(durationText(milliseconds: Int64(high))) less a run, the median: \(what)"
    }
  }

  private static func number(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }
}

extension Suggestion.Kind {
  /// The kind for people.
  public var title: String {
    switch self {
    case .needlessHold: "needless hold"
    case .missingHold: "missing hold"
    case .deadPath: "dead path"
    case .bottleneck: "bottleneck"
    case .slowHandOff: "slow hand-off"
    case .reworkLoop: "rework loop"
    case .missingEvidence: "missing evidence"
    case .unusedStep: "unused step"
    case .skippedStep: "skipped step"
    case .driftedDocument: "drifted document"
    case .allowanceToGrant: "allowance to grant"
    case .allowanceToWithdraw: "allowance to withdraw"
    case .overloadedReviewer: "overloaded reviewer"
    case .repeatedRejection: "repeated rejection"
    }
  }
}
