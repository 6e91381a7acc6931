internal import ProcessModel

/// Why a proposal was stopped before any rule was asked, or why a rule's permit came to nothing.
///
/// The message goes to whoever proposed, so that an agent can try something better.
public struct Refusal: Error, Hashable, Sendable, CustomStringConvertible {
  /// What kind of refusal it is, stable across releases, in kebab case: one of ``Code``, or a ``RunRefusal/Code``.
  public let code: String
  /// Why, and what to do next: lower case, no full stop.
  public let message: String

  /// The gate's own kinds of refusal.
  public enum Code: String, Sendable, CaseIterable {
    /// No such principal.
    case principalUnknown = "principal-unknown"
    /// The store's file was opened directly, although a service keeps it.
    case serviceOnly = "service-only"
    /// No such tool, or a name that no tool can have.
    case toolUnknown = "tool-unknown"
    /// The tool is not what was released.
    case toolSuspended = "tool-suspended"
    /// The agent may not use this tool.
    case toolNotGranted = "tool-not-granted"
    /// The arguments do not meet the tool's schema.
    case argumentsInvalid = "arguments-invalid"
    /// A number of the arguments cannot be carried exactly.
    case notRepresentable = "not-representable"
    /// A text or the whole of the arguments is too long.
    case argumentsTooLarge = "arguments-too-large"
    /// No such run.
    case runUnknown = "run-unknown"
    /// No such release, or none for the process.
    case releaseUnknown = "release-unknown"
    /// The process has no such step.
    case stepUnknown = "step-unknown"
    /// The step is not open, or is someone else's.
    case stepNotOpen = "step-not-open"
    /// The step waits until an exception at it is resolved.
    case stepBlocked = "step-blocked"
    /// The wall clock cannot be believed.
    case clockSuspect = "clock-suspect"
    /// Work was stopped.
    case stopped
    /// The run is paused.
    case runPaused = "run-paused"
    /// Work cannot be sent back over an effect outside.
    case effectInBetween = "effect-in-between"
    /// A limit on proposals is reached.
    case rateLimit = "rate-limit"
    /// What the agent may spend on this step is spent.
    case budgetExhausted = "budget-exhausted"
    /// Another effect of the step has begun, and nobody knows yet what became of it.
    case stepBusy = "step-busy"
    /// No rule permits it.
    case forbidden
    /// The proposal is not waiting for a decision.
    case notHeld = "not-held"
    /// The person may not decide this.
    case notEligible = "not-eligible"
    /// The digest that was decided on is not the proposal's.
    case digestMismatch = "digest-mismatch"
    /// The approval has to be signed.
    case signatureRequired = "signature-required"
    /// A signature that does not fit the approval.
    case signatureInvalid = "signature-invalid"
    /// The time for a decision is over.
    case expired
    /// The proposal is not waiting to be executed.
    case notGranted = "not-granted"
    /// The effect is not in doubt, so nobody has to say what became of it.
    case notInDoubt = "not-in-doubt"
    /// Something that the approval was given for has changed.
    case changed
    /// No such proposal.
    case proposalUnknown = "proposal-unknown"
    /// No endorsement of that name.
    case endorsementUnknown = "endorsement-unknown"
    /// The evidence cannot be taken.
    case evidenceInvalid = "evidence-invalid"
    /// The allowance makes no sense as it stands.
    case allowanceInvalid = "allowance-invalid"
    /// No such allowance.
    case allowanceUnknown = "allowance-unknown"
    /// The evidence leaves more errors possible than the allowance accepts.
    case notEarned = "not-earned"
    /// The release's files cannot be used.
    case releaseInvalid = "release-invalid"

    /// Whether nothing is wrong with what was refused, but not now.
    public var isPassing: Bool { [.stopped, .clockSuspect, .toolSuspended, .stepBusy, .stepBlocked, .runPaused].contains(self) }
  }

  /// Makes a refusal.
  public init(_ code: Code, _ message: String) {
    self.code = code.rawValue
    self.message = message
  }

  /// Takes over the run's own refusal.
  init(_ refusal: RunRefusal) {
    code = refusal.code.rawValue
    message = refusal.message
  }

  init(code: String, message: String) {
    self.code = code
    self.message = message
  }

  /// Whether the same proposal may be possible later: nothing is wrong with it, but not now.
  public var isPassing: Bool { Code(rawValue: code)?.isPassing ?? false }

  /// The message.
  public var description: String { message }
}
