import Core
import Storage

/// Puts together what the parts of a verification found, in the order of the log.
struct LogSummary: Sendable {
  private(set) var report = VerificationReport()
  private let options: VerificationOptions
  private var frontier = MerkleFrontier()
  private var tiles: [MerkleTiles.Place: Digest] = [:]
  private var lastTime = Int64.min
  private var evidence: [Digest: CheckedEntries.Named] = [:]
  private var missing: [CheckedEntries.Part] = []
  private var redactions: Set<CheckedEntries.Part> = []
  private var checkpointSeen = false

  init(_ options: VerificationOptions) { self.options = options }

  /// Takes what the checkers found in a chunk, and what its entries say that the shared state does not confirm.
  mutating func add(_ chunk: RawChunk, _ checked: [CheckedEntries], _ unconfirmed: [VerificationProblem]) {
    var problems = chunk.problems + unconfirmed
    for found in checked {
      problems += found.problems
      for named in found.evidence where (evidence[named.digest]?.entry ?? .max) > named.entry { evidence[named.digest] = named }
      missing += found.missing
      redactions.formUnion(found.redactions)
    }
    var places = [Int](repeating: 0, count: checked.count)
    for row in chunk.rows {
      let (leaf, time) = checked[row.checker].leaves[places[row.checker]]
      places[row.checker] += 1
      frontier.append(leaf) { tiles[$0] = $1 }
      if let time {
        if time < lastTime {
          problems.append(
            VerificationProblem(
              kind: .time, entry: row.index, message: "log time falls", expected: "\(lastTime) or later", found: "\(time)"))
        }
        lastTime = max(lastTime, time)
      }
      if let checkpoint = options.checkpoint, checkpoint.size == frontier.size { compare(checkpoint) }
    }
    report.entries += chunk.rows.count
    let order = problems.enumerated().sorted { ($0.element.entry ?? .max, $0.offset) < ($1.element.entry ?? .max, $1.offset) }
    for problem in order { report.add(problem.element) }
  }

  /// Compares what the store holds beside the entries with what it should hold, for the whole report.
  mutating func finish(_ store: Inspection, _ result: EntryChecker.Result, _ projections: [BoundProjection]) -> VerificationReport {
    report.root = frontier.root
    checkHead(store)
    checkTiles(store.tiles)
    for part in missing {
      if redactions.contains(part) {
        report.redacted += 1
      } else {
        report.add(.content, part.entry, "content part `\(visible(part.part.string))` is gone, and no redaction is recorded")
      }
    }
    if options.evidence { checkEvidence(store.evidence) }
    if let refusal = result.refusal {
      report.add(refusal)
    } else if options.states, options.projections {
      for projection in projections { check(projection, store, result.sums) }
    }
    for problem in store.problems { report.add(problem) }
    report.sort()
    return report
  }

  private mutating func checkHead(_ store: Inspection) {
    if let checkpoint = options.checkpoint, !checkpointSeen {
      if checkpoint.size == 0 {
        compare(checkpoint)
      } else {
        report.add(
          .rollback, report.entries, "the log is shorter than the checkpoint: its end was cut off, or an older copy put in its place",
          expected: "\(checkpoint.size) entries", found: "\(report.entries) entries")
      }
    }
    guard let head = store.head else {
      report.add(.head, nil, "the log has no head, or more than one")
      return
    }
    if head.size != frontier.size {
      // The first entry that only one of the two knows.
      report.add(
        .head, min(head.size, frontier.size), head.size > frontier.size ? "is missing at the end" : "lies beyond the head of the log",
        expected: "\(head.size) entries", found: "\(frontier.size) entries")
    } else if head.root != frontier.root.bytes {
      report.add(
        .head, nil, "the stored root is not that of the entries", expected: frontier.root.hex,
        found: head.root.withUnsafeBytes { hexText($0) })
    } else if head.frontier != frontier.bytes {
      report.add(.head, nil, "the stored frontier is not that of the entries")
    }
  }

  /// Names the first entry under a stored node that is not that of the entries.
  private mutating func checkTiles(_ stored: [MerkleTiles.Place: Digest]) {
    let places = Set(stored.keys).union(tiles.keys).filter { stored[$0] != tiles[$0] }
    let order = places.sorted { ($0.level, $0.number) < ($1.level, $1.number) }
    for place in order {
      report.add(
        .head, nil, "the stored node \(place.number) of level \(place.level) is not that of the entries",
        expected: tiles[place]?.hex ?? "none", found: stored[place]?.hex ?? "none")
    }
  }

  private mutating func compare(_ checkpoint: Checkpoint) {
    checkpointSeen = true
    if frontier.root != checkpoint.root {
      report.add(
        .fork, nil, "the first \(checkpoint.size) entries are not those of the checkpoint: this is another log, or one written anew",
        expected: checkpoint.root.hex, found: frontier.root.hex)
    }
  }

  private mutating func checkEvidence(_ stored: [Inspection.Evidence]) {
    var seen: Set<Digest> = []
    for piece in stored {
      if let digest = piece.named { seen.insert(digest) }
      report.evidence += 1
      guard let named = piece.named.flatMap({ evidence[$0] }) else {
        report.add(.evidence, nil, "\(piece.shown) is named by no entry")
        continue
      }
      if piece.found != piece.named {
        report.add(
          .evidence, named.entry, "\(piece.shown) is not what its digest says", expected: piece.named?.hex, found: piece.found.hex)
      }
      if piece.size != named.size || piece.length != named.size {
        report.add(
          .evidence, named.entry, "\(piece.shown) has another size", expected: "\(named.size)",
          found: "\(piece.size), in fact \(piece.length)")
      }
      if !(piece.media.map { bytesEqual($0, named.media) } ?? false) {
        report.add(
          .evidence, named.entry, "\(piece.shown) has another media type", expected: visible(named.media),
          found: visible(piece.media ?? "NULL"))
      }
    }
    for named in evidence.values.sorted(by: { ($0.entry, $0.digest) < ($1.entry, $1.digest) }) where !seen.contains(named.digest) {
      report.add(.evidence, named.entry, "evidence \(named.digest.hex) is gone")
    }
  }

  private mutating func check(_ projection: BoundProjection, _ store: Inspection, _ sums: [String: TableSum]) {
    // Nothing to compare with where the file could not be read: that is a problem already.
    guard let wanted = store.wanted[projection.name] else { return }
    guard let stored = store.tables[projection.name] else {
      let version = store.versions[projection.name]
      if version == projection.version { return }
      return report.add(
        .projection, nil, "the stored tables `\(projection.name)` have another version", expected: "\(projection.version)",
        found: version.map { "\($0)" } ?? "none")
    }
    for (table, content) in wanted {
      // A table that is missing, or has other columns, is a problem of the schema already.
      guard let found = stored.first(where: { $0.table == table })?.content, found.columns == content.columns else { continue }
      let sum = sums[table] ?? TableSum()
      if found.sum.rows != sum.rows {
        report.add(
          .projection, nil, "table `\(table)` does not follow from the log", expected: "\(sum.rows) rows", found: "\(found.sum.rows) rows")
      } else if found.sum != sum {
        report.add(.projection, nil, "table `\(table)` does not follow from the log: it has as many rows, but not the same")
      }
    }
  }
}
