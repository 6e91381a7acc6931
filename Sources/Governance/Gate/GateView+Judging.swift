extension GateView {
  /// What the gate says of a proposal in this view: the very function that decides live, for replays under other releases.
  ///
  /// Nothing is recorded.
  public func judgement(of proposal: Proposal) -> Judgement { Judge.judge(proposal, in: self) }
}
