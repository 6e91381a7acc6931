public import Core
internal import Glibc

/// Test suites that were not written here, read in place.
public enum Conformance {
  /// The folder: `REMIT_CONFORMANCE`, or `../shared/conformance` beside the package; nil where it is absent.
  public static let folder: String? = {
    let beside = #filePath.split(separator: "/").dropLast(4).map { "/" + $0 }.joined() + "/shared/conformance"
    let folder = getenv("REMIT_CONFORMANCE").map { String(cString: $0) } ?? beside
    return access(folder, R_OK) == 0 ? folder : nil
  }()

  /// Whether the suites are there, for `.enabled(if:)`.
  public static var isPresent: Bool { folder != nil }

  /// The message of a test that is skipped without them.
  public static let absent: String = "the conformance suites are absent: set REMIT_CONFORMANCE to their folder"

  /// The path of a file or folder of the suites; nil where it is absent.
  public static func path(_ name: String) -> String? {
    guard let folder, access("\(folder)/\(name)", R_OK) == 0 else { return nil }
    return "\(folder)/\(name)"
  }

  /// A file's bytes; a failure to read it throws.
  public static func bytes(_ name: String) throws -> [UInt8] {
    guard let path = path(name) else { throw FileError(.notFound, path: name, absent) }
    return try RegularFile.read(path, maximumBytes: 1 << 30)
  }

  /// The values of a file with one JSON value a line.
  public static func lines(_ name: String) throws -> [JSON] {
    try bytes(name).split(separator: 0x0A).map { try JSON.parse(Array($0), file: name) }
  }

  /// The sorted names of the entries of a folder of the suites.
  public static func entries(_ name: String) throws -> [String] {
    guard let path = path(name) else { throw FileError(.notFound, path: name, absent) }
    return try names(in: path)
  }

  /// The sorted names of the entries of a folder.
  public static func names(in path: String) throws -> [String] {
    guard let directory = opendir(path) else { throw FileError(.notFound, path: path, "there is no such folder") }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let entryName = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if !entryName.hasPrefix(".") { names.append(entryName) }
    }
    return names.sorted()
  }
}
