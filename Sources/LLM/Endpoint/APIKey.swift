internal import Core
internal import Glibc

/// A key that no description, dump or encoding of a value shows.
public struct APIKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  let value: String

  /// A key from its text, without the white space around it; `nil` when nothing is left or it cannot stand in a header.
  public init?(_ text: String) {
    let bytes = Array(text.utf8)
    let isSpace = { (byte: UInt8) in byte == 32 || (9...13).contains(byte) }
    guard let first = bytes.firstIndex(where: { !isSpace($0) }), let last = bytes.lastIndex(where: { !isSpace($0) }) else { return nil }
    guard bytes[first...last].allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
    value = String(decoding: bytes[first...last], as: UTF8.self)
  }

  /// Not the key.
  public var description: String { "(secret)" }

  /// Not the key.
  public var debugDescription: String { "(secret)" }

  /// Without children.
  public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Where an endpoint's key comes from.
public enum ModelCredential: Sendable {
  /// No key is sent.
  case none
  /// This key.
  case key(APIKey)
  /// The content of this file, read when the first request is sent and again when the endpoint no longer accepts the key.
  case file(String)

  /// The key as it is now.
  ///
  /// - Throws: ``ModelError`` with the code `configuration`; it names the file and never what is in it.
  func key() throws(ModelError) -> APIKey? {
    switch self {
    case .none: return nil
    case .key(let key): return key
    case .file(let path):
      // Mounted secrets are symbolic links, so the last part of the path may be one.
      guard let real = realpath(path, nil) else { throw ModelError(.configuration, "the key file `\(visible(path))` cannot be found") }
      defer { free(real) }
      let bytes: [UInt8]
      do throws(FileError) {
        bytes = try RegularFile.read(String(cString: real), maximumBytes: 16 << 10)
      } catch {
        throw ModelError(.configuration, "the key file cannot be read: \(error)")
      }
      guard let key = APIKey(String(decoding: bytes, as: UTF8.self)) else {
        throw ModelError(.configuration, "the key file `\(visible(path))` holds no key: one line of printable ASCII is expected")
      }
      return key
    }
  }
}

/// Blots out our own secrets in what an endpoint sends back, before any of it is kept or shown.
struct SecretFilter: Sendable {
  /// Shorter secrets would blot out ordinary words.
  static let shortest = 8
  private let secrets: [[UInt8]]

  init(_ secrets: [String]) { self.secrets = secrets.map { Array($0.utf8) }.filter { $0.count >= Self.shortest } }

  /// The bytes without the secrets; `nil` when there were none.
  func blotted(_ bytes: [UInt8]) -> [UInt8]? {
    var result: [UInt8]?
    for secret in secrets {
      var place = 0
      while let range = firstRange(of: secret, in: result ?? bytes, from: place) {
        var changed = result ?? bytes
        changed.replaceSubrange(range, with: "(secret)".utf8)
        place = range.lowerBound + 8
        result = changed
      }
    }
    return result
  }
}
