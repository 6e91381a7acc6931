import Core
import Storage
import TestSupport
import Testing

@testable import Audit

/// The writer without actor, queue and threads, against a model.
@Suite struct WriterSimulationTests {
  /// What a simulated caller wants.
  enum Wish: Sendable {
    case append(run: Int, ticket: Int?)
    case appendShared
    case close(run: Int)
    case refuse
    case nothing
  }

  /// A caller that records its answer.
  final class Caller: Decision, @unchecked Sendable {
    let wish: Wish
    var result: Bool?
    var sawTypes: Int?
    init(_ wish: Wish) {
      self.wish = wish
      super.init()
    }
    override func decide(_ context: AnyObject) throws -> [EntryDraft] {
      let context = unsafeDowncast(context, to: WriteContext<CountingLedger>.self)
      switch wish {
      case .append(let run, let ticket):
        sawTypes = try context.run("run-\(run)")?.types.count ?? 0
        return [draft("run-\(run)", ticket: ticket.map { "t\($0)" })]
      case .appendShared: return [draft(nil, "shared.changed@1"), draft(nil, "shared.changed@1")]
      case .close(let run): return [draft("run-\(run)", "run.closed@1")]
      case .refuse: throw CountingLedger.Misfit(reason: "no")
      case .nothing: return []
      }
    }
    override func succeed() { result = true }
    override func fail(_ error: any Error) { result = false }
  }

  /// What the log must hold: the rules of the ledger and its tables, by hand.
  struct Model {
    var entries = 0
    var counts: [Int: Int] = [:]
    var closed: Set<Int> = []
    var tickets: Set<Int> = []

    /// Whether the wish is granted, and the state afterwards.
    mutating func apply(_ wish: Wish) -> Bool {
      switch wish {
      case .append(let run, let ticket):
        if closed.contains(run) { return false }
        if let ticket, !tickets.insert(ticket).inserted { return false }
        counts[run, default: 0] += 1
        entries += 1
      case .appendShared: entries += 2
      case .close(let run):
        if !closed.insert(run).inserted { return false }
        counts[run, default: 0] += 1
        entries += 1
      case .refuse: return false
      case .nothing: break
      }
      return true
    }
  }

  static func wish(_ random: inout SeededGenerator) -> Wish {
    switch Int.random(in: 0..<12, using: &random) {
    case 0...4: .append(run: Int.random(in: 0..<12, using: &random), ticket: nil)
    case 5...7: .append(run: Int.random(in: 0..<12, using: &random), ticket: Int.random(in: 0..<20, using: &random))
    case 8: .appendShared
    case 9: .close(run: Int.random(in: 0..<12, using: &random))
    case 10: .refuse
    default: .nothing
    }
  }

  @Test func batchesDoWhatSingleDecisionsWould() async throws {
    try await withSeeds(12) { seed, random in
      var generator = random
      try await withTemporaryDirectory { directory in
        let path = "\(directory)/store.sqlite"
        let functions = LedgerFunctions.of(CountingLedger.self, [RunTable()])
        // A failing point now and then: the batch then fails as a whole, and memory is read again from the store.
        let plan = Locked(SeededGenerator(seed: seed))
        let armed = Locked(false)
        let fired = Locked(0)
        let faults = FaultPlan { point throws(InjectedFault) in
          guard armed.withLock({ $0 }), point != Connection.FaultPoint.committed else { return }
          if plan.withLock({ Int.random(in: 0..<60, using: &$0) }) == 0 {
            fired.withLock { $0 += 1 }
            throw InjectedFault(point: point)
          }
        }
        let connection = try Connection(path: path, mode: .readWrite(create: true), faults: faults)
        try connection.execute("PRAGMA synchronous=OFF")
        try connection.migrate(LogSchema.migrations, application: LogSchema.application)
        try ProjectionTables(functions).prepare(in: connection, cachedRuns: 6)
        let options = fixedOptions(seed: seed)
        let writer = try WriterCore(
          connection: connection, functions: functions, time: options.time, random: options.random, cachedRuns: 6)
        armed.withLock { $0 = true }
        var model = Model()
        for _ in 0..<40 {
          let batch = (0..<Int.random(in: 1...12, using: &generator)).map { _ in Caller(Self.wish(&generator)) }
          let before = fired.withLock { $0 }
          let rest = writer.process(batch)
          #expect(rest.isEmpty)
          var after = model
          let wanted = batch.map { (caller: Caller) -> (Bool, Int?) in
            var seen: Int?
            if case .append(let run, _) = caller.wish { seen = after.counts[run] ?? 0 }
            return (after.apply(caller.wish), seen)
          }
          if fired.withLock({ $0 }) > before {
            #expect(batch.allSatisfy { $0.result == false }, "SEED=\(seed)")
            continue
          }
          model = after
          for (caller, (granted, seen)) in zip(batch, wanted) {
            #expect(caller.result == granted, "SEED=\(seed)")
            #expect(caller.sawTypes == seen, "SEED=\(seed)")
          }
        }
        armed.withLock { $0 = false }
        connection.close()
        let report = try await verify(path)
        #expect(report.ok, "SEED=\(seed): \(report.problems)")
        #expect(report.entries == model.entries, "SEED=\(seed)")
      }
    }
  }

  @Test func aHugeBatchIsCutByBytes() async throws {
    try await withTemporaryDirectory { directory in
      let path = "\(directory)/store.sqlite"
      let store = try await CountingStore.open(path, projections: [RunTable()], options: fixedOptions())
      let note = String(repeating: "x", count: 3 << 20)
      let indices = try await withThrowingTaskGroup(of: Int.self) { group in
        for caller in 0..<12 { group.addTask { try await store.append([draft("run-\(caller)", note: note)]) } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(indices.sorted() == Array(0..<12))
      #expect(try await store.verify().ok)
      await store.close()
    }
  }
}
