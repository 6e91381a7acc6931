internal import Core
internal import ProcessModel

/// Who stands behind a command: a person, and how that is known.
public struct Identity: Hashable, Sendable {
  /// How the service knows who it is.
  public enum Mode: String, Hashable, Sendable {
    /// The store's file was opened directly: whoever can do that can do anything, and every record says so.
    case singleOperator = "single-operator"
    /// A script acts for a seeded person, as the demo does without a terminal; every record says so.
    case scripted
    /// The service's socket: the kernel says which account is at its other end.
    case socket
  }

  /// The principal, such as `user:ana`.
  public let principal: String
  /// The account of the operating system that gave the command.
  public let account: String
  /// How the service knows.
  public let mode: Mode
  /// Whether the person came as the operator of a single-operator store, who holds every role.
  ///
  /// It counts only as long as nobody in the directory has the account: whoever looks asks the directory again.
  public let isOperator: Bool
  /// The number of the account, where the kernel said it.
  public let uid: UInt32?

  /// Makes an identity from its parts.
  public init(principal: String, account: String, mode: Mode, isOperator: Bool = false, uid: UInt32? = nil) {
    self.principal = principal
    self.account = account
    self.mode = mode
    self.isOperator = isOperator
    self.uid = uid
  }

  /// The person of a seeded directory for whom a script acts.
  public static func scripted(_ principal: String) -> Identity { Identity(principal: principal, account: "script", mode: .scripted) }

  /// The account, where it stands for one person; a script acts for many.
  var personalAccount: String? { mode == .scripted || account.isEmpty ? nil : account }

  /// Whether both are one person: the same principal, or the same account by another name.
  func isSamePerson(as other: Identity) -> Bool {
    bytesEqual(principal, other.principal) || personalAccount.map { bytesEqual($0, other.personalAccount ?? "") } ?? false
  }

  /// Whether the person is the operator now: the account is nobody's in the directory.
  func isOperator(in directory: Directory) -> Bool {
    isOperator && directory.person(account: account) == nil && directory.former[account] == nil
  }

  /// The roles that the identity holds now.
  func roles(in directory: Directory) -> [String] {
    if isOperator { return isOperator(in: directory) ? directory.roles.map(\.name) : [] }
    return directory.roles(of: principal)
  }

  /// Whether the person is the one, or holds the role, that a performer names.
  func holds(_ performer: Performer, in directory: Directory) -> Bool {
    switch performer {
    case .user(let name): bytesEqual("user:\(name)", principal)
    case .role(let role): roles(in: directory).contains(role)
    case .agent, .tool: false
    }
  }

  /// Why nobody in the directory is this person now, in words; nil for a known person, and for the operator.
  func problem(in directory: Directory) -> String? {
    if let holder = personalAccount.flatMap({ directory.person(account: $0) }), isOperator || !bytesEqual(holder.principal, principal) {
      return "the account `\(visible(account))` is `\(holder.principal)` in the directory of this workspace, not `\(visible(principal))`"
    }
    if isOperator, let person = directory.former[account] {
      return "the account `\(visible(account))` was `\(person)`'s, and is nobody's now"
    }
    return isOperator || directory.person(principal) != nil ? nil : "`\(visible(principal))` is not in the directory of this workspace"
  }
}
