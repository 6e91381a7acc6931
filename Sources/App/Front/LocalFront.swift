internal import Audit
internal import Core
internal import Glibc
internal import Governance

/// The person at this process's own terminal.
struct LocalFront: Front {
  var prompt = Prompt()
  var pager = Pager()

  var isLocal: Bool { true }

  func ask(_ question: Shown, on console: Console) async throws -> String? { try prompt.ask(question, on: console) }

  func page(_ lines: [Shown], on console: Console) async throws -> Bool { try pager.show(lines, on: console) }

  func read(_ path: String, maximumBytes: Int) async throws -> [UInt8] {
    path == "-" ? StandardInput.read(maximumBytes: maximumBytes) : try RegularFile.read(path, maximumBytes: maximumBytes)
  }

  func files(under folder: String) async throws -> [(path: String, bytes: [UInt8])] { try FileTree.files(under: folder) }

  func process(_ name: String, in workspace: String) async throws -> ProcessSource {
    let (place, files) = try Workspace.processFiles(name, in: workspace)
    func file(_ path: String) throws -> ProcessSource.File? {
      guard FileTree.exists(path) else { return nil }
      return ProcessSource.File(path: path, bytes: try RegularFile.read(path, maximumBytes: FileTree.maximumBytes))
    }
    return ProcessSource(
      files: files, besideOrganisation: try file("\(place)/../organisation.json5"),
      organisation: try file("\(workspace)/Policies/organisation.json5"))
  }

  func evidence(_ path: String) async throws -> Evidence {
    // A path from the root is trusted up to its folder; one from here may not leave this folder.
    let folder = path.hasPrefix("/") ? path.lastIndex(of: "/").map { String(path[...$0]) } ?? "/" : "."
    return try Evidence.file(path, within: folder, media: MediaType.of(path))
  }

  func write(_ file: OutputFile, in workspace: String) async throws {
    if file.makesFolder, let slash = file.path.lastIndex(of: "/"), slash > file.path.startIndex {
      try FileTree.makeFolder(String(file.path[..<slash]))
    }
    try Self.checkOutput(file.path, in: workspace)
    try RegularFile.writeAtomically(file.bytes, to: file.path, mode: file.mode)
  }

  /// Sees to it that a file that a command writes is none of the store's.
  private static func checkOutput(_ path: String, in workspace: String) throws {
    let parent = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    var (target, state) = (stat(), stat())
    guard stat(parent, &target) == 0, stat("\(workspace)/\(Workspace.stateFolder)", &state) == 0 else { return }
    if target.st_dev == state.st_dev, target.st_ino == state.st_ino {
      throw CommandError.usage("`\(visible(path))` lies in the store's own folder", hint: "name a file elsewhere")
    }
  }

  func sign(_ statement: [UInt8], key: String?, known: [PublicKey]) async throws -> [UInt8] {
    if let key { return try await SSHKeygen.sign(statement, key: key) }
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    var last: (any Error)?
    for (place, key) in known.enumerated() {
      let path = "\(folder.path)/\(place).pub"
      try RegularFile.writeAtomically(Array("\(key.line)\n".utf8), to: path, mode: 0o600)
      do { return try await SSHKeygen.sign(statement, key: path) } catch { last = error }
    }
    throw last ?? CommandError(.failed, "not-signed", "there is no key to sign with")
  }
}
