internal import Audit
internal import Core
internal import Governance

/// Where the person is who gives a command: their screen and keyboard, their files, their keys.
///
/// Commands reach all of this only through here: a service that runs a command for somebody has no right to open a file that they name.
protocol Front: Sendable {
  /// Whether the person's files are those that this process may open by itself.
  var isLocal: Bool { get }

  /// Asks for one line; nil at the end of the input. What was typed before the question is discarded.
  func ask(_ question: Shown, on console: Console) async throws -> String?

  /// Shows lines a screen at a time.
  ///
  /// - Returns: Whether the last one was shown.
  func page(_ lines: [Shown], on console: Console) async throws -> Bool

  /// Reads a file that the command line names; `-` is standard input.
  func read(_ path: String, maximumBytes: Int) async throws -> [UInt8]

  /// Reads the files under a folder that the command line names.
  func files(under folder: String) async throws -> [(path: String, bytes: [UInt8])]

  /// Reads the files of a process that the command line names.
  func process(_ name: String, in workspace: String) async throws -> ProcessSource

  /// Takes in a file that the command line names as evidence.
  func evidence(_ path: String) async throws -> Evidence

  /// Writes a file that the command line names, or one in a folder that it names and that may have to be made.
  func write(_ file: OutputFile, in workspace: String) async throws

  /// Signs a statement with a key of the person.
  ///
  /// - Parameters:
  ///   - statement: What is signed.
  ///   - key: The key that the command line names; nil tries those of the directory that an agent has.
  ///   - known: The keys that the directory has.
  /// - Returns: The signature, armoured.
  /// - Throws: ``CommandError`` where it cannot be signed.
  func sign(_ statement: [UInt8], key: String?, known: [PublicKey]) async throws -> [UInt8]
}

/// The files of a process with those of its organisation, as the person who names it has them.
struct ProcessSource: Sendable {
  /// A file with the path at which the person has it.
  struct File: Sendable {
    var path: String
    var bytes: [UInt8]
  }

  var files: ProcessFiles
  /// The organisation that the files are checked against: the one beside them, else the workspace's.
  var besideOrganisation: File?
  /// The workspace's own, which a release takes over.
  var organisation: File?

  /// The organisation that the files are checked against.
  func checkedAgainst() throws -> Directory? { try Self.directory(besideOrganisation ?? organisation) }

  static func directory(_ file: File?) throws -> Directory? {
    try file.map { try Directory.load(try PositionedJSON.parseJSON5($0.bytes, file: $0.path)) }
  }
}

/// A file that a command writes for the person.
struct OutputFile: Sendable {
  var path: String
  var bytes: [UInt8]
  /// Who may read and write it, less the mask.
  var mode: UInt32 = 0o644
  /// Whether its folder is made where it is missing.
  var makesFolder = false
}

extension Front {
  /// Reads a JSON5 object from a file that the command line names.
  ///
  /// - Parameters:
  ///   - path: The file; `-` is standard input.
  ///   - what: What the object holds, for the error, such as `of fields`.
  /// - Returns: The object.
  /// - Throws: ``CommandError`` for anything but an object; `JSONError`, ``FileError``.
  func object(_ path: String, _ what: String) async throws -> JSONObject {
    let bytes = try await read(path, maximumBytes: FileTree.maximumBytes)
    guard let object = try PositionedJSON.parseJSON5(bytes, file: path).json.objectValue else {
      throw CommandError.usage("`\(visible(path))`: an object \(what) is needed")
    }
    return object
  }
}
