public import Core

/// The people of an organisation and the roles that they hold.
///
/// A governed record: it changes only by an entry of the log, and is read at the moment of each decision.
public struct Directory: Sendable {
  /// A person, who is one however many accounts they have.
  public struct Person: Hashable, Sendable {
    /// The id, without `user:`.
    public let id: String
    /// The name that people read.
    public let name: String
    /// The roles that the person holds, bare names.
    public let roles: [String]
    /// The accounts of the operating system that are this person.
    public let accounts: [String]
    /// The id of the person's manager.
    public let manager: String?
    /// The public keys with which the person signs approvals.
    public let keys: [PublicKey]

    /// A person.
    public init(id: String, name: String, roles: [String], accounts: [String], manager: String?, keys: [PublicKey] = []) {
      self.id = id
      self.name = name
      self.roles = roles
      self.accounts = accounts
      self.manager = manager
      self.keys = keys
    }

    /// The person as a principal.
    public var principal: String { "user:\(id)" }
  }

  /// A role that rules and processes may name.
  public struct Role: Hashable, Sendable {
    /// The bare name.
    public let name: String
    /// What it is for.
    public let title: String

    /// A role.
    public init(name: String, title: String) {
      self.name = name
      self.title = title
    }
  }

  /// The people, in file order.
  public let people: [Person]
  /// The roles, in file order.
  public let roles: [Role]
  /// Who has to approve changes of the workspace, by topic; a topic that is not here is left to the operator and the owners.
  public let governs: [WorkspaceTopic: Approver]
  /// When people are absent.
  public let absences: [Absence]
  /// Who may decide in whose place.
  public let delegations: [Delegation]
  /// Accounts of the operating system under which agents run: no person, and never the operator.
  public let agentAccounts: [String]
  /// Whose the accounts were that are nobody's any more: whoever has one is not the operator for that.
  public let former: [String: String]
  private let byID: [String: Int]
  private let byAccount: [String: Int]

  /// A directory of these people and roles; ids and accounts are unique, which ``load(_:)`` checks.
  public init(
    people: [Person] = [], roles: [Role] = [], governs: [WorkspaceTopic: Approver] = [:], absences: [Absence] = [],
    delegations: [Delegation] = [], agentAccounts: [String] = [], former: [String: String] = [:]
  ) {
    self.people = people
    self.roles = roles
    self.governs = governs
    self.absences = absences
    self.delegations = delegations
    self.agentAccounts = agentAccounts
    self.former = former
    byID = Dictionary(people.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
    byAccount = Dictionary(
      people.enumerated().flatMap { place, person in person.accounts.map { ($0, place) } }, uniquingKeysWith: { first, _ in first })
  }

  /// The directory that takes another's place: the accounts that it leaves to nobody stay known as those of who had them.
  public func following(_ old: Directory) -> Directory {
    var former = old.former
    for person in old.people { for account in person.accounts { former[account] = person.id } }
    for person in people { for account in person.accounts { former[account] = nil } }
    return Directory(
      people: people, roles: roles, governs: governs, absences: absences, delegations: delegations,
      agentAccounts: agentAccounts, former: former)
  }

  /// The person behind a principal such as `user:ana`.
  public func person(_ principal: String) -> Person? {
    guard principal.hasPrefix("user:") else { return nil }
    return byID[String(principal.utf8.dropFirst(5)) ?? ""].map { people[$0] }
  }

  /// The person whose account this is.
  public func person(account: String) -> Person? { byAccount[account].map { people[$0] } }

  /// The roles of a principal; none for someone who is not in the directory.
  public func roles(of principal: String) -> [String] { person(principal)?.roles ?? [] }

  /// The people who hold a role, in file order.
  public func holders(of role: String) -> [Person] { people.filter { $0.roles.contains(role) } }
}

// MARK: - As an entry's content

extension Directory: Hashable {
  /// Whether both have the same people, roles, absences and delegations, and the same people decide about them; who was there before does
  /// not matter.
  public static func == (a: Directory, b: Directory) -> Bool {
    a.people == b.people && a.roles == b.roles && a.governs == b.governs && a.absences == b.absences && a.delegations == b.delegations
      && a.agentAccounts == b.agentAccounts
  }

  /// Feeds people and roles to the hasher.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(people)
    hasher.combine(roles)
  }
}

extension Directory {
  /// The directory as JSON; ``init(json:)`` reads it back.
  public var json: JSON {
    let roles = roles.map { JSON.object(["name": .string($0.name), "title": .string($0.title)]) }
    var object: JSONObject = ["people": .array(people.map(\.json)), "roles": .array(roles)]
    let governs = WorkspaceTopic.allCases.compactMap { topic in self.governs[topic].map { (topic.rawValue, JSON.string($0.description)) } }
    if !governs.isEmpty { object["governs"] = .object(JSONObject(governs)) }
    if !absences.isEmpty { object["absences"] = .array(absences.map(\.json)) }
    if !delegations.isEmpty { object["delegations"] = .array(delegations.map(\.json)) }
    if !agentAccounts.isEmpty { object["agent_accounts"] = .array(agentAccounts.map { .string($0) }) }
    return .object(object)
  }

  /// Reads what ``json`` writes; nil for anything else.
  public init?(json: JSON) {
    guard let people = json["people"]?.arrayValue, let roles = json["roles"]?.arrayValue else { return nil }
    self.init(
      people: people.compactMap { Person(json: $0) },
      roles: roles.compactMap { role in
        role["name"]?.stringValue.map { Role(name: $0, title: role["title"]?.stringValue ?? $0) }
      },
      governs: Dictionary(
        uniqueKeysWithValues: WorkspaceTopic.allCases.compactMap { topic in
          json["governs"]?[topic.rawValue]?.stringValue.flatMap { Approver(parsing: $0) }.map { (topic, $0) }
        }),
      absences: (json["absences"]?.arrayValue ?? []).compactMap { Absence(json: $0) },
      delegations: (json["delegations"]?.arrayValue ?? []).compactMap { Delegation(json: $0) },
      agentAccounts: json["agent_accounts"].strings)
  }
}

extension Directory.Person {
  var json: JSON {
    var object: JSONObject = [
      "id": .string(id), "name": .string(name), "roles": .array(roles.map { .string($0) }),
      "accounts": .array(accounts.map { .string($0) }),
    ]
    object["manager"] = manager.map { .string($0) }
    if !keys.isEmpty { object["keys"] = .array(keys.map { .string($0.line) }) }
    return .object(object)
  }

  init?(json: JSON?) {
    guard let json, let id = json["id"]?.stringValue else { return nil }
    self.init(
      id: id, name: json["name"]?.stringValue ?? id, roles: json["roles"].strings, accounts: json["accounts"].strings,
      manager: json["manager"]?.stringValue, keys: json["keys"].strings.compactMap { PublicKey(line: $0) })
  }
}
