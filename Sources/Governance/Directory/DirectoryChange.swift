public import Core

/// One change of the directory, as a proposal asks for it and an entry states it.
public enum DirectoryChange: Hashable, Sendable {
  /// A person comes, or what is known of one is replaced.
  case putPerson(Directory.Person)
  /// A person leaves; who reported to them reports to their manager.
  case leave(String)
  /// A role is named, or gets another title.
  case putRole(Directory.Role)
  /// A role that nobody holds goes.
  case removeRole(String)
  /// A person gets a key for signing.
  case addKey(person: String, PublicKey)
  /// A person's key, named by its fingerprint, counts no more.
  case removeKey(person: String, fingerprint: String)
  /// A person will be absent.
  case putAbsence(Directory.Absence)
  /// An absence is over, or will not be.
  case endAbsence(String)
  /// A person lets another decide in their place.
  case putDelegation(Directory.Delegation)
  /// A delegation is taken back.
  case endDelegation(String)

  /// The change as JSON; ``init(json:)`` reads it back.
  public var json: JSON {
    switch self {
    case .putPerson(let person): ["kind": "person.put", "person": person.json]
    case .leave(let person): ["kind": "person.leave", "person": .string(person)]
    case .putRole(let role): ["kind": "role.put", "role": .string(role.name), "title": .string(role.title)]
    case .removeRole(let role): ["kind": "role.remove", "role": .string(role)]
    case .addKey(let person, let key): ["key": .string(key.line), "kind": "key.add", "person": .string(person)]
    case .removeKey(let person, let fingerprint):
      ["fingerprint": .string(fingerprint), "kind": "key.remove", "person": .string(person)]
    case .putAbsence(let absence): ["absence": absence.json, "kind": "absence.put"]
    case .endAbsence(let id): ["id": .string(id), "kind": "absence.end"]
    case .putDelegation(let delegation): ["delegation": delegation.json, "kind": "delegation.put"]
    case .endDelegation(let id): ["id": .string(id), "kind": "delegation.end"]
    }
  }

  /// Reads what ``json`` writes; nil for anything else.
  public init?(json: JSON) {
    func text(_ key: String) -> String? { json[key]?.stringValue }
    switch text("kind") {
    case "person.put":
      guard let person = Directory.Person(json: json["person"]) else { return nil }
      self = .putPerson(person)
    case "person.leave":
      guard let person = text("person") else { return nil }
      self = .leave(person)
    case "role.put":
      guard let role = text("role"), let title = text("title") else { return nil }
      self = .putRole(Directory.Role(name: role, title: title))
    case "role.remove":
      guard let role = text("role") else { return nil }
      self = .removeRole(role)
    case "key.add":
      guard let person = text("person"), let key = text("key").flatMap({ PublicKey(line: $0) }) else { return nil }
      self = .addKey(person: person, key)
    case "key.remove":
      guard let person = text("person"), let fingerprint = text("fingerprint") else { return nil }
      self = .removeKey(person: person, fingerprint: fingerprint)
    case "absence.put":
      guard let absence = Directory.Absence(json: json["absence"]) else { return nil }
      self = .putAbsence(absence)
    case "absence.end":
      guard let id = text("id") else { return nil }
      self = .endAbsence(id)
    case "delegation.put":
      guard let delegation = Directory.Delegation(json: json["delegation"]) else { return nil }
      self = .putDelegation(delegation)
    case "delegation.end":
      guard let id = text("id") else { return nil }
      self = .endDelegation(id)
    default: return nil
    }
  }
}

extension DirectoryChange {
  /// The changes that a call of `directory.change` asks for.
  ///
  /// - Throws: ``Refusal`` where one of them cannot be read.
  static func all(in arguments: JSONObject) throws(Refusal) -> [DirectoryChange] {
    var changes: [DirectoryChange] = []
    for (place, json) in (arguments["changes"]?.arrayValue ?? []).enumerated() {
      guard let change = DirectoryChange(json: json) else {
        let kind = json["kind"]?.stringValue.map { "`\(visible($0))`" } ?? "without a `kind`"
        throw Refusal(.argumentsInvalid, "change \(place + 1), \(kind), is none of the directory's or lacks something")
      }
      changes.append(change)
    }
    return changes
  }

  /// The ids of the people whom the change is about.
  func people(in directory: Directory) -> [String] {
    switch self {
    case .putPerson(let person): [person.id]
    case .leave(let id), .addKey(let id, _), .removeKey(let id, _): [id]
    case .putRole, .removeRole: []
    case .putAbsence(let absence): [absence.person] + (absence.deputy.map { [$0] } ?? [])
    case .endAbsence(let id): directory.absences.filter { $0.id == id }.map(\.person)
    case .putDelegation(let delegation): [delegation.from, delegation.to]
    case .endDelegation(let id): directory.delegations.filter { $0.id == id }.map(\.from)
    }
  }

