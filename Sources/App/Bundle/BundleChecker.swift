internal import Audit
internal import Core
internal import Governance
internal import PolicyEngine
internal import ProcessModel

/// Checks a bundle with nothing but itself, `ssh-keygen` and `openssl`, and folds the run that it holds.
struct BundleChecker {
  /// What holds.
  struct Report: Sendable {
    var checkpoint: Checkpoint
    /// The names of the keys that signed it.
    var signedBy: [String]
    var run: RunRecord
    var entries: Int
    var evidence: Int
    /// Signed approvals that were checked.
    var signatures: Int
    /// Parts that were redacted.
    var withheld: Int
    /// Who removed them, when, and under which rule.
    var redactions: [RedactionRecord]
  }

  private let bundle: JSON
  private var shared = GovernanceLedger.start()
  private var run: RunRecord?
  private var entries: [Entry] = []
  private var signatures = 0

  private init(_ bundle: JSON) { self.bundle = bundle }

  /// Checks a bundle.
  ///
  /// - Parameters:
  ///   - bytes: The file.
  ///   - kept: A checkpoint that someone kept: the bundle's has to be the same.
  /// - Returns: What holds.
  /// - Throws: ``BundleProblem`` that says what does not hold.
  static func check(_ bytes: [UInt8], against kept: Checkpoint?) async throws -> Report {
    let bundle = try RunBundle(parsing: bytes)
    var checker = BundleChecker(bundle.json)
    do {
      return try await checker.report(kept)
    } catch let problem as BundleProblem {
      throw problem
    } catch {
      throw BundleProblem("\(error)")
    }
  }

  private mutating func report(_ kept: Checkpoint?) async throws -> Report {
    let names: Set = ["checkpoint", "entries", "evidence", "keys", "log", "run", "signers"]
    guard let members = bundle.objectValue, members.allSatisfy({ names.contains($0.key) }) else {
      throw BundleProblem("it has other parts")
    }
    let (checkpoint, signedBy) = try await self.checkpoint()
    if let kept, kept.size != checkpoint.size || kept.root != checkpoint.root {
      throw BundleProblem(
        kept.size == checkpoint.size
          ? "its checkpoint is not the one that you kept: this is another log"
          : "its checkpoint has \(checkpoint.size) entries, the one that you kept \(kept.size): compare with one of the same size")
    }
    let definitions = try open(in: checkpoint)
    for entry in entries { try await take(entry) }
    guard let run, bundle["run"]?.stringValue == run.state.id else { throw BundleProblem("it does not hold the run that it names") }
    guard let log = shared.log, bundle["log"]?.stringValue == log, !signedBy.isEmpty || bytesEqual(log, checkpoint.origin) else {
      throw BundleProblem("it does not hold the log that it names")
    }
    try checkWithheld()
    let evidence = try checkEvidence()
    try checkReleases(evidence)
    try checkDigests(definitions)
    guard bundle["signers"]?.arrayValue?.compactMap(\.stringValue) == BundleSigners(of: entries).lines else {
      throw BundleProblem("its list of signers is not that of its approvals")
    }
    return Report(
      checkpoint: checkpoint, signedBy: signedBy, run: run, entries: entries.count, evidence: evidence.count, signatures: signatures,
      withheld: entries.reduce(0) { $0 + $1.content.count { $0.bytes == nil } }, redactions: shared.redactions)
  }

  // MARK: The log

  private func checkpoint() async throws -> (Checkpoint, signedBy: [String]) {
    guard let text = bundle["checkpoint"]?.stringValue else { throw BundleProblem("it has no checkpoint") }
    let checkpoint = try Checkpoint(parsing: text)
    guard let keys = bundle["keys"]?.arrayValue else {
      guard bytesEqual(text, checkpoint.text) else { throw BundleProblem("its checkpoint has a signature and no key") }
      return (checkpoint, [])
    }
    let note = try SignedNote(parsing: text)
    guard bytesEqual(note.text, checkpoint.text), keys.count == note.signatures.count, !keys.isEmpty else {
      throw BundleProblem("its checkpoint has other signatures than keys")
    }
    var names: [String] = []
    for key in keys {
      guard let key = key.stringValue.flatMap({ NoteKey(parsing: $0) }), try await OpenSSL.verifies(note, by: key) else {
        throw BundleProblem("the signature of its checkpoint is not good")
      }
      names.append(key.name)
    }
    return (checkpoint, names)
  }

  /// Opens the entries; what the definition of each proposal's tool is said to be.
  private mutating func open(in checkpoint: Checkpoint) throws -> [Int: Digest] {
    var definitions: [Int: Digest] = [:]
    for json in bundle["entries"]?.arrayValue ?? [] {
      guard let sealed = SealedEntry(json: json) else { throw BundleProblem("entry \(entries.count + 1) of it is none") }
      var plain = sealed.json.objectValue ?? JSONObject()
      plain["definition"] = json["definition"]
      guard json == .object(plain) else { throw BundleProblem("entry \(entries.count + 1) of it has other parts") }
      let entry = try sealed.open(in: checkpoint)
      if let last = entries.last, last.index >= entry.index { throw BundleProblem("its entries are not in their order") }
      if let text = json["definition"] {
        guard let digest = text.stringValue.flatMap({ Digest(hex: $0) }), entry.run != nil else {
          throw BundleProblem("a definition is none")
        }
        definitions[entry.index] = digest
      }
      entries.append(entry)
    }
    return definitions
  }

