internal import Core

/// A public key of a person, in the form of OpenSSH: one line of a `.pub` file.
public struct PublicKey: Hashable, Sendable {
  /// Its type, such as `ssh-ed25519`.
  public let type: String
  /// The key itself, base64.
  public let blob: String
  /// What `ssh-keygen -l` calls it: `SHA256:` and the digest of the key in base64 without padding.
  public let fingerprint: String

  /// Reads a line; a comment after the key is left out.
  ///
  /// Nil where it is no key: a type that OpenSSH does not sign with, no base64, or a
  /// key that says to be of another type.
  public init?(line: String) {
    let parts = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
    guard parts.count >= 2, Self.types.contains(parts[0]), let bytes = Base64.decode(parts[1]), bytes.count > 4 else { return nil }
    // The key begins with its own type, behind four bytes of length.
    let length = bytes[..<4].reduce(0) { $0 << 8 | Int($1) }
    guard bytes[4...].prefix(length).elementsEqual(parts[0].utf8) else { return nil }
    type = parts[0]
    blob = parts[1]
    let digest = Base64.encode(SHA256.hash(bytes).bytes)
    fingerprint = "SHA256:" + digest.prefix { $0 != "=" }
  }

  /// The line without a comment.
  public var line: String { "\(type) \(blob)" }

  private static let types: Set = [
    "ssh-ed25519", "sk-ssh-ed25519@openssh.com", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
    "sk-ecdsa-sha2-nistp256@openssh.com", "ssh-rsa",
  ]
}
