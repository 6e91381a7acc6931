internal import Audit
internal import Core
internal import Governance
internal import LocalSocket

/// A command that the service runs, as its client sees it: prints what comes, and does for the service what only the client may.
///
/// The service gets no file, and no signature, that the command line does not name.
struct RemoteCommand {
  /// The arguments as they were given.
  let arguments: [String]
  /// The same, understood, with the person's own screen, files and keys.
  let context: CommandContext
  let output: Sink
  let words: Sink

  /// How long a client waits for its turn where the service is busy.
  private static let patience = Duration.seconds(30)
  /// How long a command may take: as long as its person waits for it.
  private static let commandSeconds = 7 * 86_400
  private static let frameBytes = 64 << 20

  /// Runs the command.
  ///
  /// - Parameter connection: To the service.
  /// - Returns: The exit code that the service answers; 141 where nobody reads the results any more.
  /// - Throws: ``CommandError`` where the service refuses, or went away.
  func run(_ connection: UnixConnection) async throws -> Int32 {
    let start = ContinuousClock.now
    var connection = connection
    while true {
      do {
        return try await converse(connection)
      } catch let error as CommandError where error.code == "socket-busy" && .now - start < Self.patience {
        try await Task.sleep(for: .milliseconds(Int.random(in: 100...400)))
        guard let next = try ServicePlace.connect(context.workspacePath, context.environment) else { throw error }
        connection = next
      } catch let error as SocketError where error.code == .gone {
        throw CommandError(
          .failed, "service-gone", "the service went away before it answered",
          hint: "whether it was done is not known: look before you do it again")
      }
    }
  }

  private func converse(_ connection: UnixConnection) async throws -> Int32 {
    let hello = Hello(arguments: arguments, workspace: context.workspacePath, terminal: context.console.terminal)
    try connection.send(hello.json)
    var written: [UInt8] = []
    while true {
      let frame = try connection.receive(limit: Self.frameBytes, seconds: Self.commandSeconds)
      if let exit = frame["exit"]?.intValue { return Int32(truncatingIfNeeded: exit) }
      if let error = frame["error"] { throw CommandError(frame: error) }
      if let text = frame["out"]?.stringValue {
        // Nobody reads on: the service learns it by our going away.
        if output.write(Base64.decode(text) ?? []) != nil { return 141 }
      } else if let text = frame["err"]?.stringValue {
        _ = words.write(Base64.decode(text) ?? [])
      } else if let text = frame["bytes"]?.stringValue {
        written += Base64.decode(text) ?? []
      } else {
        do {
          try await answer(frame, written, connection)
        } catch let error as SocketError {
          throw error
        } catch {
          try connection.send(Service.refusal(CommandError(describing: error)))
        }
        written = []
      }
    }
  }

  // MARK: What only the client may

  private func answer(_ frame: JSON, _ written: [UInt8], _ connection: UnixConnection) async throws {
    let front = context.front
    if let question = frame["ask"] {
      let answer = try await front.ask(Shown(json: question), on: context.console)
      try connection.send(["answer": answer.map { .string($0) } ?? .null])
    } else if let lines = frame["page"]?.arrayValue {
      try connection.send(["seen": .bool(try await front.page(lines.map { Shown(json: $0) }, on: context.console))])
    } else if let path = frame["read"]?.stringValue {
      try checkNamed(path, context.arguments.values)
      let maximum = frame["maximum"]?.intValue.map { Int($0) } ?? 0
      try send(try await front.read(path, maximumBytes: min(maximum, FileTree.maximumBytes)), connection)
      try connection.send(["end": true])
    } else if let path = frame["evidence"]?.stringValue {
      try checkNamed(path, context.arguments.values)
      try await front.evidence(path).forEachChunk(of: SocketLimits.chunkBytes) { try send(Array($0), connection) }
      try connection.send(["end": true])
    } else if let folder = frame["folder"]?.stringValue {
      try checkNamed(folder, context.arguments.values.flatMap { [$0, inWorkspace("Policies", $0), inWorkspace("Evals", $0)] })
      for file in try await front.files(under: folder) {
        try send(part: "file", file.path, at: "\(folder)/\(file.path)", file.bytes, connection)
      }
      try connection.send(["end": true])
    } else if let name = frame["process"]?.stringValue {
      try checkNamed(name, context.arguments.values)
      try send(try await front.process(name, in: context.workspacePath), connection)
    } else if let path = frame["write"]?.stringValue {
      try await write(path, written, frame)
      try connection.send(["done": true])
    } else if let text = frame["sign"]?.stringValue {
      let statement = Base64.decode(text) ?? []
      try checkStatement(statement)
      let known = (frame["known"]?.arrayValue ?? []).compactMap { $0.stringValue.flatMap { PublicKey(line: $0) } }
      let signature = try await front.sign(statement, key: context.arguments.option("key"), known: known)
      try connection.send(["signature": .string(Base64.encode(signature))])
    } else {
      throw CommandError(.failed, "not-understood", "the service asks for what this client does not know")
    }
  }

