public import Core
internal import Glibc
public import Governance
internal import ProcessModel
internal import Subprocess

/// Tools that are local programs: arguments as JSON on standard input, the result as JSON on standard output.
///
/// There is no shell. The program gets a process group, a small environment and limits of its own. A program that the release holds
/// (`tools/crm-lookup`) runs from the bytes that the release pins, with the release's other tool files beside it, not from the file that
/// lies in the workspace.
public struct CommandConnector: Connector {
  /// Where programs are looked up that are named without a path.
  static let searchPath = "/usr/local/bin:/usr/bin:/bin"
  private let programs: String
  let state: String
  let secrets: Secrets
  private let time: TimeSource
  let seen = Locked<[String: SeenFile]>([:])
  /// The most that a program may write to standard output.
  public static let resultBytes = 1 << 20
  /// The most of a program's standard error that is kept.
  static let complaintBytes = 2000

  /// A connector.
  ///
  /// - Parameters:
  ///   - programs: A private folder for copies of pinned programs; made when it is needed.
  ///   - state: The folder in which programs work and may keep files: `REMIT_TOOL_STATE`.
  ///   - secrets: What programs are given in their environment.
  ///   - time: The clock of deadlines.
  public init(programs: String, state: String, secrets: Secrets, time: TimeSource = .system) {
    self.programs = programs
    self.state = state
    self.secrets = secrets
    self.time = time
  }

  /// Runs the program of a granted call.
  ///
  /// An exit code other than 0 says that nothing happened; a program that was killed, cancelled or cut off leaves the effect in doubt,
  /// unless the tool only reads.
  public func call(_ grant: borrowing Grant) async -> EffectOutcome {
    guard let definition = grant.definition, let command = definition.settings["command"]?.arrayValue?.compactMap(\.stringValue),
      let program = command.first
    else { return .failed("misconfigured", "the tool has no command") }
    if let pin = grant.pin {
      guard let left = grant.timeLeft(at: time.now()) else { return .tooLate }
      do throws(ToolObservationError) {
        let observed = try await observe(definition, programs: grant.programs, within: left)
        if let change = pin.change(to: observed) { return .changed(change, observed: observed) }
      } catch {
        return .failed("program-missing", error.description)
      }
    }
    let executable: Executable
    do throws(FileError) {
      executable = try self.executable(program, pinned: grant.programs)
    } catch {
      return .failed("program-missing", error.description)
    }
    var environment = self.environment(of: definition)
    environment["REMIT_IDEMPOTENCY_KEY"] = grant.idempotencyKey
    environment["REMIT_CALL"] = grant.id
    environment["REMIT_RUN"] = grant.run
    mkdir(state, 0o700)
    guard let left = grant.timeLeft(at: time.now()) else { return .tooLate }
    var invocation = Invocation(
      executable, Array(command.dropFirst()), environment: environment, workingDirectory: state,
      input: Array(JSON.object(grant.arguments).text().utf8) + [0x0A], limits: InvocationLimits(time: left, outputBytes: Self.resultBytes))
    invocation.mark = "REMIT_CALL"
    let isHarmless = definition.effect == .read
    do throws(SubprocessError) {
      return outcome(of: try await invocation.run(), isHarmless: isHarmless)
    } catch {
      if !error.wasStarted || isHarmless { return .failed(error.code.rawValue, error.message) }
      return .inDoubt(error.code.rawValue, error.message)
    }
  }

  /// What every program of a tool finds in its environment, whatever it is run for.
  func environment(of tool: ToolDefinition) -> [String: String] {
    var environment = secrets.forPrograms
    environment["PATH"] = Self.searchPath
    environment["LC_ALL"] = "C.UTF-8"
    environment["REMIT_TOOL"] = tool.name
    environment["REMIT_TOOL_STATE"] = state
    return environment
  }

  private func outcome(of result: InvocationResult, isHarmless: Bool) -> EffectOutcome {
    let blot = secrets.blotForPrograms
    let complaint = cut(blot.text(of: result.errorOutput), to: Self.complaintBytes)
    switch result.termination {
    case .exited(0): break
    case .exited(let code):
      return .failed("exit-\(code)", complaint.isEmpty ? "the program ended with exit code \(code)" : complaint)
    default:
      let message = "the program ended by \(result.termination)" + (complaint.isEmpty ? "" : ": \(complaint)")
      return isHarmless ? .failed("killed", message) : .inDoubt("killed", message)
    }
    do throws(JSONError) {
      return .finished(blot.json(try JSON.parse(result.output)))
    } catch {
      let message = "the program succeeded, but what it wrote is not JSON: \(blot.text(error.description))"
      return isHarmless ? .failed("result-invalid", message) : .inDoubt("result-invalid", message)
    }
  }

  func executable(_ program: String, pinned: [String: [UInt8]]) throws(FileError) -> Executable {
    // A path inside the bundle is written as `./tools/…` or `tools/…`.
    let path = program.hasPrefix("./") ? String(program.dropFirst(2)) : program
    if pinned[path] != nil { return .path("\(try install(pinned))/\(path)") }
    if ToolDefinition.isHeld(program) { throw FileError(.notFound, path: program, "the release does not hold this program") }
    return program.hasPrefix("/") ? .path(program) : .named(program, path: Self.searchPath)
  }

  /// Puts the pinned files of a release where they can be executed and can find each other, under their common digest; what lies there
  /// already is checked.
  private func install(_ pinned: [String: [UInt8]]) throws(FileError) -> String {
    let files = pinned.sorted { bytesLess($0.key, $1.key) }
    let listing = files.map { "\(SHA256.hash($0.value).hex) \($0.key)\n" }.joined()
    let folder = "\(programs)/\(SHA256.hash(listing).hex.prefix(32))"
    mkdir(programs, 0o700)
    mkdir(folder, 0o700)
    for (path, bytes) in files {
      var parent = folder
      for part in path.split(separator: "/").dropLast() {
        parent += "/\(part)"
        mkdir(parent, 0o700)
      }
      let place = "\(folder)/\(path)"
      if let found = try? RegularFile.read(place, maximumBytes: bytes.count), found == bytes, access(place, X_OK) == 0 { continue }
      try RegularFile.writeAtomically(bytes, to: place)
      if chmod(place, 0o500) != 0 {
        throw FileError(.system, path: place, "cannot be made executable: \(String(cString: strerror(errno)))")
      }
    }
    return folder
  }
}
