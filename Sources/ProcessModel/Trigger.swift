/// What starts a run.
public struct Trigger: Sendable {
  /// Where the start comes from.
  public enum Source: Hashable, Sendable {
    /// A person who holds `role` fills in a form.
    case form(role: String)
    /// A calendar rule: five cron fields, in the time zone.
    case schedule(cron: String, zone: String)
    /// An event from outside, brought in by somebody who holds `role`; by the owner of the process where it is `nil`.
    case event(role: String?)
  }

  /// Where the start comes from.
  public let source: Source
  /// The name that a run's first event carries: the form's, the event's, or `schedule` with the cron rule and zone.
  public let name: String
  /// What people read.
  public let title: String?
  /// The fields that the start may set.
  public let fields: [FormField]

  /// Whether it is an event, whose values anybody outside may have written.
  public var isEvent: Bool { if case .event = source { true } else { false } }
}
