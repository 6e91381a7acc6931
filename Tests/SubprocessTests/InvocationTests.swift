import Core
import Foundation
import Glibc
import Subprocess
import TestSupport
import Testing

private let shell = Executable.path("/bin/sh")

/// A shell script run with a short limit.
private func script(_ text: String, _ arguments: [String] = [], input: [UInt8] = [], limits: InvocationLimits = InvocationLimits())
  -> Invocation
{
  Invocation(shell, ["-c", text, "sh"] + arguments, environment: ["PATH": "/usr/bin:/bin"], input: input, limits: limits)
}

private func failure(_ invocation: Invocation) async -> SubprocessError? {
  do throws(SubprocessError) {
    _ = try await invocation.run()
    return nil
  } catch {
    return error
  }
}

private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

@Suite("subprocess", .serialized, .timeLimit(.minutes(5))) struct InvocationTests {
  @Test("output, errors, exit code and arguments come through, without a shell in between")
  func plain() async throws {
    let result = try await script("printf '%s|' \"$@\"; echo oops >&2; exit 3", ["a b", "$HOME", "`id`", "\"'", ""]).run()
    #expect(result.termination == .exited(3))
    #expect(!result.succeeded)
    #expect(text(result.output) == "a b|$HOME|`id`|\"'||")
    #expect(text(result.errorOutput) == "oops\n")
  }

  @Test("a signal is told apart from an exit code")
  func signal() async throws {
    let killed = try await script("kill -SEGV $$").run()
    #expect(killed.termination == .signalled(SIGSEGV))
    let exited = try await script("exit 139").run()
    #expect(exited.termination == .exited(139))
    #expect(InvocationResult.Termination.signalled(SIGSEGV).description == "SIGSEGV")
  }

  @Test("input goes in while both outputs come out, beyond the size of any pipe")
  func bothWays() async throws {
    let input = [UInt8](repeating: UInt8(ascii: "i"), count: 3 << 20)
    var limits = InvocationLimits()
    limits.errorBytes = 4 << 20
    let result = try await script("tee /dev/stderr", input: input, limits: limits).run()
    #expect(result.output == input)
    #expect(result.errorOutput == input)
  }

  @Test("a program that does not read its input is no error, and raises no SIGPIPE here")
  func unreadInput() async throws {
    let result = try await script("exec <&-; sleep 0.05; echo done", input: [UInt8](repeating: 1, count: 1 << 20)).run()
    #expect(text(result.output) == "done\n")
  }

  @Test("the environment is the given one and nothing else; the folder too")
  func surroundings() async throws {
    setenv("REMIT_CANARY", "secret", 1)
    defer { unsetenv("REMIT_CANARY") }
    let result = try await Invocation(.path("/usr/bin/env"), environment: ["B": "2 3", "A": "1"]).run()
    #expect(text(result.output) == "A=1\nB=2 3\n")
    try await withTemporaryDirectory { directory in
      var invocation = script("pwd -P")
      invocation.workingDirectory = directory
      let result = try await invocation.run()
      #expect(text(result.output) == directory + "\n")
    }
  }

  @Test("no descriptor but the three standard ones is inherited, and no signal is blocked or ignored")
  func inheritance() async throws {
    let leak = open("/dev/null", O_RDONLY)
    defer { close(leak) }
    #expect(leak > 2)
    let result = try await script("ls /proc/self/fd | wc -l; grep -E 'SigBlk|SigIgn' /proc/self/status").run()
    let lines = text(result.output).split(whereSeparator: \.isWhitespace)
    // The listing itself holds one descriptor; glibc ignores two signals of its own, 32 and 33, in every child.
    #expect(lines.first == "4" && lines.count == 5, "\(lines)")
    #expect(UInt64(lines[2], radix: 16) == 0)
    #expect(UInt64(lines[4], radix: 16).map { $0 & 0x7FFF_FFFF } == 0)
  }

  @Test("the program leads a process group of its own")
  func group() async throws {
    let result = try await script("ps -o pgid= -p $$ | tr -d ' '; echo $$").run()
    let lines = text(result.output).split(separator: "\n")
    #expect(lines.count == 2 && lines[0] == lines[1])
  }

  @Test("the time limit ends the whole group, with SIGKILL where SIGTERM is ignored")
  func timeLimit() async throws {
    try await withTemporaryDirectory { directory in
      let began = ContinuousClock.now
      let limits = InvocationLimits(time: .seconds(1), grace: .milliseconds(200))
      let stubborn =
        "trap '' TERM; (trap '' TERM; echo $BASHPID > /dev/null; sh -c 'echo $$' > \(directory)/child; sleep 30) & echo partly; wait"
      let error = try #require(await failure(script(stubborn, limits: limits)))
      #expect(error.code == .timeLimit)
      #expect(error.message.contains("/bin/sh") && error.message.contains("1.0 seconds") && error.message.contains("SIGKILL"), "\(error)")
      #expect(error.wasStarted)
      #expect(text(error.output) == "partly\n")
      #expect(ContinuousClock.now - began < .seconds(20))
      let polite = try #require(await failure(script("sleep 30", limits: limits)))
      #expect(polite.message.contains("SIGTERM"), "\(polite)")
    }
    #expect(await survivors("sleep 30") == 0)
  }

  /// How many processes of this test have this command line.
  private func survivors(_ command: String) async -> Int {
    var count = 0
    for _ in 0..<100 {
      let listing = try? await Invocation(.path("/bin/ps"), ["-eo", "stat=,args="]).run()
      count = text(listing?.output ?? []).split(separator: "\n").count { $0.hasSuffix(command) && !$0.hasPrefix("Z") }
      if count == 0 { break }
      try? await Task.sleep(for: .milliseconds(50))
    }
    return count
  }

  @Test("too much output ends the program, and what came before is kept")
  func outputLimit() async throws {
    let limits = InvocationLimits(outputBytes: 1000, errorBytes: 500)
    let flood = try #require(await failure(script("yes", limits: limits)))
    #expect(flood.code == .outputLimit)
    #expect(flood.output.count == 1000)
    #expect(flood.message.contains("1000 bytes"))
    let errors = try #require(await failure(script("yes >&2", limits: limits)))
    #expect(errors.code == .errorOutputLimit)
    #expect(errors.errorOutput.count == 500)
    let exact = try await script("head -c 1000 /dev/zero", limits: limits).run()
    #expect(exact.output.count == 1000)
  }

  @Test("a process left behind with the pipes does not keep the caller, and does not live on")
  func leftBehind() async throws {
    let began = ContinuousClock.now
    let result = try await script("sleep 31 & echo parent; exit 0").run()
    #expect(result.succeeded)
    #expect(text(result.output) == "parent\n")
    #expect(ContinuousClock.now - began < .seconds(20))
    #expect(await survivors("sleep 31") == 0)
  }

  @Test("a process that left the group does not live on where a mark tells whose it is", arguments: [false, true])
  func strays(isStopped: Bool) async throws {
    var limits = InvocationLimits()
    if isStopped { limits.time = .milliseconds(300) }
    var marked = script("setsid sh -c 'setsid sleep 34.5 & sleep 34.5' > /dev/null 2>&1 & sleep \(isStopped ? 30 : 0.2)", limits: limits)
    marked.environment["CALL"] = "call-\(getpid())-\(isStopped)"
    marked.mark = "CALL"
    if isStopped { #expect(await failure(marked)?.code == .timeLimit) } else { #expect(try await marked.run().succeeded) }
    #expect(await survivors("sleep 34.5") == 0)
  }

  @Test("what a process left behind still writes within the drain time is kept")
  func drain() async throws {
    var limits = InvocationLimits()
    limits.drain = .seconds(25)
    let result = try await script("(sleep 0.2; echo late) & echo early", limits: limits).run()
    #expect(text(result.output) == "early\nlate\n")
  }

  @Test("cancelling the task ends the program, its group included")
  func cancellation() async throws {
    let started = "/tmp/remit-test-started.\(getpid())"
    defer { unlink(started) }
    let task = Task { await failure(script("trap '' TERM; : > \(started); sleep 32")) }
    while access(started, F_OK) != 0 { try await Task.sleep(for: .milliseconds(10)) }
    let began = ContinuousClock.now
    task.cancel()
    let error = try #require(await task.value)
    #expect(error.code == .cancelled)
    #expect(error.wasStarted)
    #expect(ContinuousClock.now - began < .seconds(20))
    #expect(await survivors("sleep 32") == 0)
    let early = Task { () -> SubprocessError? in
      withUnsafeCurrentTask { $0?.cancel() }
      return await failure(script("exit 0"))
    }
    #expect(await early.value?.wasStarted == false)
  }

  struct Unusable: Sendable {
    let invocation: Invocation
    let code: SubprocessError.Code
  }

  static let flaws = [
    Unusable(invocation: Invocation(.path("/no/such/program")), code: .executableNotFound),
    Unusable(invocation: Invocation(.path("sh")), code: .executableNotFound),
    Unusable(invocation: Invocation(.path("/etc")), code: .notExecutable),
    Unusable(invocation: Invocation(.path("/etc/passwd")), code: .notExecutable),
    Unusable(invocation: Invocation(.named("sh", searchPath: [])), code: .executableNotFound),
    Unusable(invocation: Invocation(.named("sh", path: ".:relative:")), code: .executableNotFound),
    Unusable(invocation: Invocation(.named("../bin/sh", path: "/usr")), code: .executableNotFound),
    Unusable(invocation: Invocation(.named("", path: "/usr/bin")), code: .executableNotFound),
    Unusable(invocation: Invocation(shell, ["a\0b"]), code: .invalidArgument),
    Unusable(invocation: Invocation(shell, environment: ["A=B": "c"]), code: .invalidArgument),
    Unusable(invocation: Invocation(shell, environment: ["A": "c\0"]), code: .invalidArgument),
    Unusable(invocation: Invocation(shell, workingDirectory: "/no/such/folder"), code: .workingDirectory),
    Unusable(invocation: Invocation(shell, workingDirectory: "/etc/passwd"), code: .workingDirectory),
  ]

  @Test("what cannot be started says why, and did not start", arguments: flaws)
  func unusable(_ test: Unusable) async throws {
    let error = try #require(await failure(test.invocation))
    #expect(error.code == test.code, "\(error)")
    #expect(!error.wasStarted)
    #expect(!error.message.isEmpty && !error.message.hasSuffix("."))
  }

  @Test("a name is looked up in the given folders alone")
  func lookup() async throws {
    #expect(try Executable.named("sh", path: "/no/such:/bin").resolved() == "/bin/sh")
    try await withTemporaryDirectory { directory in
      try "text".write(toFile: "\(directory)/sh", atomically: true, encoding: .utf8)
      #expect(try Executable.named("sh", searchPath: [directory, "/bin"]).resolved() == "/bin/sh")
      let error = await failure(Invocation(.named("sh", searchPath: [directory])))
      #expect(error?.code == .notExecutable)
    }
  }

  @Test("a script whose interpreter is missing says so")
  func interpreter() async throws {
    try await withTemporaryDirectory { directory in
      let path = "\(directory)/tool"
      try "#!/no/such/interpreter\n".write(toFile: path, atomically: true, encoding: .utf8)
      chmod(path, 0o755)
      let error = try #require(await failure(Invocation(.path(path))))
      #expect(error.message.contains("interpreter"))
    }
  }

  @Test("many at once leave no descriptor, no zombie and no thread of the shared pool blocked")
  func many() async throws {
    func descriptors() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count }
    _ = try await script("exit 0").run()
    let before = try descriptors()
    let codes = try await withThrowingTaskGroup(of: Bool.self) { group in
      for index in 0..<100 {
        group.addTask {
          let result = try await script("cat; exit \(index)", input: Array("\(index)".utf8)).run()
          return result.termination == .exited(Int32(index)) && text(result.output) == "\(index)"
        }
      }
      return try await group.reduce(into: [Bool]()) { $0.append($1) }
    }
    #expect(codes == [Bool](repeating: true, count: 100))
    var after = 0
    for _ in 0..<200 {
      after = try descriptors()
      if after <= before { break }
      try await Task.sleep(for: .milliseconds(25))
    }
    #expect(after <= before)
    let zombies = try await Invocation(.path("/bin/ps"), ["--ppid", "\(getpid())", "-o", "stat=,comm="]).run()
    #expect(!text(zombies.output).split(separator: "\n").contains { $0.hasPrefix("Z") && $0.contains(" sh") })
  }

  @Test("eight programs that wait do not stop other tasks")
  func pool() async throws {
    let began = ContinuousClock.now
    async let waiting = withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 { group.addTask { _ = try? await script("sleep 3").run() } }
    }
    await Task.yield()
    let quick = await Task { ContinuousClock.now - began }.value
    #expect(quick < .milliseconds(2800))
    await waiting
  }
}
