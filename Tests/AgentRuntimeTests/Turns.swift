import Core
import Dispatch
import Storage

/// Lets several workers go on one at a time, as processes that the operating system stops and continues.
///
/// A worker is stopped where it is about to write: what it has read may be out of date when it goes on. Its writer's own thread waits
/// there, so that no thread of Swift's pool is held up, and at any time one worker runs: the same choices repeat a run exactly.
final class Turns: Sendable {
  private struct State: Sendable {
    /// The workers that have not ended.
    var running: [Int] = []
    /// How often each worker was about to write.
    var passes: [Int: Int] = [:]
  }

  private let state = Locked(State())
  private let gates: [DispatchSemaphore]
  private let next: @Sendable (_ worker: Int, _ pass: Int) -> Int

  /// Turns of so many workers.
  ///
  /// - Parameters:
  ///   - workers: How many there are.
  ///   - next: Who goes on when a worker is about to write; its passes are counted from 1, in each ``run(_:)`` anew. One that has ended
  ///     stands for the worker itself.
  init(workers: Int, next: @escaping @Sendable (_ worker: Int, _ pass: Int) -> Int) {
    gates = (0..<workers).map { _ in DispatchSemaphore(value: 0) }
    self.next = next
  }

  /// Turns in an order that a seed fixes.
  static func seeded(workers: Int, _ seed: UInt64) -> Turns {
    let random = Locked(SeededGenerator(seed: seed))
    return Turns(workers: workers) { _, _ in random.withLock { Int($0.next() % UInt64(workers)) } }
  }

  /// How often a worker was about to write since ``run(_:)``.
  func passes(of worker: Int) -> Int { state.withLock { $0.passes[worker] ?? 0 } }

  /// What stops a worker's store, and where else it fails.
  func faults(of worker: Int, _ plan: FaultPlan = .none) -> FaultPlan {
    FaultPlan { point throws(InjectedFault) in
      if point == Connection.FaultPoint.begin { self.pass(worker) }
      try plan.reach(point)
    }
  }

  /// Runs the work of workers to its end; the first one begins.
  func run<R: Sendable>(_ works: [(worker: Int, work: @Sendable () async -> R)]) async -> [R] {
    state.withLock { $0 = State(running: works.map(\.worker)) }
    if let first = works.first { gates[first.worker].signal() }
    return await withTaskGroup(of: (Int, R).self) { group in
      for (worker, work) in works {
        group.addTask {
          await self.begin(worker)
          let result = await work()
          self.end(worker)
          return (worker, result)
        }
      }
      var results: [(Int, R)] = []
      for await result in group { results.append(result) }
      return results.sorted { $0.0 < $1.0 }.map(\.1)
    }
  }

  private func begin(_ worker: Int) async {
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async {
        self.gates[worker].wait()
        continuation.resume()
      }
    }
  }

  private func pass(_ worker: Int) {
    let other = state.withLock { state -> Int? in
      // A store that is used outside of a run, such as by people.
      guard state.running.contains(worker) else { return nil }
      state.passes[worker, default: 0] += 1
      let chosen = next(worker, state.passes[worker] ?? 0)
      return chosen != worker && state.running.contains(chosen) ? chosen : nil
    }
    guard let other else { return }
    gates[other].signal()
    gates[worker].wait()
  }

  private func end(_ worker: Int) {
    let other = state.withLock { state -> Int? in
      state.running.removeAll { $0 == worker }
      return state.running.first
    }
    if let other { gates[other].signal() }
  }
}
