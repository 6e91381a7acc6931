public import Core

extension Directory {
  /// Reads `organisation.json5`: `{ roles: { compliance: "Compliance" }, people: { ana: { name, roles, accounts, manager, keys } },
  /// governs: { allowances: "role:compliance" }, agent_accounts: ["remit-agent"] }`.
  ///
  /// - Throws: ``Diagnostics`` with every problem: unknown keys and roles, an account that two people claim, a circle of managers.
  public static func load(_ file: PositionedJSON) throws(Diagnostics) -> Directory {
    var loader = DirectoryLoader()
    let directory = loader.load(file)
    if !loader.problems.isEmpty { throw Diagnostics(loader.problems) }
    return directory
  }
}

private struct DirectoryLoader {
  var problems: [Diagnostic] = []

  mutating func load(_ file: PositionedJSON) -> Directory {
    let members = object(file, known: ["roles", "people", "governs", "agent_accounts"], "the file")
    var roles: [Directory.Role] = []
    for member in object(members["roles"], known: nil, "`roles`", required: file).sortedByPlace {
      if checkName(member, "role"), let title = text(member.value) { roles.append(Directory.Role(name: member.key, title: title)) }
    }
    let entries = object(members["people"], known: nil, "`people`", required: file).sortedByPlace
    var people: [Directory.Person] = []
    var claimed: [String: String] = [:]
    var owners: [String: String] = [:]
    for member in entries where checkName(member, "person") {
      let parts = object(member.value, known: ["name", "roles", "accounts", "manager", "keys"], "a person")
      let held = strings(parts["roles"]).filter { role in
        if roles.contains(where: { $0.name == role.text }) { return true }
        problems.append(.unknown("role", role.text, known: roles.map(\.name), at: role.position))
        return false
      }
      let accounts = strings(parts["accounts"])
      for account in accounts {
        if let other = claimed.updateValue(member.key, forKey: account.text) {
          let message = "the account `\(visible(account.text))` belongs to `\(other)` already: one account is one person"
          problems.append(Diagnostic("account-taken", at: account.position, message))
        }
      }
      let manager = parts["manager"].flatMap { value in text(value).map { (value, $0) } }
      if let (value, name) = manager, !entries.contains(where: { $0.key == name }) {
        problems.append(.unknown("person", name, known: entries.map(\.key), at: value.position))
      }
      let keys = strings(parts["keys"]).compactMap { line -> PublicKey? in
        guard let key = PublicKey(line: line.text) else {
          let message = "`\(visible(line.text))` is no public key: it has a type, such as `ssh-ed25519`, and the key in base64"
          problems.append(Diagnostic("bad-key", at: line.position, message, hint: "take the one line of a `.pub` file"))
          return nil
        }
        if let other = owners.updateValue(member.key, forKey: key.fingerprint) {
          problems.append(Diagnostic("key-taken", at: line.position, "this key belongs to `\(other)` already: one key is one person"))
        }
        return key
      }
      let name = parts["name"].flatMap { text($0) } ?? member.key
      people.append(
        Directory.Person(
          id: member.key, name: name, roles: held.map(\.text), accounts: accounts.map(\.text), manager: manager?.1,
          keys: keys))
    }
    checkManagers(people, entries)
    let agents = strings(members["agent_accounts"])
    for account in agents where claimed[account.text] != nil {
      let message = "the account `\(visible(account.text))` belongs to `\(claimed[account.text] ?? "")`: no person works as an agent does"
      problems.append(Diagnostic("account-taken", at: account.position, message))
    }
    return Directory(
      people: people, roles: roles, governs: governs(members["governs"], people, roles), agentAccounts: agents.map(\.text))
  }

