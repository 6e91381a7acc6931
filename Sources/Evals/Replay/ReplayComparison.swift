public import Core
public import PolicyEngine

/// Where two replays of one recording differ: every verdict that flips.
public struct ReplayComparison: Sendable {
  /// One call with two verdicts.
  public struct Flip: Sendable {
    /// What was said before.
    public let before: ReplayVerdict
    /// What is said after.
    public let after: ReplayVerdict
  }

  /// How many calls both have.
  public let compared: Int
  /// The calls whose outcome differs, in the order of the recording.
  public let flips: [Flip]
  /// Calls that only one of the two has.
  public let unmatched: Int

  /// Compares two replays; a call is known by its run and number.
  ///
  /// - Complexity: O(calls).
  public init(before: ReplayReport, after: ReplayReport) {
    struct Place: Hashable {
      let run: ExactString
      let index: Int64
    }
    var places: [Place: ReplayVerdict] = [:]
    for verdict in after.verdicts { places[Place(run: ExactString(verdict.run), index: verdict.index)] = verdict }
    var flips: [Flip] = []
    var compared = 0
    for verdict in before.verdicts {
      guard let other = places[Place(run: ExactString(verdict.run), index: verdict.index)] else { continue }
      compared += 1
      if other.outcome != verdict.outcome { flips.append(Flip(before: verdict, after: other)) }
    }
    self.compared = compared
    self.flips = flips
    unmatched = before.verdicts.count + after.verdicts.count - 2 * compared
  }

  /// How many calls went from one outcome to another.
  public func count(from before: Outcome, to after: Outcome) -> Int {
    flips.count { $0.before.outcome == before && $0.after.outcome == after }
  }

  /// The comparison as JSON: `compared`, `unmatched`, `flips` with both verdicts.
  public var json: JSON {
    [
      "compared": .int(compared), "unmatched": .int(unmatched),
      "flips": .array(
        flips.map { flip in
          [
            "run": .string(flip.before.run), "i": .int(flip.before.index), "tool": .string(flip.before.tool),
            "before": flip.before.json, "after": flip.after.json,
          ]
        }),
    ]
  }
}
