internal import CEL
internal import Core

/// Everything in which requests about one tool can differ, as far as rules tell them apart: finitely many choices in a fixed order.
struct RequestSpace {
  /// What a choice is about.
  enum Subject: Hashable {
    /// Whether a step or a trigger permits the call beside the rules.
    case implied
    /// Whether a live allowance covers the call under a rule.
    case allowance(ExactString)
    /// Who asks.
    case principal
    /// Whether the principal has a role.
    case role(ExactString)
    /// A value, by its regions.
    case value(ExactPath)
    /// Whether a list has a member.
    case member(ExactPath, ExactString)
    /// What a search of a text finds.
    case search(ExactPath, TextSearch)
    /// Whether two values are equal.
    case same(ExactPath, ExactPath)
    /// What a part of a condition that is not understood says: 0 false, 1 true, 2 that it cannot be evaluated.
    case opaque(ExactString)
  }

  /// One choice.
  struct Dimension {
    let subject: Subject
    /// In how many ways it can be made.
    let size: Int
    /// For a value, what it can be.
    var domain: ValueDomain?
    /// The condition that is true of the second way, for all but values and principals.
    var text = ""
    /// The choices without which this one means nothing, and how they have to be made.
    var needs: [(level: Int, regions: Set<Int>)] = []
    /// Whether some ways may be impossible for reasons that the analysis does not know.
    var isOpaque = false
    /// What an opaque part reads.
    var reads: [ExactPath] = []
  }

  /// For each level the way in which the choice is made; nil where it is open.
  typealias Choices = [Int?]

  let tool: Request.Tool
  let environment: PolicyEnvironment
  /// The ways of ``Subject/principal``: those that rules name, then one for all others of each kind.
  let principals: [Request.Principal]
  /// How many of the principals stand for themselves alone.
  let namedPrincipals: Int
  let dimensions: [Dimension]
  let isToolKnown: Bool
  private let levels: [Subject: Int]
  private let members: [ExactPath: [ExactPath]]
  private let elements: [ExactPath: JSON]

  init(
    tool: Request.Tool, isToolKnown: Bool, environment: PolicyEnvironment, principals: [Request.Principal], named: Int,
    dimensions: [Dimension], elements: [ExactPath: JSON]
  ) {
    self.tool = tool
    self.elements = elements
    namedPrincipals = named
    self.isToolKnown = isToolKnown
    self.environment = environment
    self.principals = principals
    self.dimensions = dimensions
    levels = Dictionary(dimensions.enumerated().map { ($1.subject, $0) }, uniquingKeysWith: { first, _ in first })
    var members: [ExactPath: [ExactPath]] = [:]
    for case .value(let path) in dimensions.map(\.subject) { if let parent = path.parent { members[parent, default: []].append(path) } }
    self.members = members
  }

  /// The place of a choice in the order.
  func level(_ subject: Subject) -> Int? { levels[subject] }

  /// The value of which a path is a part that has no choice of its own: a step's risk follows from which step it is.
  func holder(of path: ExactPath) -> ExactPath {
    switch path.root {
    case "step" where levels[.value(path)] == nil: ExactPath(["step", "id"])
    case "requester" where path.names.last == "roles": ExactPath(["requester", "id"])
    default: path
    }
  }

  /// The choices on which a value depends, those that say which other values are there first.
  func levels(of path: ExactPath) -> [Int] {
    if path.root == "principal", path.names.last != "owner" { return level(.principal).map { [$0] } ?? [] }
    guard let own = level(.value(holder(of: path))) else { return [] }
    return (dimensions[own].needs.map(\.level) + [own]).sorted()
  }

  /// Whether the choices that a choice needs are made so that it means something.
  func isMeaningful(_ level: Int, _ choices: Choices) -> Bool {
    dimensions[level].needs.allSatisfy { need in choices[need.level].map { need.regions.contains($0) } ?? false }
  }

  /// Whether all requests that are left have the same value at a path, or none.
  func isKnown(_ path: ExactPath, _ choices: Choices) -> Bool {
    switch path.root {
    case "principal" where path.names.last != "owner":
      guard let chosen = level(.principal).flatMap({ choices[$0] }) else { return false }
      if path.names.last == "kind" { return true }
      return path.names.last == "id" && chosen < namedPrincipals
    case "tool" where level(.value(path)) == nil: return isToolKnown || path.names.last == "name"
    default: break
    }
    for level in levels(of: path) {
      guard isMeaningful(level, choices) else { return true }
      guard let domain = dimensions[level].domain, let chosen = choices[level] else { return false }
      if case .value(let own) = dimensions[level].subject, own == holder(of: path) {
        return domain.isKnown(chosen) && (path.root != "requester" || path == own || domain.regions[chosen] == .missing)
      }
      if domain.isKnown(chosen) { return true }
    }
    return false
  }

  /// An element for an example of a list.
  func element(of path: ExactPath) -> JSON { elements[path] ?? [:] }

  /// The values that are members of a value and have a choice of their own.
  func members(of path: ExactPath) -> [ExactPath] { members[path] ?? [] }
}
