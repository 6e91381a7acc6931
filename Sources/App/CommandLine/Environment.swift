internal import Core
internal import Glibc

/// The environment's variables, as a value so that tests can give their own.
struct Environment: Sendable {
  private let lookup: @Sendable (String) -> String?
  private let list: @Sendable () -> [String: String]

  init(_ variables: [String: String]) {
    lookup = { variables[$0] }
    list = { variables }
  }

  private init(lookup: @escaping @Sendable (String) -> String?, list: @escaping @Sendable () -> [String: String]) {
    self.lookup = lookup
    self.list = list
  }

  /// The process's own variables, read when asked for.
  static let process = Environment(
    lookup: { name in getenv(name).map { String(cString: $0) } },
    list: {
      let bytes = (try? RegularFile.read("/proc/self/environ", maximumBytes: 1 << 24)) ?? []
      let pairs = bytes.split(separator: 0).compactMap { entry -> (String, String)? in
        guard let equals = entry.firstIndex(of: UInt8(ascii: "=")) else { return nil }
        return (String(decoding: entry[..<equals], as: UTF8.self), String(decoding: entry[(equals + 1)...], as: UTF8.self))
      }
      return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    })

  /// The value of a variable, or nil where it is not set.
  subscript(name: String) -> String? { lookup(name) }

  /// All variables.
  var variables: [String: String] { list() }
}
