internal import Core
internal import Glibc

/// The files of a folder, read without following symbolic links.
enum FileTree {
  /// The largest file of a bundle, in bytes.
  static let maximumBytes = 4 << 20
  /// The most files of a bundle.
  static let maximumFiles = 1000

  /// The names in a folder, sorted by bytes, without those that begin with a dot; nil where there is no such folder.
  static func names(in folder: String) -> [String]? {
    guard let directory = opendir(folder) else { return nil }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted(by: bytesLess)
  }

  /// Whether a path is a folder itself, not a link to one.
  static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  static func isReadable(_ path: String) -> Bool { access(path, R_OK) == 0 }

  /// All files under a folder with their paths in it, sorted.
  ///
  /// - Throws: ``FileError`` for a link, a pipe or a device among them, for a file that is too large, and for too many files.
  static func files(under folder: String, at prefix: String = "") throws -> [(path: String, bytes: [UInt8])] {
    var files: [(path: String, bytes: [UInt8])] = []
    for name in names(in: folder) ?? [] {
      let path = prefix.isEmpty ? name : "\(prefix)/\(name)"
      if isFolder("\(folder)/\(name)") {
        files += try self.files(under: "\(folder)/\(name)", at: path)
      } else {
        files.append((path, try RegularFile.read("\(folder)/\(name)", maximumBytes: maximumBytes)))
      }
      if files.count > maximumFiles {
        throw FileError(.tooLarge, path: folder, "more than the limit of \(maximumFiles) files")
      }
    }
    return files
  }

  /// Makes a folder and those above it.
  ///
  /// - Throws: ``FileError`` with the operating system's reason.
  static func makeFolder(_ path: String, mode: mode_t = 0o755) throws(FileError) {
    if isFolder(path) { return }
    if let slash = path.lastIndex(of: "/"), slash > path.startIndex { try makeFolder(String(path[..<slash])) }
    if mkdir(path, mode) != 0, errno != EEXIST {
      throw FileError(.system, path: path, "cannot make the folder: \(String(cString: strerror(errno)))")
    }
  }

  /// Copies all files of a folder; what is there already with the same name is replaced.
  static func copy(_ source: String, to target: String) throws {
    for file in try files(under: source) {
      let path = "\(target)/\(file.path)"
      if let slash = path.lastIndex(of: "/") { try makeFolder(String(path[..<slash])) }
      try RegularFile.writeAtomically(file.bytes, to: path)
      if access("\(source)/\(file.path)", X_OK) == 0 { chmod(path, 0o755) }
    }
  }
}
