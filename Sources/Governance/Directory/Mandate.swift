public import Core

extension Directory {
  /// A time in which a person is away; a deputy may decide in the person's place.
  public struct Absence: Hashable, Sendable {
    /// What it is called when it is ended.
    public let id: String
    /// The person's id.
    public let person: String
    /// The first moment of it.
    public let from: Instant
    /// The first moment after it.
    public let until: Instant
    /// The id of who decides in the person's place.
    public let deputy: String?

    /// An absence.
    public init(id: String, person: String, from: Instant, until: Instant, deputy: String?) {
      self.id = id
      self.person = person
      self.from = from
      self.until = until
      self.deputy = deputy
    }
  }

  /// A person's word that another may decide in their place for some time.
  public struct Delegation: Hashable, Sendable {
    /// What it is called when it is ended.
    public let id: String
    /// The id of the person whose authority it is.
    public let from: String
    /// The id of the person who may use it.
    public let to: String
    /// The roles that are given; all that the person holds where there are none.
    public let roles: [String]
    /// The processes that it is for; all where there are none.
    public let processes: [String]
    /// The first moment of it.
    public let since: Instant
    /// The first moment after it.
    public let until: Instant
    /// Why.
    public let reason: String?

    /// A delegation.
    public init(
      id: String, from: String, to: String, roles: [String], processes: [String], since: Instant, until: Instant, reason: String?
    ) {
      self.id = id
      self.from = from
      self.to = to
      self.roles = roles
      self.processes = processes
      self.since = since
      self.until = until
      self.reason = reason
    }
  }

  /// In whose place a person decides.
  public struct Mandate: Hashable, Sendable {
    /// Whose authority it is: a principal.
    public let authority: String
    /// The roles that come with it.
    public let roles: [String]
    /// The delegation or absence that gives it; nil for a person's own.
    public let source: String?
    /// Whether it is all of the person's authority, so that it also counts where the person is named.
    public let isWhole: Bool

    /// Makes a mandate from its parts.
    public init(authority: String, roles: [String], source: String?, isWhole: Bool = true) {
      self.authority = authority
      self.roles = roles
      self.source = source
      self.isWhole = isWhole
    }
  }

  /// In whose place a person may decide at a moment.
  ///
  /// First in their own, then by each live delegation, then for each absent person whose deputy they are. What was delegated cannot be
  /// passed on.
  ///
  /// - Complexity: O(delegations and absences).
  public func mandates(of principal: String, process: String?, at now: Instant) -> [Mandate] {
    guard let person = person(principal) else { return [] }
    var mandates = [Mandate(authority: principal, roles: person.roles, source: nil)]
    for delegation in delegations
    where delegation.to == person.id && delegation.since <= now && now < delegation.until
      && (delegation.processes.isEmpty || process.map { delegation.processes.contains($0) } ?? false)
    {
      let held = roles(of: "user:\(delegation.from)")
      let given = delegation.roles.isEmpty ? held : held.filter { delegation.roles.contains($0) }
      mandates.append(Mandate(authority: "user:\(delegation.from)", roles: given, source: delegation.id, isWhole: delegation.roles.isEmpty))
    }
    for absence in absences where absence.deputy == person.id && absence.from <= now && now < absence.until {
      mandates.append(Mandate(authority: "user:\(absence.person)", roles: roles(of: "user:\(absence.person)"), source: absence.id))
    }
    return mandates
  }
}

// MARK: - As JSON

extension Directory.Absence {
  var json: JSON {
    var object = JSONObject(capacity: 5)
    object["deputy"] = deputy.map { .string($0) }
    object["from"] = .string(from.iso8601)
    object["id"] = .string(id)
    object["person"] = .string(person)
    object["until"] = .string(until.iso8601)
    return .object(object)
  }

  init?(json: JSON?) {
    guard let json, let id = json["id"]?.stringValue, let person = json["person"]?.stringValue, let from = json["from"]?.instant,
      let until = json["until"]?.instant
    else { return nil }
    self.init(id: id, person: person, from: from, until: until, deputy: json["deputy"]?.stringValue)
  }
}

extension Directory.Delegation {
  var json: JSON {
    var object = JSONObject(capacity: 8)
    object["from"] = .string(from)
    object["id"] = .string(id)
    if !processes.isEmpty { object["processes"] = .array(processes.map { .string($0) }) }
    object["reason"] = reason.map { .string($0) }
    if !roles.isEmpty { object["roles"] = .array(roles.map { .string($0) }) }
    object["since"] = .string(since.iso8601)
    object["to"] = .string(to)
    object["until"] = .string(until.iso8601)
    return .object(object)
  }

  init?(json: JSON?) {
    guard let json, let id = json["id"]?.stringValue, let from = json["from"]?.stringValue, let to = json["to"]?.stringValue,
      let since = json["since"]?.instant, let until = json["until"]?.instant
    else { return nil }
    self.init(
      id: id, from: from, to: to, roles: json["roles"].strings, processes: json["processes"].strings, since: since, until: until,
      reason: json["reason"]?.stringValue)
  }
}

extension JSON {
  fileprivate var instant: Instant? { stringValue.flatMap { Instant(iso8601: $0) } }
}

extension JSON? {
  /// The texts of a list; none for anything else.
  var strings: [String] { (self?.arrayValue ?? []).compactMap(\.stringValue) }
}
