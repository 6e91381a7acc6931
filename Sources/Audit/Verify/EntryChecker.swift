import Core
import Glibc
import Storage

/// What a checker found in its entries of a chunk.
struct CheckedEntries: Sendable {
  /// Evidence as an entry describes it.
  struct Named: Sendable {
    let digest: Digest
    let entry: Int
    let media: String
    let size: Int
  }

  /// A content part of an entry.
  struct Part: Hashable, Sendable {
    let entry: Int
    let part: ExactString
  }

  /// Leaf and time of each entry, in order; no time where the envelope cannot be read.
  var leaves: [(leaf: Digest, time: Int64?)] = []
  var problems: [VerificationProblem] = []
  /// Evidence that this checker met for the first time.
  var evidence: [Named] = []
  /// Parts that are gone, and those whose redaction is recorded.
  var missing: [Part] = []
  var redactions: [Part] = []
  /// What entries of runs say about the shared state of their moment.
  var claims: [(entry: Int, problem: @Sendable (SharedSlot) -> String?)] = []
  /// The entries without a run, which make that state.
  var shared: [Entry] = []
}

/// Checks entries by themselves and folds them: the part of a verification that understands the log.
///
/// Several share the work, each with runs of its own; entries without a run are the first one's.
actor EntryChecker {
  private let executor = BlockingExecutor(label: "verify-check")
  private let path: String
  private let options: VerificationOptions
  private let number: Int
  private let fold: RowFold?
  private let sums: TableSums
  private var decoder = EnvelopeDecoder()
  private var named: Set<Digest> = []
  private var found = CheckedEntries()
  /// The first entry that the states refused: those after it would not fit either.
  private var refusal: VerificationProblem?

  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  /// Makes one of `count` checkers; `key` is that of the sums.
  init(path: String, functions: LedgerFunctions, options: VerificationOptions, number: Int, of count: Int, key: [UInt8]) {
    self.path = path
    self.options = options
    self.number = number
    let sums = TableSums(key: key)
    self.sums = sums
    var source: EntryReader?
    fold =
      options.states
      ? RowFold(functions, options.projections ? functions.projections : [], to: sums, cachedRuns: max(2, options.cachedRuns / count)) {
        // What it reads was checked before.
        let reader = try source ?? EntryReader(try Connection(path: path, mode: .readOnly))
        source = reader
        return reader
      } : nil
  }

  /// Checks and folds this checker's entries of a chunk.
  func check(_ chunk: RawChunk) throws -> CheckedEntries {
    found = CheckedEntries()
    found.leaves.reserveCapacity(chunk.rows.count)
    try chunk.bytes.withUnsafeBytes { bytes in
      for row in chunk.rows where row.checker == number {
        let before = found.problems.count
        guard let entry = check(row, chunk, bytes), found.problems.count == before, refusal == nil else { continue }
        do {
          if let claim = try fold?.apply(entry) { found.claims.append((entry.index, claim)) }
          if entry.run == nil, fold != nil { found.shared.append(entry) }
        } catch let error as AuditError {
          refusal = VerificationProblem(
            kind: .state, entry: error.entry ?? entry.index, message: error.message, expected: nil, found: nil)
        }
      }
    }
    return found
  }

  /// What all entries together gave.
  struct Result: Sendable {
    /// The first entry that the states refused: what projections should hold is then not known.
    var refusal: VerificationProblem?
    /// The rows that the projections should have, by table.
    var sums: [String: TableSum] = [:]

    /// Takes another checker's result in.
    mutating func add(_ other: Result) {
      if let refusal = other.refusal, (refusal.entry ?? .max) < (self.refusal?.entry ?? .max) { self.refusal = refusal }
      for (table, sum) in other.sums { sums[table, default: TableSum()].add(sum) }
    }
  }

  /// What the entries gave, once all were checked.
  func finish() throws -> Result {
    if refusal == nil { try fold?.finish() }
    return Result(refusal: refusal, sums: Dictionary(sums.tables.map { ($0.name, $0.sum) }) { first, _ in first })
  }

  private func add(_ kind: VerificationProblem.Kind, _ entry: Int, _ message: String, expected: String? = nil, found: String? = nil) {
    self.found.problems.append(VerificationProblem(kind: kind, entry: entry, message: message, expected: expected, found: found))
  }

  /// Checks one row; `nil` when it cannot be understood.
  private func check(_ row: RawChunk.Row, _ chunk: RawChunk, _ bytes: UnsafeRawBufferPointer) -> Entry? {
    let index = row.index
    let leaf = Self.leaf(of: bytes[piece: row.envelope])
    let envelope: Envelope
    do throws(AuditError) {
      // What belongs to no run is looked at by projections too, again and again.
      envelope = try decoder.decode(bytes[piece: row.envelope], isTree: row.run == nil)
    } catch {
      found.leaves.append((leaf, nil))
      add(.envelope, index, error.message)
      return nil
    }
    found.leaves.append((leaf, envelope.time))
    if !leaf.withBytes({ same($0, bytes[piece: row.leaf]) }) {
      add(.leaf, index, "the leaf hash is not that of the envelope", expected: leaf.hex, found: hexText(bytes[piece: row.leaf]))
    }
    checkColumns(row, envelope, bytes)
    let values = options.content ? checkContent(of: envelope, index, chunk.parts[row.parts], bytes) : []
    for piece in envelope.evidence where named.insert(piece.digest).inserted {
      found.evidence.append(CheckedEntries.Named(digest: piece.digest, entry: index, media: piece.media, size: piece.size))
    }
    if envelope.type.hasPrefix("content.redacted@"), let entry = envelope.body["entry"]?.intValue,
      let part = envelope.body["part"]?.stringValue
    {
      found.redactions.append(CheckedEntries.Part(entry: Int(entry), part: ExactString(part)))
    }
    return Entry(
      index: index, time: Instant(milliseconds: envelope.time), type: envelope.type, run: envelope.run, principal: envelope.principal,
      release: envelope.release, bodyView: envelope.body, content: values, evidence: envelope.evidence, leaf: leaf)
  }

  private func checkColumns(_ row: RawChunk.Row, _ envelope: Envelope, _ bytes: UnsafeRawBufferPointer) {
    let index = row.index
    if envelope.index != index {
      add(.column, index, "the envelope belongs to another place", expected: "index \(index)", found: "index \(envelope.index)")
    }
    if envelope.time != row.time {
      add(.column, index, "column `time` differs from the envelope", expected: "\(envelope.time)", found: "\(row.time)")
    }
    if !same(envelope.type, bytes[piece: row.type]) {
      add(.column, index, "column `type` differs from the envelope", expected: envelope.type, found: shown(bytes[piece: row.type]))
    }
    let isSameRun =
      switch (envelope.run, row.run) {
      case (nil, nil): true
      case (let run?, let range?): same(run, bytes[piece: range])
      default: false
      }
    if !isSameRun {
      add(
        .column, index, "column `run` differs from the envelope", expected: envelope.run ?? "NULL",
        found: row.run.map { shown(bytes[piece: $0]) } ?? "NULL")
    }
  }

  private func checkContent(
    of envelope: Envelope, _ index: Int, _ parts: ArraySlice<RawChunk.Part>, _ bytes: UnsafeRawBufferPointer
  ) -> [Content] {
    if envelope.commitments.isEmpty, parts.isEmpty { return [] }
    var rest = parts
    var values: [Content] = []
    values.reserveCapacity(envelope.commitments.count)
    for place in 0..<envelope.commitments.count {
      let (part, digest) = envelope.commitments[place]
      guard let row = rest.first, row.place == place else {
        found.missing.append(CheckedEntries.Part(entry: index, part: ExactString(part)))
        values.append(Content(redacted: part))
        continue
      }
      rest.removeFirst()
      if !same(part, bytes[piece: row.name]) {
        add(.content, index, "content part has another name", expected: visible(part), found: shown(bytes[piece: row.name]))
      }
      guard let value = row.value else {
        found.missing.append(CheckedEntries.Part(entry: index, part: ExactString(part)))
        values.append(Content(redacted: part))
        continue
      }
      if row.salt.count != Commitment.saltBytes {
        // Otherwise the beginning of a content could be passed off as the end of its salt.
        add(
          .content, index, "the salt of content part `\(visible(part))` has another length", expected: "\(Commitment.saltBytes)",
          found: "\(row.salt.count)")
      }
      let derived = Commitment.digest(salt: bytes[piece: row.salt], bytes: bytes[piece: value])
      if derived != digest {
        add(
          .content, index, "content part `\(visible(part))` is not what the envelope commits to", expected: digest.hex, found: derived.hex)
      }
      values.append(Content(part, [UInt8](bytes[piece: value])))
    }
    for row in rest {
      add(.content, index, "has a content part that the envelope does not name", found: shown(bytes[piece: row.name]))
    }
    return values
  }

  // MARK: Small things

  /// The leaf hash of an envelope.
  private static func leaf(of envelope: UnsafeRawBufferPointer) -> Digest {
    withUnsafeTemporaryAllocation(byteCount: envelope.count + 1, alignment: 16) { block in
      block[0] = 0
      UnsafeMutableRawBufferPointer(rebasing: block[1...]).copyMemory(from: envelope)
      return SHA256.hash(UnsafeRawBufferPointer(block))
    }
  }

  private func same(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeRawBufferPointer) -> Bool {
    guard a.count == b.count else { return false }
    guard let first = a.baseAddress, let second = b.baseAddress else { return true }
    return memcmp(first, second, a.count) == 0
  }

  private func same(_ text: String, _ bytes: UnsafeRawBufferPointer) -> Bool {
    var text = text
    return text.withUTF8 { same($0, bytes) }
  }

  private func shown(_ bytes: UnsafeRawBufferPointer) -> String { visible(String(decoding: bytes, as: UTF8.self)) }
}

