internal import Core

/// What happens while a held request waits for people: how long it may, who is reminded, who is asked as well, and who may pass it alone
/// in an emergency.
public struct ApprovalCourse: Hashable, Sendable {
  /// Somebody else who is asked where nobody decides.
  public struct Escalation: Hashable, Sendable {
    /// Whom a request that nobody decides on goes to.
    public enum Target: Hashable, Sendable, CustomStringConvertible {
      /// Everyone who holds a role.
      case role(String)
      /// One person, a principal.
      case user(String)
      /// The managers of those who could decide.
      case manager

      /// Reads `role:finance`, `user:kim` or `manager`; nil for anything else.
      public init?(parsing text: String) {
        if text == "manager" {
          self = .manager
        } else if text.utf8.starts(with: "role:".utf8), text.utf8.count > 5 {
          self = .role(String(text.dropFirst(5)))
        } else if text.utf8.starts(with: "user:".utf8), text.utf8.count > 5 {
          self = .user(text)
        } else {
          return nil
        }
      }

      /// The target as files and entries have it.
      public var description: String {
        switch self {
        case .role(let role): "role:\(role)"
        case .user(let user): user
        case .manager: "manager"
        }
      }
    }

    /// How long a stage has to wait.
    public let after: Duration
    /// Who is asked then, beside those who could decide already.
    public let to: Target

    /// A rung of the ladder.
    public init(after: Duration, to: Target) {
      self.after = after
      self.to = to
    }
  }

  /// Who may pass a request alone in an emergency, and who looks at it afterwards.
  public struct BreakGlass: Hashable, Sendable {
    /// Roles, bare names: who holds one may.
    public let roles: [String]
    /// Roles, bare names: who holds one reviews it, other than the person who did it.
    public let reviewers: [String]
    /// How long after it the review is due.
    public let within: Duration

    /// Makes it from its parts.
    public init(roles: [String], reviewers: [String], within: Duration) {
      self.roles = roles
      self.reviewers = reviewers
      self.within = within
    }
  }

  /// How long the request stays open, where the rule limits it.
  public let within: Duration?
  /// After how long without a decision people are reminded, and again each time.
  public let remind: Duration?
  /// Who is asked as well as time passes, the soonest first.
  public let escalation: [Escalation]
  /// The way for emergencies, where the rule has one.
  public let breakGlass: BreakGlass?

  /// Makes a course from its parts.
  public init(within: Duration? = nil, remind: Duration? = nil, escalation: [Escalation] = [], breakGlass: BreakGlass? = nil) {
    self.within = within
    self.remind = remind
    self.escalation = escalation
    self.breakGlass = breakGlass
  }

  /// The course in words: `within P3D, reminds every PT4H, after P1D to manager, break-glass by security`.
  var text: String {
    let parts = [
      within.map { "within \($0.iso8601)" }, remind.map { "reminds every \($0.iso8601)" },
      escalation.isEmpty ? nil : escalation.map { "after \($0.after.iso8601) to \($0.to)" }.joined(separator: ", "),
      breakGlass.map {
        "break-glass by \($0.roles.joined(separator: " or ")), reviewed by \($0.reviewers.joined(separator: " or ")) within \($0.within.iso8601)"
      },
    ]
    return parts.compactMap(\.self).joined(separator: ", ")
  }
}
