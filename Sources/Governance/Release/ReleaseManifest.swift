public import Core

/// What a release consists of: the SHA-256 of the raw bytes of every file that its runs depend on.
public struct ReleaseManifest: Hashable, Sendable {
  /// The process.
  public let process: String
  /// From path inside the bundle to digest, sorted by path.
  public let files: [(path: String, digest: Digest)]

  /// Whether both name the same files with the same bytes.
  public static func == (a: ReleaseManifest, b: ReleaseManifest) -> Bool { a.digest == b.digest }

  /// Feeds the digest to the hasher.
  public func hash(into hasher: inout Hasher) { hasher.combine(digest) }

  /// The manifest as JSON.
  public var json: JSON {
    .object(["files": .object(JSONObject(files.map { ($0.path, .string($0.digest.hex)) })), "process": .string(process)])
  }

  /// What names the release: SHA-256 of the manifest's canonical bytes.
  public var digest: Digest { Self.digest(of: json) }

  static func digest(of json: JSON) -> Digest { SHA256.hash(json.canonicalBytesRounding()) }

  /// Reads what ``json`` writes; nil for anything else.
  public init?(json: JSON) {
    guard let process = json["process"]?.stringValue, let members = json["files"]?.objectValue else { return nil }
    var files: [(path: String, digest: Digest)] = []
    for (path, value) in members {
      guard let digest = value.stringValue.flatMap({ Digest(hex: $0) }) else { return nil }
      files.append((path, digest))
    }
    self.process = process
    self.files = files.sorted { bytesLess($0.path, $1.path) }
  }

  init(process: String, files: [(path: String, bytes: [UInt8])]) {
    self.process = process
    self.files = files.map { ($0.path, SHA256.hash($0.bytes)) }.sorted { bytesLess($0.path, $1.path) }
  }
}

/// The files of a release that is to be made, or that was read back from the store.
///
/// Paths are relative to the bundle: `process.json5`, `rules.json5`, `rules.tests.json5`, documents such as `policy.md`, programs under
/// `tools/`, and prompts such as `prompts/classify-risk/v1.md`.
public struct ReleaseBundle: Sendable {
  /// The process that the bundle is of.
  public let process: String
  /// The files, sorted by path.
  public let files: [(path: String, bytes: [UInt8])]
  /// How a file is named in messages, where not by its path in the bundle.
  public let displayPath: @Sendable (String) -> String

  /// Makes a bundle.
  public init(
    process: String, files: [(path: String, bytes: [UInt8])], displayPath: @escaping @Sendable (String) -> String = { $0 }
  ) {
    self.process = process
    self.files = files.sorted { bytesLess($0.path, $1.path) }
    self.displayPath = displayPath
  }

  /// The bytes of a file.
  public subscript(path: String) -> [UInt8]? { files.first { bytesEqual($0.path, path) }?.bytes }

  /// What it consists of.
  public var manifest: ReleaseManifest { ReleaseManifest(process: process, files: files) }
}
