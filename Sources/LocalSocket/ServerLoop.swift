internal import Core
internal import Glibc

/// The thread of a ``SocketServer``: what it knows of its connections.
final class ServerLoop {
  /// A connection that has not said all yet, or waits for its turn.
  private struct Waiting {
    var connection: UnixConnection
    /// When it came, as a number.
    var number: Int
    /// When it is let go if it has not said what it wants.
    var deadline: ContinuousClock.Instant
    /// Whether its first frame is there.
    var isReady = false
  }

  /// A connection whose command runs.
  private struct Running {
    var connection: UnixConnection
    var task: Task<Void, Never>
    var isGone = false
  }

  private let server: SocketServer
  private var waiting: [Int32: Waiting] = [:]
  private var running: [Int32: Running] = [:]
  private var count = 0
  private var isStopping = false
  /// Until when no connection is taken, because the process has no descriptor left.
  private var pause: ContinuousClock.Instant?

  init(_ server: SocketServer) { self.server = server }

  /// Whether there is anything to wait for.
  var isRunning: Bool { !isStopping || !running.isEmpty }

  /// Waits for whatever happens next, and deals with it.
  func turn() {
    var entries = [pollfd(fd: server.bell.descriptor, events: Int16(POLLIN), revents: 0)]
    let takes = !isStopping && pause == nil
    if takes { entries.append(pollfd(fd: server.listener.descriptor, events: Int16(POLLIN), revents: 0)) }
    // Of those that wait for their turn, or run, only their end is of interest.
    for (descriptor, item) in waiting {
      entries.append(pollfd(fd: descriptor, events: item.isReady ? Self.hangUp : Int16(POLLIN), revents: 0))
    }
    for (descriptor, item) in running where !item.isGone { entries.append(pollfd(fd: descriptor, events: Self.hangUp, revents: 0)) }
    _ = poll(&entries, nfds_t(entries.count), timeout)
    server.bell.clear()
    if let until = pause, until <= .now { pause = nil }
    hear()
    for entry in entries.dropFirst(takes ? 2 : 1) where entry.revents != 0 { look(at: entry.fd, entry.revents) }
    if takes, entries[1].revents != 0 { accept() }
    letGoOfSilentOnes()
    start()
  }

  private static let hangUp: Int16 = 0x2000  // POLLRDHUP, which the Glibc module does not have

  /// Milliseconds until something has to be done.
  private var timeout: Int32 {
    let next = (waiting.values.filter { !$0.isReady }.map(\.deadline) + [pause].compactMap { $0 }).min()
    guard let next else { return -1 }
    return Int32(clamping: max(0, Int(((next - .now) / .milliseconds(1)).rounded(.up))))
  }

  private func hear() {
    let notes = server.takeNotes()
    for descriptor in notes.finished { running.removeValue(forKey: descriptor)?.connection.end() }
    guard notes.isStopped, !isStopping else { return }
    isStopping = true
    server.listener.remove()
    waiting = [:]
    for item in running.values {
      item.task.cancel()
      item.connection.end()
    }
  }

  private func look(at descriptor: Int32, _ events: Int16) {
    if let item = running[descriptor] {
      running[descriptor]?.isGone = true
      item.task.cancel()
    } else if let item = waiting[descriptor] {
      if item.isReady {
        waiting[descriptor] = nil
      } else {
        do throws(SocketError) {
          waiting[descriptor]?.isReady = try item.connection.take(limit: SocketLimits.firstFrameBytes)
        } catch {
          letGo(descriptor, because: error)
        }
      }
    }
  }

  // MARK: Taking and letting go

  private func accept() {
    while true {
      do throws(SocketError) {
        guard let connection = try server.listener.accept() else { return }
        admit(connection)
      } catch {
        pause = .now + .milliseconds(200)
        return
      }
    }
  }

  private func admit(_ connection: UnixConnection) {
    let own = waiting.filter { $0.value.connection.peer.uid == connection.peer.uid }
    let isCrowded = own.count >= SocketLimits.waitingPerAccount
    if isCrowded, let idle = own.filter({ !$0.value.isReady }).min(by: { $0.value.number < $1.value.number }) {
      letGo(idle.key, because: Self.busy)
    } else if isCrowded || waiting.count >= SocketLimits.waiting {
      return refuse(connection, because: Self.busy)
    }
    count += 1
    waiting[connection.descriptor] = Waiting(connection: connection, number: count, deadline: .now + .seconds(SocketLimits.helloSeconds))
    look(at: connection.descriptor, Int16(POLLIN))
  }

  private static let busy = SocketError(.busy, "the service has more to do than it can take on")

  private func letGoOfSilentOnes() {
    let now = ContinuousClock.now
    for (descriptor, item) in waiting where !item.isReady && item.deadline <= now {
      letGo(descriptor, because: SocketError(.timedOut, "nothing was asked for within \(SocketLimits.helloSeconds) seconds"))
    }
  }

  private func letGo(_ descriptor: Int32, because error: SocketError) {
    if let item = waiting.removeValue(forKey: descriptor) { refuse(item.connection, because: error) }
  }

  private func refuse(_ connection: UnixConnection, because error: SocketError) {
    if error.code != .gone { try? connection.send(server.refusal(error), waits: false) }
  }

  // MARK: Running

  /// Gives those their turn who have waited longest.
  private func start() {
    if isStopping { return }
    for (descriptor, item) in waiting.filter({ $0.value.isReady }).sorted(by: { $0.value.number < $1.value.number }) {
      let uid = item.connection.peer.uid
      guard running.count < SocketLimits.running else { return }
      guard running.values.count(where: { $0.connection.peer.uid == uid }) < SocketLimits.runningPerAccount else { continue }
      waiting[descriptor] = nil
      let (server, connection) = (server, item.connection)
      let task = Task(executorPreference: ClientThread()) {
        await server.handler(connection)
        server.finished(connection.descriptor)
      }
      running[descriptor] = Running(connection: connection, task: task)
    }
  }
}
