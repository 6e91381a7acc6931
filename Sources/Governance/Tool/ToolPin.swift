public import Core
internal import ProcessModel

/// What the parts of a tool are that no release holds: programs of the machine, scripts behind an interpreter, an entry of a server's
/// catalogue.
///
/// A release names them by their digests, as they were when it was made. A tool whose parts are others is not called.
public struct ToolPin: Hashable, Sendable {
  /// The name of the part that is the tool's entry in its server's catalogue.
  public static let catalogue = "catalogue"

  /// From a part, a program as the process file writes it or ``catalogue``, to the SHA-256 of what it is.
  public let parts: [String: Digest]

  /// A pin of these parts.
  public init(_ parts: [String: Digest]) { self.parts = parts }

  /// What is another thing now, in words; nil where nothing is.
  public func change(to other: ToolPin) -> String? {
    for name in Set(parts.keys).union(other.parts.keys).sorted(by: bytesLess) where parts[name] != other.parts[name] {
      let what = name == Self.catalogue ? "its entry in the server's catalogue" : "the program `\(visible(name))`"
      guard let now = other.parts[name] else { return "\(what) is gone" }
      guard let then = parts[name] else { return "\(what) is new, SHA-256 \(now.hex.prefix(12))…" }
      return "\(what) is another one now: SHA-256 \(now.hex.prefix(12))…, not \(then.hex.prefix(12))…"
    }
    return nil
  }

  /// The pin as JSON: an object of digests in hexadecimal.
  public var json: JSON {
    .object(JSONObject(parts.sorted { bytesLess($0.key, $1.key) }.map { ($0.key, .string($0.value.hex)) }))
  }

  /// Reads what ``json`` writes; nil for anything else.
  public init?(json: JSON?) {
    guard let members = json?.objectValue else { return nil }
    var parts: [String: Digest] = [:]
    for (name, value) in members {
      guard let digest = value.stringValue.flatMap({ Digest(hex: $0) }) else { return nil }
      parts[name] = digest
    }
    self.parts = parts
  }
}

extension ReleaseBundle {
  /// The file that the making of a release adds: the pins of its tools.
  public static let pinsFile = "pins.json"

  /// The bundle with what the outside parts of its tools are now.
  ///
  /// - Parameter pins: By the tools' names.
  /// - Returns: The bundle with the pins; without any, as it is.
  public func pinning(_ pins: [String: ToolPin]) -> ReleaseBundle {
    if pins.isEmpty { return self }
    let listing = JSONObject(pins.sorted { bytesLess($0.key, $1.key) }.map { ($0.key, $0.value.json) })
    let others = files.filter { !bytesEqual($0.path, Self.pinsFile) }
    let file = (path: Self.pinsFile, bytes: JSON.object(listing).canonicalBytesRounding() + [0x0A])
    return ReleaseBundle(process: process, files: others + [file], displayPath: displayPath)
  }

  /// The pins that the bundle holds.
  ///
  /// - Throws: ``Diagnostics`` where the file is not one that the making of a release wrote for these tools.
  func pins(of tools: [ToolDefinition]) throws(Diagnostics) -> [String: ToolPin] {
    guard let bytes = self[Self.pinsFile] else { return [:] }
    func problem(_ message: String) -> Diagnostics {
      Diagnostics([
        Diagnostic(
          "bad-pins", at: SourcePosition(file: displayPath(Self.pinsFile)), message,
          hint: "leave `\(Self.pinsFile)` out: `remit process release` makes it")
      ])
    }
    guard let members = (try? JSON.parse(bytes))?.objectValue else { throw problem("this is not the pins of a release") }
    var pins: [String: ToolPin] = [:]
    for (name, value) in members {
      guard let pin = ToolPin(json: value) else { throw problem("the pin of `\(visible(name))` is not one") }
      guard tools.contains(where: { bytesEqual($0.name, name) && $0.hasOutsideParts }) else {
        throw problem("there is no tool `\(visible(name))` with parts outside the release")
      }
      pins[name] = pin
    }
    return pins
  }
}
