import Glibc

/// The loop around one running child: moves bytes, keeps the limits, sees the end.
struct Watch: ~Copyable {
  private enum Stop { case time, output, errorOutput, cancelled }

  private let invocation: Invocation
  private let process: pid_t
  private let name: String
  private let began = monotonicNanoseconds()
  private var input: Descriptor?
  private var output: Collected
  private var errorOutput: Collected
  private var exit: Descriptor?
  private var written = 0
  private var stop: Stop?
  private var lastSignal: Int32 = 0
  private var killAt = UInt64.max
  private var giveUpAt = UInt64.max
  /// Whether the program has ended; it is a zombie until ``reap()``.
  private(set) var hasExited = false
  private var drainUntil = UInt64.max
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)

  init(_ invocation: Invocation, _ child: consuming Child) {
    self.invocation = invocation
    process = child.process
    name = invocation.executable.description
    input = .some(child.input)
    output = Collected(child.output, limit: invocation.limits.outputBytes)
    errorOutput = Collected(child.errorOutput, limit: invocation.limits.errorBytes)
    if invocation.input.isEmpty { input = nil }
    if let open = GlibcExtensions.available?.openProcess {
      let number = open(process, 0)
      if number >= 0 { exit = Descriptor(number) }
    }
  }

  deinit { buffer.deallocate() }

  /// Runs until the program ended and its output is read, or a limit ended it.
  ///
  /// The child is dead then but not yet reaped.
  mutating func run(wake: consuming Descriptor?) -> Supervisor.Outcome {
    let deadline = began + invocation.limits.time.nanoseconds
    var wake = wake
    while true {
      let now = monotonicNanoseconds()
      if !hasExited && stop == nil && now >= deadline { begin(.time, now) }
      if !hasExited && now >= killAt { signal(SIGKILL, now) }
      if now >= giveUpAt { break }
      if hasExited && (isDrained || now >= drainUntil) { break }
      let next = min(stop == nil && !hasExited ? deadline : .max, killAt, giveUpAt, drainUntil)
      wait(until: next, now, &wake)
    }
    // What the program left behind in its group goes too; its id is still taken, because the program is not reaped yet.
    kill(-process, SIGKILL)
    if let mark = invocation.mark, let value = invocation.environment[mark] { killStrays(with: "\(mark)=\(value)") }
    readOutput()
    readErrorOutput()
    return outcome()
  }

  /// Waits for the end of a killed child, so that no zombie stays.
  func reap() {
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 && errno == EINTR {}
  }

  private var isDrained: Bool { output.isAtEnd && errorOutput.isAtEnd }

  // MARK: Waiting

  private mutating func wait(until next: UInt64, _ now: UInt64, _ wake: inout Descriptor?) {
    var watched: [pollfd] = []
    func number(_ descriptor: borrowing Descriptor?) -> Int32 { descriptorNumber(descriptor) }
    let numbers = (wake: number(wake), input: number(input), output: output.number, errors: errorOutput.number, exit: number(exit))
    func add(_ number: Int32, _ events: Int32) { if number >= 0 { watched.append(pollfd(fd: number, events: Int16(events), revents: 0)) } }
    add(numbers.wake, POLLIN)
    add(numbers.input, POLLOUT)
    add(numbers.output, POLLIN)
    add(numbers.errors, POLLIN)
    if !hasExited { add(numbers.exit, POLLIN) }
    var milliseconds = next == .max ? -1 : Int32(clamping: (next - min(next, now) + 999_999) / 1_000_000)
    if !hasExited && numbers.exit < 0 { milliseconds = milliseconds < 0 ? 10 : min(milliseconds, 10) }
    let ready = poll(&watched, nfds_t(watched.count), milliseconds)
    func isReady(_ number: Int32) -> Bool { ready > 0 && number >= 0 && watched.contains { $0.fd == number && $0.revents != 0 } }

    let later = monotonicNanoseconds()
    if isReady(numbers.wake) {
      wake = nil
      if stop == nil && !hasExited { begin(.cancelled, later) }
    }
    if isReady(numbers.input) { writeInput() }
    if isReady(numbers.output) { readOutput() }
    if isReady(numbers.errors) { readErrorOutput() }
    if !hasExited && (isReady(numbers.exit) || numbers.exit < 0) { lookForExit(later) }
  }

  private mutating func lookForExit(_ now: UInt64) {
    var information = siginfo_t()
    guard waitid(P_PID, id_t(process), &information, WEXITED | WNOWAIT | WNOHANG) == 0, information.si_signo == SIGCHLD else { return }
    hasExited = true
    input = nil
    killAt = .max
    giveUpAt = .max
    drainUntil = stop == nil ? now + invocation.limits.drain.nanoseconds : now
  }

  // MARK: Bytes

  private mutating func writeInput() {
    let number = descriptorNumber(input)
    let bytes = invocation.input
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { Glibc.write(number, $0.baseAddress?.advanced(by: written), bytes.count - written) }
      if count < 0 {
        if errno == EINTR { continue }
        // EPIPE: the program does not want the rest, which is its own business.
        if errno != EAGAIN { input = nil }
        return
      }
      written += count
    }
    input = nil
  }

  private mutating func readOutput() {
    if output.read(buffer), stop == nil { begin(.output, monotonicNanoseconds()) }
  }

  private mutating func readErrorOutput() {
    if errorOutput.read(buffer), stop == nil { begin(.errorOutput, monotonicNanoseconds()) }
  }

  // MARK: Ending

  private mutating func begin(_ reason: Stop, _ now: UInt64) {
    stop = reason
    guard !hasExited else { return }
    signal(SIGTERM, now)
    killAt = now + invocation.limits.grace.nanoseconds
  }

  private mutating func signal(_ number: Int32, _ now: UInt64) {
    kill(-process, number)
    lastSignal = number
    guard number == SIGKILL else { return }
    killAt = .max
    // A process that the kernel cannot end now (a dead network disk) must not keep the caller; `reap` goes on waiting.
    giveUpAt = now + 5_000_000_000
  }

  private func outcome() -> Supervisor.Outcome {
    let limits = invocation.limits
    guard let stop else {
      var information = siginfo_t()
      _ = waitid(P_PID, id_t(process), &information, WEXITED | WNOWAIT | WNOHANG)
      let status = childStatus(information)
      return .success(
        InvocationResult(
          termination: status, output: output.bytes, errorOutput: errorOutput.bytes,
          duration: .nanoseconds(Int64(monotonicNanoseconds() - began))))
    }
    let how = lastSignal == 0 ? "had ended" : "was ended with \(signalName(lastSignal))"
    let (code, text): (SubprocessError.Code, String) =
      switch stop {
      case .time: (.timeLimit, "`\(name)` \(how) after the time limit of \(limits.time)")
      case .output: (.outputLimit, "`\(name)` \(how): it wrote more than the limit of \(limits.outputBytes) bytes")
      case .errorOutput:
        (.errorOutputLimit, "`\(name)` \(how): it wrote more than the limit of \(limits.errorBytes) bytes to standard error")
      case .cancelled: (.cancelled, "`\(name)` \(how): the run was cancelled")
      }
    return .failure(SubprocessError(code, name, text, wasStarted: true, output: output.bytes, errorOutput: errorOutput.bytes))
  }
}