  /// Whose time or authority it is about; nil for a change of the record itself.
  func giver(in directory: Directory) -> String? {
    switch self {
    case .putAbsence(let absence): absence.person
    case .putDelegation(let delegation): delegation.from
    case .endAbsence, .endDelegation: people(in: directory).first
    default: nil
    }
  }
}

extension Directory {
  /// The directory after some changes: the fold and the gate's check of a proposal are this.
  ///
  /// - Throws: ``Refusal`` for a change that names nobody, takes what is somebody else's, makes a circle, or leaves changes of the workspace
  ///   to nobody; the directory is as it was.
  /// - Complexity: O(changes · people).
  public func applying(_ changes: [DirectoryChange]) throws(Refusal) -> Directory {
    var draft = DirectoryDraft(self)
    for change in changes { try draft.apply(change) }
    try draft.check()
    return draft.directory.following(self)
  }
}

/// A directory while it changes.
private struct DirectoryDraft {
  private var people: [Directory.Person]
  private var roles: [Directory.Role]
  private var absences: [Directory.Absence]
  private var delegations: [Directory.Delegation]
  private let governs: [WorkspaceTopic: Directory.Approver]
  private let agentAccounts: [String]
  /// The directory before all changes.
  private let old: Directory

  init(_ directory: Directory) {
    old = directory
    people = directory.people
    roles = directory.roles
    absences = directory.absences
    delegations = directory.delegations
    governs = directory.governs
    agentAccounts = directory.agentAccounts
  }

  var directory: Directory {
    Directory(
      people: people, roles: roles, governs: governs, absences: absences, delegations: delegations, agentAccounts: agentAccounts)
  }

  mutating func apply(_ change: DirectoryChange) throws(Refusal) {
    switch change {
    case .putPerson(let person): try put(person)
    case .leave(let id):
      let place = try self.place(of: id)
      let manager = people[place].manager
      people.remove(at: place)
      for other in people.indices where people[other].manager == id { people[other] = people[other].with(manager: manager) }
      absences.removeAll { $0.person == id }
      for other in absences.indices where absences[other].deputy == id {
        let absence = absences[other]
        absences[other] = Directory.Absence(
          id: absence.id, person: absence.person, from: absence.from, until: absence.until, deputy: nil)
      }
      delegations.removeAll { $0.from == id || $0.to == id }
    case .putRole(let role):
      try checkName(role.name, "role")
      roles.removeAll { $0.name == role.name }
      roles.append(role)
    case .removeRole(let role):
      guard roles.contains(where: { $0.name == role }) else { throw unknown("role", role, roles.map(\.name)) }
      if let holder = people.first(where: { $0.roles.contains(role) }) {
        throw refusal("`\(holder.id)` holds the role `\(role)`; take it from them first")
      }
      roles.removeAll { $0.name == role }
    case .addKey(let id, let key):
      let place = try self.place(of: id)
      if let owner = people.first(where: { $0.keys.contains { $0.fingerprint == key.fingerprint } }) {
        throw refusal("the key \(key.fingerprint) belongs to `\(owner.id)` already: one key is one person")
      }
      people[place] = people[place].with(keys: people[place].keys + [key])
    case .removeKey(let id, let fingerprint):
      let place = try self.place(of: id)
      let left = people[place].keys.filter { $0.fingerprint != fingerprint }
      guard left.count < people[place].keys.count else { throw refusal("`\(id)` has no key \(visible(fingerprint))") }
      people[place] = people[place].with(keys: left)
    case .putAbsence(let absence): try put(absence)
    case .endAbsence(let id):
      guard absences.contains(where: { $0.id == id }) else { throw unknown("absence", id, absences.map(\.id)) }
      absences.removeAll { $0.id == id }
    case .putDelegation(let delegation): try put(delegation)
    case .endDelegation(let id):
      guard delegations.contains(where: { $0.id == id }) else { throw unknown("delegation", id, delegations.map(\.id)) }
      delegations.removeAll { $0.id == id }
    }
  }

  private mutating func put(_ person: Directory.Person) throws(Refusal) {
    try checkName(person.id, "person")
    if let account = person.accounts.first(where: { agentAccounts.contains($0) }) {
      throw refusal("the account `\(visible(account))` is one under which agents run: no person works as an agent does")
    }
    for role in person.roles where !roles.contains(where: { $0.name == role }) { throw unknown("role", role, roles.map(\.name)) }
    for other in people where other.id != person.id {
      if let account = person.accounts.first(where: { other.accounts.contains($0) }) {
        throw refusal("the account `\(visible(account))` belongs to `\(other.id)` already: one account is one person")
      }
      if let key = person.keys.first(where: { key in other.keys.contains { $0.fingerprint == key.fingerprint } }) {
        throw refusal("the key \(key.fingerprint) belongs to `\(other.id)` already: one key is one person")
      }
    }
    for account in person.accounts {
      if let owner = old.former[account] ?? old.person(account: account)?.id, owner != person.id {
        throw refusal("the account `\(visible(account))` was `\(owner)`'s: it can come back only as theirs")
      }
    }
    if let place = people.firstIndex(where: { $0.id == person.id }) { people[place] = person } else { people.append(person) }
  }

