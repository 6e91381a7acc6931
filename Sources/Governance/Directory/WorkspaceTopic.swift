internal import ProcessModel

/// What changes a workspace, apart from its runs, and can be made to need somebody's approval.
public enum WorkspaceTopic: String, Hashable, Sendable, CaseIterable {
  /// People and roles.
  case directory
  /// Releases of processes.
  case releases
  /// Lifting a stop; to stop work is everyone's at once.
  case stops
  /// The live guard over all processes.
  case guarding = "guard"
  /// The autonomy of agents.
  case allowances
  /// Which sources and values are taken at their word.
  case labels
  /// Going back from a service that several people share to a file that one operator opens.
  case mode
  /// Removing content from the log.
  case content
}

/// Who opens a store for writing.
public enum WorkspaceMode: String, Hashable, Sendable, CaseIterable {
  /// Whoever can open the file: they can do anything with it, and every record says so.
  case singleOperator = "single-operator"
  /// Only the service; people speak to its socket, and the kernel says who they are.
  case team
}

extension Directory {
  /// Who has to approve changes of a kind, beside whoever proposes them.
  public enum Approver: Hashable, Sendable, CustomStringConvertible {
    /// Any person who holds the role.
    case role(String)
    /// One person.
    case user(String)
    /// The owner of the process that the change is about.
    case owner

    /// Reads `role:finance`, `user:ana` or `owner`; nil for anything else.
    public init?(parsing text: String) {
      switch Performer(parsing: text) {
      case .role(let name): self = .role(name)
      case .user(let name): self = .user(name)
      case nil where text == "owner": self = .owner
      default: return nil
      }
    }

    /// What ``init(parsing:)`` reads.
    public var description: String {
      switch self {
      case .role(let name): "role:\(name)"
      case .user(let name): "user:\(name)"
      case .owner: "owner"
      }
    }
  }
}