/// One of the program's outputs: our end of its pipe and what came through it.
private struct Collected: ~Copyable {
  private var source: Descriptor?
  private let limit: Int
  private(set) var bytes: [UInt8] = []

  init(_ source: consuming Descriptor, limit: Int) {
    self.source = .some(source)
    self.limit = limit
  }

  var number: Int32 { descriptorNumber(source) }
  var isAtEnd: Bool { number < 0 }

  /// Reads what is there without waiting; bytes over the limit are dropped.
  ///
  /// - Returns: Whether there were any over the limit.
  mutating func read(_ buffer: UnsafeMutableRawBufferPointer) -> Bool {
    let number = number
    guard number >= 0 else { return false }
    while true {
      let count = Glibc.read(number, buffer.baseAddress, buffer.count)
      if count < 0, errno == EINTR { continue }
      if count < 0, errno == EAGAIN { return false }
      guard count > 0 else {
        source = nil
        return false
      }
      let room = max(0, limit - bytes.count)
      bytes.append(contentsOf: buffer[..<min(room, count)])
      // Not for ever in one turn: a program that floods the pipe must not keep the loop from its deadlines.
      if count > room { return true }
    }
  }
}

/// The descriptor's number, or -1.
private func descriptorNumber(_ descriptor: borrowing Descriptor?) -> Int32 {
  switch descriptor {
  case .some(let open): open.number
  case .none: -1
  }
}

private func childStatus(_ information: siginfo_t) -> InvocationResult.Termination {
  let status = information._sifields._sigchld.si_status
  return information.si_code == CLD_EXITED ? .exited(status) : .signalled(status)
}

/// Nanoseconds of the monotonic clock.
func monotonicNanoseconds() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