  private func inWorkspace(_ folder: String, _ name: String) -> String {
    name.contains("/") ? name : "\(context.workspacePath)/\(folder)/\(name)"
  }

  private func checkNamed(_ path: String, _ named: [String]) throws {
    guard named.contains(where: { bytesEqual($0, path) }) else {
      throw CommandError(.identity, "not-named", "the service asks for `\(visible(path))`, which the command line does not name")
    }
  }

  /// A statement is signed only where the person asked for it, and about the proposal that they named.
  private func checkStatement(_ statement: [UInt8]) throws {
    let lines = String(decoding: statement, as: UTF8.self).split(separator: "\n")
    let isAsked = context.arguments.has("sign") && lines.first == "remit approval statement v1"
    guard isAsked, let id = context.arguments.argument("ID"), lines.contains(where: { $0.hasPrefix("proposal \(id)") }) else {
      throw CommandError(.identity, "not-named", "the service asks for a signature that the command line does not ask for")
    }
  }

  private func write(_ path: String, _ bytes: [UInt8], _ frame: JSON) async throws {
    let places =
      ["output", "svg"].filter { context.arguments.has($0) }.compactMap { context.arguments.option($0) }
      + (context.arguments.positionals["OUT"] ?? [])
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
    let makesFolder = frame["folder"]?.boolValue == true
    try checkNamed(makesFolder ? folder : path, places)
    let mode = UInt32(frame["mode"]?.intValue ?? 0o600) & 0o666
    try await context.front.write(
      OutputFile(path: path, bytes: bytes, mode: mode, makesFolder: makesFolder), in: context.workspacePath)
  }

  // MARK: Files

  private func send(_ bytes: [UInt8], _ connection: UnixConnection) throws {
    for start in stride(from: 0, to: bytes.count, by: SocketLimits.chunkBytes) {
      let chunk = Array(bytes[start..<min(start + SocketLimits.chunkBytes, bytes.count)])
      try connection.send(["bytes": .string(Base64.encode(chunk))])
    }
  }

  private func send(part kind: String, _ name: String, at path: String, _ bytes: [UInt8], _ connection: UnixConnection) throws {
    try connection.send(["part": .string(kind), "name": .string(name), "shown": .string(path)])
    try send(bytes, connection)
  }

  private func send(_ source: ProcessSource, _ connection: UnixConnection) throws {
    try send(part: "process", "", at: source.files.folder, [], connection)
    for file in source.files.bundle.files {
      try send(part: "file", file.path, at: source.files.bundle.displayPath(file.path), file.bytes, connection)
    }
    for (kind, file) in [("beside", source.besideOrganisation), ("organisation", source.organisation)] {
      if let file { try send(part: kind, "organisation.json5", at: file.path, file.bytes, connection) }
    }
    try connection.send(["end": true])
  }
}
