internal import Core
internal import Glibc
internal import Governance

/// Accounts of the operating system, and who they are in a workspace.
enum Account {
  /// The name of the account that runs the process, or `uid-…` where it has none.
  static var current: String { name(of: geteuid()) }

  /// The name of an account, or `uid-…` where it has none.
  static func name(of uid: UInt32) -> String {
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: 16_384)
    guard getpwuid_r(uid, &entry, &buffer, buffer.count, &found) == 0, found != nil, let name = entry.pw_name else { return "uid-\(uid)" }
    return String(cString: name)
  }

  /// Who the account is: the person who has it, else the operator of a store that is opened directly.
  ///
  /// Nothing that the user types changes this. The gate asks the directory again with every proposal: an operator whose account has come
  /// into the directory since is one no more, and what the account did under another name counts as this person's. In either case every
  /// record says that the store was opened directly.
  ///
  /// - Throws: ``CommandError`` for an account under which agents run: it is nobody.
  static func identity(in directory: Directory, account: String = current) throws -> Identity {
    try identity(in: directory, account: account, mode: .singleOperator, uid: nil, mayOperate: true)
  }

  /// Who is at the other end of the service's socket.
  ///
  /// - Parameters:
  ///   - directory: The people, as the store has them now.
  ///   - uid: Their account's number, as the kernel says it.
  ///   - account: Its name.
  ///   - mayOperate: Whether the account is the service's own and no team has the store: then it is the operator's.
  /// - Returns: The person.
  /// - Throws: ``CommandError`` with exit code 4 for an account that is nobody's, and for one under which agents run.
  static func identity(in directory: Directory, uid: UInt32, account: String, mayOperate: Bool) throws -> Identity {
    try identity(in: directory, account: account, mode: .socket, uid: uid, mayOperate: mayOperate)
  }

  private static func identity(
    in directory: Directory, account: String, mode: Identity.Mode, uid: UInt32?, mayOperate: Bool
  ) throws -> Identity {
    if directory.agentAccounts.contains(account) {
      throw CommandError(
        .identity, "agent-account", "agents run under the account `\(visible(account))`: it decides nothing and gives no commands")
    }
    if let person = directory.person(account: account) {
      return Identity(principal: person.principal, account: account, mode: mode, uid: uid)
    }
    // Who has left does not come back as the operator.
    if let former = directory.former[account], mode == .singleOperator {
      return Identity(principal: "user:\(former)", account: account, mode: mode, uid: uid)
    }
    guard mayOperate, directory.former[account] == nil else {
      throw CommandError(
        .identity, "account-unknown", "the account `\(visible(account))` is nobody's in the directory of this workspace",
        hint: "whom `governs.directory` names can give it to a person: `remit person put PERSON --account \(visible(account))`")
    }
    // An account that nobody has must not speak with the name of a person who is there.
    let name = directory.people.contains { $0.id == account } ? "operator-\(account)" : account
    return Identity(principal: "user:\(name)", account: account, mode: mode, isOperator: true, uid: uid)
  }
}

extension Identity {
  /// The same account, as a directory has it that may have changed since.
  func refreshed(in directory: Directory) throws -> Identity {
    guard mode == .socket, let uid else { return try Account.identity(in: directory, account: account) }
    return try Account.identity(in: directory, uid: uid, account: account, mayOperate: isOperator)
  }
}
