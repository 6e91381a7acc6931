internal import Core

/// Says on standard error how far something is, once it has taken more than a second.
///
/// On a terminal one line is written over; elsewhere a line is written every ten seconds.
final class Progress: Sendable {
  private struct State {
    var shownAt: ContinuousClock.Instant?
    var isDrawn = false
  }

  private let console: Console
  private let label: String
  private let start = ContinuousClock.now
  private let state = Locked(State())

  init(_ label: String, on console: Console) {
    self.label = label
    self.console = console
  }

  /// Tells how much is done; cheap enough to be called for each piece of work.
  func update(done: Int, of total: Int? = nil) {
    let now = ContinuousClock.now
    let isTerminal = console.terminal.wordsAreTerminal
    let isDue = state.withLock { state in
      guard now - start >= .seconds(1) else { return false }
      if let last = state.shownAt, now - last < (isTerminal ? .milliseconds(200) : .seconds(10)) { return false }
      state.shownAt = now
      state.isDrawn = true
      return true
    }
    if !isDue { return }
    let amount = total.map { "\(done) of \($0)" } ?? "\(done)"
    let line: Shown = "\(label): \(amount), \((now - start).roughText)"
    if isTerminal { console.control("\r\u{1B}[K", line) } else { console.say(line) }
  }

  /// Removes what was drawn.
  func finish() {
    if state.withLock({ $0.isDrawn }), console.terminal.wordsAreTerminal { console.control("\r\u{1B}[K") }
  }

  /// Runs something whose progress cannot be counted, saying after a second that it goes on.
  static func during<R: Sendable>(_ label: String, on console: Console, _ body: () async throws -> R) async rethrows -> R {
    let progress = Progress(label, on: console)
    let ticker = Task { @concurrent in
      while (try? await Task.sleep(for: .milliseconds(500))) != nil { progress.updateWithoutCount() }
    }
    defer {
      ticker.cancel()
      progress.finish()
    }
    return try await body()
  }

  private func updateWithoutCount() {
    let elapsed = ContinuousClock.now - start
    guard elapsed >= .seconds(1) else { return }
    let isTerminal = console.terminal.wordsAreTerminal
    let isDue = state.withLock { state in
      if let last = state.shownAt, ContinuousClock.now - last < (isTerminal ? .milliseconds(500) : .seconds(10)) { return false }
      state.shownAt = .now
      state.isDrawn = true
      return true
    }
    if !isDue { return }
    let line: Shown = "\(label): \(elapsed.roughText) …"
    if isTerminal { console.control("\r\u{1B}[K", line) } else { console.say(line) }
  }
}
