public import Audit
public import Core

extension AllowanceUsage {
  /// What allowances were used for, counted from entries as they come: for replays, which have no tables.
  public struct Tally: Sendable {
    private var uses: [String: [(proposal: String, at: Instant, amounts: [AllowanceUse.Amount])]] = [:]

    /// No use so far.
    public init() {}

    /// Takes over what an entry of a run says.
    ///
    /// - Throws: ``GovernanceLedger/Misfit`` for an entry that says it in no known way.
    public mutating func note(_ entry: Entry) throws {
      guard let proposal = entry.body["proposal"]?.stringValue else { return }
      if entry.type == EntryType.proposal {
        for use in try (entry.body["allowances"]?.arrayValue ?? []).map({ try AllowanceUse(json: $0) }) {
          uses[use.name, default: []].append((proposal, entry.time, use.amounts))
        }
      } else if entry.type == EntryType.approval,
        let decision = entry.body["decision"]?.stringValue.flatMap({ ApprovalDecision(rawValue: $0) }),
        [.void, .withdraw, .expire].contains(decision)
      {
        for name in uses.keys { uses[name]?.removeAll { bytesEqual($0.proposal, proposal) } }
      }
    }

    /// What the allowances that are there have been used for.
    public func usage(of shared: SharedState, at now: Instant) -> AllowanceUsage {
      var usage = AllowanceUsage()
      usage.knowsModel = false
      for record in shared.allowances where record.end == nil {
        let allowance = record.allowance
        let used = uses[allowance.name] ?? []
        usage.counts[allowance.name] = allowance.caps.map { cap in
          let start = now.milliseconds - Int64(cap.within.milliseconds)
          let inside = used.reversed().prefix { $0.at.milliseconds > start }.prefix(cap.count)
          return AllowanceUsage.count(inside.map(\.amounts), cap)
        }
      }
      return usage
    }
  }
}
