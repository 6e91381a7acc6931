/// Who stands behind a command: a person, and how that is known.
public struct Identity: Hashable, Sendable {
  /// How the service knows who it is.
  public enum Mode: String, Hashable, Sendable {
    /// The store's file was opened directly: whoever can do that can do anything, and every record says so.
    case singleOperator = "single-operator"
    /// A script acts for a seeded person, as the demo does without a terminal; every record says so.
    case scripted
  }

  /// The principal, such as `user:ana`.
  public let principal: String
  /// The account of the operating system that gave the command.
  public let account: String
  /// How the service knows.
  public let mode: Mode
  /// Whether the person is the operator of a single-operator store, who is not in its directory and holds every role.
  public let isOperator: Bool

  /// Makes an identity from its parts.
  public init(principal: String, account: String, mode: Mode, isOperator: Bool = false) {
    self.principal = principal
    self.account = account
    self.mode = mode
    self.isOperator = isOperator
  }

  /// The person of a seeded directory for whom a script acts.
  public static func scripted(_ principal: String) -> Identity { Identity(principal: principal, account: "script", mode: .scripted) }

  /// The roles that the identity holds now.
  func roles(in directory: Directory) -> [String] {
    isOperator ? directory.roles.map(\.name) : directory.roles(of: principal)
  }
}