/// A checker with the chunks that wait for it: it takes them in order, whatever the others are at.
final class CheckerLane {
  private let checker: EntryChecker
  private var last: Task<CheckedEntries, any Error>?

  init(_ checker: EntryChecker) { self.checker = checker }

  /// Has a chunk checked after those that were given before.
  ///
  /// - Returns: What becomes of it; where an earlier chunk failed, that failure.
  func check(_ chunk: RawChunk) -> Task<CheckedEntries, any Error> {
    let task = Task { [checker, last] in
      _ = try await last?.value
      return try await checker.check(chunk)
    }
    last = task
    return task
  }
}

/// The sums of the rows that the log gives, by table.
final class TableSums: RowSink {
  private(set) var tables: [(name: String, sum: TableSum)] = []
  private var hasher: RowHasher

  init(key: [UInt8]) { hasher = RowHasher(key: key) }

  func add(_ row: TableRow) { tables[place(of: row.table)].sum.add(hasher.digest(row.values)) }
  func remove(_ row: TableRow) { tables[place(of: row.table)].sum.remove(hasher.digest(row.values)) }

  /// Tables are few, and their rows come one table after the other.
  private func place(of table: String) -> Int {
    if let place = tables.firstIndex(where: { bytesEqual($0.name, table) }) { return place }
    tables.append((table, TableSum()))
    return tables.count - 1
  }
}

extension UnsafeRawBufferPointer {
  fileprivate subscript(piece range: Range<Int>) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: self[range]) }
}

/// At most 32 bytes as hexadecimal digits.
func hexText(_ bytes: UnsafeRawBufferPointer) -> String {
  let digits = Array("0123456789abcdef".utf8)
  var out: [UInt8] = []
  for byte in bytes.prefix(32) { out += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
  return String(decoding: out, as: UTF8.self)
}
