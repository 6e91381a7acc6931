internal import Core
internal import PolicyEngine

extension ReplayReport {
  /// The report for a terminal: counts first, then each strong violation that is missed and each right call that is stopped.
  ///
  /// - Parameter limit: Most calls to list of each kind; how many more there are is said.
  /// - Returns: Text that is safe to print; every line ends with a newline.
  public func text(limit: Int = 20) -> String {
    var out = "\(verdicts.count) recorded calls of \(runs) run\(runs == 1 ? "" : "s") under the rules of `\(visible(policy))`: "
    out += Outcome.allCases.map { outcome in "\(verdicts.count { $0.outcome == outcome }) \(outcome.rawValue)" }.joined(separator: ", ")
    out += "\n\n"
    out += row("strong violations", Share(labelled("strong")))
    out += row("disputed", Share(labelled("disputed")))
    out += row("other consequential", Share(unlabelled))
    out += row("ground truth", Share(groundTruth))
    out += list("missed", labelled("strong").filter { !$0.isStopped }, limit) { $0.label?.violations.joined(separator: "; ") ?? "" }
    out += list("right, but stopped", groundTruth.filter(\.isStopped), limit) { "\($0.outcome.rawValue): \($0.explanation)" }
    return out
  }

  private func row(_ name: String, _ share: Share) -> String {
    let label = name + String(repeating: " ", count: max(1, 22 - name.count))
    return label + "\(share.stopped) of \(share.total) stopped (\(share.refused) refused, \(share.held) held)\n"
  }

  private func list(_ heading: String, _ verdicts: [ReplayVerdict], _ limit: Int, _ reason: (ReplayVerdict) -> String) -> String {
    if verdicts.isEmpty { return "" }
    var out = "\n\(heading)\n"
    for verdict in verdicts.prefix(limit) {
      out += "  \(visible(verdict.run)) #\(verdict.index) \(visible(verdict.tool)): \(visible(reason(verdict)))\n"
    }
    return out + (verdicts.count > limit ? "  … and \(verdicts.count - limit) more\n" : "")
  }
}

extension ReplayComparison {
  /// The flips for a terminal, one call a line with both reasons below it.
  ///
  /// - Parameter limit: Most calls to list; how many more there are is said.
  /// - Returns: Text that is safe to print; every line ends with a newline.
  public func text(limit: Int = 40) -> String {
    var out = "\(flips.count) of \(compared) verdicts flip"
    out += unmatched > 0 ? "; \(unmatched) calls are in one of the two replays only\n" : "\n"
    for flip in flips.prefix(limit) {
      let (before, after) = (flip.before, flip.after)
      out += "\n\(visible(before.run)) #\(before.index) \(visible(before.tool)): \(before.outcome.rawValue) → \(after.outcome.rawValue)\n"
      out += "  before: \(visible(before.explanation))\n  after:  \(visible(after.explanation))\n"
    }
    return out + (flips.count > limit ? "\n… and \(flips.count - limit) more\n" : "")
  }
}
