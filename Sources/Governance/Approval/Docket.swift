/// A proposal that people decide on, with the run that it belongs to, if it does to one.
struct Docket {
  /// The proposal.
  let record: ProposalRecord
  /// Its run; nil for a proposal about the workspace.
  let run: RunRecord?

  /// Finds a proposal; nil where there is none of that id, or it can no longer be decided on.
  ///
  /// - Parameters:
  ///   - id: The proposal.
  ///   - run: nil for a proposal that belongs to no run; the run, where it is there, for one that does.
  ///   - shared: Where proposals about the workspace are.
  init?(_ id: String, run: RunRecord??, shared: @autoclosure () throws -> SharedState) rethrows {
    if let run {
      guard let run, let record = run.proposal(id) else { return nil }
      (self.record, self.run) = (record, run)
    } else {
      // A run that does not exist has no proposals: what was said about it is over.
      guard let record = try shared().proposals.last(where: { $0.id == id }), BuiltinTool(rawValue: record.tool)?.isOfWorkspace == true
      else { return nil }
      (self.record, self.run) = (record, nil)
    }
  }
}
