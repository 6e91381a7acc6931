internal import Glibc

/// The environment's variables, as a value so that tests can give their own.
struct Environment: Sendable {
  private let lookup: @Sendable (String) -> String?

  init(_ variables: [String: String]) { lookup = { variables[$0] } }

  private init(lookup: @escaping @Sendable (String) -> String?) { self.lookup = lookup }

  /// The process's own variables, read when asked for.
  static let process = Environment(lookup: { name in getenv(name).map { String(cString: $0) } })

  /// The value of a variable, or nil where it is not set.
  subscript(name: String) -> String? { lookup(name) }
}
