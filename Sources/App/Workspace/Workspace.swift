internal import Audit
internal import Core
internal import Glibc
internal import Governance
internal import Storage

/// A folder with policies, prompts and a store: the one place that wires the parts together.
///
/// Opening the store's file directly is single-operator mode: whoever can open the file can do anything with it, so every record says the
/// mode and the account of the operating system. Where a service keeps the store for several people, only it opens the file for writing.
final class Workspace: Sendable {
  /// How a workspace is opened.
  enum Access: Sendable {
    /// For looking only; the store must be there.
    case read
    /// For acting; the store must be there.
    case write
    /// For acting; the store is made where there is none.
    case create
    /// For acting, by the service that keeps the store.
    case serve
  }

  /// The folder, as it was named.
  let folder: String
  let environment: Environment
  let store: AuditStore<GovernanceLedger>
  let gate: PermissionGate
  /// Who gives the command.
  let identity: Identity

  /// The folder of the store and of what tools keep.
  static let stateFolder = ".remit"

  /// Opens a workspace.
  ///
  /// - Throws: ``CommandError`` where there is no store and none may be made; `StorageError` for a store that is locked, of a newer version
  ///   or not readable.
  static func open(_ folder: String, _ access: Access, environment: Environment) async throws -> Workspace {
    if access == .create {
      guard FileTree.exists(folder) else { throw FileError(.notFound, path: folder, "there is no such folder") }
      try FileTree.makeFolder("\(folder)/\(stateFolder)", mode: 0o700)
    }
    let path = try storePath(in: folder, mayBeAbsent: access == .create)
    var options = StoreOptions()
    options.create = access == .create
    options.readOnly = access == .read
    options.readers = access == .read ? 1 : access == .serve ? 4 : 2
    let store = try await AuditStore<GovernanceLedger>.open(path, projections: GovernanceProjections.all, options: options)
    do {
      let (directory, isTeam) = try await store.read { view in
        let shared = try view.shared()
        return (shared.directory, shared.isTeam)
      }
      if isTeam, access == .write || access == .create { throw CommandError.serviceOnly }
      do {
        return Workspace(folder: folder, environment: environment, store: store, identity: try Account.identity(in: directory))
      } catch let error as CommandError {
        if access != .read {
          let gate = PermissionGate(store: store)
          try await gate.recordRefusedAccess(uid: geteuid(), account: Account.current, by: .singleOperator, code: error.code)
        }
        throw error
      }
    } catch {
      await store.close()
      throw error
    }
  }

  /// The workspace of a service as a person has it who speaks to its socket.
  func seen(by identity: Identity) -> Workspace {
    Workspace(folder: folder, environment: environment, store: store, identity: identity, gate: gate)
  }

  /// The path of a workspace's store.
  ///
  /// - Throws: ``CommandError`` where there is none, ``FileError`` where nobody can tell.
  static func storePath(in folder: String, mayBeAbsent: Bool = false) throws -> String {
    let state = "\(folder)/\(stateFolder)"
    let path = "\(state)/store.sqlite"
    if mayBeAbsent || FileTree.exists(path) {
      // Who may pass through the folder and not read the file is one of those for whom a service keeps it.
      if access(path, R_OK) != 0, FileTree.exists("\(state)/socket.lock") { throw CommandError.serviceAway }
      return path
    }
    if errno == EACCES { throw CommandError.workspaceClosed(state) }
    throw CommandError(
      .notFound, "no-workspace", "there is no store in `\(visible(folder))`",
      hint: "name the workspace with `--workspace DIR`, or make one with `remit process release PROCESS` or `remit demo --workspace DIR`")
  }

  private init(
    folder: String, environment: Environment, store: AuditStore<GovernanceLedger>, identity: Identity, gate: PermissionGate? = nil
  ) {
    self.folder = folder
    self.environment = environment
    self.store = store
    self.identity = identity
    self.gate =
      gate
      ?? PermissionGate(
        store: store, watch: ClockWatch(file: "\(folder)/\(Self.stateFolder)/clock.json"), zones: { ZoneFiles.zone($0) })
  }

  func close() async { await store.close() }