  private mutating func put(_ absence: Directory.Absence) throws(Refusal) {
    _ = try place(of: absence.person)
    guard absence.from < absence.until else { throw refusal("an absence ends after it begins") }
    if let deputy = absence.deputy {
      _ = try place(of: deputy)
      if deputy == absence.person { throw refusal("`\(deputy)` cannot be their own deputy") }
    }
    guard !absences.contains(where: { $0.id == absence.id }) else { throw refusal("there is an absence `\(visible(absence.id))` already") }
    absences.append(absence)
  }

  private mutating func put(_ delegation: Directory.Delegation) throws(Refusal) {
    let giver = people[try place(of: delegation.from)]
    _ = try place(of: delegation.to)
    if delegation.from == delegation.to { throw refusal("`\(delegation.to)` cannot delegate to themselves") }
    guard delegation.since < delegation.until else { throw refusal("a delegation ends after it begins") }
    if let role = delegation.roles.first(where: { !giver.roles.contains($0) }) {
      throw refusal("`\(giver.id)` does not hold the role `\(visible(role))`, so they cannot give it")
    }
    guard !delegations.contains(where: { $0.id == delegation.id }) else {
      throw refusal("there is a delegation `\(visible(delegation.id))` already")
    }
    if let back = delegations.first(where: { $0.from == delegation.to && $0.to == delegation.from && $0.overlaps(delegation) }) {
      throw refusal("a loop of delegations: `\(back.id)` goes the other way at the same time")
    }
    delegations.append(delegation)
  }

  /// What must hold once all changes are made, in whatever order they came.
  func check() throws(Refusal) {
    let managers = Dictionary(people.map { ($0.id, $0.manager) }, uniquingKeysWith: { first, _ in first })
    for person in people {
      if let manager = person.manager, managers[manager] == nil { throw unknown("person", manager, people.map(\.id)) }
      var current = person.id
      for _ in 0...people.count {
        guard let next = managers[current] ?? nil else { break }
        if next == person.id { throw refusal("`\(person.id)` would be their own manager, directly or through others") }
        current = next
      }
    }
    for (topic, approver) in governs.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      let isSomebody =
        switch approver {
        case .role(let role): people.contains { $0.roles.contains(role) }
        case .user(let user): managers[user] != nil
        case .owner: true
        }
      if !isSomebody { throw refusal("nobody would be left who decides about `\(topic.rawValue)`, which is for `\(approver)`") }
    }
  }

  // MARK: Small things

  private func place(of id: String) throws(Refusal) -> Int {
    guard let place = people.firstIndex(where: { $0.id == id }) else { throw unknown("person", id, people.map(\.id)) }
    return place
  }

  private func checkName(_ name: String, _ kind: String) throws(Refusal) {
    if !isDirectoryName(name) {
      throw refusal("`\(visible(name))` cannot name a \(kind): use letters, digits, `.`, `_` and `-`, at most 64")
    }
  }

  private func unknown(_ kind: String, _ name: String, _ known: [String]) -> Refusal {
    let hint = nearestName(to: name, in: known).map { "; did you mean `\($0)`?" } ?? ""
    return refusal("there is no \(kind) `\(visible(name))`\(hint)")
  }

  private func refusal(_ message: String) -> Refusal { Refusal(.argumentsInvalid, message) }
}

extension Directory.Person {
  fileprivate func with(manager: String?) -> Directory.Person {
    Directory.Person(id: id, name: name, roles: roles, accounts: accounts, manager: manager, keys: keys)
  }

  fileprivate func with(keys: [PublicKey]) -> Directory.Person {
    Directory.Person(id: id, name: name, roles: roles, accounts: accounts, manager: manager, keys: keys)
  }
}

extension Directory.Delegation {
  fileprivate func overlaps(_ other: Directory.Delegation) -> Bool { since < other.until && other.since < until }
}

/// Whether a text can be a person's or role's name.
func isDirectoryName(_ text: String) -> Bool {
  (1...64).contains(text.utf8.count)
    && text.utf8.allSatisfy {
      ($0 | 0x20) &- 97 < 26 || $0 &- 48 < 10 || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
    }
}
