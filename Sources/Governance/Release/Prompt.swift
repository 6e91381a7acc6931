public import Core

/// A prompt of a release: instructions for an agent, with places for the state of the run.
public struct Prompt: Hashable, Sendable {
  /// The name, such as `classify-risk`.
  public let name: String
  /// The version that its file's name gives, such as `v1`.
  public let version: String
  /// The text, with places such as `{{fields}}`.
  public let text: String
  /// SHA-256 of the file's bytes.
  public let digest: Digest

  /// Makes a prompt from its parts.
  public init(name: String, version: String, text: String, digest: Digest) {
    self.name = name
    self.version = version
    self.text = text
    self.digest = digest
  }
}
