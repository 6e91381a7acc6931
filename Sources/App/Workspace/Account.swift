internal import Core
internal import Glibc
internal import Governance

/// The account of the operating system that runs the process.
enum Account {
  /// The account's name, or `uid-…` where it has none.
  static var current: String {
    let uid = geteuid()
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: 16_384)
    guard getpwuid_r(uid, &entry, &buffer, buffer.count, &found) == 0, found != nil, let name = entry.pw_name else { return "uid-\(uid)" }
    return String(cString: name)
  }

  /// Who the account is: the person who has it, else the operator of a store that is opened directly.
  ///
  /// Nothing that the user types changes this. The gate asks the directory again with every proposal: an operator whose account has come
  /// into the directory since is one no more, and what the account did under another name counts as this person's. In either case every record says that the store was opened directly.
  static func identity(in directory: Directory, account: String = current) -> Identity {
    if let person = directory.person(account: account) {
      return Identity(principal: person.principal, account: account, mode: .singleOperator)
    }
    // Who has left does not come back as the operator.
    if let former = directory.former[account] {
      return Identity(principal: "user:\(former)", account: account, mode: .singleOperator)
    }
    // An account that nobody has must not speak with the name of a person who is there.
    let name = directory.people.contains { $0.id == account } ? "operator-\(account)" : account
    return Identity(principal: "user:\(name)", account: account, mode: .singleOperator, isOperator: true)
  }
}
