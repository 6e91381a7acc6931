internal import AgentRuntime
internal import Audit
internal import Core
internal import Governance
internal import LocalSocket
internal import Storage

/// The long-lived part of the service: its socket, the passing of time, and the work of agents and tools, until it is told to stop.
final class ServiceKeeper: Sendable {
  private let workspace: Workspace
  private let server: SocketServer
  private let console: Console
  private let stops: StopSignals
  /// Does what can be done without people; nil where another process does.
  private let work: WorkLoop?
  private let failure = Locked<(any Error)?>(nil)
  private let lastProblem = Locked("")

  init(_ workspace: Workspace, server: SocketServer, work: WorkLoop?, stops: StopSignals, console: Console) {
    self.workspace = workspace
    self.server = server
    self.work = work
    self.stops = stops
    self.console = console
  }

  /// How long what runs has to end after the signal.
  private static let farewell = Duration.milliseconds(700)

  /// Serves until a signal comes or the store cannot be used any more.
  ///
  /// - Throws: What the store says where it cannot be used any more.
  func run() async throws {
    let ended = Locked(0)
    let server = server
    let parts: [@Sendable () async -> Void] = [
      { [self] in await keepTime() }, { [self] in await keepWorking() }, { await server.run() },
    ]
    let tasks = parts.map { part in
      Task {
        await part()
        ended.withLock { $0 += 1 }
      }
    }
    await stops.wait()
    server.stop()
    for task in tasks { task.cancel() }
    let start = ContinuousClock.now
    while ended.withLock({ $0 }) < tasks.count, .now - start < Self.farewell { try? await Task.sleep(for: .milliseconds(10)) }
    // The transaction that is open is finished first; nothing begins after it.
    await workspace.close()
    if let error = failure.withLock({ $0 }) { throw error }
  }

  /// Ends each second what nobody decided in time, and fires the timers whose time has come.
  private func keepTime() async {
    while !Task.isCancelled {
      await guarded { _ = try await workspace.gate.passTime() }
      try? await Task.sleep(for: .seconds(1))
    }
  }

  /// Works whenever the log has grown; what is stuck is tried again after a while, more and more rarely.
  private func keepWorking() async {
    guard let work else { return }
    var pause = ServicePause()
    // What was said of a step is not said again while it stays so.
    let said = Locked<[String]>([])
    while !Task.isCancelled {
      await guarded {
        let size = try await workspace.store.read { $0.head.size }
        guard pause.isOver(size: size, at: .now) else { return }
        let console = console
        let items = try await work.work { item in
          if !said.withLock({ $0.contains(item.line.plain) }) { console.print(item.line) }
        }
        said.withLock { $0 = items.map(\.line.plain) }
        pause.begin(size: try await workspace.store.read { $0.head.size }, isStuck: items.contains(where: \.isParked), at: .now)
      }
      try? await Task.sleep(for: .seconds(1))
    }
  }

  /// Does something, and says what went wrong with it; where the store cannot be used any more, all ends.
  private func guarded(_ body: () async throws -> Void) async {
    do {
      try await body()
      lastProblem.withLock { $0 = "" }
    } catch is CancellationError {
    } catch {
      let described = CommandError(describing: error)
      let fatal: [AuditError.Code] = [.closed, .forked, .damaged]
      if let error = error as? AuditError, fatal.contains(error.code), !Task.isCancelled {
        failure.withLock { $0 = $0 ?? error }
        stops.stop()
      } else if lastProblem.withLock({ last in
        defer { last = described.message }
        return last != described.message
      }) {
        console.say(Shown.message(described.message, .bad))
      }
    }
  }
}

/// When the service works again: at once where the log has grown, later where something is stuck.
struct ServicePause: Sendable {
  private var size: Int?
  private var until: ContinuousClock.Instant?
  private var length = Duration.zero

  /// How long what is stuck waits at first and at most.
  static let shortest = Duration.seconds(5)
  static let longest = Duration.seconds(300)
  /// How often it works where nothing has happened: an effect whose process is gone leaves no entry.
  static let usual = Duration.seconds(30)

  /// Whether there may be something to do.
  func isOver(size: Int, at now: ContinuousClock.Instant) -> Bool {
    guard let until else { return true }
    return now >= until || (length == .zero && size != self.size)
  }

  /// Notes that work ended.
  mutating func begin(size: Int, isStuck: Bool, at now: ContinuousClock.Instant) {
    length = isStuck ? min(max(length * 2, Self.shortest), Self.longest) : .zero
    self.size = size
    until = now + (isStuck ? length : Self.usual)
  }
}

extension WorkLoop.Item {
  /// Whether nothing could be done about it.
  var isParked: Bool { if case .parked = outcome { true } else { false } }
}
