import Glibc

/// Which program to run.
///
/// There is no implicit search: a name is looked up only in the folders that come with it.
public enum Executable: Hashable, Sendable, CustomStringConvertible {
  /// An absolute path.
  case path(String)
  /// A name without `/`, looked up in these absolute folders, in order.
  case named(String, searchPath: [String])

  /// A name to be looked up in the folders of a `PATH` value.
  ///
  /// Empty and relative entries mean the current folder to a shell; here they are left out, so that a program that lies in a
  /// workspace never stands in for one of the system's.
  public static func named(_ name: String, path: String) -> Executable {
    .named(name, searchPath: path.split(separator: ":").map(String.init).filter { $0.hasPrefix("/") })
  }

  /// The path or name as it was given.
  public var description: String {
    switch self {
    case .path(let path): path
    case .named(let name, _): name
    }
  }

  /// The absolute path of an executable regular file.
  ///
  /// - Throws: ``SubprocessError`` with the code `executable-not-found` or `not-executable`.
  public func resolved() throws(SubprocessError) -> String {
    switch self {
    case .path(let path):
      guard path.hasPrefix("/") else {
        throw SubprocessError(.executableNotFound, path, "the program `\(path)` must be given as an absolute path or with a search path")
      }
      switch Self.standing(path) {
      case .executable: return path
      case .present: throw SubprocessError(.notExecutable, path, "`\(path)` is no executable file")
      case .absent: throw SubprocessError(.executableNotFound, path, "there is no program `\(path)`")
      }
    case .named(let name, let folders):
      guard !name.isEmpty, !name.utf8.contains(UInt8(ascii: "/")), !name.utf8.contains(0) else {
        throw SubprocessError(.executableNotFound, name, "`\(name)` is no program name; give an absolute path instead")
      }
      var found: String?
      for folder in folders where folder.hasPrefix("/") {
        let path = folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
        switch Self.standing(path) {
        case .executable: return path
        case .present: found = found ?? path
        case .absent: continue
        }
      }
      if let found { throw SubprocessError(.notExecutable, name, "`\(found)` is no executable file") }
      throw SubprocessError(.executableNotFound, name, "there is no program `\(name)` in \(folders.joined(separator: ":"))")
    }
  }

  private enum Standing { case executable, present, absent }

  private static func standing(_ path: String) -> Standing {
    var information = stat()
    guard !path.utf8.contains(0), stat(path, &information) == 0 else { return .absent }
    guard information.st_mode & S_IFMT == S_IFREG, access(path, X_OK) == 0 else { return .present }
    return .executable
  }
}