  /// Who decides about which changes of the workspace: somebody there must be who can.
  private mutating func governs(
    _ member: PositionedJSON.Member?, _ people: [Directory.Person], _ roles: [Directory.Role]
  ) -> [WorkspaceTopic: Directory.Approver] {
    var governs: [WorkspaceTopic: Directory.Approver] = [:]
    let topics = WorkspaceTopic.allCases.map(\.rawValue)
    guard let value = member?.value else { return [:] }
    for member in object(value, known: topics, "`governs`").sortedByPlace {
      guard let topic = WorkspaceTopic(rawValue: member.key), let name = text(member.value) else { continue }
      switch Directory.Approver(parsing: name) {
      case .role(let role) where !roles.contains { $0.name == role }:
        problems.append(.unknown("role", role, known: roles.map(\.name), at: member.position))
      case .role(let role) where !people.contains { $0.roles.contains(role) }:
        problems.append(Diagnostic("nobody-governs", at: member.position, "nobody holds the role `\(role)`, so nobody could approve"))
      case .user(let user) where !people.contains { $0.id == user }:
        problems.append(.unknown("person", user, known: people.map(\.id), at: member.position))
      case .owner where topic == .directory || topic == .stops || topic == .mode || topic == .guarding:
        problems.append(Diagnostic("nobody-governs", at: member.position, "`\(topic.rawValue)` belongs to no process, so it has no owner"))
      case .some(let approver): governs[topic] = approver
      case nil:
        let message = "`\(visible(name))` names nobody: it is `role:NAME`, `user:NAME` or `owner`"
        problems.append(Diagnostic("bad-approver", at: member.position, message))
      }
    }
    return governs
  }

  private mutating func checkManagers(_ people: [Directory.Person], _ entries: [PositionedJSON.Member]) {
    let managers = Dictionary(people.map { ($0.id, $0.manager) }, uniquingKeysWith: { first, _ in first })
    for entry in entries {
      var current = entry.key
      for _ in 0...people.count {
        guard let next = managers[current] ?? nil else { break }
        if next == entry.key {
          problems.append(
            Diagnostic("manager-circle", at: entry.keyPosition, "`\(entry.key)` is their own manager, directly or through others"))
          break
        }
        current = next
      }
    }
  }

  private mutating func object(
    _ value: PositionedJSON?, known: [String]?, _ what: String, required parent: PositionedJSON? = nil
  ) -> [String: PositionedJSON.Member] {
    guard let value else {
      if let parent { problems.append(Diagnostic("missing-key", at: parent.position, "\(what) is missing")) }
      return [:]
    }
    guard let members = value.objectValue else {
      problems.append(Diagnostic("wrong-type", at: value.position, "expected an object for \(what)"))
      return [:]
    }
    if let known {
      for member in members where !known.contains(member.key) {
        problems.append(.unknown("key", member.key, known: known, at: member.keyPosition))
      }
    }
    return Dictionary(members.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
  }

  private mutating func object(_ member: PositionedJSON.Member?, known: [String]?, _ what: String, required parent: PositionedJSON)
    -> [String: PositionedJSON.Member]
  {
    object(member?.value, known: known, what, required: parent)
  }

  private mutating func checkName(_ member: PositionedJSON.Member, _ kind: String) -> Bool {
    if isDirectoryName(member.key) { return true }
    let message = "`\(visible(member.key))` cannot name a \(kind): use letters, digits, `.`, `_` and `-`, at most 64"
    problems.append(Diagnostic("bad-name", at: member.keyPosition, message))
    return false
  }

  private mutating func text(_ value: PositionedJSON) -> String? {
    if value.stringValue == nil { problems.append(Diagnostic("wrong-type", at: value.position, "expected a string")) }
    return value.stringValue
  }

  private mutating func text(_ member: PositionedJSON.Member) -> String? { text(member.value) }

  private mutating func strings(_ member: PositionedJSON.Member?) -> [(text: String, position: SourcePosition)] {
    guard let value = member?.value else { return [] }
    guard let elements = value.arrayValue else {
      problems.append(Diagnostic("wrong-type", at: value.position, "expected a list of strings"))
      return []
    }
    return elements.compactMap { element in text(element).map { ($0, element.position) } }
  }
}

extension [String: PositionedJSON.Member] {
  /// The members in the order of the file.
  fileprivate var sortedByPlace: [PositionedJSON.Member] { values.sorted { $0.keyPosition.offset < $1.keyPosition.offset } }
}

extension PositionedJSON.Member {
  fileprivate var position: SourcePosition { value.position }
}