  /// The moment for which relative times are shown.
  var now: Instant { store.options.time.now() }

  // MARK: Files

  /// The folder of a process: a path to one, or the name of one in `Policies`.
  static func processFolder(_ name: String, in folder: String) -> String {
    name.contains("/") || FileTree.exists("\(name)/process.json5") || FileTree.exists("\(name)/rules.json5")
      ? name : "\(folder)/Policies/\(name)"
  }

  /// The folder of a process and its files.
  ///
  /// - Throws: ``CommandError`` that names the nearest process where there is no such folder; what reading the files throws.
  static func processFiles(_ name: String, in folder: String) throws -> (folder: String, files: ProcessFiles) {
    let place = processFolder(name, in: folder)
    guard FileTree.isFolder(place) else {
      let nearest = nearestName(to: name, in: processNames(in: folder)).map { "did you mean `\($0)`?" }
      throw CommandError(.notFound, "process-unknown", "there is no folder `\(visible(place))`", hint: nearest)
    }
    return (place, try ProcessFiles(folder: place, prompts: promptsFolder(for: place)))
  }

  /// Where the prompts of a process's folder lie: in `Prompts` beside `Policies`.
  static func promptsFolder(for processFolder: String) -> String {
    let trimmed = processFolder.hasSuffix("/") ? String(processFolder.dropLast()) : processFolder
    let parts = trimmed.split(separator: "/", omittingEmptySubsequences: false)
    if parts.count >= 2, parts[parts.count - 2] == "Policies" {
      return (parts.dropLast(2).map(String.init) + ["Prompts"]).joined(separator: "/")
    }
    return "\(trimmed)/../../Prompts"
  }

  /// The names of the processes whose files lie in a workspace.
  static func processNames(in folder: String) -> [String] {
    (FileTree.names(in: "\(folder)/Policies") ?? []).filter { FileTree.exists("\(folder)/Policies/\($0)/process.json5") }
  }

  /// The directory that `Policies/organisation.json5` describes; nil where there is no such file.
  static func organisation(in folder: String) throws -> Directory? {
    let path = "\(folder)/Policies/organisation.json5"
    guard FileTree.exists(path) else { return nil }
    return try Directory.load(try PositionedJSON.parseJSON5(try RegularFile.read(path, maximumBytes: FileTree.maximumBytes), file: path))
  }

  // MARK: Ids

  /// The run that an id or a unique beginning of one names.
  func runID(_ text: String) async throws -> String { try await id(text, in: "run", "run") }

  /// The proposal that an id or a unique beginning of one names.
  func proposalID(_ text: String) async throws -> String { try await id(text, in: "proposal", "proposal") }

  private func id(_ text: String, in table: String, _ kind: String) async throws -> String {
    let found = try await store.read { context in
      try context.database.query("SELECT id FROM \(table) WHERE id >= ? AND id < ? LIMIT 6", [.text(text), .text(text + "\u{7F}")]) {
        $0.text(0)
      }
    }
    if let exact = found.first(where: { bytesEqual($0, text) }) { return exact }
    guard let only = found.first, !text.isEmpty else {
      throw CommandError(
        .notFound, "\(kind)-unknown", "there is no \(kind) `\(visible(text))`",
        hint: "`remit \(kind == "run" ? "run list" : "inbox")` shows them")
    }
    if found.count > 1 {
      throw CommandError.usage(
        "`\(visible(text))` is the beginning of several \(kind)s: \(found.prefix(5).joined(separator: ", "))\(found.count > 5 ? ", …" : "")"
      )
    }
    return only
  }
}

extension CommandContext {
  /// Opens the workspace for the time of a closure.
  ///
  /// In a session of the service it is the service's, which stays open.
  func withWorkspace<R: Sendable>(_ access: Workspace.Access, _ body: (Workspace) async throws -> R) async throws -> R {
    if let session { return try await body(session.workspace) }
    let workspace = try await Workspace.open(workspacePath, access, environment: environment)
    do {
      let result = try await body(workspace)
      await workspace.close()
      return result
    } catch {
      await workspace.close()
      throw error
    }
  }
}
