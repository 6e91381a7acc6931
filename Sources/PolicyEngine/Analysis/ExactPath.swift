internal import Core

/// The names of something that conditions read, `run`, `amount`; compared byte for byte.
struct ExactPath: Hashable {
  let names: [String]

  /// Stands for the number of elements of a list, as if that were a member.
  static let size = "size()"

  init(_ names: [String]) { self.names = names }

  static func == (a: ExactPath, b: ExactPath) -> Bool {
    a.names.count == b.names.count && zip(a.names, b.names).allSatisfy { bytesEqual($0, $1) }
  }

  func hash(into hasher: inout Hasher) { for name in names { ExactString(name).hash(into: &hasher) } }

  /// The path as conditions name it.
  var text: String { names.joined(separator: ".") }
  /// The name with which it begins.
  var root: String { names.first ?? "" }
  /// What it is a member of; nil for a root.
  var parent: ExactPath? { names.count < 2 ? nil : ExactPath(Array(names.dropLast())) }
}