  /// Folds an entry, and checks its signature with the keys of its moment.
  private mutating func take(_ entry: Entry) async throws {
    let isSigned = entry.content.contains { $0.part == ContentPart.signature } || entry.bodyView["key"] != nil
    if entry.type == EntryType.approval, isSigned { try await checkSignature(entry) }
    let (run, directory) = (run, shared.directory)
    do {
      if entry.run == nil {
        try GovernanceLedger.apply(entry, to: &shared)
      } else if entry.run == bundle["run"]?.stringValue {
        try GovernanceLedger.apply(entry, to: &self.run)
      } else {
        throw BundleProblem("it belongs to another run")
      }
    } catch {
      throw BundleProblem("entry \(entry.index) does not follow from those before it: \(error)")
    }
    if let record = record(of: entry) {
      let standing = ApprovalStanding(record, run: run?.state, directory: directory, now: entry.time)
      if let problem = standing.problem(with: entry) { throw BundleProblem(problem) }
    }
  }

  /// The proposal that an entry is about.
  private func record(of entry: Entry) -> ProposalRecord? {
    let id = entry.bodyView["proposal"]?.stringValue ?? ""
    return entry.run == nil ? shared.proposals.last { bytesEqual($0.id, id) } : run?.proposal(id)
  }

  // MARK: Approvals

  private mutating func checkSignature(_ entry: Entry) async throws {
    let record = record(of: entry)
    let keys = shared.directory.person(entry.principal)?.keys ?? []
    guard let record, let log = shared.log, let statement = entry.content(ContentPart.statement),
      let signature = entry.content(ContentPart.signature),
      let key = keys.first(where: { $0.fingerprint == entry.body["key"]?.stringValue }),
      entry.content(ContentPart.signer) == Array(key.line.utf8)
    else { throw BundleProblem("the signature in entry \(entry.index) is not with a key that the directory had for \(entry.principal)") }
    let expected = ApprovalStatement(
      record, log: log, run: entry.run, by: entry.principal, for: entry.body["for"]?.stringValue ?? entry.principal)
    guard statement == Array(expected.text.utf8) else {
      throw BundleProblem("what was signed in entry \(entry.index) is not this approval")
    }
    guard try await SSHKeygen.verifies(statement, signature, key, ApprovalStatement.namespace) else {
      throw BundleProblem("the signature in entry \(entry.index) is not good")
    }
    signatures += 1
  }

  private func checkDigests(_ definitions: [Int: Digest]) throws {
    var evidence: [String] = []
    for entry in entries where entry.run != nil {
      if entry.type == EntryType.proposal, entry.body["verdict"] != "forbid" {
        guard let definition = definitions[entry.index] else { throw BundleProblem("entry \(entry.index) has no definition of its tool") }
        let digest = ProposalDigest(entry: entry, definition: definition, evidence: evidence).value
        if let digest, entry.body["digest"]?.stringValue != digest.hex {
          throw BundleProblem("the digest of entry \(entry.index) is not that of what was proposed")
        }
        if digest == nil, !entry.content.contains(where: { $0.bytes == nil }) {
          throw BundleProblem("entry \(entry.index) cannot be digested")
        }
      } else if definitions[entry.index] != nil {
        throw BundleProblem("entry \(entry.index) is no proposal")
      }
      evidence += ProposalDigest.added(by: entry)
    }
  }

  /// Refuses content that is not here although no approved proposal removed it.
  private func checkWithheld() throws {
    let removed = shared.redactions.reduce(into: Set<RedactionRecord.Target>()) { $0.formUnion($1.removed) }
    for entry in entries {
      for part in entry.content where part.bytes == nil && !removed.contains(.init(entry: entry.index, part: part.part)) {
        throw BundleProblem("part `\(visible(part.part))` of entry \(entry.index) is not here, and nothing says that it was redacted")
      }
    }
  }

  // MARK: Evidence and releases

  private func checkEvidence() throws -> [Digest: [UInt8]] {
    var found: [Digest: [UInt8]] = [:]
    for json in bundle["evidence"]?.arrayValue ?? [] {
      guard let text = json["base64"]?.stringValue, let bytes = Base64.decode(text), bytesEqual(Base64.encode(bytes), text),
        json == ["base64": .string(text), "sha256": .string(SHA256.hash(bytes).hex)], found[SHA256.hash(bytes)] == nil
      else { throw BundleProblem("a piece of its evidence is not what its digest says") }
      found[SHA256.hash(bytes)] = bytes
    }
    guard Set(found.keys) == Set(entries.flatMap { $0.evidence.map(\.digest) }) else {
      throw BundleProblem("it holds other evidence than its entries name")
    }
    for piece in entries.flatMap(\.evidence) where found[piece.digest]?.count != piece.size {
      throw BundleProblem("evidence \(piece.digest.hex) has another size")
    }
    return found
  }

  private func checkReleases(_ evidence: [Digest: [UInt8]]) throws {
    for entry in entries where entry.run != nil {
      guard let name = entry.release else { continue }
      guard let made = shared.releases.first(where: { $0.digest == name }), made.entry < entry.index,
        let bytes = Digest(hex: name).flatMap({ evidence[$0] }),
        let manifest = (try? JSON.parse(bytes)).flatMap({ ReleaseManifest(json: $0) }), manifest.digest.hex == name,
        manifest.files.allSatisfy({ evidence[$0.digest] != nil })
      else { throw BundleProblem("the release of entry \(entry.index) was not made before it, or its files are not all here") }
    }
  }
}
