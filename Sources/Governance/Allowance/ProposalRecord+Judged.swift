internal import Audit
internal import Core

extension ProposalRecord {
  /// Keeps what people found about an agent's own call: what they decided on it, or said when they looked at it later.
  mutating func judge(isRight: Bool, at time: Instant) {
    guard principal.hasPrefix("agent:"), !isEdited else { return }
    judged = Judged(isRight: isRight, time: time)
  }
}

extension RunRecord {
  /// Keeps what a person said about a call that an allowance covered.
  mutating func noteReview(_ entry: Entry) throws {
    guard let review = entry.bodyView["review"], review.members != nil else { return }
    let id = try review.text("proposal")
    guard let place = place(of: id), !proposals[place].uses.isEmpty else {
      throw GovernanceLedger.Misfit("a review of a call that no allowance covered")
    }
    proposals[place].judge(isRight: review["verdict"]?.stringValue == "right", at: entry.time)
  }
}
