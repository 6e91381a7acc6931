internal import Audit
internal import Core
internal import Governance

/// One run with all that its decisions rest on, as one file that anybody can check without the store.
///
///     remit-bundle@1 <SHA-256 of the rest, in hex>
///     {"checkpoint":"…","entries":[…],"evidence":[…],"keys":[…],"log":"…","run":"…","signers":[…]}
///
/// The second line is canonical JSON (RFC 8785) and has no line feed behind it.
struct RunBundle: Sendable {
  /// The words that the first line begins with.
  static let mark = "remit-bundle@1 "
  /// The largest bundle that is read, in bytes.
  static let maximumBytes = 1 << 30

  let bytes: [UInt8]
  let json: JSON

  init(json: JSON) throws {
    self.json = json
    let body = try json.canonicalBytes()
    bytes = Array("\(Self.mark)\(SHA256.hash(body).hex)\n".utf8) + body
  }

  /// Reads a bundle, and accepts only the one way of writing it.
  ///
  /// - Throws: ``BundleProblem``.
  init(parsing bytes: [UInt8]) throws {
    let start = Self.mark.utf8.count + 65
    guard bytes.count > start, bytes.starts(with: Self.mark.utf8), bytes[start - 1] == 0x0A else {
      throw BundleProblem("it is not a bundle of this version")
    }
    let body = Array(bytes[start...])
    guard bytes[(start - 65)..<(start - 1)].elementsEqual(SHA256.hash(body).hex.utf8) else {
      throw BundleProblem("its bytes are not those that its first line names")
    }
    guard let json = try? JSON.parse(body), (try? json.canonicalBytes()) == body else {
      throw BundleProblem("its second line is not canonical JSON")
    }
    self.bytes = bytes
    self.json = json
  }
}

/// Why a bundle does not hold.
struct BundleProblem: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// What the digest of a proposal covers, made again from the log: what an approval is bound to.
struct ProposalDigest: Sendable {
  let entry: Entry
  /// SHA-256 of the tool's definition.
  let definition: Digest
  /// The digests of the run's evidence when it was proposed.
  let evidence: [String]

  /// The digest; nil where what it needs was redacted.
  var value: Digest? {
    guard let arguments = entry.content(ContentPart.arguments) else { return nil }
    var object: JSONObject = [
      "arguments": .string(SHA256.hash(arguments).hex), "definition": .string(definition.hex), "principal": .string(entry.principal),
      "tool": entry.body["tool"] ?? .null,
    ]
    if !evidence.isEmpty { object["evidence"] = .array(evidence.map { .string($0) }) }
    if entry.content.contains(where: { $0.part == ContentPart.read }) {
      guard let read = entry.content(ContentPart.read).flatMap({ try? JSON.parse($0) }) else { return nil }
      object["read"] = read
    }
    object["release"] = entry.release.map { .string($0) }
    object["run"] = entry.run.map { .string($0) }
    object["step"] = entry.body["step"]
    return SHA256.hash(JSON.object(object).canonicalBytesRounding())
  }

  /// The digests of the evidence that an entry adds to its run.
  static func added(by entry: Entry) -> [String] {
    (entry.body["events"]?.arrayValue ?? []).compactMap { $0["$"]?.stringValue == "evidence.added" ? $0["digest"]?.stringValue : nil }
  }
}
