/// What stands around a process file, for the loader to check names against.
///
/// What is `nil` is not checked.
public struct ProcessContext: Sendable {
  /// The roles of the organisation, with the number of people who hold each.
  public var roles: [String: Int]?
  /// The people of the organisation, by account name.
  public var users: [String]?
  /// The prompts that exist, such as `classify-risk`.
  public var prompts: [String]?
  /// The model settings that exist, such as `default`.
  public var models: [String]?
  /// The controlled documents beside the process, with the clauses of each (see ``DocumentClauses``).
  public var documents: [String: [String]]?

  /// Names what to check against.
  public init(
    roles: [String: Int]? = nil, users: [String]? = nil, prompts: [String]? = nil, models: [String]? = nil,
    documents: [String: [String]]? = nil
  ) {
    self.roles = roles
    self.users = users
    self.prompts = prompts
    self.models = models
    self.documents = documents
  }
}
