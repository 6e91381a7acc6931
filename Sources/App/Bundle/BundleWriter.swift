internal import Audit
internal import Core
internal import Governance

/// Gathers a run and what its decisions rest on.
struct BundleWriter {
  let context: ReadContext<GovernanceLedger>
  let run: String
  /// The checkpoint with its signature, and the key that made it; without a signature where nobody signed.
  let checkpoint: String
  let key: NoteKey?
  /// A release by its digest.
  let release: (String) throws -> Release

  func bundle() throws -> RunBundle {
    let own = try context.history(of: run)
    guard let last = own.last else { throw CommandError(.notFound, "run-unknown", "the run `\(visible(run))` has no entries") }
    // What was removed from a run is removed after its last entry.
    let isRedacted = own.contains { $0.content.contains { $0.bytes == nil } }
    let entries = (try shared(for: own, until: isRedacted ? context.head.size : last.index) + own).sorted { $0.index < $1.index }
    var object: JSONObject = [
      "checkpoint": .string(checkpoint), "entries": .array(try entries.map { try json($0) }),
      "evidence": .array(try evidence(of: entries)), "log": try context.shared().log.map { .string($0) } ?? .null,
      "run": .string(run), "signers": .array(BundleSigners(of: entries).lines.map { .string($0) }),
    ]
    if let key { object["keys"] = [.string(key.description)] }
    return try RunBundle(json: .object(object))
  }

  /// The entries without a run that the run's decisions rest on: the store's first, the directory, the releases that the run followed, and
  /// all about allowances where it used one; and what removed content from it.
  private func shared(for own: [Entry], until end: Int) throws -> [Entry] {
    let releases = Set(own.compactMap(\.release))
    let usesAllowances = own.contains { $0.body["allowances"] != nil }
    var all: [Entry] = []
    try context.forEachSharedEntry(in: 0..<end) { all.append($0) }
    let indices = Set(own.map(\.index))
    let removesOwn = { (entry: Entry) in
      entry.type == EntryType.contentRedacted && (entry.body["entry"]?.intValue.map { indices.contains(Int($0)) } ?? false)
    }
    var chosen: Set<String> = []
    for entry in all {
      guard let id = entry.body["proposal"]?.stringValue else { continue }
      let made = entry.body["release"]?["digest"]?.stringValue
      if made.map({ releases.contains($0) }) ?? false { chosen.insert(id) }
      let tool = entry.body["tool"]?.stringValue ?? ""
      if removesOwn(entry) { chosen.insert(id) }
      if tool.hasPrefix("directory.") || usesAllowances && tool.hasPrefix("allowance.") { chosen.insert(id) }
    }
    return all.filter { entry in
      switch entry.type {
      case EntryType.storeOpened: true
      case EntryType.proposal, EntryType.approval, EntryType.approvalNoted:
        entry.body["proposal"]?.stringValue.map { chosen.contains($0) } ?? false
      case EntryType.allowanceEnded: usesAllowances
      case EntryType.contentRedacted: removesOwn(entry)
      default: false
      }
    }
  }

  private func json(_ entry: Entry) throws -> JSON {
    guard var object = try SealedEntry(entry, in: context).json.objectValue else { return .null }
    // What the digest that people approve covers, and no entry states.
    if entry.run != nil, entry.type == EntryType.proposal, entry.body["verdict"] != "forbid", let tool = entry.body["tool"]?.stringValue {
      let digest = try BuiltinTool(rawValue: tool)?.digest ?? entry.release.flatMap { try release($0).definitionDigest(of: tool) }
      object["definition"] = digest.map { .string($0.hex) }
    }
    return .object(object)
  }

  private func evidence(of entries: [Entry]) throws -> [JSON] {
    try Set(entries.flatMap { $0.evidence.map(\.digest) }).sorted().map { digest in
      guard let bytes = try context.evidence(digest) else {
        throw CommandError(.failed, "evidence-missing", "evidence \(digest.hex) is not in the store", hint: "run `remit audit verify`")
      }
      return ["base64": .string(Base64.encode(bytes)), "sha256": .string(digest.hex)]
    }
  }
}

/// Who signed approvals, with which key: lines of the form of `ssh-keygen`'s allowed signers.
struct BundleSigners {
  let lines: [String]

  init(of entries: [Entry]) {
    let all = entries.compactMap { entry in
      entry.content(ContentPart.signer).map { "\(entry.principal) \(String(decoding: $0, as: UTF8.self))" }
    }
    lines = Set(all).sorted { bytesLess($0, $1) }
  }
}
