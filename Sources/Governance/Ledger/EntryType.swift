/// The types of entries that the gate writes, each with the version of its shape.
public enum EntryType {
  /// A store came into being.
  public static let storeOpened = "store.opened@1"
  /// A proposal, its verdict, and every consequence.
  public static let proposal = "proposal.decided@1"
  /// What a person, or the clock, decided on a held proposal, and every consequence.
  public static let approval = "approval.decided@1"
  /// Something about a proposal that waits, or was passed in an emergency, and that decides nothing: a reminder, somebody else who is
  /// asked, more time, a question, an answer, a review.
  public static let approvalNoted = "approval.noted@1"
  /// A decision that was refused: someone tried what they may not do, or did it twice.
  public static let approvalRefused = "approval.refused@1"
  /// An effect is about to begin.
  public static let effectStarted = "effect.started@1"
  /// What became of an effect, and every consequence.
  public static let effectSettled = "effect.settled@1"
  /// A copy of the store was put in its place.
  public static let storeRestored = "store.restored@1"
  /// A copy of the whole store is made: its content is in another place from then on.
  public static let storeCopied = "store.copied@1"
  /// A content part was removed, as an approved proposal says.
  public static let contentRedacted = "content.redacted@1"
  /// An account that may not give commands tried to.
  public static let accessRefused = "access.refused@1"
  /// The wall clock cannot be believed.
  public static let clockSuspected = "clock.suspected@1"
  /// A tool is not what was released, and so is not called any more.
  public static let toolSuspended = "tool.suspended@1"
  /// An allowance ended because of what happened.
  public static let allowanceEnded = "allowance.ended@1"
}

/// The names of the content parts of entries: what may be redacted one day.
public enum ContentPart {
  /// The arguments of a proposal, canonical JSON.
  public static let arguments = "arguments"
  /// Why, in the proposer's or the decider's words, UTF-8.
  public static let reason = "reason"
  /// The values of the entry's run events, canonical JSON.
  public static let values = "values"
  /// Why the gate refused, UTF-8.
  public static let refusal = "refusal"
  /// What an effect gave back, canonical JSON.
  public static let result = "result"
  /// Why an effect failed or is in doubt, or how a person knows what became of it, UTF-8.
  public static let error = "error"
  /// The values that the matching rules read, canonical JSON.
  public static let read = "read"
  /// What a person signed when they approved, ASCII.
  public static let statement = "statement"
  /// The signature of a statement, as `ssh-keygen -Y sign` writes it.
  public static let signature = "signature"
  /// Whether a held proposal is a probe, canonical JSON: beside the envelope, which looks the same either way.
  public static let seal = "seal"
  /// Where a copy of the store is put, UTF-8.
  public static let path = "path"
  /// The public key of a signature, one line in the form of OpenSSH.
  public static let signer = "signer"
}
