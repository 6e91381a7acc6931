import Core
import TestSupport
import Testing

@testable import ProcessMining

@Suite struct ConformanceTests {
  /// → (a, ∧(b, c), ×(d, τ), ↺(e, f)): the shortest way through it shows four activities.
  static let tree = ProcessTree.sequence([
    .activity("a"), .parallel([.activity("b"), .activity("c")]), .choice([.activity("d"), .silent]),
    .loop(body: .activity("e"), redo: [.activity("f")]),
  ])

  @Test(arguments: [
    ("abce", 0), ("acbde", 0), ("abcefefe", 0), ("abe", 1), ("bce", 1), ("abcd", 1), ("aabce", 1), ("eabc", 2), ("abcef", 1), ("abxce", 1),
    ("", 4), ("xyz", 7),
  ]) func costsAreKnown(trace: String, cost: Int) throws {
    var aligner = Aligner(Self.tree)
    let alignment = try #require(aligner.align(trace.map { String($0) }).alignment)
    #expect(alignment.cost == cost)
    let fitness: Double = 1 - Double(cost) / Double(trace.count + 4)
    #expect(alignment.fitness == fitness)
  }

  @Test func movesAreNamed() throws {
    var aligner = Aligner(Self.tree)
    let alignment = try #require(aligner.align(["a", "x", "c", "e"]).alignment)
    #expect(alignment.cost == 2)
    #expect(alignment.moves.contains(.log("x")))
    #expect(alignment.moves.contains(.model("b")))
    #expect(alignment.moves.filter { !$0.isOfLog && !$0.isOfModel } == [.both("a"), .both("c"), .both("e")])
  }

  @Test func aLimitGivesUpWithABound() throws {
    let wide = ProcessTree.parallel((0..<12).map { .activity("p\($0)") })
    let trace = (0..<12).reversed().map { "p\($0)" } + ["x"]
    var bounded = Aligner(wide, limit: 20)
    guard case .gaveUp(let bound) = bounded.align(trace) else {
      Issue.record("20 states are not enough for 12 branches")
      return
    }
    var free = Aligner(wide)
    #expect(bound == 1)
    #expect(try #require(free.align(trace).alignment).cost == 1)
  }

  @Test func costsEqualAnExhaustiveSearch() throws {
    try withSeeds(400) { (seed, random: inout SeededGenerator) throws in
      let tree = RandomTree.tree(&random, depth: 3)
      var aligner = Aligner(tree)
      for _ in 0..<4 {
        let trace = RandomTree.trace(&random)
        let alignment = try #require(aligner.align(trace).alignment)
        #expect(alignment.cost == ExhaustiveAlignment.cost(tree, trace), "seed \(seed): \(trace) beside \(tree)")
        let log = alignment.moves.filter { !$0.isOfModel }.map(\.name)
        let model = alignment.moves.filter { !$0.isOfLog }.map(\.name)
        #expect(log == trace, "seed \(seed)")
        #expect(ExhaustiveAlignment.cost(tree, model) == 0, "seed \(seed): the model side is a way through \(tree)")
        #expect((0...1).contains(alignment.fitness), "seed \(seed)")
      }
    }
  }

  @Test func aTraceOfTheTreeFits() throws {
    try withSeeds(400) { (seed, random: inout SeededGenerator) throws in
      let tree = RandomTree.tree(&random, depth: 3)
      let trace = RandomTree.play(tree, &random)
      var aligner = Aligner(tree)
      #expect(try #require(aligner.align(trace).alignment).cost == 0, "seed \(seed): \(trace) beside \(tree)")
    }
  }

  @Test func theShortestWayIsExact() {
    withSeeds(400) { seed, random in
      let net = ProcessNet(RandomTree.tree(&random, depth: 3))
      // Played at random from the start: the potential never falls by more than the activity fired, and is 0 at the end.
      var store = MarkingStore(net)
      var marking = store.start
      for _ in 0..<60 {
        let steps = store.steps(from: marking)
        guard let step = steps.randomElement(using: &random) else { break }
        let falls = steps.map { store.potentials[marking] - store.potentials[$0.marking] - ($0.activity == nil ? 0 : 1) }
        #expect(falls.allSatisfy { $0 <= 0 } && falls.contains(0), "seed \(seed)")
        marking = step.marking
      }
      #expect(store.potentials[store.end] == 0)
    }
  }

  @Test func aLogIsSummedUpByItsCases() throws {
    let log = try Samples.log(traces: ["abce", "abce", "abe", "abce"])
    let conformance = LogConformance(Variants(log), Self.tree)
    #expect(conformance.rows.map(\.variant.count) == [3, 1])
    #expect((conformance.aligned, conformance.fitting, conformance.gaveUp) == (4, 3, 0))
    let (mean, whole): (Double, Double) = ((3.0 + 6.0 / 7.0) / 4.0, 30.0 / 31.0)
    #expect(abs(try #require(conformance.meanFitness) - mean) < 1e-12)
    #expect(abs(try #require(conformance.logFitness) - whole) < 1e-12)
    let none = LogConformance(Variants(log), Self.tree, limit: 1)
    #expect((none.aligned, none.gaveUp) == (0, 4))
    #expect(none.meanFitness == nil && none.logFitness == nil)
  }
}

@Suite struct TokenReplayTests {
  @Test func countsAreKnown() {
    let replayer = TokenReplayer(.sequence([.activity("a"), .activity("b"), .activity("c")]))
    let whole = replayer.replay(["a", "b", "c"])
    #expect((whole.produced, whole.consumed, whole.missing, whole.remaining) == (4, 4, 0, 0))
    #expect(whole.fits && whole.fitness == 1)
    let skipped = replayer.replay(["a", "c"])
    #expect((skipped.produced, skipped.consumed, skipped.missing, skipped.remaining) == (3, 3, 1, 1))
    #expect(!skipped.fits)
    #expect(abs(skipped.fitness - 2.0 / 3.0) < 1e-12)
    let empty = replayer.replay([])
    #expect((empty.produced, empty.consumed, empty.missing, empty.remaining) == (1, 1, 1, 1))
    #expect(empty.fitness == 0)
    #expect(replayer.replay(["a", "x", "b", "c"]).unknown == 1)
    #expect(!replayer.replay(["a", "x", "b", "c"]).fits)
  }

  @Test func aLimitIsSaid() {
    let replayer = TokenReplayer(.parallel((0..<8).map { .choice([.silent, .activity("p\($0)")]) }), limit: 10)
    #expect(replayer.replay([]).isLimited)
  }

  @Test func aTraceOfTheTreeFits() {
    withSeeds(400) { seed, random in
      let tree = RandomTree.distinct(&random, depth: 3)
      let trace = RandomTree.play(tree, &random)
      let replay = TokenReplayer(tree).replay(trace)
      #expect(replay.fits, "seed \(seed): \(trace) through \(tree): \(replay)")
    }
  }

  @Test func tokensAddUp() {
    withSeeds(400) { seed, random in
      let replay = TokenReplayer(RandomTree.tree(&random, depth: 3)).replay(RandomTree.trace(&random))
      #expect(replay.produced + replay.missing == replay.consumed + replay.remaining, "seed \(seed): \(replay)")
      #expect((0...1).contains(replay.fitness), "seed \(seed): \(replay)")
    }
  }
}

extension Alignment.Move {
  fileprivate var isOfLog: Bool { if case .log = self { true } else { false } }
  fileprivate var isOfModel: Bool { if case .model = self { true } else { false } }
  fileprivate var name: String {
    switch self {
    case .both(let name), .log(let name), .model(let name): name
    }
  }
}
