internal import Audit
internal import Core
internal import Governance
internal import LocalSocket

/// The person at the other end of the service's socket: they are asked, read their files and sign with their keys there.
struct SocketFront: Front {
  private let connection: UnixConnection

  init(_ connection: UnixConnection) { self.connection = connection }

  var isLocal: Bool { false }

  /// How many bytes a client may send of the files of one folder.
  private static let folderBytes = 32 << 20

  func ask(_ question: Shown, on console: Console) async throws -> String? {
    try connection.send(["ask": question.json])
    return try answer(seconds: SocketLimits.answerSeconds)["answer"]?.stringValue
  }

  func page(_ lines: [Shown], on console: Console) async throws -> Bool {
    try connection.send(["page": .array(lines.map(\.json))])
    return try answer(seconds: SocketLimits.answerSeconds)["seen"]?.boolValue == true
  }

  func read(_ path: String, maximumBytes: Int) async throws -> [UInt8] {
    try connection.send(["read": .string(path), "maximum": .int(maximumBytes)])
    var bytes: [UInt8] = []
    while let piece = try piece() {
      bytes += piece
      if bytes.count > maximumBytes { throw FileError(.tooLarge, path: path, "larger than the limit of \(maximumBytes) bytes") }
    }
    return bytes
  }

  func files(under folder: String) async throws -> [(path: String, bytes: [UInt8])] {
    try connection.send(["folder": .string(folder)])
    return try parts().map { ($0.name, $0.bytes) }
  }

  func process(_ name: String, in workspace: String) async throws -> ProcessSource {
    try connection.send(["process": .string(name)])
    let parts = try parts()
    func organisation(_ kind: String) -> ProcessSource.File? {
      parts.first { $0.kind == kind }.map { ProcessSource.File(path: $0.shown, bytes: $0.bytes) }
    }
    let files = parts.filter { $0.kind == "file" }
    let folder = parts.first { $0.kind == "process" }?.shown ?? name
    return ProcessSource(
      files: ProcessFiles(
        folder: folder, files: files.map { ($0.name, $0.bytes) },
        shown: Dictionary(files.map { ($0.name, $0.shown) }, uniquingKeysWith: { first, _ in first })),
      besideOrganisation: organisation("beside"), organisation: organisation("organisation"))
  }

  func evidence(_ path: String) async throws -> Evidence {
    try connection.send(["evidence": .string(path)])
    return try await Evidence.collect(media: { MediaType.of(path: path, bytes: Array($0.prefix(4096))) }, next: { try piece() })
  }

  func write(_ file: OutputFile, in workspace: String) async throws {
    for start in stride(from: 0, to: file.bytes.count, by: SocketLimits.chunkBytes) {
      let chunk = Array(file.bytes[start..<min(start + SocketLimits.chunkBytes, file.bytes.count)])
      try connection.send(["bytes": .string(Base64.encode(chunk))])
    }
    try connection.send(["write": .string(file.path), "mode": .int(Int(file.mode)), "folder": .bool(file.makesFolder)])
    _ = try answer()
  }

  func sign(_ statement: [UInt8], key: String?, known: [PublicKey]) async throws -> [UInt8] {
    try connection.send(["sign": .string(Base64.encode(statement)), "known": .array(known.map { .string($0.line) })])
    // A hardware key waits for a touch.
    guard let text = try answer(seconds: SocketLimits.answerSeconds)["signature"]?.stringValue, let signature = Base64.decode(text) else {
      throw Self.nonsense
    }
    return signature
  }

  // MARK: Answers

  private static let nonsense = CommandError(.failed, "not-understood", "the client answered what nobody asked")

  /// The client's next frame; an error of theirs is thrown as it is.
  private func answer(seconds: Int = SocketLimits.sendSeconds) throws -> JSON {
    let frame = try connection.receive(seconds: seconds)
    if let error = frame["error"] { throw CommandError(frame: error) }
    return frame
  }

  /// The next piece of a file; nil at its end.
  private func piece() throws -> [UInt8]? {
    let frame = try answer()
    if frame["end"] != nil { return nil }
    guard let text = frame["bytes"]?.stringValue, let bytes = Base64.decode(text) else { throw Self.nonsense }
    return bytes
  }

  private struct Part {
    var kind: String
    var name: String
    /// The path at which the client has it.
    var shown: String
    var bytes: [UInt8] = []
  }

  /// Several files, each begun by a frame that names it.
  private func parts() throws -> [Part] {
    var parts: [Part] = []
    var size = 0
    while true {
      let frame = try answer()
      if frame["end"] != nil { return parts }
      if let kind = frame["part"]?.stringValue, let name = frame["name"]?.stringValue, let shown = frame["shown"]?.stringValue {
        parts.append(Part(kind: kind, name: name, shown: shown))
        size += name.utf8.count + shown.utf8.count
      } else if let text = frame["bytes"]?.stringValue, let bytes = Base64.decode(text), !parts.isEmpty {
        parts[parts.count - 1].bytes += bytes
        size += bytes.count
      } else {
        throw Self.nonsense
      }
      if parts.count > FileTree.maximumFiles + 3 || size > Self.folderBytes {
        throw CommandError(.failed, "file-too-large", "these files are more than the service takes, \(Self.folderBytes >> 20) MiB")
      }
    }
  }
}

extension CommandError {
  /// An error that came through the socket.
  init(frame: JSON) {
    let exit = frame["exit"]?.intValue.flatMap { Int32(exactly: $0) }.flatMap { ExitCode(rawValue: $0) } ?? .failed
    self.init(
      exit, frame["code"]?.stringValue ?? "failed", frame["message"]?.stringValue ?? "the other end failed",
      hint: frame["hint"]?.stringValue)
  }
}

extension Shown {
  /// The spans, each a text with the name of its tone.
  var json: JSON { .array(spans.map { .array([.string($0.text), .string($0.tone.rawValue)]) }) }

  /// Reads what ``json`` writes; whatever is not safe to print is made visible again.
  init(json: JSON) {
    self.init(spans: [])
    for span in json.arrayValue ?? [] {
      guard let parts = span.arrayValue, parts.count == 2, let text = parts[0].stringValue else { continue }
      let tone = parts[1].stringValue.flatMap { Tone(rawValue: $0) } ?? .plain
      append(Shown.message(text, tone).joined(separator: "\n"))
    }
  }
}
